/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See covered.h. Called by the fast lane.
 */
#include "source/libvirt/covered.h"

static bool look_up(struct gm_heard *covered, const struct gm_lv_identity *identity)
{
	for (size_t i = 0; i < identity->device_count; i++) {
		const struct gm_entity_key *key = &identity->devices[i].key;

		if (key->kind == GM_ENTITY_INTERFACE && !gm_heard_get(covered, key, NULL))
			return false;
	}
	return true;
}

bool gm_lv_covered_guest(struct gm_heard *covered, struct gm_lv_guest *guest)
{
	if (!guest->identity)
		return false;
	uint64_t version = gm_heard_version(covered); /* guests begin with 0: not looked up */
	if (guest->covered_version != version) {
		guest->covered = look_up(covered, guest->identity);
		guest->covered_version = version;
	}
	return guest->covered;
}

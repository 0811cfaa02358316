/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits of ports; see limits.h. Called by tap/tap.c.
 */
#include "source/tap/limits.h"

#include <string.h>

int gm_tap_limits_create(struct gm_heard **ret_limits)
{
	return gm_heard_create(sizeof(struct gm_tap_limit), ret_limits);
}

void gm_tap_limits_hear(struct gm_heard *limits, const struct gm_entity_info *info, bool here)
{
	static const uint8_t nobody[GM_UUID_SIZE];
	const struct gm_interface_info *told = &info->interface;

	if (info->key.kind != GM_ENTITY_INTERFACE) {
		return;
	}
	/* A device that is no guest's any more is the host's: its limit went with the guest. */
	bool owned = memcmp(told->guest, nobody, GM_UUID_SIZE) != 0;
	if (here && owned && (told->rx_limit > 0 || told->tx_limit > 0)) {
		const struct gm_tap_limit limit = {(double)told->rx_limit, (double)told->tx_limit};
		gm_heard_put(limits, &info->key, &limit);
	} else {
		gm_heard_drop(limits, &info->key);
	}
}

struct gm_tap_limit gm_tap_limits_find(struct gm_heard *limits, const struct gm_entity_key *key)
{
	struct gm_tap_limit limit = {0};

	gm_heard_get(limits, key, &limit);
	return limit;
}

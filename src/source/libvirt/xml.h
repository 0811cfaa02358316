/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a domain's XML tells of a guest: names, Nova's metadata (namespaces 1.1 and 1.0, or none),
 * interfaces and disks. Pure: text in, struct out. The text is hostile (its names come from
 * tenants): its size, depth and number of devices are bounded, document types and entities of its
 * own are refused, nothing is fetched.
 */
#ifndef GM_SOURCE_LIBVIRT_XML_H
#define GM_SOURCE_LIBVIRT_XML_H

#include "base/error.h"
#include "model/entity.h"

enum {
	GM_LV_XML_MAX = 1 << 20, /* bytes */
	GM_LV_DEVICES_MAX = 512, /* interfaces and disks of a guest; more are left out */
};

struct gm_lv_identity {
	struct gm_entity_info guest;
	bool has_balloon;
	bool agent_up;                  /* the agent inside of it has opened its channel */
	uint32_t stats_period;          /* s; 0: the guest is not asked */
	size_t device_count;            /* interfaces first, then disks */
	struct gm_entity_info *devices; /* zero-padded, so that two can be compared by memcmp() */
};

/*
 * Parses libvirt's domain XML. `hypervisor` is copied into the guest's info. A device without a
 * name on the host (user-mode network) is left out but counts for the ordinals. 0, -EINVAL (not a
 * domain, no UUID, hostile), -E2BIG (larger than GM_LV_XML_MAX) or -ENOMEM.
 */
int gm_lv_identity_parse(const char *xml, const char *hypervisor,
			 struct gm_lv_identity **ret_identity, struct gm_error *err);

/* What is known of a guest whose XML cannot be had: its UUID and name. NULL: out of memory. */
struct gm_lv_identity *gm_lv_identity_bare(const uint8_t uuid[GM_UUID_SIZE], const char *name,
					   const char *hypervisor);

/* Its interfaces are another host's: their names get the prefix (uris.h). */
void gm_lv_identity_prefix(struct gm_lv_identity *identity, const char *prefix);

void gm_lv_identity_free(struct gm_lv_identity *identity); /* NULL-safe */

#endif

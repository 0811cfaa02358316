/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nova's metadata in a domain's XML (nova/virt/libvirt/config.py,
 * LibvirtConfigGuestMetaNovaInstance): namespace 1.1 since Wallaby, which adds the ports, and 1.0
 * before. Either may be missing.
 */
#ifndef GM_SOURCE_LIBVIRT_NOVA_H
#define GM_SOURCE_LIBVIRT_NOVA_H

#include <libxml/tree.h>

#include "model/entity.h"

/* Borrows the tree. */
struct gm_lv_ports {
	const xmlNode *first;     /* <nova:port> or NULL */
	uint32_t count;           /* of ports */
	uint32_t interface_count; /* of the domain */
};

/* Fills what `metadata` (may be NULL) tells; leaves the rest as it was. */
void gm_lv_nova_read(const xmlNode *metadata, struct gm_guest_info *guest,
		     struct gm_lv_ports *ret_ports);

void gm_lv_ports_count_interfaces(struct gm_lv_ports *ports, const xmlNode *devices);

/*
 * The Neutron port of an <interface>: by its Open vSwitch interface id, else by the device's name
 * (Nova names a tap after the first 11 characters of the port), else by its place where there are
 * as many ports as interfaces. `port_uuid` is left as it is where none fits.
 */
void gm_lv_ports_find(const struct gm_lv_ports *ports, const xmlNode *interface, const char *device,
		      uint32_t ordinal, char port_uuid[GM_UUID_TEXT]);

#endif

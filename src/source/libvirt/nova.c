/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of Nova's metadata; see nova.h. Called by xml.c alone.
 */
#include "source/libvirt/nova.h"

#include <netinet/in.h>
#include <string.h>

#include "source/libvirt/xmlnode.h"

enum { NOVA_DEVICE_PREFIX = 3, NOVA_DEVICE_PORT = 11 }; /* "tap" + "f00df00d-12" */

/* Nobody has more; each is compared with each interface. */
enum { PORTS_MAX = 512 };

/* The newest first: a guest that was carried over an upgrade may hold both. */
static const char *const namespaces[] = {
	"http://openstack.org/xmlns/libvirt/nova/1.1",
	"http://openstack.org/xmlns/libvirt/nova/1.0",
};

static const xmlNode *find_instance(const xmlNode *metadata)
{
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
		for (const xmlNode *node = gm_lv_node_child(metadata, "instance"); node;
		     node = gm_lv_node_next(node, "instance")) {
			if (node->ns && node->ns->href &&
			    strcmp((const char *)node->ns->href, namespaces[i]) == 0)
				return node;
		}
	}
	return NULL;
}

static bool read_address(const xmlNode *node, struct gm_address *ret_address)
{
	char text[INET6_ADDRSTRLEN + 1]; /* one that is too long does not become a shorter one */

	return gm_lv_node_attribute(node, "address", text, sizeof(text)) &&
	       gm_address_parse(text, ret_address);
}

/* Those of a port's own network or the others (floating); returns how many there are now. */
static size_t read_addresses(const struct gm_lv_ports *ports, bool fixed, size_t count,
			     struct gm_address addresses[GM_GUEST_ADDRESSES])
{
	char type[16];

	for (const xmlNode *port = ports->first; port; port = gm_lv_node_next(port, "port")) {
		for (const xmlNode *ip = gm_lv_node_child(port, "ip"); ip;
		     ip = gm_lv_node_next(ip, "ip")) {
			bool is_fixed = !gm_lv_node_attribute(ip, "type", type, sizeof(type)) ||
					strcmp(type, "fixed") == 0;

			if (count < GM_GUEST_ADDRESSES && is_fixed == fixed &&
			    read_address(ip, &addresses[count]))
				count++;
		}
	}
	return count;
}

void gm_lv_nova_read(const xmlNode *metadata, struct gm_guest_info *guest,
		     struct gm_lv_ports *ret_ports)
{
	const xmlNode *instance = find_instance(metadata);
	const xmlNode *owner = gm_lv_node_child(instance, "owner");
	const xmlNode *project = gm_lv_node_child(owner, "project");

	gm_lv_node_text(gm_lv_node_child(instance, "name"), guest->display_name,
			sizeof(guest->display_name));
	gm_lv_node_attribute(gm_lv_node_child(instance, "flavor"), "name", guest->flavor,
			     sizeof(guest->flavor));
	gm_lv_node_text(project, guest->project, sizeof(guest->project));
	gm_lv_node_attribute(project, "uuid", guest->project_uuid, sizeof(guest->project_uuid));
	gm_lv_node_attribute(gm_lv_node_child(owner, "user"), "uuid", guest->user_uuid,
			     sizeof(guest->user_uuid));
	ret_ports->first = gm_lv_node_child(gm_lv_node_child(instance, "ports"), "port");
	ret_ports->count = 0;
	for (const xmlNode *port = ret_ports->first; port; port = gm_lv_node_next(port, "port"))
		ret_ports->count++;
	if (ret_ports->count > PORTS_MAX)
		*ret_ports = (struct gm_lv_ports){0};
	read_addresses(ret_ports, false, read_addresses(ret_ports, true, 0, guest->addresses),
		       guest->addresses);
}

void gm_lv_ports_count_interfaces(struct gm_lv_ports *ports, const xmlNode *devices)
{
	ports->interface_count = 0;
	for (const xmlNode *node = gm_lv_node_child(devices, "interface"); node;
	     node = gm_lv_node_next(node, "interface"))
		ports->interface_count++;
}

static bool find_by_device(const struct gm_lv_ports *ports, const char *device,
			   char port_uuid[GM_UUID_TEXT])
{
	char text[GM_UUID_TEXT] = {0}; /* whole: identities are compared by memcmp() */

	if (strlen(device) != NOVA_DEVICE_PREFIX + NOVA_DEVICE_PORT)
		return false;
	for (const xmlNode *port = ports->first; port; port = gm_lv_node_next(port, "port")) {
		if (gm_lv_node_attribute(port, "uuid", text, sizeof(text)) &&
		    strncmp(device + NOVA_DEVICE_PREFIX, text, NOVA_DEVICE_PORT) == 0) {
			memcpy(port_uuid, text, sizeof(text));
			return true;
		}
	}
	return false;
}

void gm_lv_ports_find(const struct gm_lv_ports *ports, const xmlNode *interface, const char *device,
		      uint32_t ordinal, char port_uuid[GM_UUID_TEXT])
{
	const xmlNode *parameters =
		gm_lv_node_child(gm_lv_node_child(interface, "virtualport"), "parameters");

	if (gm_lv_node_attribute(parameters, "interfaceid", port_uuid, GM_UUID_TEXT) ||
	    find_by_device(ports, device, port_uuid) || ports->count != ports->interface_count)
		return;
	const xmlNode *port = ports->first;
	for (uint32_t place = 1; port && place < ordinal; place++)
		port = gm_lv_node_next(port, "port");
	gm_lv_node_attribute(port, "uuid", port_uuid, GM_UUID_TEXT);
}

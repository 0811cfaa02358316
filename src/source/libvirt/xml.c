/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of domain XML; see xml.h. It goes through libxml2's tree by hand: the paths are few
 * and fixed, and a walk over siblings has a plain bound where an XPath expression has not. Called
 * by the fast lane for a guest that is new or changed, and by the slow lane's workers for the
 * balloon's period.
 */
#include "source/libvirt/xml.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "source/libvirt/nova.h"
#include "source/libvirt/uris.h"
#include "source/libvirt/xmlnode.h"

#define LIMIT_MOST UINT64_C(10000000000000) /* bit/s; what is above is no limit */

/* The units of libvirt's scaled integers (formatdomain.html, "Memory Allocation"). */
static const struct {
	const char *name;
	uint64_t bytes;
} units[] = {
	{"b", 1},
	{"bytes", 1},
	{"KB", 1000},
	{"k", 1024},
	{"KiB", 1024},
	{"MB", 1000000},
	{"M", UINT64_C(1) << 20},
	{"MiB", UINT64_C(1) << 20},
	{"GB", 1000000000},
	{"G", UINT64_C(1) << 30},
	{"GiB", UINT64_C(1) << 30},
	{"TB", 1000000000000},
	{"T", UINT64_C(1) << 40},
	{"TiB", UINT64_C(1) << 40},
};

/* Bytes of <memory unit='…'>; 0 when it is absent or makes no sense. */
static uint64_t read_memory(const xmlNode *node)
{
	char text[32], unit[16] = "KiB";
	uint64_t number;

	if (!node || !gm_lv_node_text(node, text, sizeof(text)))
		return 0;
	gm_lv_node_attribute(node, "unit", unit, sizeof(unit));
	if (!gm_lv_number(text, &number))
		return 0;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(unit, units[i].name) == 0)
			return number > UINT64_MAX / units[i].bytes ? 0 : number * units[i].bytes;
	}
	return 0;
}

/* vCPUs online now: the attribute where some of the maximum are offline. */
static uint32_t read_vcpus(const xmlNode *node)
{
	char text[32];
	uint64_t number;

	if (!node || (!gm_lv_node_attribute(node, "current", text, sizeof(text)) &&
		      !gm_lv_node_text(node, text, sizeof(text))))
		return 0;
	return gm_lv_number(text, &number) && number <= UINT32_MAX ? (uint32_t)number : 0;
}

static uint32_t read_vcpus_max(const xmlNode *node)
{
	char text[32];
	uint64_t number;

	return node && gm_lv_node_text(node, text, sizeof(text)) && gm_lv_number(text, &number) &&
			       number <= UINT32_MAX
		       ? (uint32_t)number
		       : 0;
}

/* <libosinfo:os id="http://debian.org/debian/12"/>, which virt-install and others write. */
static void read_os(const xmlNode *metadata, char *os, size_t size)
{
	const xmlNode *libosinfo = gm_lv_node_child(metadata, "libosinfo");

	gm_lv_node_attribute(gm_lv_node_child(libosinfo, "os"), "id", os, size);
}

static struct gm_entity_info *add_device(struct gm_lv_identity *identity)
{
	if (identity->device_count >= GM_LV_DEVICES_MAX)
		return NULL;
	struct gm_entity_info *grown = realloc(
		identity->devices, (identity->device_count + 1) * sizeof(identity->devices[0]));
	if (!grown)
		return NULL;
	identity->devices = grown;
	struct gm_entity_info *device = &grown[identity->device_count++];
	memset(device, 0, sizeof(*device));
	return device;
}

/*
 * The limit that <inbound> or <outbound> sets, bit/s: its peak where that may be reached. libvirt hands
 * the numbers to tc(8) with the unit kbps, which is 1,000 bytes a second there, whatever the manual calls
 * it; what the guest sends is policed at the average, a peak is not looked at.
 */
static uint64_t read_limit(const xmlNode *direction, bool may_peak)
{
	enum { BITS = 8000 };
	uint64_t average = 0, peak = 0;
	char text[32];

	if (gm_lv_node_attribute(direction, "average", text, sizeof(text)))
		gm_lv_number(text, &average);
	if (may_peak && gm_lv_node_attribute(direction, "peak", text, sizeof(text)))
		gm_lv_number(text, &peak);
	uint64_t most = peak > average ? peak : average;
	return most <= LIMIT_MOST / BITS ? most * BITS : 0;
}

static void read_limits(const xmlNode *bandwidth, struct gm_interface_info *info)
{
	info->rx_limit = read_limit(gm_lv_node_child(bandwidth, "inbound"), true);
	info->tx_limit = read_limit(gm_lv_node_child(bandwidth, "outbound"), false);
}

static void read_interface(struct gm_lv_identity *identity, const xmlNode *node, uint32_t ordinal,
			   const struct gm_lv_ports *ports)
{
	char device[GM_DEVICE_NAME];

	if (!gm_lv_node_attribute(gm_lv_node_child(node, "target"), "dev", device, sizeof(device)))
		return;
	struct gm_entity_info *info = add_device(identity);
	if (!info)
		return;
	info->key = gm_entity_interface(device);
	memcpy(info->interface.guest, identity->guest.key.uuid, GM_UUID_SIZE);
	info->interface.ordinal = ordinal;
	gm_lv_node_attribute(gm_lv_node_child(node, "mac"), "address", info->interface.mac,
			     sizeof(info->interface.mac));
	gm_lv_node_attribute(gm_lv_node_child(node, "model"), "type", info->interface.model,
			     sizeof(info->interface.model));
	read_limits(gm_lv_node_child(node, "bandwidth"), &info->interface);
	gm_lv_ports_find(ports, node, device, ordinal, info->interface.port_uuid);
}

/* Where a disk's data is: one of these, by the disk's type. */
static const char *const source_attributes[] = {"file", "dev", "name", "volume", "path", "dir"};

static void read_disk(struct gm_lv_identity *identity, const xmlNode *node, uint32_t ordinal)
{
	char target[GM_DEVICE_NAME];

	if (!gm_lv_node_attribute(gm_lv_node_child(node, "target"), "dev", target, sizeof(target)))
		return;
	struct gm_entity_info *info = add_device(identity);
	if (!info)
		return;
	info->key = gm_entity_disk(identity->guest.key.uuid, target);
	memcpy(info->disk.guest, identity->guest.key.uuid, GM_UUID_SIZE);
	info->disk.ordinal = ordinal;
	gm_lv_node_attribute(node, "type", info->disk.type, sizeof(info->disk.type));
	gm_lv_node_attribute(node, "device", info->disk.device, sizeof(info->disk.device));
	gm_lv_node_attribute(gm_lv_node_child(node, "driver"), "type", info->disk.format,
			     sizeof(info->disk.format));
	gm_lv_node_attribute(gm_lv_node_child(node, "alias"), "name", info->disk.alias,
			     sizeof(info->disk.alias));
	info->disk.read_only = gm_lv_node_child(node, "readonly") ? GM_YES : GM_NO;
	const xmlNode *source = gm_lv_node_child(node, "source");
	for (size_t i = 0; i < sizeof(source_attributes) / sizeof(source_attributes[0]); i++) {
		if (gm_lv_node_attribute(source, source_attributes[i], info->disk.source,
					 sizeof(info->disk.source)))
			break;
	}
}

static void read_balloon(struct gm_lv_identity *identity, const xmlNode *node)
{
	char text[32];
	uint64_t number;

	if (!node ||
	    (gm_lv_node_attribute(node, "model", text, sizeof(text)) && strcmp(text, "none") == 0))
		return;
	identity->has_balloon = true;
	if (gm_lv_node_attribute(gm_lv_node_child(node, "stats"), "period", text, sizeof(text)) &&
	    gm_lv_number(text, &number) && number <= UINT32_MAX)
		identity->stats_period = (uint32_t)number;
}

static void read_agent(struct gm_lv_identity *identity, const xmlNode *channel)
{
	const xmlNode *target = gm_lv_node_child(channel, "target");
	char text[32];

	if (gm_lv_node_attribute(target, "name", text, sizeof(text)) &&
	    strcmp(text, "org.qemu.guest_agent.0") == 0 &&
	    gm_lv_node_attribute(target, "state", text, sizeof(text)))
		identity->agent_up = strcmp(text, "connected") == 0;
}

static void read_devices(struct gm_lv_identity *identity, const xmlNode *devices,
			 const struct gm_lv_ports *ports)
{
	uint32_t ordinal = 0;

	for (const xmlNode *node = gm_lv_node_child(devices, "interface"); node;
	     node = gm_lv_node_next(node, "interface"))
		read_interface(identity, node, ++ordinal, ports);
	ordinal = 0;
	for (const xmlNode *node = gm_lv_node_child(devices, "disk"); node;
	     node = gm_lv_node_next(node, "disk"))
		read_disk(identity, node, ++ordinal);
	read_balloon(identity, gm_lv_node_child(devices, "memballoon"));
	for (const xmlNode *node = gm_lv_node_child(devices, "channel"); node;
	     node = gm_lv_node_next(node, "channel"))
		read_agent(identity, node);
}

static int read_domain(const xmlNode *domain, const char *hypervisor,
		       struct gm_lv_identity *identity, struct gm_error *err)
{
	struct gm_guest_info *guest = &identity->guest.guest;
	struct gm_lv_ports ports = {0};
	char text[64];
	uint8_t uuid[GM_UUID_SIZE];

	if (!domain || strcmp((const char *)domain->name, "domain") != 0)
		return gm_error_set(err, -EINVAL, "the XML is not a domain's");
	if (!gm_lv_node_text(gm_lv_node_child(domain, "uuid"), text, sizeof(text)) ||
	    gm_uuid_parse(text, uuid) < 0)
		return gm_error_set(err, -EINVAL, "the domain's XML has no valid UUID");
	identity->guest.key = gm_entity_guest(uuid);
	gm_lv_node_text(gm_lv_node_child(domain, "name"), guest->name, sizeof(guest->name));
	gm_text_copy(guest->hypervisor, sizeof(guest->hypervisor), hypervisor);
	guest->memory_max = read_memory(gm_lv_node_child(domain, "memory"));
	guest->vcpus = read_vcpus(gm_lv_node_child(domain, "vcpu"));
	guest->vcpus_max = read_vcpus_max(gm_lv_node_child(domain, "vcpu"));
	read_os(gm_lv_node_child(domain, "metadata"), guest->os, sizeof(guest->os));
	gm_lv_nova_read(gm_lv_node_child(domain, "metadata"), guest, &ports);
	const xmlNode *devices = gm_lv_node_child(domain, "devices");
	gm_lv_ports_count_interfaces(&ports, devices);
	read_devices(identity, devices, &ports);
	return 0;
}

/*
 * XML_PARSE_NOENT and XML_PARSE_HUGE stay off: no entity is put in, and libxml2's own limits of
 * depth and amplification hold. libvirt never writes a document type, so one that has it is refused
 * whole.
 */
static int parse_document(const char *xml, size_t length, xmlDoc **ret_document,
			  struct gm_error *err)
{
	xmlDoc *document = xmlReadMemory(xml, (int)length, NULL, NULL,
					 XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
						 XML_PARSE_NOCDATA);

	if (!document)
		return gm_error_set(err, -EINVAL, "the domain's XML is not well-formed");
	if (document->intSubset || document->extSubset) {
		xmlFreeDoc(document);
		return gm_error_set(err, -EINVAL, "the domain's XML has a document type");
	}
	*ret_document = document;
	return 0;
}

int gm_lv_identity_parse(const char *xml, const char *hypervisor,
			 struct gm_lv_identity **ret_identity, struct gm_error *err)
{
	size_t length = strnlen(xml, GM_LV_XML_MAX + 1);
	xmlDoc *document = NULL;

	if (length > GM_LV_XML_MAX)
		return gm_error_set(err, -E2BIG, "the domain's XML is larger than %d bytes",
				    GM_LV_XML_MAX);
	struct gm_lv_identity *identity = calloc(1, sizeof(*identity));
	if (!identity)
		return gm_error_set(err, -ENOMEM, "out of memory");
	int rc = parse_document(xml, length, &document, err);
	if (rc < 0)
		goto cleanup;
	rc = read_domain(xmlDocGetRootElement(document), hypervisor, identity, err);
	if (rc < 0)
		goto cleanup;
	*ret_identity = identity;
	identity = NULL;
cleanup:
	xmlFreeDoc(document);
	gm_lv_identity_free(identity);
	return rc;
}

struct gm_lv_identity *gm_lv_identity_bare(const uint8_t uuid[GM_UUID_SIZE], const char *name,
					   const char *hypervisor)
{
	struct gm_lv_identity *identity = calloc(1, sizeof(*identity));

	if (!identity)
		return NULL;
	identity->guest.key = gm_entity_guest(uuid);
	gm_text_copy(identity->guest.guest.name, sizeof(identity->guest.guest.name), name);
	gm_text_copy(identity->guest.guest.hypervisor, sizeof(identity->guest.guest.hypervisor),
		     hypervisor);
	return identity;
}

void gm_lv_identity_prefix(struct gm_lv_identity *identity, const char *prefix)
{
	for (size_t i = 0; prefix && i < identity->device_count; i++) {
		struct gm_entity_key key = identity->devices[i].key;

		if (key.kind == GM_ENTITY_INTERFACE)
			identity->devices[i].key = gm_lv_interface_key(prefix, key.name);
	}
}

void gm_lv_identity_free(struct gm_lv_identity *identity)
{
	if (!identity)
		return;
	free(identity->devices);
	free(identity);
}

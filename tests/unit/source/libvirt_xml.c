/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of domain XML: Nova's two namespaces and none, devices, and XML that is broken, huge
 * or made to do harm.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/text.h"
#include "source/libvirt/xml.h"

#define UUID "<uuid>00000009-0000-4000-8000-000000000009</uuid>"

static char *read_file(const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s", GM_TEST_DATA, name);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	char *text = calloc(1, 65536);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, file) > 0);
	fclose(file);
	return text;
}

static struct gm_lv_identity *parse_file(const char *name)
{
	struct gm_lv_identity *identity = NULL;
	char *xml = read_file(name);
	assert_int_equal(gm_lv_identity_parse(xml, "QEMU", &identity, NULL), 0);
	free(xml);
	return identity;
}

static int parse(const char *xml, struct gm_lv_identity **ret_identity)
{
	struct gm_error err = {.text = ""};
	int rc = gm_lv_identity_parse(xml, "QEMU", ret_identity, &err);

	assert_true((rc < 0) == (err.text[0] != '\0'));
	return rc;
}

static void assert_refused(const char *xml, int code)
{
	struct gm_lv_identity *identity = NULL;

	assert_int_equal(parse(xml, &identity), code);
	assert_null(identity);
}

static void test_nova_1_1(void **state)
{
	(void)state;
	char text[GM_KEY_TEXT];
	struct gm_lv_identity *identity = parse_file("nova-1.1.xml");
	const struct gm_guest_info *guest = &identity->guest.guest;

	assert_string_equal(gm_entity_text(&identity->guest.key, text),
			    "guest:d1a3f2c4-5b6e-4f70-8a9b-0c1d2e3f4a5b");
	assert_string_equal(guest->name, "instance-0000002a");
	assert_string_equal(guest->display_name, "web \"1\" & ünïcode");
	assert_string_equal(guest->project, "tenant-a");
	assert_string_equal(guest->project_uuid, "9a2b0000000000000000000000000001");
	assert_string_equal(guest->user_uuid, "8f1c0000000000000000000000000001");
	assert_string_equal(guest->flavor, "m1.small");
	assert_string_equal(guest->hypervisor, "QEMU");
	assert_int_equal(guest->vcpus, 2);
	assert_int_equal(guest->vcpus_max, 4);
	assert_string_equal(guest->os, "http://debian.org/debian/12");
	assert_int_equal(guest->memory_max, INT64_C(2) << 30);
	/* Fixed ones first; what is no address is none. */
	assert_int_equal(guest->addresses[0].version, 4);
	assert_memory_equal(guest->addresses[0].octets, "\x0a\x00\x00\x05", 4);
	assert_int_equal(guest->addresses[1].version, 6);
	assert_memory_equal(guest->addresses[1].octets, "\xfd", 2);
	assert_int_equal(guest->addresses[2].version, 4);
	assert_memory_equal(guest->addresses[2].octets, "\xcb\x00\x71\x09", 4);
	assert_int_equal(guest->addresses[3].version, 0);
	assert_true(identity->has_balloon);
	assert_int_equal(identity->stats_period, 10);
	gm_lv_identity_free(identity);
}

static void test_devices(void **state)
{
	(void)state;
	char text[GM_KEY_TEXT];
	struct gm_lv_identity *identity = parse_file("nova-1.1.xml");
	const struct gm_entity_info *devices = identity->devices;

	assert_int_equal(identity->device_count, 5);
	assert_string_equal(gm_entity_text(&devices[0].key, text), "if:tap44444444-dd");
	assert_int_equal(devices[0].interface.ordinal, 1);
	assert_string_equal(devices[0].interface.mac, "fa:16:3e:00:00:01");
	assert_string_equal(devices[0].interface.model, "virtio");
	assert_memory_equal(devices[0].interface.guest, identity->guest.key.uuid, GM_UUID_SIZE);
	/* A kilobyte is 1,000 here; the peak of what the guest sends is not looked at. */
	assert_int_equal(devices[0].interface.rx_limit, 200000000);
	assert_int_equal(devices[0].interface.tx_limit, 50000000);
	assert_int_equal(devices[1].interface.rx_limit, 0);
	assert_int_equal(devices[1].interface.tx_limit, 0);
	/* Open vSwitch's word goes before all else. */
	assert_string_equal(devices[0].interface.port_uuid, "44444444-dddd-4000-8000-000000000004");
	/* The user-mode interface has no device but keeps its place; the name tells the port. */
	assert_string_equal(gm_entity_text(&devices[1].key, text), "if:tap22222222-bb");
	assert_int_equal(devices[1].interface.ordinal, 3);
	assert_string_equal(devices[1].interface.port_uuid, "22222222-bbbb-4000-8000-000000000002");
	assert_string_equal(gm_entity_text(&devices[2].key, text),
			    "disk:d1a3f2c4-5b6e-4f70-8a9b-0c1d2e3f4a5b:vda");
	assert_string_equal(devices[2].disk.source, "/var/lib/nova/instances/d1/disk");
	assert_string_equal(devices[2].disk.type, "file");
	assert_string_equal(devices[2].disk.format, "qcow2");
	assert_string_equal(devices[2].disk.device, "disk");
	assert_int_equal(devices[2].disk.read_only, GM_NO);
	assert_string_equal(devices[3].disk.format, "");
	assert_string_equal(devices[3].disk.device, "cdrom");
	assert_int_equal(devices[3].disk.read_only, GM_YES);
	assert_string_equal(devices[4].disk.type, "network");
	assert_int_equal(devices[3].disk.ordinal, 2);
	assert_string_equal(devices[3].disk.source, "");
	assert_string_equal(devices[4].disk.source, "volumes/volume-1");
	gm_lv_identity_free(identity);
}

static void test_nova_1_0(void **state)
{
	(void)state;
	struct gm_lv_identity *identity = parse_file("nova-1.0.xml");

	assert_string_equal(identity->guest.guest.display_name, "old-1");
	assert_string_equal(identity->guest.guest.project, "tenant-b");
	assert_string_equal(identity->guest.guest.project_uuid, "p-1");
	assert_int_equal(identity->guest.guest.memory_max, INT64_C(512) << 20);
	assert_int_equal(identity->device_count, 1);
	assert_string_equal(identity->devices[0].interface.port_uuid, "");
	assert_false(identity->has_balloon);
	gm_lv_identity_free(identity);
}

static void test_no_nova(void **state)
{
	(void)state;
	struct gm_lv_identity *identity = parse_file("plain.xml");

	assert_string_equal(identity->guest.guest.name, "by-hand");
	assert_string_equal(identity->guest.guest.display_name, "");
	assert_string_equal(gm_guest_label(&identity->guest.guest), "by-hand");
	assert_true(identity->has_balloon);
	assert_int_equal(identity->stats_period, 0);
	assert_int_equal(identity->device_count, 0);
	gm_lv_identity_free(identity);
}

static void test_newest_namespace_wins(void **state)
{
	(void)state;
	struct gm_lv_identity *identity;
	const char *xml =
		"<domain>" UUID "<metadata>"
		"<a:instance "
		"xmlns:a='http://openstack.org/xmlns/libvirt/nova/1.0'><a:name>old</a:name>"
		"</a:instance>"
		"<instance xmlns='http://openstack.org/xmlns/libvirt/nova/1.1'><name>new</name>"
		"</instance></metadata></domain>";

	assert_int_equal(parse(xml, &identity), 0);
	assert_string_equal(identity->guest.guest.display_name, "new");
	gm_lv_identity_free(identity);
}

#define TWO_PORTS                                                                           \
	"<domain>" UUID "<metadata><instance "                                              \
	"xmlns='http://openstack.org/xmlns/libvirt/nova/1.1'><ports>"                       \
	"<port uuid='aaaaaaaa-0000-4000-8000-000000000001'/>"                               \
	"<port uuid='bbbbbbbb-0000-4000-8000-000000000002'/></ports></instance></metadata>" \
	"<devices><interface><target dev='vnet0'/></interface>"                             \
	"<interface><target dev='vnet1'/></interface>"

/* Ports are taken by place only when there are as many as interfaces. */
static void test_ports_by_place(void **state)
{
	(void)state;
	struct gm_lv_identity *identity;
	assert_int_equal(parse(TWO_PORTS "</devices></domain>", &identity), 0);
	assert_string_equal(identity->devices[1].interface.port_uuid,
			    "bbbbbbbb-0000-4000-8000-000000000002");
	gm_lv_identity_free(identity);
	assert_int_equal(parse(TWO_PORTS "<interface><target dev='vnet2'/></interface>"
					 "</devices></domain>",
			       &identity),
			 0);
	assert_string_equal(identity->devices[1].interface.port_uuid, "");
	gm_lv_identity_free(identity);
}

static void test_broken(void **state)
{
	(void)state;
	assert_refused("", -EINVAL);
	assert_refused("no XML at all", -EINVAL);
	assert_refused("<domain>", -EINVAL);
	assert_refused("<domain/>", -EINVAL);
	assert_refused("<network>" UUID "</network>", -EINVAL);
	assert_refused("<domain><uuid>not-one</uuid></domain>", -EINVAL);
	assert_refused("<domain><uuid/></domain>", -EINVAL);
	assert_refused("<domain>" UUID "<name>\xff\xfe</name></domain>", -EINVAL);
}

static void test_entities(void **state)
{
	(void)state;
	assert_refused("<!DOCTYPE domain [<!ENTITY a SYSTEM 'file:///etc/hostname'>]>"
		       "<domain><name>&a;</name>" UUID "</domain>",
		       -EINVAL);
	assert_refused("<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;'>"
		       "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;'>"
		       "<!ENTITY e '&d;&d;&d;&d;&d;&d;&d;&d;'>]>"
		       "<domain><name>&e;&e;&e;</name>" UUID "</domain>",
		       -EINVAL);
	assert_refused("<domain><name>&undefined;</name>" UUID "</domain>", -EINVAL);
}

/* `head`, `count` times `unit`, `tail`. The caller frees it. */
static char *repeat(const char *head, const char *unit, size_t count, const char *tail)
{
	struct gm_buffer buffer = GM_BUFFER_INIT(4 * GM_LV_XML_MAX);

	gm_buffer_append(&buffer, head, strlen(head));
	for (size_t i = 0; i < count; i++)
		gm_buffer_append(&buffer, unit, strlen(unit));
	gm_buffer_append(&buffer, tail, strlen(tail));
	assert_false(buffer.failed);
	return buffer.data;
}

static void test_huge(void **state)
{
	(void)state;
	struct gm_lv_identity *identity;

	char *xml = repeat("<domain>" UUID "<name>", "x", GM_LV_XML_MAX, "</name></domain>");
	assert_refused(xml, -E2BIG);
	free(xml);
	xml = repeat("<domain>" UUID, "<a>", 100000, "");
	assert_refused(xml, -EINVAL);
	free(xml);
	/* A name of 10 kB is cut at a character, not in the middle of one. */
	xml = repeat("<domain>" UUID "<name>", "€", 3400, "</name></domain>");
	assert_int_equal(parse(xml, &identity), 0);
	assert_int_equal(strlen(identity->guest.guest.name), 255);
	assert_true(gm_text_is_utf8(identity->guest.guest.name));
	gm_lv_identity_free(identity);
	free(xml);
	xml = repeat("<domain>" UUID "<devices>", "<interface><target dev='t'/></interface>", 20000,
		     "</devices></domain>");
	assert_int_equal(parse(xml, &identity), 0);
	assert_int_equal(identity->device_count, GM_LV_DEVICES_MAX);
	gm_lv_identity_free(identity);
	free(xml);
}

static void test_hostile_values(void **state)
{
	(void)state;
	struct gm_lv_identity *identity;
	const char *xml =
		"<domain>" UUID "<name>a&#10;b&quot;&lt;script&gt;</name>"
		"<memory unit='TiB'>99999999999999999999</memory><vcpu current='-1'>x</vcpu>"
		"<devices><interface><target dev='a/../../very-long-device-name-that-never-ends'/>"
		"<bandwidth><inbound average='2305843009213693953'/>"
		"<outbound average='-5' peak='7'/></bandwidth>"
		"<mac address='zz:zz:zz:zz:zz:zz:zz:zz'/></interface>"
		"<disk><target/></disk><disk><target dev=''/></disk>"
		"<memballoon model='virtio'><stats "
		"period='99999999999'/></memballoon></devices></domain>";

	assert_int_equal(parse(xml, &identity), 0);
	assert_string_equal(identity->guest.guest.name, "a\nb\"<script>");
	assert_int_equal(identity->guest.guest.memory_max, 0);
	assert_int_equal(identity->guest.guest.vcpus, 0);
	assert_int_equal(identity->device_count, 1);
	assert_int_equal(strlen(identity->devices[0].key.name), GM_DEVICE_NAME - 1);
	assert_int_equal(strlen(identity->devices[0].interface.mac), 17);
	assert_int_equal(identity->devices[0].interface.rx_limit, 0);
	assert_int_equal(identity->devices[0].interface.tx_limit, 0);
	assert_int_equal(identity->stats_period, 0);
	assert_false(identity->agent_up);
	gm_lv_identity_free(identity);
	xml = "<domain>" UUID "<memory unit='TiB'>16777216</memory></domain>"; /* 2^64 bytes */
	assert_int_equal(parse(xml, &identity), 0);
	assert_int_equal(identity->guest.guest.memory_max, 0);
	gm_lv_identity_free(identity);
}

/* The fast lane compares identities as memory. */
static void test_comparable(void **state)
{
	(void)state;
	struct gm_lv_identity *a = parse_file("nova-1.1.xml");
	struct gm_lv_identity *b = parse_file("nova-1.1.xml");

	assert_memory_equal(&a->guest, &b->guest, sizeof(a->guest));
	assert_memory_equal(a->devices, b->devices, a->device_count * sizeof(a->devices[0]));
	gm_lv_identity_free(a);
	gm_lv_identity_free(b);
}

/* Only of the agent's own channel, and only what the host says. */
static void test_agent(void **state)
{
	(void)state;
	static const struct {
		const char *target;
		bool up;
	} cases[] = {
		{"name='org.qemu.guest_agent.0' state='connected'", true},
		{"name='org.qemu.guest_agent.0' state='disconnected'", false},
		{"name='org.qemu.guest_agent.0'", false},
		{"name='com.redhat.spice.0' state='connected'", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char xml[512];
		struct gm_lv_identity *identity;
		snprintf(xml, sizeof(xml),
			 "<domain>" UUID "<devices><channel type='spicevmc'/><channel type='unix'>"
			 "<target type='virtio' %s/></channel></devices></domain>",
			 cases[i].target);
		assert_int_equal(parse(xml, &identity), 0);
		assert_int_equal(identity->agent_up, cases[i].up);
		gm_lv_identity_free(identity);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nova_1_1),       cmocka_unit_test(test_devices),
		cmocka_unit_test(test_agent),          cmocka_unit_test(test_nova_1_0),
		cmocka_unit_test(test_no_nova),        cmocka_unit_test(test_newest_namespace_wins),
		cmocka_unit_test(test_ports_by_place), cmocka_unit_test(test_broken),
		cmocka_unit_test(test_entities),       cmocka_unit_test(test_huge),
		cmocka_unit_test(test_hostile_values), cmocka_unit_test(test_comparable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

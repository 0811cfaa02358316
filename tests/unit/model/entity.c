/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and their text, both ways, with what is not a key refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/entity.h"

static const char uuid_text[] = "6c766d67-0000-4000-8000-00000000000a";

static void assert_round_trip(struct gm_entity_key key, const char *text)
{
	char written[GM_KEY_TEXT];
	struct gm_entity_key read;
	assert_string_equal(gm_entity_text(&key, written), text);
	assert_int_equal(gm_entity_parse(written, &read), 0);
	assert_true(gm_entity_equal(&key, &read));
}

static void test_round_trips(void **state)
{
	(void)state;
	uint8_t uuid[GM_UUID_SIZE];
	assert_int_equal(gm_uuid_parse("6C766D67-0000-4000-8000-00000000000A", uuid), 0);
	assert_round_trip(gm_entity_node(), "node");
	assert_round_trip(gm_entity_guest(uuid), "guest:6c766d67-0000-4000-8000-00000000000a");
	assert_round_trip(gm_entity_interface("vnet0"), "if:vnet0");
	assert_round_trip(gm_entity_disk(uuid, "vda"),
			  "disk:6c766d67-0000-4000-8000-00000000000a:vda");
	assert_round_trip(gm_entity_disk(NULL, "sda"), "disk::sda");
	assert_round_trip(gm_entity_process(NULL, 7, "a"), "process::7/a");
	assert_round_trip(gm_entity_core(0), "core:0");
	assert_round_trip(gm_entity_core(1023), "core:1023");
	assert_round_trip(gm_entity_numa(12), "numa:12");
}

static void test_keys_differ_by_what_they_name(void **state)
{
	(void)state;
	struct gm_entity_key one = gm_entity_interface("a"), other = gm_entity_disk(NULL, "a");
	assert_false(gm_entity_equal(&one, &other));
	one = gm_entity_interface("same-beginning-of-a-name-that-is-too-long-1");
	other = gm_entity_interface("same-beginning-of-a-name-that-is-too-long-2");
	assert_true(gm_entity_equal(&one, &other)); /* cut at GM_DEVICE_NAME, as entity.h says */
}

static void test_what_is_no_key(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"nodes",
		"guest:",
		"guest:1",
		"guest:6c766d67-0000-4000-8000-00000000000",
		"core:",
		"core:01",
		"core:1x",
		"core:-1",
		"numa: 1",
		"numa:1000000000",
		"if:",
		"if:0123456789012345678901234567890123456789",
		"if:\xFF",
		"disk:",
		"disk:vda",
		"disk:6c766d67-0000-4000-8000-00000000000a",
		"disk:6c766d67-0000-4000-8000-00000000000a:",
		"guest:6c766d67x0000-4000-8000-00000000000a",
		"guest:6c766d67-0000-4000-8000-00000000000aa",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct gm_entity_key key;
		assert_int_equal(gm_entity_parse(texts[i], &key), -EINVAL);
	}
}

static void test_uuid(void **state)
{
	(void)state;
	uint8_t uuid[GM_UUID_SIZE];
	char text[GM_UUID_TEXT];
	assert_int_equal(gm_uuid_parse(uuid_text, uuid), 0);
	assert_int_equal(uuid[0], 0x6c);
	assert_int_equal(uuid[15], 0x0a);
	assert_string_equal(gm_uuid_text(uuid, text), uuid_text);
	assert_int_equal(gm_uuid_parse("6c766d6700004000800000000000000a", uuid), -EINVAL);
}

static void test_every_kind_has_a_name(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < GM_ENTITY_KINDS; kind++)
		assert_non_null(gm_entity_kind_name(kind));
	assert_string_equal(gm_entity_kind_name(GM_ENTITY_NUMA), "numa");
	assert_null(gm_entity_kind_name(GM_ENTITY_KINDS));
}

static void test_label(void **state)
{
	(void)state;
	struct gm_guest_info info = {.name = "instance-1"};
	assert_string_equal(gm_guest_label(&info), "instance-1");
	memcpy(info.display_name, "web-1", 6);
	assert_string_equal(gm_guest_label(&info), "web-1");
}

/* The name of a tenant's context: never longer than VACM allows, never what a shell or snmpd.conf would split. */
static void test_tenant(void **state)
{
	static const struct {
		const char *uuid, *name, *tenant;
	} cases[] = {
		{"9a2b0000000000000000000000000001", "shop", "9a2b0000000000000000000000000001"},
		{"9a2b0000-0000-0000-0000-000000000001", "", "9a2b0000000000000000000000000001"},
		{"", "shop", "shop"},
		{"", "two words", ""},
		{"", "n\303\244me", ""},
		{"", "a-name-that-is-longer-than-32-octets", ""},
		{"not a uuid", "9a2b0000000000000000000000000001", ""}, /* another's */
		{"", "", ""},
	};
	char tenant[GM_TENANT_SIZE];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		gm_tenant_name(cases[i].uuid, cases[i].name, tenant);
		assert_string_equal(tenant, cases[i].tenant);
	}
}

static void test_address(void **state)
{
	static const struct {
		const char *text;
		uint8_t version, last; /* octet */
	} cases[] = {
		{"10.1.2.3", 4, 3}, {"fe80::7", 6, 7},    {"", 0, 0},
		{"10.1.2", 0, 0},   {"10.1.2.3:1", 0, 0}, {"[fe80::7]", 0, 0},
	};
	struct gm_address address;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(gm_address_parse(cases[i].text, &address), cases[i].version != 0);
		assert_int_equal(address.version, cases[i].version);
		assert_int_equal(address.octets[address.version == 6 ? 15 : 3], cases[i].last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tenant),
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_keys_differ_by_what_they_name),
		cmocka_unit_test(test_what_is_no_key),
		cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_every_kind_has_a_name),
		cmocka_unit_test(test_label),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

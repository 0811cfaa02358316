/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps recorded informs out, by itself: ids of engines, what a guest sent lately, and what is kept of
 * that while the guest is not asked.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "source/snmp/absent.h"
#include "source/snmp/engine.h"

static void ids_are_read_and_made(void **state)
{
	static const char *const bad[] = {
		"80001f88",
		"0x",
		"80001f880",
		"80001f88zz",
		"0000000000",
		"ffffffffff",
		"80 001f8801",
		"0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021"};
	struct gm_snmp_identity identity = {.length = 0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(gm_snmp_identity_parse(bad[i], &identity), -EINVAL);
		assert_int_equal(identity.length, 0);
	}
	assert_int_equal(gm_snmp_identity_parse("0x80001F8801", &identity), 0);
	assert_int_equal(identity.length, 5);
	assert_memory_equal(identity.id, "\x80\x00\x1f\x88\x01", 5);
	gm_snmp_identity_make(&identity, UINT64_C(0x0102030405060708));
	assert_int_equal(identity.length, 15);
	assert_memory_equal(identity.id, "\x80\x00\x1f\x88\x05gm\1\2\3\4\5\6\7\x8", 15);
}

static int note(struct gm_snmp_recent *recent, int32_t id, uint32_t what, int64_t second)
{
	static struct gm_snmp_message message;
	enum gm_snmp_recent_kind kind;
	int rc;

	message.version = GM_SNMP_V3;
	message.v3.id = id;
	message.pdu.raw = (struct gm_snmp_slice){(const uint8_t *)&what, sizeof(what)};
	kind = gm_snmp_recent_look(recent, &message, second * GM_SECOND);
	rc = kind == GM_SNMP_REPLAY ? 0 : gm_snmp_recent_add(recent, &message, second * GM_SECOND);
	return rc < 0 ? rc : (int)kind;
}

static void as_much_is_remembered_as_can_come(void **state)
{
	struct gm_snmp_recent recent = {0};

	(void)state;
	for (uint32_t i = 0; i < 2 * GM_SNMP_RECENT_MAX; i++) { /* ten a second */
		assert_int_equal(note(&recent, (int32_t)i, i, 1000 + i / 10), GM_SNMP_FIRST);
	}
	assert_true(recent.count <= GM_SNMP_RECENT_MAX);
	assert_int_equal(note(&recent, 8000, 8000, 1819), GM_SNMP_REPLAY);
	assert_int_equal(note(&recent, 1, 8000, 1819), GM_SNMP_AGAIN);
	assert_int_equal(note(&recent, 1, 8000, 1819), GM_SNMP_REPLAY);
	assert_int_equal(note(&recent, 5500, 5500, 1819), GM_SNMP_REPLAY); /* 269 s ago */
	assert_int_equal(note(&recent, 5000, 5000, 1819), GM_SNMP_FIRST);  /* forgotten */
	/* More than its room in no time: what cannot be remembered is not taken. */
	for (uint32_t i = 0; i < GM_SNMP_RECENT_MAX; i++) {
		(void)note(&recent, 1, 100000 + i, 1819);
	}
	assert_int_equal(note(&recent, 1, 1, 1819), -ENOSPC);
	assert_int_equal(note(&recent, 1, 1, 2200), GM_SNMP_FIRST);
	assert_int_equal(recent.count, 1);
	/* A datagram that is a little older than the one before is no reason to forget anything. */
	assert_int_equal(note(&recent, 1, 1, 2199), GM_SNMP_REPLAY);
	assert_int_equal(note(&recent, 1, 1, 2510), GM_SNMP_REPLAY);
	/* What is forgotten takes no memory. */
	assert_false(gm_snmp_recent_is_empty(&recent, 2510 * GM_SECOND));
	assert_true(gm_snmp_recent_is_empty(&recent, 2511 * GM_SECOND));
	assert_null(recent.list);
}

static void number_uuid(unsigned number, uint8_t uuid[GM_UUID_SIZE])
{
	memset(uuid, 0, GM_UUID_SIZE);
	memcpy(uuid, &number, sizeof(number));
}

static void the_absent_are_remembered_for_their_time(void **state)
{
	struct gm_snmp_absent absent = {0};
	struct gm_snmp_recent recent = {0};
	uint8_t uuid[GM_UUID_SIZE];

	(void)state;
	for (unsigned i = 0; i < GM_SNMP_ABSENT_MAX + 10; i++) {
		number_uuid(i, uuid);
		assert_int_equal(note(&recent, 1, i, 1000), GM_SNMP_FIRST);
		gm_snmp_absent_put(&absent, uuid, &recent, 1000 * GM_SECOND);
		assert_null(recent.list);
	}
	assert_int_equal(absent.count, GM_SNMP_ABSENT_MAX);
	gm_snmp_absent_take(&absent, uuid, &recent);
	assert_int_equal(note(&recent, 1, GM_SNMP_ABSENT_MAX + 9, 1001), GM_SNMP_REPLAY);
	assert_int_equal(absent.count, GM_SNMP_ABSENT_MAX - 1);
	gm_snmp_absent_put(&absent, uuid, &recent, 1001 * GM_SECOND);
	number_uuid(0, uuid); /* the first that went */
	gm_snmp_absent_take(&absent, uuid, &recent);
	assert_null(recent.list);
	/* After five minutes nobody is left, and nothing is kept of who sent nothing. */
	assert_int_equal(note(&recent, 1, 1, 2000), GM_SNMP_FIRST);
	gm_snmp_absent_put(&absent, uuid, &recent, 2000 * GM_SECOND);
	assert_int_equal(absent.count, 1);
	gm_snmp_absent_put(&absent, uuid, &recent, 2000 * GM_SECOND);
	assert_int_equal(absent.count, 1);
	gm_snmp_absent_clear(&absent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_read_and_made),
		cmocka_unit_test(as_much_is_remembered_as_can_come),
		cmocka_unit_test(the_absent_are_remembered_for_their_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

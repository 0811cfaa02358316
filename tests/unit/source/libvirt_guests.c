/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fast lane's memory of who is there: a device that changes hands ends with its new owner, and who is
 * missing is waited for a while, unless an event told the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "source/libvirt/guests.h"

enum what { SEEN, GONE };

struct line {
	enum what what;
	struct gm_entity_key key;
	uint8_t guest[GM_UUID_SIZE]; /* an interface's */
};

struct log {
	struct gm_source_sink sink;
	size_t count;
	struct line lines[16];
};

static struct line *add_line(struct log *log, enum what what, const struct gm_entity_key *key)
{
	assert_true(log->count < sizeof(log->lines) / sizeof(log->lines[0]));
	struct line *line = &log->lines[log->count++];
	*line = (struct line){.what = what, .key = *key};
	return line;
}

static void on_seen(void *user, enum gm_source_id source, const struct gm_entity_info *info)
{
	struct line *line = add_line(user, SEEN, &info->key);
	(void)source;
	if (info->key.kind == GM_ENTITY_INTERFACE)
		memcpy(line->guest, info->interface.guest, GM_UUID_SIZE);
}

static void on_gone(void *user, enum gm_source_id source, const struct gm_entity_key *key,
		    int64_t time)
{
	(void)source;
	(void)time;
	add_line(user, GONE, key);
}

static struct log *log_create(void)
{
	struct log *log = calloc(1, sizeof(*log));
	assert_non_null(log);
	log->sink = (struct gm_source_sink){.seen = on_seen, .gone = on_gone, .user = log};
	return log;
}

static struct gm_lv_identity *identity_with(uint8_t number, const char *device)
{
	const uint8_t uuid[GM_UUID_SIZE] = {number};
	struct gm_lv_identity *identity = gm_lv_identity_bare(uuid, "guest", "TEST");

	assert_non_null(identity);
	if (device) {
		identity->devices = calloc(1, sizeof(identity->devices[0]));
		assert_non_null(identity->devices);
		identity->device_count = 1;
		identity->devices[0].key = gm_entity_interface(device);
		memcpy(identity->devices[0].interface.guest, uuid, GM_UUID_SIZE);
	}
	return identity;
}

static struct gm_lv_guest *list_guest(struct gm_lv_guests *guests, uint8_t number, uint64_t tick,
				      const char *device)
{
	const uint8_t uuid[GM_UUID_SIZE] = {number};
	struct gm_lv_guest *guest = gm_lv_guests_put(guests, uuid);

	assert_non_null(guest);
	guest->tick = tick;
	guest->next = identity_with(number, device);
	return guest;
}

/* A device that goes from one guest to another ends up with its new owner. */
static void test_device_moves(void **state)
{
	(void)state;
	struct gm_lv_guests guests = {0};
	struct log *log = log_create();

	list_guest(&guests, 1, 1, "tap0");
	list_guest(&guests, 2, 1, NULL);
	gm_lv_guests_settle(&guests, 1, 0, 5, &log->sink);
	log->count = 0;
	list_guest(&guests, 2, 2, "tap0");
	list_guest(&guests, 1, 2, NULL);
	gm_lv_guests_settle(&guests, 2, 0, 6, &log->sink);
	assert_int_equal(log->count, 2);
	assert_int_equal(log->lines[0].what, GONE);
	assert_int_equal(log->lines[1].what, SEEN);
	assert_int_equal(log->lines[1].guest[0], 2);
	gm_lv_guests_free(&guests);
	free(log);
}

static void test_patience(void **state)
{
	(void)state;
	struct gm_lv_guests guests = {0};
	struct log *log = log_create();

	list_guest(&guests, 1, 1, "tap0");
	struct gm_lv_guest *ended = list_guest(&guests, 2, 1, NULL);
	gm_lv_guests_settle(&guests, 1, 3, 5, &log->sink);
	log->count = 0;
	ended->ended = true;
	gm_lv_guests_settle(&guests, 2, 3, 6, &log->sink);
	assert_int_equal(log->count, 1);
	assert_int_equal(log->lines[0].key.uuid[0], 2);
	gm_lv_guests_settle(&guests, 4, 3, 6, &log->sink);
	assert_int_equal(guests.count, 1);
	gm_lv_guests_settle(&guests, 5, 3, 6, &log->sink);
	assert_int_equal(guests.count, 0);
	assert_int_equal(log->count, 3); /* the device first */
	assert_int_equal(log->lines[1].key.kind, GM_ENTITY_INTERFACE);
	assert_int_equal(log->lines[2].key.kind, GM_ENTITY_GUEST);
	free(log);
}

/* A guest that is told to be gone late takes no device along that another has been given meanwhile. */
static void test_late_end_leaves_the_device(void **state)
{
	(void)state;
	struct gm_lv_guests guests = {0};
	struct log *log = log_create();

	list_guest(&guests, 1, 1, "tap0");
	gm_lv_guests_settle(&guests, 1, 3, 5, &log->sink);
	list_guest(&guests, 2, 2, "tap0");
	gm_lv_guests_settle(&guests, 2, 3, 6, &log->sink);
	log->count = 0;
	for (uint64_t tick = 3; tick <= 6; tick++) {
		list_guest(&guests, 2, tick, "tap0");
		gm_lv_guests_settle(&guests, tick, 3, 7, &log->sink);
	}
	assert_int_equal(guests.count, 1);
	assert_int_equal(log->count, 1);
	assert_int_equal(log->lines[0].what, GONE);
	assert_int_equal(log->lines[0].key.kind, GM_ENTITY_GUEST);
	gm_lv_guests_free(&guests);
	free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_device_moves),
		cmocka_unit_test(test_patience),
		cmocka_unit_test(test_late_end_leaves_the_device),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

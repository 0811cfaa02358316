/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change of the configuration while libvirt answers nobody: what would leave ever more threads behind is
 * refused before anything is stopped, and what does not concern libvirt is not. And what sources are told
 * of each other, by sources of the test's own.
 */
#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "daemon/sources.h"
#include "source/left.h"

static void leave(unsigned count)
{
	while (gm_left_count() > 0)
		gm_left_end();
	gm_left_add(count);
}

static void too_many_left_behind_hold_libvirt_back(void **state)
{
	(void)state;
	struct gm_sources sources = {.sink = NULL};
	struct gm_config *before, *after;
	struct gm_error err = {.text = ""};
	int some;
	assert_int_equal(gm_config_create(&before), 0);
	assert_int_equal(gm_config_create(&after), 0);
	before->libvirt.enabled = after->libvirt.enabled = true;
	sources.runners[GM_SOURCE_LIBVIRT] = (struct gm_runner *)&some; /* nobody looks into it */
	after->libvirt.interval *= 2;
	leave(16);
	assert_int_equal(gm_sources_may_change(&sources, before, after, &err), 0);
	leave(17);
	assert_int_equal(gm_sources_may_change(&sources, before, after, &err), -EBUSY);
	assert_non_null(strstr(err.text, "earlier connections still wait for libvirtd"));
	assert_non_null(strstr(err.text, "17"));
	after->libvirt.interval = before->libvirt.interval;
	after->host.interval *= 2;
	assert_int_equal(gm_sources_may_change(&sources, before, after, &err), 0);
	after->libvirt.enabled = false;
	assert_int_equal(gm_sources_may_change(&sources, before, after, &err), -EBUSY);
	leave(0);
	assert_int_equal(gm_sources_may_change(&sources, before, after, &err), 0);
	gm_config_free(before);
	gm_config_free(after);
}

/* What a source was told last, and how often. */
struct fake {
	struct gm_source base;
	struct gm_source_ops ops;
	unsigned heard, followed;
	bool here;
	struct gm_entity_info info;
	sem_t stuck; /* an open() that is stuck waits for it */
};

static int fake_open(struct gm_source *source, struct gm_error *err)
{
	(void)source;
	(void)err;
	return 0;
}

static int fake_poll(struct gm_source *source, int64_t now, const struct gm_source_sink *sink,
		     uint32_t *ret_entities, struct gm_error *err)
{
	(void)source;
	(void)now;
	(void)sink;
	(void)err;
	*ret_entities = 0;
	return 0;
}

static int stuck_open(struct gm_source *source, struct gm_error *err)
{
	(void)err;
	sem_wait(&((struct fake *)source)->stuck);
	return 0;
}

static void fake_end(struct gm_source *source)
{
	(void)source;
}

static void fake_hear(struct gm_source *source, const struct gm_entity_info *info, bool here)
{
	struct fake *fake = (struct fake *)source;
	fake->heard++;
	fake->here = here;
	fake->info = *info;
}

/* How often each guest was named, by the first octet of its UUID. */
static unsigned char named[256];

static void fake_follow(struct gm_source *source, const struct gm_entity_key *key)
{
	((struct fake *)source)->followed++;
	named[key->uuid[0]]++;
}

static void ignore_status(void *user, const struct gm_source_status *status)
{
	(void)user;
	(void)status;
}

struct fixture {
	struct gm_sources sources;
	struct gm_entities *entities;
	struct gm_detector_settings *settings;
	struct fake fakes[GM_SOURCE_COUNT];
};

static const struct gm_source_sink quiet = {.status = ignore_status};

static void run_fake(struct fixture *f, enum gm_source_id id,
		     int (*open)(struct gm_source *source, struct gm_error *err))
{
	const struct gm_runner_options options = {.interval = 60 * GM_SECOND};
	struct fake *fake = &f->fakes[id];
	fake->ops = (struct gm_source_ops){.id = id,
					   .open = open,
					   .poll = fake_poll,
					   .close = fake_end,
					   .destroy = fake_end,
					   .hear = fake_hear,
					   .follow = fake_follow};
	fake->base.ops = &fake->ops;
	f->sources.running[id] = &fake->base;
	assert_int_equal(gm_runner_start(&fake->base, &options, &quiet, &f->sources.runners[id]),
			 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_int_equal(gm_entities_create(&f->entities), 0);
	assert_int_equal(gm_detector_settings_create(&f->settings), 0);
	run_fake(f, GM_SOURCE_LIBVIRT, fake_open);
	run_fake(f, GM_SOURCE_TAP, fake_open);
	run_fake(f, GM_SOURCE_HOST, fake_open);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	gm_sources_stop(&f->sources);
	gm_entities_free(f->entities);
	gm_detector_settings_free(f->settings);
	free(f);
	return 0;
}

static struct gm_tracked *add(struct fixture *f, const struct gm_entity_key *key, unsigned told_by)
{
	static const struct gm_window_options window = {.samples = 4, .length = GM_SECOND};
	struct gm_tracked *tracked;
	assert_int_equal(gm_entities_add(f->entities, key, &window, f->settings, &tracked), 0);
	tracked->told_by = told_by;
	return tracked;
}

static void note_tap(struct fixture *f, bool connected)
{
	struct gm_source_status before = {.id = GM_SOURCE_TAP, .connected = f->sources.taps};
	struct gm_source_status after = {.id = GM_SOURCE_TAP, .connected = connected};
	gm_sources_note(&f->sources, f->entities, &before, &after);
}

static void devices_are_the_tap_samplers_while_it_reads(void **state)
{
	struct fixture *f = *state;
	struct gm_entity_key key = gm_entity_interface("tap1");
	struct gm_tracked *tracked = add(f, &key, 1U << GM_SOURCE_TAP | 1U << GM_SOURCE_LIBVIRT);
	const struct fake *libvirt = &f->fakes[GM_SOURCE_LIBVIRT];
	const struct fake *host = &f->fakes[GM_SOURCE_HOST];
	tracked->info.interface.if_index = 7;
	gm_sources_tell(&f->sources, tracked);
	assert_int_equal(libvirt->heard, 1);
	assert_true(libvirt->here);
	assert_int_equal(libvirt->info.interface.if_index, 0);
	assert_int_equal(host->heard, 1);
	assert_int_equal(host->info.interface.if_index, 7);
	note_tap(f, true);
	assert_int_equal(libvirt->heard, 2);
	assert_int_equal(libvirt->info.interface.if_index, 7);
	note_tap(f, true);
	gm_sources_tell(&f->sources, tracked);
	assert_int_equal(libvirt->heard, 3);
	assert_int_equal(libvirt->info.interface.if_index, 7);
	note_tap(f, false);
	assert_int_equal(libvirt->heard, 4);
	assert_int_equal(libvirt->info.interface.if_index, 0);
	assert_int_equal(tracked->info.interface.if_index, 7);
	gm_sources_forget(&f->sources, &key);
	assert_int_equal(libvirt->heard, 5);
	assert_false(libvirt->here);
}

static void the_host_is_told_of_its_own_guests(void **state)
{
	struct fixture *f = *state;
	struct gm_entity_key key = gm_entity_guest((const uint8_t[GM_UUID_SIZE]){1});
	struct gm_tracked *tracked = add(f, &key, 1U << GM_SOURCE_LIBVIRT_2);
	const struct fake *host = &f->fakes[GM_SOURCE_HOST];
	f->sources.remote = 1U << GM_SOURCE_LIBVIRT_2;
	gm_sources_tell(&f->sources, tracked);
	assert_false(host->here);
	assert_true(f->fakes[GM_SOURCE_LIBVIRT].here);
	tracked->told_by = 1U << GM_SOURCE_LIBVIRT;
	gm_sources_tell(&f->sources, tracked);
	assert_true(host->here);
	assert_int_equal(host->heard, 2);
}

/* Of many that leave, no more at once than a lane can ask for, and each comes in turn. */
static void who_leaves_is_followed_in_turn(void **state)
{
	enum { LEAVING = 150, TURNS = 10 };
	struct fixture *f = *state;
	gm_sources_follow(&f->sources, f->entities, 60 * GM_SECOND);
	for (unsigned i = 0; i < 250; i++) {
		struct gm_entity_key key = gm_entity_guest((const uint8_t[GM_UUID_SIZE]){i});
		struct gm_tracked *tracked = add(f, &key, 1U << GM_SOURCE_LIBVIRT);
		tracked->leaving = i < LEAVING;
		tracked->moved_at = 60 * GM_SECOND;
	}
	memset(named, 0, sizeof(named));
	for (unsigned i = 0; i < TURNS; i++)
		gm_sources_follow(&f->sources, f->entities, 60 * GM_SECOND);
	unsigned followed = f->fakes[GM_SOURCE_LIBVIRT].followed;
	assert_int_equal(followed, 64 * TURNS);
	for (unsigned i = 0; i < 250; i++) {
		unsigned times = named[i] / 3; /* there are three sources */
		assert_in_range(times, i < LEAVING ? followed / LEAVING : 0,
				i < LEAVING ? followed / LEAVING + 1 : 0);
	}
}

/* Few are told of once each. */
static void few_are_followed_each_time(void **state)
{
	struct fixture *f = *state;
	struct gm_entity_key key = gm_entity_guest((const uint8_t[GM_UUID_SIZE]){9});
	struct gm_tracked *tracked = add(f, &key, 1U << GM_SOURCE_LIBVIRT);
	tracked->leaving = true;
	tracked->moved_at = 60 * GM_SECOND;
	for (unsigned i = 1; i <= 3; i++) {
		gm_sources_follow(&f->sources, f->entities, 60 * GM_SECOND);
		assert_int_equal(f->fakes[GM_SOURCE_LIBVIRT].followed, i);
	}
}

/* The account of one that cannot give it, and of no other; a slow lane may take its time. */
static void who_is_stuck_is_told_for(void **state)
{
	struct fixture *f = *state;
	const enum gm_source_id snmp = GM_SOURCE_SNMP, slow = gm_source_libvirt(0, true);
	struct gm_source_status told = {.id = snmp, .connected = true, .ticks = 7, .missed = 3};
	struct gm_config *config;
	int64_t begin = gm_clock_monotonic(), later;
	assert_int_equal(gm_config_create(&config), 0);
	config->libvirt.slow_deadline = 2 * GM_SECOND;
	assert_int_equal(sem_init(&f->fakes[snmp].stuck, 0, 0), 0);
	assert_int_equal(sem_init(&f->fakes[slow].stuck, 0, 0), 0);
	run_fake(f, snmp, stuck_open);
	run_fake(f, slow, stuck_open);
	while (gm_runner_busy(f->sources.runners[snmp], INT64_MAX) == 0 ||
	       gm_runner_busy(f->sources.runners[slow], INT64_MAX) == 0)
		sched_yield();
	later = gm_clock_monotonic() + 11 * GM_SECOND;
	assert_false(gm_sources_stuck(&f->sources, config, snmp, begin + 9 * GM_SECOND, &told));
	assert_true(told.connected);
	assert_true(gm_sources_stuck(&f->sources, config, snmp, later, &told));
	assert_false(told.connected);
	assert_int_equal(told.ticks, 7);
	assert_int_equal(told.missed, 3);
	assert_true(told.lag_max > 10 * GM_SECOND);
	assert_string_equal(told.error, "no answer for more than 10 s");
	assert_false(gm_sources_stuck(&f->sources, config, slow, begin + 13 * GM_SECOND, &told));
	assert_true(gm_sources_stuck(&f->sources, config, slow, later + 4 * GM_SECOND, &told));
	assert_false(gm_sources_stuck(&f->sources, config, GM_SOURCE_TAP, later, &told));
	/* One that is not enabled. */
	assert_false(
		gm_sources_stuck(&f->sources, config, gm_source_libvirt(1, false), later, &told));
	sem_post(&f->fakes[snmp].stuck);
	sem_post(&f->fakes[slow].stuck);
	gm_config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_many_left_behind_hold_libvirt_back),
		cmocka_unit_test_setup_teardown(devices_are_the_tap_samplers_while_it_reads, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_host_is_told_of_its_own_guests, setup,
						teardown),
		cmocka_unit_test_setup_teardown(who_leaves_is_followed_in_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(few_are_followed_each_time, setup, teardown),
		cmocka_unit_test_setup_teardown(who_is_stuck_is_told_for, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

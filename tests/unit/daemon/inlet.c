/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inlet on a real loop: what is in the queues at the end is not lost, and writers that never pause
 * do not keep the loop from its other business.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/inlet.h"

struct fixture {
	uv_loop_t loop;
	struct gm_inlet *inlet;
	bool without_end;
	uint64_t batches, delivered, foreseen, seen, changes, newest_change;
	uint64_t runs, events; /* calls of end(), and of event() */
	bool open;             /* between begin() and end() */
	uint64_t events_at_timer, events_at_batch;
};

static void on_begin(void *user)
{
	struct fixture *fixture = user;
	assert_false(fixture->open);
	fixture->open = true;
}

static void on_end(void *user)
{
	struct fixture *fixture = user;
	assert_true(fixture->open);
	fixture->open = false;
	fixture->runs++;
}

static void send_batch(struct fixture *fixture)
{
	const struct gm_source_sink *sink = gm_inlet_source_sink(fixture->inlet);
	sink->samples(sink->user, gm_batch_create());
}

/* Like a source that is always faster: there is another batch before this one is done. */
static void on_samples(void *user, const struct gm_batch *batch)
{
	struct fixture *fixture = user;
	(void)batch;
	assert_true(fixture->open);
	if (fixture->batches++ == 0)
		fixture->events_at_batch = fixture->events;
	if (fixture->without_end)
		send_batch(fixture);
}

static void on_delivered(void *user, uint64_t sequence)
{
	((struct fixture *)user)->delivered = sequence;
}

static void on_seen(void *user, enum gm_source_id source, const struct gm_entity_info *info)
{
	(void)source, (void)info;
	((struct fixture *)user)->seen++;
}

/* As slow as one that looks at all guests. */
static void on_event(void *user, const struct gm_guest_event *event)
{
	struct fixture *fixture = user;
	(void)event;
	assert_true(fixture->open);
	fixture->events++;
	usleep(500);
}

static void on_change(void *user, const struct gm_mib_change *change)
{
	struct fixture *fixture = user;
	assert_true(fixture->open);
	fixture->changes++;
	fixture->newest_change = change->number;
}

static void on_foreseen(void *user, const enum gm_source_id *sources,
			const struct gm_entity_info *const *infos, size_t count)
{
	struct fixture *fixture = user;

	assert_true(count > 0);
	assert_non_null(infos[count - 1]);
	assert_true(sources[count - 1] < GM_SOURCE_COUNT);
	assert_int_equal(fixture->foreseen, fixture->seen); /* those before have been seen */
	fixture->foreseen += count;
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const struct gm_inlet_handler handler = {.begin = on_begin,
						 .end = on_end,
						 .event = on_event,
						 .samples = on_samples,
						 .delivered = on_delivered,
						 .foreseen = on_foreseen,
						 .seen = on_seen,
						 .change = on_change,
						 .user = fixture};
	uv_loop_init(&fixture->loop);
	assert_int_equal(gm_inlet_create(&fixture->loop, &handler, &fixture->inlet), 0);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
	gm_inlet_free(fixture->inlet);
	free(fixture);
	return 0;
}

static void test_what_arrives_before_the_end_is_not_lost(void **state)
{
	struct fixture *fixture = *state;
	const struct gm_mib_host *host = gm_inlet_mib_host(fixture->inlet);
	host->delivered(host->user, 7);
	send_batch(fixture);
	gm_inlet_close(fixture->inlet);
	assert_int_equal(fixture->delivered, 7);
	assert_int_equal(fixture->batches, 1);
}

/* More guests than there is room for push each other out, and no change of a manager's. */
static void test_a_flood_of_guests_loses_no_change(void **state)
{
	enum { FLOOD = 70000 };
	struct fixture *fixture = *state;
	const struct gm_mib_host *host = gm_inlet_mib_host(fixture->inlet);
	const struct gm_source_sink *sink = gm_inlet_source_sink(fixture->inlet);
	const struct gm_entity_info info = {.key = gm_entity_node()};
	struct gm_mib_change change = {.kind = GM_MIB_THRESHOLD, .number = 1};
	host->change(host->user, &change);
	for (int i = 0; i < FLOOD; i++)
		sink->seen(sink->user, GM_SOURCE_LIBVIRT, &info);
	change.number = 2;
	host->change(host->user, &change);
	gm_inlet_close(fixture->inlet);
	assert_true(fixture->seen > 0 && fixture->seen < FLOOD);
	assert_int_equal(fixture->foreseen, fixture->seen);
	assert_int_equal(fixture->changes, 2);
	assert_int_equal(fixture->newest_change, 2);
}

static void on_timer(uv_timer_t *timer)
{
	struct fixture *fixture = timer->data;
	fixture->without_end = false;
	uv_close((uv_handle_t *)timer, NULL);
	gm_inlet_close(fixture->inlet);
}

static void test_a_flood_leaves_time_for_the_loop(void **state)
{
	struct fixture *fixture = *state;
	uv_timer_t timer;
	fixture->without_end = true;
	uv_timer_init(&fixture->loop, &timer);
	timer.data = fixture;
	uv_timer_start(&timer, on_timer, 20, 0);
	send_batch(fixture);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_true(fixture->batches > 1);
}

static void on_first_timer(uv_timer_t *timer)
{
	struct fixture *fixture = timer->data;
	fixture->events_at_timer = fixture->events;
	uv_close((uv_handle_t *)timer, NULL);
}

/* A second's worth of events: neither a timer nor samples wait for the last, and few runs hold them all. */
static void test_a_storm_of_events_leaves_time_for_the_loop(void **state)
{
	enum { STORM = 2000 };
	struct fixture *fixture = *state;
	const struct gm_source_sink *sink = gm_inlet_source_sink(fixture->inlet);
	const struct gm_guest_event event = {.key = gm_entity_node(), .kind = GM_GUEST_CRASHED};
	uv_timer_t timer;
	for (int i = 0; i < STORM; i++)
		sink->event(sink->user, &event);
	send_batch(fixture);
	uv_timer_init(&fixture->loop, &timer);
	timer.data = fixture;
	uv_timer_start(&timer, on_first_timer, 1, 0);
	for (int turn = 0; turn < STORM && fixture->events < STORM; turn++)
		uv_run(&fixture->loop, UV_RUN_ONCE);
	assert_int_equal(fixture->events, STORM);
	assert_int_equal(fixture->batches, 1);
	/* Not even a run of 256 is waited for, which takes 128 ms at least. */
	assert_in_range(fixture->events_at_timer, 0, 200);
	assert_in_range(fixture->events_at_batch, 1, 200);
	assert_in_range(fixture->runs, 2, 100);
	gm_inlet_close(fixture->inlet);
}

int main(void)
{
#define WITH_INLET(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_INLET(test_what_arrives_before_the_end_is_not_lost),
		WITH_INLET(test_a_flood_of_guests_loses_no_change),
		WITH_INLET(test_a_flood_leaves_time_for_the_loop),
		WITH_INLET(test_a_storm_of_events_leaves_time_for_the_loop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

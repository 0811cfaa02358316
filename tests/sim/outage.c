/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A receiver that is away for an hour, on a virtual clock: the real alarm engine, journal and outbox,
 * with alarms that come and go all the while and a daemon that is restarted in the middle. What counts
 * is what the receiver has at the end: every transition, of each alarm in order, what was under way at a
 * restart at most twice; and that nothing grows but the journal.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alarm/engine.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/outbox.h"
#include "daemon/outlet.h"
#include "support/state_directory.h"

enum {
	ALARMS = 8, /* each is raised and cleared in turn */
	SECONDS = 3 * 3600,
	AWAY_FROM = 3600,
	AWAY_UNTIL = 7200,
	RESTART_AT = 5000,
	DELAY_MAX = 40, /* messages in flight */
	STEP_MS = 500,
};

/* The receiver, which takes one step of time for each message. */
struct gm_output {
	bool away;
	size_t waiting;
	struct gm_transition transitions[DELAY_MAX];
	uint64_t tickets[DELAY_MAX];
};

struct world {
	char directory[STATE_DIRECTORY];
	struct gm_state *state;
	struct gm_alarms *alarms;
	struct gm_outlet *outlet;
	struct gm_outbox *outbox;
	struct gm_output output;
	int64_t now;
	uint64_t newest[ALARMS +
			1]; /* sequence of the newest that the receiver has, per alarm's place */
	uint64_t got, repeated, attempts;
	uint8_t *seen; /* by sequence */
	int64_t longest_catch_up;
};

static void send_one(struct gm_output *output, const struct gm_message *message, uint64_t ticket)
{
	assert_true(output->waiting < DELAY_MAX);
	output->transitions[output->waiting] = *message->transition;
	output->tickets[output->waiting++] = ticket;
}

static const struct gm_output_ops ops = {.type = "far", .in_flight = 16, .send = send_one};

static void on_transition(void *user, struct gm_transition *transition)
{
	struct world *world = user;
	gm_outlet_transition(world->outlet, transition);
}

static uint32_t new_id(void *user)
{
	struct world *world = user;
	return gm_state_new_alarm_id(world->state);
}

static void restore(void *user, const struct gm_alarm *alarm)
{
	struct world *world = user;
	assert_int_equal(gm_alarms_restore(world->alarms, alarm), 0);
}

static void start(struct world *world)
{
	struct gm_alarm_options options;
	struct gm_alarm_sink sink = {.emit = on_transition, .new_id = new_id, .user = world};
	struct gm_outbox_setup setup = {.name = "far", .node = "n", .ops = &ops};
	struct gm_error err;
	gm_option_defaults(gm_alarm_option_table, &options);
	gm_option_defaults(gm_output_option_table, &setup.options);
	assert_int_equal(gm_state_open(world->directory, &world->state, &err), 0);
	assert_int_equal(gm_alarms_create(&options, &sink, &world->alarms), 0);
	assert_int_equal(gm_outlet_create(world->state, &world->outlet), 0);
	assert_int_equal(gm_state_active(world->state, restore, world), 0);
	assert_int_equal(gm_outbox_create(&setup, world->state, &world->outbox), 0);
	world->output.waiting = 0;
	gm_outbox_attach(world->outbox, &world->output);
}

static void stop(struct world *world)
{
	gm_outbox_free(world->outbox);
	gm_outlet_free(world->outlet);
	gm_alarms_free(world->alarms);
	gm_state_close(world->state);
}

/* Alarm n holds for half of a period of its own. */
static void conditions(struct world *world, int64_t second)
{
	for (int n = 1; n <= ALARMS; n++) {
		struct gm_finding finding = {
			.key = gm_entity_node(),
			.detector = "leak",
			.active = second / (20 + n) % 2 == 0,
			.severity = GM_SEVERITY_MAJOR,
			.time = world->now,
		};
		snprintf(finding.metric, sizeof(finding.metric), "m%d", n);
		assert_int_equal(gm_alarms_finding(world->alarms, &finding), 0);
	}
	gm_alarms_tick(world->alarms, world->now);
}

static void receive(struct world *world, const struct gm_transition *transition)
{
	int place = transition->alarm.metric[1] - (int)'0';
	world->got++;
	if (world->seen[transition->sequence]++)
		world->repeated++;
	else
		assert_true(transition->sequence > world->newest[place]);
	if (transition->sequence > world->newest[place])
		world->newest[place] = transition->sequence;
	int64_t age = world->now - transition->time;
	if (age > world->longest_catch_up)
		world->longest_catch_up = age;
}

static void far_end(struct world *world)
{
	const struct gm_verdict retry = {.kind = GM_VERDICT_RETRY, .reason = "away"};
	const struct gm_verdict delivered = {.kind = GM_VERDICT_DELIVERED};
	for (size_t i = 0; i < world->output.waiting; i++) {
		world->attempts++;
		if (!world->output.away)
			receive(world, &world->output.transitions[i]);
		gm_outbox_done(world->outbox, world->output.tickets[i],
			       world->output.away ? &retry : &delivered, world->now, world->now);
	}
	world->output.waiting = 0;
}

static void step(struct world *world, int64_t ms)
{
	int64_t second = ms / 1000;
	world->now = (1000000 + second) * GM_SECOND + ms % 1000 * GM_MILLISECOND;
	world->output.away = second >= AWAY_FROM && second < AWAY_UNTIL;
	gm_outlet_begin(world->outlet);
	if (ms % 1000 == 0)
		conditions(world, second);
	gm_outlet_end(world->outlet);
	gm_outbox_pump(world->outbox, world->now, world->now);
	gm_outboxes_store(&world->outbox, 1, world->now);
	far_end(world);
}

static void test_an_hour_away(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	(void)state;
	gm_log_set_level((enum gm_log_level) - 1);
	world->seen = calloc(1, 1 << 20);
	state_directory_make(world->directory);
	start(world);
	for (int64_t ms = 0; ms < SECONDS * INT64_C(1000); ms += STEP_MS) {
		step(world, ms);
		if (ms == RESTART_AT * INT64_C(1000)) {
			stop(world);
			start(world);
		}
	}
	uint64_t last = gm_state_last_sequence(world->state);
	struct gm_output_row row;
	gm_outbox_status(world->outbox, world->now, world->now, &row);
	printf("%llu transitions in %d h, the receiver away for 1 h and the daemon restarted "
	       "meanwhile\n"
	       "received %llu, %llu twice; %llu attempts; the oldest was told after %.0f s\n",
	       (unsigned long long)last, SECONDS / 3600, (unsigned long long)world->got,
	       (unsigned long long)world->repeated, (unsigned long long)world->attempts,
	       (double)world->longest_catch_up / GM_SECOND);
	assert_true(last > 1000);
	for (uint64_t sequence = 1; sequence <= last; sequence++)
		assert_true(world->seen[sequence] > 0);
	assert_true(world->repeated <= 16);
	assert_int_equal(row.backlog, 0);
	assert_int_equal(row.expired + row.refused + row.overflowed, 0);
	stop(world);
	state_directory_remove(world->directory);
	free(world->seen);
	free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_an_hour_away)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

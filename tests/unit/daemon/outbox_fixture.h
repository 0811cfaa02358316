/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An outbox on a real journal, with a driver that notes what it is sent.
 */
#ifndef GM_TEST_DAEMON_OUTBOX_FIXTURE_H
#define GM_TEST_DAEMON_OUTBOX_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/outbox.h"
#include "support/state_directory.h"

enum { SENT_MAX = 2048, T0 = 1000 };

/* The driver: it notes what it is sent. */
struct gm_output {
	size_t count;
	struct {
		uint64_t sequence, ticket;
		unsigned attempt;
		char key[32];
	} sent[SENT_MAX];
};

static inline void note(struct gm_output *output, const struct gm_message *message, uint64_t ticket)
{
	assert_true(output->count < SENT_MAX);
	output->sent[output->count].sequence = message->transition->sequence;
	output->sent[output->count].attempt = message->attempt;
	output->sent[output->count].ticket = ticket;
	snprintf(output->sent[output->count].key, sizeof(output->sent[0].key), "%s", message->key);
	output->count++;
}

static const struct gm_output_ops one_ops = {.type = "one", .in_flight = 1, .send = note};
static const struct gm_output_ops some_ops = {.type = "some", .in_flight = 4, .send = note};
static const struct gm_output_ops ordered_ops = {
	.type = "ordered", .in_flight = 16, .in_order = true, .send = note};

struct fixture {
	char directory[STATE_DIRECTORY];
	struct gm_state *state;
	struct gm_outbox_setup setup;
	struct gm_outbox *outbox;
	struct gm_output output;
	int64_t now; /* the node's time and the clock of pauses alike */
};

static inline void begin(struct fixture *fixture)
{
	struct gm_error err = {.text = ""};
	assert_int_equal(gm_state_open(fixture->directory, &fixture->state, &err), 0);
	assert_int_equal(gm_outbox_create(&fixture->setup, fixture->state, &fixture->outbox), 0);
	gm_outbox_attach(fixture->outbox, &fixture->output);
}

static inline void end(struct fixture *fixture)
{
	gm_outbox_free(fixture->outbox);
	gm_state_close(fixture->state);
}

static inline void restart(struct fixture *fixture)
{
	end(fixture);
	fixture->output.count = 0;
	begin(fixture);
}

/* To another driver, or other options. */
static inline void become(struct fixture *fixture, const struct gm_output_ops *ops)
{
	fixture->setup.ops = ops;
	restart(fixture);
}

static inline int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	gm_log_set_level((enum gm_log_level) - 1);
	state_directory_make(fixture->directory);
	fixture->setup = (struct gm_outbox_setup){.name = "o", .node = "n1", .ops = &one_ops};
	gm_option_defaults(gm_output_option_table, &fixture->setup.options);
	fixture->now = T0 * GM_SECOND;
	begin(fixture);
	*state = fixture;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *fixture = *state;
	end(fixture);
	state_directory_remove(fixture->directory);
	free(fixture);
	return 0;
}

static inline void journal(struct fixture *fixture, uint32_t id, enum gm_severity severity)
{
	struct gm_transition transition = {
		.kind = GM_TRANSITION_RAISE,
		.time = fixture->now,
		.alarm = {.id = id,
			  .key = gm_entity_node(),
			  .detector = "leak",
			  .severity = severity},
	};
	snprintf(transition.alarm.metric, sizeof(transition.alarm.metric), "m%u", id);
	assert_int_equal(gm_state_journal(fixture->state, &transition, NULL), 0);
}

static inline void pump(struct fixture *fixture)
{
	gm_outbox_pump(fixture->outbox, fixture->now, fixture->now);
}

static inline void verdict(struct fixture *fixture, size_t nth, enum gm_verdict_kind kind,
			   int64_t after)
{
	const struct gm_verdict one = {.kind = kind, .retry_after = after, .reason = "why"};
	gm_outbox_done(fixture->outbox, fixture->output.sent[nth].ticket, &one, fixture->now,
		       fixture->now);
}

static inline void assert_sent(const struct fixture *fixture, const uint64_t *sequences,
			       size_t count)
{
	assert_int_equal(fixture->output.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(fixture->output.sent[i].sequence, sequences[i]);
}
#define ASSERT_SENT(fixture, ...)                             \
	assert_sent(fixture, (const uint64_t[]){__VA_ARGS__}, \
		    sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static inline struct gm_output_row row_of(const struct fixture *fixture)
{
	struct gm_output_row row;
	gm_outbox_status(fixture->outbox, fixture->now, fixture->now, &row);
	return row;
}

static inline void deliver_all(struct fixture *fixture)
{
	for (size_t i = 0; i < fixture->output.count; i++) {
		verdict(fixture, i, GM_VERDICT_DELIVERED, 0);
		pump(fixture);
	}
}

#define WITH_OUTBOX(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif

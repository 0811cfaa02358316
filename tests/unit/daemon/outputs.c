/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several outputs on one state: their positions, where they cannot be read for a moment, and how they are
 * written.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/outputs.h"
#include "support/state_directory.h"
#include "support/state_sql.h"

enum { OUTPUTS = 8 };

/* The driver: what it is sent has arrived. */
struct gm_output {
	struct gm_output_host host;
};

static uint64_t told; /* by all of them */
static bool broken;   /* none can be made */

static int create(const void *options, const struct gm_output_host *host,
		  struct gm_output **ret_output, struct gm_error *err)
{
	(void)options;
	if (broken)
		return gm_error_set(err, -EACCES, "the secret is gone");
	*ret_output = calloc(1, sizeof(**ret_output));
	(*ret_output)->host = *host;
	return 0;
}

static void send_message(struct gm_output *output, const struct gm_message *message,
			 uint64_t ticket)
{
	(void)message;
	told++;
	output->host.done(output->host.user, ticket,
			  &(struct gm_verdict){.kind = GM_VERDICT_DELIVERED});
}

static void close_output(struct gm_output *output)
{
	free(output);
}

static const struct gm_output_ops ops = {
	.type = "test",
	.in_flight = 4,
	.create = create,
	.send = send_message,
	.close = close_output,
};

static char no_options;

struct fixture {
	char directory[STATE_DIRECTORY];
	uv_loop_t loop;
	struct gm_state *state;
	struct gm_outputs *outputs;
	struct gm_output_files files;
	struct gm_snapshot_slot *slot;
};

static void start_with_mib(struct fixture *fixture)
{
	struct gm_error err = {.text = ""};
	told = 0;
	uv_loop_init(&fixture->loop);
	assert_int_equal(gm_state_open(fixture->directory, &fixture->state, &err), 0);
	assert_int_equal(
		gm_outputs_create(&fixture->loop, fixture->state, "n1", &fixture->outputs, &err),
		0);
}

static void start(struct fixture *fixture)
{
	start_with_mib(fixture);
	gm_outputs_without_mib(fixture->outputs);
}

static void stop(struct fixture *fixture)
{
	gm_outputs_close(fixture->outputs);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	gm_outputs_free(fixture->outputs);
	gm_state_close(fixture->state);
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	gm_log_set_level((enum gm_log_level) - 1);
	state_directory_make(fixture->directory);
	assert_int_equal(gm_snapshot_slot_create(&fixture->slot), 0);
	for (int i = 0; i < OUTPUTS; i++) {
		struct gm_output_file *file = &fixture->files.files[i];
		snprintf(file->name, sizeof(file->name), "o%d", i);
		file->ops = &ops;
		file->options = &no_options;
		gm_option_defaults(gm_output_option_table, &file->common);
	}
	fixture->files.count = OUTPUTS;
	start(fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	stop(fixture);
	gm_snapshot_slot_free(fixture->slot);
	state_directory_remove(fixture->directory);
	free(fixture);
	return 0;
}

static void journal(struct fixture *fixture)
{
	struct gm_transition transition = {
		.kind = GM_TRANSITION_RAISE,
		.time = gm_clock_now(),
		.alarm = {.id = 1, .key = gm_entity_node(), .detector = "leak"},
	};
	assert_int_equal(gm_state_journal(fixture->state, &transition, NULL), 0);
}

static off_t log_size(struct fixture *fixture)
{
	char path[STATE_DIRECTORY + 16];
	struct stat status;
	snprintf(path, sizeof(path), "%s/state.db-wal", fixture->directory);
	assert_int_equal(stat(path, &status), 0);
	return status.st_size;
}

static void wait_ms(struct fixture *fixture, int64_t ms)
{
	int64_t until = gm_clock_monotonic() + ms * GM_MILLISECOND;
	while (gm_clock_monotonic() < until)
		uv_run(&fixture->loop, UV_RUN_NOWAIT);
}

static void test_a_position_that_cannot_be_read_is_asked_for_again(void **state)
{
	struct fixture *fixture = *state;
	struct gm_output_row rows[OUTPUTS];
	fixture->files.count = 1;
	gm_outputs_configure(fixture->outputs, &fixture->files);
	stop(fixture); /* the output is known, and is to tell what comes now */
	start(fixture);
	journal(fixture);
	run_sql(fixture->directory, "ALTER TABLE outputs RENAME TO away");
	gm_outputs_configure(fixture->outputs, &fixture->files);
	gm_outputs_pump(fixture->outputs);
	assert_int_equal(told, 0);
	assert_int_equal(gm_outputs_rows(fixture->outputs, rows, OUTPUTS), 1);
	assert_int_equal(rows[0].state, GM_OUTPUT_WAITING);
	assert_string_equal(rows[0].error, "its position cannot be read");
	run_sql(fixture->directory, "ALTER TABLE away RENAME TO outputs");
	gm_outputs_configure(fixture->outputs, &fixture->files); /* forgets no position */
	wait_ms(fixture, 1100);
	gm_outputs_pump(fixture->outputs);
	assert_int_equal(told, 1);
	gm_outputs_rows(fixture->outputs, rows, OUTPUTS);
	assert_int_equal(rows[0].state, GM_OUTPUT_WORKING);
	assert_int_equal(rows[0].position, 1);
}

/* A page of SQLite's is what a transaction of some positions adds to its log. */
static void test_positions_are_written_as_one(void **state)
{
	struct fixture *fixture = *state;
	enum { PAGE = 4096, FRAME = PAGE + 24 };
	gm_outputs_configure(fixture->outputs, &fixture->files);
	journal(fixture);
	wait_ms(fixture, 110);
	gm_outputs_pump(fixture->outputs);
	wait_ms(fixture, 110);
	gm_outputs_pump(fixture->outputs);
	journal(fixture);
	off_t before = log_size(fixture);
	gm_outputs_pump(fixture->outputs);
	wait_ms(fixture, 110);
	gm_outputs_pump(fixture->outputs);
	assert_int_equal(told, 2 * OUTPUTS);
	assert_int_equal(log_size(fixture) - before, FRAME);
	stop(fixture);
	start(fixture);
	gm_outputs_configure(fixture->outputs, &fixture->files);
	gm_outputs_pump(fixture->outputs);
	assert_int_equal(told, 0); /* all of them are durable */
}

/* Soon: not as if nothing had been told since. */
static void test_a_position_that_cannot_be_written_is_written_soon(void **state)
{
	struct fixture *fixture = *state;
	uint64_t stored = 0;
	bool paused;
	fixture->files.count = 1;
	gm_outputs_configure(fixture->outputs, &fixture->files);
	journal(fixture);
	run_sql(fixture->directory,
		"CREATE TRIGGER full BEFORE UPDATE ON outputs BEGIN SELECT RAISE(ABORT, 'x'); END");
	for (int i = 0; i < 2; i++) {
		gm_outputs_pump(fixture->outputs);
		wait_ms(fixture, 110);
	}
	assert_int_equal(told, 1);
	assert_int_equal(gm_state_output_position(fixture->state, "o0", &stored, &paused), 0);
	assert_int_equal(stored, 0);
	run_sql(fixture->directory, "DROP TRIGGER full");
	wait_ms(fixture, 1100);
	gm_outputs_pump(fixture->outputs);
	assert_int_equal(gm_state_output_position(fixture->state, "o0", &stored, &paused), 0);
	assert_int_equal(stored, 1);
}

/* Each try waits for the lock: who pumps with each batch must not. */
static void test_a_locked_database_does_not_hold_up_the_loop(void **state)
{
	struct fixture *fixture = *state;
	gm_outputs_configure(fixture->outputs, &fixture->files);
	journal(fixture);
	sqlite3 *database = lock_database(fixture->directory);
	int64_t begin = gm_clock_monotonic(), longest = 0;
	size_t long_ones = 0;
	while (gm_clock_monotonic() - begin < 2 * GM_SECOND) {
		int64_t before = gm_clock_monotonic();
		gm_outputs_pump(fixture->outputs);
		int64_t took = gm_clock_monotonic() - before;
		longest = took > longest ? took : longest;
		long_ones += took > 100 * GM_MILLISECOND;
		wait_ms(fixture, 10);
	}
	sqlite3_close(database);
	assert_int_equal(told, OUTPUTS);
	assert_true(longest >= 100 * GM_MILLISECOND); /* it did wait for the lock */
	assert_in_range(long_ones, 1, 4);
}

static void test_one_that_cannot_be_made_shows_since_when(void **state)
{
	struct fixture *fixture = *state;
	struct gm_output_row rows[OUTPUTS];
	fixture->files.count = 1;
	int64_t before = gm_clock_now();
	broken = true;
	gm_outputs_configure(fixture->outputs, &fixture->files);
	int64_t after = gm_clock_now();
	wait_ms(fixture, 20);
	gm_outputs_second(fixture->outputs, fixture->slot); /* tried again in vain */
	assert_int_equal(gm_outputs_rows(fixture->outputs, rows, OUTPUTS), 1);
	assert_int_equal(rows[0].state, GM_OUTPUT_ABSENT);
	assert_string_equal(rows[0].error, "the secret is gone");
	assert_in_range(rows[0].failing_since, before, after);
	assert_int_equal(gm_outputs_pause(fixture->outputs, "o0", true, NULL), 0);
	gm_outputs_rows(fixture->outputs, rows, OUTPUTS);
	assert_int_equal(rows[0].failing_since, 0); /* an operator's pause is no fault */
	assert_int_equal(gm_outputs_pause(fixture->outputs, "o0", false, NULL), 0);
	broken = false;
	gm_outputs_second(fixture->outputs, fixture->slot);
	gm_outputs_rows(fixture->outputs, rows, OUTPUTS);
	assert_int_equal(rows[0].state, GM_OUTPUT_WORKING);
	assert_int_equal(rows[0].failing_since, 0);
}

static int cannot_be_made(const void *options, const struct gm_output_host *host,
			  struct gm_output **ret_output, struct gm_error *err)
{
	(void)options;
	(void)host;
	(void)ret_output;
	/* As long as libcurl's sentences come to be. */
	return gm_error_set(err, -EIO, "%0250d or not, and why", 0);
}

static void test_a_long_reason_is_kept_or_tells_that_it_is_cut(void **state)
{
	static const struct gm_output_ops sick = {.type = "test", .create = cannot_be_made};
	struct fixture *fixture = *state;
	struct gm_output_row row;
	fixture->files.count = 1;
	fixture->files.files[0].ops = &sick;
	gm_outputs_configure(fixture->outputs, &fixture->files);
	assert_int_equal(gm_outputs_rows(fixture->outputs, &row, 1), 1);
	assert_int_equal(strlen(row.error), GM_OUTPUT_ERROR - 1);
	assert_string_equal(row.error + 249, "0 o\xE2\x80\xA6");
	fixture->files.files[0].ops = &ops;
}

static struct gm_output_row snmp_row(struct fixture *fixture)
{
	struct gm_output_row row = {.name = ""};
	assert_int_equal(gm_outputs_rows(fixture->outputs, &row, 1), 1);
	assert_string_equal(row.name, "snmp");
	return row;
}

/* What is handed to the agent waits there, unseen. */
static void test_the_agents_output_waits_for_the_master_agent(void **state)
{
	struct fixture *fixture = *state;
	struct gm_mib_status status = {.connected = false};
	struct gm_error err;
	char agent;
	stop(fixture);
	start_with_mib(fixture);
	gm_outputs_attach_mib(fixture->outputs, (struct gm_mib *)&agent); /* is given nothing */
	assert_int_equal(snmp_row(fixture).state, GM_OUTPUT_WAITING);
	assert_string_equal(snmp_row(fixture).error, "no session with the master agent");
	snprintf(status.error, sizeof(status.error), "it has closed the session");
	gm_outputs_mib_status(fixture->outputs, &status);
	assert_int_equal(snmp_row(fixture).state, GM_OUTPUT_WAITING);
	assert_string_equal(snmp_row(fixture).error, "it has closed the session");
	assert_int_equal(snmp_row(fixture).failing_since, 0); /* no alarm */
	assert_int_equal(gm_outputs_pause(fixture->outputs, "snmp", true, &err), 0);
	assert_int_equal(snmp_row(fixture).state, GM_OUTPUT_PAUSED);
	assert_int_equal(gm_outputs_pause(fixture->outputs, "snmp", false, &err), 0);
	status = (struct gm_mib_status){.connected = true};
	gm_outputs_mib_status(fixture->outputs, &status);
	assert_int_equal(snmp_row(fixture).state, GM_OUTPUT_WORKING);
	assert_string_equal(snmp_row(fixture).error, "");
	gm_outputs_attach_mib(fixture->outputs, NULL);
	assert_int_equal(snmp_row(fixture).state, GM_OUTPUT_ABSENT);
}

int main(void)
{
#define WITH_OUTPUTS(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_OUTPUTS(test_a_position_that_cannot_be_read_is_asked_for_again),
		WITH_OUTPUTS(test_the_agents_output_waits_for_the_master_agent),
		WITH_OUTPUTS(test_a_long_reason_is_kept_or_tells_that_it_is_cut),
		WITH_OUTPUTS(test_positions_are_written_as_one),
		WITH_OUTPUTS(test_a_position_that_cannot_be_written_is_written_soon),
		WITH_OUTPUTS(test_a_locked_database_does_not_hold_up_the_loop),
		WITH_OUTPUTS(test_one_that_cannot_be_made_shows_since_when),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

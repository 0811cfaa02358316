/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An operator's marks from the windows of a real intake to the finding, over a restart of the daemon;
 * and the marks that cannot be learned from.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/orphans.h"
#include "daemon/recall.h"
#include "support/pipeline_ends.h"
#include "support/state_directory.h"

#define T0 INT64_C(1700000000000000000)

enum mood { CALM, FAULT };

struct fixture {
	char directory[STATE_DIRECTORY];
	struct gm_state *state;
	struct gm_detector_settings *settings;
	struct gm_learning *learning;
	struct gm_intake *intake;
	struct gm_batch *batch;
	int64_t now;
	uint64_t cpu, sent, beat;
	struct gm_finding learned;
	unsigned findings;
	struct gm_error err;
};

static void on_finding(void *user, const struct gm_finding *finding)
{
	struct fixture *fixture = user;
	if (strcmp(finding->detector, gm_learned_ops.name) != 0)
		return;
	fixture->learned = *finding;
	fixture->findings++;
}

static void start(struct fixture *fixture)
{
	assert_int_equal(gm_state_open(fixture->directory, &fixture->state, &fixture->err), 0);
	assert_int_equal(gm_learning_create(fixture->state, &fixture->learning), 0);
	struct gm_intake_options options = {
		.window = {.samples = 1000, .length = 3600 * GM_SECOND},
		.detectors = fixture->settings,
		.learning = fixture->learning,
	};
	struct gm_intake_sink sink = sink_that_passes(fixture);
	sink.finding = on_finding;
	assert_int_equal(gm_intake_create(&options, fixture->state, &sink, &fixture->intake), 0);
}

static void stop(struct fixture *fixture)
{
	gm_intake_free(fixture->intake);
	gm_learning_free(fixture->learning);
	gm_state_close(fixture->state);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	gm_log_set_level(GM_LOG_ERROR);
	state_directory_make(fixture->directory);
	assert_int_equal(gm_detector_settings_create(&fixture->settings), 0);
	fixture->batch = gm_batch_create();
	assert_non_null(fixture->batch);
	fixture->now = T0;
	start(fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	stop(fixture);
	gm_batch_free(fixture->batch);
	gm_detector_settings_free(fixture->settings);
	state_directory_remove(fixture->directory);
	free(fixture);
	return 0;
}

/* The node computes, and its network card sends; when it is ill it computes all the time and sends little. */
static void live(struct fixture *fixture, enum mood mood, int seconds)
{
	struct gm_entity_info card = {.key = gm_entity_interface("eth0")};
	struct gm_entity_key node = gm_entity_node();
	gm_intake_seen(fixture->intake, GM_SOURCE_TAP, &card);
	for (int i = 0; i < seconds; i++) {
		uint64_t wobble = fixture->beat++ * 7919 % 13;
		fixture->now += GM_SECOND;
		fixture->cpu += (mood == FAULT ? 900 : 200 + wobble) * (uint64_t)GM_MILLISECOND;
		fixture->sent += mood == FAULT ? 1000 + wobble : 100000 + 1000 * wobble;
		gm_batch_clear(fixture->batch);
		fixture->batch->source = GM_SOURCE_HOST;
		gm_batch_frame(fixture->batch, &node, fixture->now, fixture->now, 0);
		gm_batch_counter(fixture->batch, GM_METRIC_CPU_TIME, fixture->cpu);
		gm_batch_gauge(fixture->batch, GM_METRIC_LOAD_1, 0.5);
		gm_batch_frame(fixture->batch, &card.key, fixture->now, fixture->now, 0);
		gm_batch_counter(fixture->batch, GM_METRIC_NET_TX_BYTES, fixture->sent);
		gm_intake_batch(fixture->intake, fixture->batch);
		gm_intake_evaluate(fixture->intake, fixture->now);
	}
}

static struct gm_learning_range marked; /* what became of the range of the last mark() */

static int mark(struct fixture *fixture, const char *label, int since, int until, int64_t *ret_id)
{
	struct gm_learning_range range = {
		.key = gm_entity_node(),
		.faulty = label[0] != '\0',
		.author = "olga",
		.begin = fixture->now - since * GM_SECOND,
		.end = fixture->now - until * GM_SECOND,
	};
	gm_text_copy(range.label, sizeof(range.label), label);
	int result = gm_learning_learn(fixture->learning, gm_intake_entities(fixture->intake),
				       &range, fixture->now, ret_id, &fixture->err);
	marked = range;
	return result;
}

static void test_known_fault_after_a_restart(void **state)
{
	struct fixture *fixture = *state;
	int64_t normal, faulty;
	live(fixture, CALM, 150);
	assert_int_equal(mark(fixture, "", 140, 0, &normal), 0);
	live(fixture, FAULT, 70);
	assert_int_equal(mark(fixture, "livelock", 65, 0, &faulty), 0);
	stop(fixture);
	start(fixture);
	live(fixture, CALM, 60);
	assert_true(fixture->findings > 0);
	assert_false(fixture->learned.active);
	live(fixture, FAULT, 60);
	assert_true(fixture->learned.active);
	assert_string_equal(fixture->learned.metric, "livelock");
	assert_non_null(strstr(fixture->learned.evidence.contributors, "net.tx.bytes"));
	live(fixture, CALM, 60);
	assert_false(fixture->learned.active);
	assert_int_equal(gm_learning_unlearn(fixture->learning, faulty, &fixture->err), 0);
	fixture->findings = 0;
	live(fixture, FAULT, 60);
	assert_int_equal(fixture->findings, 0);
}

/* With other options it is another detector, which has to be taught, too. */
static void test_lessons_outlast_a_reload(void **state)
{
	struct fixture *fixture = *state;
	struct gm_detector_settings *other;
	int64_t id;
	live(fixture, CALM, 150);
	assert_int_equal(mark(fixture, "", 140, 0, &id), 0);
	live(fixture, FAULT, 70);
	assert_int_equal(mark(fixture, "livelock", 65, 0, &id), 0);
	live(fixture, CALM, 60);
	assert_int_equal(gm_detector_settings_create(&other), 0);
	assert_int_equal(gm_option_set(gm_learned_ops.options,
				       gm_detector_settings_get(other, &gm_learned_ops),
				       "confidence", "0.9", &fixture->err),
			 0);
	assert_int_equal(gm_intake_reconfigure(fixture->intake, other, false), 0);
	gm_detector_settings_free(fixture->settings);
	fixture->settings = other;
	live(fixture, FAULT, 60);
	assert_true(fixture->learned.active);
}

struct shelf {
	struct gm_store store;
	struct gm_buffer bytes;
};

static int shelve(struct gm_store *store, const struct gm_entity_key *key, const void *bytes,
		  size_t size)
{
	struct shelf *shelf = (struct shelf *)store;
	if (key->kind == GM_ENTITY_NODE)
		gm_buffer_append(&shelf->bytes, bytes, size);
	return 0;
}

/* What is kept over a restart may come when the lessons have been taught already. */
static void test_lessons_outlast_what_is_restored(void **state)
{
	static const struct gm_store_ops ops = {.name = "shelf", .keep = shelve};
	struct fixture *fixture = *state;
	struct shelf shelf = {.store.ops = &ops, .bytes = GM_BUFFER_INIT(GM_STORE_STATE_MAX)};
	const struct gm_entity_key node = gm_entity_node();
	struct gm_recall recall;
	int64_t id;
	live(fixture, CALM, 150);
	assert_int_equal(mark(fixture, "", 140, 0, &id), 0);
	live(fixture, FAULT, 70);
	assert_int_equal(mark(fixture, "livelock", 65, 0, &id), 0);
	live(fixture, CALM, 60);
	gm_recall_init(&recall);
	const struct gm_entities *entities = gm_intake_entities(fixture->intake);
	gm_recall_finish(&recall, entities, &shelf.store, fixture->now);
	gm_recall_take(&recall, gm_entities_find(entities, &node), shelf.bytes.data,
		       shelf.bytes.length);
	assert_int_equal(gm_entities_find(entities, &node)->learned_until, fixture->now);
	live(fixture, FAULT, 60);
	assert_true(fixture->learned.active);
	gm_recall_free(&recall);
	gm_buffer_free(&shelf.bytes);
}

static void keep_transition(void *user, struct gm_transition *transition)
{
	*(struct gm_transition *)user = *transition;
}

static uint32_t first_id(void *user)
{
	(void)user;
	return 1;
}

/* Nobody else would end the alarm of a fault that is not looked for any more. */
static void test_a_fault_that_is_forgotten_is_over(void **state)
{
	struct fixture *fixture = *state;
	struct gm_alarm_options options = {.damping = false};
	struct gm_transition last = {.time = 0};
	struct gm_alarm_sink sink = {keep_transition, NULL, first_id, &last};
	struct gm_alarms *alarms;
	int64_t faulty;
	live(fixture, CALM, 60);
	live(fixture, FAULT, 70);
	assert_int_equal(mark(fixture, "livelock", 65, 0, &faulty), 0);
	live(fixture, FAULT, 60);
	assert_true(fixture->learned.active);
	assert_int_equal(gm_alarms_create(&options, &sink, &alarms), 0);
	assert_int_equal(gm_alarms_finding(alarms, &fixture->learned), 0);
	const struct gm_entities *entities = gm_intake_entities(fixture->intake);
	assert_int_equal(gm_orphans_end(alarms, entities, NULL, true, fixture->now), 0);
	assert_int_equal(last.kind, GM_TRANSITION_RAISE);
	assert_int_equal(gm_learning_unlearn(fixture->learning, faulty, &fixture->err), 0);
	live(fixture, FAULT, 1);
	assert_int_equal(gm_orphans_end(alarms, entities, NULL, true, fixture->now), 0);
	assert_int_equal(last.kind, GM_TRANSITION_CLEAR);
	assert_string_equal(last.alarm.metric, "livelock");
	gm_alarms_free(alarms);
}

static void test_anomaly_that_was_marked_normal(void **state)
{
	struct fixture *fixture = *state;
	struct gm_entity_key node = gm_entity_node();
	struct gm_finding odd = {.key = node, .detector = "anomaly", .active = true};
	struct gm_finding leak = {.key = node, .detector = "leak", .active = true};
	int64_t id;
	live(fixture, CALM, 60);
	const struct gm_tracked *tracked =
		gm_entities_find(gm_intake_entities(fixture->intake), &node);
	assert_false(gm_learning_overrules(tracked, &odd));
	assert_int_equal(mark(fixture, "", 55, 0, &id), 0);
	live(fixture, CALM, 30);
	assert_true(gm_learning_overrules(tracked, &odd));
	assert_false(gm_learning_overrules(tracked, &leak));
	live(fixture, FAULT, 30);
	assert_false(gm_learning_overrules(tracked, &odd));
}

static void test_what_cannot_be_learned(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = -1;
	live(fixture, CALM, 60);
	assert_int_equal(mark(fixture, "", 20, 10, &id), -ENODATA); /* too short */
	assert_non_null(strstr(fixture->err.text, "at least 3"));
	assert_int_equal(mark(fixture, "", 3000, 2000, &id), -ENODATA); /* not in the windows */
	assert_non_null(strstr(fixture->err.text, "window.length"));
	assert_int_equal(mark(fixture, "", 10, 50, &id), -EINVAL);
	assert_int_equal(mark(fixture, "", 50, -50, &id), -EINVAL);
	assert_non_null(strstr(fixture->err.text, "future"));
	assert_int_equal(mark(fixture, "No Label", 50, 0, &id), -EINVAL);
	assert_int_equal(id, -1);
	assert_int_equal(gm_learning_unlearn(fixture->learning, 77, &fixture->err), -ENOENT);
}

static void keep_row(void *user, const struct gm_lesson_row *row)
{
	*(struct gm_lesson_row *)user = *row;
}

/* Ten hours were asked for, and the windows have a minute: it is a lesson of a minute. */
static void test_a_lesson_is_of_what_is_held(void **state)
{
	struct fixture *fixture = *state;
	struct gm_lesson_row row = {0};
	int64_t id;
	live(fixture, CALM, 60);
	for (int faulty = 0; faulty < 2; faulty++) {
		assert_int_equal(mark(fixture, faulty ? "odd" : "", 36000, 0, &id), 0);
		assert_int_equal(marked.begin, T0 + GM_SECOND); /* the first sample */
		assert_int_equal(marked.end, fixture->now);
		assert_int_equal(
			gm_learning_list(fixture->learning, "node", keep_row, &row, &fixture->err),
			faulty + 1);
		assert_int_equal(row.begin, marked.begin);
		assert_int_equal(row.end, marked.end);
	}
	assert_int_equal(mark(fixture, "", 50, 10, &id), 0);
	assert_int_equal(marked.begin, fixture->now - 50 * GM_SECOND);
	assert_int_equal(marked.end, fixture->now - 10 * GM_SECOND);
}

static void test_lessons_are_bounded(void **state)
{
	struct fixture *fixture = *state;
	int64_t id;
	int made = 0, result;
	live(fixture, CALM, 60);
	while ((result = mark(fixture, "", 55, 0, &id)) == 0 && made < 2 * GM_LESSONS_MAX)
		made++;
	assert_int_equal(result, -ENOSPC);
	assert_true(made >= GM_LESSONS_MAX - 2 && made <= GM_LESSONS_MAX);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_known_fault_after_a_restart),
		TEST(test_lessons_outlast_a_reload),
		TEST(test_lessons_outlast_what_is_restored),
		TEST(test_a_fault_that_is_forgotten_is_over),
		TEST(test_anomaly_that_was_marked_normal),
		TEST(test_what_cannot_be_learned),
		TEST(test_a_lesson_is_of_what_is_held),
		TEST(test_lessons_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

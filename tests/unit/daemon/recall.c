/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What detectors learned, over a restart: when it is handed to the store, that a second intake knows what
 * the first did and is shown only the samples since, and what is made of bytes that are damaged.
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

#include "analysis/leak.h"
#include "analysis/policy.h"
#include "analysis/rules.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/pack.h"
#include "daemon/intake.h"
#include "daemon/recall.h"
#include "support/pipeline_ends.h"
#include "support/state_directory.h"

#define T0 INT64_C(1700000000000000000)

static const uint8_t uuid[GM_UUID_SIZE] = {0x6c, 0x76, 1};

/* A store that keeps the last bytes of one entity. */
struct shelf {
	struct gm_store store;
	unsigned kept;
	size_t size;
	char bytes[GM_STORE_STATE_MAX];
};

static int shelve(struct gm_store *store, const struct gm_entity_key *key, const void *bytes,
		  size_t size)
{
	struct shelf *shelf = (struct shelf *)store;

	(void)key;
	shelf->kept++;
	shelf->size = size;
	memcpy(shelf->bytes, bytes, size);
	return 0;
}

static const struct gm_store_ops shelf_ops = {.name = "shelf", .keep = shelve};

struct fixture {
	char directory[STATE_DIRECTORY];
	struct gm_state *state;
	struct gm_detector_settings *settings;
	struct gm_intake *intake;
	struct gm_recall recall;
	struct shelf shelf;
};

static void make_intake(struct fixture *fixture)
{
	struct gm_intake_options options = {
		.window = {.samples = 100, .length = 60 * GM_SECOND},
		.detectors = fixture->settings,
	};
	struct gm_intake_sink sink = sink_that_passes(NULL);

	assert_int_equal(gm_intake_create(&options, fixture->state, &sink, &fixture->intake), 0);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct gm_error err;

	gm_log_set_level(GM_LOG_ERROR);
	state_directory_make(fixture->directory);
	assert_int_equal(gm_state_open(fixture->directory, &fixture->state, &err), 0);
	assert_int_equal(gm_detector_settings_create(&fixture->settings), 0);
	gm_recall_init(&fixture->recall);
	fixture->shelf.store.ops = &shelf_ops;
	make_intake(fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	gm_intake_free(fixture->intake);
	gm_recall_free(&fixture->recall);
	gm_detector_settings_free(fixture->settings);
	gm_state_close(fixture->state);
	state_directory_remove(fixture->directory);
	free(fixture);
	return 0;
}

static struct gm_tracked *guest(struct fixture *fixture)
{
	struct gm_entity_key key = gm_entity_guest(uuid);

	return gm_intake_recall(fixture->intake, &key);
}

static void restore_frame(struct fixture *fixture, int second)
{
	struct gm_frame frame = {.key = gm_entity_guest(uuid),
				 .measured_at = T0 + second * GM_SECOND,
				 .read_at = T0 + second * GM_SECOND,
				 .count = 2};
	struct gm_reading readings[] = {
		{GM_METRIC_MEMORY_USED, {.gauge = 1e9 + second * 1e6 + second % 7 * 1e5}},
		{GM_METRIC_MEMORY_TOTAL, {.gauge = 8e9}},
	};

	gm_intake_restore(fixture->intake, &frame, readings);
}

static int64_t at(int second)
{
	return T0 + second * GM_SECOND;
}

static void test_each_once_a_minute(void **state)
{
	struct fixture *fixture = *state;
	struct gm_entities *entities = gm_intake_entities(fixture->intake);

	guest(fixture);
	for (int tenth = 0; tenth < 600; tenth++) /* its own time within a minute */
		gm_recall_tick(&fixture->recall, entities, &fixture->shelf.store,
			       T0 + tenth * GM_SECOND / 10);
	assert_true(fixture->shelf.kept <= 1);
	for (int tenth = 600; tenth < 6000; tenth++)
		gm_recall_tick(&fixture->recall, entities, &fixture->shelf.store,
			       T0 + tenth * GM_SECOND / 10);
	assert_true(fixture->shelf.kept >= 9 && fixture->shelf.kept <= 10);
	/* A clock that is set back by an hour does not silence it for that hour. */
	fixture->shelf.kept = 0;
	for (int second = -3600; second < -3600 + 121; second++)
		gm_recall_tick(&fixture->recall, entities, &fixture->shelf.store, at(second));
	assert_true(fixture->shelf.kept >= 1);
}

static void test_known_after_a_restart(void **state)
{
	struct fixture *fixture = *state;
	struct shelf *shelf = &fixture->shelf;
	struct shelf *first = malloc(sizeof(*first));

	guest(fixture);
	for (int i = 0; i < 600; i++)
		restore_frame(fixture, i);
	gm_recall_finish(&fixture->recall, gm_intake_entities(fixture->intake), &shelf->store,
			 at(599));
	assert_int_equal(shelf->kept, 1);
	*first = *shelf;

	gm_intake_free(fixture->intake);
	make_intake(fixture);
	gm_recall_take(&fixture->recall, guest(fixture), first->bytes, first->size);
	assert_int_equal(guest(fixture)->learned_until, at(599));
	/* The window is filled with what was seen already, and nothing is learned twice. */
	for (int i = 540; i < 600; i++)
		restore_frame(fixture, i);
	assert_int_equal(gm_window_count(guest(fixture)->window, GM_METRIC_MEMORY_USED), 60);
	gm_recall_finish(&fixture->recall, gm_intake_entities(fixture->intake), &shelf->store,
			 at(599));
	assert_int_equal(shelf->size, first->size);
	assert_memory_equal(shelf->bytes, first->bytes, shelf->size);
	/* What came after it was kept is news. */
	for (int i = 600; i < 630; i++)
		restore_frame(fixture, i);
	gm_recall_finish(&fixture->recall, gm_intake_entities(fixture->intake), &shelf->store,
			 at(599));
	assert_true(shelf->size != first->size ||
		    memcmp(shelf->bytes, first->bytes, shelf->size) != 0);
	free(first);
}

static void test_damaged(void **state)
{
	struct fixture *fixture = *state;
	struct shelf *shelf = &fixture->shelf;
	uint64_t seed = 88172645463325252u;

	guest(fixture);
	for (int i = 0; i < 300; i++)
		restore_frame(fixture, i);
	gm_recall_finish(&fixture->recall, gm_intake_entities(fixture->intake), &shelf->store,
			 at(299));
	gm_intake_free(fixture->intake);
	make_intake(fixture);
	for (size_t cut = 0; cut < shelf->size; cut += 1 + shelf->size / 200) {
		char *bytes = malloc(cut + 1); /* of just that size: overruns are seen */

		memcpy(bytes, shelf->bytes, cut);
		gm_recall_take(&fixture->recall, guest(fixture), bytes, cut);
		free(bytes);
	}
	for (int i = 0; i < 500; i++) {
		struct shelf *changed = malloc(sizeof(*changed));

		*changed = *shelf;
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		changed->bytes[(seed >> 33) % changed->size] ^= (char)(1 << (seed >> 20) % 8);
		gm_recall_take(&fixture->recall, guest(fixture), changed->bytes, changed->size);
		free(changed);
	}
	/* Of tomorrow: a clock was wrong. Nothing that is restored would be seen. */
	gm_intake_free(fixture->intake);
	make_intake(fixture);
	guest(fixture);
	gm_recall_finish(&fixture->recall, gm_intake_entities(fixture->intake), &shelf->store,
			 gm_clock_now() + 3600 * GM_SECOND);
	gm_recall_take(&fixture->recall, guest(fixture), shelf->bytes, shelf->size);
	assert_int_equal(guest(fixture)->learned_until, 0);
	gm_recall_take(&fixture->recall, guest(fixture), "", 0);
	assert_int_equal(guest(fixture)->learned_until, 0);
}

static void add_policy(struct fixture *fixture)
{
	struct gm_policy_options *options =
		gm_detector_settings_get(fixture->settings, &gm_policy_ops);
	const struct gm_match match = {.entities = 1U << GM_ENTITY_GUEST};

	assert_int_equal(
		gm_option_set(gm_policy_ops.options, options, "condition", "memory.used > 1", NULL),
		0);
	assert_int_equal(gm_detector_settings_add_rule(fixture->settings, &gm_policy_ops, "full",
						       &match, options),
			 0);
}

/* Until where the detectors before the policy have what they keep: tag, time, and then packed. */
static size_t before_policy(const struct shelf *shelf, struct gm_buffer *raw)
{
	static const char tag[] = "policy 2";
	const size_t head = sizeof("learned 2") + sizeof(int64_t);

	assert_int_equal(gm_unpack(shelf->bytes + head, shelf->size - head, raw), 0);
	const char *at = memmem(raw->data, raw->length, tag, sizeof(tag));
	assert_non_null(at);
	return (size_t)(at - raw->data);
}

/* As another version would have written the policy's part, and it alone. */
static void make_strange(struct shelf *shelf)
{
	const size_t head = sizeof("learned 2") + sizeof(int64_t);
	struct gm_buffer raw = GM_BUFFER_INIT(GM_DETECTOR_STATE_MAX);
	struct gm_buffer packed = GM_BUFFER_INIT(GM_STORE_STATE_MAX);

	size_t at = before_policy(shelf, &raw);
	raw.data[at + strlen("policy ")] = '9';
	assert_int_equal(gm_pack(raw.data, raw.length, &packed), 0);
	memcpy(shelf->bytes + head, packed.data, packed.length);
	shelf->size = head + packed.length;
	gm_buffer_free(&raw);
	gm_buffer_free(&packed);
}

/* The others know the samples until then, and are not shown them as if they were new. */
static void test_one_that_is_left_out(void **state)
{
	struct fixture *fixture = *state;
	struct shelf *shelf = &fixture->shelf;
	struct gm_buffer before = GM_BUFFER_INIT(GM_DETECTOR_STATE_MAX);
	struct gm_buffer after = GM_BUFFER_INIT(GM_DETECTOR_STATE_MAX);

	add_policy(fixture);
	guest(fixture);
	for (int i = 0; i < 600; i++)
		restore_frame(fixture, i);
	gm_recall_finish(&fixture->recall, gm_intake_entities(fixture->intake), &shelf->store,
			 at(599));
	const size_t size = before_policy(shelf, &before);
	make_strange(shelf);

	gm_intake_free(fixture->intake);
	make_intake(fixture);
	gm_recall_take(&fixture->recall, guest(fixture), shelf->bytes, shelf->size);
	assert_int_equal(guest(fixture)->learned_until, at(599));
	assert_non_null(guest(fixture)->kept);
	for (int i = 400; i < 600; i++)
		restore_frame(fixture, i);
	gm_recall_finish(&fixture->recall, gm_intake_entities(fixture->intake), &shelf->store,
			 at(599));
	assert_int_equal(before_policy(shelf, &after), size);
	assert_memory_equal(before.data, after.data, size);
	gm_buffer_free(&before);
	gm_buffer_free(&after);
}

/* A rule for those called web-*: it judges once it is known that the guest is one of them. */
static void test_a_rule_that_asks_for_the_guest(void **state)
{
	struct fixture *fixture = *state;
	struct shelf *shelf = &fixture->shelf;
	struct shelf *first = malloc(sizeof(*first));
	struct gm_match match = {.name = "web-*"};

	assert_int_equal(gm_detector_settings_add_rule(
				 fixture->settings, &gm_leak_ops, "web", &match,
				 gm_detector_settings_get(fixture->settings, &gm_leak_ops)),
			 0);
	tell_guest(fixture->intake, uuid, "web-1");
	assert_true(gm_detector_set_has(guest(fixture)->detectors, "leak", "web"));
	for (int i = 0; i < 600; i++)
		restore_frame(fixture, i);
	gm_recall_finish(&fixture->recall, gm_intake_entities(fixture->intake), &shelf->store,
			 at(599));
	*first = *shelf;

	gm_intake_free(fixture->intake);
	make_intake(fixture);
	gm_recall_take(&fixture->recall, guest(fixture), first->bytes, first->size);
	for (int i = 540; i < 600; i++)
		restore_frame(fixture, i);
	assert_false(gm_detector_set_has(guest(fixture)->detectors, "leak", "web"));
	tell_guest(fixture->intake, uuid, "web-1");
	assert_true(gm_detector_set_has(guest(fixture)->detectors, "leak", "web"));
	gm_recall_finish(&fixture->recall, gm_intake_entities(fixture->intake), &shelf->store,
			 at(599));
	assert_int_equal(shelf->size, first->size);
	assert_memory_equal(shelf->bytes, first->bytes, shelf->size);
	/* Who is called so later, when all have been told of, begins anew; the others go on. */
	tell_guest(fixture->intake, uuid, "db-1");
	gm_intake_sweep(fixture->intake, at(700));
	assert_null(guest(fixture)->kept);
	tell_guest(fixture->intake, uuid, "web-1");
	gm_recall_finish(&fixture->recall, gm_intake_entities(fixture->intake), &shelf->store,
			 at(599));
	assert_true(shelf->size < first->size);
	free(first);
}

/* Random bytes do not become fewer; the largest state there can be is kept all the same. */
static void test_a_large_state(void **state)
{
	struct gm_buffer raw = GM_BUFFER_INIT(GM_DETECTOR_STATE_MAX);
	struct gm_buffer packed = GM_BUFFER_INIT(GM_STORE_STATE_MAX);
	uint64_t seed = 88172645463325252u;

	(void)state;
	while (raw.length < GM_DETECTOR_STATE_MAX - 4096) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		gm_buffer_append(&raw, &seed, sizeof(seed));
	}
	assert_int_equal(gm_pack(raw.data, raw.length, &packed), 0);
	gm_buffer_free(&raw);
	gm_buffer_free(&packed);
}

static int refuse(struct gm_store *store, const struct gm_entity_key *key, const void *bytes,
		  size_t size)
{
	(void)key, (void)bytes, (void)size;
	((struct shelf *)store)->kept++;
	return -ENOTSUP;
}

/* A store that keeps nothing is asked once: saving is not free. */
static void test_a_store_that_keeps_nothing(void **state)
{
	static const struct gm_store_ops ops = {.name = "nothing", .keep = refuse};
	struct fixture *fixture = *state;
	struct gm_entities *entities = gm_intake_entities(fixture->intake);

	guest(fixture);
	fixture->shelf.store.ops = &ops;
	for (int second = 0; second < 1000; second++)
		gm_recall_tick(&fixture->recall, entities, &fixture->shelf.store, at(second));
	assert_int_equal(fixture->shelf.kept, 1);
}

int main(void)
{
#define WITH_INTAKE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_INTAKE(test_each_once_a_minute),
		WITH_INTAKE(test_known_after_a_restart),
		WITH_INTAKE(test_damaged),
		WITH_INTAKE(test_one_that_is_left_out),
		WITH_INTAKE(test_a_rule_that_asks_for_the_guest),
		cmocka_unit_test(test_a_large_state),
		WITH_INTAKE(test_a_store_that_keeps_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

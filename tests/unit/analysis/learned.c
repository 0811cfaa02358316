/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fault that was shown once is recognised when it is back, is told to be over, and is not seen in what
 * is normal, nor in trouble of another kind; lessons survive their bytes.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/learned.h"
#include "base/text.h"

enum { STEP_MS = 500 };

struct guest {
	uint64_t random;
	int64_t now;
	struct gm_detector_settings *settings;
	struct gm_detector *detector;
	struct gm_finding last;
	int findings, ended; /* `ended`: those that say that all is well */
};

enum mood { CALM, FAULT, OTHER };

static double noise(struct guest *guest)
{
	guest->random = guest->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (double)(guest->random >> 33) / (double)(1ULL << 31) - 0.5;
}

/* What the guest does: its CPU, its memory, and what it sends, at 2 Hz. */
static size_t points(struct guest *guest, enum mood mood, struct gm_point out[3])
{
	double cpu = mood == FAULT ? 0.95 : 0.2, memory = mood == OTHER ? 3.6e9 : 1e9;
	double sent = mood == FAULT ? 2e4 : 2e6;
	int64_t span = STEP_MS * GM_MILLISECOND;
	guest->now += span;
	out[0] = (struct gm_point){.metric = GM_METRIC_CPU_TIME, .time = guest->now, .span = span};
	out[0].value = cpu * (1 + 0.2 * noise(guest)) * (double)span;
	out[1] = (struct gm_point){.metric = GM_METRIC_MEMORY_USED, .time = guest->now};
	out[1].value = memory * (1 + 0.05 * noise(guest));
	out[2] = (struct gm_point){
		.metric = GM_METRIC_NET_TX_BYTES, .time = guest->now, .span = span};
	out[2].value = sent * (1 + 0.5 * noise(guest)) * (double)span / 1e9;
	return 3;
}

static void on_finding(void *user, const struct gm_finding *finding)
{
	struct guest *guest = user;
	guest->last = *finding;
	guest->findings++;
	guest->ended += !finding->active;
}

static void live(struct guest *guest, enum mood mood, int seconds)
{
	static const struct gm_entity_key port = {.kind = GM_ENTITY_INTERFACE, .name = "tap0"};
	struct gm_finding_sink sink = {on_finding, guest};
	struct gm_point now[3];
	for (int i = 0; i < seconds * 1000 / STEP_MS; i++) {
		points(guest, mood, now);
		gm_learned_ops.observe(guest->detector, &now[0], &sink);
		gm_learned_ops.observe(guest->detector, &now[1], &sink);
		gm_learned_ops.observe_part(guest->detector, &port, &now[2], &sink);
		if (i % 2 == 0)
			gm_learned_ops.evaluate(guest->detector, guest->now, &sink);
	}
}

static struct gm_lesson lesson(struct guest *guest, enum gm_lesson_kind kind, const char *label,
			       enum mood mood, int seconds)
{
	struct gm_lesson lesson = {.kind = kind};
	struct gm_binner binner = {0};
	struct gm_lesson_bin bin;
	struct gm_point now[3];
	gm_text_copy(lesson.label, sizeof(lesson.label), label);
	for (int i = 0; i < seconds * 1000 / STEP_MS; i++)
		for (size_t k = 0, count = points(guest, mood, now); k < count; k++)
			if (gm_binner_add(&binner, &now[k], &bin))
				gm_lesson_add(&lesson, &bin);
	return lesson;
}

static int setup(void **state)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	static const uint8_t uuid[GM_UUID_SIZE] = {1};
	struct gm_entity_key key = gm_entity_guest(uuid);
	guest->random = 7;
	guest->now = 1000 * GM_SECOND;
	assert_int_equal(gm_detector_settings_create(&guest->settings), 0);
	assert_int_equal(
		gm_learned_ops.create(gm_detector_settings_get(guest->settings, &gm_learned_ops),
				      &key, &guest->detector),
		0);
	*state = guest;
	return 0;
}

static int teardown(void **state)
{
	struct guest *guest = *state;
	gm_learned_ops.destroy(guest->detector);
	gm_detector_settings_free(guest->settings);
	free(guest);
	return 0;
}

static void teach_both(struct guest *guest)
{
	struct gm_lesson lessons[] = {
		lesson(guest, GM_LESSON_NORMAL, "", CALM, 120),
		lesson(guest, GM_LESSON_FAULTY, "livelock", FAULT, 60),
	};
	assert_int_equal(gm_learned_teach(guest->detector, lessons, 2), 0);
}

static void test_untaught_is_silent(void **state)
{
	struct guest *guest = *state;
	live(guest, FAULT, 120);
	assert_int_equal(guest->findings, 0);
	assert_false(gm_learned_normal(guest->detector));
}

static void test_known_fault_comes_and_goes(void **state)
{
	struct guest *guest = *state;
	teach_both(guest);
	live(guest, CALM, 300);
	assert_true(guest->findings > 0);
	assert_false(guest->last.active);
	assert_true(gm_learned_normal(guest->detector));
	live(guest, FAULT, 60);
	assert_true(guest->last.active);
	assert_string_equal(guest->last.metric, "livelock");
	assert_string_equal(guest->last.detector, "learned");
	assert_true(guest->last.evidence.number[GM_EVIDENCE_SCORE] > 0.95);
	assert_non_null(strstr(guest->last.evidence.contributors, "net.tx.bytes"));
	assert_non_null(strstr(guest->last.evidence.contributors, "cpu.time"));
	assert_null(strstr(guest->last.evidence.contributors, "memory.used"));
	assert_false(gm_learned_normal(guest->detector));
	live(guest, CALM, 60);
	assert_false(guest->last.active);
}

static void test_other_trouble_is_not_that_fault(void **state)
{
	struct guest *guest = *state;
	teach_both(guest);
	live(guest, OTHER, 300);
	assert_false(guest->last.active);
	assert_false(gm_learned_normal(guest->detector));
}

static void test_one_odd_bin_is_no_fault(void **state)
{
	struct guest *guest = *state;
	teach_both(guest);
	for (int i = 0; i < 10; i++) {
		live(guest, CALM, 50);
		live(guest, FAULT, 8);
		assert_false(guest->last.active);
	}
}

static void test_rest_serves_where_nothing_is_normal(void **state)
{
	struct guest *guest = *state;
	struct gm_lesson lessons[] = {
		lesson(guest, GM_LESSON_REST, "livelock", CALM, 120),
		lesson(guest, GM_LESSON_FAULTY, "livelock", FAULT, 60),
	};
	assert_int_equal(gm_learned_teach(guest->detector, lessons, 2), 0);
	live(guest, CALM, 100);
	assert_false(guest->last.active);
	assert_false(gm_learned_normal(guest->detector)); /* nobody said so */
	live(guest, FAULT, 60);
	assert_true(guest->last.active);
	assert_int_equal(gm_learned_teach(guest->detector, NULL, 0), 0);
	guest->findings = 0;
	live(guest, FAULT, 60);
	assert_int_equal(guest->findings, 0);
}

static void test_reboot_begins_anew(void **state)
{
	struct guest *guest = *state;
	teach_both(guest);
	live(guest, FAULT, 60);
	assert_true(guest->last.active);
	gm_learned_ops.disturb(guest->detector, guest->now);
	live(guest, CALM, 1);
	assert_false(guest->last.active);
}

/* Lessons are taught again whenever any guest gets one. */
static void test_teaching_again_ends_nothing(void **state)
{
	struct guest *guest = *state;
	teach_both(guest);
	live(guest, FAULT, 60);
	assert_true(guest->last.active);
	const struct gm_finding_sink sink = {on_finding, guest};
	guest->findings = guest->ended = 0;
	teach_both(guest);
	gm_learned_ops.evaluate(guest->detector, guest->now, &sink);
	assert_int_equal(guest->findings, 1);
	live(guest, FAULT, 30);
	assert_int_equal(guest->ended, 0);
	live(guest, CALM, 60);
	assert_false(guest->last.active);
}

static void test_a_restart_ends_nothing(void **state)
{
	struct guest *guest = *state;
	struct gm_buffer bytes = GM_BUFFER_INIT(1 << 16);
	struct gm_archive archive = gm_archive_writer(&bytes);
	const struct gm_entity_key key = gm_entity_node();
	teach_both(guest);
	live(guest, FAULT, 60);
	gm_learned_ops.exchange(guest->detector, &archive);
	assert_true(gm_archive_done(&archive));
	gm_learned_ops.destroy(guest->detector);
	assert_int_equal(
		gm_learned_ops.create(gm_detector_settings_get(guest->settings, &gm_learned_ops),
				      &key, &guest->detector),
		0);
	archive = gm_archive_reader(bytes.data, bytes.length);
	gm_learned_ops.exchange(guest->detector, &archive);
	assert_true(gm_archive_done(&archive));
	gm_buffer_free(&bytes);
	guest->findings = guest->ended = 0;
	live(guest, FAULT, 30); /* nothing is taught yet */
	assert_int_equal(guest->findings, 0);
	teach_both(guest);
	live(guest, FAULT, 60);
	assert_true(guest->findings > 0);
	assert_int_equal(guest->ended, 0);
}

static void test_labels_are_known_while_they_are_taught(void **state)
{
	struct guest *guest = *state;
	assert_false(gm_learned_knows(guest->detector, "livelock"));
	teach_both(guest);
	assert_true(gm_learned_knows(guest->detector, "livelock"));
	assert_false(gm_learned_knows(guest->detector, "gc-storm"));
	assert_int_equal(gm_learned_teach(guest->detector, NULL, 0), 0);
	assert_false(gm_learned_knows(guest->detector, "livelock"));
}

/* Sources differ in how old their figures are: what comes late does not begin a bin of its own. */
static void test_late_points_do_not_cut_bins(void **state)
{
	(void)state;
	struct gm_binner binner = {0};
	struct gm_lesson_bin bin;
	int bins = 0;
	for (int64_t ms = 1000000; ms < 1100000; ms += 100) {
		struct gm_point point = {
			.metric = GM_METRIC_LOAD_1, .time = ms * GM_MILLISECOND, .value = 1};
		struct gm_point late = {.metric = GM_METRIC_MEMORY_USED,
					.time = (ms - 3000) * GM_MILLISECOND,
					.value = 2};
		bins += gm_binner_add(&binner, &point, &bin);
		bins += gm_binner_add(&binner, &late, &bin);
		if (bins > 0)
			assert_int_equal(bin.count, 2);
	}
	assert_int_equal(bins, 9);
	/* A clock that was set back is another matter. */
	const struct gm_point back = {
		.metric = GM_METRIC_LOAD_1, .time = 500 * GM_SECOND, .value = 1};
	assert_true(gm_binner_add(&binner, &back, &bin));
	assert_int_equal(binner.start, 500 * GM_SECOND);
}

static void test_bytes(void **state)
{
	struct guest *guest = *state;
	struct gm_lesson made = lesson(guest, GM_LESSON_FAULTY, "livelock", FAULT, 60), read = {0};
	struct gm_buffer bytes = GM_BUFFER_INIT(1 << 16);
	struct gm_archive out = gm_archive_writer(&bytes);
	gm_lesson_exchange(&made, &out);
	assert_true(gm_archive_done(&out));
	struct gm_archive in = gm_archive_reader(bytes.data, bytes.length);
	gm_lesson_exchange(&read, &in);
	assert_true(gm_archive_done(&in));
	assert_memory_equal(&made, &read, sizeof(made));
	for (size_t i = 0; i < bytes.length; i++) {
		char old = bytes.data[i];
		bytes.data[i] = (char)(old ^ 0x80);
		struct gm_lesson changed = {0};
		in = gm_archive_reader(bytes.data, bytes.length);
		gm_lesson_exchange(&changed, &in);
		if (gm_archive_done(&in))
			assert_int_equal(gm_learned_teach(guest->detector, &changed, 1), 0);
		bytes.data[i] = old;
	}
	gm_buffer_free(&bytes);
}

static void test_labels(void **state)
{
	(void)state;
	assert_true(gm_lesson_label_valid("gc-storm.2"));
	assert_false(gm_lesson_label_valid(""));
	assert_false(gm_lesson_label_valid("Has Spaces"));
	assert_false(gm_lesson_label_valid("a-label-that-is-longer-than-it-may-be"));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_untaught_is_silent),
		TEST(test_known_fault_comes_and_goes),
		TEST(test_other_trouble_is_not_that_fault),
		TEST(test_one_odd_bin_is_no_fault),
		TEST(test_rest_serves_where_nothing_is_normal),
		TEST(test_reboot_begins_anew),
		TEST(test_teaching_again_ends_nothing),
		TEST(test_a_restart_ends_nothing),
		TEST(test_labels_are_known_while_they_are_taught),
		TEST(test_late_points_do_not_cut_bins),
		TEST(test_bytes),
		TEST(test_labels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

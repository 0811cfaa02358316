/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The detector `policy`: sums over a guest's parts, windows, `for`, what is unknown, what is kept.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/policy.h"
#include "base/clock.h"

#define T0 (INT64_C(1700000000) * GM_SECOND)

struct rig {
	struct gm_policy_options options;
	struct gm_detector *detector;
	struct gm_entity_key guest;
	size_t count;
	struct gm_finding last;
};

static void take(void *user, const struct gm_finding *finding)
{
	struct rig *rig = user;

	rig->count++;
	rig->last = *finding;
}

static struct rig *rig_of(const char *condition)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct gm_error err = {.text = ""};

	assert_non_null(rig);
	rig->guest = gm_entity_guest((const uint8_t[GM_UUID_SIZE]){1});
	gm_option_defaults(gm_policy_ops.options, &rig->options);
	if (gm_option_set(gm_policy_ops.options, &rig->options, "condition", condition, &err) < 0 ||
	    gm_policy_ops.check(&rig->options, &err) < 0)
		fail_msg("%s", err.text);
	return rig;
}

static void set(struct rig *rig, const char *key, const char *text)
{
	assert_int_equal(gm_option_set(gm_policy_ops.options, &rig->options, key, text, NULL), 0);
}

static void start(struct rig *rig)
{
	assert_int_equal(gm_policy_ops.create(&rig->options, &rig->guest, &rig->detector), 0);
}

static void rig_free(struct rig *rig)
{
	gm_policy_ops.destroy(rig->detector);
	free(rig);
}

static void give(struct rig *rig, unsigned metric, int64_t time, double value)
{
	struct gm_finding_sink sink = {take, rig};
	struct gm_point point = {.metric = metric, .time = time, .value = value};

	gm_policy_ops.observe(rig->detector, &point, &sink);
}

/* What an interface counted in the second (or tenth of one) before `time`. */
static void give_port(struct rig *rig, const char *device, int64_t time, int64_t span,
		      double increase)
{
	struct gm_finding_sink sink = {take, rig};
	struct gm_entity_key key = gm_entity_interface(device);
	struct gm_point point = {
		.metric = GM_METRIC_NET_RX_DROPPED, .time = time, .span = span, .value = increase};

	gm_policy_ops.observe_part(rig->detector, &key, &point, &sink);
}

/* What it says when it is asked: 1 active, 0 ok, -1 nothing. */
static int asked(struct rig *rig, int64_t now)
{
	struct gm_finding_sink sink = {take, rig};
	size_t before = rig->count;

	gm_policy_ops.evaluate(rig->detector, now, &sink);
	return rig->count > before ? rig->last.active : -1;
}

/* Of a number that is made of several nobody knows it. */
static void the_unit_is_told_where_one_metric_is_compared(void **state)
{
	(void)state;
	static const struct {
		const char *condition, *unit;
	} cases[] = {
		{"memory.used > 1", "B"},
		{"memory.total > 9 or 1 < memory.used", "B"},
		{"not avg(memory.used, 10s) <= 1", "B"},
		{"memory.used / memory.total > 1%", ""},
		{"memory.used > memory.total * 0.1", ""},
		{"2 * memory.used > 1", ""},
		{"memory.used > 1 + 0", ""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *rig = rig_of(cases[i].condition);

		start(rig);
		give(rig, GM_METRIC_MEMORY_USED, T0, 5);
		give(rig, GM_METRIC_MEMORY_TOTAL, T0, 8);
		assert_int_equal(asked(rig, T0), 1);
		assert_string_equal(rig->last.evidence.unit, cases[i].unit);
		rig_free(rig);
	}
}

static void the_ports_of_a_guest_are_summed(void **state)
{
	(void)state;
	struct rig *rig = rig_of("vm.if_dropped.rx > 100");

	start(rig);
	assert_int_equal(asked(rig, T0), -1);
	for (int i = 1; i <= 3; i++) {
		give_port(rig, "tap0", T0 + i * GM_SECOND, GM_SECOND, 60);
		give_port(rig, "tap1", T0 + i * GM_SECOND, GM_SECOND, 40);
	}
	assert_int_equal(asked(rig, T0 + 3 * GM_SECOND),
			 0); /* 100: no port of its own, no mixture */
	assert_true(rig->last.evidence.number[GM_EVIDENCE_VALUE] == 100);
	give_port(rig, "tap0", T0 + 4 * GM_SECOND, GM_SECOND, 60);
	give_port(rig, "tap1", T0 + 4 * GM_SECOND, GM_SECOND, 41);
	assert_int_equal(asked(rig, T0 + 4 * GM_SECOND), 1);
	assert_true(rig->last.evidence.number[GM_EVIDENCE_VALUE] == 101);
	assert_true(rig->last.evidence.number[GM_EVIDENCE_LIMIT] == 100);
	assert_string_equal(rig->last.metric, "net.rx.dropped");
	assert_string_equal(rig->last.detector, "policy");
	assert_true(gm_entity_equal(&rig->last.key, &rig->guest));
	/* A port that is taken away counts no more, after half a minute. */
	for (int i = 5; i <= 40; i++)
		give_port(rig, "tap0", T0 + i * GM_SECOND, GM_SECOND, 60);
	assert_int_equal(asked(rig, T0 + 40 * GM_SECOND), 0);
	assert_true(rig->last.evidence.number[GM_EVIDENCE_VALUE] == 60);
	rig_free(rig);
}

static void the_rate_of_a_counter_is_over_its_window(void **state)
{
	(void)state;
	struct rig *rig =
		rig_of("rate(net.rx.dropped, 1s) >= 50 and max(net.rx.dropped, 1s) > 400");

	set(rig, "interval", "100ms");
	start(rig);
	for (int i = 1; i <= 30; i++)
		give_port(rig, "tap0", T0 + i * GM_SECOND / 10, GM_SECOND / 10, 0);
	assert_int_equal(asked(rig, T0 + 3 * GM_SECOND), 0);
	/* 56 in one tenth: 560 a second then, and about 50 a second over the window. */
	give_port(rig, "tap0", T0 + 31 * GM_SECOND / 10, GM_SECOND / 10, 56);
	size_t before = rig->count;
	give_port(rig, "tap0", T0 + 32 * GM_SECOND / 10, GM_SECOND / 10, 0);
	assert_int_equal(rig->count, before + 1); /* told at once, a tenth later */
	assert_true(rig->last.active);
	assert_int_equal(rig->last.time, T0 + 31 * GM_SECOND / 10);
	for (int i = 33; i <= 44; i++)
		give_port(rig, "tap0", T0 + i * GM_SECOND / 10, GM_SECOND / 10, 0);
	assert_int_equal(asked(rig, T0 + 5 * GM_SECOND), 0);
	rig_free(rig);
}

/* An agent that once served nonsense does not make small counts unseen for ever. */
static void a_leap_of_a_counter_is_forgotten(void **state)
{
	(void)state;
	struct rig *rig = rig_of("rate(net.rx.dropped, 10s) >= 5");

	start(rig);
	give_port(rig, "tap0", T0, GM_SECOND, 0x1p63);
	for (int i = 1; i <= 60; i++)
		give_port(rig, "tap0", T0 + i * GM_SECOND, GM_SECOND, i > 30 ? 6 : 4);
	assert_int_equal(asked(rig, T0 + 60 * GM_SECOND), 1);
	assert_float_equal(rig->last.evidence.number[GM_EVIDENCE_VALUE], 6, 1e-9);
	rig_free(rig);
}

static void a_condition_must_last(void **state)
{
	(void)state;
	struct rig *rig = rig_of("memory.used / memory.total > 90%");

	set(rig, "for", "5s");
	set(rig, "severity", "major");
	set(rig, "message", "{guest} is full");
	start(rig);
	give(rig, GM_METRIC_MEMORY_TOTAL, T0, 100);
	for (int i = 0; i < 5; i++) {
		give(rig, GM_METRIC_MEMORY_USED, T0 + i * GM_SECOND, 95);
		assert_int_equal(asked(rig, T0 + i * GM_SECOND), 0);
	}
	give(rig, GM_METRIC_MEMORY_USED, T0 + 5 * GM_SECOND, 80); /* a break */
	for (int i = 6; i < 11; i++) {
		give(rig, GM_METRIC_MEMORY_USED, T0 + i * GM_SECOND, 95);
		assert_int_equal(asked(rig, T0 + i * GM_SECOND), 0);
	}
	give(rig, GM_METRIC_MEMORY_USED, T0 + 11 * GM_SECOND, 95);
	assert_int_equal(asked(rig, T0 + 11 * GM_SECOND), 1);
	assert_int_equal(rig->last.severity, GM_SEVERITY_MAJOR);
	assert_string_equal(rig->last.message, "{guest} is full");
	give(rig, GM_METRIC_MEMORY_USED, T0 + 12 * GM_SECOND, 80);
	assert_int_equal(asked(rig, T0 + 12 * GM_SECOND), 0);
	rig_free(rig);
}

static void what_is_unknown_is_not_told(void **state)
{
	(void)state;
	struct rig *rig = rig_of("memory.used / memory.total > 0.5 or load.1 > 10");

	start(rig);
	give(rig, GM_METRIC_MEMORY_USED, T0, 60);
	assert_int_equal(asked(rig, T0), -1);
	give(rig, GM_METRIC_LOAD_1, T0 + GM_SECOND, 1);
	assert_int_equal(asked(rig, T0 + GM_SECOND), -1);
	give(rig, GM_METRIC_LOAD_1, T0 + 2 * GM_SECOND, 11); /* true, whatever the memory is */
	assert_int_equal(asked(rig, T0 + 2 * GM_SECOND), 1);
	give(rig, GM_METRIC_LOAD_1, T0 + 3 * GM_SECOND, 1); /* unknown again: neither ends it */
	assert_int_equal(asked(rig, T0 + 3 * GM_SECOND), 1);
	give(rig, GM_METRIC_MEMORY_TOTAL, T0 + 4 * GM_SECOND, 0);
	assert_int_equal(asked(rig, T0 + 4 * GM_SECOND), 1); /* a division by zero is unknown */
	give(rig, GM_METRIC_MEMORY_TOTAL, T0 + 5 * GM_SECOND, 1000);
	assert_int_equal(asked(rig, T0 + 5 * GM_SECOND), 0);
	give(rig, GM_METRIC_MEMORY_USED, T0 + 6 * GM_SECOND, (double)NAN);
	give(rig, GM_METRIC_CPU_COUNT, T0 + 6 * GM_SECOND, 5); /* not its business */
	assert_int_equal(asked(rig, T0 + 6 * GM_SECOND), 0);
	rig_free(rig);
}

static void a_clock_set_back_begins_anew(void **state)
{
	(void)state;
	struct rig *rig = rig_of("avg(load.1, 10s) > 5");

	start(rig);
	for (int i = 0; i < 20; i++)
		give(rig, GM_METRIC_LOAD_1, T0 + i * GM_SECOND, 9);
	assert_int_equal(asked(rig, T0 + 20 * GM_SECOND), 1);
	for (int i = 0; i < 3; i++)
		give(rig, GM_METRIC_LOAD_1, T0 - 3600 * GM_SECOND + i * GM_SECOND, 1);
	assert_int_equal(asked(rig, T0 - 3597 * GM_SECOND), 0);
	rig_free(rig);
}

/* An agent that died an hour ago says nothing of now; what is told once for all holds. */
static void what_is_told_no_more_is_unknown(void **state)
{
	(void)state;
	struct rig *rig = rig_of("memory.used > 5 and load.1 > 5 and cpu.count > 1");
	int64_t later = T0 + 3600 * GM_SECOND;

	start(rig);
	give(rig, GM_METRIC_CPU_COUNT, T0, 2);
	for (int i = 0; i < 10; i++)
		give(rig, GM_METRIC_MEMORY_USED, T0 + i * GM_SECOND, 9);
	give(rig, GM_METRIC_LOAD_1, later, 9);
	assert_int_equal(asked(rig, later), -1);
	give(rig, GM_METRIC_MEMORY_USED, later + GM_SECOND, 9);
	assert_int_equal(asked(rig, later + GM_SECOND), 1);
	rig_free(rig);
}

/* What it waits for is not put off until the clock is where it was. */
static void a_clock_set_back_puts_nothing_off(void **state)
{
	(void)state;
	struct rig *rig = rig_of("load.1 > 5");

	set(rig, "for", "60s");
	start(rig);
	give(rig, GM_METRIC_LOAD_1, T0, 9);
	assert_int_equal(asked(rig, T0), 0);
	for (int i = 0; i <= 61; i++)
		give(rig, GM_METRIC_LOAD_1, T0 - (3600 - i) * GM_SECOND, 9);
	assert_int_equal(asked(rig, T0 - 3539 * GM_SECOND), 1);
	rig_free(rig);
}

/* A node without a battery comes up in 1970. */
static void a_clock_that_is_set_at_last_does_no_harm(void **state)
{
	(void)state;
	struct rig *rig = rig_of("vm.if_dropped.rx > 100");

	start(rig);
	give_port(rig, "tap0", GM_SECOND, GM_SECOND, 60);
	give_port(rig, "tap0", T0, GM_SECOND, 160);
	assert_int_equal(asked(rig, T0), 1);
	give_port(rig, "tap0", T0 + GM_SECOND, GM_SECOND, 60);
	assert_int_equal(asked(rig, T0 + GM_SECOND), 0);
	rig_free(rig);
}

static void kept_bytes_may_be_any(void **state)
{
	(void)state;
	struct rig *rig = rig_of("load.1 > 5");
	struct gm_buffer bytes = GM_BUFFER_INIT(4096);

	set(rig, "for", "60s");
	start(rig);
	give(rig, GM_METRIC_LOAD_1, T0, 9);
	assert_int_equal(asked(rig, T0), 0);
	struct gm_archive out = gm_archive_writer(&bytes);
	gm_policy_ops.exchange(rig->detector, &out);
	assert_true(gm_archive_done(&out));
	for (size_t i = 0; i < 2 * (bytes.length - 8); i++) {
		char before[8], *at = bytes.data + i / 2;

		memcpy(before, at, sizeof(before));
		memset(at, i % 2 ? 0 : 0xff, 8);
		at[7] = i % 2 ? (char)0x80 : 0x7f; /* the least and the most */
		gm_policy_ops.destroy(rig->detector);
		start(rig);
		struct gm_archive in = gm_archive_reader(bytes.data, bytes.length);
		gm_policy_ops.exchange(rig->detector, &in);
		if (gm_archive_done(&in)) {
			give(rig, GM_METRIC_LOAD_1, T0 + GM_SECOND, 9);
			asked(rig, T0 + GM_SECOND);
		}
		memcpy(at, before, sizeof(before));
	}
	gm_buffer_free(&bytes);
	rig_free(rig);
}

static void what_is_kept_goes_on(void **state)
{
	(void)state;
	struct rig *rig = rig_of("load.5 > 5 or avg(memory.used, 10s) > 5");
	struct gm_buffer bytes = GM_BUFFER_INIT(4096);

	start(rig);
	give(rig, GM_METRIC_LOAD_5, T0, 1);
	give(rig, GM_METRIC_MEMORY_USED, T0, 9);
	assert_int_equal(asked(rig, T0), 1);
	assert_string_equal(rig->last.evidence.unit, "B");
	struct gm_archive out = gm_archive_writer(&bytes);
	gm_policy_ops.exchange(rig->detector, &out);
	assert_true(gm_archive_done(&out));
	gm_policy_ops.destroy(rig->detector);
	start(rig);
	struct gm_archive in = gm_archive_reader(bytes.data, bytes.length);
	gm_policy_ops.exchange(rig->detector, &in);
	assert_true(gm_archive_done(&in));
	rig->last = (struct gm_finding){0};
	assert_int_equal(asked(rig, T0 + GM_SECOND), 1);
	assert_true(rig->last.evidence.number[GM_EVIDENCE_VALUE] == 9);
	assert_string_equal(rig->last.evidence.unit, "B");
	give(rig, GM_METRIC_LOAD_5, T0 + 2 * GM_SECOND, 1);
	give(rig, GM_METRIC_MEMORY_USED, T0 + 2 * GM_SECOND, 1);
	assert_int_equal(asked(rig, T0 + 2 * GM_SECOND), 0);
	gm_buffer_free(&bytes);
	rig_free(rig);
}

/* What is kept of a condition that holds for a while, of two series, told in the second. */
static struct rig *kept_of_two(struct gm_buffer *bytes)
{
	struct rig *rig = rig_of("load.5 > 5 or memory.used > 5");

	set(rig, "for", "60s");
	start(rig);
	give(rig, GM_METRIC_LOAD_5, T0, 1);
	give(rig, GM_METRIC_MEMORY_USED, T0, 9);
	assert_int_equal(asked(rig, T0), 0);
	struct gm_archive out = gm_archive_writer(bytes);
	gm_policy_ops.exchange(rig->detector, &out);
	assert_true(gm_archive_done(&out));
	gm_policy_ops.destroy(rig->detector);
	return rig;
}

static void it_holds_since_then(struct rig *rig, const struct gm_buffer *bytes)
{
	start(rig);
	struct gm_archive in = gm_archive_reader(bytes->data, bytes->length);
	gm_policy_ops.exchange(rig->detector, &in);
	assert_true(gm_archive_done(&in));
	give(rig, GM_METRIC_LOAD_5, T0 + 60 * GM_SECOND, 9);
	assert_int_equal(asked(rig, T0 + 60 * GM_SECOND), 1);
	rig_free(rig);
}

static void a_condition_that_was_made_shorter_goes_on(void **state)
{
	(void)state;
	struct gm_buffer bytes = GM_BUFFER_INIT(4096);
	struct rig *rig = kept_of_two(&bytes);

	set(rig, "condition", "load.5 > 5");
	it_holds_since_then(rig, &bytes);
	gm_buffer_free(&bytes);
}

static void what_an_older_version_kept_goes_on(void **state)
{
	(void)state;
	struct gm_buffer bytes = GM_BUFFER_INIT(4096);
	struct rig *rig = kept_of_two(&bytes);

	assert_string_equal(bytes.data, "policy 2");
	bytes.data[7] = '1';
	bytes.length -= sizeof(uint64_t); /* the series that it is told in */
	it_holds_since_then(rig, &bytes);
	gm_buffer_free(&bytes);
}

static void mistakes_name_key_and_place(void **state)
{
	(void)state;
	struct gm_policy_options options;
	struct gm_error err;

	gm_option_defaults(gm_policy_ops.options, &options);
	assert_false(gm_policy_ops.concerns(&options, GM_ENTITY_GUEST));
	assert_int_equal(gm_policy_ops.check(&options, &err), -EINVAL);
	assert_string_equal(err.text, "condition: the policy has none");
	gm_option_set(gm_policy_ops.options, &options, "condition", "load.1 > 1 and\n load.7 > 1",
		      NULL);
	assert_int_equal(gm_policy_ops.check(&options, &err), -EINVAL);
	assert_string_equal(err.text, "condition:2:2: there is no metric \"load.7\"");
	gm_option_set(gm_policy_ops.options, &options, "condition", "load.1 > 1", NULL);
	gm_option_set(gm_policy_ops.options, &options, "message", "{", NULL);
	assert_int_equal(gm_policy_ops.check(&options, &err), -EINVAL);
	assert_non_null(strstr(err.text, "message: a '{' without its '}'"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ports_of_a_guest_are_summed),
		cmocka_unit_test(the_unit_is_told_where_one_metric_is_compared),
		cmocka_unit_test(the_rate_of_a_counter_is_over_its_window),
		cmocka_unit_test(a_leap_of_a_counter_is_forgotten),
		cmocka_unit_test(a_condition_must_last),
		cmocka_unit_test(what_is_unknown_is_not_told),
		cmocka_unit_test(a_clock_set_back_begins_anew),
		cmocka_unit_test(what_is_told_no_more_is_unknown),
		cmocka_unit_test(a_clock_set_back_puts_nothing_off),
		cmocka_unit_test(a_clock_that_is_set_at_last_does_no_harm),
		cmocka_unit_test(kept_bytes_may_be_any),
		cmocka_unit_test(what_is_kept_goes_on),
		cmocka_unit_test(a_condition_that_was_made_shorter_goes_on),
		cmocka_unit_test(what_an_older_version_kept_goes_on),
		cmocka_unit_test(mistakes_name_key_and_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

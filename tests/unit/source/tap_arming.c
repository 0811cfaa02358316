/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports that are armed: levels and credit without a clock; then a real tap under the real runner, whose
 * readings come closer while it bursts and go apart again; what that does to a fold. And the operator's rates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "netns.h"
#include "source/runner.h"
#include "source/tap/arming.h"
#include "source/tap/rates.h"
#include "source/tap/tap.h"

#define BIN (10 * GM_MILLISECOND)

static void an_excess_is_beyond_the_usual(void **state)
{
	struct gm_tap_level level = {0};

	(void)state;
	/* What is new is not known well enough to be surprising. */
	for (int i = 0; i < 99; i++) {
		assert_false(gm_tap_level_take(&level, 100000, 0, BIN));
	}
	for (int i = 0; i < 500; i++) {
		assert_false(gm_tap_level_take(&level, 100000, 0, BIN));
	}
	assert_false(gm_tap_level_take(&level, 300000, 0, BIN));
	assert_true(gm_tap_level_take(&level, 600000, 0, BIN));
	assert_true(gm_tap_level_take(&level, 0, 100000, BIN)); /* the other direction was idle */
	/* An idle port's single small packet is none. */
	level = (struct gm_tap_level){.known = GM_SECOND};
	assert_false(gm_tap_level_take(&level, 1200, 0, BIN));
	assert_true(gm_tap_level_take(&level, 1300, 0, BIN));
	/* The same volume in a bin ten times as long is a tenth of the rate. */
	level = (struct gm_tap_level){.known = GM_SECOND};
	assert_false(gm_tap_level_take(&level, 1300, 0, 10 * BIN));
}

static void few_are_armed_for_a_while(void **state)
{
	struct gm_tap_arming arming = {.time = 200 * GM_MILLISECOND, .share = 0.1};
	int64_t now = GM_SECOND;

	(void)state;
	for (uint32_t i = 1; i <= GM_TAP_ARMED_MAX + 2; i++) {
		gm_tap_arming_excess(&arming, i, now);
	}
	assert_int_equal(arming.count, GM_TAP_ARMED_MAX);
	assert_int_equal(arming.refused, 2);
	now += 100 * GM_MILLISECOND;
	gm_tap_arming_excess(&arming, 3, now); /* again: it stays longer */
	assert_int_equal(arming.count, GM_TAP_ARMED_MAX);
	gm_tap_arming_settle(&arming, now + 100 * GM_MILLISECOND, 200 * GM_MILLISECOND);
	assert_int_equal(arming.count, 1);
	assert_int_equal(arming.list[0].index, 3);
	gm_tap_arming_settle(&arming, now + 200 * GM_MILLISECOND, 100 * GM_MILLISECOND);
	assert_int_equal(arming.count, 0);
}

/* A port that bursts for ever is armed for its share of the time. */
static void credit_is_spent(void **state)
{
	struct gm_tap_arming arming = {.time = 200 * GM_MILLISECOND, .share = 0.1};
	int64_t armed = 0, now = GM_SECOND;

	(void)state;
	for (int i = 0; i < 60000; i++, now += BIN) {
		int64_t spent = arming.count > 0 ? BIN : 0;

		armed += spent;
		gm_tap_arming_settle(&arming, now, spent);
		gm_tap_arming_excess(&arming, 1, now);
	}
	/* Ten minutes: a tenth, and the first minute's credit. */
	assert_in_range(armed, 58 * GM_SECOND, 68 * GM_SECOND);
	assert_true(arming.refused > 0);
	struct gm_tap_arming never = {.time = 200 * GM_MILLISECOND, .share = 0};

	gm_tap_arming_excess(&never, 1, now);
	assert_int_equal(never.count, 0);
}

static void rates_are_the_operators(void **state)
{
	static const char *const wrong[] = {"tap*",      "=1G",    "tap*=",    "tap*=fast",
					    "tap*=1G,,", "tap*=0", ",tap*=1G", "a=1G,b"};
	struct gm_error err;
	double rate = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (gm_tap_rates_check(wrong[i], &err) == 0) {
			fail_msg("%s was taken", wrong[i]);
		}
	}
	assert_int_equal(gm_tap_rates_check("", &err), 0);
	assert_int_equal(gm_tap_rates_check("tap1=100M,tap*=1G,eth?=2.5G", &err), 0);
	assert_true(gm_tap_rates_find("tap1=100M,tap*=1G,eth?=2.5G", "tap1", &rate));
	assert_true(rate == 1e8);
	assert_true(gm_tap_rates_find("tap1=100M,tap*=1G,eth?=2.5G", "tap12", &rate));
	assert_true(rate == 1e9);
	assert_true(gm_tap_rates_find("tap1=100M,tap*=1G,eth?=2.5G", "eth0", &rate));
	assert_true(rate == 2.5e9);
	assert_false(gm_tap_rates_find("tap1=100M,tap*=1G,eth?=2.5G", "eth10", &rate));
	assert_false(gm_tap_rates_find("", "eth10", &rate));
}

/* What the runner's thread got; the test reads it once the runner has stopped. */
enum { READINGS_MAX = 65536 };

struct watch {
	struct gm_source_sink sink;
	size_t count;
	int64_t times[READINGS_MAX];
	uint64_t bytes[READINGS_MAX];
	double speed;
};

static void on_samples(void *user, struct gm_batch *batch)
{
	struct watch *watch = user;

	for (size_t i = 0; i < batch->frame_count; i++) {
		const struct gm_frame *frame = &batch->frames[i];
		const struct gm_reading *readings = gm_batch_readings(batch, frame);
		bool ours = strcmp(frame->key.name, "burst0") == 0;

		for (size_t k = 0; ours && k < frame->count; k++) {
			if (readings[k].metric == GM_METRIC_NET_SPEED) {
				watch->speed = readings[k].value.gauge;
			}
			if (readings[k].metric == GM_METRIC_NET_RX_BYTES) {
				assert_true(watch->count < READINGS_MAX);
				watch->times[watch->count] = frame->measured_at;
				watch->bytes[watch->count++] = readings[k].value.counter;
			}
		}
	}
	gm_batch_free(batch);
}

static void on_seen(void *user, enum gm_source_id source, const struct gm_entity_info *info)
{
	(void)user;
	(void)source;
	(void)info;
}

static void on_gone(void *user, enum gm_source_id source, const struct gm_entity_key *key,
		    int64_t time)
{
	(void)user;
	(void)source;
	(void)key;
	(void)time;
}

static void on_status(void *user, const struct gm_source_status *status)
{
	(void)user;
	(void)status;
}

static void pause_for(int64_t duration)
{
	struct timespec time = {.tv_sec = duration / GM_SECOND, .tv_nsec = duration % GM_SECOND};

	nanosleep(&time, NULL);
}

/* Readings of movement in (begin, end] and how many of the gaps before them are shorter than 4 ms. */
static void count_close(const struct watch *watch, int64_t begin, int64_t end, size_t *ret_all,
			size_t *ret_close)
{
	*ret_all = *ret_close = 0;
	for (size_t i = 1; i < watch->count; i++) {
		int64_t gap = watch->times[i] - watch->times[i - 1];

		assert_true(gap > 0);
		assert_true(watch->bytes[i] >= watch->bytes[i - 1]);
		if (watch->times[i] > begin && watch->times[i] <= end) {
			*ret_all += 1;
			*ret_close += gap < 4 * GM_MILLISECOND;
		}
	}
}

static void readings_come_closer_in_a_burst(void **state)
{
	static struct watch watch;
	struct gm_tap_options options;
	struct gm_source *source;
	struct gm_runner *runner;
	size_t all, close, steady_all, steady_close;
	int tap = netns_tap("burst0");

	(void)state;
	assert_true(tap >= 0);
	watch.sink = (struct gm_source_sink){.samples = on_samples,
					     .seen = on_seen,
					     .gone = on_gone,
					     .status = on_status,
					     .user = &watch};
	gm_option_defaults(gm_tap_option_table, &options);
	assert_int_equal(options.armed_interval, 0);
	options.armed_interval = GM_MILLISECOND;
	options.armed_share = 1;
	snprintf(options.rates, sizeof(options.rates), "burst*=200M");
	assert_int_equal(gm_tap_create(&options, &source), 0);
	assert_int_equal(gm_runner_start(source,
					 &(struct gm_runner_options){.interval = options.interval},
					 &watch.sink, &runner),
			 0);
	int64_t begin = gm_clock_now();

	/* A steady trickle: 0.8 Mbit/s, and the level gets known. */
	for (int i = 0; i < 400; i++) {
		netns_write(tap, 1, 500);
		pause_for(5 * GM_MILLISECOND);
	}
	int64_t burst = gm_clock_now();

	for (int i = 0; i < 150; i++) {
		netns_write(tap, 20, 1000);
		pause_for(GM_MILLISECOND);
	}
	int64_t over = gm_clock_now();

	pause_for(400 * GM_MILLISECOND);
	for (int i = 0; i < 100; i++) {
		netns_write(tap, 1, 500);
		pause_for(5 * GM_MILLISECOND);
	}
	assert_int_equal(gm_runner_stop(runner, 5 * GM_SECOND), 0);
	count_close(&watch, begin, burst, &steady_all, &steady_close);
	count_close(&watch, burst, over, &all, &close);
	print_message("steady: %zu of %zu close; burst: %zu of %zu\n", steady_close, steady_all,
		      close, all);
	assert_true(steady_all > 20 && all > 5);
	assert_true(steady_close * 10 <= steady_all);
	assert_true(close * 2 >= all);
	count_close(&watch, over + 400 * GM_MILLISECOND, INT64_MAX, &all, &close);
	assert_true(all > 5 && close * 10 <= all);
	assert_true(watch.speed == 2e8);
}

/* Kept frames of two ports, batch by batch. */
struct kept {
	struct gm_source *source;
	struct gm_source_sink sink;
	unsigned armed, idle; /* all of them */
	unsigned unlike;      /* batches that had the one's and not the other's */
	unsigned fine;        /* frames of the armed port */
};

static void on_fold(void *user, struct gm_batch *batch)
{
	struct kept *kept = user;
	unsigned armed = 0, idle = 0;

	for (size_t i = 0; i < batch->frame_count; i++) {
		const struct gm_frame *frame = &batch->frames[i];
		bool fine = (frame->flags & GM_FRAME_FINE) != 0;
		bool ours = strcmp(frame->key.name, "armed0") == 0;

		armed += ours && !fine;
		idle += !ours && !fine;
		kept->fine += ours && fine;
	}
	kept->armed += armed;
	kept->idle += idle;
	kept->unlike += armed != idle;
	gm_batch_free(batch);
}

/* A tick `wait` ns after `*at`; awake, for a sleep ends too late for what is tested here. */
static void tick_after(struct kept *kept, int64_t *at, int64_t wait)
{
	struct gm_error err = {.text = ""};
	uint32_t entities;

	while (gm_clock_monotonic() - *at < wait) {
	}
	*at = gm_clock_monotonic();
	if (kept->source->ops->poll(kept->source, gm_clock_now(), &kept->sink, &entities, &err) < 0)
		fail_msg("%s", err.text);
}

/*
 * A reading that is left out ends the fold with the next one: with the next of all ports, for else the ports
 * that are not armed have no frame in it.
 */
static void a_fold_ends_for_all_while_one_is_armed(void **state)
{
	struct kept kept = {.sink = {.seen = on_seen, .gone = on_gone, .status = on_status}};
	int tap = netns_tap("armed0"), idle = netns_tap("idle0");
	int64_t begin = gm_clock_monotonic(), at = begin;
	struct gm_error err = {.text = ""};
	struct gm_tap_options options;

	(void)state;
	assert_true(tap >= 0 && idle >= 0);
	kept.sink.samples = on_fold;
	kept.sink.user = &kept;
	gm_option_defaults(gm_tap_option_table, &options);
	options.armed_interval = GM_MILLISECOND;
	options.armed_time = 10 * GM_SECOND;
	options.armed_share = 1;
	snprintf(options.devices, sizeof(options.devices), "armed0,idle0");
	assert_int_equal(gm_tap_create(&options, &kept.source), 0);
	assert_int_equal(kept.source->ops->open(kept.source, &err), 0);
	/* Until what is usual is known; then more than that. */
	while (at - begin < 1200 * GM_MILLISECOND)
		tick_after(&kept, &at, options.interval);
	assert_int_equal(kept.source->ops->pace(kept.source), options.interval);
	netns_write(tap, 100, 1000);
	int64_t deadline = at + 5 * GM_SECOND;
	while (kept.source->ops->pace(kept.source) != GM_MILLISECOND && at < deadline)
		tick_after(&kept, &at, options.interval);
	assert_int_equal(kept.source->ops->pace(kept.source), GM_MILLISECOND);
	/*
	 * A tick nearly half a slot late and one nearly half a slot early, time and again: the second of such a
	 * pair is left out.
	 */
	kept.fine = 0;
	for (int i = 0; i < 200; i++) {
		netns_write(tap, 1, 500);
		tick_after(&kept, &at, 1350 * GM_MICROSECOND);
		tick_after(&kept, &at, 100 * GM_MICROSECOND);
	}
	assert_true(kept.fine > 20);
	assert_true(kept.armed > 5);
	assert_int_equal(kept.armed, kept.idle);
	assert_int_equal(kept.unlike, 0);
	kept.source->ops->close(kept.source);
	kept.source->ops->destroy(kept.source);
	close(tap);
	close(idle);
}

int main(void)
{
	const struct CMUnitTest pure[] = {
		cmocka_unit_test(an_excess_is_beyond_the_usual),
		cmocka_unit_test(few_are_armed_for_a_while),
		cmocka_unit_test(credit_is_spent),
		cmocka_unit_test(rates_are_the_operators),
	};
	const struct CMUnitTest real[] = {
		cmocka_unit_test(readings_come_closer_in_a_burst),
		cmocka_unit_test(a_fold_ends_for_all_while_one_is_armed),
	};
	int failed = cmocka_run_group_tests(pure, NULL, NULL);

	if (failed != 0) {
		return failed;
	}
	if (netns_enter() < 0) {
		return NETNS_SKIP;
	}
	return cmocka_run_group_tests(real, NULL, NULL);
}

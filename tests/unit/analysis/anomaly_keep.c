/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The anomaly detector over several metrics, parts and restarts: contributors, stuck counters, error
 * counters, what is kept, and what it costs.
 */
#include "anomaly_feed.h"

#include "analysis/anomaly_metric.h"
#include "base/archive.h"
#include "base/buffer.h"

#define FAULT (4 * DAY)

/* A guest with a few metrics of its own and a port, one row. */
static void feed_guest(struct feed *feed, const struct gm_entity_key *port, double load, bool stuck,
		       double errors)
{
	double traffic = 1e5 * load * (1 + 0.2 * noise(feed));

	feed_increase(feed, NULL, GM_METRIC_CPU_TIME,
		      feed->step * 1e9 * fmax(load + 0.02 * noise(feed), 0.001));
	feed_value(feed, GM_METRIC_MEMORY_USED, 1e9 + 1e7 * noise(feed));
	feed_value(feed, GM_METRIC_MEMORY_TOTAL, 4e9);
	feed_increase(feed, port, GM_METRIC_NET_RX_BYTES,
		      stuck ? 0 : floor(feed->step * fmax(traffic, 10)));
	feed_increase(feed, port, GM_METRIC_NET_TX_BYTES, floor(feed->step * fmax(traffic, 10)));
	feed_increase(feed, port, GM_METRIC_NET_RX_ERRORS, errors);
	feed_end_row(feed);
}

static void those_that_stand_out_are_named(void **state)
{
	(void)state;
	struct gm_entity_key port = gm_entity_interface("tap7");
	struct feed feed;

	feed_open(&feed, 60);
	while (feed.now < FAULT)
		feed_guest(&feed, &port, 0.2, false, 0);
	assert_int_equal(feed.raises, 0);
	while (feed.now < FAULT + HOUR)
		feed_guest(&feed, &port, 1.5, false, 0);
	assert_int_equal(feed.raises, 1);
	assert_true(feed.raised_at < FAULT + 10 * 60);
	assert_non_null(strstr(feed.raised.evidence.contributors, "cpu.time"));
	assert_non_null(strstr(feed.last.evidence.contributors, "net.tx.bytes@tap7"));
	assert_null(strstr(feed.raised.evidence.contributors, "memory.used"));
	feed_close(&feed);
}

static void a_stuck_counter_is_found_while_others_move(void **state)
{
	(void)state;
	struct gm_entity_key port = gm_entity_interface("tap7");
	struct feed feed;

	feed_open(&feed, 60);
	while (feed.now < FAULT)
		feed_guest(&feed, &port, 0.2, false, 0);
	while (feed.now < FAULT + HOUR)
		feed_guest(&feed, &port, 0.2, true, 0);
	assert_int_equal(feed.raises, 1);
	assert_int_equal(strncmp(feed.raised.evidence.contributors, "net.rx.bytes@tap7", 17), 0);
	feed_close(&feed);
}

static void a_paused_guest_is_no_news(void **state)
{
	(void)state;
	struct gm_entity_key port = gm_entity_interface("tap7");
	struct feed feed;

	feed_open(&feed, 60);
	while (feed.now < FAULT)
		feed_guest(&feed, &port, 0.2, false, 0);
	while (feed.now < FAULT + HOUR) {
		feed_value(&feed, GM_METRIC_GUEST_STATE, 3);
		feed_increase(&feed, NULL, GM_METRIC_CPU_TIME, 0);
		feed_increase(&feed, &port, GM_METRIC_NET_TX_BYTES, 0);
		feed_end_row(&feed);
	}
	feed_value(&feed, GM_METRIC_GUEST_STATE, 1);
	while (feed.now < FAULT + HOUR + 300) /* catches up */
		feed_guest(&feed, &port, 1.5, false, 0);
	while (feed.now < FAULT + 3 * HOUR)
		feed_guest(&feed, &port, 0.2, false, 0);
	assert_int_equal(feed.raises, 0);
	while (feed.now < FAULT + 4 * HOUR)
		feed_guest(&feed, &port, 3, false, 0);
	assert_int_equal(feed.raises, 1); /* and is watched again */
	feed_close(&feed);
}

struct told {
	unsigned active, ok;
	struct gm_finding last;
};

static void take_errors(void *user, const struct gm_finding *finding)
{
	struct told *told = user;

	if (strcmp(finding->metric, "net.rx.errors") != 0)
		return;
	told->active += finding->active;
	told->ok += !finding->active;
	if (finding->active)
		told->last = *finding;
}

static void errors_are_held_against_their_rate(void **state)
{
	(void)state;
	struct gm_entity_key port = gm_entity_interface("tap7");
	struct told told = {0};
	struct feed feed;

	feed_open(&feed, 10);
	feed.sink = (struct gm_finding_sink){.emit = take_errors, .user = &told};
	while (feed.now < DAY) /* one in a while is usual here */
		feed_guest(&feed, &port, 0.2, false, uniform(&feed) < 0.05);
	assert_int_equal(told.active, 0);
	assert_true(told.ok > 0);
	while (feed.now < DAY + 120)
		feed_guest(&feed, &port, 0.2, false, 30);
	assert_true(told.active > 0);
	assert_string_equal(told.last.evidence.contributors, "net.rx.errors@tap7");
	assert_true(fabs(told.last.evidence.number[GM_EVIDENCE_VALUE] - 3) < 1);
	assert_true(told.last.evidence.number[GM_EVIDENCE_LIMIT] < 0.02);
	while (feed.now < DAY + 2 * HOUR)
		feed_guest(&feed, &port, 0.2, false, 0);
	told.active = 0;
	feed_guest(&feed, &port, 0.2, false, 0);
	assert_int_equal(told.active, 0); /* it is over */
	feed_close(&feed);
}

static void what_was_learned_is_kept(void **state)
{
	(void)state;
	struct gm_entity_key port = gm_entity_interface("tap7");
	const struct gm_entity_key key = gm_entity_guest((const uint8_t[GM_UUID_SIZE]){7});
	struct feed whole, kept;

	feed_open(&whole, 7);
	feed_open(&kept, 7);
	for (int i = 0; i < 30000; i++) {
		feed_guest(&whole, &port, i < 29000 ? 0.2 : 0.9, false, i % 100 == 0);
		feed_guest(&kept, &port, i < 29000 ? 0.2 : 0.9, false, i % 100 == 0);
		if (i % 7001 != 7000)
			continue;
		struct gm_buffer bytes = GM_BUFFER_INIT(1 << 20);
		struct gm_archive out = gm_archive_writer(&bytes);

		gm_anomaly_ops.exchange(kept.detector, &out);
		assert_true(gm_archive_done(&out));
		gm_anomaly_ops.destroy(kept.detector);
		assert_int_equal(gm_anomaly_ops.create(&kept.options, &key, &kept.detector), 0);
		struct gm_archive in = gm_archive_reader(bytes.data, bytes.length);
		gm_anomaly_ops.exchange(kept.detector, &in);
		assert_true(gm_archive_done(&in));
		gm_buffer_free(&bytes);
	}
	assert_true(whole.raises > 0);
	assert_int_equal(whole.raises, kept.raises);
	assert_int_equal(whole.findings, kept.findings);
	assert_true(whole.scores == kept.scores);
	feed_close(&whole);
	feed_close(&kept);
}

static void damaged_bytes_are_refused(void **state)
{
	(void)state;
	struct gm_entity_key port = gm_entity_interface("tap7");
	const struct gm_entity_key key = gm_entity_guest((const uint8_t[GM_UUID_SIZE]){7});
	struct gm_buffer bytes = GM_BUFFER_INIT(1 << 20);
	struct gm_archive out = gm_archive_writer(&bytes);
	struct feed feed;

	feed_open(&feed, 60);
	for (int i = 0; i < 500; i++)
		feed_guest(&feed, &port, 0.2, false, 0);
	gm_anomaly_ops.exchange(feed.detector, &out);
	for (size_t cut = 0; cut < bytes.length; cut += 97) {
		struct gm_archive in = gm_archive_reader(bytes.data, cut);
		struct gm_detector *fresh;

		assert_int_equal(gm_anomaly_ops.create(&feed.options, &key, &fresh), 0);
		gm_anomaly_ops.exchange(fresh, &in);
		assert_false(gm_archive_done(&in));
		gm_anomaly_ops.destroy(fresh);
	}
	/* Whatever is changed, what was read can be used and gives a score. */
	for (size_t at = 0; at < bytes.length; at += 53) {
		struct feed other;
		uint8_t before = ((uint8_t *)bytes.data)[at];

		feed_open(&other, 60);
		other.now = feed.now;
		((uint8_t *)bytes.data)[at] = (uint8_t)~before;
		struct gm_archive in = gm_archive_reader(bytes.data, bytes.length);
		gm_anomaly_ops.exchange(other.detector, &in);
		for (int i = 0; i < 3; i++)
			feed_guest(&other, &port, 0.2, false, 0);
		((uint8_t *)bytes.data)[at] = before;
		feed_close(&other);
	}
	gm_buffer_free(&bytes);
	feed_close(&feed);
}

static void the_state_is_bounded(void **state)
{
	(void)state;
	struct feed feed;

	assert_true(sizeof(struct gm_anomaly_metric) <= 8192);
	feed_open(&feed, 60);
	for (int row = 0; row < 3; row++) {
		for (unsigned i = 0; i < 1000; i++)
			feed_value(&feed, GM_METRIC_EXTRA + i, i);
		feed_end_row(&feed);
	}
	struct gm_buffer bytes = GM_BUFFER_INIT(1 << 20);
	struct gm_archive out = gm_archive_writer(&bytes);

	gm_anomaly_ops.exchange(feed.detector, &out);
	assert_true(gm_archive_done(&out));
	assert_true(bytes.length < GM_DETECTOR_STATE_MAX * 3 / 4);
	gm_buffer_free(&bytes);
	feed_close(&feed);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(those_that_stand_out_are_named),
	cmocka_unit_test(a_stuck_counter_is_found_while_others_move),
	cmocka_unit_test(a_paused_guest_is_no_news),
	cmocka_unit_test(errors_are_held_against_their_rate),
	cmocka_unit_test(what_was_learned_is_kept),
	cmocka_unit_test(damaged_bytes_are_refused),
	cmocka_unit_test(the_state_is_bounded),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept over a restart: a restored detector goes on as if there had been none, and bytes that are
 * not its own do no harm.
 */
#include "burst_traffic.h"

#include <string.h>

static struct gm_buffer save(const struct fixture *f)
{
	struct gm_buffer bytes = GM_BUFFER_INIT(GM_DETECTOR_STATE_MAX);
	struct gm_archive archive = gm_archive_writer(&bytes);
	gm_burst_ops.exchange(f->detector, &archive);
	assert_true(gm_archive_done(&archive));
	return bytes;
}

static bool restore(struct fixture *f, const void *bytes, size_t size)
{
	struct gm_archive archive = gm_archive_reader(bytes, size);
	gm_burst_ops.destroy(f->detector);
	create(f);
	gm_burst_ops.exchange(f->detector, &archive);
	return gm_archive_done(&archive);
}

enum { BURSTS = 40 };

static void plan(struct piece pieces[BURSTS])
{
	for (int i = 0; i < BURSTS; i++) {
		int64_t begin = (12000 + i * 700) * MS + i % 10 * MS;
		int64_t length = i % 4 == 0 ? 4 * MS : 20 * MS * (i % 4);
		pieces[i] = (struct piece){begin, begin + length, 95 * MBIT};
	}
}

static struct fixture *watch(const struct piece pieces[BURSTS], int64_t until)
{
	struct fixture *f = set_up(100 * MBIT);
	f->pieces = pieces;
	f->piece_count = BURSTS;
	f->background = 8 * MBIT;
	f->noise = 0.3;
	read_until(f, until, 10 * MS);
	return f;
}

static void a_restart_changes_nothing(void **state)
{
	(void)state;
	struct piece pieces[BURSTS];
	plan(pieces);
	const int64_t cut = 25400 * MS, end = 42000 * MS;
	struct fixture *whole = watch(pieces, cut), *cut_off = watch(pieces, cut);
	struct gm_buffer bytes = save(cut_off);
	assert_true(restore(cut_off, bytes.data, bytes.length));
	/* The rate is told again by the source that comes up. */
	tell_speed(cut_off, 100 * MBIT);
	read_until(whole, end, 10 * MS);
	read_until(cut_off, end, 10 * MS);
	for (int i = 0; i < GM_BURST_CHANNELS; i++) {
		const struct gm_burst_stats *a = gm_burst_stats_of(whole->detector, i);
		const struct gm_burst_stats *b = gm_burst_stats_of(cut_off->detector, i);
		assert_memory_equal(a, b, sizeof(*a));
	}
	const struct gm_burst_stats *stats = gm_burst_stats_of(whole->detector, GM_BURST_RX_BYTES);
	/* All that are over the limit; of those of 4 ms the noise may hide some. */
	assert_in_range(stats->bursts, BURSTS * 3 / 4 + 1, BURSTS);
	assert_float_equal(number(&cut_off->last, GM_EVIDENCE_BURSTS), (double)stats->bursts, 0);
	assert_float_equal(number(&cut_off->last, GM_EVIDENCE_GAP),
			   number(&whole->last, GM_EVIDENCE_GAP), 0);
	/* And what is saved again is the same. */
	struct gm_buffer one = save(whole), other = save(cut_off);
	assert_int_equal(one.length, other.length);
	assert_memory_equal(one.data, other.data, one.length);
	gm_buffer_free(&one);
	gm_buffer_free(&other);
	gm_buffer_free(&bytes);
	tear_down(whole);
	tear_down(cut_off);
}

static void damaged_bytes_are_refused_or_harmless(void **state)
{
	(void)state;
	struct piece pieces[BURSTS];
	plan(pieces);
	struct fixture *f = watch(pieces, 20000 * MS);
	struct gm_buffer bytes = save(f);
	uint8_t *copy = malloc(bytes.length);
	assert_non_null(copy);
	for (size_t size = 0; size < bytes.length; size += 7)
		assert_false(restore(f, bytes.data, size));
	size_t accepted = 0;
	for (int i = 0; i < 3000; i++) {
		memcpy(copy, bytes.data, bytes.length);
		for (int n = 0; n <= i % 4; n++)
			copy[(size_t)(uniform(f) * (double)bytes.length)] =
				(uint8_t)(uniform(f) * 256);
		if (!restore(f, copy, bytes.length))
			continue;
		accepted++;
		int64_t until = f->until;
		tell_speed(f, 100 * MBIT);
		f->count = 0;
		read_until(f, until + 300 * MS, 10 * MS);
		gm_burst_ops.evaluate(f->detector, START + f->until, &f->sink);
		f->until = until;
	}
	/* Counters may hold anything: most changes are of them. */
	assert_in_range(accepted, 1000, 2999);
	free(copy);
	gm_buffer_free(&bytes);
	tear_down(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_restart_changes_nothing),
		cmocka_unit_test(damaged_bytes_are_refused_or_harmless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

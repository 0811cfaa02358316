/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only looks like a leak must stay silent, and what no recording should hold must not harm.
 */
#include "leak_series.h"

#define DAY_SECONDS 86400.0

static double bulk(const struct guest *guest, double time)
{
	(void)guest;
	return 200 * MIB + (time < 300 ? 0 : 200 * MIB);
}

static double bulk_in_lumps(const struct guest *guest, double time)
{
	(void)guest;
	return 3e9 + fmin(fmax(time - 300, 0) / 1.1, 1) * 3.2e9;
}

static double start_up(const struct guest *guest, double time)
{
	(void)guest;
	return 3e9 + 2e9 * fmin(fmax(time - 300, 0) / 20, 1);
}

static double slow_start_up(const struct guest *guest, double time)
{
	(void)guest;
	return 3e9 + 2e9 * fmin(fmax(time - 300, 0) / 120, 1);
}

static double warm_up(const struct guest *guest, double time)
{
	(void)guest;
	return 3e9 + 2.5e9 * (1 - exp(-fmax(time - 120, 0) / 300));
}

static double collector(const struct guest *guest, double time)
{
	(void)guest;
	return 3e9 + 1.5e9 * fmod(time, 600) / 600;
}

static double fast_collector(const struct guest *guest, double time)
{
	(void)guest;
	return 3e9 + 1e9 * fmod(time, 10) / 10;
}

static double batch(const struct guest *guest, double time)
{
	double phase = fmod(time, 600);

	(void)guest;
	return 3e9 + 2e9 * fmin(fmin(phase, 600 - phase) / 60, 1);
}

static double flat(const struct guest *guest, double time)
{
	(void)time;
	return 0.6 * guest->total;
}

static double nearly_full(const struct guest *guest, double time)
{
	(void)time;
	return 0.97 * guest->total;
}

static double daily(const struct guest *guest, double time)
{
	(void)guest;
	return 3e9 + 1.6e9 * fmax(sin(2 * M_PI * (time / DAY_SECONDS - 0.35)), -0.4);
}

/* A collector's heap that mostly grows for 10 min, and once in a while for 16. */
static double uneven_teeth(const struct guest *guest, double time)
{
	double length = fmod(floor(time / 960), 24) == 23 ? 960 : 600, phase = fmod(time, 960);

	(void)guest;
	return 1.5e9 + (phase < length ? 2.25e6 * phase : 0);
}

/* A job by night takes what it keeps, then comes the usual morning. */
static double step_at_night(const struct guest *guest, double time)
{
	double day = floor(time / DAY_SECONDS), phase = time / DAY_SECONDS - day;
	double morning = fmin(fmax((phase - 0.33) / 0.2, 0), 1);
	double evening = fmin(fmax((phase - 0.7) / 0.2, 0), 1);

	(void)guest;
	return 3e9 + 0.5e9 * (morning - evening) + (time > 5.1 * DAY_SECONDS ? 2e9 : 0);
}

static double years_to_go(const struct guest *guest, double time)
{
	(void)guest;
	return 1e9 + time * 50; /* 4.3 MB a day of 7 GB */
}

static void what_only_looks_like_a_leak_is_silent(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		series *used;
		double total, noise, seconds, step;
	} cases[] = {
		{"bulk allocation in a small guest", bulk, 512 * MIB, 0.5 * MIB, 1200, 1},
		{"bulk allocation", bulk_in_lumps, 8.2e9, 2e6, 1200, 0.1},
		{"start of 20 s", start_up, 8.2e9, 2e6, 1200, 0.1},
		{"start of 120 s", slow_start_up, 8.2e9, 2e6, 1200, 0.1},
		{"start of 120 s, seen every 5 s", slow_start_up, 8.2e9, 2e6, 3600, 5},
		{"warm-up", warm_up, 8.2e9, 2e6, 3600, 0.1},
		{"collector, 10 min", collector, 8.2e9, 2e6, 7200, 0.5},
		{"collector, 10 s", fast_collector, 8.2e9, 2e6, 3600, 0.1},
		{"collector, sampled rarely", fast_collector, 8.2e9, 2e6, DAY_SECONDS, 60},
		{"batch jobs", batch, 8.2e9, 2e6, 3600, 0.1},
		{"noise", flat, 8.2e9, 400e6, 3600, 0.1},
		{"noise, nearly full", nearly_full, 8.2e9, 100e6, 3600, 1},
		{"daily cycle", daily, 8.2e9, 60e6, 14 * DAY_SECONDS, 300},
		{"heap of uneven height", uneven_teeth, 8.2e9, 20e6, 8 * DAY_SECONDS, 30},
		{"step at night", step_at_night, 8.2e9, 20e6, 7 * DAY_SECONDS, 30},
		{"years to go", years_to_go, 8e9, 2e6, 14 * DAY_SECONDS, 300},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct guest *guest = new_guest(cases[i].total, cases[i].noise);

		sample(guest, cases[i].used, cases[i].seconds, cases[i].step);
		if (guest->raises)
			fail_msg("%s: raised at %.1f s", cases[i].what, guest->raised_at);
		assert_true(guest->findings > 0); /* it knew, and said ok */
		free_guest(guest);
	}
}

static void nothing_is_said_while_nothing_is_known(void **state)
{
	(void)state;
	struct guest *guest = new_guest(1e9, 0);

	evaluate(guest);
	for (int i = 0; i < 100; i++)
		tell(guest, GM_METRIC_MEMORY_USED, i, 1e8 + i * 1e6); /* never a total */
	evaluate(guest);
	assert_int_equal(guest->findings, 0);
	tell(guest, GM_METRIC_MEMORY_TOTAL, 100, 0);
	tell(guest, GM_METRIC_MEMORY_TOTAL, 100, -5);
	tell(guest, GM_METRIC_MEMORY_TOTAL, 100, NAN);
	tell(guest, GM_METRIC_MEMORY_TOTAL, 100, INFINITY);
	evaluate(guest);
	assert_int_equal(guest->findings, 0);
	tell(guest, GM_METRIC_MEMORY_TOTAL, 100, 1e9);
	evaluate(guest);
	assert_int_equal(guest->findings, 1);
	free_guest(guest);
}

static void a_disturbance_starts_over(void **state)
{
	(void)state;
	struct guest *guest = new_guest(8.2e9, 2e6);
	unsigned before;

	sample(guest, flat, 120, 1);
	before = guest->findings;
	gm_leak_ops.disturb(guest->detector, at(guest->now));
	sample(guest, flat, 126, 1);
	assert_int_equal(guest->findings, before);
	sample(guest, flat, 200, 1);
	assert_true(guest->findings > before);
	free_guest(guest);
}

/* A slot of a flat series, with something odd in place of a sample. */
static void feed_odd(struct guest *guest, unsigned kind, double time)
{
	static const double values[] = {NAN, INFINITY, -INFINITY, -1, -1e300, 1e300, 0, 1e-300};

	if (kind < 8)
		tell(guest, GM_METRIC_MEMORY_USED, time, values[kind]);
	else if (kind == 8)
		tell(guest, GM_METRIC_MEMORY_USED, time - 30, 5e9); /* late */
	else if (kind == 9)
		tell(guest, GM_METRIC_MEMORY_USED, -2e9, 5e9); /* before 1970 */
	else if (kind == 10)
		tell(guest, GM_METRIC_CPU_TIME, time, 1e9);
	else
		tell(guest, 65535, time, 1e9);
}

static void odd_samples_do_no_harm(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 12; kind++) {
		struct guest *guest = new_guest(8.2e9, 2e6);

		for (int i = 0; i < 200; i++) {
			sample(guest, flat, guest->now + 3, 1);
			feed_odd(guest, kind, guest->now);
		}
		assert_int_equal(guest->raises, 0);
		assert_true(guest->findings > 0);
		free_guest(guest);
	}
}

static double leak_200k(const struct guest *guest, double time)
{
	(void)guest;
	return 3e9 + fmax(time - 600, 0) * 2e5;
}

static void a_clock_set_back_learns_anew(void **state)
{
	(void)state;
	struct guest *guest = new_guest(8.2e9, 2e6);

	sample(guest, flat, 600, 1);
	guest->now -= 7200;
	guest->evaluated = -1e9;
	guest->total = 9e9; /* flat() uses more of it now */
	sample(guest, flat, guest->now + 600, 1);
	assert_int_equal(guest->raises, 0);
	assert_float_equal(told(guest, GM_EVIDENCE_USED), 0.6 * 9e9, 4e6);
	free_guest(guest);
}

static void gaps_and_lost_samples_do_not_hide_a_leak(void **state)
{
	(void)state;
	struct guest *guest = new_guest(8.2e9, 2e6);

	while (guest->now < 600 + 20000) {
		double until = guest->now + 40 + 30 * random_number(guest);

		sample(guest, leak_200k, until, 1);
		guest->now += 10 + 10 * random_number(guest); /* a hole */
		if (guest->now > 6000 && guest->now < 6100)
			guest->now += 900;
	}
	assert_int_equal(guest->raises, 1);
	assert_true(guest->active);
	assert_float_equal(told(guest, GM_EVIDENCE_SLOPE), 2e5, 2e4);
	free_guest(guest);
}

static double leak_40m(const struct guest *guest, double time)
{
	(void)guest;
	return 3e9 + fmax(time - 300, 0) * 40e6;
}

static double leak_40m_ended(const struct guest *guest, double time)
{
	return leak_40m(guest, fmin(time, 550));
}

/* A guest that does not answer for longer than its leak was watched is not cured by that. */
static void a_hole_is_no_standstill(void **state)
{
	static const double holes[] = {5, 60, 260, 420};

	(void)state;
	for (size_t i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
		struct guest *guest = new_guest(32e9, 2e6);

		sample(guest, leak_40m, 550, 1);
		assert_true(guest->active);
		guest->now += holes[i];
		sample(guest, leak_40m, guest->now + 60, 1);
		assert_int_equal(guest->raises, 1);
		assert_int_equal(guest->clears, 0);
		free_guest(guest);

		guest = new_guest(32e9, 2e6);
		sample(guest, leak_40m_ended, 550, 1);
		guest->now += holes[i];
		sample(guest, leak_40m_ended, guest->now + 900, 1);
		assert_int_equal(guest->raises, 1);
		assert_int_equal(guest->clears, 1);
		free_guest(guest);
	}
}

static void a_year_of_silence_is_no_news(void **state)
{
	(void)state;
	struct guest *guest = new_guest(8.2e9, 2e6);

	sample(guest, flat, 3600, 1);
	guest->now += 365 * DAY_SECONDS;
	guest->total = 16e9; /* flat() uses more of it now */
	sample(guest, flat, guest->now + 3600, 1);
	assert_int_equal(guest->raises, 0);
	free_guest(guest);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_only_looks_like_a_leak_is_silent),
		cmocka_unit_test(nothing_is_said_while_nothing_is_known),
		cmocka_unit_test(a_disturbance_starts_over),
		cmocka_unit_test(odd_samples_do_no_harm),
		cmocka_unit_test(a_clock_set_back_learns_anew),
		cmocka_unit_test(gaps_and_lost_samples_do_not_hide_a_leak),
		cmocka_unit_test(a_hole_is_no_standstill),
		cmocka_unit_test(a_year_of_silence_is_no_news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the leak detector finds: leaks of every kind and pace, when, and what it says of them.
 */
#include "leak_series.h"

/* A small guest: 100 MiB, of which 60 in use, and 1 MiB/s lost from the second minute on. */
static double small_leak(const struct guest *guest, double time)
{
	(void)guest;
	return 60 * MIB + fmax(time - 120, 0) * MIB;
}

static double small_leak_killed(const struct guest *guest, double time)
{
	return time < 150 ? small_leak(guest, time) : 60 * MIB;
}

static void a_small_guest_is_warned_in_time(void **state)
{
	(void)state;
	struct guest *guest = new_guest(100 * MIB, 0.1 * MIB);

	sample(guest, small_leak, 120, 1);
	assert_int_equal(guest->raises, 0);
	assert_true(guest->findings > 0); /* ok, and known to be */
	sample(guest, small_leak, 140, 1);
	assert_true(guest->active); /* before half of the room is gone */
	assert_in_range(guest->last.severity, GM_SEVERITY_CRITICAL, GM_SEVERITY_CRITICAL);
	assert_int_equal(guest->last.cause, GM_CAUSE_RESOURCE_NEARING_CAPACITY);
	assert_float_equal(told(guest, GM_EVIDENCE_SLOPE), MIB, 0.1 * MIB);
	assert_float_equal(told(guest, GM_EVIDENCE_EXHAUSTION), 20, 3);
	assert_float_equal(told(guest, GM_EVIDENCE_ONSET), (double)START + 120, 3);
	assert_true(told(guest, GM_EVIDENCE_CONFIDENCE) > 0.5);
	assert_float_equal(told(guest, GM_EVIDENCE_TOTAL), 100 * MIB, 0);
	sample(guest, small_leak, 159, 1);
	assert_int_equal(guest->raises, 1);
	assert_int_equal(guest->last.cause, GM_CAUSE_OUT_OF_MEMORY);
	free_guest(guest);
}

static void it_clears_when_the_process_is_killed(void **state)
{
	(void)state;
	struct guest *guest = new_guest(100 * MIB, 0.1 * MIB);

	sample(guest, small_leak_killed, 400, 1);
	assert_int_equal(guest->raises, 1);
	assert_int_equal(guest->clears, 1);
	assert_in_range((int)guest->cleared_at, 150, 157);
	assert_false(gm_evidence_has(&guest->last.evidence, GM_EVIDENCE_SLOPE));
	free_guest(guest);
}

static double lumps(const struct guest *guest, double time)
{
	(void)guest;
	return 3e9 + floor(fmax(time - 300, 0) / 0.7) * 200e6;
}

static void discrete_lumps_are_a_leak(void **state)
{
	(void)state;
	struct guest *guest = new_guest(8.2e9, 2e6);

	sample(guest, lumps, 318, 0.1);
	assert_int_equal(guest->raises, 1);
	assert_in_range((int)guest->raised_at, 306, 314);
	free_guest(guest);
}

static double steady(const struct guest *guest, double time)
{
	(void)guest;
	return 3e9 + fmax(time - 600, 0) * 2e5;
}

static void the_cadence_does_not_matter(void **state)
{
	(void)state;
	static const double steps[] = {0.5, 1, 10, 60, 300};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct guest *guest = new_guest(8.2e9, 2e6);

		sample(guest, steady, 600 + 18000, steps[i]);
		assert_int_equal(guest->raises, 1);
		assert_float_equal(told(guest, GM_EVIDENCE_SLOPE), 2e5, 2e4);
		assert_float_equal(told(guest, GM_EVIDENCE_EXHAUSTION), 8000, 800);
		free_guest(guest);
	}
}

static double daily_with_leak(const struct guest *guest, double time)
{
	(void)guest;
	return 2e9 + 0.2e9 * sin(2 * M_PI * time / 86400) + fmax(time - 3 * 86400.0, 0) * 1.5e4;
}

static void a_slow_leak_is_found_within_half_of_its_life(void **state)
{
	(void)state;
	struct guest *guest = new_guest(8e9, 30e6);

	/* 6e9 bytes at 1.3 GB a day: 4.6 days. */
	sample(guest, daily_with_leak, 3 * 86400, 300);
	assert_int_equal(guest->raises, 0);
	sample(guest, daily_with_leak, 5 * 86400, 300);
	assert_int_equal(guest->raises, 1);
	assert_true(guest->active);
	assert_int_equal(guest->last.severity, GM_SEVERITY_WARNING);
	assert_float_equal(told(guest, GM_EVIDENCE_SLOPE), 1.5e4, 0.4e4);
	free_guest(guest);
}

static double rising_floor(const struct guest *guest, double time)
{
	(void)guest;
	return 3e9 + 0.6e9 * fmod(time, 30) / 30 + fmax(time - 300, 0) * 1.7e6;
}

static void a_sawtooth_on_a_rising_floor_is_a_leak(void **state)
{
	(void)state;
	struct guest *guest = new_guest(8.2e9, 2e6);

	sample(guest, rising_floor, 300, 0.1);
	assert_int_equal(guest->raises, 0);
	sample(guest, rising_floor, 2400, 0.1);
	assert_int_equal(guest->raises, 1);
	assert_float_equal(told(guest, GM_EVIDENCE_SLOPE), 1.7e6, 0.2e6);
	free_guest(guest);
}

static void severity_rises_as_time_runs_out(void **state)
{
	(void)state;
	struct guest *guest = new_guest(8.2e9, 2e6);
	enum gm_severity worst = GM_SEVERITY_WARNING;

	/* 26,000 s to exhaustion. */
	while (guest->now < 600 + 25900) {
		sample(guest, steady, guest->now + 20, 20);
		if (!guest->active)
			continue;
		assert_true(guest->last.severity <= worst);
		worst = guest->last.severity;
	}
	assert_int_equal(worst, GM_SEVERITY_CRITICAL);
	/* Minor, major and critical were told; nothing else moved by much. */
	assert_in_range(guest->reports, 3, 8);
	free_guest(guest);
}

static double filling(const struct guest *guest, double time)
{
	return fmin(small_leak(guest, time), 99 * MIB);
}

/* Once nothing is left the forecast says so at every evaluation: no news. */
static void a_full_memory_is_told_once(void **state)
{
	(void)state;
	struct guest *guest = new_guest(100 * MIB, 0.1 * MIB);
	unsigned reports;

	sample(guest, filling, 170, 1);
	assert_true(guest->active);
	reports = guest->reports;
	sample(guest, filling, 1800, 1);
	assert_true(guest->active);
	assert_in_range(guest->reports, reports, reports + 2);
	free_guest(guest);
}

/* Samples come faster than evaluations may: the drop is seen before anybody is told. */
static void what_fell_back_before_it_was_told_is_none(void **state)
{
	(void)state;
	struct guest *guest = new_guest(100 * MIB, 0.1 * MIB);

	sample(guest, small_leak, 120, 1);
	for (; guest->now < 145; guest->now++) /* long enough: see the first test */
		tell(guest, GM_METRIC_MEMORY_USED, guest->now, small_leak(guest, guest->now));
	tell(guest, GM_METRIC_MEMORY_USED, guest->now, 60 * MIB);
	evaluate(guest);
	assert_int_equal(guest->raises, 0);
	free_guest(guest);
}

static void the_same_samples_give_the_same_findings(void **state)
{
	(void)state;
	double hash[2];

	for (int i = 0; i < 2; i++) {
		struct guest *guest = new_guest(8.2e9, 50e6);

		sample(guest, rising_floor, 2000, 0.1);
		assert_true(guest->raises > 0);
		hash[i] = guest->hash;
		free_guest(guest);
	}
	assert_true(hash[0] == hash[1]);
}

static void options_shift_when_it_speaks(void **state)
{
	(void)state;
	double raised[3];

	for (int i = GM_LEAK_LOW; i <= GM_LEAK_HIGH; i++) {
		struct guest *guest = new_guest(8.2e9, 2e6);

		guest->options.sensitivity = i;
		sample(guest, steady, 600 + 26000, 10);
		assert_int_equal(guest->raises, 1);
		raised[i] = guest->raised_at;
		free_guest(guest);
	}
	assert_true(raised[GM_LEAK_HIGH] < raised[GM_LEAK_NORMAL]);
	assert_true(raised[GM_LEAK_NORMAL] < raised[GM_LEAK_LOW]);

	struct guest *guest = new_guest(8.2e9, 2e6);
	guest->options.horizon = 600 * GM_SECOND;
	sample(guest, steady, 600 + 25000, 10);
	assert_int_equal(guest->raises, 0);
	sample(guest, steady, 600 + 25900, 10);
	assert_int_equal(guest->raises, 1);
	free_guest(guest);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_guest_is_warned_in_time),
		cmocka_unit_test(it_clears_when_the_process_is_killed),
		cmocka_unit_test(discrete_lumps_are_a_leak),
		cmocka_unit_test(the_cadence_does_not_matter),
		cmocka_unit_test(a_slow_leak_is_found_within_half_of_its_life),
		cmocka_unit_test(a_sawtooth_on_a_rising_floor_is_a_leak),
		cmocka_unit_test(severity_rises_as_time_runs_out),
		cmocka_unit_test(a_full_memory_is_told_once),
		cmocka_unit_test(what_fell_back_before_it_was_told_is_none),
		cmocka_unit_test(the_same_samples_give_the_same_findings),
		cmocka_unit_test(options_shift_when_it_speaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fast leaks in small guests, sampled once a second: found before half of the room is gone, where there
 * are enough samples for that; and growth of the same pace that ends by itself, which is silent.
 */
#include "leak_series.h"

/* What a case is made of; `guest` of a series is the first member. */
struct fast {
	struct guest *guest;
	double used, onset, rate; /* bytes, seconds, bytes per second */
};

static struct fast fast; /* series know only their guest */

static double leaking(const struct guest *guest, double time)
{
	(void)guest;
	return fast.used + fmax(time - fast.onset, 0) * fast.rate;
}

/* Takes two fifths of the room for two minutes and gives them back, long before. */
static double leaking_after_release(const struct guest *guest, double time)
{
	double held = time >= 100 && time < 220 ? 0.4 * (guest->total - fast.used) : 0;

	return leaking(guest, time) + held;
}

static double part_gone(struct guest *guest, series *used, double mib)
{
	double room = guest->total - fast.used;

	fast.rate = mib * MIB;
	fast.onset = 480;
	sample(guest, used, fast.onset + room / fast.rate, 1);
	assert_int_equal(guest->raises, 1);
	assert_true(guest->raised_at > fast.onset);
	return (guest->raised_at - fast.onset) * fast.rate / room;
}

static void leaks_are_found_before_half_of_the_room_is_gone(void **state)
{
	static const struct {
		double mib, total; /* MiB per second, MiB */
	} cases[] = {
		{0.2, 192}, {0.2, 256}, {0.5, 256}, {1, 256},   {1, 512},   {2, 256},
		{4, 256},   {4, 512},   {10, 512},  {20, 1024}, {50, 2048}, {50, 4096},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (double part = 0.2; part < 0.7; part += 0.1) {
			struct guest *guest =
				new_guest(cases[i].total * MIB, 0.002 * cases[i].total * MIB);
			double gone;

			fast.used = part * guest->total;
			/* Told at 46 % and a sample or two: what lasts shorter than this is past half. */
			if ((guest->total - fast.used) / (cases[i].mib * MIB) < 40) {
				free_guest(guest);
				continue;
			}
			gone = part_gone(guest, leaking, cases[i].mib);
			if (gone >= 0.5)
				fail_msg("%.1f MiB/s in %.0f MiB from %.1f on: %.2f gone",
					 cases[i].mib, cases[i].total, part, gone);
			free_guest(guest);
		}
	}
}

static void what_was_held_once_does_not_hide_a_leak(void **state)
{
	static const double rates[] = {0.2, 0.5, 1, 2, 4};

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct guest *guest = new_guest(512 * MIB, MIB);

		fast.used = 150 * MIB;
		assert_true(part_gone(guest, leaking_after_release, rates[i]) < 0.5);
		free_guest(guest);
	}
}

/* Runs of two fifths of the room: linear, settling, in bursts; and jobs that give all back. */
static double linear_start(const struct guest *guest, double time)
{
	double room = guest->total - fast.used;

	return fast.used + 0.4 * room * fmin(fmax(time - fast.onset, 0) * fast.rate / room, 1);
}

static double settling_start(const struct guest *guest, double time)
{
	double room = guest->total - fast.used;

	return fast.used + 0.4 * room * (1 - exp(-fmax(time - fast.onset, 0) * fast.rate / room));
}

static double start_in_bursts(const struct guest *guest, double time)
{
	double room = guest->total - fast.used, steps = 5;
	double part = fmin(fmax(time - fast.onset, 0) * fast.rate / room, 1);

	return fast.used + 0.4 * room * (floor(part * steps) / steps);
}

static double jobs(const struct guest *guest, double time)
{
	double room = guest->total - fast.used, length = room / fast.rate;

	return fast.used + 0.4 * room * fmod(time, 1.3 * length) / (1.3 * length) +
	       0.05 * room * fmod(time, 7) / 7;
}

static void what_ends_by_itself_is_silent(void **state)
{
	static series *const kinds[] = {linear_start, settling_start, start_in_bursts, jobs};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (double seconds = 5; seconds < 700; seconds *= 1.4) {
			for (double part = 0.2; part < 0.9; part += 0.15) {
				struct guest *guest = new_guest(512 * MIB, 0.5 * MIB);

				fast.used = part * guest->total;
				fast.onset = 60;
				fast.rate = (guest->total - fast.used) / seconds;
				sample(guest, kinds[i], 1200, 1);
				if (guest->raises)
					fail_msg("kind %zu over %.0f s from %.2f on: told at %.0f",
						 i, seconds, part, guest->raised_at);
				free_guest(guest);
			}
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaks_are_found_before_half_of_the_room_is_gone),
		cmocka_unit_test(what_was_held_once_does_not_hide_a_leak),
		cmocka_unit_test(what_ends_by_itself_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

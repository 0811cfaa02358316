/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the leak detector watches beside a guest's memory: swap, processes, the hypervisor's own growth;
 * which process it names, what it says of its doubt, and what a planned break changes.
 */
#include "leak_series.h"

static const uint8_t uuid[GM_UUID_SIZE] = {1, 2, 3};

static void tell_part(struct guest *guest, const char *command, uint32_t pid, double bytes)
{
	struct gm_entity_key key = gm_entity_process(uuid, pid, command);
	struct gm_point point = {
		.metric = GM_METRIC_MEMORY_RESIDENT,
		.time = at(guest->now),
		.value = bytes,
	};

	gm_leak_ops.observe_part(guest->detector, &key, &point, &guest->sink);
}

static void swap_counts(void **state)
{
	(void)state;
	struct guest *guest = new_guest(1000 * MIB, 0);

	/* The memory is full all the time; what grows is swapped out. */
	tell(guest, GM_METRIC_SWAP_TOTAL, 0, 1000 * MIB);
	for (; guest->now < 700; guest->now++) {
		tell(guest, GM_METRIC_MEMORY_TOTAL, guest->now, guest->total);
		tell(guest, GM_METRIC_SWAP_USED, guest->now, fmax(guest->now - 120, 0) * MIB);
		tell(guest, GM_METRIC_MEMORY_USED, guest->now, 900 * MIB);
		evaluate(guest);
	}
	assert_int_equal(guest->raises, 1);
	assert_float_equal(told(guest, GM_EVIDENCE_SLOPE), MIB, 0.05 * MIB);
	assert_float_equal(told(guest, GM_EVIDENCE_TOTAL), 2000 * MIB, 0);
	assert_float_equal(told(guest, GM_EVIDENCE_EXHAUSTION), 1100 - 580, 30);
	free_guest(guest);
}

static void swap_of_unknown_size_does_not_count(void **state)
{
	(void)state;
	struct guest *guest = new_guest(1000 * MIB, 0);

	for (; guest->now < 700; guest->now++) {
		tell(guest, GM_METRIC_MEMORY_TOTAL, guest->now, guest->total);
		tell(guest, GM_METRIC_SWAP_USED, guest->now, fmax(guest->now - 120, 0) * MIB);
		tell(guest, GM_METRIC_MEMORY_USED, guest->now, 900 * MIB);
		evaluate(guest);
	}
	assert_int_equal(guest->raises, 0);
	assert_float_equal(told(guest, GM_EVIDENCE_USED), 900 * MIB, 0);
	free_guest(guest);
}

static struct guest *watch_process(double total, double available, double rate)
{
	struct guest *guest = new_entity(gm_entity_process(uuid, 7, "leaky"), total, 0);

	for (; guest->now < 600; guest->now++) {
		double lost = fmax(guest->now - 120, 0) * rate;

		tell(guest, GM_METRIC_MEMORY_TOTAL, guest->now, total);
		if (available > 0)
			tell(guest, GM_METRIC_MEMORY_AVAILABLE, guest->now, available - lost);
		tell(guest, GM_METRIC_MEMORY_RESIDENT, guest->now, 50 * MIB + lost);
		tell(guest, GM_METRIC_MEMORY_USED, guest->now, 900 * MIB); /* not its own */
		evaluate(guest);
	}
	return guest;
}

static void a_process_is_held_against_what_is_left(void **state)
{
	(void)state;
	struct guest *guest = watch_process(1000 * MIB, 0, MIB);

	assert_int_equal(guest->raises, 1);
	assert_string_equal(guest->last.metric, "memory.resident");
	assert_int_equal(guest->last.key.kind, GM_ENTITY_PROCESS);
	assert_float_equal(told(guest, GM_EVIDENCE_EXHAUSTION), 950 - 480, 30);
	free_guest(guest);

	guest = watch_process(1000 * MIB, 700 * MIB, MIB);
	assert_int_equal(guest->raises, 1);
	assert_float_equal(told(guest, GM_EVIDENCE_EXHAUSTION), 700 - 480, 30);
	free_guest(guest);

	/* Without a total there is nothing to hold it against. */
	guest = watch_process(0, 0, MIB);
	assert_int_equal(guest->findings, 0);
	free_guest(guest);
}

static void a_process_is_told_what_its_guest_has_left(void **state)
{
	(void)state;
	struct guest *guest = new_entity(gm_entity_guest(uuid), 1000 * MIB, 0);
	struct guest *process = new_entity(gm_entity_process(uuid, 7, "leaky"), 0, 0);

	gm_leak_hand_down(NULL, process->detector);
	gm_leak_hand_down(guest->detector, NULL);
	gm_leak_hand_down(guest->detector, process->detector); /* nothing is known of it */
	for (; guest->now < 600; guest->now++, process->now++) {
		double lost = fmax(guest->now - 120, 0) * MIB;

		tell(guest, GM_METRIC_MEMORY_TOTAL, guest->now, guest->total);
		tell(guest, GM_METRIC_MEMORY_USED, guest->now, 300 * MIB + lost);
		gm_leak_hand_down(guest->detector, process->detector);
		tell(process, GM_METRIC_MEMORY_RESIDENT, process->now, 50 * MIB + lost);
		evaluate(process);
	}
	assert_int_equal(process->raises, 1);
	assert_float_equal(told(process, GM_EVIDENCE_EXHAUSTION), 700 - 480, 30);
	free_guest(guest);
	free_guest(process);
}

/* The guest's process on the host: fills the guest's memory, then grows on by `rate` up to `most`. */
static struct guest *watch_overhead(double rate, double most)
{
	struct guest *guest = new_entity(gm_entity_guest(uuid), 2000 * MIB, 0);

	tell(guest, GM_METRIC_MEMORY_MAXIMUM, 0, 2048 * MIB);
	for (; guest->now < 7200; guest->now++) {
		double touched = fmin(guest->now * 10 * MIB, 2048 * MIB);
		double own = 80 * MIB + fmin(fmax(guest->now - 300, 0) * rate, most);

		tell(guest, GM_METRIC_MEMORY_TOTAL, guest->now, guest->total);
		tell(guest, GM_METRIC_MEMORY_RESIDENT, guest->now, touched + own);
		evaluate(guest);
	}
	return guest;
}

static void the_hypervisors_own_growth_is_a_leak_of_its_own(void **state)
{
	(void)state;
	struct guest *guest = watch_overhead(0.3 * MIB, INFINITY);

	assert_int_equal(guest->raises, 1);
	assert_string_equal(guest->last.metric, "memory.resident");
	assert_float_equal(told(guest, GM_EVIDENCE_SLOPE), 0.3 * MIB, 0.02 * MIB);
	free_guest(guest);

	/* A guest that touches all of its memory, and the usual beside that. */
	guest = watch_overhead(0.3 * MIB, 200 * MIB);
	assert_int_equal(guest->raises, 0);
	free_guest(guest);
}

/* A guest with a process that leaks, one that is large, one that grows a little, and many small ones. */
static struct guest *watch_processes(double own_part, double seconds)
{
	struct guest *guest = new_entity(gm_entity_guest(uuid), 1000 * MIB, 0);

	for (; guest->now < seconds; guest->now++) {
		double lost = fmax(guest->now - 120, 0) * MIB;

		tell_part(guest, "database", 11, 300 * MIB);
		tell_part(guest, "lea,ky\n", 12, 20 * MIB + own_part * lost);
		tell_part(guest, "helper", 13, 5 * MIB + 0.1 * lost);
		for (uint32_t i = 0; i < 40; i++)
			tell_part(guest, "sh", 1000 + i + (uint32_t)guest->now * 40, 3 * MIB);
		tell(guest, GM_METRIC_MEMORY_TOTAL, guest->now, guest->total);
		tell(guest, GM_METRIC_MEMORY_USED, guest->now, 400 * MIB + lost);
		evaluate(guest);
	}
	return guest;
}

static void the_process_that_explains_a_leak_is_named(void **state)
{
	(void)state;
	struct gm_entity_key leaky = gm_entity_process(uuid, 12, "lea,ky\n");
	struct gm_entity_key database = gm_entity_process(uuid, 11, "database");
	struct guest *guest = watch_processes(0.85, 600);

	assert_true(guest->active);
	assert_string_equal(guest->last.evidence.contributors, "12/lea_ky_");
	assert_true(gm_leak_blames(guest->detector, &leaky));
	assert_false(gm_leak_blames(guest->detector, &database));
	assert_false(gm_leak_blames(NULL, &leaky));
	free_guest(guest);

	guest = watch_processes(0.1, 600);
	assert_true(guest->active);
	assert_string_equal(guest->last.evidence.contributors, "");
	assert_false(gm_leak_blames(guest->detector, &leaky));
	free_guest(guest);

	guest = watch_processes(0.85, 100); /* no leak so far */
	assert_string_equal(guest->last.evidence.contributors, "");
	assert_false(gm_leak_blames(guest->detector, &leaky));
	free_guest(guest);
}

static double small_leak(const struct guest *guest, double time)
{
	(void)guest;
	return 300 * MIB + fmax(time - 120, 0) * MIB;
}

static void the_doubt_is_told(void **state)
{
	(void)state;
	double widths[2];

	for (int i = 0; i < 2; i++) {
		struct guest *guest = new_guest(1000 * MIB, i == 0 ? 1 * MIB : 15 * MIB);
		double low, high;

		sample(guest, small_leak, 600, 1);
		assert_true(guest->active);
		low = told(guest, GM_EVIDENCE_SLOPE_LOW);
		high = told(guest, GM_EVIDENCE_SLOPE_HIGH);
		assert_true(low < told(guest, GM_EVIDENCE_SLOPE));
		assert_true(high > told(guest, GM_EVIDENCE_SLOPE));
		assert_true(low < MIB && high > MIB);
		widths[i] = high - low;
		low = told(guest, GM_EVIDENCE_EXHAUSTION_LOW);
		high = told(guest, GM_EVIDENCE_EXHAUSTION_HIGH);
		assert_true(low < told(guest, GM_EVIDENCE_EXHAUSTION));
		assert_true(high > told(guest, GM_EVIDENCE_EXHAUSTION));
		assert_true(low < 220 && high > 220);
		assert_float_equal(told(guest, GM_EVIDENCE_HORIZON), 480, 30);
		free_guest(guest);
	}
	assert_true(widths[1] > 2 * widths[0]);
}

static void the_limits_of_severity_are_options(void **state)
{
	(void)state;
	struct guest *guest = new_guest(1000 * MIB, 1 * MIB);

	guest->options.critical_within = 100 * GM_SECOND;
	guest->options.major_within = 200 * GM_SECOND;
	guest->options.minor_within = 300 * GM_SECOND;
	sample(guest, small_leak, 500, 1); /* 320 s left */
	assert_int_equal(guest->last.severity, GM_SEVERITY_WARNING);
	sample(guest, small_leak, 550, 1);
	assert_int_equal(guest->last.severity, GM_SEVERITY_MINOR);
	sample(guest, small_leak, 650, 1);
	assert_int_equal(guest->last.severity, GM_SEVERITY_MAJOR);
	sample(guest, small_leak, 750, 1);
	assert_int_equal(guest->last.severity, GM_SEVERITY_CRITICAL);
	assert_int_equal(guest->raises, 1);
	free_guest(guest);
}

/* Up to 700 MiB in five minutes after each start: what it reached before. */
static double rebooted(const struct guest *guest, double time)
{
	(void)guest;
	double since = time < 3600 ? time + 3600 : time - 3600;

	return 100 * MIB + 600 * MIB * fmin(since / 300, 1);
}

static void a_reboot_is_no_leak_and_forgets_no_height(void **state)
{
	(void)state;
	struct guest *guest = new_guest(1000 * MIB, 1 * MIB);

	sample(guest, rebooted, 3600, 1);
	gm_leak_ops.disturb(guest->detector, at(guest->now));
	sample(guest, rebooted, 7200, 1);
	assert_int_equal(guest->raises, 0);
	free_guest(guest);
}

static void a_migration_does_not_end_a_leak(void **state)
{
	(void)state;
	struct guest *guest = new_guest(1000 * MIB, 1 * MIB);

	sample(guest, small_leak, 500, 1);
	assert_true(guest->active);
	gm_leak_ops.disturb(guest->detector, at(guest->now));
	sample(guest, small_leak, 700, 1);
	assert_int_equal(guest->raises, 1);
	assert_int_equal(guest->clears, 0);
	assert_float_equal(told(guest, GM_EVIDENCE_EXHAUSTION), 120, 20);
	free_guest(guest);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(swap_counts),
		cmocka_unit_test(swap_of_unknown_size_does_not_count),
		cmocka_unit_test(a_process_is_held_against_what_is_left),
		cmocka_unit_test(a_process_is_told_what_its_guest_has_left),
		cmocka_unit_test(the_hypervisors_own_growth_is_a_leak_of_its_own),
		cmocka_unit_test(the_process_that_explains_a_leak_is_named),
		cmocka_unit_test(the_doubt_is_told),
		cmocka_unit_test(the_limits_of_severity_are_options),
		cmocka_unit_test(a_reboot_is_no_leak_and_forgets_no_height),
		cmocka_unit_test(a_migration_does_not_end_a_leak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the leak detector has learned, saved and given back: it goes on as if nothing had been, and
 * bytes that were changed or cut do no harm.
 */
#include "leak_series.h"

static const uint8_t uuid[GM_UUID_SIZE] = {1, 2, 3};

static struct guest *new_machine(void)
{
	return new_entity(gm_entity_guest(uuid), 1000 * MIB, 1 * MIB);
}

/* A sawtooth on a floor that rises from minute 10 to 20, a process behind it, and an overhead. */
static void feed(struct guest *guest, double until)
{
	for (; guest->now < until; guest->now++) {
		struct gm_entity_key key = gm_entity_process(uuid, 12, "leaky");
		double lost = fmin(fmax(guest->now - 600, 0), 600) * 0.5 * MIB;
		double saw = fmod(guest->now, 17) * MIB, noise = random_number(guest) * MIB;
		struct gm_point part = {
			.metric = GM_METRIC_MEMORY_RESIDENT,
			.time = at(guest->now),
			.value = 20 * MIB + lost,
		};

		gm_leak_ops.observe_part(guest->detector, &key, &part, &guest->sink);
		tell(guest, GM_METRIC_MEMORY_TOTAL, guest->now, guest->total);
		tell(guest, GM_METRIC_MEMORY_MAXIMUM, guest->now, 1024 * MIB);
		tell(guest, GM_METRIC_MEMORY_USED, guest->now, 400 * MIB + lost + saw + noise);
		tell(guest, GM_METRIC_MEMORY_RESIDENT, guest->now,
		     1300 * MIB + guest->now * 0.2 * MIB);
		evaluate(guest);
	}
}

static void save(struct guest *guest, struct gm_buffer *bytes)
{
	struct gm_archive out = gm_archive_writer(bytes);

	gm_leak_ops.exchange(guest->detector, &out);
	assert_true(gm_archive_done(&out));
}

/* Into the guest's detector, which is made anew. False when the bytes are refused. */
static bool restore(struct guest *guest, const void *bytes, size_t size)
{
	struct gm_archive in = gm_archive_reader(bytes, size);
	struct gm_entity_key key = gm_entity_guest(uuid);

	gm_leak_ops.destroy(guest->detector);
	assert_int_equal(gm_leak_ops.create(&guest->options, &key, &guest->detector), 0);
	gm_leak_ops.exchange(guest->detector, &in);
	return gm_archive_done(&in);
}

static void a_restart_changes_nothing(void **state)
{
	static const double cuts[] = {0, 0.5, 5, 59, 300, 700, 1000, 1201, 2500};

	(void)state;
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		struct guest *one = new_machine(), *other = new_machine();
		struct gm_buffer bytes = GM_BUFFER_INIT(GM_DETECTOR_STATE_MAX), again = bytes;

		feed(one, cuts[i]);
		feed(other, cuts[i]);
		save(other, &bytes);
		assert_true(bytes.length < 16384);
		assert_true(restore(other, bytes.data, bytes.length));
		save(other, &again);
		assert_int_equal(again.length, bytes.length);
		assert_memory_equal(again.data, bytes.data, bytes.length);
		for (double until = cuts[i]; until < 4000; until += 50) {
			feed(one, until);
			feed(other, until);
			assert_true(one->hash == other->hash);
			assert_memory_equal(&one->last.evidence, &other->last.evidence,
					    sizeof(one->last.evidence));
		}
		assert_true(one->raises > 0);
		assert_int_equal(one->raises, other->raises);
		assert_int_equal(one->reports, other->reports);
		gm_buffer_free(&bytes);
		gm_buffer_free(&again);
		free_guest(one);
		free_guest(other);
	}
}

static size_t below(struct guest *guest, size_t limit)
{
	return (size_t)((random_number(guest) + 1) / 2 * (double)limit);
}

/* Changes some bytes, sometimes cuts, sometimes lets something follow. Returns the new size. */
static size_t damage(struct guest *guest, uint8_t *bytes, size_t size)
{
	size_t changes = 1 + below(guest, 6);

	for (size_t i = 0; i < changes; i++)
		bytes[below(guest, size)] = (uint8_t)below(guest, 256);
	if (below(guest, 8) == 0)
		return below(guest, size);
	return below(guest, 8) == 0 ? size + 1 : size;
}

static void damaged_bytes_do_no_harm(void **state)
{
	struct gm_buffer bytes = GM_BUFFER_INIT(GM_DETECTOR_STATE_MAX);
	struct guest *guest = new_machine();
	unsigned refused = 0, taken = 0;

	(void)state;
	feed(guest, 1100);
	assert_true(guest->raises > 0);
	save(guest, &bytes);
	for (int i = 0; i < 3000; i++) {
		uint8_t *copy = calloc(1, bytes.length + 1);
		size_t size;

		assert_non_null(copy);
		memcpy(copy, bytes.data, bytes.length);
		/* What matters most stands in front and behind the rings: every other time there. */
		size = damage(guest, copy, i % 2 ? bytes.length : bytes.length / 40);
		if (i % 2 == 0 && size >= bytes.length / 40)
			size += bytes.length - bytes.length / 40;
		guest->now = 1100;
		if (restore(guest, copy, size)) {
			taken++;
			feed(guest, 1140);
			gm_leak_ops.disturb(guest->detector, at(guest->now));
			feed(guest, 1180);
		} else {
			refused++;
		}
		free(copy);
	}
	assert_true(refused > 500);
	assert_true(taken > 100); /* a digit of a height: nobody can tell */
	gm_buffer_free(&bytes);
	free_guest(guest);
}

static void every_cut_is_refused(void **state)
{
	struct gm_buffer bytes = GM_BUFFER_INIT(GM_DETECTOR_STATE_MAX);
	struct guest *guest = new_machine();

	(void)state;
	feed(guest, 200);
	save(guest, &bytes);
	for (size_t size = 0; size < bytes.length; size++)
		assert_false(restore(guest, bytes.data, size));
	assert_true(restore(guest, bytes.data, bytes.length));
	gm_buffer_free(&bytes);
	free_guest(guest);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_restart_changes_nothing),
		cmocka_unit_test(damaged_bytes_do_no_harm),
		cmocka_unit_test(every_cut_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

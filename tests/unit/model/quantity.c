/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers with units, as people read them.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/metric.h"
#include "model/quantity.h"

static void test_units(void **state)
{
	(void)state;
	static const struct {
		double value;
		const char *unit, *text;
	} cases[] = {
		{3145728, "B", "3 MiB"},
		{1550320000, "B", "1.444 GiB"},
		{1023, "B", "1023 B"},
		{-2048, "B", "-2 KiB"},
		{0, "B", "0 B"},
		{1e30, "B", "888178419700125 PiB"},
		{100000, "B/s", "97.66 KiB/s"},
		{800100, "bit/s", "800.1 kbit/s"},
		{12e6, "ns", "12 ms"},
		{1500, "ns", "1.5 µs"},
		{250e9, "ns", "250 s"},
		{8e8, "ns/s", "0.8 s/s"},
		{1234567, "packet/s", "1234567 packets/s"},
		{2.5, "1/s", "2.5/s"},
		{97.5, "1", "97.5"},
		{0.123456789, "1", "0.123457"},
		{1048576, "", "1048576"},
		{1.5e300, "", "1.5e+300"},
		{7, "°C", "7 °C"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[GM_QUANTITY];

		gm_quantity_text(cases[i].value, cases[i].unit, GM_QUANTITY_DIGITS, text);
		assert_string_equal(text, cases[i].text);
	}
}

/* Two numbers that differ can be told apart. */
static void test_digits(void **state)
{
	char text[GM_QUANTITY];

	(void)state;
	assert_string_equal(gm_quantity_text(1073741825, "B", 4, text), "1 GiB");
	assert_string_equal(gm_quantity_text(1073741825, "B", 10, text), "1.000000001 GiB");
	assert_string_equal(gm_quantity_text(NAN, "B", 4, text), "nan B");
}

static void test_units_of_metrics(void **state)
{
	char unit[GM_UNIT];

	(void)state;
	assert_string_equal(gm_quantity_unit(GM_METRIC_MEMORY_USED, false, unit), "B");
	assert_string_equal(gm_quantity_unit(GM_METRIC_MEMORY_USED, true, unit), "B/s");
	assert_string_equal(gm_quantity_unit(GM_METRIC_CPU_TIME, false, unit), "ns/s");
	assert_string_equal(gm_quantity_unit(GM_METRIC_CPU_TIME, true, unit), "ns/s");
	assert_string_equal(gm_quantity_unit(GM_METRIC_EXTRA, true, unit), "");
	for (unsigned id = 0; id < GM_METRIC_COUNT; id++)
		assert_true(gm_quantity_unit(id, true, unit)[0] != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_digits),
		cmocka_unit_test(test_units_of_metrics),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

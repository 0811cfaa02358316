/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading recordings: what is taken, and what is refused with which message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/text.h"
#include "replay/csv.h"

struct reader {
	FILE *file;
	struct gm_csv *csv;
	struct gm_error err;
	int64_t time;
	size_t count;
	struct gm_reading readings[GM_CSV_COLUMNS];
};

static int open_bytes(struct reader *reader, const char *bytes, size_t length)
{
	*reader = (struct reader){0};
	reader->file = tmpfile();
	assert_non_null(reader->file);
	assert_int_equal(fwrite(bytes, 1, length, reader->file), length);
	rewind(reader->file);
	return gm_csv_open(reader->file, "rec.csv", &reader->csv, &reader->err);
}

static int open_text(struct reader *reader, const char *text)
{
	return open_bytes(reader, text, strlen(text));
}

static int next(struct reader *reader)
{
	return gm_csv_next(reader->csv, &reader->time, reader->readings, &reader->count,
			   &reader->err);
}

static void close_reader(struct reader *reader)
{
	gm_csv_close(reader->csv);
	fclose(reader->file);
}

static void rows_are_read(void **state)
{
	(void)state;
	struct reader r;
	assert_int_equal(open_text(&r, "time,net.rx.bytes,cpu.load\n"
				       "1700000000.25,18446744073709551615,1.5\n"
				       "2023-11-14T22:13:21.5Z,,-2e3\n"
				       "1700000002,12,\n"),
			 0);
	assert_int_equal(gm_csv_columns(r.csv), 2);
	assert_string_equal(gm_csv_metric_name(r.csv, GM_METRIC_NET_RX_BYTES), "net.rx.bytes");
	assert_string_equal(gm_csv_metric_name(r.csv, GM_METRIC_EXTRA), "cpu.load");
	assert_null(gm_csv_metric_name(r.csv, GM_METRIC_NET_TX_BYTES));

	assert_int_equal(next(&r), 1);
	assert_int_equal(r.time, 1700000000 * GM_SECOND + GM_SECOND / 4);
	assert_int_equal(r.count, 2);
	assert_int_equal(r.readings[0].metric, GM_METRIC_NET_RX_BYTES);
	assert_true(r.readings[0].value.counter == UINT64_MAX);
	assert_float_equal(r.readings[1].value.gauge, 1.5, 0);

	assert_int_equal(next(&r), 1);
	assert_int_equal(r.time, 1700000001 * GM_SECOND + GM_SECOND / 2);
	assert_int_equal(r.count, 1);
	assert_int_equal(r.readings[0].metric, GM_METRIC_EXTRA);
	assert_float_equal(r.readings[0].value.gauge, -2000, 0);

	assert_int_equal(next(&r), 1);
	assert_int_equal(r.count, 1);
	assert_true(r.readings[0].value.counter == 12);
	assert_int_equal(next(&r), 0);
	assert_int_equal(next(&r), 0);
	close_reader(&r);
}

static void line_ends_quotes_and_marks(void **state)
{
	(void)state;
	struct reader r;
	assert_int_equal(open_text(&r, "\xEF\xBB\xBFtime,\"a \"\"b\"\", c\",d\r\n"
				       "\r\n"
				       "\"5\",\"1\",\"\"\r\n"
				       "6,2,3"),
			 0);
	assert_string_equal(gm_csv_metric_name(r.csv, GM_METRIC_EXTRA), "a \"b\", c");
	assert_int_equal(next(&r), 1);
	assert_int_equal(r.time, 5 * GM_SECOND);
	assert_int_equal(r.count, 1);
	assert_int_equal(next(&r), 1);
	assert_int_equal(r.count, 2);
	assert_float_equal(r.readings[1].value.gauge, 3, 0);
	assert_int_equal(next(&r), 0);
	close_reader(&r);
}

static void decimal_counters_are_rounded(void **state)
{
	(void)state;
	struct reader r;
	assert_int_equal(open_text(&r, "time,net.rx.bytes\n1,1.5e3\n2,7.5\n"), 0);
	assert_int_equal(next(&r), 1);
	assert_true(r.readings[0].value.counter == 1500);
	assert_int_equal(next(&r), 1);
	assert_true(r.readings[0].value.counter == 8);
	close_reader(&r);
}

static void bad_headers_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"", "rec.csv:1: the file is empty, it needs a header line"},
		{"\n\n", "rec.csv:3: the file is empty, it needs a header line"},
		{"when,a\n", "rec.csv:1: the first column must be \"time\": \"when\""},
		{"time\n", "rec.csv:1: there is no metric beside the time"},
		{"time,\n", "rec.csv:1: a column has no name"},
		{"time,a,b,a\n", "rec.csv:1: two columns have one name: \"a\""},
		{"time,\"a\n", "rec.csv:1: a quoted cell does not end"},
		{"time,\"a\"b\n", "rec.csv:1: there is text behind a quoted cell: \"b\""},
		{"time,\xff\n", "rec.csv:1: the name of a column is not UTF-8: \"\xEF\xBF\xBD\""},
		{"time,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
		 "rec.csv:1: the name of a column is longer than 47 bytes: "
		 "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reader r;
		assert_int_equal(open_text(&r, cases[i].text), -EINVAL);
		assert_string_equal(r.err.text, cases[i].message);
		assert_null(r.csv);
		close_reader(&r);
	}
}

static void bad_rows_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"1,2\n", "rec.csv:2: 2 cells, the header has 3"},
		{"1,2,3,4\n", "rec.csv:2: 4 cells, the header has 3"},
		{"1,2,x\n", "rec.csv:2: not a number: \"x\""},
		{"1,2,nan\n", "rec.csv:2: not a number: \"nan\""},
		{"1,2,inf\n", "rec.csv:2: not a number: \"inf\""},
		{"1,2,1e999\n", "rec.csv:2: not a number: \"1e999\""},
		{"1,2,0x10\n", "rec.csv:2: not a number: \"0x10\""},
		{"1,2, 3\n", "rec.csv:2: not a number: \" 3\""},
		{"1,2,3e\n", "rec.csv:2: not a number: \"3e\""},
		{"1,-2,3\n", "rec.csv:2: not a counter (a number from 0 to 2^64 - 1): \"-2\""},
		{"1,18446744073709551616,3\n", "rec.csv:2: not a counter (a number from 0 to 2^64 "
					       "- 1): \"18446744073709551616\""},
		{"1,many,3\n", "rec.csv:2: not a counter (a number from 0 to 2^64 - 1): \"many\""},
		{"soon,2,3\n",
		 "rec.csv:2: the time is neither seconds since the epoch nor ISO 8601 in "
		 "UTC: \"soon\""},
		{",2,3\n",
		 "rec.csv:2: the time is neither seconds since the epoch nor ISO 8601 in UTC: "
		 "\"\""},
		{"-5,2,3\n",
		 "rec.csv:2: the time is neither seconds since the epoch nor ISO 8601 in "
		 "UTC: \"-5\""},
		{"1,2,3\n1,\x1b[2J,3\n", "rec.csv:3: not a counter (a number from 0 to 2^64 - 1): "
					 "\"\\x1B[2J\""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[512];
		struct reader r;
		snprintf(text, sizeof(text), "time,net.rx.bytes,b\n%s", cases[i].text);
		assert_int_equal(open_text(&r, text), 0);
		int rc;
		while ((rc = next(&r)) > 0)
			;
		assert_int_equal(rc, -EINVAL);
		assert_string_equal(r.err.text, cases[i].message);
		close_reader(&r);
	}
}

static void nul_bytes_are_refused(void **state)
{
	(void)state;
	static const char text[] = "time,a\n1,2\0\n";
	struct reader r;
	assert_int_equal(open_bytes(&r, text, sizeof(text) - 1), 0);
	assert_int_equal(next(&r), -EINVAL);
	assert_string_equal(r.err.text, "rec.csv:2: there is a NUL byte");
	close_reader(&r);
}

static void columns_are_bounded(void **state)
{
	(void)state;
	char text[8192] = "time";
	size_t used = 4;
	for (unsigned i = 1; i < GM_CSV_COLUMNS; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, ",c%u", i);
	struct reader r;
	assert_int_equal(open_text(&r, text), 0);
	assert_int_equal(gm_csv_columns(r.csv), GM_CSV_COLUMNS - 1);
	close_reader(&r);
	snprintf(text + used, sizeof(text) - used, ",more");
	assert_int_equal(open_text(&r, text), -EINVAL);
	assert_string_equal(r.err.text, "rec.csv:1: there are more than 512 columns");
	close_reader(&r);
}

/* A line of exactly 1 MiB is taken; one byte more is not. */
static void lines_are_bounded(void **state)
{
	(void)state;
	for (size_t extra = 0; extra < 2; extra++) {
		size_t head = strlen("time,a\n");
		size_t length = head + GM_CSV_LINE + extra;
		char *text = malloc(length + 1);
		assert_non_null(text);
		memset(text, '0', length);
		memcpy(text, "time,a\n1,", head + 2);
		text[length] = '\n';
		struct reader r;
		assert_int_equal(open_bytes(&r, text, length + 1), 0);
		assert_int_equal(next(&r), extra ? -EINVAL : 1);
		if (extra)
			assert_string_equal(r.err.text, "rec.csv:2: the line is longer than 1 MiB");
		else
			assert_int_equal(next(&r), 0);
		close_reader(&r);
		free(text);
	}
}

/* What never ends: one line of 1 GB. It stops after a MiB, whatever follows. */
struct endless {
	size_t given;
};

static ssize_t give(void *cookie, char *buffer, size_t size)
{
	struct endless *endless = cookie;
	static const char head[] = "time,a\n";
	size_t from = 0;
	if (endless->given == 0) {
		memcpy(buffer, head, sizeof(head) - 1);
		from = sizeof(head) - 1;
	}
	if (endless->given >= 1000000000)
		return 0;
	memset(buffer + from, '1', size - from);
	endless->given += size;
	return (ssize_t)size;
}

static void a_line_of_a_gigabyte_ends_early(void **state)
{
	(void)state;
	struct endless endless = {0};
	FILE *file = fopencookie(&endless, "r", (cookie_io_functions_t){.read = give});
	struct gm_csv *csv = NULL;
	struct gm_error err = {0};
	struct gm_reading readings[GM_CSV_COLUMNS];
	int64_t time;
	size_t count;
	assert_non_null(file);
	assert_int_equal(gm_csv_open(file, "rec.csv", &csv, &err), 0);
	assert_int_equal(gm_csv_next(csv, &time, readings, &count, &err), -EINVAL);
	assert_string_equal(err.text, "rec.csv:2: the line is longer than 1 MiB");
	assert_true(endless.given < 4 * (size_t)GM_CSV_LINE);
	gm_csv_close(csv);
	fclose(file);
}

/* Many rows: the reader's memory does not grow with them. */
static void memory_does_not_grow(void **state)
{
	(void)state;
	struct reader r = {0};
	r.file = tmpfile();
	assert_non_null(r.file);
	fputs("time,a,b\n", r.file);
	for (int i = 0; i < 400000; i++)
		fprintf(r.file, "%d,%d.25,1\n", 1700000000 + i, i);
	rewind(r.file);
	assert_int_equal(gm_csv_open(r.file, "rec.csv", &r.csv, &r.err), 0);
	struct rusage before, after;
	for (int i = 0; i < 100; i++)
		assert_int_equal(next(&r), 1);
	getrusage(RUSAGE_SELF, &before);
	for (int i = 100; i < 400000; i++)
		assert_int_equal(next(&r), 1);
	assert_float_equal(r.readings[0].value.gauge, 399999.25, 0);
	assert_int_equal(next(&r), 0);
	getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < 2048);
	close_reader(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_read),
		cmocka_unit_test(line_ends_quotes_and_marks),
		cmocka_unit_test(decimal_counters_are_rounded),
		cmocka_unit_test(bad_headers_are_refused),
		cmocka_unit_test(bad_rows_are_refused),
		cmocka_unit_test(nul_bytes_are_refused),
		cmocka_unit_test(columns_are_bounded),
		cmocka_unit_test(lines_are_bounded),
		cmocka_unit_test(a_line_of_a_gigabyte_ends_early),
		cmocka_unit_test(memory_does_not_grow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

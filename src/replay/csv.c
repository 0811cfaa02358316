/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The streaming CSV reader of replay: one line in memory at a time, every fault reported as
 * "FILE:LINE: …". It knows the catalogue's names and nothing of windows or detectors.
 *
 * A cell may stand in double quotes (RFC 4180), but not go over a line's end. Lines end in LF or
 * CRLF; wholly empty lines are passed over.
 */
#include "replay/csv.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "model/finding.h"

/* How much of a faulty cell a message shows. */
enum { SHOWN = 160 };

struct column {
	char name[GM_METRIC_NAME];
	uint32_t metric;
	enum gm_metric_kind kind;
};

struct gm_csv {
	FILE *input;
	char *name;
	uint64_t line; /* of the line last read */
	bool ended;

	char *buffer; /* GM_CSV_LINE + 2 bytes: [begin, end) is read and not used yet */
	size_t begin, end;

	size_t column_count; /* without `time` */
	struct column columns[GM_CSV_COLUMNS];
	char *cells[GM_CSV_COLUMNS]; /* of the present line, into the buffer */
};

/* "FILE:LINE: REASON", with `cell`, unless NULL, quoted behind it. Returns -EINVAL. */
static int fault(const struct gm_csv *csv, struct gm_error *err, const char *reason,
		 const char *cell)
{
	char quoted[SHOWN] = "";
	if (cell)
		gm_text_quote(quoted, sizeof(quoted), cell);
	return gm_error_set(err, -EINVAL, "%s:%llu: %s%s%s", csv->name,
			    (unsigned long long)csv->line, reason, cell ? ": " : "", quoted);
}

/* Reads on until [begin, end) holds a whole line, the input ends or the buffer is full. */
static char *find_line_end(struct gm_csv *csv)
{
	size_t searched = csv->begin;
	for (;;) {
		char *newline = memchr(csv->buffer + searched, '\n', csv->end - searched);
		if (newline || csv->ended)
			return newline;
		searched = csv->end;
		if (csv->end == GM_CSV_LINE + 1 && csv->begin > 0) {
			memmove(csv->buffer, csv->buffer + csv->begin, csv->end - csv->begin);
			searched -= csv->begin;
			csv->end -= csv->begin;
			csv->begin = 0;
		}
		if (csv->end == GM_CSV_LINE + 1)
			return NULL;
		size_t got =
			fread(csv->buffer + csv->end, 1, GM_CSV_LINE + 1 - csv->end, csv->input);
		csv->end += got;
		csv->ended = got == 0;
	}
}

/* The next line, terminated, without its end. 1, 0 at the end of the input, or -EINVAL. */
static int read_line(struct gm_csv *csv, char **ret_line, struct gm_error *err)
{
	char *newline = find_line_end(csv);
	csv->line++;
	if (ferror(csv->input))
		return gm_error_set(err, -EINVAL, "%s:%llu: cannot be read: %s", csv->name,
				    (unsigned long long)csv->line, strerror(errno));
	if (!newline && !csv->ended)
		return fault(csv, err, "the line is longer than 1 MiB", NULL);
	if (!newline && csv->begin == csv->end)
		return 0;
	char *line = csv->buffer + csv->begin;
	char *end = newline ? newline : csv->buffer + csv->end;
	csv->begin = newline ? (size_t)(newline - csv->buffer) + 1 : csv->end;
	*end = '\0';
	if (memchr(line, '\0', (size_t)(end - line)))
		return fault(csv, err, "there is a NUL byte", NULL);
	if (end > line && end[-1] == '\r')
		end[-1] = '\0';
	*ret_line = line;
	return 1;
}

/*
 * Takes one quoted cell in place: `at` stands on the opening quote. Returns what follows the
 * closing one, or NULL without one.
 */
static char *unquote(char *at)
{
	char *to = at;
	for (at++; *at; at++) {
		if (*at == '"' && *++at != '"') {
			char *rest = at;
			/* `to` is at least two bytes behind: the quotes are gone. */
			*to = '\0';
			return rest;
		}
		if (*at == '\0')
			return NULL;
		*to++ = *at;
	}
	return NULL;
}

/* Splits the line in place into csv->cells. */
static int split(struct gm_csv *csv, char *line, size_t *ret_count, struct gm_error *err)
{
	size_t count = 0;
	for (char *at = line;;) {
		if (count == GM_CSV_COLUMNS)
			return fault(csv, err, "there are more than 512 columns", NULL);
		csv->cells[count++] = at;
		char *end = at;
		if (*at == '"') {
			end = unquote(at);
			if (!end)
				return fault(csv, err, "a quoted cell does not end", NULL);
			if (*end != ',' && *end != '\0')
				return fault(csv, err, "there is text behind a quoted cell", end);
		} else {
			end += strcspn(at, ",");
		}
		if (*end == '\0')
			break;
		*end = '\0';
		at = end + 1;
	}
	*ret_count = count;
	return 0;
}

/* The cells of the next line that is not empty. 1, 0 at the end, or -EINVAL. */
static int read_cells(struct gm_csv *csv, size_t *ret_count, struct gm_error *err)
{
	char *line = NULL;
	int rc;
	do
		rc = read_line(csv, &line, err);
	while (rc > 0 && line[0] == '\0');
	if (rc <= 0)
		return rc;
	rc = split(csv, line, ret_count, err);
	return rc < 0 ? rc : 1;
}

static int take_name(struct gm_csv *csv, const char *name, unsigned *extra, struct gm_error *err)
{
	if (name[0] == '\0')
		return fault(csv, err, "a column has no name", NULL);
	if (strlen(name) >= GM_METRIC_NAME)
		return fault(csv, err, "the name of a column is longer than 47 bytes", name);
	if (!gm_text_is_utf8(name))
		return fault(csv, err, "the name of a column is not UTF-8", name);
	for (size_t i = 0; i < csv->column_count; i++) {
		if (strcmp(csv->columns[i].name, name) == 0)
			return fault(csv, err, "two columns have one name", name);
	}
	struct column *column = &csv->columns[csv->column_count++];
	gm_text_copy(column->name, sizeof(column->name), name);
	unsigned metric = gm_metric_find(name);
	column->metric = metric != GM_METRIC_NONE ? metric : GM_METRIC_EXTRA + (*extra)++;
	column->kind = gm_metric_kind(column->metric);
	return 0;
}

static int read_header(struct gm_csv *csv, struct gm_error *err)
{
	size_t count;
	int rc = read_cells(csv, &count, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return fault(csv, err, "the file is empty, it needs a header line", NULL);
	char *first = csv->cells[0];
	if (strncmp(first, "\xEF\xBB\xBF", 3) == 0) /* a byte order mark, as spreadsheets write */
		first += 3;
	if (strcmp(first, "time") != 0)
		return fault(csv, err, "the first column must be \"time\"", first);
	if (count < 2)
		return fault(csv, err, "there is no metric beside the time", NULL);
	unsigned extra = 0;
	for (size_t i = 1; i < count; i++) {
		rc = take_name(csv, csv->cells[i], &extra, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int gm_csv_open(FILE *input, const char *name, struct gm_csv **ret_csv, struct gm_error *err)
{
	int rc = -ENOMEM;
	struct gm_csv *csv = calloc(1, sizeof(*csv));
	if (!csv)
		goto out;
	csv->input = input;
	csv->name = strdup(name);
	csv->buffer = malloc(GM_CSV_LINE + 2);
	if (!csv->name || !csv->buffer)
		goto out;
	rc = read_header(csv, err);
	if (rc < 0)
		goto out;
	*ret_csv = csv;
	csv = NULL;
out:
	if (rc == -ENOMEM)
		gm_error_set(err, rc, "out of memory");
	gm_csv_close(csv);
	return rc;
}

void gm_csv_close(struct gm_csv *csv)
{
	if (!csv)
		return;
	free(csv->buffer);
	free(csv->name);
	free(csv);
}

size_t gm_csv_columns(const struct gm_csv *csv)
{
	return csv->column_count;
}

const char *gm_csv_metric_name(const struct gm_csv *csv, unsigned metric)
{
	for (size_t i = 0; i < csv->column_count; i++) {
		if (csv->columns[i].metric == metric)
			return csv->columns[i].name;
	}
	return NULL;
}

static bool parse_number(const char *text, double *ret_number)
{
	const char *end = gm_text_number(text, ret_number);
	return end && *end == '\0';
}

/* Whole numbers exactly; others, as a spreadsheet may write them, rounded. */
static bool parse_counter(const char *text, uint64_t *ret_counter)
{
	if (text[0] != '\0' && text[strspn(text, "0123456789")] == '\0') {
		errno = 0;
		unsigned long long whole = strtoull(text, NULL, 10);
		if (errno == ERANGE)
			return false;
		*ret_counter = whole;
		return true;
	}
	double number;
	if (!parse_number(text, &number) || number < 0 || number >= 0x1p64)
		return false;
	number = floor(number + 0.5);
	*ret_counter = number < 0x1p64 ? (uint64_t)number : UINT64_MAX;
	return true;
}

static int parse_time(const struct gm_csv *csv, const char *text, int64_t *ret_time,
		      struct gm_error *err)
{
	if (gm_time_parse(text, ret_time) < 0 || *ret_time < 0)
		return fault(csv, err,
			     "the time is neither seconds since the epoch nor ISO 8601 in UTC",
			     text);
	return 0;
}

int gm_csv_next(struct gm_csv *csv, int64_t *ret_time, struct gm_reading *readings,
		size_t *ret_count, struct gm_error *err)
{
	size_t count;
	int64_t time;
	int rc = read_cells(csv, &count, err);
	if (rc <= 0)
		return rc;
	if (count != csv->column_count + 1)
		return gm_error_set(err, -EINVAL, "%s:%llu: %zu cells, the header has %zu",
				    csv->name, (unsigned long long)csv->line, count,
				    csv->column_count + 1);
	rc = parse_time(csv, csv->cells[0], &time, err);
	if (rc < 0)
		return rc;
	size_t used = 0;
	for (size_t i = 0; i < csv->column_count; i++) {
		const char *cell = csv->cells[i + 1];
		if (cell[0] == '\0')
			continue;
		struct gm_reading *reading = &readings[used++];
		reading->metric = csv->columns[i].metric;
		if (csv->columns[i].kind == GM_KIND_GAUGE) {
			if (!parse_number(cell, &reading->value.gauge))
				return fault(csv, err, "not a number", cell);
		} else if (!parse_counter(cell, &reading->value.counter)) {
			return fault(csv, err, "not a counter (a number from 0 to 2^64 - 1)", cell);
		}
	}
	*ret_time = time;
	*ret_count = used;
	return 1;
}

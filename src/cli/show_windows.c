/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows as text and as CSV; see show.h.
 */
#include <math.h>
#include <stdlib.h>

#include "cli/render.h"
#include "cli/show.h"
#include "model/metric.h"
#include "model/quantity.h"

/* One series as it lies in the reply: [[time, value], …]. */
static double at(const struct gm_json *series, size_t index, size_t member)
{
	return gm_json_value_number(gm_json_at(gm_json_at(series, index), member), NAN);
}

/* Counters are shown as rates: what people want to see of them. */
static size_t collect(const struct gm_json *series, bool counter, double *values)
{
	size_t count = 0;
	for (size_t i = counter; i < gm_json_size(series); i++) {
		double value = at(series, i, 1);
		if (counter)
			value = (value - at(series, i - 1, 1)) /
				(at(series, i, 0) - at(series, i - 1, 0));
		if (isfinite(value))
			values[count++] = value;
	}
	return count;
}

static void show_series(struct gm_table *table, const char *entity, const char *name,
			const struct gm_json *series)
{
	size_t samples = gm_json_size(series);
	const struct gm_metric *metric = gm_metric_get(gm_metric_find(name));
	bool counter = metric && metric->kind == GM_KIND_COUNTER;
	double *values = calloc(samples ? samples : 1, sizeof(*values));
	char(*row)[GM_CELL] = values ? gm_table_row(table) : NULL;
	if (!row) {
		free(values);
		return;
	}
	size_t count = collect(series, counter, values);
	double least = INFINITY, most = -INFINITY, sum = 0;
	for (size_t i = 0; i < count; i++) {
		least = fmin(least, values[i]);
		most = fmax(most, values[i]);
		sum += values[i];
	}
	gm_render_name(row[0], entity);
	gm_render_name(row[1], name);
	snprintf(row[2], GM_CELL, "%zu", samples);
	snprintf(row[3], GM_CELL, "%.1f s",
		 samples ? at(series, samples - 1, 0) - at(series, 0, 0) : 0);
	if (count > 0) {
		char unit[GM_UNIT];
		gm_quantity_unit(gm_metric_find(name), false, unit);
		gm_quantity_text(values[count - 1], unit, GM_QUANTITY_DIGITS, row[4]);
		gm_quantity_text(least, unit, GM_QUANTITY_DIGITS, row[5]);
		gm_quantity_text(sum / (double)count, unit, GM_QUANTITY_DIGITS, row[6]);
		gm_quantity_text(most, unit, GM_QUANTITY_DIGITS, row[7]);
	}
	free(values);
}

void gm_show_windows(const struct gm_json *reply, FILE *out)
{
	static const char *const heads[] = {"ENTITY", "METRIC", ">SAMPLES", ">SPAN", ">NEWEST",
					    ">LEAST", ">MEAN",  ">MOST",    NULL};
	struct gm_table table;
	gm_table_init(&table, heads);
	void *entities = NULL;
	const char *entity, *name;
	const struct gm_json *metrics, *series;
	while (gm_json_next(gm_json_get(reply, "entities"), &entities, &entity, &metrics)) {
		void *iterator = NULL;
		while (gm_json_next(metrics, &iterator, &name, &series))
			show_series(&table, entity, name, series);
	}
	gm_table_print(&table, out);
}

struct column {
	const char *name;
	const struct gm_json *series;
	size_t next;
};

static double next_time(const struct column *columns, size_t count)
{
	double least = INFINITY;
	for (size_t i = 0; i < count; i++)
		if (columns[i].next < gm_json_size(columns[i].series))
			least = fmin(least, at(columns[i].series, columns[i].next, 0));
	return least;
}

static void print_row(struct column *columns, size_t count, double time, FILE *out)
{
	fprintf(out, "%.6f", time);
	for (size_t i = 0; i < count; i++) {
		struct column *column = &columns[i];
		fputc(',', out);
		if (column->next == gm_json_size(column->series) ||
		    at(column->series, column->next, 0) != time)
			continue;
		const struct gm_json *value =
			gm_json_at(gm_json_at(column->series, column->next), 1);
		struct gm_buffer digits = GM_BUFFER_INIT(64);
		if (gm_json_write(value, 0, &digits) == 0) /* exact for integers of 64 bits */
			fputs(digits.data, out);
		gm_buffer_free(&digits);
		column->next++;
	}
	fputc('\n', out);
}

void gm_show_entity_csv(const struct gm_json *metrics, FILE *out)
{
	struct column columns[GM_METRIC_COUNT];
	size_t count = 0;
	void *iterator = NULL;
	const char *name;
	const struct gm_json *series;
	fputs("time", out);
	while (count < GM_METRIC_COUNT && gm_json_next(metrics, &iterator, &name, &series)) {
		columns[count++] = (struct column){.name = name, .series = series};
		fprintf(out, ",%s", name);
	}
	fputc('\n', out);
	for (double time; isfinite(time = next_time(columns, count));)
		print_row(columns, count, time, out);
}

/* The next that has any of the metrics asked for; NULL: there is none. */
static const struct gm_json *next_entity(const struct gm_json *reply, void **iterator,
					 const char **ret_entity)
{
	const struct gm_json *metrics;
	while (gm_json_next(gm_json_get(reply, "entities"), iterator, ret_entity, &metrics))
		if (gm_json_size(metrics) > 0)
			return metrics;
	return NULL;
}

/* A recording is of one entity: the first that has the metrics asked for, which is the guest's own. */
void gm_show_windows_csv(const struct gm_json *reply, FILE *out, FILE *remarks)
{
	void *iterator = NULL;
	const char *first, *other;
	char name[GM_CELL];
	const struct gm_json *metrics = next_entity(reply, &iterator, &first);
	if (!metrics)
		return;
	gm_show_entity_csv(metrics, out);
	if (!next_entity(reply, &iterator, &other))
		return;
	fprintf(remarks, "guestmonctl: printed %s;", gm_render_name(name, first));
	do
		fprintf(remarks, " %s", gm_render_name(name, other));
	while (next_entity(reply, &iterator, &other));
	fprintf(remarks, " can be chosen with --entity\n");
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables and units for the terminal; see render.h. Names come from guests: nothing in them may steer
 * the terminal.
 */
#include "cli/render.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

void gm_table_init(struct gm_table *table, const char *const *heads)
{
	*table = (struct gm_table){.heads = heads};
	while (table->columns < GM_TABLE_COLUMNS && heads[table->columns])
		table->columns++;
}

char (*gm_table_row(struct gm_table *table))[GM_CELL]
{
	size_t row_size = table->columns * GM_CELL;
	char(*cells)[GM_CELL] = realloc(table->cells, (table->rows + 1) * row_size);
	if (!cells)
		return NULL;
	table->cells = cells;
	char(*row)[GM_CELL] = cells + table->rows++ * table->columns;
	memset(row, 0, row_size);
	return row;
}

/* Columns on the terminal: characters, not bytes. */
static size_t width_of(const char *text)
{
	size_t width = 0;
	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xC0) != 0x80;
	return width;
}

static void print_cell(FILE *out, const char *text, size_t width, bool right, bool last)
{
	int pad = (int)(width - width_of(text));
	if (right)
		fprintf(out, "%*s%s", pad, "", text);
	else
		fprintf(out, "%s%*s", text, last ? 0 : pad, "");
	fputs(last ? "\n" : "  ", out);
}

void gm_table_print(struct gm_table *table, FILE *out)
{
	size_t widths[GM_TABLE_COLUMNS];
	for (size_t column = 0; column < table->columns; column++) {
		bool right = table->heads[column][0] == '>';
		widths[column] = width_of(table->heads[column] + right);
		for (size_t row = 0; row < table->rows; row++) {
			size_t width = width_of(table->cells[row * table->columns + column]);
			if (width > widths[column])
				widths[column] = width;
		}
	}
	for (size_t row = 0; row <= table->rows; row++) {
		for (size_t column = 0; column < table->columns; column++) {
			bool right = table->heads[column][0] == '>';
			const char *text =
				row == 0 ? table->heads[column] + right
					 : table->cells[(row - 1) * table->columns + column];
			print_cell(out, text, widths[column], right, column + 1 == table->columns);
		}
	}
	free(table->cells);
	table->cells = NULL;
}

/*
 * Words from `column` on; further lines begin at `margin`, each with one of `starts` (NULL: with any word).
 * Returns the column after the last.
 */
static size_t print_words(FILE *out, const char *text, const char *starts, size_t column,
			  size_t margin)
{
	const char *separator = "";
	while (*text != '\0') {
		size_t length = strcspn(text, " ");
		while (starts && text[length] == ' ' && !strchr(starts, text[length + 1]))
			length += 1 + strcspn(text + length + 1, " ");
		if (column + strlen(separator) + length > GM_HELP_WIDTH && separator[0] != '\0') {
			fprintf(out, "\n%*s", (int)margin, "");
			column = margin;
			separator = "";
		}
		fprintf(out, "%s%.*s", separator, (int)length, text);
		column += strlen(separator) + length;
		text += length + strspn(text + length, " ");
		separator = " ";
	}
	return column;
}

void gm_render_entry(FILE *out, const char *synopsis, const char *help)
{
	enum { LEFT = 2, DEEPER = 6, HELP = 30 };
	fprintf(out, "%*s", LEFT, "");
	size_t column = print_words(out, synopsis, "[|", LEFT, DEEPER);
	if (column + 2 > HELP) {
		fputc('\n', out);
		column = 0;
	}
	fprintf(out, "%*s", (int)(HELP - column), "");
	print_words(out, help, NULL, HELP, HELP);
	fputc('\n', out);
}

static char *with_unit(char *cell, double value, double step, const char *const *units)
{
	if (!isfinite(value)) {
		snprintf(cell, GM_CELL, "-");
		return cell;
	}
	while (fabs(value) >= step && units[1]) {
		value /= step;
		units++;
	}
	snprintf(cell, GM_CELL, "%.*f %s", fabs(value) < 10 && value != floor(value) ? 2 : 1, value,
		 *units);
	return cell;
}

const char *gm_member_text(const struct gm_json *object, const char *key)
{
	const char *text = gm_json_get_text(object, key);
	return text ? text : "";
}

char *gm_render_bytes(char *cell, double bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", NULL};
	return with_unit(cell, bytes, 1024, units);
}

char *gm_render_rate(char *cell, double bits_per_s)
{
	static const char *const units[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", NULL};
	return with_unit(cell, bits_per_s, 1000, units);
}

char *gm_render_duration(char *cell, double seconds)
{
	static const struct {
		double limit;
		int large, small;
		const char *large_name, *small_name;
	} forms[] = {
		{3600, 60, 1, "min", "s"},
		{86400, 3600, 60, "h", "min"},
		{INFINITY, 86400, 3600, "d", "h"},
	};
	if (!isfinite(seconds)) {
		snprintf(cell, GM_CELL, "-");
	} else if (seconds < 60) {
		snprintf(cell, GM_CELL, "%.*f s", seconds < 10 ? 2 : 0, seconds);
	} else {
		size_t i = 0;
		while (seconds >= forms[i].limit)
			i++;
		double large = floor(seconds / forms[i].large);
		snprintf(cell, GM_CELL, "%.0f %s %.0f %s", large, forms[i].large_name,
			 floor((seconds - large * forms[i].large) / forms[i].small),
			 forms[i].small_name);
	}
	return cell;
}

char *gm_render_time(char *cell, double seconds)
{
	time_t whole = (time_t)seconds;
	struct tm tm;
	char text[32];
	if (!isfinite(seconds) || seconds <= 0 || !localtime_r(&whole, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(cell, GM_CELL, "-");
	else
		snprintf(cell, GM_CELL, "%s.%d", text, (int)((seconds - (double)whole) * 10));
	return cell;
}

char *gm_render_name(char *cell, const char *name)
{
	char quoted[GM_CELL];
	gm_text_quote(quoted, sizeof(quoted), name);
	size_t length = strlen(quoted);
	bool plain = name && name[0] != '\0' && !strpbrk(quoted + 1, "\\ ") &&
		     strlen(name) == length - 2;
	if (plain)
		snprintf(cell, GM_CELL, "%.*s", (int)(length - 2), quoted + 1);
	else
		snprintf(cell, GM_CELL, "%s", name && name[0] != '\0' ? quoted : "-");
	return cell;
}

char *gm_render_sentence(char *cell, const char *sentence)
{
	char quoted[GM_CELL];
	size_t used = 0, length = gm_text_quote(quoted, sizeof(quoted), sentence);
	for (size_t i = 1; i + 1 < length; i++) {
		i += quoted[i] == '\\' && quoted[i + 1] == '"';
		cell[used++] = quoted[i];
	}
	cell[used] = '\0';
	if (used == 0)
		snprintf(cell, GM_CELL, "-");
	return cell;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Draws charts with characters; see plot.h. A cell holds two columns of four dots (braille,
 * U+2800 … U+28FF), or one character where the terminal knows ASCII alone. Alarms are lines from the
 * top to the axis, and told in words below it.
 */
#include "cli/plot.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/render.h"

enum {
	WIDTH_DEFAULT = 80,
	WIDTH_MIN = 40,
	WIDTH_MAX = 400,
	ROWS = 10,
	DOTS = 4, /* per cell, downwards */
	LABEL = 10,
	TICK_COLUMNS = 14,
};

struct cell {
	unsigned char dots; /* bits of the braille pattern */
	unsigned char mark; /* 1 + index into the chart's marks; 0: none */
};

struct canvas {
	const struct gm_charts *charts;
	const struct gm_chart *chart;
	const struct gm_plot_style *style;
	FILE *out;
	size_t columns; /* cells */
	struct cell *cells;
};

struct gm_plot_style gm_plot_style_of(FILE *out)
{
	struct gm_plot_style style = {.width = WIDTH_DEFAULT};
	struct winsize size;
	const char *columns = getenv("COLUMNS");
	long given = columns ? strtol(columns, NULL, 10) : 0;
	int fd = fileno(out);

	setlocale(LC_CTYPE, "");
	style.unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	style.colour = isatty(fd) && !getenv("NO_COLOR");
	if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		style.width = size.ws_col;
	else if (given > 0 && given <= WIDTH_MAX)
		style.width = (size_t)given;
	if (style.width < WIDTH_MIN)
		style.width = WIDTH_MIN;
	if (style.width > WIDTH_MAX)
		style.width = WIDTH_MAX;
	return style;
}

/* The column of dots (two per cell) of a time. */
static long dot_column(const struct canvas *canvas, double time)
{
	const struct gm_charts *charts = canvas->charts;
	double part = (time - charts->begin) / (charts->end - charts->begin);

	return lround(part * (double)(2 * canvas->columns - 1));
}

static long dot_row(const struct canvas *canvas, double value)
{
	const struct gm_chart *chart = canvas->chart;
	double part = (value - chart->low) / (chart->high - chart->low);

	return lround((1 - part) * (ROWS * DOTS - 1));
}

static void dot(struct canvas *canvas, long column, long row)
{
	/* The order of the dots is that of history: the fourth row was added later. */
	static const unsigned char bits[DOTS][2] = {
		{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};

	if (column < 0 || row < 0 || column >= 2 * (long)canvas->columns || row >= ROWS * DOTS)
		return;
	canvas->cells[row / DOTS * (long)canvas->columns + column / 2].dots |=
		bits[row % DOTS][column % 2];
}

static void line(struct canvas *canvas, const struct gm_chart_point *from,
		 const struct gm_chart_point *to)
{
	long column = dot_column(canvas, from->time), row = dot_row(canvas, from->value);
	long columns = dot_column(canvas, to->time) - column;
	long rows = dot_row(canvas, to->value) - row;
	long steps = labs(columns) > labs(rows) ? labs(columns) : labs(rows);

	for (long i = 0; i <= steps; i++)
		dot(canvas, column + (steps ? columns * i / steps : 0),
		    row + (steps ? rows * i / steps : 0));
}

static void draw(struct canvas *canvas)
{
	const struct gm_chart *chart = canvas->chart;

	for (size_t i = 0; i < chart->mark_count; i++) {
		size_t column = (size_t)dot_column(canvas, chart->marks[i].time) / 2;

		for (size_t row = 0; row < ROWS; row++)
			canvas->cells[row * canvas->columns + column].mark = (unsigned char)(i + 1);
	}
	for (size_t i = 0; i < chart->count; i++)
		line(canvas, &chart->points[i > 0 && !chart->points[i].gap ? i - 1 : i],
		     &chart->points[i]);
}

static const char *colour_of(const struct gm_chart_mark *mark)
{
	static const char *const colours[] = {
		[GM_SEVERITY_INDETERMINATE] = "\033[36m", [GM_SEVERITY_CRITICAL] = "\033[1;31m",
		[GM_SEVERITY_MAJOR] = "\033[31m",         [GM_SEVERITY_MINOR] = "\033[33m",
		[GM_SEVERITY_WARNING] = "\033[35m",
	};

	if (mark->clear || mark->severity < GM_SEVERITY_INDETERMINATE)
		return "\033[32m";
	return colours[mark->severity];
}

static void put_coloured(const struct canvas *canvas, const struct gm_chart_mark *mark,
			 const char *text)
{
	if (canvas->style->colour)
		fprintf(canvas->out, "%s%s\033[0m", colour_of(mark), text);
	else
		fputs(text, canvas->out);
}

static void put_cell(const struct canvas *canvas, const struct cell *cell)
{
	const struct gm_chart_mark *mark =
		cell->mark ? &canvas->chart->marks[cell->mark - 1] : NULL;

	if (cell->dots && canvas->style->unicode) {
		char braille[4] = {(char)0xE2, (char)(0xA0 | cell->dots >> 6),
				   (char)(0x80 | (cell->dots & 0x3F)), '\0'};

		fputs(braille, canvas->out);
	} else if (cell->dots) {
		fputc('*', canvas->out);
	} else if (!mark) {
		fputc(' ', canvas->out);
	} else if (canvas->style->unicode) {
		put_coloured(canvas, mark, mark->clear ? "┊" : "│");
	} else {
		put_coloured(canvas, mark, mark->clear ? ":" : "|");
	}
}

static void put_rows(const struct canvas *canvas)
{
	const struct gm_chart *chart = canvas->chart;
	double ticks[GM_CHART_TICKS], step;
	size_t count = gm_chart_ticks(chart->low, chart->high, ROWS / 2, ticks, &step);

	for (size_t row = 0; row < ROWS; row++) {
		char label[GM_CHART_LABEL] = "";

		for (size_t i = 0; i < count; i++)
			if (dot_row(canvas, ticks[i]) / DOTS == (long)row)
				gm_chart_number(ticks[i], step, label);
		fprintf(canvas->out, "%*s ", LABEL, label);
		if (canvas->style->unicode)
			fputs(label[0] ? "┤" : "│", canvas->out);
		else
			fputc(label[0] ? '+' : '|', canvas->out);
		for (size_t column = 0; column < canvas->columns; column++)
			put_cell(canvas, &canvas->cells[row * canvas->columns + column]);
		fputc('\n', canvas->out);
	}
}

/* The axis with its ticks, and the times under them. */
static void put_axis(const struct canvas *canvas)
{
	double ticks[GM_CHART_TICKS];
	size_t count = gm_chart_time_ticks(canvas->charts->begin, canvas->charts->end,
					   canvas->columns / TICK_COLUMNS, ticks);
	bool unicode = canvas->style->unicode;
	size_t next = 0, printed = 0;

	fprintf(canvas->out, "%*s %s", LABEL, canvas->chart->unit, unicode ? "└" : "+");
	for (size_t column = 0; column < canvas->columns; column++) {
		bool tick = next < count && (size_t)dot_column(canvas, ticks[next]) / 2 == column;

		next += tick;
		fputs(unicode ? (tick ? "┬" : "─") : (tick ? "+" : "-"), canvas->out);
	}
	fprintf(canvas->out, "\n%*s", LABEL + 2, "");
	for (size_t i = 0; i < count; i++) {
		char label[GM_CHART_LABEL];
		size_t column = (size_t)dot_column(canvas, ticks[i]) / 2;
		size_t length = strlen(gm_chart_clock(ticks[i], label));
		size_t from = column > length / 2 ? column - length / 2 : 0;

		/* At the right edge, a label ends where the axis does. */
		if (from + length > canvas->columns)
			from = canvas->columns > length ? canvas->columns - length : 0;
		if (from < printed + (printed > 0))
			continue;
		fprintf(canvas->out, "%*s%s", (int)(from - printed), "", label);
		printed = from + length;
	}
	fputc('\n', canvas->out);
}

static void put_marks(const struct canvas *canvas)
{
	const struct gm_chart *chart = canvas->chart;

	for (size_t i = 0; i < chart->mark_count; i++) {
		const struct gm_chart_mark *mark = &chart->marks[i];
		char clock[GM_CHART_LABEL], detector[GM_CELL], text[GM_CELL];
		const char *arrow = canvas->style->unicode ? (mark->clear ? "▼" : "▲")
							   : (mark->clear ? "v" : "^");

		fprintf(canvas->out, "%*s ", LABEL, gm_chart_clock(mark->time, clock));
		put_coloured(canvas, mark, arrow);
		fprintf(canvas->out, " %s %s: %s\n",
			mark->clear ? "cleared" : gm_severity_name(mark->severity),
			gm_render_name(detector, mark->detector), gm_render_name(text, mark->text));
	}
}

static int plot_one(struct canvas *canvas)
{
	char entity[GM_CELL], metric[GM_CELL];

	canvas->columns = canvas->style->width - LABEL - 2;
	canvas->cells = calloc(canvas->columns * ROWS, sizeof(*canvas->cells));
	if (!canvas->cells)
		return -ENOMEM;
	draw(canvas);
	fprintf(canvas->out, "%*s %s of %s\n", LABEL, "",
		gm_render_name(metric, canvas->chart->metric),
		gm_render_name(entity, canvas->chart->entity));
	put_rows(canvas);
	put_axis(canvas);
	put_marks(canvas);
	free(canvas->cells);
	return 0;
}

int gm_plot(const struct gm_charts *charts, const struct gm_plot_style *style, FILE *out)
{
	for (size_t i = 0; i < charts->count; i++) {
		struct canvas canvas = {
			.charts = charts, .chart = &charts->charts[i], .style = style, .out = out};

		if (i > 0)
			fputc('\n', out);
		if (plot_one(&canvas) < 0)
			return -ENOMEM;
	}
	return 0;
}

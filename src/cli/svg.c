/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes charts as SVG; see svg.h. Names come from guests: every text goes through put_text(). Severities
 * differ in words and line style, not in colour alone; who cannot see the picture gets title and
 * description.
 */
#include "cli/svg.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

enum {
	WIDTH = 960,
	LEFT = 90,
	RIGHT = 44,
	HEAD = 56,  /* of the picture */
	TITLE = 26, /* of each chart */
	PLOT = 180,
	FOOT = 40,
	LABEL_ROW = 14,
	LABEL_ROWS = 3, /* labels of alarms that are close to each other go below one another */
	LABEL_WIDTH = 150,
};

struct frame {
	const struct gm_charts *charts;
	const struct gm_chart *chart;
	double top; /* of the plot */
	FILE *out;
};

/* XML 1.0 allows no control characters at all, escaped or not; what is not UTF-8 is replaced, too. */
static void put_text(FILE *out, const char *text)
{
	static const char *const entities[128] = {
		['<'] = "&lt;", ['>'] = "&gt;", ['&'] = "&amp;", ['"'] = "&quot;", ['\''] = "&#39;",
	};
	char clean[2048];

	gm_text_copy(clean, sizeof(clean), text);
	for (const char *at = clean; *at; at++) {
		unsigned char c = (unsigned char)*at;

		if (c < 128 && entities[c])
			fputs(entities[c], out);
		else if (c < ' ' || c == 0x7f)
			fputs("\xEF\xBF\xBD", out);
		/* U+FFFE and U+FFFF, which UTF-8 can write and XML cannot hold. */
		else if (c == 0xEF && (unsigned char)at[1] == 0xBF && (unsigned char)at[2] >= 0xBE)
			at += 2;
		else
			fputc(c, out);
	}
}

static double x_of(const struct frame *frame, double time)
{
	const struct gm_charts *charts = frame->charts;
	double part = (time - charts->begin) / (charts->end - charts->begin);

	return LEFT + part * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct frame *frame, double value)
{
	const struct gm_chart *chart = frame->chart;
	double part = (value - chart->low) / (chart->high - chart->low);

	return frame->top + (1 - part) * PLOT;
}

static void put_grid(const struct frame *frame)
{
	const struct gm_chart *chart = frame->chart;
	double ticks[GM_CHART_TICKS], step;
	char label[GM_CHART_LABEL];
	size_t count = gm_chart_ticks(chart->low, chart->high, 5, ticks, &step);

	for (size_t i = 0; i < count; i++) {
		double y = y_of(frame, ticks[i]);

		fprintf(frame->out,
			"<path class=\"grid\" d=\"M%d %.1fH%d\"/>"
			"<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			LEFT, y, WIDTH - RIGHT, LEFT - 6, y + 4,
			gm_chart_number(ticks[i], step, label));
	}
	count = gm_chart_time_ticks(frame->charts->begin, frame->charts->end, 8, ticks);
	for (size_t i = 0; i < count; i++) {
		double x = x_of(frame, ticks[i]);

		fprintf(frame->out,
			"<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/>"
			"<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" "
			"text-anchor=\"middle\">%s</text>\n",
			x, frame->top, frame->top + PLOT, x, frame->top + PLOT + 16,
			gm_chart_clock(ticks[i], label));
	}
	fprintf(frame->out,
		"<rect class=\"frame\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%d\"/>\n", LEFT,
		frame->top, WIDTH - LEFT - RIGHT, PLOT);
}

/*
 * The line. Of the points that share a pixel the first, least, greatest and last are drawn: the picture is
 * the same, and its size does not grow with the window.
 */
static void put_line(const struct frame *frame)
{
	const struct gm_chart *chart = frame->chart;
	FILE *out = frame->out;

	fputs("<path class=\"line\" d=\"", out);
	for (size_t i = 0; i < chart->count;) {
		const struct gm_chart_point *first = &chart->points[i];
		double x = x_of(frame, first->time), least = first->value, most = first->value;
		size_t last = i;

		while (last + 1 < chart->count && !chart->points[last + 1].gap &&
		       floor(x_of(frame, chart->points[last + 1].time)) == floor(x)) {
			last++;
			least = fmin(least, chart->points[last].value);
			most = fmax(most, chart->points[last].value);
		}
		fprintf(out, "%c%.1f %.1f", i == 0 || first->gap ? 'M' : 'L', x,
			y_of(frame, first->value));
		if (last > i)
			fprintf(out, "V%.1fV%.1fL%.1f %.1f", y_of(frame, least), y_of(frame, most),
				x_of(frame, chart->points[last].time),
				y_of(frame, chart->points[last].value));
		i = last + 1;
	}
	fputs("\"/>\n", out);
}

static const char *class_of(const struct gm_chart_mark *mark)
{
	return mark->clear ? "cleared" : gm_severity_name(mark->severity);
}

/* A label stands where the last one in its row ends before it; alarms too close have the line alone. */
static void put_marks(const struct frame *frame)
{
	const struct gm_chart *chart = frame->chart;
	double free_from[LABEL_ROWS] = {0};
	char clock[GM_CHART_LABEL];
	FILE *out = frame->out;

	for (size_t i = 0; i < chart->mark_count; i++) {
		const struct gm_chart_mark *mark = &chart->marks[i];
		double x = x_of(frame, mark->time);
		bool left = x > WIDTH - RIGHT - LABEL_WIDTH;
		double from = left ? x - LABEL_WIDTH : x;
		size_t row = 0;

		while (row < LABEL_ROWS && free_from[row] > from)
			row++;
		fprintf(out, "<g class=\"mark %s%s\"><title>", class_of(mark),
			mark->own ? "" : " other");
		put_text(out, gm_chart_clock(mark->time, clock));
		fprintf(out, " %s ", mark->clear ? "cleared:" : gm_severity_name(mark->severity));
		put_text(out, mark->text);
		fprintf(out, "</title><path d=\"M%.1f %.1fV%.1f\"/>", x, frame->top,
			frame->top + PLOT);
		if (row < LABEL_ROWS) {
			fprintf(out, "<text x=\"%.1f\" y=\"%.1f\"%s>", left ? x - 4 : x + 4,
				frame->top + 12 + (double)row * LABEL_ROW,
				left ? " text-anchor=\"end\"" : "");
			put_text(out, mark->detector);
			fprintf(out, " %s</text>", class_of(mark));
			free_from[row] = from + LABEL_WIDTH;
		}
		fputs("</g>\n", out);
	}
}

static void put_chart(const struct gm_charts *charts, size_t index, double top, FILE *out)
{
	const struct gm_chart *chart = &charts->charts[index];
	const struct frame frame = {charts, chart, top + TITLE, out};

	fprintf(out, "<g>\n<text class=\"name\" x=\"%d\" y=\"%.1f\">", LEFT, top + TITLE - 8);
	put_text(out, chart->metric);
	fputs(" of ", out);
	put_text(out, chart->entity);
	fprintf(out, "</text><text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">",
		LEFT - 6, top + TITLE - 8);
	put_text(out, chart->unit);
	fputs("</text>\n", out);
	put_grid(&frame);
	put_line(&frame);
	put_marks(&frame);
	fputs("</g>\n", out);
}

static void put_style(FILE *out)
{
	fputs("<style>\n"
	      "text { font-family: sans-serif; font-size: 12px; fill: #222; }\n"
	      ".head { font-size: 16px; font-weight: bold; }\n"
	      ".name { font-weight: bold; }\n"
	      ".tick { font-size: 11px; fill: #555; }\n"
	      ".grid { stroke: #ddd; fill: none; }\n"
	      ".frame { stroke: #888; fill: none; }\n"
	      ".line { stroke: #1f4e8c; stroke-width: 1.4; fill: none; stroke-linejoin: round; }\n"
	      ".mark path { stroke-width: 1.6; fill: none; }\n"
	      ".mark text { font-size: 11px; stroke: #fff; stroke-width: 3px; paint-order: stroke; "
	      "}\n"
	      ".critical path { stroke: #a50026; stroke-width: 2.4; } .critical text { fill: "
	      "#a50026; }\n"
	      ".major path { stroke: #d73027; } .major text { fill: #b3201a; }\n"
	      ".minor path { stroke: #c76a00; } .minor text { fill: #9a5200; }\n"
	      ".warning path { stroke: #7b3294; } .warning text { fill: #7b3294; }\n"
	      ".indeterminate path { stroke: #555; } .indeterminate text { fill: #555; }\n"
	      ".cleared path { stroke: #1a7837; stroke-dasharray: 6 3; } .cleared text { fill: "
	      "#1a7837; }\n"
	      ".other path { stroke-width: 0.8; stroke-dasharray: 2 3; }\n"
	      "</style>\n",
	      out);
}

static void put_head(const struct gm_charts *charts, FILE *out)
{
	char begin[GM_CHART_LABEL], end[GM_CHART_LABEL], day[GM_CHART_LABEL] = "";
	time_t whole = (time_t)charts->begin;
	struct tm tm;
	size_t marks = 0;

	if (localtime_r(&whole, &tm))
		strftime(day, sizeof(day), "%Y-%m-%d %Z", &tm);
	for (size_t i = 0; i < charts->count; i++)
		marks += charts->charts[i].mark_count;
	gm_chart_clock(charts->begin, begin);
	gm_chart_clock(charts->end, end);
	fputs("<title id=\"title\">", out);
	put_text(out, charts->guest);
	fprintf(out, ", %s, %s to %s</title>\n<desc id=\"desc\">", day, begin, end);
	fprintf(out, "%zu windows of guestmon", charts->count);
	for (size_t i = 0; i < charts->count; i++) {
		fputs(i ? ", " : ": ", out);
		put_text(out, charts->charts[i].metric);
	}
	fprintf(out, "; %zu alarms raised, changed or cleared are marked.</desc>\n", marks);
	put_style(out);
	fputs("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n", out);
	fprintf(out, "<text class=\"head\" x=\"%d\" y=\"30\">", LEFT);
	put_text(out, charts->guest);
	fprintf(out, ", %s, %s to %s</text>\n", day, begin, end);
}

void gm_svg(const struct gm_charts *charts, FILE *out)
{
	size_t height = HEAD + charts->count * (TITLE + PLOT + FOOT);

	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%d\" "
		"height=\"%zu\" viewBox=\"0 0 %d %zu\" role=\"img\" "
		"aria-labelledby=\"title desc\">\n",
		WIDTH, height, WIDTH, height);
	put_head(charts, out);
	for (size_t i = 0; i < charts->count; i++)
		put_chart(charts, i, HEAD + (double)i * (TITLE + PLOT + FOOT), out);
	fputs("</svg>\n", out);
}

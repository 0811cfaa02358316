/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers for people; see quantity.h. Called for the sentences of alarms and for guestmonctl's tables.
 */
#include "model/quantity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/metric.h"

/* A unit as it is stored, its first shown form, and the steps between the forms. */
static const struct scale {
	const char *unit;
	double factor, step;
	const char *names[7]; /* NULL at the end */
} scales[] = {
	{"B", 1, 1024, {"B", "KiB", "MiB", "GiB", "TiB", "PiB", NULL}},
	{"B/s", 1, 1024, {"B/s", "KiB/s", "MiB/s", "GiB/s", "TiB/s", NULL}},
	{"bit/s", 1, 1000, {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s", NULL}},
	{"ns", 1, 1000, {"ns", "µs", "ms", "s", NULL}},
	{"ns/s", 1e-9, 1000, {"s/s", NULL}}, /* of time: how many were busy */
	{"packet/s", 1, INFINITY, {"packets/s", NULL}},
	{"request/s", 1, INFINITY, {"requests/s", NULL}},
	{"1/s", 1, INFINITY, {"/s", NULL}},
	{"1", 1, INFINITY, {"", NULL}},
	{"", 1, INFINITY, {"", NULL}},
};

char *gm_quantity_unit(unsigned id, bool rate, char unit[GM_UNIT])
{
	const struct gm_metric *metric = gm_metric_get(id);

	rate |= metric && metric->kind == GM_KIND_COUNTER;
	snprintf(unit, GM_UNIT, "%s%s", metric ? metric->unit : "", metric && rate ? "/s" : "");
	return unit;
}

char *gm_quantity_text(double value, const char *unit, int digits, char text[GM_QUANTITY])
{
	const struct scale *scale = scales, *end = scales + sizeof(scales) / sizeof(scales[0]);
	size_t name = 0;

	while (scale < end && strcmp(scale->unit, unit) != 0)
		scale++;
	const char *shown = scale < end ? scale->names[0] : unit;
	if (scale < end) {
		value *= scale->factor;
		for (; scale->names[name + 1] && fabs(value) >= scale->step; name++)
			value /= scale->step;
		shown = scale->names[name];
	}
	const char *space = shown[0] != '\0' && shown[0] != '/' ? " " : "";
	bool plain = shown[0] == '\0';
	double most = plain ? 1e6 : 1e4; /* what %g would write as a power of ten */

	if (plain && digits <= GM_QUANTITY_DIGITS)
		digits = 6;
	if (fabs(value) >= most && fabs(value) < 1e15)
		snprintf(text, GM_QUANTITY, "%.0f%s%s", value, space, shown);
	else
		snprintf(text, GM_QUANTITY, "%.*g%s%s", digits, value, space, shown);
	return text;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Option tables; see option.h. One parser per type, found by the type's number.
 */
#include "base/option.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

struct unit {
	const char *name;
	double factor;
};

static const struct unit duration_units[] = {
	{"", 1e9},   {"ns", 1},     {"us", 1e3},    {"ms", 1e6},     {"s", 1e9},
	{"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}, {"w", 604800e9}, {NULL, 0},
};
static const struct unit size_units[] = {
	{"", 1},         {"k", 1e3},         {"M", 1e6},
	{"G", 1e9},      {"T", 1e12},        {"Ki", 1024},
	{"Mi", 1048576}, {"Gi", 1073741824}, {"Ti", 1024.0 * 1073741824},
	{NULL, 0},
};
static const struct unit rate_units[] = {
	{"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}, {NULL, 0},
};
static const struct unit no_units[] = {{"", 1}, {NULL, 0}};

/* How a number of each type is written, and what to call it. */
static const struct {
	const char *name;
	const struct unit *units;
	const char *
		show_unit; /* in which ranges and values are printed when nothing larger is exact */
} types[] = {
	[GM_OPTION_BOOL] = {"true or false", NULL, ""},
	[GM_OPTION_INT] = {"a whole number", no_units, ""},
	[GM_OPTION_NUMBER] = {"a number", no_units, ""},
	[GM_OPTION_LIMIT] = {"a number or none", size_units, ""},
	[GM_OPTION_DURATION] = {"a duration", duration_units, "ns"},
	[GM_OPTION_SIZE] = {"a size in bytes", size_units, ""},
	[GM_OPTION_BITRATE] = {"a rate in bit/s", rate_units, ""},
	[GM_OPTION_TEXT] = {"text", NULL, ""},
	[GM_OPTION_CHOICE] = {"one of", NULL, ""},
};

static bool parse_bool(const char *text, bool *ret_flag)
{
	static const struct {
		const char *name;
		bool flag;
	} names[] = {{"true", true},   {"yes", true}, {"on", true},
		     {"false", false}, {"no", false}, {"off", false}};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i].name) == 0) {
			*ret_flag = names[i].flag;
			return true;
		}
	}
	return false;
}

/* A decimal number with one of `units` behind it. */
static bool parse_number(const char *text, const struct unit *units, double *ret_number)
{
	double number;
	const char *end = gm_text_number(text, &number);
	if (!end)
		return false;
	while (*end == ' ')
		end++;
	for (const struct unit *unit = units; unit->name; unit++) {
		if (strcmp(end, unit->name) == 0) {
			*ret_number = number * unit->factor;
			return true;
		}
	}
	return false;
}

/* In the largest unit that shows it exactly. */
static void format_number(enum gm_option_type type, double number, char *text, size_t size)
{
	const struct unit *best = NULL;
	for (const struct unit *unit = types[type].units; unit->name; unit++) {
		bool readable = unit->name[0] != '\0' && strcmp(unit->name, "w") != 0;
		if (readable && number != 0 && fmod(number, unit->factor) == 0 &&
		    (!best || unit->factor > best->factor))
			best = unit;
	}
	snprintf(text, size, "%.15g%s", best ? number / best->factor : number,
		 best          ? best->name
		 : number != 0 ? types[type].show_unit
			       : "");
}

const struct gm_option *gm_option_find(const struct gm_option *table, const char *key)
{
	for (const struct gm_option *option = table; option->key; option++)
		if (strcmp(option->key, key) == 0)
			return option;
	return NULL;
}

char *gm_option_describe(const struct gm_option *option, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "%s", types[option->type].name);
	if (option->type == GM_OPTION_CHOICE) {
		for (size_t i = 0; option->choices[i] && used < size; i++)
			used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : " ",
						 option->choices[i]);
	} else if (option->type == GM_OPTION_TEXT) {
		snprintf(text + used, size - used, " of at most %zu bytes", option->size - 1);
	} else if (option->type != GM_OPTION_BOOL && option->type != GM_OPTION_LIMIT &&
		   used < size) {
		char low[32], high[32];
		format_number(option->type, option->min, low, sizeof(low));
		format_number(option->type, option->max, high, sizeof(high));
		snprintf(text + used, size - used, " from %s to %s", low, high);
	}
	return text;
}

static int refuse(const struct gm_option *option, int code, const char *text, struct gm_error *err)
{
	char quoted[96], allowed[256];
	gm_text_quote(quoted, sizeof(quoted), text);
	gm_option_describe(option, allowed, sizeof(allowed));
	const char *what = code != -ERANGE                    ? "not understood"
			   : option->type == GM_OPTION_CHOICE ? "not known"
			   : option->type == GM_OPTION_TEXT   ? "too long"
							      : "out of range";
	return gm_error_set(err, code, "%s: %s is %s; allowed: %s", option->key, quoted, what,
			    allowed);
}

static int set_number(const struct gm_option *option, char *member, const char *text,
		      struct gm_error *err)
{
	bool whole = option->type != GM_OPTION_NUMBER && option->type != GM_OPTION_LIMIT;
	double number = NAN;
	bool none = option->type == GM_OPTION_LIMIT && strcmp(text, "none") == 0;
	if (!none && !parse_number(text, types[option->type].units, &number))
		return refuse(option, -EINVAL, text, err);
	if (option->type == GM_OPTION_INT && number != floor(number))
		return refuse(option, -EINVAL, text, err);
	bool bounded = option->type != GM_OPTION_LIMIT;
	if (bounded && (number < option->min || number > option->max))
		return refuse(option, -ERANGE, text, err);
	if (whole) {
		int64_t integer = (int64_t)llround(number);
		memcpy(member, &integer, sizeof(integer));
	} else {
		memcpy(member, &number, sizeof(number));
	}
	return 0;
}

static int set_choice(const struct gm_option *option, char *member, const char *text,
		      struct gm_error *err)
{
	for (int i = 0; option->choices[i]; i++) {
		if (strcmp(option->choices[i], text) == 0) {
			memcpy(member, &i, sizeof(i));
			return 0;
		}
	}
	return refuse(option, -ERANGE, text, err);
}

static int set_text(const struct gm_option *option, char *member, const char *text,
		    struct gm_error *err)
{
	if (!gm_text_is_utf8(text))
		return refuse(option, -EINVAL, text, err);
	if (strlen(text) >= option->size)
		return refuse(option, -ERANGE, text, err);
	memset(member, 0, option->size);
	memcpy(member, text, strlen(text));
	return 0;
}

static int unknown_key(const struct gm_option *table, const char *key, struct gm_error *err)
{
	char quoted[96], keys[384] = "";
	size_t used = 0;
	for (const struct gm_option *option = table; option->key && used < sizeof(keys); option++)
		used += (size_t)snprintf(keys + used, sizeof(keys) - used, "%s%s", used ? ", " : "",
					 option->key);
	gm_text_quote(quoted, sizeof(quoted), key);
	return gm_error_set(err, -ENOENT, "unknown key %s; allowed: %s", quoted, keys);
}

int gm_option_set(const struct gm_option *table, void *target, const char *key, const char *text,
		  struct gm_error *err)
{
	const struct gm_option *option = gm_option_find(table, key);
	if (!option)
		return unknown_key(table, key, err);
	char *member = (char *)target + option->offset;
	bool flag;

	switch (option->type) {
	case GM_OPTION_BOOL:
		if (!parse_bool(text, &flag))
			return refuse(option, -EINVAL, text, err);
		memcpy(member, &flag, sizeof(flag));
		return 0;
	case GM_OPTION_TEXT:
		return set_text(option, member, text, err);
	case GM_OPTION_CHOICE:
		return set_choice(option, member, text, err);
	default:
		return set_number(option, member, text, err);
	}
}

void gm_option_defaults(const struct gm_option *table, void *target)
{
	for (const struct gm_option *option = table; option->key; option++)
		gm_option_set(table, target, option->key, option->fallback, NULL);
}

char *gm_option_format(const struct gm_option *option, const void *target, char *text, size_t size)
{
	const char *member = (const char *)target + option->offset;
	bool flag;
	int choice;
	int64_t integer;
	double number;

	switch (option->type) {
	case GM_OPTION_BOOL:
		memcpy(&flag, member, sizeof(flag));
		snprintf(text, size, "%s", flag ? "true" : "false");
		break;
	case GM_OPTION_TEXT:
		snprintf(text, size, "%s", member);
		break;
	case GM_OPTION_CHOICE:
		memcpy(&choice, member, sizeof(choice));
		snprintf(text, size, "%s", option->choices[choice]);
		break;
	case GM_OPTION_NUMBER:
	case GM_OPTION_LIMIT:
		memcpy(&number, member, sizeof(number));
		if (isnan(number))
			snprintf(text, size, "none");
		else
			snprintf(text, size, "%.15g", number);
		break;
	default:
		memcpy(&integer, member, sizeof(integer));
		format_number(option->type, (double)integer, text, size);
		break;
	}
	return text;
}

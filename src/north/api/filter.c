/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters: a parser that copies values into one block, and a walk through the object; see filter.h.
 * Called by vnffm.c.
 */
#include "north/api/filter.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { NUMBER = 32 };

enum operator{ OP_EQ, OP_GT, OP_GTE, OP_LT, OP_LTE, OP_CONT };

static const struct operation {
	const char *name;
	enum operator operator;
	bool negative, many; /* many: several values */
} operations[] = {
	{"eq", OP_EQ, false, false},    {"neq", OP_EQ, true, false},
	{"in", OP_EQ, false, true},     {"nin", OP_EQ, true, true},
	{"gt", OP_GT, false, false},    {"gte", OP_GTE, false, false},
	{"lt", OP_LT, false, false},    {"lte", OP_LTE, false, false},
	{"cont", OP_CONT, false, true}, {"ncont", OP_CONT, true, true},
};

struct term {
	const struct operation *operation;
	const char *attribute;
	size_t first, count; /* of its values */
};

struct gm_filter {
	size_t terms_count, values_count;
	struct term terms[GM_FILTER_TERMS];
	const char *values[GM_FILTER_VALUES];
	size_t used;
	char text[2 * GM_FILTER_TEXT]; /* every value and name, each with its NUL */
};

struct parser {
	const char *begin, *at;
	struct gm_filter *filter;
	struct gm_error *err;
};

static int wrong(struct parser *parser, const char *expected)
{
	return gm_error_set(parser->err, -EINVAL, "filter: character %zu: %s",
			    (size_t)(parser->at - parser->begin) + 1, expected);
}

/* Room for one character more; a value is never longer than its text in the filter. */
static void put(struct gm_filter *filter, char character)
{
	if (filter->used < sizeof(filter->text))
		filter->text[filter->used++] = character;
}

/* The text up to ',' or ')', or between quotes. */
static int take_value(struct parser *parser, const char **ret_value)
{
	struct gm_filter *filter = parser->filter;
	*ret_value = filter->text + filter->used;
	bool quoted = *parser->at == '\'';
	if (!quoted) {
		while (*parser->at != '\0' && !strchr(",()'", *parser->at))
			put(filter, *parser->at++);
		if (*ret_value == filter->text + filter->used)
			return wrong(parser, "a name or a value is missing");
		put(filter, '\0');
		return 0;
	}
	for (parser->at++;; parser->at++) {
		if (*parser->at == '\0')
			return wrong(parser, "a quote is not closed");
		if (*parser->at == '\'' && *++parser->at != '\'')
			break;
		put(filter, *parser->at);
	}
	put(filter, '\0');
	return 0;
}

static const struct operation *find_operation(const char *name)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (strcmp(operations[i].name, name) == 0)
			return &operations[i];
	return NULL;
}

static int take_values(struct parser *parser, struct term *term)
{
	struct gm_filter *filter = parser->filter;
	int result = 0;
	term->first = filter->values_count;
	while (result == 0 && *parser->at == ',') {
		parser->at++;
		if (filter->values_count == GM_FILTER_VALUES)
			return wrong(parser, "too many values");
		result = take_value(parser, &filter->values[filter->values_count++]);
		term->count++;
	}
	if (result < 0)
		return result;
	if (term->count == 0)
		return wrong(parser, "a value is missing");
	if (term->count > 1 && !term->operation->many)
		return wrong(parser, "this operator takes one value");
	return 0;
}

static int take_term(struct parser *parser)
{
	struct gm_filter *filter = parser->filter;
	const char *name;
	if (filter->terms_count == GM_FILTER_TERMS)
		return wrong(parser, "too many expressions");
	struct term *term = &filter->terms[filter->terms_count++];
	if (*parser->at++ != '(') {
		parser->at--;
		return wrong(parser, "'(' is expected");
	}
	int result = take_value(parser, &name);
	if (result < 0)
		return result;
	term->operation = find_operation(name);
	if (!term->operation)
		return wrong(parser,
			     "operators are eq, neq, in, nin, gt, gte, lt, lte, cont, ncont");
	if (*parser->at != ',')
		return wrong(parser, "',' is expected");
	parser->at++;
	result = take_value(parser, &term->attribute);
	if (result == 0)
		result = take_values(parser, term);
	if (result == 0 && *parser->at++ != ')') {
		parser->at--;
		return wrong(parser, "')' is expected");
	}
	return result;
}

int gm_filter_parse(const char *text, struct gm_filter **ret_filter, struct gm_error *err)
{
	if (strlen(text) > GM_FILTER_TEXT || !gm_text_is_utf8(text))
		return gm_error_set(err, -EINVAL, "filter: longer than %d bytes, or not UTF-8",
				    GM_FILTER_TEXT);
	struct gm_filter *filter = calloc(1, sizeof(*filter));
	if (!filter)
		return gm_error_set(err, -ENOMEM, "out of memory");
	struct parser parser = {text, text, filter, err};
	int result = take_term(&parser);
	while (result == 0 && *parser.at == ';') {
		parser.at++;
		result = take_term(&parser);
	}
	if (result == 0 && *parser.at != '\0')
		result = wrong(&parser, "';' or the end is expected");
	if (result < 0)
		gm_filter_free(filter);
	else
		*ret_filter = filter;
	return result;
}

void gm_filter_free(struct gm_filter *filter)
{
	free(filter);
}

/* ---- matching ---- */

/* The text of a value that has one; NULL: an object, an array, null. */
static const char *scalar_text(const struct gm_json *value, char number[NUMBER])
{
	struct gm_buffer text = GM_BUFFER_INIT(NUMBER - 1);
	const char *string = gm_json_value_text(value);
	if (string)
		return string;
	bool written = gm_json_size(value) == 0 && gm_json_write(value, 0, &text) == 0 &&
		       !text.failed && text.data[0] != '{' && text.data[0] != '[' &&
		       strcmp(text.data, "null") != 0;
	snprintf(number, NUMBER, "%s", written ? text.data : "");
	gm_buffer_free(&text);
	return written ? number : NULL;
}

static int compare(const char *left, const char *right)
{
	char *left_end, *right_end;
	double a = strtod(left, &left_end), b = strtod(right, &right_end);
	bool numbers =
		left_end != left && right_end != right && *left_end == '\0' && *right_end == '\0';
	if (!numbers)
		return strcmp(left, right);
	return (a > b) - (a < b);
}

static bool fits(enum operator operator, const char * attribute, const char *value)
{
	switch (operator) {
	case OP_GT:
		return compare(attribute, value) > 0;
	case OP_GTE:
		return compare(attribute, value) >= 0;
	case OP_LT:
		return compare(attribute, value) < 0;
	case OP_LTE:
		return compare(attribute, value) <= 0;
	case OP_CONT:
		return strstr(attribute, value) != NULL;
	case OP_EQ:
		break;
	}
	return strcmp(attribute, value) == 0;
}

static bool any_value_fits(const struct gm_filter *filter, const struct term *term,
			   const struct gm_json *attribute)
{
	char number[NUMBER];
	const char *text = scalar_text(attribute, number);
	for (size_t i = 0; text && i < term->count; i++)
		if (fits(term->operation->operator, text, filter->values[term->first + i]))
			return true;
	return false;
}

/* The member that the first part of `path` names; `path` moves on to the next part. */
static const struct gm_json *step(const struct gm_json *object, const char **path)
{
	char name[GM_FILTER_TEXT + 1];
	size_t length = 0;
	const char *at = *path;
	for (; *at != '\0' && *at != '/'; at++) {
		bool escaped = at[0] == '~' && (at[1] == '0' || at[1] == '1');
		name[length++] = !escaped ? *at : at[1] == '0' ? '~' : '/';
		at += escaped;
	}
	name[length] = '\0';
	*path = *at == '/' ? at + 1 : at;
	return gm_json_get(object, name);
}

static bool term_fits(const struct gm_filter *filter, const struct term *term,
		      const struct gm_json *object)
{
	const char *path = term->attribute;
	const struct gm_json *attribute = object;
	while (attribute && *path != '\0')
		attribute = step(attribute, &path);
	if (any_value_fits(filter, term, attribute))
		return true;
	const struct gm_json *element;
	for (size_t i = 0; (element = gm_json_at(attribute, i)); i++)
		if (any_value_fits(filter, term, element))
			return true;
	return false;
}

bool gm_filter_matches(const struct gm_filter *filter, const struct gm_json *object)
{
	for (size_t i = 0; i < filter->terms_count; i++) {
		const struct term *term = &filter->terms[i];
		if (term_fits(filter, term, object) == term->operation->negative)
			return false;
	}
	return true;
}

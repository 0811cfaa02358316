/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libyaml's document with the checks and the places that policy files want; see yaml_tree.h. Called by
 * policies.c; knows nothing of policies.
 */
#include "daemon/yaml_tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/text.h"

enum { DEPTH = 16 };

struct gm_yaml {
	char name[512];
	const char *text;
	yaml_document_t document;
};

struct place {
	size_t line, column;
};

static const yaml_node_t *inner(const struct gm_yaml_node *node)
{
	return (const yaml_node_t *)node;
}

static const struct gm_yaml_node *outer(const yaml_node_t *node)
{
	return (const struct gm_yaml_node *)node;
}

static struct place place_of_mark(const yaml_mark_t *mark)
{
	return (struct place){mark->line + 1, mark->column + 1};
}

static int refuse_at(const struct gm_yaml *yaml, struct place place, struct gm_error *err,
		     const char *what)
{
	return gm_error_set(err, -EINVAL, "%s:%zu:%zu: %s", yaml->name, place.line, place.column,
			    what);
}

/* ---- what is refused before a tree is made ---- */

static int syntax_error(const struct gm_yaml *yaml, const yaml_parser_t *parser,
			struct gm_error *err)
{
	struct place place = place_of_mark(&parser->problem_mark);
	char what[256];

	if (parser->error == YAML_MEMORY_ERROR)
		return gm_error_set(err, -ENOMEM, "%s: out of memory", yaml->name);
	snprintf(what, sizeof(what), "not YAML: %s%s%s",
		 parser->problem ? parser->problem : "cannot be read", parser->context ? " " : "",
		 parser->context ? parser->context : "");
	return refuse_at(yaml, place, err, what);
}

bool gm_yaml_is_marked(const struct yaml_event_s *event)
{
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return true;
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor || event->data.scalar.tag;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor || event->data.mapping_start.tag;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor || event->data.sequence_start.tag;
	default:
		return false;
	}
}

struct scan {
	unsigned depth, documents;
};

static int check_event(const struct gm_yaml *yaml, const yaml_event_t *event, struct scan *scan,
		       struct gm_error *err)
{
	struct place place = place_of_mark(&event->start_mark);

	if (gm_yaml_is_marked(event))
		return refuse_at(yaml, place, err, "anchors, aliases and tags are not allowed");
	if (event->type == YAML_DOCUMENT_START_EVENT && ++scan->documents > 1)
		return refuse_at(yaml, place, err, "a second document is not allowed");
	if (event->type == YAML_MAPPING_START_EVENT || event->type == YAML_SEQUENCE_START_EVENT)
		scan->depth++;
	if (event->type == YAML_MAPPING_END_EVENT || event->type == YAML_SEQUENCE_END_EVENT)
		scan->depth--;
	if (scan->depth > DEPTH)
		return refuse_at(yaml, place, err, "nested too deeply");
	if (event->type == YAML_SCALAR_EVENT &&
	    strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
		return refuse_at(yaml, place, err, "a value may not hold a NUL character");
	return 0;
}

static int scan_events(const struct gm_yaml *yaml, yaml_parser_t *parser, struct gm_error *err)
{
	struct scan scan = {.depth = 0};
	bool end = false;
	int result = 0;

	while (result == 0 && !end) {
		yaml_event_t event;

		if (!yaml_parser_parse(parser, &event))
			return syntax_error(yaml, parser, err);
		result = check_event(yaml, &event, &scan, err);
		end = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	return result;
}

static int with_parser(struct gm_yaml *yaml, size_t length,
		       int (*run)(struct gm_yaml *yaml, yaml_parser_t *parser,
				  struct gm_error *err),
		       struct gm_error *err)
{
	yaml_parser_t parser;

	if (!yaml_parser_initialize(&parser))
		return gm_error_set(err, -ENOMEM, "%s: out of memory", yaml->name);
	yaml_parser_set_input_string(&parser, (const unsigned char *)yaml->text, length);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	int result = run(yaml, &parser, err);
	yaml_parser_delete(&parser);
	return result;
}

static int check(struct gm_yaml *yaml, yaml_parser_t *parser, struct gm_error *err)
{
	return scan_events(yaml, parser, err);
}

static int load(struct gm_yaml *yaml, yaml_parser_t *parser, struct gm_error *err)
{
	return yaml_parser_load(parser, &yaml->document) ? 0 : syntax_error(yaml, parser, err);
}

/* ---- keys ---- */

static int check_mapping(const struct gm_yaml *yaml, const yaml_node_t *node, struct gm_error *err)
{
	const yaml_node_pair_t *first = node->data.mapping.pairs.start;
	yaml_document_t *document = (yaml_document_t *)&yaml->document;
	char quoted[96];

	for (const yaml_node_pair_t *pair = first; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(document, pair->key);

		if (key->type != YAML_SCALAR_NODE)
			return gm_yaml_refuse(yaml, outer(key), err,
					      "a key is a word followed by a colon");
		for (const yaml_node_pair_t *before = first; before < pair; before++) {
			const yaml_node_t *other = yaml_document_get_node(document, before->key);
			const char *text = (const char *)key->data.scalar.value;

			if (strcmp((const char *)other->data.scalar.value, text) != 0)
				continue;
			gm_text_quote(quoted, sizeof(quoted), text);
			return gm_yaml_refuse(yaml, outer(key), err,
					      "%s is given twice; first in line %zu", quoted,
					      other->start_mark.line + 1);
		}
	}
	return 0;
}

static int check_keys(const struct gm_yaml *yaml, struct gm_error *err)
{
	const yaml_node_t *node = yaml->document.nodes.start;
	int result = 0;

	for (; node < yaml->document.nodes.top && result == 0; node++) {
		if (node->type == YAML_MAPPING_NODE)
			result = check_mapping(yaml, node, err);
	}
	return result;
}

int gm_yaml_read(const char *name, const char *text, size_t length, struct gm_yaml **ret_yaml,
		 struct gm_error *err)
{
	struct gm_yaml *yaml = calloc(1, sizeof(*yaml));

	if (!yaml)
		return gm_error_set(err, -ENOMEM, "%s: out of memory", name);
	snprintf(yaml->name, sizeof(yaml->name), "%s", name);
	yaml->text = text;
	int result = with_parser(yaml, length, check, err);
	if (result == 0)
		result = with_parser(yaml, length, load, err);
	if (result == 0)
		result = check_keys(yaml, err);
	if (result < 0)
		gm_yaml_free(yaml);
	else
		*ret_yaml = yaml;
	return result;
}

void gm_yaml_free(struct gm_yaml *yaml)
{
	if (!yaml)
		return;
	if (yaml->document.nodes.start)
		yaml_document_delete(&yaml->document);
	free(yaml);
}

/* ---- looking at it ---- */

const struct gm_yaml_node *gm_yaml_root(const struct gm_yaml *yaml)
{
	return outer(yaml_document_get_root_node((yaml_document_t *)&yaml->document));
}

const char *gm_yaml_text(const struct gm_yaml_node *node)
{
	return inner(node)->type == YAML_SCALAR_NODE ? (const char *)inner(node)->data.scalar.value
						     : NULL;
}

bool gm_yaml_is_null(const struct gm_yaml_node *node)
{
	const char *text = gm_yaml_text(node);

	return text && inner(node)->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

bool gm_yaml_is_mapping(const struct gm_yaml_node *node)
{
	return inner(node)->type == YAML_MAPPING_NODE;
}

bool gm_yaml_is_list(const struct gm_yaml_node *node)
{
	return inner(node)->type == YAML_SEQUENCE_NODE;
}

bool gm_yaml_member(const struct gm_yaml *yaml, const struct gm_yaml_node *node, size_t n,
		    const struct gm_yaml_node **ret_key, const struct gm_yaml_node **ret_value)
{
	yaml_document_t *document = (yaml_document_t *)&yaml->document;

	if (!gm_yaml_is_mapping(node))
		return false;
	const yaml_node_pair_t *pair = inner(node)->data.mapping.pairs.start + n;
	if (pair >= inner(node)->data.mapping.pairs.top)
		return false;
	*ret_key = outer(yaml_document_get_node(document, pair->key));
	*ret_value = outer(yaml_document_get_node(document, pair->value));
	return true;
}

const struct gm_yaml_node *gm_yaml_item(const struct gm_yaml *yaml, const struct gm_yaml_node *node,
					size_t n)
{
	if (!gm_yaml_is_list(node))
		return NULL;
	const yaml_node_item_t *item = inner(node)->data.sequence.items.start + n;
	if (item >= inner(node)->data.sequence.items.top)
		return NULL;
	return outer(yaml_document_get_node((yaml_document_t *)&yaml->document, *item));
}

/* ---- places ---- */

/* libyaml counts characters. */
static const char *at_mark(const char *text, const yaml_mark_t *mark)
{
	for (size_t left = mark->index; *text != '\0' && left > 0; left--) {
		do
			text++;
		while (((unsigned char)*text & 0xc0) == 0x80);
	}
	return text;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Where a scalar's own text begins: after its quote, or on the line after `|` or `>`. */
static const char *begin_of(const char *text, yaml_scalar_style_t style)
{
	if (style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
		return text + 1;
	if (style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE)
		return text + strcspn(text, "\n");
	return text;
}

/* The length in the file of what is one character of the value. */
static size_t written_length(const char *text, yaml_scalar_style_t style)
{
	if (style == YAML_SINGLE_QUOTED_SCALAR_STYLE && text[0] == '\'' && text[1] == '\'')
		return 2;
	if (style != YAML_DOUBLE_QUOTED_SCALAR_STYLE || text[0] != '\\' || text[1] == '\0')
		return 1;
	switch (text[1]) {
	case 'x':
		return 4;
	case 'u':
		return 6;
	case 'U':
		return 10;
	default:
		return 2;
	}
}

static const char *skip_spaces(const char *text, yaml_scalar_style_t style)
{
	while (is_space(*text) ||
	       (style == YAML_DOUBLE_QUOTED_SCALAR_STYLE && text[0] == '\\' && text[1] == '\n'))
		text++;
	return text;
}

/* Spaces may be folded or added: what both texts have in common is everything else, in its order. */
static struct place place_within(const struct gm_yaml *yaml, const yaml_node_t *node, size_t at)
{
	yaml_scalar_style_t style = node->data.scalar.style;
	const char *value = (const char *)node->data.scalar.value;
	const char *end = at_mark(yaml->text, &node->end_mark);
	const char *begin = at_mark(yaml->text, &node->start_mark);
	const char *text = begin_of(begin, style);
	size_t length = strlen(value);

	for (size_t i = 0; i < at && i < length && text < end; i++) {
		if (is_space(value[i]))
			continue;
		text = skip_spaces(text, style);
		text += written_length(text, style);
	}
	if (at < length && !is_space(value[at]))
		text = skip_spaces(text, style);
	struct place place = place_of_mark(&node->start_mark);
	for (const char *c = begin; c < text && c < end; c++) {
		if (*c == '\n')
			place = (struct place){place.line + 1, 1};
		else if (((unsigned char)*c & 0xc0) != 0x80)
			place.column++;
	}
	return place;
}

int gm_yaml_refuse(const struct gm_yaml *yaml, const struct gm_yaml_node *node,
		   struct gm_error *err, const char *format, ...)
{
	char what[GM_ERROR_TEXT];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	return refuse_at(yaml, place_of_mark(&inner(node)->start_mark), err, what);
}

int gm_yaml_refuse_within(const struct gm_yaml *yaml, const struct gm_yaml_node *node, size_t at,
			  struct gm_error *err, const char *format, ...)
{
	char what[GM_ERROR_TEXT];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	return refuse_at(yaml, place_within(yaml, inner(node), at), err, what);
}

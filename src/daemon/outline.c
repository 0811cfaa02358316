/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks the events of libyaml; see outline.h. One function per level of the file: document, sections,
 * keys. No value is kept. Called by config_yaml.c before libcyaml sees the text.
 */
#include "daemon/outline.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/text.h"
#include "daemon/yaml_tree.h"

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the present one */
	const char *name, *text;
	struct gm_outline *outline;
	struct gm_error *err;
};

static size_t event_line(const struct reader *reader)
{
	return reader->event.start_mark.line + 1;
}

static int refuse(struct reader *reader, const char *what)
{
	return gm_error_set(reader->err, -EINVAL, "%s:%zu: %s", reader->name, event_line(reader),
			    what);
}

static int syntax_error(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	size_t line = parser->problem_mark.line + 1;

	if (parser->error == YAML_MEMORY_ERROR)
		return gm_error_set(reader->err, -ENOMEM, "%s: out of memory", reader->name);
	if (parser->error == YAML_READER_ERROR) { /* has an offset in place of a mark */
		line = 1;
		for (size_t i = 0; i < parser->problem_offset; i++)
			line += reader->text[i] == '\n';
	}
	return gm_error_set(reader->err, -EINVAL, "%s:%zu: not YAML: %s%s%s", reader->name, line,
			    parser->problem ? parser->problem : "cannot be read",
			    parser->context ? " " : "", parser->context ? parser->context : "");
}

/* Goes on to the next event. */
static int next(struct reader *reader)
{
	yaml_event_delete(&reader->event);
	memset(&reader->event, 0, sizeof(reader->event));
	if (!yaml_parser_parse(&reader->parser, &reader->event))
		return syntax_error(reader);
	if (gm_yaml_is_marked(&reader->event))
		return refuse(reader, "anchors, aliases and tags are not allowed");
	return 0;
}

static const char *scalar(const struct reader *reader)
{
	return (const char *)reader->event.data.scalar.value;
}

static bool is_scalar(const struct reader *reader)
{
	return reader->event.type == YAML_SCALAR_EVENT;
}

/* Nothing, as in `section:` without keys. */
static bool is_null(const struct reader *reader)
{
	const char *text = scalar(reader);

	return is_scalar(reader) && reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (*text == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

static const struct gm_outline_entry *find(const struct gm_outline *outline, const char *section,
					   const char *key)
{
	for (size_t i = 0; i < outline->count; i++) {
		const struct gm_outline_entry *entry = &outline->entries[i];
		bool same_key = key ? entry->key && strcmp(entry->key, key) == 0 : !entry->key;

		if (same_key && strcmp(entry->section, section) == 0)
			return entry;
	}
	return NULL;
}

/* Notes the present event, which is a section's name (`section` NULL) or a key of `section`. */
static int note(struct reader *reader, const char *section)
{
	struct gm_outline *outline = reader->outline;
	const char *name = scalar(reader), *key = section ? name : NULL;
	const struct gm_outline_entry *first;
	char quoted[96];

	if (outline->count == GM_OUTLINE_ENTRIES)
		return refuse(reader, "more sections and keys than there are options");
	first = find(outline, section ? section : name, key);
	if (first) {
		gm_text_quote(quoted, sizeof(quoted), name);
		return gm_error_set(reader->err, -EINVAL,
				    "%s:%zu: %s is given twice; first in line %zu", reader->name,
				    event_line(reader), quoted, first->line);
	}
	struct gm_outline_entry entry = {.section = strdup(section ? section : name),
					 .key = key ? strdup(key) : NULL,
					 .line = event_line(reader)};
	if (!entry.section || (key && !entry.key)) {
		free(entry.section);
		free(entry.key);
		return gm_error_set(reader->err, -ENOMEM, "%s: out of memory", reader->name);
	}
	outline->entries[outline->count++] = entry;
	return 0;
}

/* The keys of `section`, whose MAPPING-START is the present event. */
static int read_keys(struct reader *reader, const char *section)
{
	int rc;

	while ((rc = next(reader)) == 0 && reader->event.type != YAML_MAPPING_END_EVENT) {
		if (!is_scalar(reader))
			return refuse(reader, "a key is a word followed by a colon");
		rc = note(reader, section);
		if (rc == 0)
			rc = next(reader);
		if (rc < 0)
			return rc;
		if (!is_scalar(reader))
			return refuse(reader, "a key has one value; lists and further levels are "
					      "not allowed");
		if (strlen(scalar(reader)) != reader->event.data.scalar.length)
			return refuse(reader, "a value may not hold a NUL character");
	}
	return rc;
}

/* `log: debug` where `log:` and an indented `level: debug` are meant. */
static int refuse_value(struct reader *reader)
{
	const struct gm_outline *outline = reader->outline;
	char quoted[96];

	gm_text_quote(quoted, sizeof(quoted), outline->entries[outline->count - 1].section);
	return gm_error_set(
		reader->err, -EINVAL,
		"%s:%zu: %s stands where a section is expected, and a section holds keys, "
		"each on a line of its own and indented",
		reader->name, event_line(reader), quoted);
}

/* The sections; the file's outer MAPPING-START is the present event. */
static int read_sections(struct reader *reader)
{
	int rc;

	while ((rc = next(reader)) == 0 && reader->event.type != YAML_MAPPING_END_EVENT) {
		if (!is_scalar(reader))
			return refuse(reader, "a section is a word followed by a colon");
		rc = note(reader, NULL);
		if (rc == 0)
			rc = next(reader);
		if (rc < 0)
			return rc;
		if (reader->event.type == YAML_MAPPING_START_EVENT) {
			const struct gm_outline *outline = reader->outline;

			rc = read_keys(reader, outline->entries[outline->count - 1].section);
			if (rc < 0)
				return rc;
		} else if (!is_scalar(reader) || !is_null(reader)) {
			return refuse_value(reader);
		}
	}
	return rc;
}

/* A stream of one document, which may be empty. */
static int read_document(struct reader *reader)
{
	int rc = next(reader); /* STREAM-START */

	if (rc == 0)
		rc = next(reader);
	if (rc < 0 || reader->event.type == YAML_STREAM_END_EVENT)
		return rc;
	rc = next(reader); /* what follows DOCUMENT-START */
	if (rc == 0 && reader->event.type == YAML_MAPPING_START_EVENT)
		rc = read_sections(reader);
	else if (rc == 0 && (!is_scalar(reader) || !is_null(reader)))
		return refuse(reader, "the file holds sections, each a word followed by a colon");
	if (rc == 0)
		rc = next(reader); /* DOCUMENT-END */
	if (rc == 0)
		rc = next(reader);
	if (rc == 0 && reader->event.type != YAML_STREAM_END_EVENT)
		return refuse(reader, "a second document is not allowed");
	return rc;
}

int gm_outline_read(const char *name, const char *text, size_t length,
		    struct gm_outline **ret_outline, struct gm_error *err)
{
	struct reader reader = {.name = name, .text = text, .err = err};
	int rc;

	reader.outline = calloc(1, sizeof(*reader.outline));
	if (!reader.outline || !yaml_parser_initialize(&reader.parser)) {
		free(reader.outline);
		return gm_error_set(err, -ENOMEM, "%s: out of memory", name);
	}
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	rc = read_document(&reader);
	yaml_event_delete(&reader.event);
	yaml_parser_delete(&reader.parser);
	if (rc < 0)
		gm_outline_free(reader.outline);
	else
		*ret_outline = reader.outline;
	return rc;
}

void gm_outline_free(struct gm_outline *outline)
{
	if (!outline)
		return;
	for (size_t i = 0; i < outline->count; i++) {
		free(outline->entries[i].section);
		free(outline->entries[i].key);
	}
	free(outline);
}

size_t gm_outline_line(const struct gm_outline *outline, const char *section, const char *key)
{
	const struct gm_outline_entry *entry = find(outline, section, key);

	return entry ? entry->line : 0;
}

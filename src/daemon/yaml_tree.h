/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A YAML file as a tree whose every node knows its line and column, for files that are too deep for an
 * option table. Anchors, aliases, tags, duplicate keys and a second document are refused: such a file says
 * something else than it seems to. Bounded by the text's size, which the caller bounds.
 */
#ifndef GM_DAEMON_YAML_TREE_H
#define GM_DAEMON_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct gm_yaml;
struct yaml_event_s; /* libyaml's */
struct gm_yaml_node; /* a node of a tree, valid as long as the tree */

/* `text` (terminated) outlives the tree. -EINVAL with "NAME:LINE:COLUMN: …", or -ENOMEM. */
int gm_yaml_read(const char *name, const char *text, size_t length, struct gm_yaml **ret_yaml,
		 struct gm_error *err);
void gm_yaml_free(struct gm_yaml *yaml);

/* Whether an event of libyaml is an alias, or has an anchor or a tag. */
bool gm_yaml_is_marked(const struct yaml_event_s *event);

/* NULL: the file holds nothing. */
const struct gm_yaml_node *gm_yaml_root(const struct gm_yaml *yaml);

/* The text of a scalar; NULL for all else. */
const char *gm_yaml_text(const struct gm_yaml_node *node);
bool gm_yaml_is_null(const struct gm_yaml_node *node); /* nothing, `~` or `null` */

/* The nth member of a mapping, whose key is a scalar; false at the end and for all else. */
bool gm_yaml_member(const struct gm_yaml *yaml, const struct gm_yaml_node *node, size_t n,
		    const struct gm_yaml_node **ret_key, const struct gm_yaml_node **ret_value);
bool gm_yaml_is_mapping(const struct gm_yaml_node *node);

/* The nth item of a list; NULL at the end and for all else. */
const struct gm_yaml_node *gm_yaml_item(const struct gm_yaml *yaml, const struct gm_yaml_node *node,
					size_t n);
bool gm_yaml_is_list(const struct gm_yaml_node *node);

/* Fills `err` with "NAME:LINE:COLUMN: …" of the node's begin and returns -EINVAL. */
int gm_yaml_refuse(const struct gm_yaml *yaml, const struct gm_yaml_node *node,
		   struct gm_error *err, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * The same for the place `at` bytes into a scalar's text, found again in the file: quotes, escapes, folded
 * lines and indentation are stepped over.
 */
int gm_yaml_refuse_within(const struct gm_yaml *yaml, const struct gm_yaml_node *node, size_t at,
			  struct gm_error *err, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

#endif

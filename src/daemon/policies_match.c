/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom an item of a policy file is about; see policies_private.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "daemon/policies_private.h"

static bool is_word(const char *word, const char *text, size_t length)
{
	return strlen(word) == length && strncmp(word, text, length) == 0;
}

/* "guest", "guest, node": kinds, separated by commas. */
static int read_kinds(const struct gm_policy_loader *loader, const struct gm_yaml_node *node,
		      unsigned *ret_kinds)
{
	const char *text = gm_yaml_text(node);
	unsigned kinds = 0;

	while (text && *text != '\0') {
		size_t length = strcspn(text, ", ");
		unsigned kind = 0;

		while (kind < GM_ENTITY_KINDS && !is_word(gm_entity_kind_name(kind), text, length))
			kind++;
		if (kind == GM_ENTITY_KINDS)
			return gm_policies_refuse(
				loader, node,
				"allowed: node, guest, interface, disk, process, core, numa, "
				"or some of them with commas between");
		kinds |= 1U << kind;
		text += length + strspn(text + length, ", ");
	}
	if (kinds == 0)
		return gm_policies_refuse(
			loader, node,
			"one of node, guest, interface, disk, process, core, numa is expected");
	*ret_kinds = kinds;
	return 0;
}

static const struct {
	const char *key;
	size_t offset;
} patterns[] = {
	{"name", offsetof(struct gm_match, name)},
	{"uuid", offsetof(struct gm_match, uuid)},
	{"project", offsetof(struct gm_match, project)},
	{"flavor", offsetof(struct gm_match, flavor)},
};

static int read_pattern(const struct gm_policy_loader *loader, const struct gm_yaml_node *key,
			const struct gm_yaml_node *value, struct gm_match *match)
{
	const char *text = gm_yaml_text(value);
	size_t i = 0;

	while (i < sizeof(patterns) / sizeof(patterns[0]) &&
	       strcmp(patterns[i].key, gm_yaml_text(key)) != 0)
		i++;
	if (i == sizeof(patterns) / sizeof(patterns[0]))
		return gm_policies_unknown_key(loader, key, "entity, name, uuid, project, flavor");
	if (!text || text[0] == '\0' || strlen(text) >= GM_PATTERNS)
		return gm_policies_refuse(
			loader, value,
			"a pattern of at most 255 bytes is expected, such as web-* or a,b");
	gm_text_copy((char *)match + patterns[i].offset, GM_PATTERNS, text);
	return 0;
}

int gm_policies_match(const struct gm_policy_loader *loader, const struct gm_yaml_node *node,
		      struct gm_match *match)
{
	const struct gm_yaml_node *key, *value;
	int result = 0;

	if (!gm_yaml_is_mapping(node))
		return gm_policies_refuse(loader, node,
					  "a match holds entity, name, uuid, project or flavor");
	for (size_t i = 0; result == 0 && gm_yaml_member(loader->yaml, node, i, &key, &value);
	     i++) {
		if (strcmp(gm_yaml_text(key), "entity") == 0)
			result = read_kinds(loader, value, &match->entities);
		else
			result = read_pattern(loader, key, value, match);
	}
	return result;
}

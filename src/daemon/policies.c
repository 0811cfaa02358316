/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy files into rules and overrides; see policies.h. What the keys of a rule mean is in the detectors'
 * option tables; here are only names, groups, matches and places. Called when a configuration is read.
 */
#include "daemon/policies.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/policy.h"
#include "analysis/policy_program.h"
#include "analysis/rules.h"
#include "analysis/threshold.h"
#include "base/text.h"
#include "daemon/policies_private.h"
#include "daemon/text_file.h"
#include "daemon/yaml_tree.h"
#include "model/template.h"

typedef int read_fn(struct gm_policy_loader *loader, const struct gm_yaml_node *node);

int gm_policies_refuse(const struct gm_policy_loader *loader, const struct gm_yaml_node *node,
		       const char *what)
{
	return gm_yaml_refuse(loader->yaml, node, loader->err, "%s", what);
}

int gm_policies_unknown_key(const struct gm_policy_loader *loader, const struct gm_yaml_node *key,
			    const char *allowed)
{
	char quoted[96];

	gm_text_quote(quoted, sizeof(quoted), gm_yaml_text(key));
	return gm_yaml_refuse(loader->yaml, key, loader->err, "unknown key %s; allowed: %s", quoted,
			      allowed);
}

int gm_policies_failed(const struct gm_policy_loader *loader, const struct gm_yaml_node *node,
		       int result)
{
	switch (result) {
	case -EEXIST:
		return gm_policies_refuse(loader, node, "there is a rule of that name already");
	case -ENOSPC:
		return gm_policies_refuse(loader, node,
					  "more than the 256 entries that are allowed");
	default:
		return gm_error_set(loader->err, -ENOMEM, "out of memory");
	}
}

/* ---- names and groups ---- */

/* A word that can stand in an alarm, a file name and a command line as it is. */
int gm_policies_word(const struct gm_policy_loader *loader, const struct gm_yaml_node *node,
		     char word[GM_RULE_NAME])
{
	const char *text = gm_yaml_text(node);
	size_t length = 0;

	while (text && (isalnum((unsigned char)text[length]) ||
			(text[length] != '\0' && strchr("._-", text[length]))))
		length++;
	if (!text || length == 0 || length >= GM_RULE_NAME || text[length] != '\0')
		return gm_policies_refuse(
			loader, node,
			"a name is a word of at most 47 letters, digits, '.', '_' and '-'");
	gm_text_copy(word, GM_RULE_NAME, text);
	return 0;
}

static struct gm_policy_group *find_group(struct gm_policy_loader *loader, const char *name)
{
	for (size_t i = 0; i < loader->group_count; i++) {
		if (strcmp(loader->groups[i].name, name) == 0)
			return &loader->groups[i];
	}
	return NULL;
}

struct switch_value {
	bool on;
};

static const struct gm_option switch_table[] = {
	{.key = "enabled", .type = GM_OPTION_BOOL, GM_OPTION_AT(struct switch_value, on)},
	GM_OPTION_END,
};

static int read_switch(const struct gm_policy_loader *loader, const struct gm_yaml_node *node,
		       bool *ret_on)
{
	const char *text = gm_yaml_text(node);
	struct switch_value value;

	if (!text || gm_option_set(switch_table, &value, "enabled", text, NULL) < 0)
		return gm_policies_refuse(loader, node, "true or false is expected");
	*ret_on = value.on;
	return 0;
}

/* `groups: {night: false}` */
static int read_groups(struct gm_policy_loader *loader, const struct gm_yaml_node *node)
{
	const struct gm_yaml_node *key, *value;

	if (!gm_yaml_is_mapping(node) && !gm_yaml_is_null(node))
		return gm_policies_refuse(loader, node,
					  "groups are names, each with true or false");
	for (size_t i = 0; gm_yaml_member(loader->yaml, node, i, &key, &value); i++) {
		struct gm_policy_group group;
		int result = gm_policies_word(loader, key, group.name);

		if (result == 0)
			result = read_switch(loader, value, &group.enabled);
		if (result < 0)
			return result;
		if (find_group(loader, group.name))
			return gm_policies_refuse(loader, key,
						  "another file has switched this group already");
		if (loader->group_count == GM_POLICY_GROUPS)
			return gm_policies_refuse(loader, key, "more than 64 groups");
		loader->groups[loader->group_count++] = group;
	}
	return 0;
}

/* ---- rules ---- */

struct draft {
	const struct gm_detector_ops *ops;
	void *options;
	char name[GM_RULE_NAME], group[GM_RULE_NAME];
	struct gm_match match;
	const struct gm_yaml_node *name_node, *match_node, *judged_node;
};

/* Values whose mistakes have a place of their own, or that an option table does not know. */
static int check_value(const struct gm_policy_loader *loader, const struct gm_detector_ops *ops,
		       const char *key, const struct gm_yaml_node *value)
{
	const char *text = gm_yaml_text(value);
	struct gm_policy_program *program = NULL;
	struct gm_policy_place place = {.at = 0};
	struct gm_error why;
	size_t at;

	if (ops == &gm_policy_ops && strcmp(key, "condition") == 0) {
		int result = gm_policy_compile(text, &program, &place, &why);

		free(program);
		if (result == -EINVAL)
			return gm_yaml_refuse_within(loader->yaml, value, place.at, loader->err,
						     "condition: %s", why.text);
		return result < 0 ? gm_policies_failed(loader, value, result) : 0;
	}
	if (ops == &gm_policy_ops && strcmp(key, "message") == 0 &&
	    gm_template_check(text, gm_template_names, &at, &why) < 0)
		return gm_yaml_refuse_within(loader->yaml, value, at, loader->err, "message: %s",
					     why.text);
	if (ops == &gm_threshold_ops && strcmp(key, "metric") == 0 &&
	    gm_policy_metric(text) == GM_METRIC_NONE)
		return gm_policies_refuse(loader, value, "metric: there is no metric of that name");
	return 0;
}

/* A rule's keys: what each has, and its detector's options. */
static int unknown_rule_key(const struct gm_policy_loader *loader,
			    const struct gm_detector_ops *ops, const struct gm_yaml_node *key)
{
	char allowed[512] = "name, group, match";
	size_t used = strlen(allowed);

	for (const struct gm_option *option = ops->options; option->key && used < sizeof(allowed);
	     option++)
		used += (size_t)snprintf(allowed + used, sizeof(allowed) - used, ", %s",
					 option->key);
	return gm_policies_unknown_key(loader, key, allowed);
}

static int set_option(const struct gm_policy_loader *loader, const struct gm_detector_ops *ops,
		      void *options, const struct gm_yaml_node *key,
		      const struct gm_yaml_node *value)
{
	const char *name = gm_yaml_text(key), *text = gm_yaml_text(value);
	struct gm_error why;

	if (!gm_option_find(ops->options, name))
		return unknown_rule_key(loader, ops, key);
	if (!text)
		return gm_policies_refuse(loader, value, "a key has one value here");
	if (gm_option_set(ops->options, options, name, text, &why) < 0)
		return gm_yaml_refuse(loader->yaml, value, loader->err, "%s", why.text);
	return check_value(loader, ops, name, value);
}

static int read_key(struct gm_policy_loader *loader, struct draft *draft,
		    const struct gm_yaml_node *key, const struct gm_yaml_node *value)
{
	const char *name = gm_yaml_text(key);

	if (strcmp(name, "name") == 0) {
		draft->name_node = value;
		return gm_policies_word(loader, value, draft->name);
	}
	if (strcmp(name, "group") == 0)
		return gm_policies_word(loader, value, draft->group);
	if (strcmp(name, "match") == 0) {
		draft->match_node = value;
		return gm_policies_match(loader, value, &draft->match);
	}
	if (strcmp(name, "metric") == 0 || strcmp(name, "condition") == 0)
		draft->judged_node = value;
	return set_option(loader, draft->ops, draft->options, key, value);
}

/* Anuket's name of a metric gives place to the catalogue's. */
static void settle_metric(const struct draft *draft)
{
	struct gm_threshold_options *threshold = draft->options;

	if (draft->ops == &gm_threshold_ops && threshold->metric[0] != '\0') {
		const char *name = gm_metric_get(gm_policy_metric(threshold->metric))->name;

		memset(threshold->metric, 0, sizeof(threshold->metric));
		memcpy(threshold->metric, name, strlen(name));
	}
}

static int finish_rule(struct gm_policy_loader *loader, struct draft *draft,
		       const struct gm_yaml_node *node)
{
	struct gm_error why;
	const struct gm_policy_group *group = find_group(loader, draft->group);

	if (!draft->name_node)
		return gm_policies_refuse(loader, node, "a rule needs a name");
	settle_metric(draft);
	if (draft->ops == &gm_threshold_ops &&
	    ((struct gm_threshold_options *)draft->options)->metric[0] == '\0')
		return gm_policies_refuse(loader, node, "metric: a threshold needs one");
	if (draft->ops->check(draft->options, &why) < 0)
		return gm_yaml_refuse(loader->yaml, node, loader->err, "%s", why.text);
	int result = gm_policies_scope(loader, draft->ops, draft->options, &draft->match,
				       draft->match_node ? draft->match_node : draft->judged_node);
	if (result < 0)
		return result;
	if (group && !group->enabled)
		gm_option_set(draft->ops->options, draft->options, "enabled", "false", NULL);
	result = gm_detector_settings_add_rule(loader->settings, draft->ops, draft->name,
					       &draft->match, draft->options);
	return result < 0 ? gm_policies_failed(loader, draft->name_node, result) : 0;
}

static int read_rule(struct gm_policy_loader *loader, const struct gm_detector_ops *ops,
		     const struct gm_yaml_node *node)
{
	struct draft draft = {.ops = ops, .options = calloc(1, ops->options_size)};
	const struct gm_yaml_node *key, *value;
	int result = 0;

	if (!draft.options)
		return gm_policies_failed(loader, node, -ENOMEM);
	gm_option_defaults(ops->options, draft.options);
	if (!gm_yaml_is_mapping(node))
		result = gm_policies_refuse(loader, node,
					    "a rule holds keys, the first of them `name`");
	for (size_t i = 0; result == 0 && gm_yaml_member(loader->yaml, node, i, &key, &value); i++)
		result = read_key(loader, &draft, key, value);
	if (result == 0)
		result = finish_rule(loader, &draft, node);
	free(draft.options);
	return result;
}

int gm_policies_list(struct gm_policy_loader *loader, const struct gm_yaml_node *list,
		     int (*read)(struct gm_policy_loader *loader, const struct gm_yaml_node *node))
{
	const struct gm_yaml_node *item;
	int result = 0;

	if (gm_yaml_is_null(list))
		return 0;
	if (!gm_yaml_is_list(list))
		return gm_policies_refuse(loader, list,
					  "a list is expected: items that begin with a '-'");
	for (size_t i = 0; result == 0 && (item = gm_yaml_item(loader->yaml, list, i)); i++)
		result = read(loader, item);
	return result;
}

static int read_threshold(struct gm_policy_loader *loader, const struct gm_yaml_node *node)
{
	return read_rule(loader, &gm_threshold_ops, node);
}

static int read_policy(struct gm_policy_loader *loader, const struct gm_yaml_node *node)
{
	return read_rule(loader, &gm_policy_ops, node);
}

static int read_thresholds(struct gm_policy_loader *loader, const struct gm_yaml_node *node)
{
	return gm_policies_list(loader, node, read_threshold);
}

static int read_policies(struct gm_policy_loader *loader, const struct gm_yaml_node *node)
{
	return gm_policies_list(loader, node, read_policy);
}

/* ---- overrides ---- */

static int read_option(struct gm_policy_loader *loader, const struct gm_detector_ops *ops,
		       const struct gm_yaml_node *key, const struct gm_yaml_node *value)
{
	const char *name = gm_yaml_text(key), *text = gm_yaml_text(value);
	struct gm_error why = {.text = ""};

	if (ops->rules_only && strcmp(name, "enabled") != 0)
		return gm_policies_unknown_key(loader, key, "enabled");
	bool known = gm_option_find(ops->options, name) != NULL;
	if (known && !text)
		return gm_policies_refuse(loader, value, "a key has one value here");
	int result = known ? check_value(loader, ops, name, value) : 0;
	if (result < 0)
		return result;
	result =
		gm_detector_settings_override(loader->settings, ops, name, known ? text : "", &why);
	if (result == -ENOMEM)
		return gm_policies_failed(loader, value, result);
	if (result < 0)
		return gm_yaml_refuse(loader->yaml, known ? value : key, loader->err, "%s",
				      why.text);
	return 0;
}

static int read_options(struct gm_policy_loader *loader, const struct gm_yaml_node *detector,
			const struct gm_yaml_node *node)
{
	const struct gm_detector_ops *ops = gm_detector_find(gm_yaml_text(detector));
	const struct gm_yaml_node *key, *value;
	char names[256] = "match";
	size_t used = strlen(names);
	int result = 0;

	for (size_t i = 0; gm_detectors[i] && used < sizeof(names); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, ", %s",
					 gm_detectors[i]->name);
	if (!ops)
		return gm_policies_unknown_key(loader, detector, names);
	if (!gm_yaml_is_mapping(node))
		return gm_policies_refuse(loader, node,
					  "a detector's options are expected, such as "
					  "{enabled: false}");
	for (size_t i = 0; result == 0 && gm_yaml_member(loader->yaml, node, i, &key, &value); i++)
		result = read_option(loader, ops, key, value);
	return result;
}

static int read_override(struct gm_policy_loader *loader, const struct gm_yaml_node *node)
{
	const struct gm_yaml_node *key, *value, *match = NULL;
	struct gm_match whom = {.entities = 0};
	int result = 0;

	for (size_t i = 0; gm_yaml_member(loader->yaml, node, i, &key, &value); i++) {
		if (strcmp(gm_yaml_text(key), "match") == 0)
			match = value;
	}
	if (!match)
		return gm_policies_refuse(loader, node, "an override needs a match");
	result = gm_policies_match(loader, match, &whom);
	if (result < 0)
		return result;
	result = gm_detector_settings_add_override(loader->settings, &whom);
	if (result < 0)
		return gm_policies_failed(loader, node, result);
	for (size_t i = 0; result == 0 && gm_yaml_member(loader->yaml, node, i, &key, &value);
	     i++) {
		if (value != match)
			result = read_options(loader, key, value);
	}
	return result;
}

static int read_overrides(struct gm_policy_loader *loader, const struct gm_yaml_node *node)
{
	return gm_policies_list(loader, node, read_override);
}

/* ---- files ---- */

/* Groups of all files are read first: a file may switch what another one holds. */
static const struct {
	const char *key;
	read_fn *read;
	int pass;
} sections[] = {
	{"groups", read_groups, 0},
	{"thresholds", read_thresholds, 1},
	{"policies", read_policies, 1},
	{"overrides", read_overrides, 1},
	{"alarms", gm_policies_read_alarms, 1},
	{"maintenance", gm_policies_read_maintenance, 1},
	{"vnfs", gm_policies_read_vnfs, 1},
};

static int read_section(struct gm_policy_loader *loader, const struct gm_yaml_node *key,
			const struct gm_yaml_node *value, int pass)
{
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (strcmp(sections[i].key, gm_yaml_text(key)) == 0)
			return sections[i].pass == pass ? sections[i].read(loader, value) : 0;
	}
	return gm_policies_unknown_key(
		loader, key, "groups, thresholds, policies, overrides, alarms, maintenance, vnfs");
}

static int read_tree(struct gm_policy_loader *loader, const struct gm_yaml *yaml, int pass)
{
	const struct gm_yaml_node *root = gm_yaml_root(yaml), *key, *value;
	int result = 0;

	loader->yaml = yaml;
	if (!root || gm_yaml_is_null(root))
		return 0;
	if (!gm_yaml_is_mapping(root))
		return gm_policies_refuse(loader, root,
					  "a policy file holds groups, thresholds, policies, "
					  "overrides, alarms, maintenance and vnfs");
	for (size_t i = 0; result == 0 && gm_yaml_member(yaml, root, i, &key, &value); i++)
		result = read_section(loader, key, value, pass);
	return result;
}

static int open_file(struct gm_policy_loader *loader, const char *directory, const char *name)
{
	char path[512];
	size_t at = loader->file_count, length;

	if (at == GM_POLICY_FILES)
		return gm_error_set(loader->err, -E2BIG, "%s: more than 256 files", directory);
	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
		return gm_error_set(loader->err, -ENAMETOOLONG, "%s: the path is too long", name);
	int result = gm_text_file_read(path, GM_POLICY_FILE_BYTES, &loader->texts[at], &length,
				       loader->err);
	if (result == 0) {
		loader->file_count++;
		result = gm_yaml_read(path, loader->texts[at], length, &loader->trees[at],
				      loader->err);
	}
	return result;
}

static int is_policy_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 5 &&
	       strcmp(entry->d_name + length - 5, ".yaml") == 0;
}

static int open_files(struct gm_policy_loader *loader, const char *directory)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, is_policy_file, alphasort);
	int result = 0;

	if (count < 0 && errno == ENOENT)
		return 0;
	if (count < 0) {
		result = -errno;
		return gm_error_set(loader->err, result, "%s: %s", directory, strerror(-result));
	}
	for (int i = 0; i < count; i++) {
		if (result == 0)
			result = open_file(loader, directory, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return result;
}

int gm_policies_load(const char *directory, struct gm_detector_settings *settings,
		     struct gm_handling *handling, struct gm_error *err)
{
	struct gm_policy_loader *loader = calloc(1, sizeof(*loader));

	if (!loader)
		return gm_error_set(err, -ENOMEM, "out of memory");
	loader->settings = settings;
	loader->handling = handling;
	loader->err = err;
	int result = open_files(loader, directory);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < loader->file_count && result == 0; i++)
			result = read_tree(loader, loader->trees[i], pass);
	}
	for (size_t i = 0; i < loader->file_count; i++) {
		gm_yaml_free(loader->trees[i]);
		free(loader->texts[i]);
	}
	free(loader);
	return result;
}

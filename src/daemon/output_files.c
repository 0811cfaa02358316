/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the files of outputs; see output_files.h. Called when a configuration is read.
 */
#include "daemon/output_files.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/text_file.h"
#include "daemon/yaml_tree.h"

static const char suffix[] = ".yaml";
enum { SUFFIX = sizeof(suffix) - 1 };

/* A name that stands in the journal, in commands and in the MIB as it is; `snmp` is taken. */
static bool is_name(const char *text, size_t length)
{
	if (length == 0 || length >= GM_OUTPUT_NAME)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)text[i]) && !strchr("._-", text[i]))
			return false;
	}
	return strncmp(text, "snmp", length) != 0 || length != 4;
}

static int refuse_key(const struct gm_yaml *yaml, const struct gm_yaml_node *key,
		      const struct gm_output_ops *ops, struct gm_error *err)
{
	const struct gm_option *const tables[] = {gm_output_option_table, ops->options};
	char quoted[96], allowed[768] = "type";
	size_t used = strlen(allowed);

	for (size_t t = 0; t < 2; t++) {
		for (const struct gm_option *option = tables[t];
		     option && option->key && used < sizeof(allowed); option++)
			used += (size_t)snprintf(allowed + used, sizeof(allowed) - used, ", %s",
						 option->key);
	}
	gm_text_quote(quoted, sizeof(quoted), gm_yaml_text(key));
	return gm_yaml_refuse(yaml, key, err, "unknown key %s; allowed: %s", quoted, allowed);
}

static int read_member(const struct gm_yaml *yaml, const struct gm_yaml_node *key,
		       const struct gm_yaml_node *value, struct gm_output_file *file,
		       struct gm_error *err)
{
	const char *name = gm_yaml_text(key), *text = gm_yaml_text(value);
	bool common = gm_option_find(gm_output_option_table, name) != NULL;
	struct gm_error why = {.text = ""};

	if (strcmp(name, "type") == 0)
		return 0;
	if (!common && !(file->ops->options && gm_option_find(file->ops->options, name)))
		return refuse_key(yaml, key, file->ops, err);
	if (!text)
		return gm_yaml_refuse(yaml, value, err, "a key has one value here");
	int result =
		gm_option_set(common ? gm_output_option_table : file->ops->options,
			      common ? (void *)&file->common : file->options, name, text, &why);
	return result < 0 ? gm_yaml_refuse(yaml, value, err, "%s", why.text) : 0;
}

/* Finds `type`, which decides what the other keys mean. */
static int read_type(const struct gm_yaml *yaml, const char *path, struct gm_output_file *file,
		     struct gm_error *err)
{
	const struct gm_yaml_node *root = gm_yaml_root(yaml), *key, *value;
	char names[256] = "";
	size_t used = 0;

	if (!root || !gm_yaml_is_mapping(root))
		return gm_error_set(err, -EINVAL,
				    "%s: options are expected, `type: NAME` among them", path);
	for (size_t i = 0; gm_output_types[i] && used < sizeof(names); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					 i > 0 ? ", " : "", gm_output_types[i]->type);
	for (size_t i = 0; gm_yaml_member(yaml, root, i, &key, &value); i++) {
		const char *text = gm_yaml_text(value);

		if (strcmp(gm_yaml_text(key), "type") != 0)
			continue;
		file->ops = text ? gm_output_type(text) : NULL;
		if (!file->ops)
			return gm_yaml_refuse(yaml, value, err, "type: allowed: %s", names);
		return 0;
	}
	return gm_yaml_refuse(yaml, root, err, "type is missing; allowed: %s", names);
}

/* The value of the key that a sentence "KEY: …" begins with; of one that the file lacks, the file itself. */
static const struct gm_yaml_node *place_of(const struct gm_yaml *yaml, const char *sentence)
{
	const struct gm_yaml_node *root = gm_yaml_root(yaml), *key, *value;
	size_t length = strcspn(sentence, ":");

	for (size_t i = 0; gm_yaml_member(yaml, root, i, &key, &value); i++) {
		const char *name = gm_yaml_text(key);

		if (strncmp(name, sentence, length) == 0 && name[length] == '\0')
			return value;
	}
	return root;
}

/* What no key alone can tell. */
static int check_file(const struct gm_yaml *yaml, const struct gm_output_file *file,
		      struct gm_error *err)
{
	struct gm_error why = {.text = ""};
	int result = 0;

	if (file->common.retry_min > file->common.retry_max) {
		const struct gm_yaml_node *place = place_of(yaml, "retry-min");

		if (place == gm_yaml_root(yaml))
			place = place_of(yaml, "retry-max");
		return gm_yaml_refuse(yaml, place, err, "retry-min is longer than retry-max");
	}
	if (file->common.enabled && file->ops->check)
		result = file->ops->check(file->options, &why);
	if (result < 0)
		gm_yaml_refuse(yaml, place_of(yaml, why.text), err, "%s", why.text);
	return result;
}

static int read_tree(const struct gm_yaml *yaml, const char *path, struct gm_output_file *file,
		     struct gm_error *err)
{
	const struct gm_yaml_node *key, *value;
	int result = read_type(yaml, path, file, err);
	size_t size = result == 0 ? file->ops->options_size : 0;

	if (result < 0)
		return result;
	file->options = calloc(1, size ? size : 1);
	if (!file->options)
		return gm_error_set(err, -ENOMEM, "out of memory");
	gm_option_defaults(gm_output_option_table, &file->common);
	if (file->ops->options)
		gm_option_defaults(file->ops->options, file->options);
	for (size_t i = 0; result == 0 && gm_yaml_member(yaml, gm_yaml_root(yaml), i, &key, &value);
	     i++)
		result = read_member(yaml, key, value, file, err);
	return result == 0 ? check_file(yaml, file, err) : result;
}

static int read_file(const char *directory, const char *entry, struct gm_output_file *file,
		     struct gm_error *err)
{
	char path[512];
	char *text = NULL;
	size_t length, name = strlen(entry) - SUFFIX;
	struct gm_yaml *yaml = NULL;

	if (snprintf(path, sizeof(path), "%s/%s", directory, entry) >= (int)sizeof(path))
		return gm_error_set(err, -ENAMETOOLONG, "%s: the path is too long", entry);
	if (!is_name(entry, name))
		return gm_error_set(err, -EINVAL,
				    "%s: the name of an output is a word of at most %d letters, "
				    "digits, '.', '_' and '-', and not snmp",
				    path, GM_OUTPUT_NAME - 1);
	snprintf(file->name, sizeof(file->name), "%.*s", (int)name, entry);
	int result = gm_text_file_read(path, GM_OUTPUT_FILE_BYTES, &text, &length, err);
	if (result == 0)
		result = gm_yaml_read(path, text, length, &yaml, err);
	if (result == 0)
		result = read_tree(yaml, path, file, err);
	gm_yaml_free(yaml);
	free(text);
	return result;
}

static int is_output_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > SUFFIX &&
	       strcmp(entry->d_name + length - SUFFIX, suffix) == 0;
}

static int add_file(struct gm_output_files *files, const char *directory, const char *entry,
		    struct gm_error *err)
{
	struct gm_output_file file = {.options = NULL};

	if (files->count == GM_OUTPUT_FILES)
		return gm_error_set(err, -E2BIG, "%s: more than %d outputs", directory,
				    GM_OUTPUT_FILES);
	int result = read_file(directory, entry, &file, err);
	if (result == 0 && file.common.enabled)
		files->files[files->count++] = file;
	else
		free(file.options);
	return result;
}

int gm_output_files_load(const char *directory, struct gm_output_files **ret_files,
			 struct gm_error *err)
{
	struct gm_output_files *files = calloc(1, sizeof(*files));
	struct dirent **entries;
	int result = 0;

	*ret_files = NULL;
	if (!files)
		return gm_error_set(err, -ENOMEM, "out of memory");
	int count = scandir(directory, &entries, is_output_file, alphasort);
	if (count < 0 && errno != ENOENT) {
		result = -errno;
		gm_error_set(err, result, "%s: %s", directory, strerror(-result));
	}
	for (int i = 0; i < count; i++) {
		if (result == 0)
			result = add_file(files, directory, entries[i]->d_name, err);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	if (result < 0) {
		gm_output_files_free(files);
		return result;
	}
	*ret_files = files;
	return 0;
}

void gm_output_files_free(struct gm_output_files *files)
{
	if (!files)
		return;
	for (size_t i = 0; i < files->count; i++)
		free(files->files[i].options);
	free(files);
}

bool gm_output_file_equal(const struct gm_output_file *a, const struct gm_output_file *b)
{
	/* Both were zeroed before they were filled, so padding is equal, too. */
	return strcmp(a->name, b->name) == 0 && a->ops == b->ops &&
	       memcmp(&a->common, &b->common, sizeof(a->common)) == 0 &&
	       memcmp(a->options, b->options, a->ops->options_size) == 0;
}

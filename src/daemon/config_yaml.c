/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the configuration file. libcyaml loads it into one text per option, by a schema that is made
 * from the option tables; base/option.h then converts and checks each text. The outline gives the
 * lines for the messages, since libcyaml keeps none.
 */
#include "daemon/config_yaml.h"

#include <cyaml/cyaml.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/outline.h"
#include "daemon/policies.h"
#include "daemon/text_file.h"
#include "north/api/users.h"

/* A file being loaded. */
struct loader {
	const char *name;
	char *text;
	size_t length;
	struct gm_outline *outline;
	struct gm_config *config;
	struct gm_error *err;
};

static int refuse_file(const struct loader *loader, int code, const char *what)
{
	return gm_error_set(loader->err, code, "%s: %s", loader->name, what);
}

/* The schema: an array of section pointers, each to an array of one text per option. */
struct schema {
	cyaml_schema_value_t top;
	cyaml_schema_field_t *fields; /* sections first, then the options of each */
};

static size_t option_count(const struct gm_option *options)
{
	size_t count = 0;

	while (options[count].key)
		count++;
	return count;
}

static void option_fields(cyaml_schema_field_t *fields, const struct gm_option *options)
{
	for (size_t i = 0; options[i].key; i++)
		fields[i] = (cyaml_schema_field_t){
			.key = options[i].key,
			.data_offset = (uint32_t)(i * sizeof(char *)),
			.value = {.type = CYAML_STRING,
				  .flags = (enum cyaml_flag)(CYAML_FLAG_OPTIONAL |
							     CYAML_FLAG_POINTER),
				  .data_size = sizeof(char),
				  .string = {.min = 0, .max = GM_CONFIG_BYTES}}};
}

static int schema_create(struct schema *schema)
{
	struct gm_config_section section;
	size_t sections = 0, options = 0;

	for (; gm_config_section(NULL, sections, &section); sections++)
		options += option_count(section.options) + 1;
	schema->fields = calloc(sections + 1 + options, sizeof(*schema->fields));
	if (!schema->fields)
		return -ENOMEM;
	cyaml_schema_field_t *next = schema->fields + sections + 1;
	for (size_t i = 0; gm_config_section(NULL, i, &section); i++) {
		size_t count = option_count(section.options);

		option_fields(next, section.options);
		schema->fields[i] = (cyaml_schema_field_t){
			.key = section.name,
			.data_offset = (uint32_t)(i * sizeof(char **)),
			.value = {.type = CYAML_MAPPING,
				  .flags = (enum cyaml_flag)(CYAML_FLAG_OPTIONAL |
							     CYAML_FLAG_POINTER_NULL_STR),
				  .data_size = (uint32_t)(count * sizeof(char *)),
				  .mapping = {.fields = next}}};
		next += count + 1;
	}
	schema->top =
		(cyaml_schema_value_t){.type = CYAML_MAPPING,
				       .flags = (enum cyaml_flag)(CYAML_FLAG_POINTER_NULL_STR),
				       .data_size = (uint32_t)(sections * sizeof(char **)),
				       .mapping = {.fields = schema->fields}};
	return 0;
}

/* Keeps the first error that libcyaml reports; the rest is its backtrace. */
static void __attribute__((format(printf, 3, 0)))
keep_message(cyaml_log_t level, void *user, const char *format, va_list arguments)
{
	struct gm_error *message = user;

	if (level == CYAML_LOG_ERROR && message->text[0] == '\0') {
		vsnprintf(message->text, sizeof(message->text), format, arguments);
		message->text[strcspn(message->text, "\n")] = '\0';
	}
}

static int unknown_section(const struct loader *loader, const struct gm_outline_entry *entry)
{
	char quoted[96], names[256] = "";
	struct gm_config_section section;
	size_t used = 0;

	for (size_t i = 0; gm_config_section(NULL, i, &section) && used < sizeof(names); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
					 section.name);
	gm_text_quote(quoted, sizeof(quoted), entry->section);
	return gm_error_set(loader->err, -EINVAL, "%s:%zu: unknown section %s; allowed: %s",
			    loader->name, entry->line, quoted, names);
}

static bool find_section(struct gm_config *config, const char *name,
			 struct gm_config_section *ret_section)
{
	for (size_t i = 0; gm_config_section(config, i, ret_section); i++)
		if (strcmp(ret_section->name, name) == 0)
			return true;
	return false;
}

/* Says where and why libcyaml refused the file: it is the first name that no table has. */
static int explain(const struct loader *loader, const struct gm_error *message)
{
	const struct gm_outline *outline = loader->outline;

	for (size_t i = 0; i < outline->count; i++) {
		const struct gm_outline_entry *entry = &outline->entries[i];
		struct gm_config_section section;
		struct gm_error why;

		if (!find_section(loader->config, entry->section, &section))
			return unknown_section(loader, entry);
		if (!entry->key || gm_option_find(section.options, entry->key))
			continue;
		gm_option_set(section.options, section.target, entry->key, "", &why);
		return gm_error_set(loader->err, -EINVAL, "%s:%zu: %s: %s", loader->name,
				    entry->line, section.name, why.text);
	}
	return refuse_file(loader, -EINVAL, message->text);
}

/* Converts the texts of all sections. */
static int apply(const struct loader *loader, char **const *texts)
{
	struct gm_config_section section;

	for (size_t i = 0; gm_config_section(loader->config, i, &section); i++) {
		for (size_t j = 0; texts[i] && section.options[j].key; j++) {
			const char *key = section.options[j].key;
			struct gm_error why;

			if (!texts[i][j] || gm_option_set(section.options, section.target, key,
							  texts[i][j], &why) == 0)
				continue;
			return gm_error_set(loader->err, -EINVAL, "%s:%zu: %s.%s", loader->name,
					    gm_outline_line(loader->outline, section.name, key),
					    section.name, why.text);
		}
	}
	return 0;
}

static int load_values(const struct loader *loader)
{
	struct gm_error message = {.text = ""};
	const cyaml_config_t settings = {.log_fn = keep_message,
					 .log_ctx = &message,
					 .mem_fn = cyaml_mem,
					 .log_level = CYAML_LOG_ERROR,
					 .flags = CYAML_CFG_NO_ALIAS};
	struct schema schema;
	cyaml_data_t *data = NULL;
	int rc = 0;

	if (schema_create(&schema) < 0)
		return refuse_file(loader, -ENOMEM, "out of memory");
	cyaml_err_t status = cyaml_load_data((const uint8_t *)loader->text, loader->length,
					     &settings, &schema.top, &data, NULL);
	if (status == CYAML_ERR_OOM)
		rc = refuse_file(loader, -ENOMEM, "out of memory");
	else if (status != CYAML_OK)
		rc = explain(loader, &message);
	else if (data)
		rc = apply(loader, (char **const *)data);
	cyaml_free(&settings, &schema.top, data, 0);
	free(schema.fields);
	return rc;
}

/* "FILE:LINE: section.key: WHAT"; the line of an option that the file leaves out is its section's. */
static int refuse_option(const struct loader *loader, int code, const char *section,
			 const char *key, const char *what)
{
	size_t number = gm_outline_line(loader->outline, section, key);
	char line[32] = "";

	if (number == 0)
		number = gm_outline_line(loader->outline, section, NULL);
	if (number != 0)
		snprintf(line, sizeof(line), "%zu:", number);
	return gm_error_set(loader->err, code, "%s:%s %s.%s: %s", loader->name, line, section, key,
			    what);
}

/* `sentence` is "KEY: WHAT". */
static int refuse_detector(const struct loader *loader, const struct gm_detector_ops *ops,
			   const char *sentence)
{
	char key[64];
	size_t length = strcspn(sentence, ":");

	snprintf(key, sizeof(key), "%.*s", (int)length, sentence);
	return refuse_option(loader, -EINVAL, ops->name, key,
			     sentence + length + strspn(sentence + length, ": "));
}

/* What a detector's table alone cannot say. */
static int check_detectors(const struct loader *loader)
{
	for (size_t i = 0; gm_detectors[i]; i++) {
		const struct gm_detector_ops *ops = gm_detectors[i];
		struct gm_error why;

		if (ops->rules_only || !ops->check ||
		    ops->check(gm_detector_settings_get(loader->config->detectors, ops), &why) == 0)
			continue;
		return refuse_detector(loader, ops, why.text);
	}
	return 0;
}

/* A server whose users cannot be read does not start. */
static int check_users(const struct loader *loader)
{
	const struct gm_api_options *api = &loader->config->api;
	struct gm_api_users *users = NULL;
	struct gm_error why;

	if (api->enabled && gm_api_users_read(api->users, &users, &why) < 0)
		return refuse_option(loader, -EINVAL, "api", "users", why.text);
	gm_api_users_free(users);
	return 0;
}

/* A file, or what may not be read, in place of a directory of files; one that is not there has none. */
static int check_directory(const struct loader *loader, const char *section, const char *path)
{
	DIR *directory = opendir(path);
	int code = directory ? 0 : errno;
	struct gm_error why;

	if (directory)
		closedir(directory);
	if (code == 0 || code == ENOENT)
		return 0;
	gm_error_set(&why, -code, "%s: %s", path, strerror(code));
	return refuse_option(loader, -code, section, "directory", why.text);
}

static int check_files(const struct loader *loader)
{
	const struct gm_config *config = loader->config;
	int result = check_users(loader);

	if (result == 0)
		result = check_directory(loader, "policy", config->policy.directory);
	return result < 0 ? result : check_directory(loader, "outputs", config->outputs.directory);
}

static int check_rules(const struct loader *loader)
{
	struct gm_config_breach breach;
	struct gm_error what;

	if (!gm_config_check(loader->config, &breach)) {
		gm_error_set(&what, -EINVAL, "allowed: %s", breach.allowed);
		return refuse_option(loader, -EINVAL, breach.section, breach.key, what.text);
	}
	int result = check_detectors(loader);
	return result < 0 ? result : check_files(loader);
}

static int load_outputs(struct gm_config *config, struct gm_error *err)
{
	gm_output_files_free(config->outputs.files);
	return gm_output_files_load(config->outputs.directory, &config->outputs.files, err);
}

int gm_config_load(const char *path, struct gm_config **ret_config, struct gm_error *err)
{
	struct loader loader = {.name = path, .err = err};
	int rc = gm_config_create(&loader.config);

	if (rc < 0)
		return refuse_file(&loader, rc, "out of memory");
	rc = gm_text_file_read(path, GM_CONFIG_BYTES, &loader.text, &loader.length, err);
	if (rc == 0)
		rc = gm_outline_read(path, loader.text, loader.length, &loader.outline, err);
	if (rc == 0)
		rc = load_values(&loader);
	if (rc == 0)
		rc = check_rules(&loader);
	if (rc == 0)
		rc = gm_policies_load(loader.config->policy.directory, loader.config->detectors,
				      loader.config->handling, err);
	if (rc == 0)
		rc = load_outputs(loader.config, err);
	gm_outline_free(loader.outline);
	free(loader.text);
	if (rc < 0)
		gm_config_free(loader.config);
	else
		*ret_config = loader.config;
	return rc;
}

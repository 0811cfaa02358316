/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A manager's threshold as text: its record in the state, and the line in the log. Its options are those of
 * the threshold detector, under the same names and with the same ranges. See managed.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/threshold.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "daemon/managed.h"

enum { VALUE = 2 * GM_ROW_PATTERN };

static const struct {
	const char *key;
	size_t offset, size;
} texts[] = {
#define TEXT(name, member)                                             \
	{                                                              \
		name, offsetof(struct gm_threshold_row, member),       \
			sizeof(((struct gm_threshold_row *)0)->member) \
	}
	TEXT("owner", owner),     TEXT("guest", guest),   TEXT("uuid", uuid),
	TEXT("project", project), TEXT("flavor", flavor),
#undef TEXT
};
enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };

void gm_managed_defaults(struct gm_threshold_row *row)
{
	memset(row, 0, sizeof(*row));
	gm_option_defaults(gm_threshold_ops.options, &row->options);
	row->storage = GM_STORAGE_KEPT;
}

/* The table's ranges hold for what was not read as text, too. */
static int check_ranges(const struct gm_threshold_options *options, struct gm_error *err)
{
	struct gm_threshold_options scratch;
	char value[VALUE];
	int result = 0;

	for (const struct gm_option *option = gm_threshold_ops.options; option->key && result == 0;
	     option++)
		result =
			gm_option_set(gm_threshold_ops.options, &scratch, option->key,
				      gm_option_format(option, options, value, sizeof(value)), err);
	return result < 0 ? -EINVAL : 0;
}

int gm_managed_check(const struct gm_threshold_row *row, struct gm_error *err)
{
	const struct gm_metric *metric = gm_metric_get(gm_metric_find(row->options.metric));

	if (!metric)
		return gm_error_set(err, -EINVAL, "metric: there is no metric of that name");
	if (row->entities >> GM_ENTITY_KINDS != 0)
		return gm_error_set(err, -EINVAL, "kinds: one that there is none of");
	if (row->entities != 0 && !(row->entities & metric->entities))
		return gm_error_set(err, -EINVAL, "kinds: none of them has this metric");
	if (check_ranges(&row->options, err) < 0)
		return -EINVAL;
	return gm_threshold_ops.check(&row->options, err);
}

int gm_managed_to_record(const struct gm_threshold_row *row, struct gm_buffer *ret_record)
{
	struct gm_json *object = gm_json_object(), *options = gm_json_object();
	char value[VALUE];

	gm_json_set_bool(object, "active", row->status == GM_ROW_ACTIVE);
	gm_json_set_integer(object, "changed", row->changed_at);
	gm_json_set_integer(object, "entities", row->entities);
	for (size_t i = 0; i < TEXTS; i++)
		gm_json_set_text(object, texts[i].key, (const char *)row + texts[i].offset);
	for (const struct gm_option *option = gm_threshold_ops.options; option->key; option++)
		gm_json_set_text(options, option->key,
				 gm_option_format(option, &row->options, value, sizeof(value)));
	gm_json_set(object, "options", options);
	int result = gm_json_write(object, 0, ret_record);
	gm_json_free(object);
	return result;
}

static int read_options(const struct gm_json *options, struct gm_threshold_row *row,
			struct gm_error *err)
{
	const struct gm_json *value;
	const char *key;
	void *iterator = NULL;

	while (gm_json_next(options, &iterator, &key, &value)) {
		const char *text = gm_json_value_text(value);

		if (!text)
			return gm_error_set(err, -EINVAL, "%s: a text is expected", key);
		if (gm_option_set(gm_threshold_ops.options, &row->options, key, text, err) < 0)
			return -EINVAL;
	}
	return 0;
}

static int read_record(const struct gm_json *object, struct gm_threshold_row *row,
		       struct gm_error *err)
{
	int64_t entities = gm_json_get_integer(object, "entities", 0);
	const struct gm_json *options = gm_json_get(object, "options");
	struct gm_error why;

	if (!options || entities < 0 || entities >> GM_ENTITY_KINDS != 0)
		return gm_error_set(err, -EINVAL, "not what this version writes");
	row->entities = (uint32_t)entities;
	row->changed_at = gm_json_get_integer(object, "changed", 0);
	for (size_t i = 0; i < TEXTS; i++)
		gm_text_copy((char *)row + texts[i].offset, texts[i].size,
			     gm_json_get_text(object, texts[i].key));
	if (read_options(options, row, err) < 0)
		return -EINVAL;
	bool whole = gm_managed_check(row, &why) == 0, active = gm_json_get_bool(object, "active");
	if (active && !whole)
		return gm_error_set(err, -EINVAL, "%s", why.text);
	row->status = active ? GM_ROW_ACTIVE : whole ? GM_ROW_NOT_IN_SERVICE : GM_ROW_NOT_READY;
	return 0;
}

int gm_managed_from_record(const char *record, struct gm_threshold_row *ret_row,
			   struct gm_error *err)
{
	struct gm_threshold_row *row = malloc(sizeof(*row));
	struct gm_json *object = NULL;
	int result = row ? gm_json_parse(record, strlen(record), &object, err)
			 : gm_error_set(err, -ENOMEM, "out of memory");

	if (result == 0) {
		gm_managed_defaults(row);
		memcpy(row->name, ret_row->name, sizeof(row->name));
		result = read_record(object, row, err);
	}
	if (result == 0)
		*ret_row = *row;
	gm_json_free(object);
	free(row);
	return result;
}

char *gm_managed_describe(const struct gm_threshold_row *row, char *text, size_t size)
{
	struct gm_threshold_options defaults;
	struct gm_buffer line = GM_BUFFER_INIT(8192);
	char value[VALUE], other[VALUE], quoted[2 * VALUE];

	gm_option_defaults(gm_threshold_ops.options, &defaults);
	for (const struct gm_option *option = gm_threshold_ops.options; option->key; option++) {
		gm_option_format(option, &row->options, value, sizeof(value));
		if (strcmp(value, gm_option_format(option, &defaults, other, sizeof(other))) == 0)
			continue;
		gm_text_quote(quoted, sizeof(quoted), value);
		gm_buffer_printf(&line, ", %s %s", option->key,
				 option->type == GM_OPTION_TEXT ? quoted : value);
	}
	for (unsigned kind = 0; kind < GM_ENTITY_KINDS; kind++)
		if (row->entities >> kind & 1)
			gm_buffer_printf(&line, ", of every %s", gm_entity_kind_name(kind));
	for (size_t i = 0; i < TEXTS; i++) {
		const char *member = (const char *)row + texts[i].offset;

		gm_text_quote(quoted, sizeof(quoted), member);
		if (member[0] != '\0')
			gm_buffer_printf(&line, ", %s %s", texts[i].key, quoted);
	}
	gm_text_copy(text, size, line.length > 2 && !line.failed ? line.data + 2 : "");
	gm_buffer_free(&line);
	return text;
}

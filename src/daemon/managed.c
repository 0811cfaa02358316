/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Managers' thresholds and switches of detectors; see managed.h. Owned by the intake, which gives them to the
 * settings; changed by mib_change.c.
 */
#include "daemon/managed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/threshold.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#define THRESHOLD "threshold"
#define SWITCH    "detector"

struct gm_managed {
	struct gm_state *state;
	struct gm_detector_settings *settings; /* of the last install() */
	size_t row_count;
	struct gm_threshold_row rows[GM_THRESHOLDS_MAX]; /* by name */
	size_t hidden_count;
	char hidden[GM_THRESHOLDS_MAX][GM_RULE_NAME]; /* by files' rules, when last installed */
	size_t switch_count;
	struct gm_detector_switch switches[GM_SWITCHES_MAX];
	bool changed; /* since the last install() */
	uint64_t changes;
	struct gm_log_limit limit;
};

/* ---- what is stored ---- */

static void load_threshold(void *user, const char *name, const char *record)
{
	struct gm_managed *managed = user;
	struct gm_threshold_row *row = &managed->rows[managed->row_count];
	char quoted[2 * GM_RULE_NAME];
	struct gm_error err;

	gm_text_quote(quoted, sizeof(quoted), name);
	if (managed->row_count == GM_THRESHOLDS_MAX) {
		gm_log(GM_LOG_ERROR, "threshold %s of a manager is left out: there are %d", quoted,
		       GM_THRESHOLDS_MAX);
		return;
	}
	gm_text_copy(row->name, sizeof(row->name), name);
	if (!gm_threshold_is_name(name))
		gm_log(GM_LOG_ERROR,
		       "threshold %s of a manager cannot be used: nothing can be called that",
		       quoted);
	else if (gm_managed_from_record(record, row, &err) == 0)
		managed->row_count++;
	else
		gm_log(GM_LOG_ERROR, "threshold %s of a manager cannot be used: %s", quoted,
		       err.text);
}

/* "UUID/leak", "on". */
static void load_switch(void *user, const char *id, const char *record)
{
	struct gm_managed *managed = user;
	struct gm_detector_switch *one = &managed->switches[managed->switch_count];
	const char *slash = strchr(id, '/');
	char uuid[GM_UUID_TEXT], quoted[128];

	gm_text_copy(uuid, sizeof(uuid), id);
	if (managed->switch_count < GM_SWITCHES_MAX && slash && slash - id == GM_UUID_TEXT - 1 &&
	    gm_uuid_parse(uuid, one->guest) == 0 && (one->ops = gm_detector_find(slash + 1))) {
		one->on = strcmp(record, "on") == 0;
		managed->switch_count++;
		return;
	}
	gm_text_quote(quoted, sizeof(quoted), id);
	gm_log(GM_LOG_ERROR, "what a manager said of the detector %s cannot be used", quoted);
}

static int compare_rows(const void *a, const void *b)
{
	return gm_threshold_compare(((const struct gm_threshold_row *)a)->name,
				    ((const struct gm_threshold_row *)b)->name);
}

int gm_managed_create(struct gm_state *state, struct gm_managed **ret_managed)
{
	struct gm_managed *managed = calloc(1, sizeof(*managed));
	struct gm_error err;

	if (!managed)
		return -ENOMEM;
	managed->state = state;
	if (gm_state_registrations(state, THRESHOLD, load_threshold, managed, &err) < 0 ||
	    gm_state_registrations(state, SWITCH, load_switch, managed, &err) < 0)
		gm_log(GM_LOG_ERROR, "not all that managers have set is restored: %s", err.text);
	qsort(managed->rows, managed->row_count, sizeof(managed->rows[0]), compare_rows);
	*ret_managed = managed;
	return 0;
}

void gm_managed_free(struct gm_managed *managed)
{
	free(managed);
}

/* ---- into the settings ---- */

static void match_of(const struct gm_threshold_row *row, struct gm_match *match)
{
	*match = (struct gm_match){.entities = row->entities};
	gm_text_copy(match->name, sizeof(match->name), row->guest);
	gm_text_copy(match->uuid, sizeof(match->uuid), row->uuid);
	gm_text_copy(match->project, sizeof(match->project), row->project);
	gm_text_copy(match->flavor, sizeof(match->flavor), row->flavor);
}

/* Equal options have equal bytes, those between the members too: so detectors that are the same are known. */
static void options_of(const struct gm_threshold_row *row, struct gm_threshold_options *options)
{
	memset(options, 0, sizeof(*options));
	for (const struct gm_option *option = gm_threshold_ops.options; option->key; option++)
		memcpy((char *)options + option->offset,
		       (const char *)&row->options + option->offset, option->size);
}

static bool was_hidden(const struct gm_managed *managed, const char *name)
{
	for (size_t i = 0; i < managed->hidden_count; i++)
		if (strcmp(managed->hidden[i], name) == 0)
			return true;
	return false;
}

/* -EEXIST: a policy file has one of that name. */
static int install_row(const struct gm_threshold_row *row, struct gm_detector_settings *settings)
{
	struct gm_threshold_options options;
	struct gm_match match;

	if (row->status != GM_ROW_ACTIVE)
		return 0;
	match_of(row, &match);
	options_of(row, &options);
	return gm_detector_settings_manage_rule(settings, &gm_threshold_ops, row->name, &match,
						&options);
}

/* Rows are installed with every change of any of them: what is left out is told when that begins. */
static int install_rows(struct gm_managed *managed, struct gm_detector_settings *settings)
{
	char hidden[GM_THRESHOLDS_MAX][GM_RULE_NAME];
	size_t hidden_count = 0;

	for (size_t i = 0; i < managed->row_count; i++) {
		const char *name = managed->rows[i].name;
		int result = install_row(&managed->rows[i], settings);

		if (result < 0 && result != -EEXIST)
			return result;
		if (result == 0)
			continue;
		if (!was_hidden(managed, name))
			gm_log(GM_LOG_WARNING,
			       "threshold %s of a manager is left out: a policy file has one of "
			       "that name",
			       name);
		gm_text_copy(hidden[hidden_count++], GM_RULE_NAME, name);
	}
	memcpy(managed->hidden, hidden, sizeof(hidden[0]) * hidden_count);
	managed->hidden_count = hidden_count;
	return 0;
}

int gm_managed_install(struct gm_managed *managed, struct gm_detector_settings *settings)
{
	managed->settings = settings;
	managed->changed = false;
	gm_detector_settings_manage_none(settings);
	int result = install_rows(managed, settings);
	if (result == 0)
		result = gm_detector_settings_manage_switches(settings, managed->switches,
							      managed->switch_count);
	managed->changed = result < 0;
	return result;
}

/* For all changes at once, however many there were. */
bool gm_managed_adopt(struct gm_managed *managed, struct gm_entities *entities)
{
	if (!managed->changed)
		return false;
	int result = gm_managed_install(managed, managed->settings);
	if (result == 0)
		result = gm_entities_renew_detectors(entities, managed->settings);
	managed->changed = result < 0;
	if (result < 0 &&
	    gm_log_allowed(&managed->limit, gm_clock_monotonic(), 60 * GM_SECOND, NULL))
		gm_log(GM_LOG_ERROR, "out of memory: not all that managers have set is in use");
	return result == 0;
}

int gm_managed_move(struct gm_managed *managed, struct gm_detector_settings *settings,
		    struct gm_entities *entities)
{
	struct gm_detector_settings *before = managed->settings;
	int result = gm_managed_install(managed, settings);

	if (result == 0)
		result = gm_entities_renew_detectors(entities, settings);
	if (result < 0)
		gm_managed_install(managed, before);
	return result;
}

/* ---- changes ---- */

static struct gm_threshold_row *find_row(struct gm_managed *managed, const char *name)
{
	for (size_t i = 0; i < managed->row_count; i++)
		if (strcmp(managed->rows[i].name, name) == 0)
			return &managed->rows[i];
	return NULL;
}

/* Nothing where nothing is stored. */
static int unstore(struct gm_managed *managed, const char *kind, const char *id,
		   struct gm_error *err)
{
	int result = gm_state_registration_remove(managed->state, kind, id, err);

	return result == -ENOENT ? 0 : result;
}

static int store(struct gm_managed *managed, const struct gm_threshold_row *row,
		 struct gm_error *err)
{
	struct gm_buffer record = GM_BUFFER_INIT(64 << 10);

	if (row->storage != GM_STORAGE_KEPT)
		return unstore(managed, THRESHOLD, row->name, err);
	int result = gm_managed_to_record(row, &record);
	if (result < 0)
		gm_error_set(err, result, "out of memory");
	else
		result = gm_state_registration_put(managed->state, THRESHOLD, row->name,
						   record.data, err);
	gm_buffer_free(&record);
	return result;
}

/* A record that cannot be used has no row; it goes, too. */
static int remove_row(struct gm_managed *managed, const char *name, struct gm_error *err)
{
	struct gm_threshold_row *row = find_row(managed, name);
	int result = unstore(managed, THRESHOLD, name, err);

	if (result < 0 || !row)
		return result;
	struct gm_threshold_row *end = managed->rows + managed->row_count--;
	memmove(row, row + 1, (size_t)(end - row - 1) * sizeof(*row));
	managed->changed = true;
	return 0;
}

int gm_managed_threshold(struct gm_managed *managed, const struct gm_threshold_row *row,
			 struct gm_error *err)
{
	struct gm_threshold_row *known = find_row(managed, row->name);

	if (row->status == GM_ROW_DESTROY)
		return remove_row(managed, row->name, err);
	if (!known && managed->row_count == GM_THRESHOLDS_MAX)
		return gm_error_set(err, -ENOSPC, "there are %d already", GM_THRESHOLDS_MAX);
	int result = store(managed, row, err);
	if (result < 0)
		return result;
	if (!known)
		known = &managed->rows[managed->row_count++];
	*known = *row;
	known->alarms = 0; /* they are counted for whom it is shown to */
	qsort(managed->rows, managed->row_count, sizeof(managed->rows[0]), compare_rows);
	managed->changed = true;
	return 0;
}

static struct gm_detector_switch *find_switch(struct gm_managed *managed,
					      const uint8_t guest[GM_UUID_SIZE],
					      const struct gm_detector_ops *ops)
{
	for (size_t i = 0; i < managed->switch_count; i++) {
		struct gm_detector_switch *one = &managed->switches[i];

		if (one->ops == ops && memcmp(one->guest, guest, GM_UUID_SIZE) == 0)
			return one;
	}
	return NULL;
}

static bool is_known(const struct gm_entities *entities, const struct gm_detector_switch *one)
{
	const struct gm_entity_key key = gm_entity_guest(one->guest);

	return gm_entities_find(entities, &key);
}

/* Of what is stored: "UUID/leak". */
enum { SWITCH_ID = GM_UUID_TEXT + GM_DETECTOR_NAME };
static void switch_id(const struct gm_detector_switch *one, char id[SWITCH_ID])
{
	char uuid[GM_UUID_TEXT];

	snprintf(id, SWITCH_ID, "%s/%s", gm_uuid_text(one->guest, uuid), one->ops->name);
}

/* The others keep their order: the oldest come first. */
static void remove_switch(struct gm_managed *managed, struct gm_detector_switch *one)
{
	const struct gm_detector_switch *end = managed->switches + managed->switch_count--;

	memmove(one, one + 1, (size_t)(end - one - 1) * sizeof(*one));
}

/* Of many guests that came and went something was said; where that is too much, one of them is forgotten. */
static int make_room(struct gm_managed *managed, const struct gm_entities *entities,
		     struct gm_error *err)
{
	struct gm_detector_switch *one = managed->switches;
	const struct gm_detector_switch *end = one + managed->switch_count;
	char id[SWITCH_ID];

	if (managed->switch_count < GM_SWITCHES_MAX)
		return 0;
	while (one < end && is_known(entities, one))
		one++;
	if (one == end)
		return gm_error_set(err, -ENOSPC, "there are %d already", GM_SWITCHES_MAX);
	switch_id(one, id);
	int result = unstore(managed, SWITCH, id, err);
	if (result < 0)
		return result;
	gm_log(GM_LOG_NOTICE,
	       "%s: that a manager has switched it %s is forgotten: the guest is gone, and of %d "
	       "detectors "
	       "something was said",
	       id, one->on ? "on" : "off", GM_SWITCHES_MAX);
	remove_switch(managed, one);
	managed->changed = true;
	return 0;
}

int gm_managed_switch(struct gm_managed *managed, const struct gm_entities *entities,
		      const uint8_t guest[GM_UUID_SIZE], const char *detector,
		      enum gm_detector_choice choice, struct gm_error *err)
{
	struct gm_detector_switch wanted = {.ops = gm_detector_find(detector),
					    .on = choice == GM_DETECTOR_ON};
	char id[SWITCH_ID];

	if (!wanted.ops)
		return gm_error_set(err, -ENOENT, "there is no detector of that name");
	memcpy(wanted.guest, guest, GM_UUID_SIZE);
	switch_id(&wanted, id);
	bool inherits = choice == GM_DETECTOR_INHERIT;
	int result = inherits || find_switch(managed, guest, wanted.ops)
			     ? 0
			     : make_room(managed, entities, err);
	if (result == 0)
		result = inherits ? unstore(managed, SWITCH, id, err)
				  : gm_state_registration_put(managed->state, SWITCH, id,
							      wanted.on ? "on" : "off", err);
	if (result < 0)
		return result;
	struct gm_detector_switch *one = find_switch(managed, guest, wanted.ops);
	if (!inherits)
		*(one ? one : &managed->switches[managed->switch_count++]) = wanted;
	else if (one)
		remove_switch(managed, one);
	managed->changed = true;
	return 0;
}

void gm_managed_count(struct gm_managed *managed, uint64_t number)
{
	managed->changes = number;
}

uint64_t gm_managed_changes(const struct gm_managed *managed)
{
	return managed->changes;
}

/* ---- for readers ---- */

static void show_rule(const struct gm_rule_view *rule, struct gm_threshold_row *row)
{
	gm_managed_defaults(row);
	memcpy(&row->options, rule->options, sizeof(row->options));
	gm_text_copy(row->name, sizeof(row->name), rule->name);
	row->storage = GM_STORAGE_READ_ONLY;
	row->status = GM_ROW_ACTIVE;
	row->entities = rule->match->entities;
	gm_text_copy(row->guest, sizeof(row->guest), rule->match->name);
	gm_text_copy(row->uuid, sizeof(row->uuid), rule->match->uuid);
	gm_text_copy(row->project, sizeof(row->project), rule->match->project);
	gm_text_copy(row->flavor, sizeof(row->flavor), rule->match->flavor);
}

/* The configuration's own rule, where it has one. */
static bool own_rule(const struct gm_managed *managed, struct gm_rule_view *rule)
{
	static const struct gm_match everybody;
	const struct gm_threshold_options *options =
		gm_detector_settings_get(managed->settings, &gm_threshold_ops);

	*rule = (struct gm_rule_view){"", &everybody, options};
	return options->metric[0] != '\0';
}

static bool has_row(const struct gm_threshold_row *rows, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].name, name) == 0)
			return true;
	return false;
}

size_t gm_managed_rows(const struct gm_managed *managed, struct gm_threshold_row *rows, size_t max)
{
	struct gm_rule_view rule;
	size_t count = 0;

	if (!managed->settings)
		return 0;
	if (own_rule(managed, &rule) && count++ < max)
		show_rule(&rule, &rows[count - 1]);
	for (size_t at = 0; (at = gm_detector_settings_next_rule(
				     managed->settings, &gm_threshold_ops, at, &rule)) != SIZE_MAX;)
		if (count++ < max)
			show_rule(&rule, &rows[count - 1]);
	if (max == 0)
		return count + managed->row_count;
	size_t files = count < max ? count : max;
	for (size_t i = 0; i < managed->row_count; i++)
		if (!has_row(rows, files, managed->rows[i].name) && count++ < max)
			rows[count - 1] = managed->rows[i];
	qsort(rows, count < max ? count : max, sizeof(*rows), compare_rows);
	return count;
}

unsigned gm_managed_switched(const struct gm_managed *managed, const uint8_t guest[GM_UUID_SIZE],
			     unsigned *ret_on)
{
	unsigned switched = 0;

	*ret_on = 0;
	for (size_t i = 0; i < managed->switch_count; i++) {
		const struct gm_detector_switch *one = &managed->switches[i];
		unsigned place = 0;

		if (memcmp(one->guest, guest, GM_UUID_SIZE) != 0)
			continue;
		while (gm_detectors[place] != one->ops)
			place++;
		switched |= 1U << place;
		*ret_on |= one->on ? 1U << place : 0;
	}
	return switched;
}

size_t gm_managed_made(const struct gm_managed *managed)
{
	return managed->row_count;
}

size_t gm_managed_switches(const struct gm_managed *managed, const struct gm_entities *entities)
{
	size_t count = 0;

	for (size_t i = 0; i < managed->switch_count; i++)
		count += is_known(entities, &managed->switches[i]);
	return count;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sections `alarms` and `maintenance` of policy files: other options of the alarm engine for some
 * alarms, and the calendar; see policies.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "daemon/policies_private.h"

/* `match`, `detector` and `rule`. 1: it is none of these. */
static int read_whom(struct gm_policy_loader *loader, const struct gm_yaml_node *key,
		     const struct gm_yaml_node *value, struct gm_alarm_match *whom)
{
	const char *name = gm_yaml_text(key), *text = gm_yaml_text(value);
	char *place = strcmp(name, "detector") == 0 ? whom->detector
		      : strcmp(name, "rule") == 0   ? whom->rule
						    : NULL;

	if (strcmp(name, "match") == 0)
		return gm_policies_match(loader, value, &whom->match);
	if (!place)
		return 1;
	if (!text || text[0] == '\0' || strlen(text) >= GM_PATTERNS)
		return gm_policies_refuse(loader, value,
					  "a pattern of at most 255 bytes is expected, such as "
					  "burst or cpu-*");
	gm_text_copy(place, GM_PATTERNS, text);
	return 0;
}

/* ---- alarms ---- */

static int refuse_option(const struct gm_policy_loader *loader, const struct gm_yaml_node *key)
{
	char allowed[256];
	int used = snprintf(allowed, sizeof(allowed), "match, detector, rule");

	for (const struct gm_option *line = gm_alarm_option_table; line->key; line++) {
		if (!gm_alarm_option_is_node_wide(line->key) && used < (int)sizeof(allowed))
			used += snprintf(allowed + used, sizeof(allowed) - (size_t)used, ", %s",
					 line->key);
	}
	return gm_policies_unknown_key(loader, key, allowed);
}

static int read_option(const struct gm_policy_loader *loader, const struct gm_yaml_node *key,
		       const struct gm_yaml_node *value, struct gm_alarm_rule *rule)
{
	const char *name = gm_yaml_text(key), *text = gm_yaml_text(value);
	const struct gm_option *line = gm_option_find(gm_alarm_option_table, name);
	struct gm_error why;

	if (!line || gm_alarm_option_is_node_wide(name))
		return refuse_option(loader, key);
	if (!text)
		return gm_policies_refuse(loader, value, "a key has one value here");
	if (gm_option_set(gm_alarm_option_table, &rule->options, name, text, &why) < 0)
		return gm_yaml_refuse(loader->yaml, value, loader->err, "%s", why.text);
	rule->given |= 1U << (line - gm_alarm_option_table);
	return 0;
}

static int read_alarm(struct gm_policy_loader *loader, const struct gm_yaml_node *node)
{
	struct gm_alarm_rule rule = {.given = 0};
	const struct gm_yaml_node *key, *value;

	if (!gm_yaml_is_mapping(node))
		return gm_policies_refuse(
			loader, node, "options of the section alarm are expected, and for whom");
	for (size_t i = 0; gm_yaml_member(loader->yaml, node, i, &key, &value); i++) {
		int result = read_whom(loader, key, value, &rule.whom);

		if (result == 1)
			result = read_option(loader, key, value, &rule);
		if (result < 0)
			return result;
	}
	int result = gm_handling_add_rule(loader->handling, &rule);
	return result < 0 ? gm_policies_failed(loader, node, result) : 0;
}

int gm_policies_read_alarms(struct gm_policy_loader *loader, const struct gm_yaml_node *node)
{
	return gm_policies_list(loader, node, read_alarm);
}

/* ---- maintenance ---- */

struct draft {
	struct gm_maintenance_rule rule;
	bool named, has_from, has_to;
};

static int read_zone(const struct gm_policy_loader *loader, const struct gm_yaml_node *value,
		     bool *ret_utc)
{
	const char *text = gm_yaml_text(value);

	*ret_utc = text && strcmp(text, "utc") == 0;
	return *ret_utc || (text && strcmp(text, "local") == 0)
		       ? 0
		       : gm_policies_refuse(loader, value, "zone: local or utc");
}

static int read_when(const struct gm_policy_loader *loader, const struct gm_yaml_node *key,
		     const struct gm_yaml_node *value, struct draft *draft)
{
	struct gm_calendar *calendar = &draft->rule.calendar;
	const char *name = gm_yaml_text(key), *text = gm_yaml_text(value);
	struct gm_error why;
	int result;

	if (strcmp(name, "zone") == 0)
		return read_zone(loader, value, &calendar->utc);
	if (strcmp(name, "days") == 0) {
		result = gm_calendar_parse_days(text, &calendar->days, &why);
	} else if (strcmp(name, "from") == 0) {
		result = gm_calendar_parse_time(text, &calendar->from, &why);
		draft->has_from = true;
	} else if (strcmp(name, "to") == 0) {
		result = gm_calendar_parse_time(text, &calendar->to, &why);
		draft->has_to = true;
	} else {
		return gm_policies_unknown_key(loader, key,
					       "name, match, detector, rule, days, from, to, zone");
	}
	return result < 0 ? gm_yaml_refuse(loader->yaml, value, loader->err, "%s", why.text) : 0;
}

static int read_period(struct gm_policy_loader *loader, const struct gm_yaml_node *node)
{
	struct draft draft = {.rule.calendar.days = 127};
	const struct gm_yaml_node *key, *value;

	if (!gm_yaml_is_mapping(node))
		return gm_policies_refuse(loader, node,
					  "a maintenance holds keys, the first of them `name`");
	for (size_t i = 0; gm_yaml_member(loader->yaml, node, i, &key, &value); i++) {
		int result;

		if (strcmp(gm_yaml_text(key), "name") == 0) {
			result = gm_policies_word(loader, value, draft.rule.name);
			draft.named = true;
		} else {
			result = read_whom(loader, key, value, &draft.rule.whom);
		}
		if (result == 1)
			result = read_when(loader, key, value, &draft);
		if (result < 0)
			return result;
	}
	if (!draft.named || !draft.has_from || !draft.has_to)
		return gm_policies_refuse(loader, node, "a maintenance needs name, from and to");
	int result = gm_handling_add_maintenance(loader->handling, &draft.rule);
	return result < 0 ? gm_policies_failed(loader, node, result) : 0;
}

int gm_policies_read_maintenance(struct gm_policy_loader *loader, const struct gm_yaml_node *node)
{
	return gm_policies_list(loader, node, read_period);
}

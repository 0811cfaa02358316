/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules and overrides, and how a set of detectors is made from them; see rules.h. No detector's numerics
 * and no file formats here. Called by whoever loads policies and by who keeps entities.
 */
#include "analysis/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/detector_private.h"
#include "base/text.h"
#include "model/alarm.h"

struct option_block *gm_option_block_take(struct option_block *block)
{
	block->references++;
	return block;
}

void gm_option_block_drop(struct option_block *block)
{
	if (block && --block->references == 0)
		free(block);
}

/* ---- matching ---- */

static bool matches(const char *patterns, const char *text)
{
	return text[0] != '\0' && gm_text_match(patterns, text);
}

/* Whether either of two texts matches. An exclusion ("!x") has to hold for both. */
static bool matches_either(const char *patterns, const char *one, const char *other)
{
	if (strchr(patterns, '!'))
		return (one[0] != '\0' || other[0] != '\0') &&
		       (one[0] == '\0' || gm_text_match(patterns, one)) &&
		       (other[0] == '\0' || gm_text_match(patterns, other));
	return matches(patterns, one) || matches(patterns, other);
}

static bool asks_for_guest(const struct gm_match *match)
{
	return match->name[0] != '\0' || match->uuid[0] != '\0' || match->project[0] != '\0' ||
	       match->flavor[0] != '\0';
}

unsigned gm_match_kinds(const struct gm_match *match)
{
	unsigned all = (1U << GM_ENTITY_KINDS) - 1;
	unsigned owned = 1U << GM_ENTITY_GUEST | 1U << GM_ENTITY_INTERFACE | 1U << GM_ENTITY_DISK |
			 1U << GM_ENTITY_PROCESS;

	return (match->entities != 0 ? match->entities : all) &
	       (asks_for_guest(match) ? owned : all);
}

/* A pattern that is not there asks for nothing. */
static bool guest_matches(const struct gm_match *match, const struct gm_guest_info *guest)
{
	if (match->name[0] != '\0' &&
	    !matches_either(match->name, guest->name, guest->display_name))
		return false;
	if (match->project[0] != '\0' &&
	    !matches_either(match->project, guest->project, guest->project_uuid))
		return false;
	return match->flavor[0] == '\0' || matches(match->flavor, guest->flavor);
}

bool gm_match_holds(const struct gm_match *match, const struct gm_subject *subject)
{
	static const struct gm_guest_info unknown;
	char uuid[GM_UUID_TEXT];

	if (match->entities != 0 && !(match->entities >> subject->key->kind & 1))
		return false;
	if (!asks_for_guest(match))
		return true;
	if (!subject->owner)
		return false;
	if (match->uuid[0] != '\0' &&
	    !gm_text_match(match->uuid, gm_uuid_text(subject->owner, uuid)))
		return false;
	return guest_matches(match, subject->guest ? subject->guest : &unknown);
}

/* ---- what is added to settings ---- */

static void free_override(struct override *override)
{
	while (override->assignments) {
		struct assignment *next = override->assignments->next;

		free(override->assignments->key);
		free(override->assignments->text);
		free(override->assignments);
		override->assignments = next;
	}
}

void gm_detector_settings_clear_rules(struct gm_detector_settings *settings)
{
	while (settings->rule_count > 0)
		free(settings->rules[--settings->rule_count].options);
	while (settings->override_count > 0)
		free_override(&settings->overrides[--settings->override_count]);
	settings->managed_count = settings->switch_count = 0;
	free(settings->switches);
	free(settings->rules);
	free(settings->overrides);
	while (settings->blocks) {
		struct option_block *next = settings->blocks->next;

		gm_option_block_drop(settings->blocks);
		settings->blocks = next;
	}
}

int gm_detector_settings_append_rule(struct gm_detector_settings *settings,
				     const struct gm_detector_ops *ops, const char *name,
				     const struct gm_match *match, const void *options, size_t most)
{
	if (!settings->rules)
		settings->rules = calloc(GM_RULES_MAX + GM_MANAGED_RULES, sizeof(*settings->rules));
	if (!settings->rules)
		return -ENOMEM;
	for (size_t i = 0; i < settings->rule_count; i++) {
		if (settings->rules[i].ops == ops && strcmp(settings->rules[i].name, name) == 0)
			return -EEXIST;
	}
	if (settings->rule_count >= most)
		return -ENOSPC;
	struct rule *rule = &settings->rules[settings->rule_count];
	*rule = (struct rule){.ops = ops, .match = *match};
	gm_text_copy(rule->name, sizeof(rule->name), name);
	rule->options = malloc(ops->options_size);
	if (!rule->options)
		return -ENOMEM;
	memcpy(rule->options, options, ops->options_size);
	settings->rule_count++;
	return 0;
}

int gm_detector_settings_add_rule(struct gm_detector_settings *settings,
				  const struct gm_detector_ops *ops, const char *name,
				  const struct gm_match *match, const void *options)
{
	return gm_detector_settings_append_rule(settings, ops, name, match, options, GM_RULES_MAX);
}

int gm_detector_settings_add_override(struct gm_detector_settings *settings,
				      const struct gm_match *match)
{
	if (!settings->overrides)
		settings->overrides = calloc(GM_OVERRIDES_MAX, sizeof(*settings->overrides));
	if (!settings->overrides)
		return -ENOMEM;
	if (settings->override_count == GM_OVERRIDES_MAX)
		return -ENOSPC;
	settings->overrides[settings->override_count++] = (struct override){.match = *match};
	return 0;
}

int gm_detector_settings_override(struct gm_detector_settings *settings,
				  const struct gm_detector_ops *ops, const char *key,
				  const char *text, struct gm_error *err)
{
	struct override *override = &settings->overrides[settings->override_count - 1];
	void *trial = calloc(1, ops->options_size);
	int result = trial ? gm_option_set(ops->options, trial, key, text, err) : -ENOMEM;

	free(trial);
	if (result < 0)
		return result;
	struct assignment *assignment = calloc(1, sizeof(*assignment));
	if (!assignment)
		return -ENOMEM;
	*assignment = (struct assignment){.ops = ops,
					  .key = strdup(key),
					  .text = strdup(text),
					  .next = override->assignments};
	override->assignments = assignment;
	return assignment->key && assignment->text ? 0 : -ENOMEM;
}

bool gm_detector_settings_depend_on_guest(const struct gm_detector_settings *settings)
{
	if (settings->switch_count > 0)
		return true;
	for (size_t i = 0; i < settings->rule_count; i++) {
		if (asks_for_guest(&settings->rules[i].match))
			return true;
	}
	for (size_t i = 0; i < settings->override_count; i++) {
		if (asks_for_guest(&settings->overrides[i].match))
			return true;
	}
	return false;
}

/* ---- the options that hold for one entity ---- */

static void apply_overrides(const struct gm_detector_settings *settings,
			    const struct gm_subject *subject, const struct gm_detector_ops *ops,
			    bool is_rule, void *options)
{
	for (size_t i = 0; i < settings->override_count; i++) {
		const struct override *override = &settings->overrides[i];

		if (!override->assignments || !gm_match_holds(&override->match, subject))
			continue;
		for (const struct assignment *one = override->assignments; one; one = one->next) {
			if (one->ops == ops && (!is_rule || strcmp(one->key, "enabled") == 0))
				gm_option_set(ops->options, options, one->key, one->text, NULL);
		}
	}
	bool on;
	if (subject->owner && gm_detector_settings_switched(settings, subject->owner, ops, &on) &&
	    !(is_rule && on))
		gm_option_set(ops->options, options, "enabled", on ? "true" : "false", NULL);
}

/* The block with just these options, made where there is none yet. */
static struct option_block *find_block(struct gm_detector_settings *settings,
				       const struct gm_detector_ops *ops, const void *options)
{
	struct option_block *block = settings->blocks;

	while (block &&
	       (block->ops != ops || memcmp(block->options, options, ops->options_size) != 0))
		block = block->next;
	if (block)
		return block;
	block = calloc(1, sizeof(*block) + ops->options_size);
	if (!block)
		return NULL;
	*block = (struct option_block){.references = 1, .ops = ops, .next = settings->blocks};
	memcpy(block->options, options, ops->options_size);
	settings->blocks = block;
	return block;
}

static bool is_wanted(const struct gm_detector_ops *ops, const void *options,
		      enum gm_entity_kind kind)
{
	return (ops->entities & (1U << kind)) && gm_detector_is_enabled(ops, options) &&
	       (!ops->concerns || ops->concerns(options, kind));
}

/* Another instance at the end of the set: the old set's where it is just the same. */
static int add_member(struct gm_detector_set *set, const struct gm_detector_set *old,
		      struct option_block *block, const char *rule)
{
	struct member *member = &set->members[set->count];
	const struct gm_detector_ops *ops = block->ops;

	*member = (struct member){.from = SIZE_MAX};
	gm_text_copy(member->rule, sizeof(member->rule), rule);
	for (size_t i = 0; old && i < old->count; i++) {
		const struct member *before = &old->members[i];

		if (before->block->ops == ops && strcmp(before->rule, rule) == 0 &&
		    memcmp(before->block->options, block->options, ops->options_size) == 0)
			member->from = i;
	}
	if (member->from != SIZE_MAX) {
		member->block = gm_option_block_take(old->members[member->from].block);
	} else {
		int result = ops->create(block->options, &set->key, &member->detector);

		if (result < 0)
			return result;
		member->block = gm_option_block_take(block);
	}
	set->count++;
	return 0;
}

static unsigned place_of(const struct gm_detector_ops *ops)
{
	unsigned place = 0;

	while (gm_detectors[place] != ops)
		place++;
	return place;
}

/* One instance of `ops`, where the subject is to be judged by it. */
static int add_instance(struct gm_detector_settings *settings, const struct gm_subject *subject,
			const struct gm_detector_ops *ops, const void *base, const char *rule,
			const struct gm_detector_set *old, struct gm_detector_set *set)
{
	void *options = malloc(ops->options_size);
	int result = 0;

	if (!options)
		return -ENOMEM;
	memcpy(options, base, ops->options_size);
	apply_overrides(settings, subject, ops, rule[0] != '\0', options);
	if (rule[0] == '\0' && gm_detector_is_enabled(ops, options))
		set->enabled |= 1U << place_of(ops);
	if (is_wanted(ops, options, (enum gm_entity_kind)subject->key->kind)) {
		struct option_block *block = find_block(settings, ops, options);

		result = block ? add_member(set, old, block, rule) : -ENOMEM;
	}
	free(options);
	return result;
}

int gm_detector_set_prepare(struct gm_detector_settings *settings, const struct gm_subject *subject,
			    const struct gm_detector_set *old, struct gm_detector_set **ret_set)
{
	size_t most = GM_DETECTORS_MAX + settings->rule_count;
	struct gm_detector_set *set = calloc(1, sizeof(*set) + most * sizeof(struct member));
	int result = set ? 0 : -ENOMEM;

	if (set)
		set->key = *subject->key;
	for (size_t i = 0; gm_detectors[i] && result == 0; i++)
		result = add_instance(settings, subject, gm_detectors[i], settings->options[i], "",
				      old, set);
	for (size_t i = 0; i < settings->rule_count && result == 0; i++) {
		const struct rule *rule = &settings->rules[i];

		if (gm_match_holds(&rule->match, subject))
			result = add_instance(settings, subject, rule->ops, rule->options,
					      rule->name, old, set);
	}
	if (result < 0) {
		gm_detector_set_free(set);
		return result;
	}
	struct gm_detector_set *smaller =
		realloc(set, sizeof(*set) + set->count * sizeof(struct member));
	*ret_set = smaller ? smaller : set;
	return 0;
}

void gm_detector_set_adopt(struct gm_detector_set *set, struct gm_detector_set *old)
{
	for (size_t i = 0; i < set->count; i++) {
		struct member *member = &set->members[i];

		if (member->from == SIZE_MAX)
			continue;
		member->detector = old->members[member->from].detector;
		member->restored = old->members[member->from].restored;
		old->members[member->from].detector = NULL;
		member->from = SIZE_MAX;
	}
	gm_detector_set_free(old);
}

bool gm_detector_set_differs(const struct gm_detector_set *set, const struct gm_detector_set *old)
{
	if (!old || set->count != old->count)
		return true;
	for (size_t i = 0; i < set->count; i++) {
		if (set->members[i].from == SIZE_MAX)
			return true;
	}
	return false;
}

bool gm_detector_set_judges(const struct gm_detector_set *set, const struct gm_alarm *alarm)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct member *member = &set->members[i];
		const struct gm_detector_ops *ops = member->block->ops;

		if (strcmp(ops->name, alarm->detector) == 0 &&
		    strcmp(member->rule, alarm->rule) == 0 &&
		    (!ops->judges || ops->judges(member->detector, alarm->metric)))
			return true;
	}
	return false;
}

bool gm_detector_set_has(const struct gm_detector_set *set, const char *detector, const char *rule)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct member *member = &set->members[i];

		if (strcmp(member->block->ops->name, detector) == 0 &&
		    strcmp(member->rule, rule) == 0)
			return true;
	}
	return false;
}

unsigned gm_detector_set_enabled(const struct gm_detector_set *set)
{
	return set->enabled;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of detectors, their options, and the set of them that judges one entity. No numerics
 * live here. The pipeline and replay create one set per entity and feed it.
 */
#include "analysis/detector.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/anomaly.h"
#include "analysis/burst.h"
#include "analysis/detector_private.h"
#include "analysis/leak.h"
#include "analysis/learned.h"
#include "analysis/policy.h"
#include "analysis/threshold.h"
#include "base/text.h"

const struct gm_detector_ops *const gm_detectors[] = {
	&gm_leak_ops,    &gm_burst_ops, &gm_anomaly_ops, &gm_threshold_ops, &gm_policy_ops,
	&gm_learned_ops, NULL,
};

_Static_assert(sizeof(gm_detectors) / sizeof(gm_detectors[0]) <= GM_DETECTORS_MAX + 1,
	       "GM_DETECTORS_MAX is too small");

const struct gm_detector_ops *gm_detector_find(const char *name)
{
	for (size_t i = 0; gm_detectors[i]; i++) {
		if (strcmp(gm_detectors[i]->name, name) == 0)
			return gm_detectors[i];
	}
	return NULL;
}

int gm_detector_settings_create(struct gm_detector_settings **ret_settings)
{
	struct gm_detector_settings *settings = calloc(1, sizeof(*settings));

	if (!settings)
		return -ENOMEM;
	for (size_t i = 0; gm_detectors[i]; i++) {
		settings->options[i] = calloc(1, gm_detectors[i]->options_size);
		if (!settings->options[i]) {
			gm_detector_settings_free(settings);
			return -ENOMEM;
		}
		gm_option_defaults(gm_detectors[i]->options, settings->options[i]);
	}
	*ret_settings = settings;
	return 0;
}

void gm_detector_settings_free(struct gm_detector_settings *settings)
{
	if (!settings)
		return;
	gm_detector_settings_clear_rules(settings);
	for (size_t i = 0; gm_detectors[i]; i++)
		free(settings->options[i]);
	free(settings);
}

void *gm_detector_settings_get(struct gm_detector_settings *settings,
			       const struct gm_detector_ops *ops)
{
	for (size_t i = 0; gm_detectors[i]; i++) {
		if (gm_detectors[i] == ops)
			return settings->options[i];
	}
	return NULL;
}

bool gm_detector_is_enabled(const struct gm_detector_ops *ops, const void *options)
{
	const struct gm_option *enabled = gm_option_find(ops->options, "enabled");
	bool value = true;

	if (enabled)
		memcpy(&value, (const char *)options + enabled->offset, sizeof(value));
	return value;
}

bool gm_detector_enabled(const struct gm_detector_settings *settings, const char *name)
{
	for (size_t i = 0; gm_detectors[i]; i++)
		if (strcmp(gm_detectors[i]->name, name) == 0)
			return gm_detector_is_enabled(gm_detectors[i], settings->options[i]);
	return false;
}

int gm_detector_set_create(struct gm_detector_settings *settings, const struct gm_entity_key *key,
			   struct gm_detector_set **ret_set)
{
	const struct gm_subject subject = {.key = key};

	return gm_detector_set_prepare(settings, &subject, NULL, ret_set);
}

void gm_detector_set_free(struct gm_detector_set *set)
{
	if (!set)
		return;
	while (set->count > 0) {
		struct member *member = &set->members[--set->count];

		if (member->detector)
			member->detector->ops->destroy(member->detector);
		gm_option_block_drop(member->block);
	}
	free(set);
}

/* Findings on their way from an instance of a rule, which does not know its name. */
struct stamp {
	const char *rule;
	const struct gm_finding_sink *sink;
};

static void stamp_finding(void *user, const struct gm_finding *finding)
{
	const struct stamp *stamp = user;
	struct gm_finding stamped = *finding;

	gm_text_copy(stamped.rule, sizeof(stamped.rule), stamp->rule);
	stamp->sink->emit(stamp->sink->user, &stamped);
}

void gm_detector_set_name_metric(struct gm_detector_set *set, unsigned metric, const char *name)
{
	for (size_t i = 0; i < set->count; i++) {
		struct gm_detector *detector = set->members[i].detector;

		if (detector->ops->name_metric)
			detector->ops->name_metric(detector, metric, name);
	}
}

void gm_detector_set_observe(struct gm_detector_set *set, const struct gm_point *point,
			     const struct gm_finding_sink *sink)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct member *member = &set->members[i];
		struct stamp stamp = {member->rule, sink};
		const struct gm_finding_sink stamping = {stamp_finding, &stamp};

		member->detector->ops->observe(member->detector, point,
					       member->rule[0] ? &stamping : sink);
	}
}

void gm_detector_set_observe_part(struct gm_detector_set *set, const struct gm_entity_key *part,
				  const struct gm_point *point, const struct gm_finding_sink *sink)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct member *member = &set->members[i];
		struct stamp stamp = {member->rule, sink};
		const struct gm_finding_sink stamping = {stamp_finding, &stamp};

		if (member->detector->ops->observe_part)
			member->detector->ops->observe_part(member->detector, part, point,
							    member->rule[0] ? &stamping : sink);
	}
}

void gm_detector_set_evaluate(struct gm_detector_set *set, int64_t now,
			      const struct gm_finding_sink *sink)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct member *member = &set->members[i];
		struct stamp stamp = {member->rule, sink};
		const struct gm_finding_sink stamping = {stamp_finding, &stamp};

		member->detector->ops->evaluate(member->detector, now,
						member->rule[0] ? &stamping : sink);
	}
}

void gm_detector_set_disturb(struct gm_detector_set *set, int64_t now)
{
	for (size_t i = 0; i < set->count; i++) {
		struct gm_detector *detector = set->members[i].detector;

		if (detector->ops->disturb)
			detector->ops->disturb(detector, now);
	}
}

double gm_detector_set_score(const struct gm_detector_set *set)
{
	double largest = 0;

	for (size_t i = 0; i < set->count; i++) {
		const struct gm_detector *detector = set->members[i].detector;
		double score = detector->ops->score ? detector->ops->score(detector) : 0;

		if (score > largest)
			largest = score;
	}
	return largest;
}

struct gm_detector *gm_detector_set_find(struct gm_detector_set *set,
					 const struct gm_detector_ops *ops)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->members[i].detector->ops == ops)
			return set->members[i].detector;
	}
	return NULL;
}

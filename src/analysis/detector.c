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

#include "analysis/burst.h"
#include "analysis/detector_private.h"
#include "analysis/leak.h"
#include "analysis/learned.h"
#include "analysis/threshold.h"

const struct gm_detector_ops *const gm_detectors[] = {
	&gm_leak_ops, &gm_burst_ops, &gm_threshold_ops, &gm_learned_ops, NULL,
};

/* One block of options per detector, in the order of the registry. */
struct gm_detector_settings {
	void *options[GM_DETECTORS_MAX + 1];
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

static bool is_enabled(const struct gm_detector_ops *ops, const void *options)
{
	const struct gm_option *enabled = gm_option_find(ops->options, "enabled");
	bool value = true;

	if (enabled)
		memcpy(&value, (const char *)options + enabled->offset, sizeof(value));
	return value;
}

static bool is_wanted(const struct gm_detector_ops *ops, const void *options,
		      enum gm_entity_kind kind)
{
	return (ops->entities & (1U << kind)) && is_enabled(ops, options) &&
	       (!ops->concerns || ops->concerns(options, kind));
}

bool gm_detector_enabled(const struct gm_detector_settings *settings, const char *name)
{
	for (size_t i = 0; gm_detectors[i]; i++)
		if (strcmp(gm_detectors[i]->name, name) == 0)
			return is_enabled(gm_detectors[i], settings->options[i]);
	return false;
}

int gm_detector_set_create(struct gm_detector_settings *settings, const struct gm_entity_key *key,
			   struct gm_detector_set **ret_set)
{
	struct gm_detector_set *set = calloc(1, sizeof(*set));

	if (!set)
		return -ENOMEM;
	set->key = *key;
	for (size_t i = 0; gm_detectors[i]; i++) {
		const struct gm_detector_ops *ops = gm_detectors[i];

		if (!is_wanted(ops, settings->options[i], (enum gm_entity_kind)key->kind))
			continue;
		struct member *member = &set->members[set->count];
		member->options = settings->options[i];
		int rc = ops->create(member->options, key, &member->detector);
		if (rc < 0) {
			gm_detector_set_free(set);
			return rc;
		}
		set->count++;
	}
	*ret_set = set;
	return 0;
}

void gm_detector_set_free(struct gm_detector_set *set)
{
	if (!set)
		return;
	while (set->count > 0) {
		struct gm_detector *detector = set->members[--set->count].detector;

		detector->ops->destroy(detector);
	}
	free(set);
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
		struct gm_detector *detector = set->members[i].detector;

		detector->ops->observe(detector, point, sink);
	}
}

void gm_detector_set_observe_part(struct gm_detector_set *set, const struct gm_entity_key *part,
				  const struct gm_point *point, const struct gm_finding_sink *sink)
{
	for (size_t i = 0; i < set->count; i++) {
		struct gm_detector *detector = set->members[i].detector;

		if (detector->ops->observe_part)
			detector->ops->observe_part(detector, part, point, sink);
	}
}

void gm_detector_set_evaluate(struct gm_detector_set *set, int64_t now,
			      const struct gm_finding_sink *sink)
{
	for (size_t i = 0; i < set->count; i++) {
		struct gm_detector *detector = set->members[i].detector;

		detector->ops->evaluate(detector, now, sink);
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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether anything is left that a rule can judge: the metrics that it reads are carried by some kinds of
 * entities alone, and its match leaves some kinds alone; see policies_private.h. What the entities that
 * there are in the end carry is not asked.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/policy.h"
#include "analysis/policy_program.h"
#include "analysis/threshold.h"
#include "daemon/policies_private.h"
#include "model/metric.h"

enum {
	PARTS = 1 << GM_ENTITY_INTERFACE | 1 << GM_ENTITY_DISK | 1 << GM_ENTITY_PROCESS,
};

static int refuse(const struct gm_policy_loader *loader, const struct gm_yaml_node *place,
		  unsigned metric, const char *who)
{
	return gm_yaml_refuse(loader->yaml, place, loader->err,
			      "no entity that the match leaves has %s%s",
			      gm_metric_get(metric)->name, who);
}

static int check_threshold(const struct gm_policy_loader *loader,
			   const struct gm_threshold_options *options, unsigned kinds,
			   const struct gm_yaml_node *place)
{
	unsigned metric = gm_metric_find(options->metric);

	return gm_metric_get(metric)->entities & kinds ? 0 : refuse(loader, place, metric, "");
}

/* A guest or the node as a whole has what its parts have; `kinds`: the wholes that there are. */
static bool can_hold(const struct gm_policy_program *program, unsigned kinds)
{
	for (unsigned kind = 0; kind < GM_ENTITY_KINDS; kind++) {
		if ((kinds >> kind & 1) && gm_policy_can_hold(program, 1U << kind | PARTS))
			return true;
	}
	return false;
}

/* What to name of several: the first that is nowhere, else the first of all. */
static unsigned missing_metric(const struct gm_policy_program *program, unsigned kinds)
{
	unsigned carried = kinds != 0 ? kinds | PARTS : 0;

	for (size_t i = 0; i < program->series_count; i++) {
		if (!(gm_metric_get(program->series[i].metric)->entities & carried))
			return program->series[i].metric;
	}
	return program->series[0].metric;
}

static int check_policy(const struct gm_policy_loader *loader,
			const struct gm_policy_options *options, unsigned kinds,
			const struct gm_yaml_node *place)
{
	struct gm_policy_program *program = NULL;
	struct gm_policy_place at;
	int result = gm_policy_compile(options->condition, &program, &at, NULL);

	if (result < 0)
		return gm_policies_failed(loader, place, result);
	if (!can_hold(program, kinds)) {
		unsigned metric = missing_metric(program, kinds);
		unsigned carried = kinds != 0 ? kinds | PARTS : 0;
		bool together = gm_metric_get(metric)->entities & carried;

		result = refuse(loader, place, metric,
				together ? " and the condition's other metrics at once"
					 : "; a policy is about guests and the node, with their "
					   "interfaces, disks and processes");
	}
	free(program);
	return result;
}

int gm_policies_scope(const struct gm_policy_loader *loader, const struct gm_detector_ops *ops,
		      const void *options, const struct gm_match *match,
		      const struct gm_yaml_node *place)
{
	unsigned kinds = gm_match_kinds(match) & ops->entities;

	return ops == &gm_policy_ops ? check_policy(loader, options, kinds, place)
				     : check_threshold(loader, options, kinds, place);
}

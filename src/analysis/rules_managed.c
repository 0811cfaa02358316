/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What managers have added to the settings while the daemon runs; see rules.h. It can be taken back and given
 * anew as often as they like, so nothing of what they took back stays.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/detector_private.h"

/* Options that no set works with any more. */
static void prune_blocks(struct gm_detector_settings *settings)
{
	struct option_block **link = &settings->blocks;

	while (*link) {
		struct option_block *block = *link;

		if (block->references > 1) {
			link = &block->next;
			continue;
		}
		*link = block->next;
		gm_option_block_drop(block);
	}
}

void gm_detector_settings_manage_none(struct gm_detector_settings *settings)
{
	for (; settings->managed_count > 0; settings->managed_count--)
		free(settings->rules[--settings->rule_count].options);
	free(settings->switches);
	settings->switches = NULL;
	settings->switch_count = 0;
	prune_blocks(settings);
}

int gm_detector_settings_manage_rule(struct gm_detector_settings *settings,
				     const struct gm_detector_ops *ops, const char *name,
				     const struct gm_match *match, const void *options)
{
	size_t files = settings->rule_count - settings->managed_count;
	int result = gm_detector_settings_append_rule(settings, ops, name, match, options,
						      files + GM_MANAGED_RULES);

	settings->managed_count += result == 0;
	return result;
}

static int compare(const void *a, const void *b)
{
	return memcmp(((const struct gm_detector_switch *)a)->guest,
		      ((const struct gm_detector_switch *)b)->guest, GM_UUID_SIZE);
}

int gm_detector_settings_manage_switches(struct gm_detector_settings *settings,
					 const struct gm_detector_switch *switches, size_t count)
{
	struct gm_detector_switch *copy = calloc(count + 1, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	memcpy(copy, switches, count * sizeof(*copy));
	qsort(copy, count, sizeof(*copy), compare);
	free(settings->switches);
	settings->switches = copy;
	settings->switch_count = count;
	return 0;
}

bool gm_detector_settings_switched(const struct gm_detector_settings *settings,
				   const uint8_t guest[GM_UUID_SIZE],
				   const struct gm_detector_ops *ops, bool *ret_on)
{
	size_t low = 0, high = settings->switch_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(settings->switches[middle].guest, guest, GM_UUID_SIZE) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < settings->switch_count &&
	       memcmp(settings->switches[low].guest, guest, GM_UUID_SIZE) == 0;
	     low++) {
		if (settings->switches[low].ops != ops)
			continue;
		*ret_on = settings->switches[low].on;
		return true;
	}
	return false;
}

size_t gm_detector_settings_next_rule(const struct gm_detector_settings *settings,
				      const struct gm_detector_ops *ops, size_t at,
				      struct gm_rule_view *ret_rule)
{
	for (; at < settings->rule_count - settings->managed_count; at++) {
		const struct rule *rule = &settings->rules[at];

		if (rule->ops != ops)
			continue;
		*ret_rule = (struct gm_rule_view){rule->name, &rule->match, rule->options};
		return at + 1;
	}
	return SIZE_MAX;
}

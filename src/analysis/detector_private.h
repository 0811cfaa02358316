/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The set of detectors that judges one entity, for the files that work on it: detector.c feeds it,
 * detector_rules.c makes it, detector_state.c keeps what it learned.
 */
#ifndef GM_ANALYSIS_DETECTOR_PRIVATE_H
#define GM_ANALYSIS_DETECTOR_PRIVATE_H

#include <stddef.h>

#include "analysis/detector.h"
#include "analysis/rules.h"

enum { GM_DETECTORS_MAX = 8 }; /* upper bound of the registry */

/* Options that detectors work with: shared by all that have the same, freed with the last. */
struct option_block {
	size_t references;
	const struct gm_detector_ops *ops;
	struct option_block *next; /* in the settings that made it */
	max_align_t options[];
};

struct option_block *gm_option_block_take(struct option_block *block);
void gm_option_block_drop(struct option_block *block);

struct member {
	struct gm_detector *detector; /* NULL: `from` is to be moved here */
	struct option_block *block;   /* what it was made with */
	char rule[GM_RULE_NAME];
	bool restored; /* was given back what it had learned */
	size_t from;   /* place in the old set, while it is being prepared */
};

struct gm_detector_set {
	struct gm_entity_key key;
	size_t count;
	struct member members[];
};

struct assignment {
	const struct gm_detector_ops *ops;
	char *key, *text;
	struct assignment *next;
};

struct override {
	struct gm_match match;
	struct assignment *assignments; /* the newest first */
};

struct rule {
	const struct gm_detector_ops *ops;
	char name[GM_RULE_NAME];
	struct gm_match match;
	void *options;
};

struct gm_detector_settings {
	void *options[GM_DETECTORS_MAX + 1]; /* one per detector, in the order of the registry */
	size_t rule_count, override_count;
	struct rule *rules;         /* GM_RULES_MAX of them once there is one */
	struct override *overrides; /* GM_OVERRIDES_MAX likewise */
	struct option_block *blocks;
};

/* detector_rules.c: frees what was added to the settings. */
void gm_detector_settings_clear_rules(struct gm_detector_settings *settings);

bool gm_detector_is_enabled(const struct gm_detector_ops *ops, const void *options);

#endif

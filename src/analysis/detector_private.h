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
	unsigned enabled; /* gm_detector_set_enabled() */
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
	size_t managed_count; /* of the rules, the last ones: see rules.h */
	size_t switch_count;
	struct gm_detector_switch *switches; /* by guest */
	struct rule *rules; /* GM_RULES_MAX and GM_MANAGED_RULES of them once there is one */
	struct override *overrides; /* GM_OVERRIDES_MAX likewise */
	struct option_block *blocks;
};

/* detector_rules.c: frees what was added to the settings. */
void gm_detector_settings_clear_rules(struct gm_detector_settings *settings);

/* rules_managed.c: whether somebody has switched it for that guest, and how. */
bool gm_detector_settings_switched(const struct gm_detector_settings *settings,
				   const uint8_t guest[GM_UUID_SIZE],
				   const struct gm_detector_ops *ops, bool *ret_on);
/* detector_rules.c: a rule after the others, of at most `most`. */
int gm_detector_settings_append_rule(struct gm_detector_settings *settings,
				     const struct gm_detector_ops *ops, const char *name,
				     const struct gm_match *match, const void *options,
				     size_t most);

bool gm_detector_is_enabled(const struct gm_detector_ops *ops, const void *options);

#endif

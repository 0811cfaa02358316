/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For whom which settings hold: an operator's rules (further instances of a detector, each with a name)
 * and overrides (other options for some), both for the entities that a match names. Whoever loads policy
 * files fills these into a struct gm_detector_settings; sets of detectors are made from them.
 *
 * Overrides apply in the order in which they were added, so that a later one wins. They change the options of
 * a detector's own instance; of an operator's rules only whether they are judged (`enabled`).
 */
#ifndef GM_ANALYSIS_RULES_H
#define GM_ANALYSIS_RULES_H

#include "analysis/detector.h"

enum { GM_RULES_MAX = 256, GM_MANAGED_RULES = 64, GM_OVERRIDES_MAX = 256, GM_PATTERNS = 256 };

/* Lists of patterns as gm_text_match() takes them; an empty one asks for nothing. */
struct gm_match {
	unsigned entities;         /* bits 1 << enum gm_entity_kind; 0: any */
	char name[GM_PATTERNS];    /* of the guest: libvirt's or Nova's */
	char uuid[GM_PATTERNS];    /* of the guest */
	char project[GM_PATTERNS]; /* its name or UUID */
	char flavor[GM_PATTERNS];
};

/* The kinds of entities among which it can find any: bits. What asks for a guest leaves out what is nobody's. */
unsigned gm_match_kinds(const struct gm_match *match);

/* What is known of an entity that is judged. */
struct gm_subject {
	const struct gm_entity_key *key;
	const uint8_t *owner; /* UUID of the guest that it is or belongs to; NULL: none */
	const struct gm_guest_info *guest; /* NULL: not known (yet) */
};

/* False where a pattern asks for what is not known. */
bool gm_match_holds(const struct gm_match *match, const struct gm_subject *subject);

/*
 * Adds an instance of `ops` with a copy of `options`. -EEXIST: there is one of that name; -ENOSPC: there are
 * GM_RULES_MAX; -ENOMEM.
 */
int gm_detector_settings_add_rule(struct gm_detector_settings *settings,
				  const struct gm_detector_ops *ops, const char *name,
				  const struct gm_match *match, const void *options);

/* Begins an override; its options follow. -ENOSPC: there are GM_OVERRIDES_MAX; -ENOMEM. */
int gm_detector_settings_add_override(struct gm_detector_settings *settings,
				      const struct gm_match *match);
/* Another option for whom the newest override matches. As gm_option_set(), or -ENOMEM. */
int gm_detector_settings_override(struct gm_detector_settings *settings,
				  const struct gm_detector_ops *ops, const char *key,
				  const char *text, struct gm_error *err);

/*
 * What managers have asked for while the daemon runs, after all that files say: rules that come beside the
 * GM_RULES_MAX (as many as GM_MANAGED_RULES), and detectors that are on or off for a guest and all that belongs
 * to it. Taking it back lets go of it; sets keep what they have until they are prepared anew. A switch
 * decides over a detector's own instance; off, also over its rules.
 */
struct gm_detector_switch {
	uint8_t guest[GM_UUID_SIZE];
	const struct gm_detector_ops *ops;
	bool on;
};
void gm_detector_settings_manage_none(struct gm_detector_settings *settings);
/* As gm_detector_settings_add_rule(). */
int gm_detector_settings_manage_rule(struct gm_detector_settings *settings,
				     const struct gm_detector_ops *ops, const char *name,
				     const struct gm_match *match, const void *options);
/* Copies them. -ENOMEM. */
int gm_detector_settings_manage_switches(struct gm_detector_settings *settings,
					 const struct gm_detector_switch *switches, size_t count);

/* The rules of a detector that files have, from the `at`-th on: the next one's place, or SIZE_MAX. */
struct gm_rule_view {
	const char *name;
	const struct gm_match *match;
	const void *options;
};
size_t gm_detector_settings_next_rule(const struct gm_detector_settings *settings,
				      const struct gm_detector_ops *ops, size_t at,
				      struct gm_rule_view *ret_rule);

/* Whether what is known of a guest makes a difference at all. */
bool gm_detector_settings_depend_on_guest(const struct gm_detector_settings *settings);

/*
 * The detectors that `settings` has for `subject`, in two steps so that many sets can change together.
 * prepare() makes a set in which the detectors of `old` (NULL: none) whose options stay the same have only
 * their places; adopt() moves them over and frees the rest of `old`. Without adopt(), freeing the new set
 * leaves `old` as it was. `settings` need not outlive the set. -ENOMEM: nothing is made.
 */
int gm_detector_set_prepare(struct gm_detector_settings *settings, const struct gm_subject *subject,
			    const struct gm_detector_set *old, struct gm_detector_set **ret_set);
void gm_detector_set_adopt(struct gm_detector_set *set, struct gm_detector_set *old);

/* Whether adopt() would change anything. */
bool gm_detector_set_differs(const struct gm_detector_set *set, const struct gm_detector_set *old);

/* The detectors that were not switched off for the set's entity: bits 1 << place in gm_detectors. */
unsigned gm_detector_set_enabled(const struct gm_detector_set *set);

/* Whether the set has an instance of that detector and rule (empty: the detector's own). */
bool gm_detector_set_has(const struct gm_detector_set *set, const char *detector, const char *rule);
/* Whether one of the set's can have raised the alarm: its rule still judges that metric. */
struct gm_alarm;
bool gm_detector_set_judges(const struct gm_detector_set *set, const struct gm_alarm *alarm);

#endif

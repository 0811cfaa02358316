/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface of a detector. A detector judges one entity. It is pure: no I/O, no clock, no global
 * state; the same points give the same findings. Its cost per point and its memory are bounded.
 */
#ifndef GM_ANALYSIS_DETECTOR_H
#define GM_ANALYSIS_DETECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/archive.h"
#include "base/error.h"
#include "base/option.h"
#include "model/entity.h"
#include "model/finding.h"
#include "model/sample.h"

struct gm_detector;

struct gm_detector_ops {
	const char *name;                /* "leak": also the configuration's section */
	const char *help;                /* that section's sentence */
	unsigned entities;               /* bits 1 << enum gm_entity_kind that it judges */
	const struct gm_option *options; /* of a struct of options_size bytes; has `enabled` */
	size_t options_size;

	/* `options`, which check() accepts, stay valid and unchanged for the detector's life. 0 or -ENOMEM. */
	int (*create)(const void *options, const struct gm_entity_key *key,
		      struct gm_detector **ret_detector);
	void (*destroy)(struct gm_detector *detector);

	/*
	 * The name of a metric that the catalogue does not have (ids from GM_METRIC_EXTRA on: a recording's
	 * own columns), told before its first point. May be NULL.
	 */
	void (*name_metric)(struct gm_detector *detector, unsigned metric, const char *name);

	/* A new point; metrics that it does not know are ignored. May emit. */
	void (*observe)(struct gm_detector *detector, const struct gm_point *point,
			const struct gm_finding_sink *sink);

	/*
	 * The present judgement at `now`, about once a second and at the end of a recording: emits one
	 * finding per metric that it can judge, active or ok, with evidence; nothing while it does not
	 * know.
	 */
	void (*evaluate)(struct gm_detector *detector, int64_t now,
			 const struct gm_finding_sink *sink);

	/* 0 to 1 for the newest point, for replay's --scores; NULL when the detector has none. */
	double (*score)(const struct gm_detector *detector);

	/*
	 * A point of one of the guest's interfaces, disks or processes (for the node: of one of the host's
	 * own), for detectors that judge the guest as a whole. May be NULL.
	 */
	void (*observe_part)(struct gm_detector *detector, const struct gm_entity_key *part,
			     const struct gm_point *point, const struct gm_finding_sink *sink);

	/*
	 * What was learned, to or from `archive` (base/archive.h); begins with a tag that names the
	 * layout's version. Reading is done into a fresh detector made with the same options; it is
	 * thrown away when the archive fails. NULL: learns nothing that is worth keeping.
	 */
	void (*exchange)(struct gm_detector *detector, struct gm_archive *archive);

	/*
	 * Whether an instance with these options has anything to judge on an entity of that kind (one of
	 * `entities`). NULL: it has.
	 */
	bool (*concerns)(const void *options, enum gm_entity_kind kind);

	/*
	 * What the table alone cannot say of the options: 0, or -EINVAL with "key: what is wrong". NULL: any
	 * that the table accepts are good.
	 */
	int (*check)(const void *options, struct gm_error *err);

	/* Whether it can be who raised an alarm in that metric: rules are changed. NULL: in any. */
	bool (*judges)(const struct gm_detector *detector, const char *metric);

	/* Judges only what an operator's rules say: the configuration has no section of its name. */
	bool rules_only;

	/* Something planned broke the series (reboot, migration, balloon change): learn anew. May be NULL. */
	void (*disturb)(struct gm_detector *detector, int64_t now);
};

struct gm_detector {
	const struct gm_detector_ops *ops;
};

/* Every detector, NULL at the end. */
extern const struct gm_detector_ops *const gm_detectors[];
const struct gm_detector_ops *gm_detector_find(const char *name);

/* The options of all detectors, in the order of gm_detectors. */
struct gm_detector_settings;
int gm_detector_settings_create(struct gm_detector_settings **ret_settings); /* defaults */
void gm_detector_settings_free(struct gm_detector_settings *settings);
/* False for a detector that is switched off or that there is none of. */
bool gm_detector_enabled(const struct gm_detector_settings *settings, const char *name);
void *gm_detector_settings_get(struct gm_detector_settings *settings,
			       const struct gm_detector_ops *ops);

/*
 * All detectors of one entity that are enabled for its kind, with what rules and overrides (rules.h) say of
 * it as long as nothing is known of its guest.
 */
struct gm_detector_set;
int gm_detector_set_create(struct gm_detector_settings *settings, const struct gm_entity_key *key,
			   struct gm_detector_set **ret_set);
void gm_detector_set_free(struct gm_detector_set *set);
void gm_detector_set_name_metric(struct gm_detector_set *set, unsigned metric, const char *name);
void gm_detector_set_observe(struct gm_detector_set *set, const struct gm_point *point,
			     const struct gm_finding_sink *sink);
void gm_detector_set_observe_part(struct gm_detector_set *set, const struct gm_entity_key *part,
				  const struct gm_point *point, const struct gm_finding_sink *sink);
void gm_detector_set_evaluate(struct gm_detector_set *set, int64_t now,
			      const struct gm_finding_sink *sink);
void gm_detector_set_disturb(struct gm_detector_set *set, int64_t now);
/* The first detector of that kind in the set, for its own getters; NULL: there is none. */
struct gm_detector *gm_detector_set_find(struct gm_detector_set *set,
					 const struct gm_detector_ops *ops);

enum { GM_DETECTOR_STATE_MAX = 1 << 20 }; /* bytes of one set's saved state */

/*
 * Appends what all detectors of the set have learned. The bytes name their version; -EFBIG, -ENOMEM: the
 * buffer is full or there is no memory.
 */
int gm_detector_set_save(struct gm_detector_set *set, struct gm_buffer *bytes);
/*
 * Gives back what gm_detector_set_save() wrote: each detector that the bytes name and that the set has,
 * but those that were given theirs before: after a change of the set it can be called again.
 * A detector whose part does not fit (another version, other options, damage) stays as it was. Returns how
 * many they are while others were given theirs, with the name of the first in `err`; -EINVAL: it fits none.
 */
int gm_detector_set_restore(struct gm_detector_set *set, const void *bytes, size_t size,
			    struct gm_error *err);

double gm_detector_set_score(const struct gm_detector_set *set); /* the largest */

#endif

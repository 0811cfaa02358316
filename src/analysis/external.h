/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings of analysers outside the daemon: their entries are validated and become findings like those
 * of any detector, under the analyser's name. Pure: no transport, no clock; the time is an argument.
 *
 * The fields of an entry:
 *
 *   entity     "guest:<uuid>", "if:<device>", …: one that the daemon knows
 *   detector   the analyser's name: a to z, 0 to 9, '.', '_', '-'; at most 15, not one of ours
 *   metric     a metric of the catalogue that such an entity has
 *   state      "active" or "ok"
 *   severity   "critical", "major", "minor", "warning" (the default) or "indeterminate"
 *   time       when it was so: seconds since the epoch or ISO 8601; default: the entry's own, but not
 *              after now: ids only grow, and whoever once made one ahead has put them all there
 *   ttl        seconds that it holds when nothing more is said; default: the option `ttl`
 *   direction  "rx" or "tx"
 *   contributors  names of metrics, separated by commas
 *   and any name of evidence.def with a number
 *
 * A finding is a level: "active" is repeated while it holds. An analyser that falls silent for `ttl` has
 * said "ok". Of one (entity, detector, metric) times do not run backwards.
 */
#ifndef GM_ANALYSIS_EXTERNAL_H
#define GM_ANALYSIS_EXTERNAL_H

#include "base/error.h"
#include "base/option.h"
#include "model/alarm.h"
#include "model/entry.h"
#include "model/finding.h"

enum {
	GM_EXTERNAL_ANALYSERS = 16,  /* at a time */
	GM_EXTERNAL_FINDINGS = 4096, /* (entity, detector, metric) at a time */
};

struct gm_external_options {
	bool enabled;
	char analysers[256]; /* patterns of names (gm_text_match()) */
	int64_t ttl;         /* ns */
	int64_t max_age;     /* ns that a finding's time may lie back */
	int64_t rate;        /* entries a second of one analyser, over ten seconds */
};
extern const struct gm_option gm_external_option_table[];

struct gm_external_host {
	bool (*knows)(void *user, const struct gm_entity_key *key);
	void (*emit)(void *user, const struct gm_finding *finding);
	void *user;
};

struct gm_external_status {
	uint64_t accepted, rejected; /* entries; limited ones are among the rejected */
	uint64_t limited;            /* by the rate */
	uint64_t silenced;           /* findings that ended because nothing more was said */
	size_t active;
};

/* An entry's fields by themselves, before anything is known of entities and analysers. */
struct gm_external_claim {
	struct gm_finding finding;
	int64_t ttl; /* ns; 0: not given */
	bool dated;  /* its time was given; else it is that of its id */
};

/* -EINVAL with a sentence, always UTF-8 in one line. */
int gm_external_parse(const struct gm_entry *entry, struct gm_external_claim *ret_claim,
		      struct gm_error *err);

struct gm_external;

/* `options` is copied. 0 or -ENOMEM. */
int gm_external_create(const struct gm_external_options *options,
		       const struct gm_external_host *host, struct gm_external **ret_external);
void gm_external_free(struct gm_external *external);

/*
 * Takes an entry in: emits its finding and returns 0, or -EINVAL (not well-formed), -EPERM (this name may
 * not), -ENOENT (no such entity), -ERANGE (its time), -EDQUOT (too many) or -ENOMEM, with a sentence.
 */
int gm_external_take(struct gm_external *external, const struct gm_entry *entry, int64_t now,
		     struct gm_error *err);

/* An alarm that was active before a restart; ignored unless it is of an analyser. */
void gm_external_adopt(struct gm_external *external, const struct gm_alarm *alarm, int64_t now);

/* Whether an analyser stands for this alarm, or may still. */
bool gm_external_owns(const struct gm_external *external, const struct gm_alarm *alarm);

/* Ends what is not repeated. About once a second. */
void gm_external_expire(struct gm_external *external, int64_t now);

void gm_external_status(const struct gm_external *external, struct gm_external_status *ret_status);

/* The id of the entry that an alarm came from; false: it is of no analyser. */
bool gm_external_origin(const struct gm_alarm *alarm, uint64_t *ret_ms, uint64_t *ret_sequence);

#endif

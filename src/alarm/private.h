/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the engine share: an entry per identity, and the lists that it is in. engine.c steps
 * through the states, entry.c keeps the entries, gate.c decides whether a raise may be told, correlate.c
 * whose alarm it is a part of, note.c takes in what people say. Nobody else includes this.
 */
#ifndef GM_ALARM_PRIVATE_H
#define GM_ALARM_PRIVATE_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

#include "alarm/engine.h"

/* Text without padding, so that it can be hashed as bytes. */
struct gm_alarm_identity {
	struct gm_entity_key key;
	char detector[GM_DETECTOR_NAME];
	char metric[GM_METRIC_NAME];
	char rule[GM_RULE_NAME];
};

enum gm_alarm_state {
	GM_ALARM_NONE,    /* kept, if at all, for what it remembers: its raises, its last clear */
	GM_ALARM_WAITING, /* the condition holds, a gate is shut */
	GM_ALARM_CROWDED, /* the same, and it is the raise limit's alone */
	GM_ALARM_ACTIVE,
	GM_ALARM_HOLDING, /* the condition is over, the hold time is not */
	GM_ALARM_LATCHED, /* both are, nobody has acknowledged */
	GM_ALARM_STATES
};

enum gm_alarm_event {
	GM_ALARM_ON,       /* a finding says that the condition holds */
	GM_ALARM_OPEN,     /* every gate of a raise is open */
	GM_ALARM_FULL,     /* all but the raise limit */
	GM_ALARM_SHUT,     /* another gate is shut again */
	GM_ALARM_OK,       /* a finding says that all is well */
	GM_ALARM_DUE,      /* the hold time is over */
	GM_ALARM_STICK,    /* the same, and it latches */
	GM_ALARM_GONE,     /* the entity is gone for good */
	GM_ALARM_TAKEN,    /* somebody has acknowledged it */
	GM_ALARM_UNJUDGED, /* what raised it was switched off or taken away */
	GM_ALARM_EVENTS
};

/* The entries of one entity, so that it can go without a look at all others. */
struct gm_alarm_owner {
	struct gm_entity_key key;
	struct gm_alarm_entry *entries; /* one at least */
	UT_hash_handle hh;
};

struct gm_alarm_entry {
	struct gm_alarm_identity identity;
	struct gm_alarm_owner *owner;
	enum gm_alarm_state state;
	struct gm_alarm_options options; /* settled for this one */
	int64_t begun_at, open_at;       /* WAITING, CROWDED: since when; not to be raised before */
	int64_t held_since;              /* HOLDING */
	int64_t cleared_at;              /* the last time; 0: never */
	bool crowded;                    /* was held back by the limit, and counted */
	bool unconfirmed;                /* was suspended: the detector has to say it again */
	int64_t raises[GM_ALARM_FLAP_RAISES]; /* ring of the newest */
	size_t raise_count;
	struct gm_alarm alarm;    /* from the finding on, with an id once it is raised */
	enum gm_severity told;    /* in its newest transition; 0: not raised */
	char message[GM_MESSAGE]; /* the newest finding's */
	UT_hash_handle hh;
	struct gm_alarm_entry *prev, *next;           /* in the list of its state */
	struct gm_alarm_entry *node_prev, *node_next; /* in `node`, too */
	struct gm_alarm_entry *owner_prev, *owner_next;
};

/* Raises of the last 60 seconds, by second: the limit holds for any minute, not for calendar ones. */
enum { GM_ALARM_MINUTE = 60 };
struct gm_alarm_limiter {
	int64_t second;
	int64_t raised[GM_ALARM_MINUTE];
	int64_t total;
};

/* The newest alarms that others may belong to: of one detector and kind of metric. */
enum { GM_ALARM_CLUSTERS = 32 };
struct gm_alarm_cluster {
	char detector[GM_DETECTOR_NAME];
	char family[GM_METRIC_NAME];
	struct gm_entity_key key; /* of the first */
	uint32_t first;           /* its id */
	int64_t began;
};

/* What waits for the limit on raises, as its summary tells. */
struct gm_alarm_storm {
	int64_t looked_at;              /* when it was last judged */
	int64_t told_at;                /* when its figures were last told; 0: not yet */
	struct gm_alarms_counts before; /* when there was none yet */
};

struct gm_alarms {
	struct gm_alarm_options options;
	struct gm_alarm_sink sink;
	struct gm_alarm_judge judge;
	struct gm_alarm_entry *entries; /* all, by identity */
	struct gm_alarm_owner *owners;  /* whose they are, by key */
	struct gm_alarm_entry *idle;    /* NONE, oldest first */
	struct gm_alarm_entry *waiting; /* WAITING, oldest first */
	struct gm_alarm_entry *crowded; /* CROWDED, oldest first */
	struct gm_alarm_entry *raised;  /* ACTIVE, HOLDING and LATCHED, by id */
	struct gm_alarm_entry *node;    /* of these: the node's own */
	size_t in_state[GM_ALARM_STATES];
	struct gm_alarm_limiter limiter;
	struct gm_alarm_cluster clusters[GM_ALARM_CLUSTERS];
	size_t next_cluster;
	int64_t swept_at; /* when idle entries were last looked through */
	struct gm_alarms_counts counts;
	struct gm_alarm_storm storm;
};

/* ---- entry.c ---- */

struct gm_alarm_identity gm_alarm_identity(const struct gm_entity_key *key, const char *detector,
					   const char *metric, const char *rule);
struct gm_alarm_entry *gm_alarm_find_entry(const struct gm_alarms *alarms,
					   const struct gm_alarm_identity *identity);
/* -ENOSPC, -ENOMEM. */
int gm_alarm_add_entry(struct gm_alarms *alarms, const struct gm_alarm_identity *identity,
		       struct gm_alarm_entry **ret_entry);
void gm_alarm_remove_entry(struct gm_alarms *alarms, struct gm_alarm_entry *entry);
/* The first of that entity, NULL: it has none; the others follow by `owner_next`. */
struct gm_alarm_entry *gm_alarm_first_of(const struct gm_alarms *alarms,
					 const struct gm_entity_key *key);
/* Puts the entry where its new state belongs. An alarm that is raised now has the highest id. */
void gm_alarm_move(struct gm_alarms *alarms, struct gm_alarm_entry *entry, enum gm_alarm_state to);
bool gm_alarm_is_raised(enum gm_alarm_state state);
/* Asks for whom which options hold. */
void gm_alarm_settle(struct gm_alarms *alarms, struct gm_alarm_entry *entry);
/* Whether there is anything to remember of an entry without alarm. */
bool gm_alarm_worth_keeping(const struct gm_alarm_entry *entry, int64_t now);

/* ---- engine.c ---- */

/* Takes one step of the table; an entry that is back at NONE may be freed. */
void gm_alarm_step(struct gm_alarms *alarms, struct gm_alarm_entry *entry,
		   enum gm_alarm_event event, const struct gm_finding *finding, int64_t now);
/* Tells the alarm as it is now. */
void gm_alarm_emit(struct gm_alarms *alarms, struct gm_alarm_entry *entry,
		   enum gm_transition_kind kind, enum gm_alarm_news news, int64_t time);

/* ---- gate.c ---- */

void gm_alarm_set_gates(struct gm_alarm_entry *entry);
/* Raises what waits when its gates are open by `now`. */
void gm_alarm_try_gates(struct gm_alarms *alarms, struct gm_alarm_entry *entry, int64_t now);
void gm_alarm_count_raise(struct gm_alarms *alarms, struct gm_alarm_entry *entry, int64_t now);
/* The summary of what waits for the limit. */
void gm_alarm_tell_storm(struct gm_alarms *alarms, int64_t now);

/* ---- correlate.c ---- */

/* The alarm that a new one belongs to; 0: none. To be called once for each. */
uint32_t gm_alarm_correlate(struct gm_alarms *alarms, const struct gm_alarm *alarm);
/* After an alarm of the node was raised: those just before it that it explains. */
void gm_alarm_claim(struct gm_alarms *alarms, const struct gm_alarm_entry *cause);

#endif

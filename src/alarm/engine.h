/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The alarm engine: one state machine that makes raise, change and clear of findings. An alarm's
 * identity is (entity, detector, metric, rule). Pure: time comes with the findings and with tick().
 *
 *   state      event                           to          transition
 *   none       active                          waiting     –
 *   waiting    active                          waiting     – (kept up to date)
 *   waiting    every gate open (tick, finding) active      raise
 *   waiting    ok                              none        –
 *   active     active, other severity/report   active      change
 *   active     active otherwise                active      – (evidence kept up to date)
 *   active     ok                              holding     –
 *   holding    active                          active      change when reported, else –
 *   holding    hold time over (tick)           none        clear
 *   holding    the same, where it latches      latched     change (latched); acknowledged: clear
 *   latched    active                          active      change
 *   latched    acknowledged                    none        clear
 *   any        entity gone (for good)          none        clear
 *   any        not judged any more             none        clear
 *
 * The gates of a raise, all open by default but the last: `soak` (the condition has to hold that long),
 * `hold-off` (so long after the last clear), suppression (maintenance; its guest is suspended), and
 * `raise-limit` of the node within any minute: what is over waits and is raised, oldest first, when
 * there is room, if it still holds. While some wait for room a summary is an alarm of the node, by the
 * detector "self" (metric "alarmStorm"): how many of what.
 *
 * The hold time (option `hold`) keeps a flapping condition one alarm. With `flap-raises` an alarm that
 * was raised so often within `flap-window` is flapping: it then stays until it was calm for
 * `flap-calm`, and only changes of its severity are told. `damping` off makes times and limits zero (the ok
 * finding itself clears, at its time). The time of a clear is that of the ok finding plus the hold
 * time, of a raise that of the finding plus soak and hold-off, however seldom tick() is called;
 * numbers of the ok finding's evidence go into the clear.
 */
#ifndef GM_ALARM_ENGINE_H
#define GM_ALARM_ENGINE_H

#include "alarm/options.h"
#include "base/error.h"
#include "model/alarm.h"
#include "model/finding.h"

/* Entries at most, raised or not: beyond it new conditions are refused and counted. */
enum { GM_ALARMS_MAX = 1 << 17 };

struct gm_alarm_sink {
	/* A transition without its sequence number; `transition->alarm.id` is set. */
	void (*emit)(void *user, struct gm_transition *transition);
	/* Fills guest_index, guest, guest_name, project of a new alarm; may be NULL. */
	void (*describe)(void *user, struct gm_alarm *alarm);
	/* A new, never used alarm id. */
	uint32_t (*new_id)(void *user);
	void *user;
};

/* Who knows more of an alarm: asked about its key, detector, metric and rule. */
struct gm_alarm_judge {
	/* Changes the node's options to those that hold for this one, when a condition begins. May be NULL. */
	void (*settle)(void *user, const struct gm_alarm *alarm, struct gm_alarm_options *options);
	/* Whether it is silent now: enum gm_suppression, or negative: not known, as before. May be NULL. */
	int (*suppression)(void *user, const struct gm_alarm *alarm);
	void *user;
};

struct gm_alarms;

int gm_alarms_create(const struct gm_alarm_options *options, const struct gm_alarm_sink *sink,
		     struct gm_alarms **ret_alarms);
void gm_alarms_free(struct gm_alarms *alarms);

/* Other options from now on. */
void gm_alarms_configure(struct gm_alarms *alarms, const struct gm_alarm_options *options);
void gm_alarms_set_judge(struct gm_alarms *alarms, const struct gm_alarm_judge *judge);

/*
 * Asks the judge's suppression() again for every alarm, and describe() where the guest's number is missing: whoever
 * knows that it has changed calls.
 */
void gm_alarms_reassess(struct gm_alarms *alarms, int64_t now);

/* Takes a finding in. 0, -ENOSPC (counted, see GM_ALARMS_MAX) or -ENOMEM. */
int gm_alarms_finding(struct gm_alarms *alarms, const struct gm_finding *finding);

/* Lets time pass: hold times and the gates. */
void gm_alarms_tick(struct gm_alarms *alarms, int64_t now);

/* Clears every alarm of an entity that is gone for good. */
void gm_alarms_gone(struct gm_alarms *alarms, const struct gm_entity_key *key, int64_t now);

/* But those for which `stays` says so: they are about its being gone. */
void gm_alarms_gone_but(struct gm_alarms *alarms, const struct gm_entity_key *key,
			bool (*stays)(const struct gm_alarm *alarm), int64_t now);

/*
 * Clears an alarm, looked for by its identity, that nobody judges any more: what raised it was switched off or
 * taken away. Neither hold time nor latch keeps it.
 */
void gm_alarms_disable(struct gm_alarms *alarms, const struct gm_alarm *alarm, int64_t now);

/*
 * Lets go of conditions that wait to be raised and for which `is_over` says so: those that nobody would ever
 * end. Returns how many.
 */
size_t gm_alarms_drop(struct gm_alarms *alarms, int64_t now,
		      bool (*is_over)(void *user, const struct gm_alarm *alarm), void *user);

/*
 * Puts an alarm that was active before a restart back, without a transition. Of two of one identity (the clear
 * of the older one was lost) the newer stays: the older is cleared, and the newer's raise told again,
 * for those who know alarms by what they are about. 0, -EEXIST: it is there; -ENOMEM.
 */
int gm_alarms_restore(struct gm_alarms *alarms, const struct gm_alarm *alarm);

/*
 * What people say of an active alarm; each is told as a change. An author that is too long is cut. A text
 * with an acknowledgement is a comment. An acknowledgement of a latched alarm clears it. -ENOENT: there is no active
 * alarm of that id; -EALREADY: it is in that state; -EINVAL: the text is too long, and nothing is changed.
 */
struct gm_alarm_note {
	const char *author, *text; /* NULL or empty: none */
	int64_t time;
};
int gm_alarms_acknowledge(struct gm_alarms *alarms, uint32_t id, const struct gm_alarm_note *note,
			  struct gm_error *err);
int gm_alarms_unacknowledge(struct gm_alarms *alarms, uint32_t id, const struct gm_alarm_note *note,
			    struct gm_error *err);
int gm_alarms_comment(struct gm_alarms *alarms, uint32_t id, const struct gm_alarm_note *note,
		      struct gm_error *err);

/* The active alarms by id: fills at most `max`, returns how many there are. */
size_t gm_alarms_active(const struct gm_alarms *alarms, struct gm_alarm *list, size_t max);

/* The active alarm of that identity, or NULL; valid until the next call. */
const struct gm_alarm *gm_alarms_find(const struct gm_alarms *alarms,
				      const struct gm_entity_key *key, const char *detector,
				      const char *metric, const char *rule);

/* Since the start, but the first two, which are of now. */
struct gm_alarms_counts {
	uint64_t waiting;        /* conditions that hold and are not raised, for whatever gate */
	uint64_t crowded;        /* of them: for the raise limit */
	uint64_t limited;        /* raises that the limit held back */
	uint64_t limited_raised; /* of them: raised since */
	uint64_t limited_ended;  /* of them: over before that, or shut by another gate */
	uint64_t silenced;       /* conditions that came and went while they were suppressed */
	uint64_t soaked;   /* conditions that were over before the soak time or hold-off was */
	uint64_t flapping; /* alarms that began to flap */
	uint64_t refused;  /* conditions beyond GM_ALARMS_MAX */
};
struct gm_alarms_counts gm_alarms_counts(const struct gm_alarms *alarms);

/* Raises held back by the limit since the start. */
uint64_t gm_alarms_limited(const struct gm_alarms *alarms);

#endif

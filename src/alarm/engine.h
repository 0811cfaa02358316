/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The alarm engine: one state machine that makes raise, change and clear of findings. An alarm's
 * identity is (entity, detector, metric, rule). Pure: time comes with the findings and with tick().
 *
 *   state      event                           to          transition
 *   none       active                          active      raise
 *   active     active, other severity/report   active      change
 *   active     active otherwise                active      – (evidence kept up to date)
 *   active     ok                              holding     –
 *   holding    active                          active      change when reported, else –
 *   holding    hold time over (tick)           none        clear
 *   any        entity gone (for good)          none        clear
 *
 * The hold time (option `hold`) keeps a flapping condition one alarm; `damping` off makes it zero (the
 * ok finding itself clears, at its time) and lifts the raise limit. The time of a clear is that of the ok finding plus the
 * hold time, however seldom tick() is called; numbers of the ok finding's evidence go into it.
 * Raises are limited per node (`raise-limit` within any minute): what is over stays pending and is
 * raised, oldest first, when there is room, if it still holds; the count is kept.
 */
#ifndef GM_ALARM_ENGINE_H
#define GM_ALARM_ENGINE_H

#include "base/option.h"
#include "model/alarm.h"
#include "model/finding.h"

struct gm_alarm_options {
	bool damping;
	int64_t hold;        /* ns an alarm outlives its condition */
	int64_t raise_limit; /* raises a minute on this node; 0: no limit */
};
extern const struct gm_option gm_alarm_option_table[];

struct gm_alarm_sink {
	/* A transition without its sequence number; `transition->alarm.id` is set. */
	void (*emit)(void *user, struct gm_transition *transition);
	/* Fills guest_index, guest, guest_name, project of a new alarm; may be NULL. */
	void (*describe)(void *user, struct gm_alarm *alarm);
	/* A new, never used alarm id. */
	uint32_t (*new_id)(void *user);
	void *user;
};

struct gm_alarms;

int gm_alarms_create(const struct gm_alarm_options *options, const struct gm_alarm_sink *sink,
		     struct gm_alarms **ret_alarms);
void gm_alarms_free(struct gm_alarms *alarms);

/* Other options from now on. */
void gm_alarms_configure(struct gm_alarms *alarms, const struct gm_alarm_options *options);

/* Takes a finding in. 0 or -ENOMEM. */
int gm_alarms_finding(struct gm_alarms *alarms, const struct gm_finding *finding);

/* Lets time pass: hold times and the raise limit. */
void gm_alarms_tick(struct gm_alarms *alarms, int64_t now);

/* Clears every alarm of an entity that is gone for good. */
void gm_alarms_gone(struct gm_alarms *alarms, const struct gm_entity_key *key, int64_t now);

/* Puts an alarm that was active before a restart back, without a transition. 0, -EEXIST, -ENOMEM. */
int gm_alarms_restore(struct gm_alarms *alarms, const struct gm_alarm *alarm);

/* The active alarms by id: fills at most `max`, returns how many there are. */
size_t gm_alarms_active(const struct gm_alarms *alarms, struct gm_alarm *list, size_t max);

/* The active alarm of that identity, or NULL; valid until the next call. */
const struct gm_alarm *gm_alarms_find(const struct gm_alarms *alarms,
				      const struct gm_entity_key *key, const char *detector,
				      const char *metric, const char *rule);

/* Raises held back by the limit since the start. */
uint64_t gm_alarms_limited(const struct gm_alarms *alarms);

#endif

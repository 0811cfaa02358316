/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An alarm of ours in Aodh's words (API v2): name, bodies, and what its answers say. Pure.
 *
 * The name is "guestmon/NODE/ENTITY/DETECTOR/METRIC[/RULE]": one Aodh alarm per node, guest and
 * condition, found again by it. The last line of the description is a mark, "guestmon: NODE/SEQUENCE@TIME",
 * of the last transition that Aodh has in full. It is written after the state, so that a transition that
 * is sent twice (a lost answer, a killed daemon) is recognised, and no state is set a second time.
 */
#ifndef GM_NORTH_OPENSTACK_ALARM_TEXT_H
#define GM_NORTH_OPENSTACK_ALARM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "model/alarm.h"

enum { GM_AODH_NAME = 256, GM_AODH_ID = 64, GM_AODH_STATE = 32 };
#define GM_AODH_EVENT_TYPE "guestmon.alarm"

/* Which transition; sequence 0: none. */
struct gm_aodh_mark {
	uint64_t sequence;
	int64_t time;
};

/* What begins the names of all alarms of a node. Returns `text`. */
char *gm_aodh_prefix(const char *node, char text[GM_AODH_NAME]);
char *gm_aodh_name(const char *node, const struct gm_alarm *alarm, char text[GM_AODH_NAME]);
/* The guest that the name is of; false: of none, or no name of ours. */
bool gm_aodh_name_guest(const char *name, const char *prefix, uint8_t ret_uuid[GM_UUID_SIZE]);

const char *gm_aodh_state(const struct gm_transition *transition); /* "ok", "alarm" */
const char *gm_aodh_severity(enum gm_severity severity); /* "low", "moderate", "critical" */

/* For people, with the evidence, and with the mark where `transition` has a sequence. */
void gm_aodh_describe(const char *node, const struct gm_transition *transition, int64_t sent_at,
		      struct gm_buffer *text);

/*
 * Whether the alarm that Aodh holds has had the transition already, or one after it; where it has no
 * sequence, whether it is in that state.
 */
bool gm_aodh_is_told(const struct gm_json *found, const struct gm_transition *transition);

/* Whether the alarm that Aodh holds has the transition's severity. */
bool gm_aodh_has_severity(const struct gm_json *found, const struct gm_transition *transition);

/* What an alarm of an answer is; members that are missing or too long are empty. */
struct gm_aodh_alarm {
	char name[GM_AODH_NAME], id[GM_AODH_ID], state[GM_AODH_STATE], project[GM_NAME_SIZE];
};
/* -EINVAL: no alarm of Aodh's. */
int gm_aodh_read(const struct gm_json *object, struct gm_aodh_alarm *ret_alarm);

/* Parses a list, which the caller frees. -EINVAL: it is no JSON array. */
int gm_aodh_list(const char *body, size_t length, struct gm_json **ret_list);
/* The alarm of that name in it, the oldest where there are several; NULL: none. -EINVAL: no alarms. */
int gm_aodh_find(const struct gm_json *list, const char *name, const struct gm_json **ret_alarm);

/* The body of POST /v2/alarms. `project` may be empty, `actions` are URLs separated by commas. */
struct gm_json *gm_aodh_creation(const char *name, const char *project, const char *severity,
				 const char *description, const char *actions);

/*
 * The body of PUT /v2/alarms/ID: all that Aodh holds (what is left out would be reset), with these three
 * exchanged.
 */
struct gm_json *gm_aodh_changed(const struct gm_json *found, const char *state,
				const char *severity, const char *description);

/* Appends `text` for a query of a URL. */
void gm_aodh_escape(struct gm_buffer *url, const char *text);

#endif

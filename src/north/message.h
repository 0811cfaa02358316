/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An alarm's transition as one JSON object: the body of outputs that have no form of their own to keep
 * to (webhook `json`, the data of a CloudEvent, a program's standard input). guestmon-outputs(5) lists
 * the members; they are only ever added to. Times are ISO 8601 in UTC with milliseconds.
 *
 * Names come from guests and operators: they are valid UTF-8 here, and nothing else is promised of them.
 */
#ifndef GM_NORTH_MESSAGE_H
#define GM_NORTH_MESSAGE_H

#include "base/buffer.h"
#include "base/json.h"
#include "north/output.h"

enum { GM_MESSAGE_MAX = 64 << 10 }; /* bytes; a transition's members are bounded far below that */

/* The caller's; NULL: out of memory. */
struct gm_json *gm_message_to_json(const struct gm_message *message);

/* Appends it as one line without an end. 0 or -ENOMEM. */
int gm_message_write(const struct gm_message *message, struct gm_buffer *buffer);

/* Names of IANA-ITU-ALARM-TC-MIB; "other" for numbers that guestmon does not use. */
const char *gm_event_type_name(enum gm_event_type type);
const char *gm_cause_name(enum gm_probable_cause cause);

/* Whether the alarm is over: cleared now, or before (an old alarm can still be commented). */
bool gm_transition_is_over(const struct gm_transition *transition);

/* Whether its condition is on, and nothing keeps it from being told. */
bool gm_alarm_is_on(const struct gm_alarm *alarm);

/* Whether something may be done for it: the alarm's condition itself is new or has changed, and is on. */
bool gm_transition_is_occasion(const struct gm_transition *transition);

/* What to call the alarm's source in front of people: the guest's name, else `node`. */
const char *gm_alarm_source(const struct gm_alarm *alarm, const char *node);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The notifications of GUESTMON-MIB as lists of variables: which one a transition is, and what it
 * carries, in the order of the OBJECTS clause. Pure; trap.c sends what this makes, the tests look at
 * it. A variable that is not known is the largest number of its type, an empty text or the zero time,
 * for a notification carries all its objects. What is known beyond them follows them, as RFC 3416 lets
 * an agent do (section 4.2.6): the objects of a notification that was once published stay as they are.
 */
#ifndef GM_NORTH_MIB_NOTIFY_H
#define GM_NORTH_MIB_NOTIFY_H

#include "model/alarm.h"
#include "north/mib/tree.h"

/* Below guestmonNotifications, {root 0}. Raise, change and clear follow each other. */
enum gm_mib_notification {
	GM_MIB_LEAK_RAISE = 1,
	GM_MIB_BURST_RAISE = 4,
	GM_MIB_ALARM_RAISE = 7,
	GM_MIB_START = 10,
	GM_MIB_STOP = 11,
	GM_MIB_ANOMALY_RAISE = 12,
	GM_MIB_THRESHOLD_RAISE = 15,
	GM_MIB_HEARTBEAT = 18,
	GM_MIB_TEST = 19,
	GM_MIB_STORM_RAISE = 20,
};

/* Takes one variable; `oid` is below the root, both are only valid during the call. */
struct gm_mib_notify_sink {
	void (*add)(void *user, const struct gm_mib_oid *oid, const struct gm_mib_value *value);
	void *user;
};

/* The notification that `transition` is. */
unsigned gm_mib_notification_of(const struct gm_transition *transition);

/* The variables of gm_mib_notification_of(). */
void gm_mib_notify_transition(const struct gm_transition *transition,
			      const struct gm_mib_notify_sink *sink);

/* The variables of GM_MIB_START, GM_MIB_STOP, GM_MIB_HEARTBEAT and GM_MIB_TEST. */
void gm_mib_notify_agent(const struct gm_mib_view *view, const struct gm_mib_notify_sink *sink);

#endif

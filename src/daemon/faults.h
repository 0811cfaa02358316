/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults that libvirt tells of a guest: it crashed, its watchdog fired, a disk of it failed, its monitor
 * broke, the hardware lost memory of it, its agent is lost. Each is an alarm of the guest by the detector
 * "event", from the event on until the guest is resumed, reset or started anew, as the fault is; what has
 * no such end lapses when it is not told again for a while and the guest runs. Main thread only.
 *
 * A crash mostly takes the guest's process with it, and the guest is gone in the same moment: its alarm stays
 * without it, until a guest of that UUID is started, resumed, stopped, migrated or undefined, is seen running,
 * or an hour has passed since the raise. That holds after a restart of the daemon, too.
 */
#ifndef GM_DAEMON_FAULTS_H
#define GM_DAEMON_FAULTS_H

#include "daemon/entities.h"

struct gm_faults;

/* What the event raises or ends of the guest. */
void gm_faults_take(struct gm_tracked *guest, const struct gm_guest_event *event,
		    const struct gm_finding_sink *sink);

/* The same of a guest that is not there: what ends the alarm that it left behind. */
void gm_faults_take_absent(const struct gm_guest_event *event, const struct gm_finding_sink *sink);

/* About once a second, for each guest: what goes on, what is told after a while, and what has lapsed. */
void gm_faults_evaluate(struct gm_tracked *guest, int64_t now, const struct gm_finding_sink *sink);

/*
 * Whether an alarm of the guest may still be true. Of one from before a restart nothing is known but
 * what the guest does now: one that runs has no fault that was not told since.
 */
bool gm_faults_may_hold(const struct gm_tracked *guest, const char *metric);

/* Whether the alarm is one that stays when its guest goes: what a plain stop ends is ended by then. */
bool gm_faults_stays(const struct gm_alarm *alarm);

/* Whether the alarm of a guest that is not there may go on at `now`. */
bool gm_faults_lasts(const struct gm_alarm *alarm, int64_t now);

/* So many guests at most have an alarm without being there. */
enum { GM_FAULTS_ABSENT = 256 };

void gm_faults_free(struct gm_faults *faults); /* NULL-safe */

#endif

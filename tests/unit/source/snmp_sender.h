/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of what guests send: net-snmp's own commands, run beside a source that listens, and the
 * events that come of it.
 */
#ifndef GM_TEST_SNMP_SENDER_H
#define GM_TEST_SNMP_SENDER_H

#include "snmp_rig.h"

enum { SENDER_EVENTS = 512 };

#define SENDER_LISTEN "127.0.0.1:12399"

extern struct sender_events {
	struct gm_guest_event list[SENDER_EVENTS];
	size_t count;
} sender_events;

void sender_on_event(void *user, const struct gm_guest_event *event);

/* A source that listens and asks those targets; no events yet. */
void sender_begin(struct rig *rig, const char *credentials, const char *targets);

/* Runs a command without quotes to its end, and the source beside it: its exit status. */
int sender_run(struct rig *rig, const char *line);

/* The event at that place is one of guest 1, and of now. */
void sender_expect(size_t at, enum gm_guest_event_kind kind, const char *detail);

#endif

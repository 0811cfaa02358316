/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox of one output: from the journal to the driver, each transition once and in order, however
 * long the receiver is away. The journal is the queue; what is kept here is the output's durable
 * position in it and a small window behind that position.
 *
 *   waiting ── send ── sent ──┬─ delivered ──────────────── done: the position moves over it
 *      ▲                      ├─ retry: the output pauses ─┐
 *      └──────────────────────┴─ refused: its alarm pauses ┴─ waiting again
 *
 * Messages about the same (gm_alarm_same()) are sent one after another. A message that is too old, was refused too often
 * or stands behind too long a backlog is given up and counted. After a restart what was sent and not
 * yet done is sent again with the same key: at least once. Pauses: retry-min, doubled each time up to
 * retry-max, each shortened by a random part of up to a quarter; the receiver's own Retry-After wins
 * within an hour.
 *
 * Main thread only. Time is an argument: `now` is the node's time, `monotonic` the clock of pauses.
 */
#ifndef GM_DAEMON_OUTBOX_H
#define GM_DAEMON_OUTBOX_H

#include "model/snapshot.h"
#include "north/output.h"
#include "state/state.h"

enum { GM_OUTBOX_WINDOW = 256, GM_OUTBOXES_STORED = 64 };

struct gm_outbox;

struct gm_outbox_setup {
	const char *name; /* of the position in the state; copied */
	const char *node; /* outlives the outbox */
	const struct gm_output_ops *ops;
	struct gm_output_options options;
	bool exact; /* what was told is written without delay */
};

/*
 * Reads the position; a new output begins at the newest. Where it cannot be read the outbox tells nothing
 * and asks again, once a second. `state` outlives the outbox. -ENOMEM.
 */
int gm_outbox_create(const struct gm_outbox_setup *setup, struct gm_state *state,
		     struct gm_outbox **ret_outbox);
void gm_outbox_free(struct gm_outbox *outbox); /* writes the position; NULL-safe */

/*
 * The driver, once it exists; what the one before it had is sent again. NULL: it ended; that something
 * has arrived may still be told.
 */
void gm_outbox_attach(struct gm_outbox *outbox, struct gm_output *output);
struct gm_output *gm_outbox_output(const struct gm_outbox *outbox);

/* All up to it are done with; 0 also before it could be read. */
uint64_t gm_outbox_position(const struct gm_outbox *outbox);

/* Sends what may be sent. After something was journalled, and every 100 ms. */
void gm_outbox_pump(struct gm_outbox *outbox, int64_t now, int64_t monotonic);

/*
 * Writes the positions of these outboxes (at most GM_OUTBOXES_STORED, of one state) as one transaction, once
 * one of them told something and has not been written for 100 ms (exact: at once). 0, or negative: it failed,
 * which may have taken a while.
 */
int gm_outboxes_store(struct gm_outbox *const *outboxes, size_t count, int64_t monotonic);

/* The driver's verdict on the message of that ticket; an unknown ticket is ignored. Sends nothing. */
void gm_outbox_done(struct gm_outbox *outbox, uint64_t ticket, const struct gm_verdict *verdict,
		    int64_t now, int64_t monotonic);

/* All up to that sequence number have arrived (a driver that keeps the order itself). */
void gm_outbox_done_through(struct gm_outbox *outbox, uint64_t sequence, int64_t now);

/* Durable. A paused output sends nothing; what is in flight ends. */
int gm_outbox_pause(struct gm_outbox *outbox, bool paused);
bool gm_outbox_is_paused(const struct gm_outbox *outbox);

/*
 * Tells again from that sequence number on, which the journal must still have: -ERANGE with what it has
 * in `err`. What the journal has by now is then told however old it is and however many they are, after a
 * restart, too.
 */
int gm_outbox_replay(struct gm_outbox *outbox, uint64_t sequence, struct gm_error *err);

/* What readers are shown. */
void gm_outbox_status(const struct gm_outbox *outbox, int64_t now, int64_t monotonic,
		      struct gm_output_row *ret_row);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What survives a restart, in one SQLite file (WAL) in the state directory: indexes, the alarm
 * journal with the active alarms, each output's position. A lock file keeps a second daemon out.
 * Main thread only. Every call that changes something is durable when it returns 0. Where another program has
 * locked the file calls wait, all of them together for 0.2 s in a second, and give -EBUSY.
 */
#ifndef GM_STATE_STATE_H
#define GM_STATE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/alarm.h"

struct gm_state;

/*
 * Opens (creates, checks) DIRECTORY/state.db. -EBUSY: another process holds the directory; -EBADMSG:
 * the file is damaged or of a newer schema (it is left as it is; the message says what to do).
 */
int gm_state_open(const char *directory, struct gm_state **ret_state, struct gm_error *err);
void gm_state_close(struct gm_state *state);

/* Starts of the daemon on this directory, this one counted. */
uint32_t gm_state_boots(const struct gm_state *state);

/* A number that was drawn when the file was made: it names this directory for as long as its boots count. */
uint64_t gm_state_engine(const struct gm_state *state);

/*
 * The index of `name` within `scope` ("guest", "if:<guest uuid>"): the one it had before, else the
 * smallest free one from 1. gm_state_index_retire() marks it unused at `time`; a retired index is
 * given to another name only a day after (by the newest time that retire and journal were told), and
 * to its own name at any time. A name that loses its index loses the scopes that end in ":<name>"
 * with it.
 */
int gm_state_index(struct gm_state *state, const char *scope, const char *name, uint32_t *ret_index,
		   struct gm_error *err);
/*
 * Sees to it that all of `names` have one, in their order and as one transaction: many new guests cost one
 * wait for the disk, and gm_state_index() finds them then. All are durable, or none is.
 */
struct gm_state_name {
	const char *scope, *name;
};
int gm_state_index_batch(struct gm_state *state, const struct gm_state_name *names, size_t count,
			 struct gm_error *err);
int gm_state_index_retire(struct gm_state *state, const char *scope, const char *name,
			  int64_t time);
/* Many as one transaction. */
struct gm_state_retired {
	const char *scope, *name;
	int64_t time;
};
int gm_state_index_retire_batch(struct gm_state *state, const struct gm_state_retired *retired,
				size_t count);

/* A new alarm id, never given before. */
uint32_t gm_state_new_alarm_id(struct gm_state *state);

/*
 * Appends a transition in one transaction with the change of the active set; fills
 * transition->sequence. The journal keeps the newest `GM_JOURNAL_KEEP` (or what retain() said) and all that
 * an output has still to deliver, at most `GM_JOURNAL_MAX`.
 */
enum { GM_JOURNAL_KEEP = 10000, GM_JOURNAL_MAX = 1000000 };
int gm_state_journal(struct gm_state *state, struct gm_transition *transition,
		     struct gm_error *err);

/*
 * The same for `count` transitions, in their order, as one transaction: all are durable and have their
 * sequence numbers, or none has been kept and none is changed. What many cost is mostly one wait for
 * the disk.
 */
int gm_state_journal_batch(struct gm_state *state, struct gm_transition *transitions, size_t count,
			   struct gm_error *err);

/*
 * How long the journal is: `keep` transitions, and none but the newest that is older than `keep_for` (ns; 0:
 * however old).
 * Looked at as transitions come, and by prune() where none do.
 */
void gm_state_journal_retain(struct gm_state *state, int64_t keep, int64_t keep_for);
void gm_state_journal_prune(struct gm_state *state, int64_t now);

/* The newest sequence number, 0 at first. */
uint64_t gm_state_last_sequence(const struct gm_state *state);

typedef void gm_state_alarm_fn(void *user, const struct gm_alarm *alarm);
typedef void gm_state_transition_fn(void *user, const struct gm_transition *transition);

/*
 * Calls `each` for the active alarms, by id; a record that cannot be read is skipped and counted
 * (returned). `each` must not call gm_state_active(), nor that of the next function it. Negative errno.
 */
int gm_state_active(struct gm_state *state, gm_state_alarm_fn *each, void *user);

/*
 * Calls `each` for at most `limit` transitions with sequence > after, in order. Returns how many rows
 * were read, those that were skipped as unreadable included, so that less than `limit` is the end.
 */
int gm_state_journal_after(struct gm_state *state, uint64_t after, size_t limit,
			   gm_state_transition_fn *each, void *user);

/* The oldest sequence number that the journal still has, 0 while it is empty. */
uint64_t gm_state_first_sequence(struct gm_state *state);

/*
 * The last sequence number that `output` has delivered, and whether the operator has paused it; a new
 * output starts at the newest. delivered() only moves forward, rewind() in both directions.
 */
int gm_state_output_position(struct gm_state *state, const char *output, uint64_t *ret_sequence,
			     bool *ret_paused);
int gm_state_output_delivered(struct gm_state *state, const char *output, uint64_t sequence);
/* The same for several, as one transaction: all or none. */
struct gm_output_position {
	const char *output;
	uint64_t sequence;
};
int gm_state_outputs_delivered(struct gm_state *state, const struct gm_output_position *positions,
			       size_t count);
int gm_state_output_rewind(struct gm_state *state, const char *output, uint64_t sequence);
int gm_state_output_pause(struct gm_state *state, const char *output, bool paused);
/* A rewind for an operator who wants all up to `until` told again; replaying(): up to where, or 0. */
int gm_state_output_replay(struct gm_state *state, const char *output, uint64_t sequence,
			   uint64_t until);
int gm_state_output_replaying(struct gm_state *state, const char *output, uint64_t *ret_until);

/*
 * Forgets the outputs of other names: the journal keeps nothing for them. Those of registrations ("KIND/ID") that
 * are there go on from where they were when they come back, after another start; until then the journal
 * keeps nothing for them either.
 */
int gm_state_outputs_keep(struct gm_state *state, const char *const *names, size_t count);

/*
 * What operators taught (`guestmonctl learn`): a range of time of an entity, its label, and what was
 * learned from it, as bytes that state/ does not look into. Text that is too long is cut.
 */
enum { GM_LESSON_RECORD_MAX = 64 << 10, GM_LESSONS_KEEP = 10000 };
struct gm_lesson_row {
	int64_t id;                  /* given by gm_state_lesson_add() */
	char entity[96];             /* gm_entity_text() */
	char kind[16];               /* "normal", "faulty", "rest" */
	char label[32];              /* of the fault; empty */
	char author[64];             /* who said so */
	int64_t begin, end, made_at; /* ns since the epoch */
	const void *record;
	size_t size;
};
/* -ENOSPC: GM_LESSONS_KEEP are there; -EFBIG: the record is larger than GM_LESSON_RECORD_MAX. */
int gm_state_lesson_add(struct gm_state *state, const struct gm_lesson_row *row, int64_t *ret_id,
			struct gm_error *err);
/* -ENOENT: there is none of that id. Also removes the rest that was kept beside it (same times). */
int gm_state_lesson_remove(struct gm_state *state, int64_t id, struct gm_error *err);
/*
 * Calls `each` for the lessons of `entity` (NULL: of all), by id; `row` and its record are valid during
 * the call, in which no other function of the state may be called. Returns how many, or negative.
 */
int gm_state_lessons(struct gm_state *state, const char *entity,
		     void (*each)(void *user, const struct gm_lesson_row *row), void *user,
		     struct gm_error *err);

/*
 * What others have registered through the HTTP face, and what managers have set: a record (of the HTTP face JSON,
 * with the secrets that came with it) under a kind and an id, bounded for each kind. put() replaces what is there. -ENOSPC: GM_REGISTRATIONS_KEEP are there.
 */
enum { GM_REGISTRATIONS_KEEP = 2048 };
int gm_state_registration_put(struct gm_state *state, const char *kind, const char *id,
			      const char *record, struct gm_error *err);
/* -ENOENT: there is none. */
int gm_state_registration_remove(struct gm_state *state, const char *kind, const char *id,
				 struct gm_error *err);
/* Calls `each`, by id, as gm_state_lessons() does. Returns how many, or negative. */
int gm_state_registrations(struct gm_state *state, const char *kind,
			   void (*each)(void *user, const char *id, const char *record), void *user,
			   struct gm_error *err);

#endif

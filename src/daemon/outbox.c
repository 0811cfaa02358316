/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One output's way through the journal; see outbox.h. Called by outputs.c alone, which has the drivers
 * and the clocks. Knows no driver but by its ops.
 */
#include "daemon/outbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#define LONGEST_WISH   (3600 * GM_SECOND) /* of a receiver's Retry-After */
#define WRITE_INTERVAL (100 * GM_MILLISECOND)
#define IDLE_INTERVAL  (10 * GM_SECOND) /* of a position that moved over what is not told alone */

enum slot_state { SLOT_WAITING, SLOT_SENT, SLOT_DONE };

/* A transition behind the position. */
struct slot {
	uint64_t sequence;
	enum slot_state state;
	uint64_t ticket; /* SENT */
	unsigned attempts, refusals;
	int64_t not_before;               /* monotonic: of a refused message */
	struct gm_transition *transition; /* NULL once done */
};

struct gm_outbox {
	struct gm_outbox_setup setup;
	char name[GM_OUTPUT_NAME];
	struct gm_state *state;
	struct gm_output *output;
	bool paused;

	bool positioned;   /* the position could be read; until then nothing is told */
	int64_t read_at;   /* monotonic, when it was tried last */
	uint64_t position; /* all up to it are done with */
	uint64_t stored;   /* the position that is on disk */
	int64_t stored_at; /* monotonic */
	bool told;         /* something was since then */
	uint64_t loaded;   /* the last that was read from the journal, or passed over */
	uint64_t
		replay_until; /* up to it an operator has it told again, however old and many; 0: none */
	struct slot window[GM_OUTBOX_WINDOW];
	size_t start, count;
	unsigned in_flight;
	unsigned abandoned; /* of them: no longer in the window, the driver still has them */
	uint64_t tickets;

	unsigned failures;  /* in a row, of the output as a whole */
	int64_t not_before; /* monotonic: the output's pause */
	int64_t wish;       /* monotonic: before that the receiver wants nothing */
	uint32_t noise;     /* of the pauses' random part */
	struct gm_output_row row;
	struct gm_log_limit limit, position_limit;
};

static struct slot *nth(struct gm_outbox *outbox, size_t n)
{
	return &outbox->window[(outbox->start + n) % GM_OUTBOX_WINDOW];
}

/* ---- the position ---- */

static int read_position(struct gm_outbox *outbox, int64_t monotonic)
{
	outbox->read_at = monotonic;
	int result = gm_state_output_position(outbox->state, outbox->name, &outbox->position,
					      &outbox->paused);
	if (result == 0)
		result = gm_state_output_replaying(outbox->state, outbox->name,
						   &outbox->replay_until);
	if (result < 0)
		return result;
	/* Beyond the journal there is nothing: what comes next would pass for told. */
	uint64_t last = gm_state_last_sequence(outbox->state);
	if (outbox->replay_until > last)
		outbox->replay_until = 0;
	if (outbox->position > last) {
		result = gm_state_output_rewind(outbox->state, outbox->name, last);
		if (result < 0)
			return result;
		outbox->position = last;
	}
	outbox->positioned = true;
	outbox->loaded = outbox->stored = outbox->position;
	return 0;
}

/* Where the state cannot be read for a moment the output stays, and asks again once a second. */
static bool is_positioned(struct gm_outbox *outbox, int64_t now, int64_t monotonic)
{
	if (outbox->positioned)
		return true;
	if (outbox->row.failing_since != 0 && monotonic - outbox->read_at < GM_SECOND)
		return false;
	if (read_position(outbox, monotonic) == 0) {
		outbox->row.failing_since = 0;
		outbox->row.error[0] = '\0';
		return true;
	}
	if (outbox->row.failing_since == 0) {
		outbox->row.failing_since = now;
		gm_log(GM_LOG_ERROR, "output %s: its position cannot be read: it waits",
		       outbox->name);
	}
	gm_text_copy(outbox->row.error, sizeof(outbox->row.error), "its position cannot be read");
	return false;
}

static bool is_moved(const struct gm_outbox *outbox)
{
	return outbox->positioned && outbox->stored != outbox->position;
}

static bool is_due(const struct gm_outbox *outbox, int64_t monotonic)
{
	int64_t interval = outbox->told ? WRITE_INTERVAL : IDLE_INTERVAL;
	if (outbox->told && outbox->setup.exact)
		interval = 0;
	return is_moved(outbox) && monotonic - outbox->stored_at >= interval;
}

/* All that have moved, as one transaction. 0, or negative: they are not stored. */
static int store_positions(struct gm_outbox *const *outboxes, size_t count, int64_t monotonic)
{
	struct gm_output_position positions[GM_OUTBOXES_STORED];
	size_t moved = 0;
	for (size_t i = 0; i < count; i++) {
		if (is_moved(outboxes[i]))
			positions[moved++] = (struct gm_output_position){
				.output = outboxes[i]->name, .sequence = outboxes[i]->position};
	}
	if (moved == 0)
		return 0;
	int result = gm_state_outputs_delivered(outboxes[0]->state, positions, moved);
	for (size_t i = 0; i < count; i++) {
		struct gm_outbox *outbox = outboxes[i];
		if (!is_moved(outbox))
			continue;
		outbox->stored_at = monotonic;
		if (result == 0) {
			outbox->stored = outbox->position;
			outbox->told = false;
		} else if (gm_log_allowed(&outbox->position_limit, monotonic, 10 * GM_SECOND, NULL))
			gm_log(GM_LOG_ERROR, "output %s: its position cannot be written",
			       outbox->name);
	}
	return result;
}

int gm_outboxes_store(struct gm_outbox *const *outboxes, size_t count, int64_t monotonic)
{
	bool due = false;
	for (size_t i = 0; i < count; i++)
		due |= is_due(outboxes[i], monotonic);
	return due ? store_positions(outboxes, count, monotonic) : 0;
}

/* Moves the position over what is done with. */
static void settle(struct gm_outbox *outbox)
{
	while (outbox->count > 0 && nth(outbox, 0)->state == SLOT_DONE) {
		outbox->position = nth(outbox, 0)->sequence;
		outbox->start = (outbox->start + 1) % GM_OUTBOX_WINDOW;
		outbox->count--;
	}
	if (outbox->count == 0)
		outbox->position = outbox->loaded;
}

static void finish(struct slot *slot)
{
	free(slot->transition);
	slot->transition = NULL;
	slot->state = SLOT_DONE;
}

/* The window is to be read again, from the position on. */
static void clear_window(struct gm_outbox *outbox)
{
	for (size_t i = 0; i < outbox->count; i++) {
		outbox->abandoned += nth(outbox, i)->state == SLOT_SENT;
		finish(nth(outbox, i));
	}
	outbox->count = 0;
	outbox->loaded = outbox->position;
	if (outbox->setup.ops->in_order) /* such a driver is given more at any time */
		outbox->in_flight = outbox->abandoned = 0;
}

/* ---- reading the journal ---- */

struct loading {
	struct gm_outbox *outbox;
	bool failed; /* out of memory: the rest is read later */
};

static void lose(struct gm_outbox *outbox, uint64_t through, const char *why)
{
	uint64_t count = through - outbox->loaded;
	outbox->row.overflowed += count;
	gm_log(GM_LOG_ERROR, "output %s: alarms %llu to %llu of the journal are not told: %s",
	       outbox->name, (unsigned long long)outbox->loaded + 1, (unsigned long long)through,
	       why);
	outbox->loaded = through;
}

static void load_one(void *user, const struct gm_transition *transition)
{
	struct loading *loading = user;
	struct gm_outbox *outbox = loading->outbox;
	struct gm_transition *copy = NULL;
	bool wanted = gm_output_wants(&outbox->setup.options, transition);

	if (loading->failed)
		return;
	if (wanted && !(copy = malloc(sizeof(*copy)))) {
		loading->failed = true;
		return;
	}
	if (transition->sequence > outbox->loaded + 1)
		lose(outbox, transition->sequence - 1,
		     "they are no longer there, or cannot be read");
	if (copy)
		*copy = *transition;
	*nth(outbox, outbox->count++) = (struct slot){
		.sequence = transition->sequence,
		.state = wanted ? SLOT_WAITING : SLOT_DONE,
		.transition = copy,
	};
	outbox->loaded = transition->sequence;
}

static void load(struct gm_outbox *outbox)
{
	struct loading loading = {.outbox = outbox};
	while (!loading.failed && outbox->count < GM_OUTBOX_WINDOW &&
	       outbox->loaded < gm_state_last_sequence(outbox->state)) {
		uint64_t after = outbox->loaded;
		int got = gm_state_journal_after(
			outbox->state, after, GM_OUTBOX_WINDOW - outbox->count, load_one, &loading);
		if (got <= 0)
			return;
		/* The last rows read were no transitions: they must not hold up those behind them. */
		if (!loading.failed && outbox->loaded < after + (uint64_t)got)
			lose(outbox, after + (uint64_t)got, "they cannot be read");
		settle(outbox);
	}
}

/* ---- giving up ---- */

static void give_up(struct gm_outbox *outbox, struct slot *slot, const char *why)
{
	if (gm_log_allowed(&outbox->limit, gm_clock_monotonic(), GM_SECOND, NULL))
		gm_log(GM_LOG_ERROR, "output %s: %s of alarm %u (sequence %llu) is given up: %s",
		       outbox->name, gm_transition_name(slot->transition->kind),
		       slot->transition->alarm.id, (unsigned long long)slot->sequence, why);
	finish(slot);
}

/* The oldest of too long a backlog. */
static void bound_backlog(struct gm_outbox *outbox)
{
	uint64_t last = gm_state_last_sequence(outbox->state);
	uint64_t keep = (uint64_t)outbox->setup.options.backlog;
	if (last - outbox->position <= keep)
		return;
	uint64_t through = last - keep;
	for (size_t i = 0; i < outbox->count && nth(outbox, i)->sequence <= through; i++) {
		if (nth(outbox, i)->state != SLOT_WAITING ||
		    nth(outbox, i)->sequence <= outbox->replay_until)
			continue;
		outbox->row.overflowed++;
		give_up(outbox, nth(outbox, i), "too many wait");
	}
	if (outbox->loaded < through && outbox->loaded >= outbox->replay_until)
		lose(outbox, through, "too many wait");
	settle(outbox);
}

static void expire(struct gm_outbox *outbox, int64_t now)
{
	for (size_t i = 0; i < outbox->count; i++) {
		struct slot *slot = nth(outbox, i);
		if (slot->state != SLOT_WAITING || slot->sequence <= outbox->replay_until ||
		    now - slot->transition->time <= outbox->setup.options.expiry)
			continue;
		outbox->row.expired++;
		give_up(outbox, slot, "it is too old");
	}
	settle(outbox);
}

/* ---- sending ---- */

/*
 * Whether a message about the same before this one is not done with: an alarm that is raised anew has
 * another id, but must not be told before the clear of the one before it.
 */
static bool is_behind(struct gm_outbox *outbox, size_t n)
{
	const struct gm_alarm *alarm = &nth(outbox, n)->transition->alarm;
	for (size_t i = 0; i < n; i++) {
		const struct slot *before = nth(outbox, i);
		if (before->state != SLOT_DONE && gm_alarm_same(&before->transition->alarm, alarm))
			return true;
	}
	return false;
}

static void send_one(struct gm_outbox *outbox, struct slot *slot, int64_t now)
{
	char key[160];
	snprintf(key, sizeof(key), "%s/%llu", outbox->setup.node,
		 (unsigned long long)slot->sequence);
	slot->state = SLOT_SENT;
	slot->ticket = ++outbox->tickets;
	slot->attempts++;
	outbox->in_flight++;
	const struct gm_message message = {
		.transition = slot->transition,
		.node = outbox->setup.node,
		.key = key,
		.sent_at = now,
		.attempt = slot->attempts,
	};
	outbox->setup.ops->send(outbox->output, &message, slot->ticket);
}

static bool may_send(const struct gm_outbox *outbox, int64_t monotonic)
{
	/* After a failure one message feels the way. */
	unsigned most = outbox->failures > 0 ? 1 : outbox->setup.ops->in_flight;
	return outbox->output && !outbox->paused && monotonic >= outbox->not_before &&
	       monotonic >= outbox->wish && outbox->in_flight < most;
}

void gm_outbox_pump(struct gm_outbox *outbox, int64_t now, int64_t monotonic)
{
	if (!is_positioned(outbox, now, monotonic))
		return;
	bound_backlog(outbox);
	expire(outbox, now);
	load(outbox);
	for (size_t i = 0; i < outbox->count && may_send(outbox, monotonic); i++) {
		struct slot *slot = nth(outbox, i);
		if (slot->state != SLOT_WAITING)
			continue;
		bool ready = monotonic >= slot->not_before &&
			     (outbox->setup.ops->in_order || !is_behind(outbox, i));
		if (ready)
			send_one(outbox, slot, now);
		else if (outbox->setup.ops->in_order)
			break;
	}
	settle(outbox);
}

/* ---- verdicts ---- */

static int64_t pause_after(struct gm_outbox *outbox, unsigned failures, int64_t wish)
{
	int64_t pause = outbox->setup.options.retry_min;
	for (unsigned i = 1; i < failures && pause < outbox->setup.options.retry_max; i++)
		pause *= 2;
	if (pause > outbox->setup.options.retry_max)
		pause = outbox->setup.options.retry_max;
	outbox->noise = outbox->noise * 1664525 + 1013904223; /* Numerical Recipes' generator */
	pause -= pause / 4 * (outbox->noise >> 16) / 65536;
	return wish > 0 ? wish : pause;
}

/* Kept although another message that was in flight arrives, or fails without a wish. */
static int64_t note_wish(struct gm_outbox *outbox, int64_t wish, int64_t monotonic)
{
	if (wish > LONGEST_WISH)
		wish = LONGEST_WISH;
	if (wish > 0 && outbox->wish < monotonic + wish)
		outbox->wish = monotonic + wish;
	return wish;
}

static void delivered(struct gm_outbox *outbox, struct slot *slot, int64_t now)
{
	outbox->told = true;
	outbox->row.delivered++;
	outbox->row.delivered_at = now;
	if (outbox->row.failing_since != 0)
		gm_log(GM_LOG_NOTICE, "output %s: works again", outbox->name);
	outbox->row.failing_since = 0;
	outbox->row.error[0] = '\0';
	outbox->failures = 0;
	outbox->not_before = 0;
	finish(slot);
}

static void failed(struct gm_outbox *outbox, const struct gm_verdict *verdict, int64_t now)
{
	const char *reason = verdict->reason ? verdict->reason : "no reason was given";
	if (outbox->row.failing_since == 0) {
		outbox->row.failing_since = now;
		gm_log(GM_LOG_WARNING, "output %s: %s", outbox->name, reason);
	}
	gm_text_shorten(outbox->row.error, sizeof(outbox->row.error), reason);
	outbox->row.retried++;
}

static void refused(struct gm_outbox *outbox, struct slot *slot, const struct gm_verdict *verdict,
		    int64_t monotonic)
{
	int64_t wish = verdict->retry_after < LONGEST_WISH ? verdict->retry_after : LONGEST_WISH;
	slot->not_before = monotonic + pause_after(outbox, ++slot->refusals, wish);
	if (slot->refusals < outbox->setup.options.refusals)
		return;
	outbox->row.refused++;
	give_up(outbox, slot, verdict->reason ? verdict->reason : "it is refused");
	outbox->row.failing_since = 0;
}

static struct slot *find(struct gm_outbox *outbox, uint64_t ticket)
{
	for (size_t i = 0; i < outbox->count; i++) {
		struct slot *slot = nth(outbox, i);
		if (slot->state == SLOT_SENT && slot->ticket == ticket)
			return slot;
	}
	return NULL;
}

void gm_outbox_done(struct gm_outbox *outbox, uint64_t ticket, const struct gm_verdict *verdict,
		    int64_t now, int64_t monotonic)
{
	struct slot *slot = find(outbox, ticket);
	if (!slot && outbox->abandoned > 0) {
		outbox->abandoned--;
		outbox->in_flight--;
	}
	if (!slot)
		return;
	outbox->in_flight--;
	slot->state = SLOT_WAITING;
	if (verdict->kind == GM_VERDICT_DELIVERED) {
		delivered(outbox, slot, now);
		return;
	}
	failed(outbox, verdict, now);
	if (verdict->kind == GM_VERDICT_REFUSED) {
		refused(outbox, slot, verdict, monotonic);
		return;
	}
	int64_t wish = note_wish(outbox, verdict->retry_after, monotonic);
	/* Several that were in flight when the receiver went away are one failure. */
	if (monotonic >= outbox->not_before)
		outbox->not_before = monotonic + pause_after(outbox, ++outbox->failures, wish);
}

void gm_outbox_done_through(struct gm_outbox *outbox, uint64_t sequence, int64_t now)
{
	for (size_t i = 0; i < outbox->count && nth(outbox, i)->sequence <= sequence; i++) {
		struct slot *slot = nth(outbox, i);
		if (slot->state != SLOT_SENT)
			continue;
		outbox->in_flight--;
		delivered(outbox, slot, now);
	}
	settle(outbox);
}

/* ---- the operator ---- */

/* Who says that it is to be told does not mean in an hour. */
static void forget_pauses(struct gm_outbox *outbox)
{
	outbox->wish = outbox->not_before = 0;
}

int gm_outbox_pause(struct gm_outbox *outbox, bool paused)
{
	int result = gm_state_output_pause(outbox->state, outbox->name, paused);
	if (result < 0)
		return result;
	outbox->paused = paused;
	if (!paused)
		forget_pauses(outbox);
	return 0;
}

int gm_outbox_replay(struct gm_outbox *outbox, uint64_t sequence, struct gm_error *err)
{
	uint64_t first = gm_state_first_sequence(outbox->state);
	uint64_t last = gm_state_last_sequence(outbox->state);
	if (!outbox->positioned)
		return gm_error_set(err, -EIO, "the position cannot be read");
	if (sequence < first || sequence > last || first == 0)
		return gm_error_set(err, -ERANGE,
				    "the journal has the sequence numbers %llu to %llu",
				    (unsigned long long)first, (unsigned long long)last);
	if (gm_state_output_replay(outbox->state, outbox->name, sequence - 1, last) < 0)
		return gm_error_set(err, -EIO, "the position cannot be written");
	outbox->position = outbox->stored = sequence - 1;
	outbox->replay_until = last;
	clear_window(outbox);
	forget_pauses(outbox);
	return 0;
}

/* ---- life ---- */

int gm_outbox_create(const struct gm_outbox_setup *setup, struct gm_state *state,
		     struct gm_outbox **ret_outbox)
{
	struct gm_outbox *outbox = calloc(1, sizeof(*outbox));
	if (!outbox)
		return -ENOMEM;
	outbox->setup = *setup;
	gm_text_copy(outbox->name, sizeof(outbox->name), setup->name);
	gm_text_copy(outbox->row.name, sizeof(outbox->row.name), setup->name);
	gm_text_copy(outbox->row.type, sizeof(outbox->row.type), setup->ops->type);
	outbox->state = state;
	outbox->noise = (uint32_t)gm_clock_monotonic();
	is_positioned(outbox, gm_clock_now(), 0);
	*ret_outbox = outbox;
	return 0;
}

void gm_outbox_free(struct gm_outbox *outbox)
{
	if (!outbox)
		return;
	store_positions(&outbox, 1, 0);
	clear_window(outbox);
	free(outbox);
}

void gm_outbox_attach(struct gm_outbox *outbox, struct gm_output *output)
{
	outbox->output = output;
	for (size_t i = 0; output && i < outbox->count; i++) {
		if (nth(outbox, i)->state == SLOT_SENT)
			nth(outbox, i)->state = SLOT_WAITING;
	}
	if (output)
		outbox->in_flight = outbox->abandoned = 0;
}

struct gm_output *gm_outbox_output(const struct gm_outbox *outbox)
{
	return outbox->output;
}

uint64_t gm_outbox_position(const struct gm_outbox *outbox)
{
	return outbox->position;
}

bool gm_outbox_is_paused(const struct gm_outbox *outbox)
{
	return outbox->paused;
}

static enum gm_output_state state_of(const struct gm_outbox *outbox)
{
	if (!outbox->output)
		return GM_OUTPUT_ABSENT;
	if (!outbox->positioned)
		return GM_OUTPUT_WAITING;
	if (outbox->paused)
		return GM_OUTPUT_PAUSED;
	return outbox->row.failing_since != 0 ? GM_OUTPUT_WAITING : GM_OUTPUT_WORKING;
}

void gm_outbox_status(const struct gm_outbox *outbox, int64_t now, int64_t monotonic,
		      struct gm_output_row *ret_row)
{
	*ret_row = outbox->row;
	ret_row->state = state_of(outbox);
	ret_row->position = outbox->position;
	if (outbox->positioned)
		ret_row->backlog = gm_state_last_sequence(outbox->state) - outbox->position;
	ret_row->in_flight = outbox->in_flight;
	int64_t next = outbox->wish > outbox->not_before ? outbox->wish : outbox->not_before;
	if (next > monotonic)
		ret_row->next_try_at = now + (next - monotonic);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions after migrations; see moves.h. Called by slow.c.
 */
#include "source/libvirt/moves.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/queue.h"

/* After a question that got no answer: so long one guest is asked for at a time, and its guest not at all. */
#define REST (30 * GM_SECOND)

enum { SILENT_MAX = 16 }; /* guests that are left out at a time */

struct gm_lv_moves {
	struct gm_queue *named; /* UUIDs */
	uint8_t list[GM_LV_JOB_GUESTS]
		    [GM_UUID_SIZE]; /* taken from there, and asked for from `next` on */
	size_t count, next;
	bool asking;
	size_t worker;
	int64_t asked_at, single_until; /* monotonic */
	int64_t asked;                  /* the node's time */
	struct gm_lv_job job;
	size_t silent_next;
	struct {
		uint8_t uuid[GM_UUID_SIZE];
		int64_t until; /* monotonic */
	} silent[SILENT_MAX];
};

int gm_lv_moves_create(struct gm_lv_moves **ret_moves)
{
	struct gm_lv_moves *moves = calloc(1, sizeof(*moves));

	if (!moves)
		return -ENOMEM;
	int rc = gm_queue_create(
		&(struct gm_queue_options){.capacity = GM_LV_JOB_GUESTS, .free_item = free},
		&moves->named);
	if (rc < 0) {
		free(moves);
		return rc;
	}
	*ret_moves = moves;
	return 0;
}

void gm_lv_moves_free(struct gm_lv_moves *moves)
{
	if (!moves)
		return;
	gm_queue_free(moves->named);
	free(moves);
}

void gm_lv_moves_follow(struct gm_lv_moves *moves, const uint8_t uuid[GM_UUID_SIZE])
{
	uint8_t *item = moves ? malloc(GM_UUID_SIZE) : NULL;

	if (!item)
		return; /* it is named again */
	memcpy(item, uuid, GM_UUID_SIZE);
	gm_queue_push(moves->named, item);
}

static void tell(const struct gm_lv_moves *moves, const struct gm_lv_answer *answer,
		 const struct gm_source_sink *sink)
{
	static const enum gm_guest_event_kind kinds[] = {
		[GM_LV_MOVES] = GM_GUEST_MOVING,
		[GM_LV_STAYS] = GM_GUEST_STAYED,
	};

	for (size_t i = 0; answer->rc == 0 && i < moves->job.guest_count; i++) {
		struct gm_guest_event event = {.key = gm_entity_guest(moves->job.guests[i]),
					       .time = moves->asked};

		if (answer->moves[i] == GM_LV_MOVE_UNKNOWN)
			continue;
		event.kind = kinds[answer->moves[i]];
		sink->event(sink->user, &event);
	}
}

static void note_silence(struct gm_lv_moves *moves, int64_t now)
{
	moves->single_until = now + REST;
	if (moves->job.guest_count != 1)
		return; /* who of them it was is not known */
	memcpy(moves->silent[moves->silent_next].uuid, moves->job.guests[0], GM_UUID_SIZE);
	moves->silent[moves->silent_next].until = now + REST;
	moves->silent_next = (moves->silent_next + 1) % SILENT_MAX;
}

/* True when nothing is being asked for (any more). */
static bool fetch(struct gm_lv_moves *moves, struct gm_lv_crew *crew, int64_t patience,
		  const struct gm_source_sink *sink)
{
	struct gm_lv_answer answer = {0};
	int64_t now = gm_clock_monotonic();

	if (!moves->asking)
		return true;
	if (gm_lv_crew_wait(crew, moves->worker, now, &answer) == 0) {
		tell(moves, &answer, sink);
		gm_lv_records_free(&answer.list);
	} else if (now - moves->asked_at < patience) {
		return false;
	} else {
		gm_lv_crew_abandon(crew, moves->worker);
		note_silence(moves, now);
	}
	moves->asking = false;
	return true;
}

static bool is_listed(const struct gm_lv_moves *moves, const uint8_t *uuid)
{
	for (size_t i = 0; i < moves->count; i++) {
		if (memcmp(moves->list[i], uuid, GM_UUID_SIZE) == 0)
			return true;
	}
	return false;
}

static void take_named(struct gm_lv_moves *moves)
{
	uint8_t *uuid;

	moves->count = moves->next = 0;
	while (moves->count < GM_LV_JOB_GUESTS && (uuid = gm_queue_pop(moves->named))) {
		if (!is_listed(moves, uuid))
			memcpy(moves->list[moves->count++], uuid, GM_UUID_SIZE);
		free(uuid);
	}
}

/* One that hangs would keep the worker from the others. */
static bool may_answer(const struct gm_lv_moves *moves, const struct gm_lv_roster *roster,
		       const uint8_t *uuid, int64_t now)
{
	const struct gm_lv_member *member = gm_lv_roster_find(roster, uuid);

	if (!member || member->hung)
		return false;
	for (size_t i = 0; i < SILENT_MAX; i++) {
		if (now < moves->silent[i].until &&
		    memcmp(moves->silent[i].uuid, uuid, GM_UUID_SIZE) == 0)
			return false;
	}
	return true;
}

static void fill_job(struct gm_lv_moves *moves, const struct gm_lv_roster *roster, int64_t now)
{
	struct gm_lv_job *job = &moves->job;
	size_t most = now < moves->single_until ? 1 : GM_LV_JOB_GUESTS;

	*job = (struct gm_lv_job){.kind = GM_LV_JOB_MOVES};
	for (; moves->next < moves->count && job->guest_count < most; moves->next++) {
		const uint8_t *uuid = moves->list[moves->next];

		if (may_answer(moves, roster, uuid, now))
			memcpy(job->guests[job->guest_count++], uuid, GM_UUID_SIZE);
	}
}

void gm_lv_moves_tick(struct gm_lv_moves *moves, struct gm_lv_crew *crew,
		      const struct gm_lv_roster *roster, int64_t patience,
		      const struct gm_source_sink *sink)
{
	int64_t now = gm_clock_monotonic();

	if (!fetch(moves, crew, patience, sink) || gm_lv_crew_idle(crew) < 2)
		return;
	if (moves->next >= moves->count)
		take_named(moves);
	fill_job(moves, roster, now);
	moves->asked_at = now;
	moves->asked = gm_clock_now();
	moves->asking = moves->job.guest_count > 0 &&
			gm_lv_crew_give(crew, &moves->job, now, &moves->worker) == 0;
}

void gm_lv_moves_abandon(struct gm_lv_moves *moves, struct gm_lv_crew *crew)
{
	if (moves->asking)
		gm_lv_crew_abandon(crew, moves->worker);
	moves->asking = false;
}

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

/* After one that got no answer. */
#define REST (30 * GM_SECOND)

struct gm_lv_moves {
	struct gm_queue *named; /* UUIDs */
	bool asking;
	size_t worker;
	int64_t asked_at, ask_after; /* monotonic */
	struct gm_lv_job job;
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
					       .time = gm_clock_now()};

		if (answer->moves[i] == GM_LV_MOVE_UNKNOWN)
			continue;
		event.kind = kinds[answer->moves[i]];
		sink->event(sink->user, &event);
	}
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
		moves->ask_after = now + REST;
	}
	moves->asking = false;
	return true;
}

static bool is_asked_for(const struct gm_lv_job *job, const uint8_t *uuid)
{
	for (size_t i = 0; i < job->guest_count; i++) {
		if (memcmp(job->guests[i], uuid, GM_UUID_SIZE) == 0)
			return true;
	}
	return false;
}

/* One that hangs would keep the worker from the others. */
static void collect(struct gm_lv_moves *moves, const struct gm_lv_roster *roster)
{
	struct gm_lv_job *job = &moves->job;
	uint8_t *uuid;

	*job = (struct gm_lv_job){.kind = GM_LV_JOB_MOVES};
	while (job->guest_count < GM_LV_JOB_GUESTS && (uuid = gm_queue_pop(moves->named))) {
		const struct gm_lv_member *member = gm_lv_roster_find(roster, uuid);

		if (member && !member->hung && !is_asked_for(job, uuid))
			memcpy(job->guests[job->guest_count++], uuid, GM_UUID_SIZE);
		free(uuid);
	}
}

void gm_lv_moves_tick(struct gm_lv_moves *moves, struct gm_lv_crew *crew,
		      const struct gm_lv_roster *roster, int64_t patience,
		      const struct gm_source_sink *sink)
{
	int64_t now = gm_clock_monotonic();

	if (!fetch(moves, crew, patience, sink) || now < moves->ask_after ||
	    gm_lv_crew_idle(crew) < 2)
		return;
	collect(moves, roster);
	moves->asking = moves->job.guest_count > 0 &&
			gm_lv_crew_give(crew, &moves->job, now, &moves->worker) == 0;
	moves->asked_at = now;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See balloons.h. Called by slow.c.
 */
#include "source/libvirt/balloons.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define WAIT_FIRST (5 * GM_SECOND)
#define WAIT_MOST  (300 * GM_SECOND)
#define LOST  \
	(60 * \
	 GM_SECOND) /* a job that has not been answered by then: libvirt's own limit is half of that */

static int64_t next_wait(int64_t wait)
{
	if (wait == 0)
		return WAIT_FIRST;
	return wait < WAIT_MOST / 2 ? 2 * wait : WAIT_MOST;
}

static void try_later(struct gm_lv_member *member, int64_t now)
{
	member->period.job = 0;
	member->period.wait = next_wait(member->period.wait);
	member->period.after = now + member->period.wait;
}

/* No guest could be asked: that is no guest's fault. */
static void rest(struct gm_lv_balloons *balloons, const struct gm_lv_periods *answer, int64_t now)
{
	balloons->wait = next_wait(balloons->wait);
	balloons->after = now + balloons->wait;
	if (answer->rc != -EROFS || balloons->told)
		return;
	gm_log(GM_LOG_WARNING, "the connection to libvirt is read-only: the period of guests' "
			       "balloons cannot be set");
	balloons->told = true;
}

static void take(struct gm_lv_balloons *balloons, const struct gm_lv_periods *answer,
		 struct gm_lv_roster *roster, int64_t now)
{
	if (answer->rc < 0)
		rest(balloons, answer, now);
	else
		balloons->wait = 0;
	for (size_t i = 0; i < answer->job.guest_count; i++) {
		struct gm_lv_member *member = gm_lv_roster_find(roster, answer->job.guests[i]);

		if (!member || member->period.job != answer->job.number)
			continue; /* gone, or started anew, or asked for once more */
		if (answer->rc < 0)
			member->period.job = 0;
		else if (answer->done[i])
			member->period.done = true;
		else
			try_later(member, now);
	}
}

/* New guests all at once; those that were tried in vain one at a time, if it is time for one. */
static void fill_job(struct gm_lv_job *job, struct gm_lv_roster *roster, bool one, int64_t now)
{
	struct gm_lv_member *again = NULL;

	for (struct gm_lv_member *member = roster->table;
	     member && job->guest_count < GM_LV_JOB_GUESTS; member = member->hh.next) {
		if (member->period.done || member->hung)
			continue;
		if (member->period.job != 0 && now - member->period.asked_at >= LOST)
			try_later(member, now);
		if (member->period.job != 0 || member->period.after > now)
			continue;
		if (member->period.wait == 0)
			memcpy(job->guests[job->guest_count++], member->uuid, GM_UUID_SIZE);
		else if (!again || member->period.after < again->period.after)
			again = member;
	}
	if (job->guest_count > 0 || !again || !one)
		return;
	job->again = true;
	memcpy(job->guests[job->guest_count++], again->uuid, GM_UUID_SIZE);
}

void gm_lv_balloons_tick(struct gm_lv_balloons *balloons, struct gm_lv_crew *crew,
			 struct gm_lv_roster *roster, int64_t now)
{
	struct gm_lv_job job = {.kind = GM_LV_JOB_PERIOD, .number = balloons->jobs + 1};
	struct gm_lv_periods answer;
	size_t worker;

	while (gm_lv_crew_take_periods(crew, &answer))
		take(balloons, &answer, roster, now);
	bool busy = gm_lv_crew_busy(crew, GM_LV_JOB_PERIOD) > 0;
	/* A worker that is held up must not be followed by the last one that is free. */
	if (balloons->after > now || gm_lv_crew_idle(crew) < (busy ? 2 : 1))
		return;
	fill_job(&job, roster, !busy || now - balloons->given_at >= LOST, now);
	if (job.guest_count == 0 || gm_lv_crew_give(crew, &job, gm_clock_monotonic(), &worker) < 0)
		return;
	balloons->jobs = job.number;
	balloons->given_at = now;
	for (size_t i = 0; i < job.guest_count; i++) {
		struct gm_lv_member *member = gm_lv_roster_find(roster, job.guests[i]);

		member->period.job = job.number;
		member->period.asked_at = now;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow lane: balloon, vCPUs, CPU time and disks of all guests, which libvirt asks the guests'
 * monitors for. The asking is done by workers that may hang (crew.h); this file decides who is
 * asked when, and turns answers into samples on its own thread. Run by source/runner.h.
 */
#define HASH_NONFATAL_OOM 1
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include "base/clock.h"
#include "source/libvirt/crew.h"
#include "source/libvirt/details.h"
#include "source/libvirt/libvirt.h"
#include "source/libvirt/stats.h"

/* What is remembered of a guest from tick to tick. */
struct history {
	uint8_t uuid[GM_UUID_SIZE];
	int id;           /* libvirt's: another for each start */
	uint64_t tick;    /* in which it was last listed */
	bool period_done; /* its balloon's period has been seen to, for this start */
	struct gm_lv_balloon balloon;
	UT_hash_handle hh;
};

struct slow {
	struct gm_source source;
	struct gm_libvirt_options options;
	struct gm_lv_crew *crew;
	struct history *histories;
	uint64_t tick;
};

static struct history *put_history(struct slow *slow, const uint8_t *uuid)
{
	struct history *history;

	HASH_FIND(hh, slow->histories, uuid, GM_UUID_SIZE, history);
	if (history)
		return history;
	history = calloc(1, sizeof(*history));
	if (!history)
		return NULL;
	memcpy(history->uuid, uuid, GM_UUID_SIZE);
	HASH_ADD(hh, slow->histories, uuid, GM_UUID_SIZE, history);
	if (!history->hh.tbl) {
		free(history);
		return NULL;
	}
	return history;
}

/* Forgets guests that were not listed in this tick. */
static void sweep(struct slow *slow)
{
	struct history *history, *following;

	HASH_ITER (hh, slow->histories, history, following) {
		if (history->tick == slow->tick)
			continue;
		HASH_DEL(slow->histories, history);
		free(history);
	}
}

/* The wall clock, by which libvirt dates, less the node's time. */
static int64_t wall_offset(void)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return (int64_t)wall.tv_sec * GM_SECOND + wall.tv_nsec - gm_clock_now();
}

static void convert(struct slow *slow, const struct gm_lv_record_list *list, struct gm_batch *batch)
{
	int64_t offset = wall_offset();

	slow->tick++;
	batch->source = GM_SOURCE_LIBVIRT_SLOW;
	for (size_t i = 0; i < list->count; i++) {
		const struct gm_lv_item *item = &list->items[i];
		struct gm_lv_record record = {.uuid = item->uuid,
					      .params = item->params,
					      .count = (size_t)item->param_count,
					      .read_at = item->read_at,
					      .offset = offset};
		struct history *history = put_history(slow, item->uuid);

		if (!history)
			continue;
		int id = (int)virDomainGetID(item->domain);
		if (history->id != id)
			history->period_done = false;
		history->id = id;
		history->tick = slow->tick;
		gm_lv_stats_slow(&record, &history->balloon, batch);
		gm_lv_details_notes(&record, item->pins, batch);
	}
	sweep(slow);
}

/* Has the balloon's period of new guests set, if a worker has nothing else to do. */
static void see_to_periods(struct slow *slow)
{
	struct gm_lv_job job = {.kind = GM_LV_JOB_PERIOD};
	size_t worker;

	if (slow->options.balloon_period == 0)
		return;
	for (const struct history *history = slow->histories;
	     history && job.guest_count < GM_LV_JOB_GUESTS; history = history->hh.next) {
		if (!history->period_done)
			memcpy(job.guests[job.guest_count++], history->uuid, GM_UUID_SIZE);
	}
	if (job.guest_count == 0 ||
	    gm_lv_crew_give(slow->crew, &job, gm_clock_monotonic(), &worker) < 0)
		return;
	for (size_t i = 0; i < job.guest_count; i++) {
		struct history *history;

		HASH_FIND(hh, slow->histories, job.guests[i], GM_UUID_SIZE, history);
		if (history)
			history->period_done = true;
	}
}

/* A sentence on the workers that hang, which is not a failure as long as one works. */
static int describe_stuck(const struct slow *slow, int code, struct gm_error *err)
{
	unsigned stuck = gm_lv_crew_stuck(slow->crew);

	if (stuck == 0)
		return code;
	return gm_error_set(
		err, code,
		"%u of %d workers wait%s for a hung guest or libvirtd (%llu late answers dropped)",
		stuck, (int)slow->options.slow_workers, stuck == 1 ? "s" : "",
		(unsigned long long)gm_lv_crew_late(slow->crew));
}

/* Has a job done within the deadline. 0, or a negative errno with `err`. */
static int have_done(struct slow *slow, enum gm_lv_job_kind kind, struct gm_lv_answer *ret_answer,
		     struct gm_error *err)
{
	int64_t deadline = gm_clock_monotonic() + slow->options.slow_deadline;
	struct gm_lv_job job = {.kind = kind};
	size_t worker;

	int rc = gm_lv_crew_give(slow->crew, &job, deadline, &worker);
	if (rc == 0)
		rc = gm_lv_crew_wait(slow->crew, worker, deadline, ret_answer);
	if (rc < 0) {
		gm_error_set(err, rc, "no worker is free");
		return describe_stuck(slow, rc, err);
	}
	if (ret_answer->rc < 0)
		return gm_error_set(err, ret_answer->rc, "%s", ret_answer->err.text);
	return 0;
}

static int slow_open(struct gm_source *source, struct gm_error *err)
{
	struct slow *slow = (struct slow *)source;
	struct gm_lv_answer answer = {0};
	int rc;

	if (!slow->crew) {
		rc = gm_lv_crew_create(&slow->options, gm_lv_records_read, &slow->crew);
		if (rc < 0)
			return gm_error_set(err, rc, "cannot start the workers");
	}
	rc = have_done(slow, GM_LV_JOB_CONNECT, &answer, err);
	gm_lv_records_free(&answer.list);
	return rc;
}

static int slow_poll(struct gm_source *source, int64_t now, const struct gm_source_sink *sink,
		     uint32_t *ret_entities, struct gm_error *err)
{
	struct slow *slow = (struct slow *)source;
	struct gm_lv_answer answer = {0};
	int rc = have_done(slow, GM_LV_JOB_COLLECT, &answer, err);

	(void)now; /* samples are dated by when the workers read */
	if (rc == -ETIMEDOUT && gm_lv_crew_stuck(slow->crew) < (unsigned)slow->options.slow_workers)
		return 0; /* the sentence stands; the next tick has another worker */
	if (rc < 0)
		return rc;
	struct gm_batch *batch = gm_batch_create();
	if (!batch) {
		rc = gm_error_set(err, -ENOMEM, "out of memory");
		goto cleanup;
	}
	convert(slow, &answer.list, batch);
	*ret_entities = (uint32_t)answer.list.count;
	sink->samples(sink->user, batch);
	see_to_periods(slow);
	rc = describe_stuck(slow, 0, err);
cleanup:
	gm_lv_records_free(&answer.list);
	return rc;
}

/* The workers keep their connections and see for themselves whether they are still good. */
static void slow_close(struct gm_source *source)
{
	(void)source;
}

static void slow_destroy(struct gm_source *source)
{
	struct slow *slow = (struct slow *)source;

	slow->tick++;
	sweep(slow);
	gm_lv_crew_free(slow->crew, slow->options.slow_deadline);
	free(slow);
}

static const struct gm_source_ops slow_ops = {
	.id = GM_SOURCE_LIBVIRT_SLOW,
	.open = slow_open,
	.poll = slow_poll,
	.close = slow_close,
	.destroy = slow_destroy,
};

int gm_libvirt_slow_create(const struct gm_libvirt_options *options, struct gm_source **ret_source)
{
	struct slow *slow = calloc(1, sizeof(*slow));

	if (!slow)
		return -ENOMEM;
	slow->source.ops = &slow_ops;
	slow->options = *options;
	*ret_source = &slow->source;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow lane: balloon, vCPUs, CPU time and disks of all guests, which libvirt asks the guests'
 * monitors for. The asking is done by workers that may hang (crew.h); this file decides who is
 * asked when, and turns answers into samples on its own thread. A batch that takes much longer than
 * usual is left to its worker and asked for anew on another, so that one guest that begins to hang
 * costs the others no more than that time. One that is not answered within its deadline though
 * nobody hangs (so many guests begin at once, the machine is so busy) is waited for at the next
 * ticks: asked for anew each time, it would be answered never. Run by source/runner.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "source/libvirt/balloons.h"
#include "source/libvirt/crew.h"
#include "source/libvirt/details.h"
#include "source/libvirt/fresh.h"
#include "source/libvirt/libvirt.h"
#include "source/libvirt/moves.h"
#include "source/libvirt/roster.h"
#include "source/libvirt/stats.h"
#include "source/libvirt/uris.h"

/* A batch is asked for anew when it takes so many times longer than usual, and so long at least. */
enum {
	PATIENCE_FACTOR = 8,
	GRACE_MAX = 16, /* ticks that an overdue batch is waited for at most */
};
#define PATIENCE_LEAST (400 * GM_MILLISECOND)

/* So long the threads below are waited for at the end; they know of it already. */
#define FAREWELL (700 * GM_MILLISECOND)

struct slow {
	struct gm_source source;
	struct gm_libvirt_options options;
	struct gm_lv_crew *crew;
	struct gm_lv_roster roster;
	struct gm_lv_fresh *fresh; /* NULL: no guest is looked at more closely */
	struct gm_lv_moves *moves;
	struct gm_lv_balloons balloons;
	int64_t usual; /* ns that a batch takes, smoothed; 0: not known */
	bool overdue;  /* a batch of an earlier tick is waited for, of this worker */
	size_t overdue_worker;
	int64_t asked_at;             /* monotonic */
	unsigned waited_ticks, grace; /* grace: for how many; more when that was in vain */
	uint64_t late;                /* answers of probes that were dropped */
	uint64_t crew_late;
};

/* The wall clock, by which libvirt dates, less the node's time. */
static int64_t wall_offset(void)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return (int64_t)wall.tv_sec * GM_SECOND + wall.tv_nsec - gm_clock_now();
}

static struct gm_lv_record record_of(const struct gm_lv_item *item, int64_t offset)
{
	return (struct gm_lv_record){.uuid = item->uuid,
				     .params = item->params,
				     .count = (size_t)item->param_count,
				     .took = item->took,
				     .read_at = item->read_at,
				     .offset = offset};
}

static void take_record(const struct slow *slow, struct gm_lv_member *member,
			struct gm_lv_record *record, struct gm_batch *batch)
{
	record->uncounted = !gm_lv_dating_take(&member->dating, gm_lv_stats_measured_at(record),
					       record->took, slow->options.slow_interval);
	gm_lv_stats_slow(record, &member->history, batch);
}

static void convert(struct slow *slow, const struct gm_lv_record_list *list, bool stuck,
		    struct gm_batch *batch)
{
	int64_t offset = wall_offset(), now = gm_clock_monotonic();

	batch->source = (uint8_t)slow->source.ops->id;
	for (size_t i = 0; i < list->count; i++) {
		const struct gm_lv_item *item = &list->items[i];
		struct gm_lv_record record = record_of(item, offset);
		struct gm_lv_member *member =
			gm_lv_roster_list(&slow->roster, item->uuid, virDomainGetName(item->domain),
					  (int)virDomainGetID(item->domain));

		if (!member || item->skipped)
			continue;
		record.told_elsewhere = gm_lv_fresh_covers(slow->fresh, item->uuid);
		/* One that is looked at more closely answers there, and may be busy with that. */
		bool monitored = record.told_elsewhere || gm_lv_stats_monitored(&record);
		if (!gm_lv_member_judge(member, monitored, stuck, now))
			continue;
		take_record(slow, member, &record, batch);
		gm_lv_details_notes(&record, item->pins, batch);
	}
}

/* Forgets guests that were not listed in this tick. */
static void sweep(struct slow *slow)
{
	struct gm_lv_member *member;

	while ((member = gm_lv_roster_take_unlisted(&slow->roster))) {
		if (member->probing)
			gm_lv_crew_abandon(slow->crew, member->worker);
		free(member);
	}
}

/* Has the dirty rate of those measured that are due, if a worker has nothing else to do. */
static void measure_dirty_rates(struct slow *slow)
{
	int64_t now = gm_clock_monotonic();
	struct gm_lv_job job = {.kind = GM_LV_JOB_DIRTY};
	size_t worker;

	if (slow->options.dirty_rate == 0 || gm_lv_crew_idle(slow->crew) < 2)
		return;
	for (struct gm_lv_member *member = slow->roster.table;
	     member && job.guest_count < GM_LV_JOB_GUESTS; member = member->hh.next) {
		if (member->hung || member->dirty_after > now)
			continue;
		member->dirty_after = now + slow->options.dirty_rate;
		memcpy(job.guests[job.guest_count++], member->uuid, GM_UUID_SIZE);
	}
	if (job.guest_count > 0)
		gm_lv_crew_give(slow->crew, &job, now, &worker);
}

/* The probe of `member` has returned. What it tells is dropped when it took too long. */
static void take_probe(struct slow *slow, struct gm_lv_member *member, struct gm_lv_answer *answer,
		       struct gm_batch *batch)
{
	int64_t now = gm_clock_monotonic();
	bool late = now - member->probed_at > slow->options.slow_deadline;

	member->probing = false;
	for (size_t i = 0; answer->rc == 0 && i < answer->list.count; i++) {
		struct gm_lv_record record = record_of(&answer->list.items[i], wall_offset());

		if (gm_lv_member_judge(member, gm_lv_stats_monitored(&record), false, now) && !late)
			take_record(slow, member, &record, batch);
	}
	slow->late += late;
	gm_lv_records_free(&answer->list);
}

/*
 * Looks after the guests that hang: fetches what probes have brought, and gives new ones while that
 * leaves a worker for the batch. When a worker has come free late, somebody may answer again.
 */
static void probe(struct slow *slow, struct gm_batch *batch)
{
	int64_t now = gm_clock_monotonic();
	uint64_t late = gm_lv_crew_late(slow->crew);
	bool early = late != slow->crew_late;
	struct gm_lv_member *member;

	slow->crew_late = late;
	for (member = slow->roster.table; member; member = member->hh.next) {
		struct gm_lv_answer answer = {0};

		if (member->probing &&
		    gm_lv_crew_wait(slow->crew, member->worker, now, &answer) == 0)
			take_probe(slow, member, &answer, batch);
	}
	while (gm_lv_crew_idle(slow->crew) > 1 &&
	       (member = gm_lv_roster_due(&slow->roster, now, early))) {
		struct gm_lv_job job = {.kind = GM_LV_JOB_PROBE, .guest_count = 1};

		memcpy(job.guests[0], member->uuid, GM_UUID_SIZE);
		member->probing = gm_lv_crew_give(slow->crew, &job, now, &member->worker) == 0;
		member->probed_at = now;
		if (!member->probing)
			return;
	}
}

/*
 * A sentence on the guests and workers that hang, which is not a failure as long as one works. It
 * holds no time, so that it is said once.
 */
static int describe_hung(const struct slow *slow, int code, struct gm_error *err)
{
	uint8_t uuids[GM_LV_JOB_GUESTS][GM_UUID_SIZE];
	size_t hung = gm_lv_roster_hung(&slow->roster, uuids, GM_LV_JOB_GUESTS);
	unsigned stuck = gm_lv_crew_stuck(slow->crew);
	unsigned long long late = gm_lv_crew_late(slow->crew) + slow->late;

	if (hung > 0) {
		char name[80];
		gm_text_quote(name, sizeof(name), gm_lv_roster_find(&slow->roster, uuids[0])->name);
		return gm_error_set(
			err, code, "%zu guest%s not answer: %s%s; late answers dropped: %llu", hung,
			hung == 1 ? " does" : "s do", name, hung == 1 ? "" : ", …", late);
	}
	if (stuck == 0)
		return code;
	return gm_error_set(
		err, code,
		"%u of %d workers wait%s for a hung guest or libvirtd; late answers dropped: %llu",
		stuck, (int)slow->options.slow_workers, stuck == 1 ? "s" : "", late);
}

/* How long a batch may take before it is asked for on another worker. */
static int64_t patience(const struct slow *slow)
{
	int64_t patience = PATIENCE_FACTOR * slow->usual;

	if (patience < PATIENCE_LEAST)
		patience = PATIENCE_LEAST;
	return patience < slow->options.slow_deadline ? patience : slow->options.slow_deadline;
}

/* Waits for the answer, which another worker may give as well. 0 or a negative errno. */
static int await(struct slow *slow, const struct gm_lv_job *job, size_t worker, int64_t deadline,
		 struct gm_lv_answer *ret_answer)
{
	int64_t first = gm_clock_monotonic() + patience(slow);
	int rc = gm_lv_crew_wait(slow->crew, worker, first, ret_answer);

	if (rc == -ETIMEDOUT && first < deadline && gm_lv_crew_idle(slow->crew) > 0) {
		gm_lv_crew_abandon(slow->crew, worker);
		rc = gm_lv_crew_give(slow->crew, job, deadline, &worker);
		if (rc < 0)
			return rc;
		rc = -ETIMEDOUT;
	}
	if (rc == -ETIMEDOUT)
		rc = gm_lv_crew_wait(slow->crew, worker, deadline, ret_answer);
	if (rc < 0 && job->kind == GM_LV_JOB_COLLECT) {
		slow->overdue = true;
		slow->overdue_worker = worker;
		slow->waited_ticks = 0;
	} else if (rc < 0) {
		gm_lv_crew_abandon(slow->crew, worker);
	}
	return rc;
}

/* The batch of an earlier tick; what it brings is dated by when it was read (dating.h). */
static int await_overdue(struct slow *slow, int64_t deadline, struct gm_lv_answer *ret_answer)
{
	int rc = gm_lv_crew_wait(slow->crew, slow->overdue_worker, deadline, ret_answer);

	if (rc == 0) {
		slow->overdue = false;
	} else if (++slow->waited_ticks >= slow->grace) {
		/* A guest that hangs has it: the next one passes that guest over. */
		gm_lv_crew_abandon(slow->crew, slow->overdue_worker);
		slow->overdue = false;
		slow->grace = slow->grace < GRACE_MAX ? 2 * slow->grace : GRACE_MAX;
	}
	return rc;
}

static int ask(struct slow *slow, enum gm_lv_job_kind kind, int64_t deadline,
	       struct gm_lv_answer *ret_answer)
{
	struct gm_lv_job job = {.kind = kind};
	size_t worker;
	int rc;

	if (kind == GM_LV_JOB_COLLECT && slow->overdue)
		return await_overdue(slow, deadline, ret_answer);
	slow->asked_at = gm_clock_monotonic();
	job.guest_count = gm_lv_roster_hung(&slow->roster, job.guests, GM_LV_JOB_GUESTS);
	rc = gm_lv_crew_give(slow->crew, &job, deadline, &worker);
	return rc < 0 ? rc : await(slow, &job, worker, deadline, ret_answer);
}

static const char *reason_of(int rc, enum gm_lv_job_kind kind)
{
	if (rc != -ETIMEDOUT)
		return "no worker is free";
	return kind == GM_LV_JOB_CONNECT ? "connecting takes longer than slow-deadline"
					 : "guests take longer than slow-deadline to answer";
}

/* Has a job done within the deadline. 0, or a negative errno with `err`. */
static int have_done(struct slow *slow, enum gm_lv_job_kind kind, struct gm_lv_answer *ret_answer,
		     struct gm_error *err)
{
	int64_t deadline = gm_clock_monotonic() + slow->options.slow_deadline;
	int rc = ask(slow, kind, deadline, ret_answer);

	if (rc < 0) {
		gm_error_set(err, rc, "%s", reason_of(rc, kind));
		return describe_hung(slow, rc, err);
	}
	if (ret_answer->rc < 0)
		return gm_error_set(err, ret_answer->rc, "%s", ret_answer->err.text);
	int64_t took = gm_clock_monotonic() - slow->asked_at;
	if (kind == GM_LV_JOB_COLLECT) {
		slow->usual = slow->usual == 0 ? took : slow->usual + (took - slow->usual) / 8;
		slow->grace = 1;
	}
	return 0;
}

static int slow_open(struct gm_source *source, struct gm_error *err)
{
	struct slow *slow = (struct slow *)source;
	struct gm_lv_answer answer = {0};
	int rc = have_done(slow, GM_LV_JOB_CONNECT, &answer, err);

	gm_lv_records_free(&answer.list);
	return rc;
}

static int slow_poll(struct gm_source *source, int64_t now, const struct gm_source_sink *sink,
		     uint32_t *ret_entities, struct gm_error *err)
{
	struct slow *slow = (struct slow *)source;
	struct gm_lv_answer answer = {0};
	gm_lv_fresh_attach(slow->fresh, sink);
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
	slow->roster.tick++;
	convert(slow, &answer.list, gm_lv_crew_stuck_reading(slow->crew) > 0, batch);
	sweep(slow);
	probe(slow, batch);
	gm_lv_moves_tick(slow->moves, slow->crew, &slow->roster, slow->options.slow_deadline, sink);
	*ret_entities = (uint32_t)answer.list.count;
	sink->samples(sink->user, batch);
	if (slow->options.balloon_period > 0 && !gm_lv_uri_is_remote(slow->options.uri))
		gm_lv_balloons_tick(&slow->balloons, slow->crew, &slow->roster,
				    gm_clock_monotonic());
	measure_dirty_rates(slow);
	rc = describe_hung(slow, 0, err);
cleanup:
	gm_lv_records_free(&answer.list);
	return rc;
}

/*
 * The workers keep their connections and see for themselves whether they are still good. Nobody fetches
 * answers until the lane is open again: a worker that held one would not be free for that.
 */
static void slow_close(struct gm_source *source)
{
	struct slow *slow = (struct slow *)source;

	if (slow->overdue)
		gm_lv_crew_abandon(slow->crew, slow->overdue_worker);
	slow->overdue = false;
	slow->waited_ticks = 0;
	for (struct gm_lv_member *member = slow->roster.table; member; member = member->hh.next) {
		if (member->probing)
			gm_lv_crew_abandon(slow->crew, member->worker);
		member->probing = false;
	}
	gm_lv_moves_abandon(slow->moves, slow->crew);
}

static void slow_quit(struct gm_source *source)
{
	struct slow *slow = (struct slow *)source;

	gm_lv_fresh_quit(slow->fresh);
	gm_lv_crew_quit(slow->crew);
}

static void slow_destroy(struct gm_source *source)
{
	struct slow *slow = (struct slow *)source;
	int64_t deadline = gm_clock_monotonic() + FAREWELL;

	gm_lv_roster_free(&slow->roster);
	gm_lv_fresh_quit(slow->fresh);
	gm_lv_crew_free(slow->crew, deadline);
	gm_lv_fresh_free(slow->fresh, deadline);
	gm_lv_moves_free(slow->moves);
	free(slow);
}

static void slow_suspect(struct gm_source *source, const struct gm_entity_key *key)
{
	struct slow *slow = (struct slow *)source;

	if (key->kind == GM_ENTITY_GUEST)
		gm_lv_fresh_suspect(slow->fresh, key->uuid);
}

static void slow_follow(struct gm_source *source, const struct gm_entity_key *key)
{
	struct slow *slow = (struct slow *)source;

	if (key->kind == GM_ENTITY_GUEST)
		gm_lv_moves_follow(slow->moves, key->uuid);
}

#define SLOW_LANE(source_id)                                                              \
	{                                                                                 \
		.id = source_id, .open = slow_open, .poll = slow_poll, .quit = slow_quit, \
		.close = slow_close, .destroy = slow_destroy, .suspect = slow_suspect,    \
		.follow = slow_follow                                                     \
	}

static const struct gm_source_ops slow_ops[GM_LIBVIRT_URIS] = {
	SLOW_LANE(GM_SOURCE_LIBVIRT_SLOW), SLOW_LANE(GM_SOURCE_LIBVIRT_2_SLOW),
	SLOW_LANE(GM_SOURCE_LIBVIRT_3_SLOW), SLOW_LANE(GM_SOURCE_LIBVIRT_4_SLOW)};

int gm_libvirt_slow_create(const struct gm_libvirt_options *options, unsigned uri,
			   struct gm_source **ret_source)
{
	struct slow *slow = calloc(1, sizeof(*slow));

	if (!slow)
		return -ENOMEM;
	slow->source.ops = &slow_ops[uri];
	slow->options = *options;
	slow->grace = 1;
	gm_lv_uris_get(options->uri, uri, slow->options.uri);
	int rc = gm_lv_crew_create(&slow->options, gm_lv_records_read, &slow->crew);
	if (rc == 0)
		rc = gm_lv_moves_create(&slow->moves);
	if (rc == 0 && options->fresh_guests > 0 && options->balloon_period > 0 &&
	    !gm_lv_uri_is_remote(slow->options.uri))
		rc = gm_lv_fresh_create(&slow->options, slow->source.ops->id, &slow->fresh);
	if (rc < 0) {
		slow_destroy(&slow->source);
		return rc;
	}
	*ret_source = &slow->source;
	return 0;
}

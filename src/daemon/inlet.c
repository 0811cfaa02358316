/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages from other threads to main; see inlet.h. uv_async_send() wakes the loop; libuv coalesces
 * wake-ups, so a turn takes all that is in the queues, as far as its time goes.
 */
#include "daemon/inlet.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/queue.h"
#include "daemon/managed.h"

enum {
	SAMPLES_CAPACITY = 256,   /* batches: several seconds of all sources */
	NOTICES_CAPACITY = 65536, /* thousands of guests appearing at once */
	CHANGES_CAPACITY = 1024,  /* by managers, while main is busy with something else */
	RUN_MAX = 256,            /* notices that are looked at together */
};

/* So long a turn of the loop takes notices, and batches, before it goes on with something else. */
#define TURN (50 * GM_MILLISECOND)

enum notice_kind { SEEN, GONE, EVENT, SOURCE_STATUS, MIB_STATUS, DELIVERED };

struct notice {
	enum notice_kind kind;
	enum gm_source_id source;
	union {
		struct gm_entity_info info;
		struct {
			struct gm_entity_key key;
			int64_t time;
		} gone;
		struct gm_guest_event event;
		struct gm_source_status source_status;
		struct gm_mib_status mib_status;
		uint64_t sequence;
	};
};

struct gm_inlet {
	struct gm_inlet_handler handler;
	struct gm_source_sink source_sink;
	struct gm_mib_host mib_host;
	struct gm_queue *samples, *notices, *changes;
	/* The run of notices that a turn had no time for to the end. */
	struct notice *run[RUN_MAX];
	size_t run_length, run_next;
	/* The agent thread's. */
	uint64_t changes_dropped;
	struct gm_log_limit changes_limit;
	uv_async_t wake;
};

static void push_copy(struct gm_queue *queue, const void *message, size_t size)
{
	void *copy = malloc(size);
	if (!copy) {
		gm_log(GM_LOG_ERROR, "out of memory: a message between threads is lost");
		return;
	}
	memcpy(copy, message, size);
	gm_queue_push(queue, copy);
}

static void push_notice(struct gm_inlet *inlet, const struct notice *notice)
{
	push_copy(inlet->notices, notice, sizeof(*notice));
}

static void on_samples(void *user, struct gm_batch *batch)
{
	struct gm_inlet *inlet = user;
	gm_queue_push(inlet->samples, batch);
}

static void on_seen(void *user, enum gm_source_id source, const struct gm_entity_info *info)
{
	push_notice(user, &(struct notice){.kind = SEEN, .source = source, .info = *info});
}

static void on_gone(void *user, enum gm_source_id source, const struct gm_entity_key *key,
		    int64_t time)
{
	push_notice(user, &(struct notice){.kind = GONE, .source = source, .gone = {*key, time}});
}

static void on_event(void *user, const struct gm_guest_event *event)
{
	push_notice(user, &(struct notice){.kind = EVENT, .event = *event});
}

static void on_source_status(void *user, const struct gm_source_status *status)
{
	push_notice(user, &(struct notice){.kind = SOURCE_STATUS, .source_status = *status});
}

static void on_mib_status(void *user, const struct gm_mib_status *status)
{
	push_notice(user, &(struct notice){.kind = MIB_STATUS, .mib_status = *status});
}

static void on_delivered(void *user, uint64_t sequence)
{
	push_notice(user, &(struct notice){.kind = DELIVERED, .sequence = sequence});
}

static void on_change(void *user, const struct gm_mib_change *change)
{
	struct gm_inlet *inlet = user;
	push_copy(inlet->changes, change, sizeof(*change));
	uint64_t dropped = gm_queue_dropped(inlet->changes);
	if (dropped > inlet->changes_dropped &&
	    gm_log_allowed(&inlet->changes_limit, gm_clock_monotonic(), 10 * GM_SECOND, NULL)) {
		gm_log(GM_LOG_ERROR,
		       "mib: %" PRIu64 " changes by managers are lost: more than %d at once",
		       dropped - inlet->changes_dropped, CHANGES_CAPACITY);
		inlet->changes_dropped = dropped;
	}
}

static void dispatch(const struct gm_inlet_handler *handler, const struct notice *notice)
{
	switch (notice->kind) {
	case SEEN:
		handler->seen(handler->user, notice->source, &notice->info);
		break;
	case GONE:
		handler->gone(handler->user, notice->source, &notice->gone.key, notice->gone.time);
		break;
	case EVENT:
		handler->event(handler->user, &notice->event);
		break;
	case SOURCE_STATUS:
		handler->source_status(handler->user, &notice->source_status);
		break;
	case MIB_STATUS:
		handler->mib_status(handler->user, &notice->mib_status);
		break;
	case DELIVERED:
		handler->delivered(handler->user, notice->sequence);
		break;
	}
}

static void foretell(const struct gm_inlet_handler *handler, struct notice *const *run,
		     size_t length)
{
	const struct gm_entity_info *infos[RUN_MAX];
	enum gm_source_id sources[RUN_MAX];
	size_t count = 0;

	for (size_t i = 0; i < length; i++) {
		if (run[i]->kind != SEEN)
			continue;
		sources[count] = run[i]->source;
		infos[count++] = &run[i]->info;
	}
	if (count > 0)
		handler->foreseen(handler->user, sources, infos, count);
}

/* What one turn of the loop takes at most. */
struct share {
	size_t notices, changes, batches; /* or fewer when others have pushed them out */
	int64_t time; /* ns for notices, and as much for batches; 0: as long as it takes */
};

static bool is_over(const struct share *share, int64_t began)
{
	return share->time != 0 && gm_clock_monotonic() - began >= share->time;
}

static bool has_run(const struct gm_inlet *inlet)
{
	return inlet->run_next < inlet->run_length;
}

static void pop_run(struct gm_inlet *inlet, struct share *share)
{
	size_t length = 0;

	while (length < RUN_MAX && length < share->notices &&
	       (inlet->run[length] = gm_queue_pop(inlet->notices)))
		length++;
	share->notices = length > 0 ? share->notices - length : 0;
	inlet->run_length = length;
	inlet->run_next = 0;
	foretell(&inlet->handler, inlet->run, length);
}

/* False: there is none, or no more time. */
static bool take_run(struct gm_inlet *inlet, struct share *share, int64_t began)
{
	const struct gm_inlet_handler *handler = &inlet->handler;

	if (!has_run(inlet) && share->notices == 0)
		return false;
	handler->begin(handler->user);
	if (!has_run(inlet))
		pop_run(inlet, share);
	while (has_run(inlet)) {
		struct notice *notice = inlet->run[inlet->run_next++];

		dispatch(handler, notice);
		free(notice);
		if (is_over(share, began))
			break;
	}
	handler->end(handler->user);
	return !is_over(share, began);
}

static void take_changes(struct gm_inlet *inlet, struct share *share)
{
	const struct gm_inlet_handler *handler = &inlet->handler;
	struct gm_mib_change *change;

	if (share->changes == 0)
		return;
	handler->begin(handler->user);
	while (share->changes-- > 0 && (change = gm_queue_pop(inlet->changes))) {
		handler->change(handler->user, change);
		free(change);
	}
	handler->end(handler->user);
}

static void take_batches(struct gm_inlet *inlet, struct share *share)
{
	const struct gm_inlet_handler *handler = &inlet->handler;
	int64_t began = gm_clock_monotonic();
	struct gm_batch *batch;

	if (share->batches == 0)
		return;
	handler->begin(handler->user);
	do {
		batch = gm_queue_pop(inlet->samples);
		if (batch)
			handler->samples(handler->user, batch);
		gm_batch_free(batch);
	} while (batch && --share->batches > 0 && !is_over(share, began));
	handler->end(handler->user);
}

/*
 * Notices first: a guest's identity comes before its first samples. Of a storm of them a turn takes as many
 * as fit into its time, and samples do not wait for the rest: their queue is short. Of who is not known yet
 * only the first are left out then; those of a device that was just given to another guest are still taken
 * for the one before, until the notice of it is.
 */
static void take(struct gm_inlet *inlet, int64_t time)
{
	int64_t began = gm_clock_monotonic();
	struct share share = {.time = time};

	/* Counted first: what was told before these is among the notices then, all of which a usual turn takes. */
	share.batches = gm_queue_length(inlet->samples);
	share.notices = gm_queue_length(inlet->notices);
	share.changes = gm_queue_length(inlet->changes);
	while (take_run(inlet, &share, began))
		;
	take_changes(inlet, &share);
	take_batches(inlet, &share);
}

/*
 * What comes meanwhile waits for the next turn, and so does what a turn has no time for: sources that are
 * faster than main must not keep it from its timers and its clients.
 */
static void on_wake(uv_async_t *wake)
{
	struct gm_inlet *inlet = wake->data;
	take(inlet, TURN);
	if (has_run(inlet) || gm_queue_length(inlet->notices) > 0 ||
	    gm_queue_length(inlet->changes) > 0 || gm_queue_length(inlet->samples) > 0)
		uv_async_send(wake);
}

static void wake_loop(void *user)
{
	struct gm_inlet *inlet = user;
	uv_async_send(&inlet->wake);
}

static void free_batch(void *item)
{
	gm_batch_free(item);
}

int gm_inlet_create(uv_loop_t *loop, const struct gm_inlet_handler *handler,
		    struct gm_inlet **ret_inlet)
{
	struct gm_inlet *inlet = calloc(1, sizeof(*inlet));
	if (!inlet)
		return -ENOMEM;
	inlet->handler = *handler;
	inlet->source_sink = (struct gm_source_sink){
		.samples = on_samples,
		.seen = on_seen,
		.gone = on_gone,
		.event = on_event,
		.status = on_source_status,
		.user = inlet,
	};
	inlet->mib_host = (struct gm_mib_host){.delivered = on_delivered,
					       .status = on_mib_status,
					       .change = on_change,
					       .threshold_defaults = gm_managed_defaults,
					       .threshold_check = gm_managed_check,
					       .user = inlet};

	struct gm_queue_options samples = {SAMPLES_CAPACITY, free_batch, wake_loop, inlet};
	struct gm_queue_options notices = {NOTICES_CAPACITY, free, wake_loop, inlet};
	struct gm_queue_options changes = {CHANGES_CAPACITY, free, wake_loop, inlet};
	int result = gm_queue_create(&samples, &inlet->samples);
	if (result == 0)
		result = gm_queue_create(&notices, &inlet->notices);
	if (result == 0)
		result = gm_queue_create(&changes, &inlet->changes);
	if (result == 0)
		result = uv_async_init(loop, &inlet->wake, on_wake);
	if (result < 0) {
		gm_inlet_free(inlet);
		return result;
	}
	inlet->wake.data = inlet;
	*ret_inlet = inlet;
	return 0;
}

const struct gm_source_sink *gm_inlet_source_sink(struct gm_inlet *inlet)
{
	return &inlet->source_sink;
}

const struct gm_mib_host *gm_inlet_mib_host(struct gm_inlet *inlet)
{
	return &inlet->mib_host;
}

uint64_t gm_inlet_dropped(struct gm_inlet *inlet)
{
	return gm_queue_dropped(inlet->samples);
}

void gm_inlet_drain(struct gm_inlet *inlet)
{
	take(inlet, 0);
}

void gm_inlet_close(struct gm_inlet *inlet)
{
	if (!inlet)
		return;
	take(inlet, 0);
	uv_close((uv_handle_t *)&inlet->wake, NULL);
}

void gm_inlet_free(struct gm_inlet *inlet)
{
	if (!inlet)
		return;
	while (has_run(inlet))
		free(inlet->run[inlet->run_next++]);
	gm_queue_free(inlet->samples);
	gm_queue_free(inlet->notices);
	gm_queue_free(inlet->changes);
	free(inlet);
}

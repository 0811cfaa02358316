/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that drives one source: waits for the grid, polls, keeps the account of itself. It does
 * not know what a source reads, and it does not log: failures go up in the status, where somebody
 * who sees all sources decides what they mean. Called by the daemon's pipeline.
 */
#include "source/runner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/thread.h"
#include "source/left.h"

enum { DURATIONS = 256 }; /* ticks that the percentiles look back on */

#define BACKOFF_MIN     (100 * GM_MILLISECOND)
#define BACKOFF_MAX     (5 * GM_SECOND)
#define STATUS_INTERVAL GM_SECOND

struct gm_runner {
	struct gm_source *source;
	struct gm_runner_options options;
	struct gm_source_sink target; /* the owner's */
	struct gm_source_sink
		gate; /* what the source gets: closed when the thread is left behind */
	pthread_t thread;

	pthread_mutex_t lock; /* guards the five below and every call of `target` */
	pthread_cond_t changed;
	bool ending; /* the owner wants the end: the source has been, or is being, asked for it */
	bool stop;   /* the thread is to end */
	bool done;   /* the thread will touch nothing any more, its source is destroyed */
	bool abandoned; /* the owner is gone: no `target` any more, and the thread frees */
	int64_t called; /* since when the source is in a call of the thread, monotonic; 0: in none */

	/* All below belongs to the thread. */
	struct gm_source_status status;
	int64_t status_due;
	bool opened_before;
	int64_t backoff;
	int64_t deadline;
	int64_t pace; /* ns to the next deadline, at present */
	int64_t durations[DURATIONS];
	uint32_t duration_count, duration_next;
};

/* The gate. A sink never blocks, so it may be called under the lock. */

static void gate_samples(void *user, struct gm_batch *batch)
{
	struct gm_runner *runner = user;

	pthread_mutex_lock(&runner->lock);
	if (runner->abandoned) {
		gm_batch_free(batch);
	} else {
		runner->target.samples(runner->target.user, batch);
	}
	pthread_mutex_unlock(&runner->lock);
}

static void gate_seen(void *user, enum gm_source_id source, const struct gm_entity_info *info)
{
	struct gm_runner *runner = user;

	pthread_mutex_lock(&runner->lock);
	if (!runner->abandoned) {
		runner->target.seen(runner->target.user, source, info);
	}
	pthread_mutex_unlock(&runner->lock);
}

static void gate_gone(void *user, enum gm_source_id source, const struct gm_entity_key *key,
		      int64_t time)
{
	struct gm_runner *runner = user;

	pthread_mutex_lock(&runner->lock);
	if (!runner->abandoned) {
		runner->target.gone(runner->target.user, source, key, time);
	}
	pthread_mutex_unlock(&runner->lock);
}

static void gate_event(void *user, const struct gm_guest_event *event)
{
	struct gm_runner *runner = user;

	pthread_mutex_lock(&runner->lock);
	if (!runner->abandoned) {
		runner->target.event(runner->target.user, event);
	}
	pthread_mutex_unlock(&runner->lock);
}

static void gate_status(void *user, const struct gm_source_status *status)
{
	struct gm_runner *runner = user;

	/* A poll that gives up because of the end is no failure to tell of. */
	pthread_mutex_lock(&runner->lock);
	if (!runner->ending) {
		runner->target.status(runner->target.user, status);
	}
	pthread_mutex_unlock(&runner->lock);
}

static int compare_durations(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a;
	int64_t right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static void report(struct gm_runner *runner, int64_t now)
{
	uint32_t count = runner->duration_count;

	if (count > 0) {
		int64_t sorted[DURATIONS];

		memcpy(sorted, runner->durations, count * sizeof(sorted[0]));
		qsort(sorted, count, sizeof(sorted[0]), compare_durations);
		/* Nearest rank. */
		runner->status.duration_p50 = sorted[(count * 50 + 99) / 100 - 1];
		runner->status.duration_p99 = sorted[(count * 99 + 99) / 100 - 1];
		runner->status.duration_max = sorted[count - 1];
	}
	runner->gate.status(runner->gate.user, &runner->status);
	runner->status.lag_max = 0;
	runner->status_due = now + STATUS_INTERVAL;
}

/*
 * Waits for `deadline` and sends the status when it is due meanwhile. True when the deadline is
 * reached, false when the thread shall end.
 */
static bool wait_until(struct gm_runner *runner, int64_t deadline)
{
	for (;;) {
		int64_t now = gm_clock_monotonic();
		int64_t wake;
		struct timespec until;
		int rc = 0;
		bool stop;

		if (now >= runner->status_due) {
			report(runner, now);
		}
		wake = deadline < runner->status_due ? deadline : runner->status_due;
		until = gm_thread_until(wake);
		pthread_mutex_lock(&runner->lock);
		while (!runner->stop && rc == 0 && now < wake) {
			rc = pthread_cond_timedwait(&runner->changed, &runner->lock, &until);
		}
		stop = runner->stop;
		pthread_mutex_unlock(&runner->lock);
		if (stop) {
			return false;
		}
		if (gm_clock_monotonic() >= deadline) {
			return true;
		}
	}
}

/* The first point after `now` of a grid with the runner's phase. */
static int64_t next_on_grid(const struct gm_runner_options *options, int64_t pace, int64_t now)
{
	int64_t phase = options->phase % pace;
	int64_t since = now - phase;

	return since - since % pace + pace + phase;
}

static void set_connected(struct gm_runner *runner, bool connected)
{
	if (runner->status.connected != connected) {
		runner->status_due = 0; /* a change is told at once */
	}
	runner->status.connected = connected;
}

/* Notes a failure and doubles the time to the next attempt. */
static void fail(struct gm_runner *runner, const struct gm_error *err, int code)
{
	runner->status.failures++;
	gm_text_copy(runner->status.error, sizeof(runner->status.error),
		     err->text[0] != '\0' ? err->text : strerror(-code));
	set_connected(runner, false);
	if (runner->backoff == 0) {
		runner->backoff = BACKOFF_MIN;
	} else if (runner->backoff < BACKOFF_MAX / 2) {
		runner->backoff *= 2;
	} else {
		runner->backoff = BACKOFF_MAX;
	}
}

static void note_call(struct gm_runner *runner, int64_t since)
{
	pthread_mutex_lock(&runner->lock);
	runner->called = since;
	pthread_mutex_unlock(&runner->lock);
}

/* Opens the source, however long it takes. False when the thread shall end. */
static bool connect_source(struct gm_runner *runner)
{
	for (;;) {
		struct gm_error err = {.text = ""};
		int rc;

		if (runner->backoff > 0 &&
		    !wait_until(runner, gm_clock_monotonic() + runner->backoff)) {
			return false;
		}
		note_call(runner, gm_clock_monotonic());
		rc = runner->source->ops->open(runner->source, &err);
		note_call(runner, 0);
		if (rc == 0) {
			break;
		}
		fail(runner, &err, rc);
	}
	runner->status.reconnects += runner->opened_before;
	runner->opened_before = true;
	runner->status.error[0] = '\0';
	set_connected(runner, true);
	/* Deadlines that passed without a connection are failures, not missed ticks. */
	runner->pace = runner->options.interval;
	runner->deadline = next_on_grid(&runner->options, runner->pace, gm_clock_monotonic());
	return true;
}

/*
 * Accounts for how late this tick is. Whole intervals that went by are missed; the tick then counts
 * for the last point of the grid that has passed. `lag_max` keeps the whole delay, so that a stall
 * shows in it at its full length.
 */
static void account_lag(struct gm_runner *runner, int64_t now)
{
	int64_t interval = runner->pace;
	int64_t lag = now - runner->deadline;
	int64_t skipped = lag / interval;

	if (lag > runner->status.lag_max) {
		runner->status.lag_max = lag;
	}
	runner->status.late += lag > interval / 10;
	runner->status.missed += (uint64_t)skipped;
	runner->deadline += skipped * interval;
}

/* One tick, its deadline being reached. Negative: the connection is lost. */
static int tick(struct gm_runner *runner, struct gm_error *err)
{
	int64_t start = gm_clock_monotonic();
	uint32_t entities = 0;
	int rc;

	account_lag(runner, start);
	note_call(runner, start);
	rc = runner->source->ops->poll(runner->source, gm_clock_now(), &runner->gate, &entities,
				       err);
	note_call(runner, 0);
	runner->status.ticks++;
	runner->durations[runner->duration_next] = gm_clock_monotonic() - start;
	runner->duration_next = (runner->duration_next + 1) % DURATIONS;
	if (runner->duration_count < DURATIONS) {
		runner->duration_count++;
	}
	if (runner->source->ops->pace) {
		runner->pace = runner->source->ops->pace(runner->source);
	}
	runner->deadline = next_on_grid(&runner->options, runner->pace, runner->deadline);
	if (rc < 0) {
		return rc;
	}
	runner->status.entities = entities;
	/* A poll that succeeds may still have something to complain of. */
	gm_text_copy(runner->status.error, sizeof(runner->status.error), err->text);
	return 0;
}

/* Ticks until the connection is lost (true) or the thread shall end (false). */
static bool tick_on_grid(struct gm_runner *runner)
{
	while (wait_until(runner, runner->deadline)) {
		struct gm_error err = {.text = ""};
		int rc = tick(runner, &err);

		if (rc < 0) {
			runner->status.entities = 0;
			fail(runner, &err, rc);
			return true;
		}
		/* Not after open() already: a source that opens but never answers must back off. */
		runner->backoff = 0;
	}
	return false;
}

static void free_runner(struct gm_runner *runner)
{
	pthread_cond_destroy(&runner->changed);
	pthread_mutex_destroy(&runner->lock);
	free(runner);
}

static void *run(void *user)
{
	struct gm_runner *runner = user;
	bool again = true;

	pthread_setname_np(pthread_self(), gm_source_name(runner->source->ops->id));
	while (again && connect_source(runner)) {
		again = tick_on_grid(runner);
		runner->source->ops->close(runner->source);
	}
	runner->source->ops->destroy(runner->source);
	pthread_mutex_lock(&runner->lock);
	runner->done = true;
	bool abandoned = runner->abandoned;
	pthread_cond_broadcast(&runner->changed);
	pthread_mutex_unlock(&runner->lock);
	/* Else the owner has seen `done`, or will, and frees. */
	if (abandoned) {
		free_runner(runner);
		gm_left_end();
	}
	return NULL;
}

int gm_runner_start(struct gm_source *source, const struct gm_runner_options *options,
		    const struct gm_source_sink *sink, struct gm_runner **ret_runner)
{
	struct gm_runner *runner;
	int rc;

	if (options->interval < GM_MILLISECOND || options->phase < 0) {
		return -EINVAL;
	}
	runner = calloc(1, sizeof(*runner));
	if (runner == NULL) {
		return -ENOMEM;
	}
	*runner = (struct gm_runner){
		.source = source,
		.options = *options,
		.target = *sink,
		.gate = {.samples = gate_samples,
			 .seen = gate_seen,
			 .gone = gate_gone,
			 .event = gate_event,
			 .status = gate_status,
			 .user = runner},
		.status = {.id = source->ops->id, .interval = options->interval},
	};
	/* Deadlines are absolute on the monotonic clock; a stop wakes the waiter before them. */
	rc = gm_thread_locks(&runner->lock, &runner->changed);
	if (rc < 0) {
		free(runner);
		return rc;
	}
	rc = gm_thread_start(&runner->thread, run, runner);
	if (rc < 0) {
		free_runner(runner);
		return rc;
	}
	*ret_runner = runner;
	return 0;
}

void gm_runner_hear(struct gm_runner *runner, const struct gm_entity_info *info, bool here)
{
	if (runner->source->ops->hear) {
		runner->source->ops->hear(runner->source, info, here);
	}
}

int64_t gm_runner_busy(struct gm_runner *runner, int64_t monotonic)
{
	int64_t called;

	pthread_mutex_lock(&runner->lock);
	called = runner->called;
	pthread_mutex_unlock(&runner->lock);
	return called != 0 && monotonic > called ? monotonic - called : 0;
}

void gm_runner_quit(struct gm_runner *runner)
{
	if (runner == NULL) {
		return;
	}
	pthread_mutex_lock(&runner->lock);
	bool again = runner->ending;
	runner->ending = true;
	pthread_mutex_unlock(&runner->lock);
	/*
	 * Before the thread is told, which may destroy the source from then on. Not under the lock:
	 * a source may hold one of its own while it calls the gate.
	 */
	if (!again && runner->source->ops->quit) {
		runner->source->ops->quit(runner->source);
	}
	pthread_mutex_lock(&runner->lock);
	runner->stop = true;
	pthread_cond_broadcast(&runner->changed);
	pthread_mutex_unlock(&runner->lock);
}

int gm_runner_stop(struct gm_runner *runner, int64_t patience)
{
	struct timespec until = gm_thread_until(gm_clock_monotonic() + patience);
	bool done;
	int rc = 0;

	if (runner == NULL) {
		return 0;
	}
	gm_runner_quit(runner);
	pthread_mutex_lock(&runner->lock);
	while (!runner->done && rc == 0) {
		rc = pthread_cond_timedwait(&runner->changed, &runner->lock, &until);
	}
	done = runner->done;
	runner->abandoned = !done;
	if (!done) {
		pthread_detach(runner->thread);
		gm_left_add(1);
	}
	pthread_mutex_unlock(&runner->lock);
	if (!done) {
		return -ETIMEDOUT; /* and the runner may be gone already */
	}
	pthread_join(runner->thread, NULL);
	free_runner(runner);
	return 0;
}

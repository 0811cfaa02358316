/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers that may hang; see crew.h. It knows deadlines and threads, and leaves the calls to
 * libvirt to task.h. Called by the slow lane.
 */
#include "source/libvirt/crew.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "source/left.h"
#include "source/libvirt/task.h"

enum { WORKERS_MAX = 16 };

enum state {
	IDLE,
	BUSY,
	DONE, /* the answer waits to be fetched */
};

struct worker {
	struct gm_lv_crew *crew;
	pthread_t thread;
	bool started, ended;
	enum state state;
	bool given_up; /* nobody waits for the answer */
	int64_t due;   /* of the job */
	struct gm_lv_job job;
	struct gm_lv_answer answer;
	bool set;                     /* `periods` waits to be fetched, whatever the worker does */
	struct gm_lv_periods periods; /* of its last job of that kind */
	struct gm_lv_task *task;      /* the thread's own */
};

struct gm_lv_crew {
	pthread_mutex_t lock; /* guards all but the workers' tasks */
	pthread_cond_t changed;
	bool quit;
	bool abandoned; /* the owner is gone; the last of `orphans` frees the crew */
	unsigned orphans;
	int64_t deadline; /* ns that a job may take */
	uint64_t late;
	size_t count;
	struct worker workers[WORKERS_MAX];
};

/* No thread runs any more; a task is still there only where none was started. */
static void free_crew(struct gm_lv_crew *crew)
{
	for (size_t i = 0; i < crew->count; i++)
		gm_lv_task_free(crew->workers[i].task);
	pthread_cond_destroy(&crew->changed);
	pthread_mutex_destroy(&crew->lock);
	free(crew);
}

/* Under the lock: the next job of the worker, or false at the end. */
static bool await_job(struct worker *worker)
{
	while (worker->state != BUSY && !worker->crew->quit)
		pthread_cond_wait(&worker->crew->changed, &worker->crew->lock);
	return worker->state == BUSY && !worker->crew->quit;
}

/* Under the lock. */
static void keep_periods(struct worker *worker, const struct gm_lv_answer *answer)
{
	worker->set = true;
	worker->periods.job = worker->job;
	worker->periods.rc = answer->rc;
	memcpy(worker->periods.done, answer->done, sizeof(worker->periods.done));
}

/* Under the lock. */
static void deliver(struct worker *worker, struct gm_lv_answer *answer)
{
	bool wanted = worker->job.kind != GM_LV_JOB_PERIOD && worker->job.kind != GM_LV_JOB_DIRTY;

	if (worker->job.kind == GM_LV_JOB_PERIOD)
		keep_periods(worker, answer);
	if (wanted && !worker->given_up) {
		worker->answer = *answer;
		worker->state = DONE;
	} else {
		gm_lv_records_free(&answer->list);
		worker->crew->late += wanted;
		worker->state = IDLE;
	}
	worker->given_up = false;
	pthread_cond_broadcast(&worker->crew->changed);
}

static void *run(void *user)
{
	struct worker *worker = user;
	struct gm_lv_crew *crew = worker->crew;

	pthread_setname_np(pthread_self(), "libvirt-slow-w");
	pthread_mutex_lock(&crew->lock);
	while (await_job(worker)) {
		struct gm_lv_answer answer = {0};

		pthread_mutex_unlock(&crew->lock);
		gm_lv_task_run(worker->task, &worker->job, &answer);
		pthread_mutex_lock(&crew->lock);
		deliver(worker, &answer);
	}
	struct gm_lv_answer unread = worker->answer;
	worker->answer = (struct gm_lv_answer){0};
	worker->state = IDLE;
	pthread_mutex_unlock(&crew->lock);
	/* Closing a connection asks libvirtd, which may hang: that is this thread's to wait for. */
	gm_lv_records_free(&unread.list);
	gm_lv_task_free(worker->task);
	worker->task = NULL;
	pthread_mutex_lock(&crew->lock);
	worker->ended = true;
	bool left = crew->abandoned;
	bool last = left && --crew->orphans == 0;
	pthread_cond_broadcast(&crew->changed);
	pthread_mutex_unlock(&crew->lock);
	if (last)
		free_crew(crew);
	if (left)
		gm_left_end();
	return NULL;
}

int gm_lv_crew_create(const struct gm_libvirt_options *options, gm_lv_collect collect,
		      struct gm_lv_crew **ret_crew)
{
	struct gm_lv_crew *crew = calloc(1, sizeof(*crew));

	if (!crew)
		return -ENOMEM;
	int rc = gm_thread_locks(&crew->lock, &crew->changed);
	if (rc < 0) {
		free(crew);
		return rc;
	}
	crew->deadline = options->slow_deadline;
	for (int64_t i = 0; i < options->slow_workers && i < WORKERS_MAX && rc == 0; i++) {
		struct worker *worker = &crew->workers[crew->count];

		worker->crew = crew;
		rc = gm_lv_task_create(options, collect, &worker->task);
		if (rc < 0)
			break;
		crew->count++;
		rc = gm_thread_start(&worker->thread, run, worker);
		worker->started = rc == 0;
	}
	if (rc < 0) {
		gm_lv_crew_free(crew, gm_clock_monotonic() + GM_SECOND);
		return rc;
	}
	*ret_crew = crew;
	return 0;
}

/* Under the lock: how many threads still run. */
static unsigned count_running(const struct gm_lv_crew *crew)
{
	unsigned running = 0;

	for (size_t i = 0; i < crew->count; i++)
		running += crew->workers[i].started && !crew->workers[i].ended;
	return running;
}

/*
 * Under the lock: hands the threads that still run over to themselves and lists the others. After
 * the lock is given back the crew may be gone at any time, if it was abandoned.
 */
static size_t part(struct gm_lv_crew *crew, pthread_t ended[WORKERS_MAX])
{
	size_t count = 0;

	crew->orphans = count_running(crew);
	crew->abandoned = crew->orphans > 0;
	gm_left_add(crew->orphans);
	for (size_t i = 0; i < crew->count; i++) {
		const struct worker *worker = &crew->workers[i];

		if (worker->ended)
			ended[count++] = worker->thread;
		else if (worker->started)
			pthread_detach(worker->thread);
	}
	return count;
}

void gm_lv_crew_quit(struct gm_lv_crew *crew)
{
	pthread_mutex_lock(&crew->lock);
	crew->quit = true;
	pthread_cond_broadcast(&crew->changed);
	pthread_mutex_unlock(&crew->lock);
}

void gm_lv_crew_free(struct gm_lv_crew *crew, int64_t deadline)
{
	if (!crew)
		return;
	struct timespec until = gm_thread_until(deadline);
	pthread_t ended[WORKERS_MAX];
	int rc = 0;
	gm_lv_crew_quit(crew);
	pthread_mutex_lock(&crew->lock);
	while (count_running(crew) > 0 && rc == 0)
		rc = pthread_cond_timedwait(&crew->changed, &crew->lock, &until);
	size_t count = part(crew, ended);
	bool abandoned = crew->abandoned;
	pthread_mutex_unlock(&crew->lock);
	for (size_t i = 0; i < count; i++)
		pthread_join(ended[i], NULL);
	if (!abandoned)
		free_crew(crew);
}

/* Under the lock. */
static struct worker *find_idle(struct gm_lv_crew *crew)
{
	for (size_t i = 0; i < crew->count; i++) {
		if (crew->workers[i].state == IDLE)
			return &crew->workers[i];
	}
	return NULL;
}

#define READING (1U << GM_LV_JOB_COLLECT | 1U << GM_LV_JOB_PROBE)
#define ANY     (~0U)

/* Under the lock. Of those with jobs of `kinds`: bits 1 << enum gm_lv_job_kind. */
static unsigned count_stuck(const struct gm_lv_crew *crew, unsigned kinds, int64_t now)
{
	unsigned stuck = 0;

	for (size_t i = 0; i < crew->count; i++) {
		const struct worker *worker = &crew->workers[i];

		stuck += worker->state == BUSY && worker->due <= now &&
			 (kinds >> worker->job.kind & 1);
	}
	return stuck;
}

int gm_lv_crew_give(struct gm_lv_crew *crew, const struct gm_lv_job *job, int64_t deadline,
		    size_t *ret_worker)
{
	struct timespec until = gm_thread_until(deadline);
	struct worker *worker;
	int rc = 0;

	pthread_mutex_lock(&crew->lock);
	while (!(worker = find_idle(crew)) && rc == 0 && !crew->quit &&
	       count_stuck(crew, ANY, gm_clock_monotonic()) < crew->count)
		rc = pthread_cond_timedwait(&crew->changed, &crew->lock, &until);
	if (crew->quit)
		worker = NULL;
	if (worker) {
		worker->job = *job;
		worker->state = BUSY;
		worker->given_up = false;
		worker->due = gm_clock_monotonic() + crew->deadline;
		*ret_worker = (size_t)(worker - crew->workers);
		pthread_cond_broadcast(&crew->changed);
	}
	pthread_mutex_unlock(&crew->lock);
	return worker ? 0 : -EBUSY;
}

int gm_lv_crew_wait(struct gm_lv_crew *crew, size_t index, int64_t deadline,
		    struct gm_lv_answer *ret_answer)
{
	struct worker *worker = &crew->workers[index];
	struct timespec until = gm_thread_until(deadline);
	int rc = 0;

	pthread_mutex_lock(&crew->lock);
	while (worker->state != DONE && rc == 0 && !crew->quit)
		rc = pthread_cond_timedwait(&crew->changed, &crew->lock, &until);
	bool done = worker->state == DONE;
	if (done) {
		*ret_answer = worker->answer;
		worker->answer = (struct gm_lv_answer){0};
		worker->state = IDLE;
		pthread_cond_broadcast(&crew->changed);
	}
	pthread_mutex_unlock(&crew->lock);
	return done ? 0 : -ETIMEDOUT;
}

void gm_lv_crew_abandon(struct gm_lv_crew *crew, size_t index)
{
	struct worker *worker = &crew->workers[index];

	pthread_mutex_lock(&crew->lock);
	if (worker->state == DONE) { /* it has come in this moment */
		gm_lv_records_free(&worker->answer.list);
		worker->answer = (struct gm_lv_answer){0};
		worker->state = IDLE;
		crew->late++;
		pthread_cond_broadcast(&crew->changed);
	} else {
		worker->given_up = true;
		worker->due = gm_clock_monotonic();
	}
	pthread_mutex_unlock(&crew->lock);
}

bool gm_lv_crew_take_periods(struct gm_lv_crew *crew, struct gm_lv_periods *ret_periods)
{
	bool set = false;

	pthread_mutex_lock(&crew->lock);
	for (size_t i = 0; i < crew->count && !set; i++) {
		struct worker *worker = &crew->workers[i];

		set = worker->set;
		worker->set = false;
		if (set)
			*ret_periods = worker->periods;
	}
	pthread_mutex_unlock(&crew->lock);
	return set;
}

unsigned gm_lv_crew_busy(struct gm_lv_crew *crew, enum gm_lv_job_kind kind)
{
	unsigned busy = 0;

	pthread_mutex_lock(&crew->lock);
	for (size_t i = 0; i < crew->count; i++)
		busy += crew->workers[i].state == BUSY && crew->workers[i].job.kind == kind;
	pthread_mutex_unlock(&crew->lock);
	return busy;
}

unsigned gm_lv_crew_idle(struct gm_lv_crew *crew)
{
	unsigned idle = 0;

	pthread_mutex_lock(&crew->lock);
	for (size_t i = 0; i < crew->count; i++)
		idle += crew->workers[i].state == IDLE;
	pthread_mutex_unlock(&crew->lock);
	return idle;
}

static unsigned stuck_with(struct gm_lv_crew *crew, unsigned kinds)
{
	pthread_mutex_lock(&crew->lock);
	unsigned stuck = count_stuck(crew, kinds, gm_clock_monotonic());
	pthread_mutex_unlock(&crew->lock);
	return stuck;
}

unsigned gm_lv_crew_stuck(struct gm_lv_crew *crew)
{
	return stuck_with(crew, ANY);
}

unsigned gm_lv_crew_stuck_reading(struct gm_lv_crew *crew)
{
	return stuck_with(crew, READING);
}

uint64_t gm_lv_crew_late(struct gm_lv_crew *crew)
{
	pthread_mutex_lock(&crew->lock);
	uint64_t late = crew->late;
	pthread_mutex_unlock(&crew->lock);
	return late;
}

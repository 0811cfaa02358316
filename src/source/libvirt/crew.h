/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow lane's workers: threads with a libvirt connection each, one job at a time. A call that
 * goes through a hung guest's monitor does not return, and nothing can make it; so a job has a
 * deadline, after which its worker is left alone until it returns by itself. What it brings then is
 * dropped and counted.
 *
 * All calls but quit() from one thread, the slow lane's. None blocks longer than it says.
 */
#ifndef GM_SOURCE_LIBVIRT_CREW_H
#define GM_SOURCE_LIBVIRT_CREW_H

#include "source/libvirt/libvirt.h"
#include "source/libvirt/records.h"

struct gm_lv_crew;

enum gm_lv_job_kind {
	GM_LV_JOB_CONNECT, /* make sure of a connection */
	GM_LV_JOB_COLLECT, /* read the slow groups of all guests but `guests` */
	GM_LV_JOB_PROBE,   /* read those of guests[0] alone */
	GM_LV_JOB_MOVES,   /* look whether `guests` are still being moved elsewhere */
	/* Nobody waits for these: of `guests`, */
	GM_LV_JOB_PERIOD, /* set the balloon's period (what was done can be had later), */
	GM_LV_JOB_DIRTY,  /* begin to measure how fast they rewrite their memory */
};

enum { GM_LV_JOB_GUESTS = 64 };

struct gm_lv_job {
	enum gm_lv_job_kind kind;
	uint64_t number; /* the giver's own */
	bool again;      /* it was done in vain before: that is no news */
	size_t guest_count;
	uint8_t guests[GM_LV_JOB_GUESTS][GM_UUID_SIZE];
};

enum gm_lv_move {
	GM_LV_MOVE_UNKNOWN, /* it is gone, or cannot be asked */
	GM_LV_MOVES,
	GM_LV_STAYS,
};

struct gm_lv_answer {
	int rc;
	struct gm_error err;
	struct gm_lv_record_list list;           /* the receiver frees it */
	enum gm_lv_move moves[GM_LV_JOB_GUESTS]; /* of each of the job's guests */
	bool done[GM_LV_JOB_GUESTS]; /* the same, of a period: nothing is left to be done */
};

/* What became of a GM_LV_JOB_PERIOD. */
struct gm_lv_periods {
	struct gm_lv_job job;
	int rc; /* negative: no guest could be asked; -EROFS: the connection is read-only */
	bool done[GM_LV_JOB_GUESTS];
};

/* Reads with `collect` (gm_lv_records_read() in the daemon; a test's own may hang). */
typedef int (*gm_lv_collect)(virConnectPtr conn, const struct gm_lv_plan *plan,
			     const struct gm_lv_scope *scope, struct gm_lv_record_list *ret_list,
			     struct gm_error *err);

/* Starts the threads. 0 or a negative errno. */
int gm_lv_crew_create(const struct gm_libvirt_options *options, gm_lv_collect collect,
		      struct gm_lv_crew **ret_crew);

/* The end is wanted: nobody is given a job, nobody waits for one. Any thread, before the free. */
void gm_lv_crew_quit(struct gm_lv_crew *crew);

/*
 * Ends the workers, which close their connections themselves, and waits for them until `deadline`
 * (gm_clock_monotonic()); those that are stuck are left behind and free all when they return.
 * NULL-safe.
 */
void gm_lv_crew_free(struct gm_lv_crew *crew, int64_t deadline);

/*
 * Gives the job to an idle worker, for which it waits until `deadline` (gm_clock_monotonic())
 * unless all are past their own. *ret_worker: whom to wait for. 0, or -EBUSY.
 */
int gm_lv_crew_give(struct gm_lv_crew *crew, const struct gm_lv_job *job, int64_t deadline,
		    size_t *ret_worker);

/* Waits for the worker's answer. 0, or -ETIMEDOUT: it may still be waited for, or be abandoned. */
int gm_lv_crew_wait(struct gm_lv_crew *crew, size_t worker, int64_t deadline,
		    struct gm_lv_answer *ret_answer);

/* Nobody waits for the worker any more: its answer will be dropped and counted. */
void gm_lv_crew_abandon(struct gm_lv_crew *crew, size_t worker);

/* What became of a period's job that was answered since; false: of none. Each once; never blocks. */
bool gm_lv_crew_take_periods(struct gm_lv_crew *crew, struct gm_lv_periods *ret_periods);

/* Workers that have nothing to do now, and those that do a job of that kind. */
unsigned gm_lv_crew_idle(struct gm_lv_crew *crew);
unsigned gm_lv_crew_busy(struct gm_lv_crew *crew, enum gm_lv_job_kind kind);

/* Workers past their deadline now, those of them that read statistics, answers dropped since the start. */
unsigned gm_lv_crew_stuck(struct gm_lv_crew *crew);
unsigned gm_lv_crew_stuck_reading(struct gm_lv_crew *crew);
uint64_t gm_lv_crew_late(struct gm_lv_crew *crew);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker of the slow lane does with its connection. Every call may hang for as long as a
 * guest's monitor does; crew.h deals with that. One task, one thread.
 */
#ifndef GM_SOURCE_LIBVIRT_TASK_H
#define GM_SOURCE_LIBVIRT_TASK_H

#include "source/libvirt/crew.h"

struct gm_lv_task;

/* 0 or -ENOMEM. */
int gm_lv_task_create(const struct gm_libvirt_options *options, gm_lv_collect collect,
		      struct gm_lv_task **ret_task);
void gm_lv_task_free(struct gm_lv_task *task); /* closes the connection; NULL-safe */

/* Does the job, connecting first where that is needed; fills `answer`. */
void gm_lv_task_run(struct gm_lv_task *task, const struct gm_lv_job *job,
		    struct gm_lv_answer *answer);

#endif

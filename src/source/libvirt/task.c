/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls to libvirt that may hang; see task.h. Called by crew.c on the workers' threads.
 */
#include "source/libvirt/task.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "source/libvirt/connection.h"
#include "source/libvirt/details.h"
#include "source/libvirt/uris.h"
#include "source/libvirt/xml.h"

enum {
	PINS_EVERY = 10, /* collections: pins seldom change */
	GROUPS = VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_BLOCK |
		 VIR_DOMAIN_STATS_CPU_TOTAL
};

/* For so long qemu watches a sample of the guest's pages. */
enum { DIRTY_SECONDS = 1 };

struct gm_lv_task {
	struct gm_libvirt_options options;
	gm_lv_collect collect;
	virConnectPtr conn;
	bool writable; /* the connection lets something be set */
	struct gm_lv_plan plan;
	unsigned collected;
	struct gm_log_limit act_limit;
};

int gm_lv_task_create(const struct gm_libvirt_options *options, gm_lv_collect collect,
		      struct gm_lv_task **ret_task)
{
	struct gm_lv_task *task = calloc(1, sizeof(*task));

	if (!task)
		return -ENOMEM;
	task->options = *options;
	task->collect = collect;
	*ret_task = task;
	return 0;
}

static void disconnect(struct gm_lv_task *task)
{
	if (task->conn)
		virConnectClose(task->conn);
	task->conn = NULL;
}

void gm_lv_task_free(struct gm_lv_task *task)
{
	if (!task)
		return;
	disconnect(task);
	free(task);
}

/* Setting a period needs the right to; reading does not, and goes on without it. */
static int open_connection(struct gm_lv_task *task, struct gm_error *err)
{
	task->writable = (task->options.balloon_period > 0 || task->options.dirty_rate > 0) &&
			 !gm_lv_uri_is_remote(task->options.uri) &&
			 gm_lv_connect(task->options.uri, false, &task->conn, NULL) == 0;
	return task->writable ? 0 : gm_lv_connect(task->options.uri, true, &task->conn, err);
}

static int connect_task(struct gm_lv_task *task, struct gm_error *err)
{
	if (task->conn && virConnectIsAlive(task->conn) != 1)
		disconnect(task);
	if (task->conn)
		return 0;
	int rc = open_connection(task, err);
	if (rc < 0)
		return rc;
	unsigned groups = GROUPS;
	if (task->options.dirty_rate > 0 && task->writable)
		groups |= VIR_DOMAIN_STATS_DIRTYRATE;
	rc = gm_lv_plan_make(task->conn, groups, &task->plan, err);
	if (rc < 0)
		disconnect(task);
	return rc;
}

/* The driver will not do it next time either. */
static bool is_unsupported(void)
{
	switch (virGetLastErrorCode()) {
	case VIR_ERR_NO_SUPPORT:
	case VIR_ERR_OPERATION_UNSUPPORTED:
	case VIR_ERR_CONFIG_UNSUPPORTED:
		return true;
	default:
		return false;
	}
}

/*
 * 0; -ENOENT when the guest went away; -ENOTSUP: the driver does not do it; or another negative errno. All but
 * -ENOENT with `err`.
 */
static int set_period(struct gm_lv_task *task, virDomainPtr domain, struct gm_error *err)
{
	int64_t wanted = task->options.balloon_period / GM_SECOND;
	struct gm_lv_identity *identity = NULL;
	char *xml = virDomainGetXMLDesc(domain, 0);

	if (!xml)
		return virGetLastErrorCode() == VIR_ERR_NO_DOMAIN
			       ? -ENOENT
			       : gm_lv_error(err, -EIO, "libvirt does not give its XML");
	int rc = gm_lv_identity_parse(xml, "", &identity, err);
	free(xml);
	if (rc < 0)
		return rc;
	bool needed = identity->has_balloon &&
		      (identity->stats_period == 0 || identity->stats_period > wanted);
	gm_lv_identity_free(identity);
	if (needed && virDomainSetMemoryStatsPeriod(domain, (int)(wanted > 0 ? wanted : 1),
						    VIR_DOMAIN_AFFECT_LIVE) < 0)
		return gm_lv_error(err, is_unsupported() ? -ENOTSUP : -EIO,
				   "the balloon's period cannot be set");
	return 0;
}

/* 0 or a negative errno with `err`. */
static int measure_dirty_rate(struct gm_lv_task *task, virDomainPtr domain, struct gm_error *err)
{
	(void)task;
	return virDomainStartDirtyRateCalc(domain, DIRTY_SECONDS, 0) < 0
		       ? gm_lv_error(err, -EIO, "its dirty rate cannot be measured")
		       : 0;
}

/* Does something to each guest of a job that is still there. */
static void for_guests(struct gm_lv_task *task, const struct gm_lv_job *job,
		       struct gm_lv_answer *answer,
		       int (*act)(struct gm_lv_task *task, virDomainPtr domain,
				  struct gm_error *err))
{
	for (size_t i = 0; i < job->guest_count && task->writable; i++) {
		struct gm_error err = {.text = ""};
		char text[GM_UUID_TEXT];
		virDomainPtr domain = virDomainLookupByUUID(task->conn, job->guests[i]);

		/* One that is gone is no matter; a connection that is, is no guest's fault. */
		if (!domain && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN) {
			answer->rc = gm_error_set(&answer->err, -EIO, "the connection is lost");
			return;
		}
		if (!domain)
			continue;
		int rc = act(task, domain, &err);
		virDomainFree(domain);
		answer->done[i] = rc == 0 || rc == -ENOTSUP;
		if (rc < 0 && rc != -ENOENT && !job->again &&
		    gm_log_allowed(&task->act_limit, gm_clock_now(), 10 * GM_SECOND, NULL))
			gm_log(GM_LOG_WARNING, "guest %s: %s", gm_uuid_text(job->guests[i], text),
			       err.text);
	}
}

/* A connection that was to be had for reading alone may be had for more by now. */
static void set_periods(struct gm_lv_task *task, const struct gm_lv_job *job,
			struct gm_lv_answer *answer)
{
	if (!task->writable) {
		disconnect(task);
		answer->rc = connect_task(task, &answer->err);
	}
	if (answer->rc == 0 && !task->writable)
		answer->rc = gm_error_set(&answer->err, -EROFS, "the connection is read-only");
	if (answer->rc == 0)
		for_guests(task, job, answer, set_period);
}

/* No more is asked than needed: a guest that hangs may take half a minute. */
static void look_at_moves(struct gm_lv_task *task, const struct gm_lv_job *job,
			  struct gm_lv_answer *answer)
{
	for (size_t i = 0; i < job->guest_count; i++) {
		virDomainPtr domain = virDomainLookupByUUID(task->conn, job->guests[i]);
		virDomainJobInfo info;

		if (!domain)
			continue;
		/* Where it is to go, or has gone to, and no longer runs here: an error. */
		if (virDomainGetJobInfo(domain, &info) == 0)
			answer->moves[i] =
				info.type == VIR_DOMAIN_JOB_NONE ? GM_LV_STAYS : GM_LV_MOVES;
		virDomainFree(domain);
	}
}

void gm_lv_task_run(struct gm_lv_task *task, const struct gm_lv_job *job,
		    struct gm_lv_answer *answer)
{
	answer->rc = connect_task(task, &answer->err);
	if (answer->rc < 0)
		return;
	if (job->kind == GM_LV_JOB_COLLECT || job->kind == GM_LV_JOB_PROBE) {
		struct gm_lv_scope scope = {.skip = job->guests,
					    .skip_count = job->guest_count,
					    .turn = task->collected};

		if (job->kind == GM_LV_JOB_PROBE)
			scope = (struct gm_lv_scope){.only = job->guests[0]};
		answer->rc =
			task->collect(task->conn, &task->plan, &scope, &answer->list, &answer->err);
		if (answer->rc < 0)
			disconnect(task);
		else if (task->collected++ % PINS_EVERY == 0)
			gm_lv_pins_read(task->conn, &answer->list);
	} else if (job->kind == GM_LV_JOB_MOVES) {
		look_at_moves(task, job, answer);
	} else if (job->kind == GM_LV_JOB_PERIOD) {
		set_periods(task, job, answer);
	} else if (job->kind == GM_LV_JOB_DIRTY) {
		for_guests(task, job, answer, measure_dirty_rate);
	}
}

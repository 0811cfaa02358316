/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look through all alarms of ours that Aodh holds, page by page; called by aodh.c. The first one, as soon
 * as nothing from before the start waits to be told, makes the states right: what Aodh shows in alarm
 * and is not active here becomes ok, what is active here and is not shown is told again. New transitions
 * wait meanwhile. Each one removes the alarms of guests that are gone for long enough.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "north/openstack/aodh_private.h"
#include "north/verdict.h"

enum {
	PAGE = 200,
	ACTIVE_MAX = 4096,
	FIXES_MAX = 4096,
	FIXES_AT_ONCE = 8, /* what is new waits for them */
};

struct active {
	char name[GM_AODH_NAME];
	bool seen;
	struct gm_alarm alarm;
};

enum fix_kind { FIX_OK, FIX_REMOVE };
struct fix {
	struct gm_aodh_sweep *sweep;
	enum fix_kind kind;
	char id[GM_AODH_ID];
	struct gm_keystone_call *call; /* under way */
};

struct gm_aodh_sweep {
	struct gm_output *output;
	bool states, removals; /* what it does */
	bool unfinished;       /* some of what is to be removed is still active, or was too much */
	struct active *active; /* of the snapshot, by name */
	size_t active_count;
	struct fix *fixes;
	size_t fix_count, begun, fixed;
	size_t pages;
	char marker[GM_AODH_ID];
	struct gm_keystone_call *call;
};

static void ask_page(struct gm_aodh_sweep *sweep);
static void go_on_fixing(struct gm_aodh_sweep *sweep);

/* ---- the end ---- */

void gm_aodh_sweep_free(struct gm_output *output)
{
	struct gm_aodh_sweep *sweep = output->sweep;

	if (!sweep)
		return;
	output->sweep = NULL;
	output->holding = false;
	if (sweep->call)
		gm_keystone_cancel(sweep->call);
	for (size_t i = 0; i < sweep->begun; i++) {
		if (sweep->fixes[i].call)
			gm_keystone_cancel(sweep->fixes[i].call);
	}
	free(sweep->active);
	free(sweep->fixes);
	free(sweep);
}

static void remove_later(struct gm_output *output)
{
	if (output->sweep->removals && output->remove_at == 0)
		output->remove_at = gm_clock_monotonic() + output->options.remove_after;
}

/* It comes again; what waits finds out for itself what is the matter. */
static void fail_because(struct gm_aodh_sweep *sweep, const char *reason)
{
	struct gm_output *output = sweep->output;

	if (gm_log_allowed(&output->sweep_limit, gm_clock_monotonic(), 600 * GM_SECOND, NULL))
		gm_log(GM_LOG_WARNING, "output %s: alarms cannot be compared: %s",
		       output->host.name, reason);
	remove_later(output);
	gm_aodh_sweep_free(output);
	gm_aodh_jobs_release(output);
}

static void fail_by(struct gm_aodh_sweep *sweep, const struct gm_http_response *response)
{
	char reason[GM_VERDICT_REASON];

	gm_aodh_verdict(response, reason);
	fail_because(sweep, reason);
}

/* Active here, and Aodh does not show it: told as if it had just been raised, so that actions run, too. */
static void tell_missing(struct gm_output *output, const struct active *active)
{
	struct gm_transition transition = {
		.kind = GM_TRANSITION_RAISE,
		.time = active->alarm.changed_at,
		.alarm = active->alarm,
	};

	if (!gm_output_wants(&output->common, &transition))
		return;
	if (gm_aodh_job_start(output, &transition, gm_clock_now(), NULL) < 0)
		gm_log(GM_LOG_ERROR, "output %s: out of memory", output->host.name);
}

static void finish(struct gm_aodh_sweep *sweep)
{
	struct gm_output *output = sweep->output;

	if (sweep->states) {
		output->reconciled = output->compared = true;
		for (size_t i = 0; i < sweep->active_count; i++) {
			if (!sweep->active[i].seen &&
			    !gm_aodh_job_is_there(output, sweep->active[i].name))
				tell_missing(output, &sweep->active[i]);
		}
	}
	if (sweep->fix_count > 0)
		gm_log(GM_LOG_NOTICE, "output %s: %zu alarms of Aodh's made right or removed",
		       output->host.name, sweep->fix_count);
	if (sweep->unfinished)
		remove_later(output);
	gm_aodh_sweep_free(output);
	gm_aodh_jobs_release(output);
}

/* ---- setting right ---- */

static void fixed(void *user, const struct gm_http_response *response)
{
	struct fix *fix = user;
	struct gm_aodh_sweep *sweep = fix->sweep;

	fix->call = NULL;
	if (response->status != 404 && (response->status < 200 || response->status >= 300)) {
		fail_by(sweep, response);
		return;
	}
	sweep->fixed++;
	go_on_fixing(sweep);
}

static int begin_fix(struct fix *fix, struct gm_error *err)
{
	static const struct {
		const char *method, *below, *body;
	} ways[] = {
		[FIX_OK] = {"PUT", "/state", "\"ok\""},
		[FIX_REMOVE] = {"DELETE", "", NULL},
	};
	char path[GM_AODH_ID + 32];

	snprintf(path, sizeof(path), "/v2/alarms/%s%s", fix->id, ways[fix->kind].below);
	return gm_aodh_request(fix->sweep->output, ways[fix->kind].method, path,
			       ways[fix->kind].body, fixed, fix, &fix->call, err);
}

static void go_on_fixing(struct gm_aodh_sweep *sweep)
{
	struct gm_error err = {""};

	while (sweep->begun < sweep->fix_count && sweep->begun - sweep->fixed < FIXES_AT_ONCE) {
		if (begin_fix(&sweep->fixes[sweep->begun], &err) < 0) {
			fail_because(sweep, err.text);
			return;
		}
		sweep->begun++;
	}
	if (sweep->fixed == sweep->fix_count)
		finish(sweep);
}

/* ---- looking ---- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct active *)a)->name, ((const struct active *)b)->name);
}

static struct active *find_active(struct gm_aodh_sweep *sweep, const char *name)
{
	size_t low = 0, high = sweep->active_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, sweep->active[middle].name);

		if (order == 0)
			return &sweep->active[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static bool is_guest_gone(const struct gm_output *output, const char *name)
{
	uint8_t uuid[GM_UUID_SIZE];

	if (!gm_aodh_name_guest(name, output->prefix, uuid))
		return false;
	for (size_t i = 0; i < output->guest_count; i++) {
		if (memcmp(output->guests[i].uuid, uuid, GM_UUID_SIZE) == 0)
			return false;
	}
	return true;
}

static void note(struct gm_aodh_sweep *sweep, const struct gm_aodh_alarm *alarm, enum fix_kind kind)
{
	struct fix *fix = &sweep->fixes[sweep->fix_count];

	if (sweep->fix_count == FIXES_MAX) {
		sweep->unfinished = true;
		return;
	}
	gm_json_free(gm_aodh_known_take(sweep->output, alarm->name));
	fix->sweep = sweep;
	fix->kind = kind;
	memcpy(fix->id, alarm->id, sizeof(fix->id));
	sweep->fix_count++;
}

static void judge(struct gm_aodh_sweep *sweep, const struct gm_aodh_alarm *alarm)
{
	struct active *active = find_active(sweep, alarm->name);
	bool shown = strcmp(alarm->state, "alarm") == 0;

	if (active) {
		active->seen |= shown;
		sweep->unfinished |= is_guest_gone(sweep->output, alarm->name);
	} else if (sweep->removals && is_guest_gone(sweep->output, alarm->name)) {
		note(sweep, alarm, FIX_REMOVE);
	} else if (sweep->states && shown) {
		note(sweep, alarm, FIX_OK);
	}
}

/* False: it is no list of alarms. */
static bool judge_page(struct gm_aodh_sweep *sweep, const struct gm_json *list)
{
	const char *prefix = sweep->output->prefix;
	struct gm_aodh_alarm alarm;

	for (size_t i = 0; i < gm_json_size(list); i++) {
		if (gm_aodh_read(gm_json_at(list, i), &alarm) < 0)
			return false;
		if (strncmp(alarm.name, prefix, strlen(prefix)) == 0)
			judge(sweep, &alarm);
		memcpy(sweep->marker, alarm.id, sizeof(sweep->marker));
	}
	return true;
}

static void page_came(void *user, const struct gm_http_response *response)
{
	struct gm_aodh_sweep *sweep = user;
	struct gm_json *list = NULL;
	size_t count;

	sweep->call = NULL;
	if (gm_aodh_limit(sweep->output, response)) {
		ask_page(sweep);
		return;
	}
	if (response->status != 200) {
		fail_by(sweep, response);
		return;
	}
	if (gm_aodh_list(response->body, response->length, &list) < 0 || !judge_page(sweep, list)) {
		gm_json_free(list);
		fail_because(sweep, "the answer is no list of alarms");
		return;
	}
	count = gm_json_size(list);
	gm_json_free(list);
	/* A service that ignores the marker would be asked for ever. */
	if (count < PAGE || ++sweep->pages == FIXES_MAX)
		go_on_fixing(sweep);
	else
		ask_page(sweep);
}

static void ask_page(struct gm_aodh_sweep *sweep)
{
	char path[512];
	struct gm_error err = {""};

	snprintf(path, sizeof(path),
		 "/v2/alarms?q.field=type&q.op=eq&q.value=event%s&limit=%d&sort=alarm_id:asc%s%s",
		 gm_aodh_everywhere(sweep->output), PAGE,
		 sweep->marker[0] != '\0' ? "&marker=" : "", sweep->marker);
	if (gm_aodh_request(sweep->output, "GET", path, NULL, page_came, sweep, &sweep->call,
			    &err) < 0)
		fail_because(sweep, err.text);
}

/* Which of the snapshot's alarms are told by this output. */
static void note_active(struct gm_aodh_sweep *sweep, const struct gm_snapshot *snapshot)
{
	const struct gm_output *output = sweep->output;

	for (size_t i = 0; i < snapshot->alarm_count && sweep->active_count < ACTIVE_MAX; i++) {
		struct active *active = &sweep->active[sweep->active_count++];

		active->alarm = snapshot->alarms[i];
		gm_aodh_name(output->host.node, &active->alarm, active->name);
	}
	qsort(sweep->active, sweep->active_count, sizeof(*sweep->active), compare_names);
}

void gm_aodh_sweep_start(struct gm_output *output, const struct gm_snapshot *snapshot, bool states)
{
	struct gm_aodh_sweep *sweep = calloc(1, sizeof(*sweep));
	size_t room = snapshot->alarm_count < ACTIVE_MAX ? snapshot->alarm_count : ACTIVE_MAX;

	if (!sweep)
		return;
	output->sweep = sweep;
	sweep->output = output;
	sweep->states = output->holding = states;
	sweep->removals = !states;
	sweep->active = calloc(room + 1, sizeof(*sweep->active));
	sweep->fixes = calloc(FIXES_MAX, sizeof(*sweep->fixes));
	if (!sweep->active || !sweep->fixes) {
		gm_aodh_sweep_free(output);
		return;
	}
	note_active(sweep, snapshot);
	ask_page(sweep);
}

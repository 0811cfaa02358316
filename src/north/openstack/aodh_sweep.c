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
#include "base/text.h"
#include "north/openstack/aodh_private.h"
#include "north/verdict.h"

enum {
	PAGE = 200,
	PAGES_MAX = 4096,
	FIXES_MAX = 4096,  /* of one look: states, and likewise what is told again */
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
	bool unfinished;       /* some of what is to be removed is still active */
	bool cut_off;          /* it was too much at a time: another one goes on */
	bool refused;          /* some cannot be made right, maybe for good */
	bool stopped; /* it has failed: no more is begun, what is under way may be done yet */
	char reason[GM_VERDICT_REASON]; /* why */
	int64_t hold_until;    /* monotonic; how long what was not answered may be done yet */
	struct active *active; /* of the snapshot, by name */
	size_t active_count;
	struct fix *fixes;
	size_t fix_count, begun, ended, fixed;
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
static bool tell_missing(struct gm_output *output, const struct active *active)
{
	struct gm_transition transition = {
		.kind = GM_TRANSITION_RAISE,
		.time = active->alarm.changed_at,
		.alarm = active->alarm,
	};

	if (!gm_output_covers(&output->common, &active->alarm) ||
	    gm_aodh_job_is_there(output, active->name))
		return false;
	if (gm_aodh_job_start(output, &transition, gm_clock_now(), NULL) < 0)
		gm_log(GM_LOG_ERROR, "output %s: out of memory", output->host.name);
	return true;
}

static void tell_all_missing(struct gm_aodh_sweep *sweep)
{
	size_t told = 0;

	for (size_t i = 0; i < sweep->active_count && told < FIXES_MAX; i++)
		told += !sweep->active[i].seen && tell_missing(sweep->output, &sweep->active[i]);
	sweep->cut_off |= told == FIXES_MAX;
}

/* What was refused is not tried again soon; what was too much is gone on with at once. */
static void finish_states(struct gm_aodh_sweep *sweep)
{
	struct gm_output *output = sweep->output;

	tell_all_missing(sweep);
	output->reconciled = output->compared = true;
	if (sweep->refused)
		gm_aodh_doubt(output, GM_AODH_REFUSED_PAUSE);
	else if (sweep->cut_off)
		gm_aodh_doubt(output, 0);
}

static void finish_removals(struct gm_aodh_sweep *sweep)
{
	struct gm_output *output = sweep->output;
	int64_t pause = gm_clock_monotonic() + GM_AODH_REFUSED_PAUSE;

	if (sweep->unfinished || sweep->cut_off || sweep->refused)
		remove_later(output);
	if (sweep->refused && output->remove_at < pause)
		output->remove_at = pause;
}

static void finish(struct gm_aodh_sweep *sweep)
{
	struct gm_output *output = sweep->output;

	if (sweep->states)
		finish_states(sweep);
	else
		finish_removals(sweep);
	if (sweep->fixed > 0)
		gm_log(GM_LOG_NOTICE, "output %s: %zu alarms of Aodh's made right or removed",
		       output->host.name, sweep->fixed);
	gm_aodh_sweep_free(output);
	gm_aodh_jobs_release(output);
}

/* ---- setting right ---- */

/* One has failed, so that others would, too. What is new waits until those under way cannot overtake it. */
static void stop(struct gm_aodh_sweep *sweep, const char *reason)
{
	if (!sweep->stopped)
		gm_text_copy(sweep->reason, sizeof(sweep->reason), reason);
	sweep->stopped = true;
}

/* Not done, as far as is known. */
static void failed(struct gm_aodh_sweep *sweep, const struct gm_http_response *response)
{
	char reason[GM_VERDICT_REASON];
	struct gm_output *output = sweep->output;
	struct gm_verdict verdict = gm_aodh_change_verdict(response, reason);

	if (gm_aodh_is_unanswered(response))
		sweep->hold_until = gm_clock_monotonic() + output->options.cloud.transport.timeout;
	if (verdict.kind != GM_VERDICT_REFUSED) {
		stop(sweep, reason);
		return;
	}
	sweep->refused = true;
	if (gm_log_allowed(&output->sweep_limit, gm_clock_monotonic(), 600 * GM_SECOND, NULL))
		gm_log(GM_LOG_WARNING, "output %s: an alarm of Aodh's cannot be made right: %s",
		       output->host.name, reason);
}

static void fixed(void *user, const struct gm_http_response *response)
{
	struct fix *fix = user;
	struct gm_aodh_sweep *sweep = fix->sweep;

	fix->call = NULL;
	sweep->ended++;
	if (response->status == 404 || (response->status >= 200 && response->status < 300))
		sweep->fixed++;
	else
		failed(sweep, response);
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

static void begin_fixes(struct gm_aodh_sweep *sweep)
{
	struct gm_error err = {.text = ""};

	while (!sweep->stopped && sweep->begun < sweep->fix_count &&
	       sweep->begun - sweep->ended < FIXES_AT_ONCE) {
		if (begin_fix(&sweep->fixes[sweep->begun], &err) < 0)
			stop(sweep, err.text);
		else
			sweep->begun++;
	}
}

static void go_on_fixing(struct gm_aodh_sweep *sweep)
{
	begin_fixes(sweep);
	if (sweep->ended < sweep->begun)
		return;
	if (!sweep->stopped)
		finish(sweep);
	else if (gm_clock_monotonic() >= sweep->hold_until)
		fail_because(sweep, sweep->reason);
}

void gm_aodh_sweep_tick(struct gm_output *output, int64_t now)
{
	struct gm_aodh_sweep *sweep = output->sweep;

	if (sweep && sweep->stopped && sweep->ended == sweep->begun && now >= sweep->hold_until)
		fail_because(sweep, sweep->reason);
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
		sweep->cut_off = true;
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
	if (count < PAGE || ++sweep->pages == PAGES_MAX)
		go_on_fixing(sweep);
	else
		ask_page(sweep);
}

static void ask_page(struct gm_aodh_sweep *sweep)
{
	char path[512];
	struct gm_error err = {.text = ""};

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

	for (size_t i = 0; i < snapshot->alarm_count; i++) {
		struct active *active = &sweep->active[sweep->active_count++];

		active->alarm = snapshot->alarms[i];
		gm_aodh_name(output->host.node, &active->alarm, active->name);
	}
	qsort(sweep->active, sweep->active_count, sizeof(*sweep->active), compare_names);
}

void gm_aodh_sweep_start(struct gm_output *output, const struct gm_snapshot *snapshot, bool states)
{
	struct gm_aodh_sweep *sweep = calloc(1, sizeof(*sweep));

	if (!sweep)
		return;
	output->sweep = sweep;
	sweep->output = output;
	sweep->states = output->holding = states;
	sweep->removals = !states;
	sweep->active = calloc(snapshot->alarm_count + 1, sizeof(*sweep->active));
	sweep->fixes = calloc(FIXES_MAX, sizeof(*sweep->fixes));
	if (!sweep->active || !sweep->fixes) {
		gm_aodh_sweep_free(output);
		return;
	}
	note_active(sweep, snapshot);
	ask_page(sweep);
}

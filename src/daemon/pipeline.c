/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one file that names every stage: who gives to whom, and when. In which order they begin, change and
 * end is in pipeline_life.c.
 *
 *   sources ─ inlet ─ intake (windows, detectors) ─┬─ frames ── store
 *                                                  └─ findings ─ alarms ─ outlet (journal) ─ outputs
 *
 * Time: every 100 ms the store is flushed and alarms are let age; every 300 ms readers get a new
 * snapshot; every second the detectors judge and the node's clock is compared with the wall clock.
 */
#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/mib_change.h"
#include "daemon/orphans.h"
#include "daemon/pipeline_private.h"
#include "daemon/restore.h"
#include "daemon/view.h"

/* Of GM_PIPELINE_TICK_MS. */
enum {
	TICKS_PER_SNAPSHOT = 3,
	TICKS_PER_SECOND = 10,
	TICKS_PER_SWEEP = 100,
};

/* What a source said shortly before it was stopped still arrives. */
static bool runs(const struct gm_pipeline *pipeline, unsigned source)
{
	return pipeline->sources.runners[source] != NULL;
}

void gm_pipeline_publish(struct gm_pipeline *pipeline, int64_t now)
{
	gm_selfwatch_store(pipeline->store, &pipeline->agent);
	pipeline->agent.samples = gm_intake_readings(pipeline->intake);
	pipeline->agent.queue_dropped = gm_inlet_dropped(pipeline->inlet);
	pipeline->agent.last_sequence = gm_state_last_sequence(pipeline->state);
	bool enabled[GM_SOURCE_COUNT];
	for (int id = 0; id < GM_SOURCE_COUNT; id++)
		enabled[id] = runs(pipeline, (unsigned)id);
	int64_t slow = 5 * pipeline->config->libvirt.slow_interval;
	struct gm_view_input input = {
		.now = now,
		.agent = &pipeline->agent,
		.sources = pipeline->source_status,
		.source_enabled = enabled,
		.entities = gm_intake_entities(pipeline->intake),
		.contention = gm_intake_contention(pipeline->intake),
		.alarms = pipeline->alarms,
		.outlet = pipeline->outlet,
		.outputs = pipeline->outputs,
		.managed = gm_intake_managed(pipeline->intake),
		.slot = pipeline->slot,
		.stale_after = slow > 5 * GM_SECOND ? slow : 5 * GM_SECOND,
	};
	struct gm_snapshot *snapshot;
	if (gm_view_build(&input, &snapshot) == 0)
		gm_snapshot_publish(pipeline->slot, snapshot);
}

/*
 * After whatever may have made transitions: readers first, so that who gets a notification and looks
 * finds the alarm; then the outputs.
 */
static void tell_news(struct gm_pipeline *pipeline)
{
	/* What had to wait for the journal is news once it is there. */
	if (!pipeline->news &&
	    pipeline->agent.last_sequence == gm_state_last_sequence(pipeline->state))
		return;
	pipeline->news = false;
	gm_pipeline_publish(pipeline, gm_clock_now());
	gm_outputs_pump(pipeline->outputs);
}

/* ---- from the inlet ---- */

/* A storm is as many commits and snapshots as runs, not as events. */
static void on_begin(void *user)
{
	struct gm_pipeline *pipeline = user;
	gm_outlet_begin(pipeline->outlet);
}

static void on_end(void *user)
{
	struct gm_pipeline *pipeline = user;
	gm_alarming_settle(pipeline->alarming);
	gm_intake_settle(pipeline->intake);
	gm_outlet_end(pipeline->outlet);
	tell_news(pipeline);
}

bool gm_pipeline_libvirt_connected(const struct gm_pipeline *pipeline)
{
	return gm_sources_libvirt_connected(&pipeline->sources, pipeline->source_status);
}

static void on_samples(void *user, const struct gm_batch *batch)
{
	struct gm_pipeline *pipeline = user;
	if (!runs(pipeline, batch->source))
		return;
	gm_intake_batch(pipeline->intake, batch);
}

static void on_foreseen(void *user, const enum gm_source_id *sources,
			const struct gm_entity_info *const *infos, size_t count)
{
	struct gm_pipeline *pipeline = user;
	gm_intake_foresee(pipeline->intake, sources, infos, count);
}

static void on_seen(void *user, enum gm_source_id source, const struct gm_entity_info *info)
{
	struct gm_pipeline *pipeline = user;
	if (runs(pipeline, source))
		gm_intake_seen(pipeline->intake, source, info);
}

static void on_gone(void *user, enum gm_source_id source, const struct gm_entity_key *key,
		    int64_t time)
{
	struct gm_pipeline *pipeline = user;
	gm_alarming_settle(pipeline->alarming);
	gm_intake_gone(pipeline->intake, source, key, time);
}

static void on_event(void *user, const struct gm_guest_event *event)
{
	struct gm_pipeline *pipeline = user;
	gm_alarming_event(pipeline->alarming, pipeline->intake, event);
}

static void on_source_status(void *user, const struct gm_source_status *status)
{
	struct gm_pipeline *pipeline = user;
	struct gm_source_status *known = &pipeline->source_status[status->id];
	if (!runs(pipeline, status->id))
		return;
	gm_sources_note(&pipeline->sources, gm_intake_entities(pipeline->intake), known, status);
	/* libvirt tells of its guests only after it is connected. */
	if (gm_source_uri(status->id) >= 0 && status->connected && !known->connected)
		pipeline->orphans_at = gm_clock_monotonic() + GM_PIPELINE_ORPHAN_GRACE;
	*known = *status;
	gm_intake_libvirt_connected(pipeline->intake, gm_pipeline_libvirt_connected(pipeline));
}

/* Those that cannot tell of themselves. */
static void watch_sources(struct gm_pipeline *pipeline)
{
	for (int id = 0; id < GM_SOURCE_COUNT; id++) {
		struct gm_source_status status = pipeline->source_status[id];
		if (gm_sources_stuck(&pipeline->sources, pipeline->config, (enum gm_source_id)id,
				     gm_clock_monotonic(), &status))
			on_source_status(pipeline, &status);
	}
}

static void on_mib_status(void *user, const struct gm_mib_status *status)
{
	struct gm_pipeline *pipeline = user;
	pipeline->mib_status = *status;
	gm_outputs_mib_status(pipeline->outputs, status);
}

static void on_delivered(void *user, uint64_t sequence)
{
	struct gm_pipeline *pipeline = user;
	gm_outputs_mib_delivered(pipeline->outputs, sequence);
}

/* ---- from the intake ---- */

static void on_frame(void *user, const struct gm_frame *frame, const struct gm_reading *readings)
{
	struct gm_pipeline *pipeline = user;
	pipeline->store->ops->append(pipeline->store, frame, readings);
}

static void on_identified(void *user, const struct gm_entity_info *info)
{
	struct gm_pipeline *pipeline = user;
	pipeline->store->ops->identify(pipeline->store, info);
	gm_sources_tell(&pipeline->sources,
			gm_entities_find(gm_intake_entities(pipeline->intake), &info->key));
}

static void on_entity_gone(void *user, const struct gm_entity_key *key, int64_t time)
{
	struct gm_pipeline *pipeline = user;
	gm_orphans_leave(pipeline->alarms, key, time);
	pipeline->store->ops->forget(pipeline->store, key);
	gm_sources_forget(&pipeline->sources, key);
}

void gm_pipeline_finding(void *user, const struct gm_finding *finding)
{
	struct gm_pipeline *pipeline = user;
	gm_sources_judge(&pipeline->sources, finding);
	if (gm_alarms_finding(pipeline->alarms, finding) == -ENOMEM)
		gm_log(GM_LOG_ERROR, "out of memory: a finding of %s is lost", finding->detector);
}

/* ---- from the alarm engine ---- */

static void on_transition(void *user, struct gm_transition *transition)
{
	struct gm_pipeline *pipeline = user;
	gm_outlet_transition(pipeline->outlet, transition);
	pipeline->news = true;
}

static void describe_alarm(void *user, struct gm_alarm *alarm)
{
	struct gm_pipeline *pipeline = user;
	gm_entities_describe(gm_intake_entities(pipeline->intake), alarm);
}

static uint32_t new_alarm_id(void *user)
{
	struct gm_pipeline *pipeline = user;
	return gm_state_new_alarm_id(pipeline->state);
}

/* ---- time ---- */

void gm_pipeline_end_orphans(struct gm_pipeline *pipeline, bool entities_too, int64_t now)
{
	if (gm_orphans_end(pipeline->alarms, gm_intake_entities(pipeline->intake),
			   pipeline->external, entities_too, now) < 0)
		gm_log(GM_LOG_ERROR, "out of memory: alarms without an owner stay");
}

/* Entities and alarms from before the restart whose owner never came back. */
static void sweep_orphans(struct gm_pipeline *pipeline, int64_t now)
{
	bool libvirt = pipeline->config->libvirt.enabled;
	if (gm_clock_monotonic() < pipeline->orphans_at ||
	    (libvirt && !gm_pipeline_libvirt_connected(pipeline)))
		return;
	gm_intake_sweep(pipeline->intake, now);
	gm_pipeline_end_orphans(pipeline, true, now);
}

/* What the daemon needs and does not have is an alarm, too. */
static void watch_self(struct gm_pipeline *pipeline, int64_t now)
{
	struct gm_selfalarms_input input = {
		.store_wanted = pipeline->config->redis.enabled,
		.store_connected = pipeline->agent.store_connected,
		.monotonic = gm_clock_monotonic(),
		.now = now,
	};
	struct gm_finding_sink sink = {gm_pipeline_finding, pipeline};
	for (int id = 0; id < GM_SOURCE_COUNT; id++) {
		input.source_wanted[id] = runs(pipeline, (unsigned)id);
		input.source_connected[id] = pipeline->source_status[id].connected;
	}
	gm_selfalarms_tick(&pipeline->self, &input, &sink);
	gm_outputalarms_look(&pipeline->output_alarms, pipeline->slot, now, input.monotonic, &sink);
}

static void follow_clock(struct gm_pipeline *pipeline)
{
	int64_t step = gm_selfwatch_clock();
	if (step != 0)
		gm_intake_stepped(pipeline->intake, step, gm_clock_now());
}

void gm_pipeline_tick(uv_timer_t *timer)
{
	struct gm_pipeline *pipeline = timer->data;
	pipeline->ticks++;
	bool second = pipeline->ticks % TICKS_PER_SECOND == 0;
	if (second)
		follow_clock(pipeline);
	int64_t now = gm_clock_now();
	gm_outlet_begin(pipeline->outlet);
	if (second) {
		if (gm_intake_evaluate(pipeline->intake, now))
			gm_pipeline_end_orphans(pipeline, false, now);
		gm_external_feed_tick(pipeline->external, now);
		gm_sources_follow(&pipeline->sources, gm_intake_entities(pipeline->intake), now);
		watch_sources(pipeline);
		gm_selfwatch_update(&pipeline->watch, gm_intake_readings(pipeline->intake),
				    &pipeline->agent);
		watch_self(pipeline, now);
	}
	if (pipeline->ticks % TICKS_PER_SWEEP == 0)
		sweep_orphans(pipeline, now);
	gm_mirror_tick(&pipeline->mirror, now);
	gm_alarming_tick(pipeline->alarming, now);
	gm_outlet_end(pipeline->outlet);
	gm_restore_journal(pipeline->state, pipeline->alarms, pipeline->outlet, now);
	tell_news(pipeline);
	gm_outputs_tick(pipeline->outputs);
	if (second)
		gm_outputs_second(pipeline->outputs, pipeline->slot);
	if (pipeline->ticks % TICKS_PER_SNAPSHOT == 0)
		gm_pipeline_publish(pipeline, now);
}

/* ---- the stages ---- */

int gm_pipeline_wire(struct gm_pipeline *pipeline)
{
	const struct gm_config *config = pipeline->config;
	struct gm_inlet_handler handler = {
		.begin = on_begin,
		.end = on_end,
		.samples = on_samples,
		.foreseen = on_foreseen,
		.seen = on_seen,
		.gone = on_gone,
		.event = on_event,
		.source_status = on_source_status,
		.mib_status = on_mib_status,
		.change = gm_mib_change_apply,
		.delivered = on_delivered,
		.user = pipeline,
	};
	int result = gm_learning_create(pipeline->state, &pipeline->learning);
	struct gm_intake_options intake = {
		.window = gm_config_window(config),
		.detectors = config->detectors,
		.learning = pipeline->learning,
		.libvirt = config->libvirt.enabled,
	};
	struct gm_intake_sink intake_sink = {on_frame, on_identified, on_entity_gone,
					     gm_pipeline_finding, pipeline};
	struct gm_alarm_sink alarm_sink = {on_transition, describe_alarm, new_alarm_id, pipeline};

	if (result == 0)
		result = gm_snapshot_slot_create(&pipeline->slot);
	if (result == 0)
		result =
			gm_intake_create(&intake, pipeline->state, &intake_sink, &pipeline->intake);
	if (result == 0)
		result = gm_alarms_create(&config->alarm, &alarm_sink, &pipeline->alarms);
	if (result == 0)
		result = gm_alarming_create(pipeline->alarms, config->handling,
					    gm_intake_entities(pipeline->intake), pipeline->state,
					    gm_clock_now(), &pipeline->alarming);
	if (result == 0)
		result = gm_outlet_create(pipeline->state, &pipeline->outlet);
	if (result == 0)
		result = gm_outputs_create(pipeline->loop, pipeline->state, config->node.name,
					   &pipeline->outputs, NULL);
	if (result == 0)
		result = gm_inlet_create(pipeline->loop, &handler, &pipeline->inlet);
	return result;
}

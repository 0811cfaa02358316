/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one file that names every stage: who gives to whom, and when.
 *
 *   sources ─ inlet ─ intake (windows, detectors) ─┬─ frames ── store
 *                                                  └─ findings ─ alarms ─ outlet (journal) ─ outputs
 *
 * Time: every 100 ms the store is flushed and alarms are let age; every 300 ms readers get a new
 * snapshot; every second the detectors judge and the node's clock is compared with the wall clock.
 */
#include "daemon/pipeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/external.h"
#include "daemon/inlet.h"
#include "daemon/intake.h"
#include "daemon/mib_change.h"
#include "daemon/mirror.h"
#include "daemon/orphans.h"
#include "daemon/outlet.h"
#include "daemon/outputalarms.h"
#include "daemon/outputs.h"
#include "daemon/restore.h"
#include "daemon/selfalarms.h"
#include "daemon/selfwatch.h"
#include "daemon/sources.h"
#include "daemon/view.h"

enum {
	TICK_MS = 100,
	TICKS_PER_SNAPSHOT = 3,
	TICKS_PER_SECOND = 10,
	TICKS_PER_SWEEP = 100,
};

/* What was there before a restart and has not shown up within this time is taken for gone. */
#define ORPHAN_GRACE (20 * GM_SECOND)

struct gm_pipeline {
	const struct gm_config *config;
	uv_loop_t *loop;
	struct gm_state *state;
	struct gm_inlet *inlet;
	struct gm_learning *learning;
	struct gm_intake *intake;
	struct gm_store *store; /* the mirror's */
	struct gm_mirror mirror;
	struct gm_alarms *alarms; /* owned by: */
	struct gm_alarming *alarming;
	struct gm_outlet *outlet;
	struct gm_outputs *outputs;
	struct gm_external_feed *external;
	struct gm_mib *mib;
	struct gm_snapshot_slot *slot;
	struct gm_sources sources;

	uv_timer_t timer;
	uint64_t ticks;
	bool news;          /* transitions were made that readers and outputs do not know yet */
	int64_t orphans_at; /* monotonic: by then who was there before has shown up */
	struct gm_agent_row agent;
	struct gm_selfwatch watch;
	struct gm_selfalarms self;
	struct gm_outputalarms output_alarms;
	struct gm_mib_status mib_status;
	struct gm_source_status source_status[GM_SOURCE_COUNT];
};

/* What a source said shortly before it was stopped still arrives. */
static bool runs(const struct gm_pipeline *pipeline, unsigned source)
{
	return pipeline->sources.runners[source] != NULL;
}

static void publish(struct gm_pipeline *pipeline, int64_t now)
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
	publish(pipeline, gm_clock_now());
	gm_outputs_pump(pipeline->outputs);
}

/* ---- from the inlet ---- */

/* A storm is as many commits and snapshots as runs, not as events. */
static void on_begin(void *user)
{
	gm_outlet_begin(((struct gm_pipeline *)user)->outlet);
}

static void on_end(void *user)
{
	struct gm_pipeline *pipeline = user;
	gm_alarming_settle(pipeline->alarming);
	gm_intake_settle(pipeline->intake);
	gm_outlet_end(pipeline->outlet);
	tell_news(pipeline);
}

static bool libvirt_connected(const struct gm_pipeline *pipeline)
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
	gm_intake_foresee(((struct gm_pipeline *)user)->intake, sources, infos, count);
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
		pipeline->orphans_at = gm_clock_monotonic() + ORPHAN_GRACE;
	*known = *status;
	gm_intake_libvirt_connected(pipeline->intake, libvirt_connected(pipeline));
}

static void on_mib_status(void *user, const struct gm_mib_status *status)
{
	struct gm_pipeline *pipeline = user;
	pipeline->mib_status = *status;
	gm_outputs_mib_status(pipeline->outputs, status);
}

static void on_delivered(void *user, uint64_t sequence)
{
	gm_outputs_mib_delivered(((struct gm_pipeline *)user)->outputs, sequence);
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

static void on_finding(void *user, const struct gm_finding *finding)
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
	gm_entities_describe(gm_intake_entities(((struct gm_pipeline *)user)->intake), alarm);
}

static uint32_t new_alarm_id(void *user)
{
	return gm_state_new_alarm_id(((struct gm_pipeline *)user)->state);
}

/* ---- time ---- */

static void end_orphans(struct gm_pipeline *pipeline, bool entities_too, int64_t now)
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
	    (libvirt && !libvirt_connected(pipeline)))
		return;
	gm_intake_sweep(pipeline->intake, now);
	end_orphans(pipeline, true, now);
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
	struct gm_finding_sink sink = {on_finding, pipeline};
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

static void on_tick(uv_timer_t *timer)
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
			end_orphans(pipeline, false, now);
		gm_external_feed_tick(pipeline->external, now);
		gm_sources_follow(&pipeline->sources, gm_intake_entities(pipeline->intake), now);
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
		publish(pipeline, now);
}

/* ---- life ---- */

static int create_stages(struct gm_pipeline *pipeline)
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
	struct gm_intake_sink intake_sink = {on_frame, on_identified, on_entity_gone, on_finding,
					     pipeline};
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

int gm_pipeline_create(uv_loop_t *loop, const struct gm_config *config, struct gm_state *state,
		       struct gm_pipeline **ret_pipeline, struct gm_error *err)
{
	struct gm_pipeline *pipeline = calloc(1, sizeof(*pipeline));
	if (!pipeline)
		return gm_error_set(err, -ENOMEM, "out of memory");
	pipeline->loop = loop;
	pipeline->config = config;
	pipeline->state = state;
	pipeline->orphans_at = gm_clock_monotonic() + ORPHAN_GRACE;
	gm_state_journal_retain(state, config->state.journal_keep, config->state.journal_age);
	gm_selfwatch_init(&pipeline->agent, config->node.name, gm_state_boots(state));

	int result = gm_mirror_create(&pipeline->mirror, config, loop, err);
	if (result == 0) {
		pipeline->store = pipeline->mirror.store;
		gm_text_copy(pipeline->agent.store, sizeof(pipeline->agent.store),
			     pipeline->store->ops->name);
		result = create_stages(pipeline);
		pipeline->mirror.intake = pipeline->intake;
		if (result < 0)
			gm_error_set(err, result, "cannot start: %s", strerror(-result));
	}
	if (result < 0) {
		if (pipeline->inlet)
			gm_inlet_close(pipeline->inlet);
		gm_outputs_close(pipeline->outputs);
		uv_run(loop, UV_RUN_NOWAIT); /* lets the inlet's handle close */
		gm_pipeline_free(pipeline);
		return result;
	}
	*ret_pipeline = pipeline;
	return 0;
}

int gm_pipeline_start(struct gm_pipeline *pipeline, struct gm_error *err)
{
	struct gm_finding_sink findings = {on_finding, pipeline};
	int result = gm_restore_alarms(pipeline->state, pipeline->alarms, pipeline->outlet,
				       &pipeline->output_alarms, err);
	if (result < 0)
		return result;
	gm_mirror_load(&pipeline->mirror, gm_alarms_active(pipeline->alarms, NULL, 0));
	pipeline->store->ops->start(pipeline->store);
	pipeline->external = gm_external_feed_start(pipeline->store, pipeline->config,
						    gm_intake_entities(pipeline->intake),
						    pipeline->alarms, pipeline->outlet, &findings);
	publish(pipeline, gm_clock_now());
	if (pipeline->config->snmp.enabled) {
		result = gm_mib_start(&pipeline->config->snmp, pipeline->slot,
				      gm_inlet_mib_host(pipeline->inlet), &pipeline->mib, err);
		if (result < 0)
			return result;
		gm_outputs_attach_mib(pipeline->outputs, pipeline->mib);
	} else {
		gm_outputs_without_mib(pipeline->outputs);
	}
	gm_outputs_configure(pipeline->outputs, pipeline->config->outputs.files);
	publish(pipeline, gm_clock_now()); /* with the outputs that there are now */
	uv_timer_init(pipeline->loop, &pipeline->timer);
	pipeline->timer.data = pipeline;
	uv_timer_start(&pipeline->timer, on_tick, TICK_MS, TICK_MS);
	gm_sources_identify(&pipeline->sources, pipeline->state);
	return gm_sources_start(&pipeline->sources, pipeline->config,
				gm_inlet_source_sink(pipeline->inlet), err);
}

/* What stopped sources have told counts no more; those in their place have time to tell it again. */
static void forget_stopped(struct gm_pipeline *pipeline, unsigned stopped)
{
	for (int id = 0; id < GM_SOURCE_COUNT; id++) {
		if (!(stopped >> id & 1))
			continue;
		gm_intake_source_ended(pipeline->intake, (enum gm_source_id)id);
		pipeline->source_status[id] = (struct gm_source_status){.id = id};
	}
	gm_intake_libvirt_connected(pipeline->intake, libvirt_connected(pipeline));
	pipeline->orphans_at = gm_clock_monotonic() + ORPHAN_GRACE;
}

static int change_sources(struct gm_pipeline *pipeline, const struct gm_config *before,
			  const struct gm_config *after, struct gm_error *err)
{
	unsigned stopped = gm_sources_stop_changed(&pipeline->sources, before, after);
	/* What they had told must not pass for the word of those that come in their place. */
	gm_inlet_drain(pipeline->inlet);
	int result = gm_sources_start_missing(&pipeline->sources, after, err);
	forget_stopped(pipeline, stopped);
	return result;
}

int gm_pipeline_reconfigure(struct gm_pipeline *pipeline, const struct gm_config *after,
			    struct gm_error *err)
{
	const struct gm_config *before = pipeline->config;
	int result = gm_sources_may_change(&pipeline->sources, before, after, err);
	if (result < 0)
		return result;
	result = change_sources(pipeline, before, after, err);
	if (result == 0) {
		result = gm_intake_reconfigure(pipeline->intake, after->detectors,
					       after->libvirt.enabled);
		if (result < 0)
			gm_error_set(err, result, "out of memory");
	}
	if (result < 0) {
		struct gm_error back;
		if (change_sources(pipeline, after, before, &back) < 0)
			gm_log(GM_LOG_ERROR, "%s; the next reload tries again", back.text);
		gm_sources_tell_again(&pipeline->sources, gm_intake_entities(pipeline->intake));
		return result;
	}
	gm_outlet_begin(pipeline->outlet);
	gm_alarming_configure(pipeline->alarming, &after->alarm, after->handling, gm_clock_now());
	end_orphans(pipeline, false, gm_clock_now());
	gm_outlet_end(pipeline->outlet);
	gm_outputs_configure(pipeline->outputs, after->outputs.files);
	gm_sources_tell_again(&pipeline->sources, gm_intake_entities(pipeline->intake));
	pipeline->config = after;
	return 0;
}

void gm_pipeline_stop(struct gm_pipeline *pipeline)
{
	if (!pipeline)
		return;
	gm_sources_stop(&pipeline->sources);
	gm_mib_stop(pipeline->mib);
	pipeline->mib = NULL;
	gm_outputs_attach_mib(pipeline->outputs, NULL);
	if (pipeline->timer.data)
		uv_close((uv_handle_t *)&pipeline->timer, NULL);
	/* Above all what was delivered to the last: it must not be told again after a restart. */
	gm_inlet_close(pipeline->inlet);
	gm_outputs_close(pipeline->outputs);
	gm_mirror_stop(&pipeline->mirror, gm_clock_now());
	gm_external_feed_stop(pipeline->external);
}

void gm_pipeline_free(struct gm_pipeline *pipeline)
{
	if (!pipeline)
		return;
	gm_inlet_free(pipeline->inlet);
	gm_external_feed_free(pipeline->external);
	gm_outputs_free(pipeline->outputs);
	gm_outlet_free(pipeline->outlet);
	gm_alarming_free(pipeline->alarming);
	gm_intake_free(pipeline->intake);
	gm_learning_free(pipeline->learning);
	gm_mirror_destroy(&pipeline->mirror);
	gm_suspicion_clear(&pipeline->sources.suspicion);
	gm_snapshot_slot_free(pipeline->slot);
	free(pipeline);
}

struct gm_snapshot_slot *gm_pipeline_snapshots(struct gm_pipeline *pipeline)
{
	return pipeline->slot;
}

const struct gm_entities *gm_pipeline_entities(const struct gm_pipeline *pipeline)
{
	return gm_intake_entities(pipeline->intake);
}

struct gm_managed *gm_pipeline_managed(struct gm_pipeline *pipeline)
{
	return gm_intake_managed(pipeline->intake);
}

struct gm_store *gm_pipeline_store(struct gm_pipeline *pipeline)
{
	return pipeline->store;
}

struct gm_outputs *gm_pipeline_outputs(struct gm_pipeline *pipeline)
{
	return pipeline->outputs;
}

void gm_pipeline_gather(struct gm_pipeline *pipeline, bool gather)
{
	(gather ? gm_outlet_begin : gm_outlet_end)(pipeline->outlet);
}

struct gm_alarming *gm_pipeline_alarming(struct gm_pipeline *pipeline)
{
	return pipeline->alarming;
}

struct gm_learning *gm_pipeline_learning(struct gm_pipeline *pipeline)
{
	return pipeline->learning;
}

const void *gm_pipeline_options(const struct gm_pipeline *pipeline,
				const struct gm_detector_ops *ops)
{
	return gm_detector_settings_get(pipeline->config->detectors, ops);
}

void gm_pipeline_status(const struct gm_pipeline *pipeline, struct gm_pipeline_status *ret_status)
{
	*ret_status = (struct gm_pipeline_status){
		.mib = pipeline->mib_status,
		.agent = pipeline->mib,
		.alarms = gm_alarms_counts(pipeline->alarms),
		.transitions_lost = gm_outlet_lost(pipeline->outlet),
		.entities = gm_entities_count(gm_intake_entities(pipeline->intake)),
	};
	gm_external_feed_status(pipeline->external, &ret_status->external);
}

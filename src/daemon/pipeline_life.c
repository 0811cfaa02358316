/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In which order the stages of pipeline.c begin, go over to another configuration, and end; and what the
 * control server may see of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/pipeline_private.h"
#include "daemon/restore.h"

int gm_pipeline_create(uv_loop_t *loop, const struct gm_config *config, struct gm_state *state,
		       struct gm_pipeline **ret_pipeline, struct gm_error *err)
{
	struct gm_pipeline *pipeline = calloc(1, sizeof(*pipeline));
	if (!pipeline)
		return gm_error_set(err, -ENOMEM, "out of memory");
	pipeline->loop = loop;
	pipeline->config = config;
	pipeline->state = state;
	for (int id = 0; id < GM_SOURCE_COUNT; id++)
		pipeline->source_status[id].id = (enum gm_source_id)id;
	pipeline->orphans_at = gm_clock_monotonic() + GM_PIPELINE_ORPHAN_GRACE;
	gm_state_journal_retain(state, config->state.journal_keep, config->state.journal_age);
	gm_selfwatch_init(&pipeline->agent, config->node.name, gm_state_boots(state));

	int result = gm_mirror_create(&pipeline->mirror, config, loop, err);
	if (result == 0) {
		pipeline->store = pipeline->mirror.store;
		gm_text_copy(pipeline->agent.store, sizeof(pipeline->agent.store),
			     pipeline->store->ops->name);
		result = gm_pipeline_wire(pipeline);
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
	struct gm_finding_sink findings = {gm_pipeline_finding, pipeline};
	int result = gm_restore_alarms(pipeline->state, pipeline->alarms, pipeline->outlet,
				       &pipeline->output_alarms, err);
	if (result < 0)
		return result;
	gm_mirror_load(&pipeline->mirror, gm_alarms_active(pipeline->alarms, NULL, 0));
	pipeline->store->ops->start(pipeline->store);
	pipeline->external = gm_external_feed_start(pipeline->store, pipeline->config,
						    gm_intake_entities(pipeline->intake),
						    pipeline->alarms, pipeline->outlet, &findings);
	gm_pipeline_publish(pipeline, gm_clock_now());
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
	gm_pipeline_publish(pipeline, gm_clock_now()); /* with the outputs that there are now */
	uv_timer_init(pipeline->loop, &pipeline->timer);
	pipeline->timer.data = pipeline;
	uv_timer_start(&pipeline->timer, gm_pipeline_tick, GM_PIPELINE_TICK_MS,
		       GM_PIPELINE_TICK_MS);
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
	gm_intake_libvirt_connected(pipeline->intake, gm_pipeline_libvirt_connected(pipeline));
	pipeline->orphans_at = gm_clock_monotonic() + GM_PIPELINE_ORPHAN_GRACE;
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
	gm_pipeline_end_orphans(pipeline, false, gm_clock_now());
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

/* ---- what others may see of it ---- */

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

struct gm_outlet *gm_pipeline_outlet(struct gm_pipeline *pipeline)
{
	return pipeline->outlet;
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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline: everything between the sources and the outputs, wired. Main thread only, on the
 * given loop.
 */
#ifndef GM_DAEMON_PIPELINE_H
#define GM_DAEMON_PIPELINE_H

#include <uv.h>

#include "daemon/alarming.h"
#include "daemon/config.h"
#include "daemon/entities.h"
#include "daemon/external.h"
#include "daemon/outlet.h"
#include "daemon/outputs.h"
#include "model/snapshot.h"
#include "state/state.h"

struct gm_pipeline;

/* `config` stays the caller's and outlives the pipeline or is replaced by reconfigure(). */
int gm_pipeline_create(uv_loop_t *loop, const struct gm_config *config, struct gm_state *state,
		       struct gm_pipeline **ret_pipeline, struct gm_error *err);

/* Restores alarms and windows, then starts store, agent, sources and timers. */
int gm_pipeline_start(struct gm_pipeline *pipeline, struct gm_error *err);

/*
 * Goes over to another configuration, one that gm_config_applicable() accepts: all of it or, when a
 * source cannot be started, nothing.
 */
int gm_pipeline_reconfigure(struct gm_pipeline *pipeline, const struct gm_config *after,
			    struct gm_error *err);

/* Stops sources and agent, closes every handle: the loop then runs dry; free after that. NULL-safe. */
void gm_pipeline_stop(struct gm_pipeline *pipeline);
void gm_pipeline_free(struct gm_pipeline *pipeline);

/* For the control server: the present snapshot, the windows themselves, and where there are more. */
struct gm_snapshot_slot *gm_pipeline_snapshots(struct gm_pipeline *pipeline);
const struct gm_entities *gm_pipeline_entities(const struct gm_pipeline *pipeline);
struct gm_store *gm_pipeline_store(struct gm_pipeline *pipeline);

struct gm_outputs *gm_pipeline_outputs(struct gm_pipeline *pipeline);
struct gm_managed *gm_pipeline_managed(struct gm_pipeline *pipeline); /* what managers set */
/* The journal's end: a command that may change many alarms lets them be journalled as one (outlet.h). */
struct gm_outlet *gm_pipeline_outlet(struct gm_pipeline *pipeline);

/* What silences alarms. */
struct gm_alarming *gm_pipeline_alarming(struct gm_pipeline *pipeline);

struct gm_learning *gm_pipeline_learning(struct gm_pipeline *pipeline);

/* The present options of a detector (base/option.h). */
const void *gm_pipeline_options(const struct gm_pipeline *pipeline,
				const struct gm_detector_ops *ops);

/* What the snapshot does not hold: the SNMP agent's state, the alarms' counters. */
struct gm_pipeline_status {
	struct gm_mib_status mib;
	struct gm_mib *agent; /* NULL: none runs on this node */
	struct gm_alarms_counts alarms;
	uint64_t transitions_lost;
	size_t entities;
	struct gm_external_feed_status external;
};
void gm_pipeline_status(const struct gm_pipeline *pipeline, struct gm_pipeline_status *ret_status);

#endif

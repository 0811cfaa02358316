/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What pipeline.c, the wiring, and pipeline_life.c, its beginning and end, share. Included by these two alone.
 */
#ifndef GM_DAEMON_PIPELINE_PRIVATE_H
#define GM_DAEMON_PIPELINE_PRIVATE_H

#include "base/clock.h"
#include "daemon/external.h"
#include "daemon/inlet.h"
#include "daemon/intake.h"
#include "daemon/mirror.h"
#include "daemon/outlet.h"
#include "daemon/outputalarms.h"
#include "daemon/outputs.h"
#include "daemon/pipeline.h"
#include "daemon/selfalarms.h"
#include "daemon/selfwatch.h"
#include "daemon/sources.h"

enum { GM_PIPELINE_TICK_MS = 100 };

/* What was there before a restart and has not shown up within this time is taken for gone. */
#define GM_PIPELINE_ORPHAN_GRACE (20 * GM_SECOND)

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

/* Creates the stages between store and sources, each with whom it gives to. 0, or a negative errno. */
int gm_pipeline_wire(struct gm_pipeline *pipeline);

/* Of the timer whose `data` is the pipeline, every GM_PIPELINE_TICK_MS. */
void gm_pipeline_tick(uv_timer_t *timer);

/* A new snapshot for readers. */
void gm_pipeline_publish(struct gm_pipeline *pipeline, int64_t now);

/* gm_finding_sink.finding; `user` is the pipeline. */
void gm_pipeline_finding(void *user, const struct gm_finding *finding);

/* Ends the alarms that nobody would end, as gm_orphans_end() finds them (orphans.h). */
void gm_pipeline_end_orphans(struct gm_pipeline *pipeline, bool entities_too, int64_t now);

/* Whether all connections to libvirt that are wanted are there. */
bool gm_pipeline_libvirt_connected(const struct gm_pipeline *pipeline);

#endif

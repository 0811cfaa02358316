/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watching node's own, for the two files that make it: node.c holds the clock and the stages,
 * node_feed.c tells the intake what the sources would.
 */
#ifndef GM_SIM_NODE_PRIVATE_H
#define GM_SIM_NODE_PRIVATE_H

#include "alarm/engine.h"
#include "daemon/intake.h"
#include "node.h"
#include "state/state.h"

struct watched {
	struct sim_guest world;
	size_t events;                   /* that have happened */
	const struct sim_event *absence; /* that it is under now, or NULL */
	double back_at;
	unsigned generation; /* of its taps: a new qemu has new ones */
	bool speed_told;
	double cpu_counted; /* of its processor time, in the node's */
};

struct sim_node {
	struct sim_node_options options;
	struct watched *guests;
	uint64_t random;
	double time, offset; /* true time; what the clock shows beside it */
	double unseen_until, slow_at;
	uint64_t turns;
	double cpu; /* ns that the guests have used */

	char directory[32];
	struct gm_state *state;
	struct gm_detector_settings *settings;
	struct gm_intake *intake;
	struct gm_alarms *alarms;
	struct gm_batch *batch;
	uint32_t alarm_ids;
	int result;

	struct sim_notice *notices;
	size_t notice_count, notice_capacity;

	int record_guest, record_port;
	bool record_begun;
	FILE *record;
};

int64_t sim_node_now(const struct sim_node *node);

/* libvirt and the kernel tell of a guest and its devices. */
void sim_feed_appear(struct sim_node *node, size_t number);

/* What is told at an event's begin, and at the end of an absence. */
void sim_feed_event(struct sim_node *node, size_t number, const struct sim_event *event, bool end);

/* A sample of everything; `slow`: also of what is asked for once a second. */
void sim_feed_samples(struct sim_node *node, bool slow);

/* Whose entity it is: a guest's number, or SIM_NODE. */
int sim_feed_guest(const struct sim_node *node, const struct gm_entity_key *key);

void sim_feed_record(struct sim_node *node, const struct gm_frame *frame,
		     const struct gm_reading *readings);

#endif

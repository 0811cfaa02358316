/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node that watches simulated guests (world.h): the daemon's own intake, windows, detectors and
 * alarm engine, fed as the sources feed them, on a virtual clock. Every registered detector runs with
 * its defaults. What the alarm engine tells is kept as notices.
 */
#ifndef GM_SIM_NODE_H
#define GM_SIM_NODE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "analysis/detector.h"
#include "model/alarm.h"
#include "world.h"

struct sim_node_options {
	const struct sim_plan *plans; /* outlive the node */
	size_t count;
	double interval;   /* s between two samples; what comes from inside a guest: at least 1 s */
	double jitter;     /* part of the interval by which a sample may be late */
	double lost;       /* part of the samples that are not taken */
	double port_speed; /* bit/s */
	/*
	 * "detector.key=value", or "detector:name;key=value;...", a rule that an operator adds; NULL at the end;
	 * or NULL.
	 */
	const char *const *settings;
};

enum { SIM_NODE = -1 }; /* as a guest's number: the node itself */

struct sim_notice {
	double time; /* s since the origin, by the true clock */
	int guest;   /* number, or SIM_NODE */
	enum gm_entity_kind entity;
	enum gm_transition_kind kind;
	enum gm_severity severity;
	char detector[GM_DETECTOR_NAME];
	char metric[GM_METRIC_NAME];
	char contributors[96];
};

struct sim_node;

/* NULL after a message on standard error: no memory, a wrong setting, no directory for the state. */
struct sim_node *sim_node_create(const struct sim_node_options *options);
void sim_node_free(struct sim_node *node);

/* Writes what is sampled of a guest (`port` 0 or 1: of that port) as CSV for `guestmonctl replay`. */
void sim_node_record(struct sim_node *node, int guest, int port, FILE *file);

/* Lives and samples until `time`; 0 or a negative errno. */
int sim_node_run(struct sim_node *node, double time);

const struct sim_notice *sim_node_notices(const struct sim_node *node, size_t *ret_count);
uint64_t sim_node_readings(const struct sim_node *node);

/*
 * False alarms per day and entity that a detector's options say are acceptable (its option `false-alarms`); 0
 * for those that promise none.
 */
double sim_promised(const struct gm_detector_ops *ops);

/* Raises that the limit of the alarm engine held back. */
uint64_t sim_node_limited(const struct sim_node *node);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenarios: one guest (world.h) watched for a while (node.h), and which alarms must come of it. A
 * family of them is a table in a file of its own, with a main() that hands it over.
 */
#ifndef GM_SIM_SCENARIO_H
#define GM_SIM_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>

#include "world.h"

enum { SIM_EXPECTATIONS_MAX = 6 };

/* A raise of `detector` within [from, to] is expected; one that is only `tolerated` may also not come. */
struct sim_expectation {
	const char *detector;
	double from, to;
	bool tolerated;
	unsigned raises; /* at most; 0: any number */
};

struct sim_scenario {
	const char *name;
	double seconds, interval;
	double jitter, lost;     /* see struct sim_node_options */
	const char *settings[4]; /* as there */
	struct sim_plan plan;
	struct sim_expectation expect[SIM_EXPECTATIONS_MAX];
	const char *missed; /* why this is not reached yet: shown, and no failure */
};

/*
 * Runs a family and prints its table: expected and found detections, the longest delay, false alarms by
 * detector (one that promises a rate of false alarms is held to that), and the most notices within an
 * hour. Arguments: NAME (those whose name contains it), -v (every raise and clear), --record FILE
 * [--port N] (the guest's, or a port's, samples of the last one run). The exit status of the program.
 */
int sim_scenarios_main(const struct sim_scenario *scenarios, size_t count, int argc, char **argv);

#endif

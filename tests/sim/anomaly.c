/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests that behave as they never did, after days in which they could be learned, and guests whose
 * cycles and chores only look odd to who does not know them. Prints a table and fails where a line of
 * it is not as it must be.
 */
#include "scenario.h"

/* A server with day and night, a nightly and an hourly chore. */
#define SERVER                                                                                     \
	.name = "server", .seed = 21, .memory = 8 * SIM_GIB, .vcpus = 4, .ports = 2, .level = 0.4, \
	.noise = 0.005, .daily = 0.2, .busy = 0.3, .traffic = 2e6, .swing = 0.5, .warmup = 120

#define CHORES                                                          \
	{SIM_CRON, .size = 1.5, .period = SIM_DAY, .count = 1800},      \
	{                                                               \
		SIM_CRON, .size = 0.5, .period = SIM_HOUR, .count = 120 \
	}

#define BEGIN (5.1 * SIM_DAY) /* of the fault: by night */

/* Told within that many seconds. What other detectors make of it is no false alarm either. */
#define FOUND(within)                                                               \
	{.detector = "anomaly", .from = BEGIN, .to = BEGIN + (within)},             \
	{                                                                           \
		.detector = "anomaly", .from = BEGIN + (within), .to = SIM_FOREVER, \
		.tolerated = true                                                   \
	}

static const struct sim_scenario scenarios[] = {
	{.name = "a program runs wild on all processors",
	 .seconds = 6 * SIM_DAY,
	 .interval = 10,
	 .plan = {SERVER, .effects = {CHORES, {SIM_CPU, .at = BEGIN, .size = 4}}},
	 .expect = {FOUND(SIM_HOUR)}},
	{.name = "a flood",
	 .seconds = 6 * SIM_DAY,
	 .interval = 10,
	 .plan = {SERVER,
		  .effects = {CHORES,
			      {SIM_TRAFFIC, .at = BEGIN, .until = BEGIN + 7200, .size = 6e7}}},
	 .expect = {FOUND(SIM_HOUR),
		    {.detector = "burst", .from = BEGIN, .to = SIM_FOREVER, .tolerated = true}}},
	{.name = "traffic stops",
	 .seconds = 6 * SIM_DAY,
	 .interval = 10,
	 .plan = {SERVER, .effects = {CHORES, {SIM_SILENCE, .at = BEGIN, .until = BEGIN + 14400}}},
	 .expect = {FOUND(2 * SIM_HOUR)}},
	{.name = "a port counts errors",
	 .seconds = 6 * SIM_DAY,
	 .interval = 10,
	 .plan = {SERVER, .effects = {CHORES, {SIM_ERRORS, .at = BEGIN, .size = 5}}},
	 .expect = {FOUND(SIM_HOUR)}},
	{.name = "memory steps up by a quarter",
	 .seconds = 6 * SIM_DAY,
	 .interval = 10,
	 .plan = {SERVER, .effects = {CHORES, {SIM_BULK, .at = BEGIN, .size = 2 * SIM_GIB}}},
	 .expect = {FOUND(2 * SIM_HOUR)}},
	{.name = "days, nights and chores, two weeks",
	 .seconds = 14 * SIM_DAY,
	 .interval = 30,
	 .plan = {SERVER, .effects = {CHORES}}},
	{.name = "the same every minute, samples lost",
	 .seconds = 14 * SIM_DAY,
	 .interval = 60,
	 .lost = 0.1,
	 .plan = {SERVER, .effects = {CHORES}}},
	{.name = "reboots, moves and a resize",
	 .seconds = 10 * SIM_DAY,
	 .interval = 30,
	 .plan = {SERVER, .effects = {CHORES},
		  .events = {{SIM_REBOOT, .at = 3.3 * SIM_DAY, .size = 40},
			     {SIM_MIGRATE, .at = 5.4 * SIM_DAY, .size = 2},
			     {SIM_RESTART, .at = 7.6 * SIM_DAY, .size = 60, .value = 12 * SIM_GIB},
			     {SIM_REBOOT, .at = 8.9 * SIM_DAY, .size = 40}}},
	 /* Of the node, whose only guest goes. */
	 .expect = {{.detector = "anomaly",
		     .from = 7.6 * SIM_DAY,
		     .to = 7.65 * SIM_DAY,
		     .tolerated = true}}},
	{.name = "garbage collection and short processes",
	 .seconds = 7 * SIM_DAY,
	 .interval = 10,
	 .plan = {SERVER,
		  .effects = {{SIM_SAWTOOTH, .size = SIM_GIB, .period = 700},
			      {SIM_JOBS, .size = 0.3 * SIM_GIB, .period = 60, .count = 3}}}},
};

int main(int argc, char **argv)
{
	return sim_scenarios_main(scenarios, sizeof(scenarios) / sizeof(scenarios[0]), argc, argv);
}

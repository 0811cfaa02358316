/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node does to samples, and what is done to guests on purpose: clocks that are set, samples that
 * are late or lost, counters that begin again or wrap, pauses, reboots, moves. None of it is news of a
 * guest: no detector may speak, at any cadence. Prints a table and fails where one does.
 */
#include "scenario.h"

/* When the only guest of a node goes, that is news of the node. */
#define NODE_NEWS(at)                                                                         \
	{                                                                                     \
		.detector = "anomaly", .from = (at), .to = (at) + SIM_HOUR, .tolerated = true \
	}

/* A guest with load by day and night, steady enough to be known after some hours. */
#define GUEST                                                                                    \
	.name = "guest", .seed = 5, .memory = 4 * SIM_GIB, .vcpus = 2, .ports = 2, .level = 0.4, \
	.noise = 0.005, .busy = 0.3, .traffic = 1e6, .swing = 0.3, .daily = 0.1, .warmup = 60

static const struct sim_scenario scenarios[] = {
	{.name = "cadence of 10 ms", .seconds = 900, .interval = 0.01, .plan = {GUEST}},
	{.name = "cadence of 100 ms", .seconds = 2 * SIM_HOUR, .interval = 0.1, .plan = {GUEST}},
	{.name = "cadence of 1 s", .seconds = 12 * SIM_HOUR, .interval = 1, .plan = {GUEST}},
	{.name = "cadence of 10 s", .seconds = 2 * SIM_DAY, .interval = 10, .plan = {GUEST}},
	{.name = "cadence of 1 min", .seconds = 7 * SIM_DAY, .interval = 60, .plan = {GUEST}},
	{.name = "late by up to four fifths of the cadence",
	 .seconds = 2 * SIM_HOUR,
	 .interval = 0.1,
	 .jitter = 0.8,
	 .plan = {GUEST}},
	{.name = "every third sample lost",
	 .seconds = 6 * SIM_HOUR,
	 .interval = 1,
	 .lost = 0.33,
	 .plan = {GUEST}},
	{.name = "nothing seen for 1 s to 1 h",
	 .seconds = 12 * SIM_HOUR,
	 .interval = 0.5,
	 .plan = {GUEST, .events = {{SIM_UNSEEN, .at = 7200, .size = 1},
				    {SIM_UNSEEN, .at = 10800, .size = 10},
				    {SIM_UNSEEN, .at = 14400, .size = 100},
				    {SIM_UNSEEN, .at = 18000, .size = 3600}}}},
	{.name = "clock set ahead: 0.3 s, 2 s, 1 h",
	 .seconds = 6 * SIM_HOUR,
	 .interval = 0.1,
	 .plan = {GUEST, .events = {{SIM_CLOCK, .at = 7200, .size = 0.3},
				    {SIM_CLOCK, .at = 10800, .size = 2},
				    {SIM_CLOCK, .at = 14400, .size = 3600}}}},
	{.name = "clock set back: 0.3 s, 2 s, 1 h",
	 .seconds = 6 * SIM_HOUR,
	 .interval = 0.1,
	 .plan = {GUEST, .events = {{SIM_CLOCK, .at = 7200, .size = -0.3},
				    {SIM_CLOCK, .at = 10800, .size = -2},
				    {SIM_CLOCK, .at = 14400, .size = -3600}}}},
	{.name = "counters begin again",
	 .seconds = 6 * SIM_HOUR,
	 .interval = 0.1,
	 .plan = {GUEST, .events = {{SIM_RESET, .at = 7200},
				    {SIM_RESET, .at = 7201},
				    {SIM_RESET, .at = 10800},
				    {SIM_RESET, .at = 18000}}}},
	{.name = "counters of 32 bits",
	 .seconds = 6 * SIM_HOUR,
	 .interval = 1,
	 .plan = {GUEST, .narrow = true}},
	{.name = "paused for 10 s, 10 min, 2 h",
	 .seconds = 12 * SIM_HOUR,
	 .interval = 0.5,
	 .plan = {GUEST, .events = {{SIM_SUSPEND, .at = 7200, .size = 10},
				    {SIM_SUSPEND, .at = 14400, .size = 600},
				    {SIM_SUSPEND, .at = 28800, .size = 7200}}}},
	{.name = "reboots",
	 .seconds = 2 * SIM_DAY,
	 .interval = 5,
	 .plan = {GUEST, .events = {{SIM_REBOOT, .at = 20 * SIM_HOUR, .size = 30},
				    {SIM_REBOOT, .at = 22 * SIM_HOUR, .size = 30},
				    {SIM_REBOOT, .at = 36 * SIM_HOUR, .size = 90}}}},
	{.name = "moved away and back",
	 .seconds = 2 * SIM_DAY,
	 .interval = 5,
	 .plan = {GUEST, .events = {{SIM_MIGRATE, .at = 20 * SIM_HOUR, .size = 5},
				    {SIM_MIGRATE, .at = 36 * SIM_HOUR, .size = 3600}}},
	 .expect = {NODE_NEWS(20 * SIM_HOUR), NODE_NEWS(36 * SIM_HOUR)}},
	{.name = "resized",
	 .seconds = 2 * SIM_DAY,
	 .interval = 5,
	 .plan = {GUEST,
		  .events = {{SIM_RESTART, .at = 20 * SIM_HOUR, .size = 60, .value = 8 * SIM_GIB},
			     {SIM_RESTART, .at = 36 * SIM_HOUR, .size = 60, .value = 3 * SIM_GIB}}},
	 .expect = {NODE_NEWS(20 * SIM_HOUR), NODE_NEWS(36 * SIM_HOUR)}},
	{.name = "balloon and memory plugged in",
	 .seconds = 2 * SIM_DAY,
	 .interval = 5,
	 .plan = {GUEST, .events = {{SIM_BALLOON, .at = 20 * SIM_HOUR, .size = 3 * SIM_GIB},
				    {SIM_BALLOON, .at = 26 * SIM_HOUR, .size = 4 * SIM_GIB},
				    {SIM_HOTPLUG, .at = 36 * SIM_HOUR, .size = 2 * SIM_GIB}}}},
};

int main(int argc, char **argv)
{
	return sim_scenarios_main(scenarios, sizeof(scenarios) / sizeof(scenarios[0]), argc, argv);
}

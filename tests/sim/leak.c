/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaks, and all that uses memory without being one: a guest's memory over minutes to days, at several
 * cadences. Prints a table and fails where a line of it is not as it must be.
 */
#include "scenario.h"

/* A server of 8 GiB that uses 40 % of it, with a little noise. */
#define SERVER                                                                                    \
	.name = "server", .seed = 1, .memory = 8 * SIM_GIB, .vcpus = 2, .ports = 1, .level = 0.4, \
	.noise = 0.004, .busy = 0.3, .traffic = 2e6, .swing = 0

/* The same with a day and a night, and quieter weekends. */
#define DAILY                                                                                    \
	.name = "daily", .seed = 2, .memory = 8 * SIM_GIB, .vcpus = 4, .ports = 1, .level = 0.4, \
	.noise = 0.006, .daily = 0.5, .busy = 0.4, .traffic = 2e6, .swing = 0.6

/* A raise of the leak detector until half of what was free has gone at `rate` from `at` on. */
#define LEAK_FOUND(at, half)                                                       \
	{                                                                          \
		.detector = "leak", .from = (at), .to = (at) + (half), .raises = 1 \
	}

static const struct sim_scenario scenarios[] = {
	/* ---- leaks ---- */
	{.name = "10 MiB/s into 4 GiB",
	 .seconds = 900,
	 .interval = 1,
	 .plan = {SERVER, .effects = {{SIM_LEAK, .at = 600, .size = 10 * SIM_MIB}}},
	 .expect = {LEAK_FOUND(600, 220)}},
	{.name = "the same every 10 s",
	 .seconds = 900,
	 .interval = 10,
	 .plan = {SERVER, .effects = {{SIM_LEAK, .at = 600, .size = 10 * SIM_MIB}}},
	 .expect = {LEAK_FOUND(600, 280)}},
	{.name = "1 MiB/s at 10 Hz",
	 .seconds = 2.0 * SIM_HOUR,
	 .interval = 0.1,
	 .plan = {SERVER, .effects = {{SIM_LEAK, .at = SIM_HOUR, .size = SIM_MIB}}},
	 .expect = {LEAK_FOUND(SIM_HOUR, 2250)}},
	{.name = "1 MiB/s, ragged samples",
	 .seconds = 2.0 * SIM_HOUR,
	 .interval = 5,
	 .jitter = 0.8,
	 .lost = 0.2,
	 .plan = {SERVER, .effects = {{SIM_LEAK, .at = SIM_HOUR, .size = SIM_MIB}}},
	 .expect = {LEAK_FOUND(SIM_HOUR, 2250)}},
	{.name = "a day to the end",
	 .seconds = 5 * SIM_DAY,
	 .interval = 30,
	 .plan = {SERVER, .effects = {{SIM_LEAK, .at = 4 * SIM_DAY, .size = 0.05 * SIM_MIB}}},
	 .expect = {LEAK_FOUND(4 * SIM_DAY, SIM_DAY / 2)}},
	{.name = "a day to the end, under a daily cycle",
	 .seconds = 5 * SIM_DAY,
	 .interval = 30,
	 .plan = {DAILY, .effects = {{SIM_LEAK, .at = 4 * SIM_DAY, .size = 0.05 * SIM_MIB}}},
	 .expect = {LEAK_FOUND(4 * SIM_DAY, 0.7 * SIM_DAY)}},
	{.name = "four days to the end, every minute",
	 .seconds = 8 * SIM_DAY,
	 .interval = 60,
	 .plan = {SERVER, .effects = {{SIM_LEAK, .at = 4 * SIM_DAY, .size = 0.0125 * SIM_MIB}}},
	 .expect = {LEAK_FOUND(4 * SIM_DAY, 2 * SIM_DAY)}},
	{.name = "a leak per request: by day only",
	 .seconds = 7 * SIM_DAY,
	 .interval = 60,
	 .plan = {DAILY, .effects = {{SIM_SERVED, .at = 4 * SIM_DAY, .size = 0.025 * SIM_MIB}}},
	 /* At night it stands still for long enough to be taken back. */
	 .expect = {{.detector = "leak", .from = 4 * SIM_DAY, .to = 7 * SIM_DAY, .raises = 3}}},
	{.name = "a leak below a sawtooth",
	 .seconds = 3 * SIM_HOUR,
	 .interval = 1,
	 .plan = {SERVER, .effects = {{SIM_SAWTOOTH, .size = 0.5 * SIM_GIB, .period = 40},
				      {SIM_LEAK, .at = SIM_HOUR, .size = 0.7 * SIM_MIB}}},
	 .expect = {LEAK_FOUND(SIM_HOUR, 3000)}},
	{.name = "a leak over a reboot",
	 .seconds = 3 * SIM_HOUR,
	 .interval = 1,
	 .plan = {SERVER, .warmup = 30,
		  .effects = {{SIM_LEAK, .at = SIM_HOUR, .size = 1.5 * SIM_MIB}},
		  .events = {{SIM_REBOOT, .at = 1.6 * SIM_HOUR, .size = 25}}},
	 .expect = {LEAK_FOUND(SIM_HOUR, 0.6 * SIM_HOUR),
		    LEAK_FOUND(1.61 * SIM_HOUR, 0.6 * SIM_HOUR)}},

	/* ---- what is none ---- */
	{.name = "flat, a week", .seconds = 7 * SIM_DAY, .interval = 60, .plan = {SERVER}},
	{.name = "flat, at 10 Hz", .seconds = SIM_HOUR, .interval = 0.1, .plan = {SERVER}},
	{.name = "flat, at 100 Hz", .seconds = 600, .interval = 0.01, .plan = {SERVER}},
	{.name = "daily and weekly cycle",
	 .seconds = 14 * SIM_DAY,
	 .interval = 60,
	 .plan = {DAILY}},
	{.name = "daily cycle at high occupancy",
	 .seconds = 7 * SIM_DAY,
	 .interval = 60,
	 .plan = {DAILY, .effects = {{SIM_BULK, .at = 0, .size = 3.6 * SIM_GIB}}},
	 /* Of its first morning nobody knows yet that it is one. */
	 .expect = {{.detector = "leak", .to = SIM_DAY, .tolerated = true, .raises = 1}}},
	{.name = "garbage collection every 20 s",
	 .seconds = 3 * SIM_HOUR,
	 .interval = 1,
	 .plan = {SERVER, .effects = {{SIM_SAWTOOTH, .size = SIM_GIB, .period = 20}}}},
	{.name = "garbage collection every 10 min",
	 .seconds = 6 * SIM_HOUR,
	 .interval = 1,
	 .plan = {SERVER, .effects = {{SIM_SAWTOOTH, .size = 1.2 * SIM_GIB, .period = 600}}}},
	{.name = "garbage collection every 6 h",
	 .seconds = 5 * SIM_DAY,
	 .interval = 30,
	 .plan = {SERVER,
		  .effects = {{SIM_SAWTOOTH, .size = 1.2 * SIM_GIB, .period = 6 * SIM_HOUR}}},
	 .missed = "one of many teeth is told"},
	{.name = "page cache fills",
	 .seconds = 2 * SIM_HOUR,
	 .interval = 1,
	 .plan = {SERVER, .effects = {{SIM_CACHE, .at = 300, .size = 5 * SIM_MIB}}}},
	{.name = "a service starts and settles within minutes",
	 .seconds = 2 * SIM_HOUR,
	 .interval = 1,
	 .plan = {SERVER,
		  .effects = {{SIM_SETTLE, .at = 600, .size = 2.5 * SIM_GIB, .period = 120}}}},
	{.name = "a service settles within hours",
	 .seconds = 2 * SIM_DAY,
	 .interval = 10,
	 .plan = {SERVER,
		  .effects = {{SIM_SETTLE, .at = 600, .size = 2.5 * SIM_GIB, .period = 7200}}}},
	{.name = "bulk allocations",
	 .seconds = 3 * SIM_HOUR,
	 .interval = 1,
	 .plan = {SERVER, .effects = {{SIM_BULK, .at = 1000, .size = 1 * SIM_GIB},
				      {SIM_BULK, .at = 3000, .size = 1.5 * SIM_GIB},
				      {SIM_BULK, .at = 6000, .size = 1 * SIM_GIB}}}},
	{.name = "a batch job loads its data",
	 .seconds = 4 * SIM_HOUR,
	 .interval = 1,
	 .plan = {SERVER, .effects = {{SIM_RAMP, .at = SIM_HOUR, .until = 2 * SIM_HOUR,
				       .size = SIM_GIB, .period = 300}}}},
	{.name = "a build: many short processes",
	 .seconds = 2 * SIM_HOUR,
	 .interval = 1,
	 .plan = {SERVER, .effects = {{SIM_JOBS, .at = 600, .until = 5400, .size = 1.2 * SIM_GIB,
				       .period = 20, .count = 4}}}},
	{.name = "the balloon takes and gives",
	 .seconds = 3 * SIM_HOUR,
	 .interval = 1,
	 .plan = {SERVER, .events = {{SIM_BALLOON, .at = 3000, .size = 5 * SIM_GIB},
				     {SIM_BALLOON, .at = 7000, .size = 8 * SIM_GIB}}}},
	{.name = "memory is plugged in",
	 .seconds = 2 * SIM_HOUR,
	 .interval = 1,
	 .plan = {SERVER, .events = {{SIM_HOTPLUG, .at = 3000, .size = 4 * SIM_GIB}}}},
	{.name = "reboots, restarts, moves",
	 .seconds = 2 * SIM_DAY,
	 .interval = 5,
	 .plan = {DAILY, .warmup = 600,
		  .events = {{SIM_REBOOT, .at = 0.4 * SIM_DAY, .size = 30},
			     {SIM_RESTART, .at = 0.8 * SIM_DAY, .size = 60, .value = 6 * SIM_GIB},
			     {SIM_MIGRATE, .at = 1.2 * SIM_DAY, .size = 1200},
			     {SIM_REBOOT, .at = 1.6 * SIM_DAY, .size = 30}}}},
};

int main(int argc, char **argv)
{
	return sim_scenarios_main(scenarios, sizeof(scenarios) / sizeof(scenarios[0]), argc, argv);
}

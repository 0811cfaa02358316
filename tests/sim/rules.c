/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An operator's rules on simulated guests: thresholds and policies, through everything between a
 * sample and an alarm. Prints a table and fails where a line of it is not as it must be.
 */
#include "scenario.h"

#define GUEST                                                                                    \
	.name = "guest", .seed = 9, .memory = 4 * SIM_GIB, .vcpus = 2, .ports = 2, .level = 0.4, \
	.noise = 0.002, .busy = 0.2, .traffic = 1e6

/* Busy for ten minutes from the first hour on. */
#define BUSY .effects = {{SIM_CPU, .at = SIM_HOUR, .until = SIM_HOUR + 600, .size = 1.4}}

#define CPU_HIGH "threshold:cpu;metric=cpu.time;failure-max=1.5e9"

static const struct sim_scenario scenarios[] = {
	{.name = "processors above 1.5",
	 .seconds = 2 * SIM_HOUR,
	 .interval = 1,
	 .settings = {CPU_HIGH ";hits=3"},
	 .plan = {GUEST, BUSY},
	 .expect = {{.detector = "threshold", .from = SIM_HOUR, .to = SIM_HOUR + 10, .raises = 1}}},
	{.name = "the same, for two minutes",
	 .seconds = 2 * SIM_HOUR,
	 .interval = 1,
	 .settings = {CPU_HIGH ";duration=2m;function=avg;window=10s"},
	 .plan = {GUEST, BUSY},
	 .expect = {{.detector = "threshold",
		     .from = SIM_HOUR + 120,
		     .to = SIM_HOUR + 140,
		     .raises = 1}}},
	{.name = "the same, for longer than it lasts",
	 .seconds = 2 * SIM_HOUR,
	 .interval = 1,
	 .settings = {CPU_HIGH ";duration=20m"},
	 .plan = {GUEST, BUSY}},
	{.name = "no word from inside for a minute",
	 .seconds = 2 * SIM_HOUR,
	 .interval = 1,
	 .settings = {"threshold:silent;metric=memory.used;missing=1m"},
	 .plan = {GUEST, .events = {{SIM_SUSPEND, .at = SIM_HOUR, .size = 300}}},
	 .expect = {{.detector = "threshold",
		     .from = SIM_HOUR + 59,
		     .to = SIM_HOUR + 63,
		     .raises = 1}}},
	{.name = "a limit on traffic over a counter's reset",
	 .seconds = SIM_HOUR,
	 .interval = 0.1,
	 .settings = {"threshold:port;metric=net.rx.bytes;failure-max=1e8;failure-min=0"},
	 .plan = {GUEST, .events = {{SIM_RESET, .at = 1000}, {SIM_RESET, .at = 2000}}}},
	{.name = "a policy: full and busy",
	 .seconds = 2 * SIM_HOUR,
	 .interval = 1,
	 .settings = {"policy:full;condition=avg(memory.used, 30s) / memory.total > 0.7 and "
		      "avg(cpu.time, 30s) > 1.5e9;for=1m"},
	 .plan = {GUEST,
		  .effects = {{SIM_CPU, .at = SIM_HOUR, .until = SIM_HOUR + 600, .size = 1.4},
			      {SIM_CPU, .at = 600, .until = 1200, .size = 1.4},
			      {SIM_BULK, .at = 3000, .size = 1.5 * SIM_GIB}}},
	 .expect = {{.detector = "policy",
		     .from = SIM_HOUR + 60,
		     .to = SIM_HOUR + 100,
		     .raises = 1}}},
	{.name = "a policy over both ports",
	 .seconds = 2 * SIM_HOUR,
	 .interval = 1,
	 .settings = {"policy:ports;condition=avg(net.rx.bytes, 10s) > 5M"},
	 .plan = {GUEST,
		  .effects = {{SIM_TRAFFIC, .at = SIM_HOUR, .until = SIM_HOUR + 60, .size = 3e6}}},
	 .expect = {{.detector = "policy", .from = SIM_HOUR, .to = SIM_HOUR + 12, .raises = 1}}},
};

int main(int argc, char **argv)
{
	return sim_scenarios_main(scenarios, sizeof(scenarios) / sizeof(scenarios[0]), argc, argv);
}

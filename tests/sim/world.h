/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simulated guests: what a virtual machine's memory, processors, ports and disk would tell, on a clock
 * that the caller moves. A guest is described by a plan (plain constant data) and behaves the same in
 * every run: all chance comes from the plan's seed. It knows no sampling: node.c reads it.
 *
 * Times are seconds since the simulation's origin, sizes bytes, rates per second.
 */
#ifndef GM_SIM_WORLD_H
#define GM_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_MIB     1048576.0
#define SIM_GIB     1073741824.0
#define SIM_MINUTE  60.0
#define SIM_HOUR    3600.0
#define SIM_DAY     86400.0
#define SIM_FOREVER 1e18

/* The origin: a Wednesday, 0:00 UTC. */
#define SIM_EPOCH INT64_C(1700006400)

enum { SIM_EFFECTS_MAX = 6, SIM_EVENTS_MAX = 24, SIM_PORTS_MAX = 2 };

/* What comes to a guest's usual load. */
enum sim_effect_kind {
	SIM_NOTHING,
	SIM_LEAK,     /* memory: `size` per second, given back at `until` */
	SIM_SERVED,   /* memory: the same, but as the guest is busy: more by day than by night */
	SIM_BULK,     /* memory: `size` at once */
	SIM_RAMP,     /* memory: `size` within `period`, held until `until` */
	SIM_SAWTOOTH, /* memory: `size`, collected every `period` */
	SIM_SETTLE,   /* memory: towards `size`, two thirds of it within `period` */
	SIM_JOBS,  /* memory, processors: `count` short processes of at most `size` and `period` */
	SIM_CACHE, /* page cache: `size` per second until the room is used */
	SIM_CPU,   /* `size` processors busy */
	SIM_CRON,  /* `size` processors and the disk, every `period` for `count` seconds */
	SIM_TRAFFIC, /* `size` received per second, and a quarter of it sent, at every port */
	SIM_BURSTS,  /* `size` per second received at port 0 for `count` ms every `period` */
	SIM_SILENCE, /* no traffic at all */
	SIM_ERRORS,  /* `size` receive errors per second at port 0 */
};

struct sim_effect {
	enum sim_effect_kind kind;
	double at, until; /* until 0: to the end */
	double size, period;
	double count;
};

/* What happens to a guest, and to the node that watches it. */
enum sim_event_kind {
	SIM_NEVER,
	SIM_REBOOT, /* from inside, for `size` seconds */
	SIM_RESTART, /* stopped and started after `size` seconds; with `value` bytes (0: as before) */
	SIM_MIGRATE, /* away, and back after `size` seconds with its memory as it was */
	SIM_BALLOON, /* the balloon's target becomes `size` */
	SIM_HOTPLUG, /* `size` more memory */
	SIM_SUSPEND, /* paused for `size` seconds */
	SIM_RESET,   /* the ports' counters begin again, nobody says why */
	SIM_UNSEEN,  /* no sample is taken for `size` seconds */
	SIM_CLOCK,   /* the node's clock is set by `size` seconds */
};

struct sim_event {
	enum sim_event_kind kind;
	double at, size, value;
};

struct sim_plan {
	const char *name, *flavor;
	uint64_t seed;
	double memory; /* that it is given */
	unsigned vcpus, ports;
	double level;   /* part of the memory that its programs use when settled */
	double warmup;  /* s: two thirds of that after a boot */
	double noise;   /* of the level: standard deviation */
	double daily;   /* part of the level by which day and night differ */
	double busy;    /* part of its processors that is used by day */
	double traffic; /* received per second and port by day */
	double swing;   /* part by which nights, and half of it weekends, are lower */
	double phase;   /* s by which its day is late */
	bool narrow;    /* the ports' counters have 32 bits */
	struct sim_effect effects[SIM_EFFECTS_MAX];
	struct sim_event events[SIM_EVENTS_MAX]; /* in order of time; those of node and guest */
};

enum sim_port_counter {
	SIM_RX_BYTES,
	SIM_RX_PACKETS,
	SIM_RX_ERRORS,
	SIM_RX_DROPPED,
	SIM_TX_BYTES,
	SIM_TX_PACKETS,
	SIM_TX_ERRORS,
	SIM_TX_DROPPED,
	SIM_PORT_COUNTERS
};

struct sim_guest {
	const struct sim_plan *plan;
	uint64_t random;
	double time;    /* up to which it has lived */
	double booted;  /* when */
	double given;   /* memory, as hot-plugged and resized */
	double balloon; /* its target, and what it has reached */
	bool paused, down;

	/* slow noise, each of mean 0 and deviation 1 */
	double memory_walk, cpu_walk, port_walk[SIM_PORTS_MAX];
	double served[SIM_EFFECTS_MAX]; /* by SIM_SERVED so far */

	double total, used, cached, resident, threads; /* now */
	double cpu, wait;                              /* ns */
	double faults_major, faults_minor;
	double ports[SIM_PORTS_MAX][SIM_PORT_COUNTERS];
	double read, written; /* disk */
};

void sim_guest_start(struct sim_guest *guest, const struct sim_plan *plan);

/* Lives on to `time`. */
void sim_guest_live(struct sim_guest *guest, double time);

/* Takes an event that concerns the guest itself. */
void sim_guest_event(struct sim_guest *guest, const struct sim_event *event);

/* The end of a pause, a reboot, a stop or a move. */
void sim_guest_return(struct sim_guest *guest, const struct sim_event *event);

/* Uniform in (0, 1), and normal; the same sequence for the same seed. */
double sim_uniform(uint64_t *random);
double sim_normal(uint64_t *random);

#endif

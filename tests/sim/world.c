/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How simulated guests live; see world.h. Called by node.c.
 *
 * What follows a schedule is a function of the time, so that it is the same at every cadence; noise
 * and counters are carried along.
 */
#include "world.h"

#include <math.h>
#include <string.h>

#define PAGE         4096.0
#define KERNEL       0.03           /* part of the memory that is not the system's to use */
#define BOOTED       (90 * SIM_MIB) /* used by a system without programs */
#define QEMU         (60 * SIM_MIB) /* resident beside the guest's memory */
#define MEMORY_PACE  300.0          /* s that noise is about the same for */
#define CPU_PACE     20.0
#define PORT_PACE    5.0
#define BALLOON_PACE (200 * SIM_MIB) /* per second */
#define PACKET       700.0           /* bytes */
#define SLAB         0.01            /* of the page cache cannot be dropped */

double sim_uniform(uint64_t *random)
{
	/* Knuth's MMIX generator. */
	*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return ((double)(*random >> 11) + 0.5) * 0x1p-53;
}

double sim_normal(uint64_t *random)
{
	double sum = 0;

	for (int i = 0; i < 6; i++)
		sum += sim_uniform(random);
	return (sum - 3) * M_SQRT2;
}

/* Chance that belongs to a number, not to a sequence: uniform in (0, 1). */
static double chance(uint64_t seed, double number)
{
	uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)(int64_t)number;

	sim_uniform(&random);
	sim_uniform(&random);
	return sim_uniform(&random);
}

/* How busy it is: 1 by day, less by night and at the weekend; no two days are the same. */
static double load(const struct sim_plan *plan, double time)
{
	double at = time - plan->phase, day = floor(at / SIM_DAY), hour = at / SIM_DAY - day;
	double height = 0.5 - 0.5 * cos(2 * M_PI * hour) - 0.1 * sin(4 * M_PI * hour);
	double before = chance(plan->seed, day), after = chance(plan->seed, day + 1);
	double strength = 0.85 + 0.3 * (before + (after - before) * hour);
	int weekday = (int)fmod(day + 7 * 1000 + 2, 7); /* 0: Monday, as SIM_EPOCH's is 2 */

	if (weekday >= 5)
		strength *= 1 - plan->swing / 2;
	return fmax(1 - plan->swing + plan->swing * height * strength, 0.01);
}

static void walk(double *value, double seconds, double pace, uint64_t *random)
{
	double kept = exp(-seconds / pace);

	*value = *value * kept + sqrt(1 - kept * kept) * sim_normal(random);
}

/* What is left of a walk's deviation in a mean over so long. */
static double evened(double seconds, double pace)
{
	return sqrt(fmin(1, 2 * pace / seconds));
}

static bool lasts(const struct sim_effect *effect, double time)
{
	return effect->kind != SIM_NOTHING && time >= effect->at &&
	       (effect->until <= 0 || time < effect->until);
}

/* Memory of short processes: each slot runs one after the other. */
static double jobs(const struct sim_effect *effect, uint64_t seed, double time)
{
	double sum = 0;

	for (int slot = 0; slot < (int)effect->count; slot++) {
		uint64_t own = seed * 131 + (uint64_t)slot;
		double length = effect->period * (0.2 + 0.8 * chance(own, -1));
		double run = floor(time / length), part = time / length - run;
		double size = chance(own, run);

		sum += effect->size * size * size * fmin(2 * part, 1);
	}
	return sum;
}

/* Memory that an effect holds at a time at which it lasts. */
static double holds(const struct sim_guest *guest, size_t index, double time)
{
	const struct sim_effect *effect = &guest->plan->effects[index];
	double since = time - fmax(effect->at, guest->booted), tooth;

	switch (effect->kind) {
	case SIM_LEAK:
		return effect->size * since;
	case SIM_SERVED:
		return guest->served[index];
	case SIM_BULK:
		return effect->size;
	case SIM_RAMP:
		return effect->size * fmin(since / effect->period, 1);
	case SIM_SAWTOOTH:
		tooth = floor(time / effect->period);
		return effect->size * (time / effect->period - tooth) *
		       (0.8 + 0.4 * chance(guest->plan->seed, tooth));
	case SIM_SETTLE:
		return effect->size * (1 - exp(-since / effect->period));
	case SIM_JOBS:
		return jobs(effect, guest->plan->seed, time);
	default:
		return 0;
	}
}

/* Seconds of [begin, end) in which something lasts that begins every `period`. */
static double covered(double begin, double end, double period, double length)
{
	double first = floor(begin / period), sum = 0;

	for (double turn = first; turn * period < end; turn++)
		sum += fmax(fmin(end, turn * period + length) - fmax(begin, turn * period), 0);
	return sum;
}

static void live_memory(struct sim_guest *guest, double seconds, double busy)
{
	const struct sim_plan *plan = guest->plan;
	double since = guest->time - guest->booted;
	double level = plan->level * plan->memory * (1 + plan->daily * (busy - 1));
	double part = plan->warmup > 0 ? 1 - exp(-since / plan->warmup) : 1;
	double used = BOOTED + level * part * (1 + plan->noise * guest->memory_walk), grown = 0;

	walk(&guest->memory_walk, seconds, MEMORY_PACE, &guest->random);
	for (size_t i = 0; i < SIM_EFFECTS_MAX; i++) {
		const struct sim_effect *effect = &plan->effects[i];

		if (!lasts(effect, guest->time))
			continue;
		if (effect->kind == SIM_SERVED)
			guest->served[i] += effect->size * busy * seconds;
		if (effect->kind == SIM_CACHE)
			grown += effect->size * seconds;
		used += holds(guest, i, guest->time);
	}
	double moved =
		fmin(fabs(guest->balloon - guest->total / (1 - KERNEL)), BALLOON_PACE * seconds);
	guest->total +=
		copysign(moved, guest->balloon - guest->total / (1 - KERNEL)) * (1 - KERNEL);
	used += SLAB * guest->cached;
	guest->used = floor(fmin(fmax(used, 0), 0.995 * guest->total) / PAGE) * PAGE;
	guest->cached = fmin(guest->cached + grown + 2e4 * busy * seconds,
			     0.97 * (guest->total - guest->used));
	guest->resident = fmin(fmax(guest->resident, guest->used + guest->cached + QEMU),
			       guest->balloon + QEMU);
}

static void live_cpu(struct sim_guest *guest, double seconds, double busy)
{
	const struct sim_plan *plan = guest->plan;
	double used, disk = 0, noise;

	walk(&guest->cpu_walk, seconds, CPU_PACE, &guest->random);
	noise = guest->cpu_walk * evened(seconds, CPU_PACE);
	used = plan->busy * plan->vcpus * busy * exp(0.3 * noise);
	for (size_t i = 0; i < SIM_EFFECTS_MAX; i++) {
		const struct sim_effect *effect = &plan->effects[i];
		double part;

		if (!lasts(effect, guest->time))
			continue;
		if (effect->kind == SIM_CPU)
			used += effect->size;
		if (effect->kind == SIM_JOBS)
			used += effect->count / 2;
		if (effect->kind != SIM_CRON)
			continue;
		part = covered(guest->time - seconds, guest->time, effect->period, effect->count) /
		       seconds;
		used += effect->size * part;
		disk += 20e6 * part;
	}
	used = fmin(used, plan->vcpus);
	guest->cpu += used * seconds * 1e9;
	guest->wait += used * used / plan->vcpus * 0.01 * seconds * 1e9;
	guest->faults_minor += (200 + 2000 * used) * seconds;
	guest->faults_major += 0.02 * seconds * sim_uniform(&guest->random);
	guest->threads = 4 + floor(2 * sim_uniform(&guest->random));
	guest->read += (5e4 * busy * exp(0.8 * noise) + disk) * seconds;
	guest->written += (2e5 * busy * exp(0.5 * noise) + disk / 4) * seconds;
}

static void live_port(struct sim_guest *guest, unsigned number, double seconds, double busy)
{
	const struct sim_plan *plan = guest->plan;
	double *port = guest->ports[number], errors = 0, rx, tx;
	bool silent = false;

	walk(&guest->port_walk[number], seconds, PORT_PACE, &guest->random);
	rx = plan->traffic * busy * seconds *
	     exp(0.4 * guest->port_walk[number] * evened(seconds, PORT_PACE));
	tx = 0.6 * rx * (0.9 + 0.2 * sim_uniform(&guest->random));
	for (size_t i = 0; i < SIM_EFFECTS_MAX; i++) {
		const struct sim_effect *effect = &plan->effects[i];

		if (!lasts(effect, guest->time))
			continue;
		if (effect->kind == SIM_TRAFFIC) {
			rx += effect->size * seconds;
			tx += effect->size / 4 * seconds;
		} else if (effect->kind == SIM_BURSTS && number == 0) {
			rx += effect->size * covered(guest->time - seconds, guest->time,
						     effect->period, effect->count / 1000);
		} else if (effect->kind == SIM_ERRORS && number == 0) {
			errors += effect->size * seconds * 2 * sim_uniform(&guest->random);
		}
		silent = silent || effect->kind == SIM_SILENCE;
	}
	if (silent)
		rx = tx = 0;
	port[SIM_RX_BYTES] += rx;
	port[SIM_RX_PACKETS] += rx / PACKET;
	port[SIM_RX_ERRORS] += errors;
	port[SIM_TX_BYTES] += tx;
	port[SIM_TX_PACKETS] += tx / PACKET;
}

void sim_guest_live(struct sim_guest *guest, double time)
{
	double seconds = time - guest->time, busy = load(guest->plan, time);

	if (seconds <= 0)
		return;
	guest->time = time;
	if (guest->paused || guest->down)
		return;
	live_memory(guest, seconds, busy);
	live_cpu(guest, seconds, busy);
	for (unsigned i = 0; i < guest->plan->ports; i++)
		live_port(guest, i, seconds, busy);
}

static void boot(struct sim_guest *guest)
{
	guest->booted = guest->time;
	guest->cached = 150 * SIM_MIB;
	guest->used = BOOTED;
	guest->faults_major = guest->faults_minor = 0;
	memset(guest->served, 0, sizeof(guest->served));
}

/* A qemu of its own, with counters from zero. */
static void power_on(struct sim_guest *guest)
{
	guest->balloon = guest->given;
	guest->total = guest->given * (1 - KERNEL);
	guest->resident = QEMU;
	guest->cpu = guest->wait = guest->read = guest->written = 0;
	memset(guest->ports, 0, sizeof(guest->ports));
}

void sim_guest_start(struct sim_guest *guest, const struct sim_plan *plan)
{
	*guest = (struct sim_guest){.plan = plan, .random = plan->seed + 1, .given = plan->memory};
	power_on(guest);
	boot(guest);
	/* It has run for long when the simulation begins, and touched all its memory. */
	guest->resident = guest->given + QEMU;
	guest->booted = -30 * SIM_DAY;
	guest->ports[0][SIM_RX_BYTES] = plan->narrow ? 0x1p32 - 5e6 : 1e12;
}

void sim_guest_event(struct sim_guest *guest, const struct sim_event *event)
{
	switch (event->kind) {
	case SIM_REBOOT:
	case SIM_RESTART:
	case SIM_MIGRATE:
		guest->down = true;
		break;
	case SIM_SUSPEND:
		guest->paused = true;
		break;
	case SIM_BALLOON:
		guest->balloon = event->size;
		break;
	case SIM_HOTPLUG:
		guest->given += event->size;
		guest->balloon += event->size;
		break;
	case SIM_RESET:
		memset(guest->ports, 0, sizeof(guest->ports));
		break;
	default:
		break;
	}
}

void sim_guest_return(struct sim_guest *guest, const struct sim_event *event)
{
	if (event->kind == SIM_RESTART && event->value > 0)
		guest->given = event->value;
	if (event->kind == SIM_RESTART)
		power_on(guest);
	if (event->kind == SIM_MIGRATE) {
		/* Memory goes with it, qemu's counters do not. */
		guest->cpu = guest->wait = guest->read = guest->written = 0;
		memset(guest->ports, 0, sizeof(guest->ports));
	}
	if (event->kind == SIM_REBOOT || event->kind == SIM_RESTART)
		boot(guest);
	guest->paused = guest->down = false;
}

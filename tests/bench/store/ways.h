/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways to keep the recent samples of many series in Redis, each as a function that writes one tick of
 * all of them. The store's own way is among them; the others are written as their users write them,
 * with hiredis's formatter, pipelined per tick unless they say otherwise.
 */
#ifndef GM_BENCH_STORE_WAYS_H
#define GM_BENCH_STORE_WAYS_H

#include "rig.h"

enum {
	SAMPLES_PER_TICK = 1000, /* guests times series */
	SERIES_MAX = 20,
	WINDOW = 600, /* samples kept of a series: a minute at 10 Hz */
};

struct field {
	struct rig *rig;
	unsigned guests, series; /* of each guest */
	unsigned tick;           /* ever written */
	size_t awaited;          /* pipelined commands whose replies are to be read */
};

struct way {
	const char *name;
	void (*write)(struct field *field);
	/* What fills the window where `write` takes too long to; the same keys. NULL: `write`. */
	void (*fill)(struct field *field);
	bool by_store;
};

extern const struct way ways[];
extern const size_t way_count;
/* Places in `ways` of those that ratios are about; they come first. */
enum { WAY_COLLECTD, WAY_MEMBERS, WAY_STORE, WAYS_OF_RATIOS, WAYS_MAX = 16 };

/* Time of a tick in ms, and the readings of a guest then: four in five are counters. */
int64_t tick_ms(unsigned tick);
void make_readings(const struct field *field, unsigned guest, struct gm_reading readings[]);

/* Gives a tick's frames to the store and does not wait. */
void append_frames(struct field *field);

/* A number of the server's INFO, by its name with the colon; and the seconds of CPU that it has used. */
double info(struct rig *rig, const char *section, const char *name);
double server_cpu(struct rig *rig);

#endif

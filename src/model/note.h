/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a source tells of a guest that is neither its identity nor a sample: the newest is shown, nothing
 * is kept of those before. Notes travel in a batch beside its frames.
 */
#ifndef GM_MODEL_NOTE_H
#define GM_MODEL_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/entity.h"

enum {
	GM_VCPUS_MAX = 1024,     /* of a guest; more are left out */
	GM_HOST_CPUS_MAX = 1024, /* whose numbers an affinity can name */
	GM_CPU_WORDS = GM_HOST_CPUS_MAX / 64,
};

enum gm_note_kind {
	GM_NOTE_STARTED,  /* `value`: when its process was started, ns since the epoch */
	GM_NOTE_VCPU,     /* vCPU `number`: `value` is the time it has run, ns */
	GM_NOTE_AFFINITY, /* vCPU `number` may run on the `cpus` of the host's `cpu_count` */
};

struct gm_note {
	uint8_t guest[GM_UUID_SIZE];
	uint32_t kind;      /* enum gm_note_kind */
	uint32_t number;    /* from 0 */
	uint32_t cpu_count; /* at most GM_HOST_CPUS_MAX */
	int64_t time;       /* when it was read */
	uint64_t value;
	uint64_t cpus[GM_CPU_WORDS]; /* bit n % 64 of word n / 64: CPU n */
};

/* A vCPU as the notes have told of it so far. */
struct gm_vcpu {
	uint64_t run_ns;
	int64_t told_at;    /* of run_ns; 0: it is not there (any more) */
	uint32_t cpu_count; /* of `cpus`; 0: not known */
	uint64_t cpus[GM_CPU_WORDS];
};

static inline bool gm_cpu_in(const uint64_t cpus[GM_CPU_WORDS], uint32_t cpu)
{
	return cpu < GM_HOST_CPUS_MAX && (cpus[cpu / 64] >> cpu % 64 & 1) != 0;
}

#endif

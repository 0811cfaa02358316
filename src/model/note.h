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
	GM_NOTE_VCPU,     /* vCPU `number`: its `times` and `state` */
	GM_NOTE_AFFINITY, /* vCPU `number` may run on the `cpus` of the host's `cpu_count` */
};

/* What is counted of a vCPU, in ns. */
enum gm_vcpu_time {
	GM_VCPU_RUN,
	GM_VCPU_WAIT,  /* ready, while the host ran something else: by the scheduler's statistics */
	GM_VCPU_STEAL, /* in the host's run queues: what the guest is told as stolen */
	GM_VCPU_TIMES
};

enum gm_vcpu_state {
	GM_VCPU_STATE_UNKNOWN,
	GM_VCPU_OFFLINE,
	GM_VCPU_RUNNING,
	GM_VCPU_BLOCKED, /* on a resource */
};

struct gm_note {
	uint8_t guest[GM_UUID_SIZE];
	uint32_t kind;      /* enum gm_note_kind */
	uint32_t number;    /* from 0 */
	uint32_t cpu_count; /* at most GM_HOST_CPUS_MAX */
	int64_t time;       /* when it was read */
	uint64_t value;
	uint64_t times[GM_VCPU_TIMES];
	uint8_t known;               /* bit per enum gm_vcpu_time: which of `times` are told */
	uint8_t state;               /* enum gm_vcpu_state */
	uint64_t cpus[GM_CPU_WORDS]; /* bit n % 64 of word n / 64: CPU n */
};

/* A vCPU as the notes have told of it so far. */
struct gm_vcpu {
	uint64_t times[GM_VCPU_TIMES];
	double rates[GM_VCPU_TIMES]; /* ns a second, over the last two notes */
	uint8_t known, has_rate;     /* bit per enum gm_vcpu_time */
	uint32_t state;              /* enum gm_vcpu_state */
	int64_t told_at;             /* of all this; 0: it is not there (any more) */
	uint32_t cpu_count;          /* of `cpus`; 0: not known */
	uint64_t cpus[GM_CPU_WORDS];
};

static inline bool gm_cpu_in(const uint64_t cpus[GM_CPU_WORDS], uint32_t cpu)
{
	return cpu < GM_HOST_CPUS_MAX && (cpus[cpu / 64] >> cpu % 64 & 1) != 0;
}

#endif

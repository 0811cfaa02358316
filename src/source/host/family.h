/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process and all below it, taken together: what is left to know of a container whose control group
 * cannot be read. Processes that live shorter than from one search to the next are not seen. One thread.
 */
#ifndef GM_SOURCE_HOST_FAMILY_H
#define GM_SOURCE_HOST_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of one with more processes, or threads of them, nothing is told: a part would not be the whole. */
enum { GM_HOST_FAMILY_MAX = 256, GM_HOST_FAMILY_THREADS = 4096 };

struct gm_host_family;

struct gm_host_family_sum {
	bool whole;         /* all below hold */
	uint64_t cpu_ticks; /* only grows */
	uint64_t anonymous; /* pages: what they share would count for each */
	uint64_t threads;
};

/* `proc` outlives it. NULL: out of memory. */
struct gm_host_family *gm_host_family_create(const char *proc, int pid);
void gm_host_family_free(struct gm_host_family *family); /* NULL-safe */

/*
 * Who is below now: a reading of each thread's list of children. Where one cannot be had all stays as it was.
 * `buffer` is scratch space, here and below.
 */
void gm_host_family_search(struct gm_host_family *family, char *buffer, size_t size);

void gm_host_family_read(struct gm_host_family *family, char *buffer, size_t size,
			 struct gm_host_family_sum *ret_sum);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long tasks waited for CPU, memory and disks (pressure stall information,
 * Documentation/accounting/psi.rst): of the node in /proc, of a guest in its control group, in files of
 * the same form. The host source's thread only.
 */
#ifndef GM_SOURCE_HOST_PRESSURE_H
#define GM_SOURCE_HOST_PRESSURE_H

#include "base/clock.h"
#include "model/sample.h"

/* The kernel brings the totals up to date every two seconds (kernel/sched/psi.c: PSI_FREQ). */
#define GM_HOST_PRESSURE_INTERVAL (2 * GM_SECOND)

/*
 * Adds what the files `cpu`, `memory` and `io` of `folder` tell to the open frame of `batch`; one that
 * cannot be read adds nothing. `buffer` is scratch space of `size` octets.
 */
void gm_host_pressure_read(const char *folder, const char *cpu, const char *memory, const char *io,
			   char *buffer, size_t size, struct gm_batch *batch);

#endif

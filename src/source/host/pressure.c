/* SPDX-License-Identifier: Apache-2.0 */
/* Pressure; see pressure.h. Called by account.c and health.c. */
#include "source/host/pressure.h"

#include "source/host/files.h"
#include "source/host/procfs.h"

static void add_stalled(struct gm_batch *batch, unsigned metric, uint64_t stalled_us)
{
	if (metric != GM_METRIC_NONE && stalled_us != GM_PROCFS_NO_PRESSURE &&
	    stalled_us <= UINT64_MAX / 1000) {
		gm_batch_counter(batch, metric, stalled_us * 1000);
	}
}

void gm_host_pressure_read(const char *folder, const char *cpu, const char *memory, const char *io,
			   char *buffer, size_t size, struct gm_batch *batch)
{
	/*
	 * "full" of the CPU is not read: for the machine as a whole it has no meaning and is always 0
	 * (Documentation/accounting/psi.rst).
	 */
	const struct {
		const char *file;
		unsigned some, full;
	} pressures[] = {
		{cpu, GM_METRIC_PRESSURE_CPU_SOME, GM_METRIC_NONE},
		{memory, GM_METRIC_PRESSURE_MEMORY_SOME, GM_METRIC_PRESSURE_MEMORY_FULL},
		{io, GM_METRIC_PRESSURE_IO_SOME, GM_METRIC_PRESSURE_IO_FULL},
	};

	for (size_t i = 0; i < sizeof(pressures) / sizeof(pressures[0]); i++) {
		ssize_t length = gm_host_read_once(folder, pressures[i].file, buffer, size);
		struct gm_procfs_pressure pressure;

		if (length < 0) {
			continue;
		}
		gm_procfs_parse_pressure(buffer, (size_t)length, &pressure);
		add_stalled(batch, pressures[i].some, pressure.some_us);
		add_stalled(batch, pressures[i].full, pressure.full_us);
	}
}

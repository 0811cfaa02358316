/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel accounts to a guest; see account.h. Called by host/processes.c. */
#include "source/host/account.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "source/host/procfs.h"

/* As the node's own: see health.c. */
#define PRESSURE_INTERVAL (2 * GM_SECOND)

static const struct gm_host_cgroup_wish memory_wish = {
	.controller = "memory", .v1 = "memory.usage_in_bytes", .v2 = "memory.current"};

static const struct {
	const char *file;
	unsigned some, full;
} pressures[] = {
	{"cpu.pressure", GM_METRIC_PRESSURE_CPU_SOME, GM_METRIC_NONE},
	{"memory.pressure", GM_METRIC_PRESSURE_MEMORY_SOME, GM_METRIC_PRESSURE_MEMORY_FULL},
	{"io.pressure", GM_METRIC_PRESSURE_IO_SOME, GM_METRIC_PRESSURE_IO_FULL},
};

void gm_host_account_open(struct gm_host_account *account, const struct gm_host_cgroup *group,
			  struct gm_host_held *held)
{
	*account = (struct gm_host_account){.memory = GM_HOST_NO_FILE};
	if (gm_host_cgroup_open(group, &memory_wish, held, &account->memory) == GM_HOST_CGROUP_V2) {
		account->folder = strdup(account->memory.path);
	}
	if (account->folder != NULL) {
		*strrchr(account->folder, '/') = '\0';
	}
}

void gm_host_account_close(struct gm_host_account *account, struct gm_host_held *held)
{
	gm_host_file_close(&account->memory, held);
	free(account->folder);
	*account = (struct gm_host_account){.memory = GM_HOST_NO_FILE};
}

static void add_stalled(struct gm_batch *batch, unsigned metric, uint64_t stalled_us)
{
	if (metric != GM_METRIC_NONE && stalled_us != GM_PROCFS_NO_PRESSURE &&
	    stalled_us <= UINT64_MAX / 1000) {
		gm_batch_counter(batch, metric, stalled_us * 1000);
	}
}

static void read_pressure(const struct gm_host_account *account, char *buffer, size_t size,
			  struct gm_batch *batch)
{
	for (size_t i = 0; i < sizeof(pressures) / sizeof(pressures[0]); i++) {
		struct gm_procfs_pressure pressure;
		ssize_t length =
			gm_host_read_once(account->folder, pressures[i].file, buffer, size);

		if (length < 0) {
			continue;
		}
		gm_procfs_parse_pressure(buffer, (size_t)length, &pressure);
		add_stalled(batch, pressures[i].some, pressure.some_us);
		add_stalled(batch, pressures[i].full, pressure.full_us);
	}
}

int gm_host_account_read(struct gm_host_account *account, int64_t now, char *buffer, size_t size,
			 struct gm_batch *batch)
{
	ssize_t length = gm_host_file_read(&account->memory, buffer, size);

	if (length < 0) {
		return (int)length;
	}
	if (!gm_procfs_parse_count(buffer, (size_t)length, &account->bytes)) {
		return -EPROTO;
	}
	gm_batch_gauge(batch, GM_METRIC_MEMORY_CGROUP, (double)account->bytes);
	if (account->folder != NULL && now >= account->pressure_due) {
		account->pressure_due = now + PRESSURE_INTERVAL;
		read_pressure(account, buffer, size, batch);
	}
	return 0;
}

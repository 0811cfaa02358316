/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel accounts to a guest; see account.h. Called by host/processes.c. */
#include "source/host/account.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "source/host/pressure.h"
#include "source/host/procfs.h"

static const struct gm_host_cgroup_wish memory_wish = {
	.controller = "memory", .v1 = "memory.usage_in_bytes", .v2 = "memory.current"};

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
		account->pressure_due = now + GM_HOST_PRESSURE_INTERVAL;
		gm_host_pressure_read(account->folder, "cpu.pressure", "memory.pressure",
				      "io.pressure", buffer, size, batch);
	}
	return 0;
}

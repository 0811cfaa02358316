/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See disk_faults.h. Called by happenings.c, which is told of events, and view_inventory.c.
 */
#include "daemon/disk_faults.h"

#include <stdlib.h>
#include <string.h>

struct gm_disk_faults {
	size_t count;
	struct gm_disk_fault list[GM_DISK_FAULTS];
};

static struct gm_disk_fault *obtain(struct gm_disk_faults *faults, const char *alias)
{
	for (size_t i = 0; i < faults->count; i++)
		if (strcmp(faults->list[i].alias, alias) == 0)
			return &faults->list[i];
	struct gm_disk_fault *fault = &faults->list[0];
	if (faults->count < GM_DISK_FAULTS) {
		fault = &faults->list[faults->count++];
	} else {
		for (size_t i = 1; i < faults->count; i++)
			if (faults->list[i].at < fault->at)
				fault = &faults->list[i];
	}
	*fault = (struct gm_disk_fault){.count = 0};
	memcpy(fault->alias, alias, sizeof(fault->alias));
	return fault;
}

void gm_disk_faults_count(struct gm_disk_faults **faults, const char *detail, int64_t time)
{
	char alias[GM_DISK_ALIAS] = "";
	size_t length = strcspn(detail, " ");
	if (length == 0 || length >= sizeof(alias))
		return;
	memcpy(alias, detail, length);
	if (!*faults)
		*faults = calloc(1, sizeof(**faults));
	struct gm_disk_fault *fault = *faults ? obtain(*faults, alias) : NULL;
	if (!fault)
		return;
	fault->count++;
	fault->at = time;
}

void gm_disk_faults_forget(struct gm_disk_faults *faults, const char *alias)
{
	for (size_t i = 0; faults && i < faults->count; i++) {
		if (strcmp(faults->list[i].alias, alias) != 0)
			continue;
		faults->list[i] = faults->list[--faults->count];
		return;
	}
}

void gm_disk_faults_free(struct gm_disk_faults *faults)
{
	free(faults);
}

const struct gm_disk_fault *gm_disk_faults_find(const struct gm_disk_faults *faults,
						const char *alias)
{
	for (size_t i = 0; faults && i < faults->count; i++)
		if (strcmp(faults->list[i].alias, alias) == 0)
			return &faults->list[i];
	return NULL;
}

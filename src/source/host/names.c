/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of containers; see names.h. Called by host/host.c and host/processes.c.
 */
#include "source/host/names.h"

#include <string.h>

int gm_host_names_create(struct gm_heard **ret_names)
{
	return gm_heard_create(GM_NAME_SIZE, ret_names);
}

void gm_host_names_hear(struct gm_heard *names, const struct gm_entity_info *info, bool here)
{
	if (info->key.kind != GM_ENTITY_GUEST) {
		return;
	}
	if (here && strcmp(info->guest.hypervisor, "LXC") == 0) {
		gm_heard_put(names, &info->key, info->guest.name);
	} else {
		gm_heard_drop(names, &info->key);
	}
}

static bool is_called(const void *value, const void *wanted)
{
	return strcmp(value, wanted) == 0;
}

bool gm_host_names_find(struct gm_heard *names, const char *name, uint8_t ret_uuid[GM_UUID_SIZE])
{
	struct gm_entity_key key;

	if (gm_heard_find(names, is_called, name, &key) != 1) {
		return false;
	}
	memcpy(ret_uuid, key.uuid, GM_UUID_SIZE);
	return true;
}

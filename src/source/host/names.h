/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The containers that libvirt tells of, by their names: the process that holds a container together
 * says its name and nothing else of who it is. In a table of source/heard.h. Any thread.
 */
#ifndef GM_SOURCE_HOST_NAMES_H
#define GM_SOURCE_HOST_NAMES_H

#include "source/heard.h"

int gm_host_names_create(struct gm_heard **ret_names); /* 0 or a negative errno */

/* Takes what is said of a guest: one that is gone, or no container, has no name here. */
void gm_host_names_hear(struct gm_heard *names, const struct gm_entity_info *info, bool here);

/* False where nobody, or more than one (of several nodes), is called so. */
bool gm_host_names_find(struct gm_heard *names, const char *name, uint8_t ret_uuid[GM_UUID_SIZE]);

#endif

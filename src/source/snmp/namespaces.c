/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of endpoints; see namespaces.h. Used by snmp.c alone.
 */
#include "source/snmp/namespaces.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

void gm_snmp_namespaces_own(struct stat *ret_status)
{
	/* Without namespaces in the kernel there is but one. */
	if (stat("/proc/thread-self/ns/net", ret_status) < 0) {
		*ret_status = (struct stat){0};
	}
}

int gm_snmp_namespaces_find(struct gm_snmp_namespaces *namespaces, const char *path,
			    size_t *ret_index, struct gm_error *err)
{
	struct stat status = {0};
	size_t i = 0;
	int rc;

	while (i < namespaces->count && strcmp(namespaces->list[i].path, path) != 0) {
		i++;
	}
	*ret_index = i;
	if (i < namespaces->count) {
		return 0;
	}
	if (i == GM_SNMP_NAMESPACES_MAX) {
		return gm_error_set(err, -ENOSPC, "more than %d network namespaces",
				    GM_SNMP_NAMESPACES_MAX);
	}
	/* Before it is entered: should it be replaced meanwhile, that is seen as a change. */
	if (*path == '\0') {
		gm_snmp_namespaces_own(&status);
	} else if (stat(path, &status) < 0) {
		return gm_error_set(err, -errno, "network namespace %s: %s", path, strerror(errno));
	}
	rc = gm_snmp_endpoint_open(path, &namespaces->list[i].endpoint, err);
	if (rc == 0) {
		gm_text_copy(namespaces->list[i].path, sizeof(namespaces->list[i].path), path);
		namespaces->list[i].device = status.st_dev;
		namespaces->list[i].inode = status.st_ino;
		namespaces->count++;
	}
	return rc;
}

bool gm_snmp_namespaces_changed(const struct gm_snmp_namespaces *namespaces)
{
	for (size_t i = 0; i < namespaces->count; i++) {
		struct stat status;

		/* One that is gone is kept: its sockets are as good as they were. */
		if (namespaces->list[i].path[0] != '\0' &&
		    stat(namespaces->list[i].path, &status) == 0 &&
		    (status.st_dev != namespaces->list[i].device ||
		     status.st_ino != namespaces->list[i].inode)) {
			return true;
		}
	}
	return false;
}

void gm_snmp_namespaces_close(struct gm_snmp_namespaces *namespaces)
{
	for (size_t i = 0; i < namespaces->count; i++) {
		gm_snmp_endpoint_close(namespaces->list[i].endpoint);
	}
	namespaces->count = 0;
}

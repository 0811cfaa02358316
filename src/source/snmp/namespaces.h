/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets by network namespace: one endpoint for each that a target names. The source's thread only.
 */
#ifndef GM_SOURCE_SNMP_NAMESPACES_H
#define GM_SOURCE_SNMP_NAMESPACES_H

#include <sys/stat.h>

#include "source/snmp/endpoint.h"

enum { GM_SNMP_NAMESPACES_MAX = 64 };

struct gm_snmp_namespaces {
	size_t count;
	struct {
		char path[128]; /* empty: the daemon's own */
		dev_t device;   /* of the file when it was entered */
		ino_t inode;
		struct gm_snmp_endpoint *endpoint;
	} list[GM_SNMP_NAMESPACES_MAX];
};

/* Device and inode of the one in which the thread is; zeros where there are none. */
void gm_snmp_namespaces_own(struct stat *ret_status);

/* Its place, after entering it if that is new. As gm_snmp_endpoint_open(). */
int gm_snmp_namespaces_find(struct gm_snmp_namespaces *namespaces, const char *path,
			    size_t *ret_index, struct gm_error *err);

/* True when a path leads to another namespace than it did: it was deleted and made anew. */
bool gm_snmp_namespaces_changed(const struct gm_snmp_namespaces *namespaces);

void gm_snmp_namespaces_close(struct gm_snmp_namespaces *namespaces);

#endif

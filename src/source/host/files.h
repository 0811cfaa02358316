/* SPDX-License-Identifier: Apache-2.0 */
/* Reading of the small files of /proc, whole and at once. */
#ifndef GM_SOURCE_HOST_FILES_H
#define GM_SOURCE_HOST_FILES_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Reads an open file from its beginning up to `size` octets: /proc makes its contents anew for that.
 * The length, or a negative errno (-ESRCH: the process is gone).
 */
ssize_t gm_host_read(int fd, char *buffer, size_t size);

/* Opens the file `name` of the folder `folder` for reading. A descriptor or a negative errno. */
int gm_host_open(const char *folder, const char *name);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Reading of files of /proc; see files.h. Called by the other files of source/host. */
#include "source/host/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

ssize_t gm_host_read(int fd, char *buffer, size_t size)
{
	size_t length = 0;

	/* A read of a sequence file ends where its page does, so one is not always enough. */
	while (length < size) {
		ssize_t got = pread(fd, buffer + length, size - length, (off_t)length);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return -errno;
		}
		if (got == 0) {
			break;
		}
		length += (size_t)got;
	}
	return (ssize_t)length;
}

int gm_host_open(const char *folder, const char *name)
{
	char path[PATH_MAX];
	int length = snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd;

	if (length < 0 || (size_t)length >= sizeof(path)) {
		return -ENAMETOOLONG;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

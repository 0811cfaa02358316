/* SPDX-License-Identifier: Apache-2.0 */
/* Reading of files of /proc and /sys; see files.h. Called by the other files of source/host. */
#include "source/host/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { HELD_LEAST = 32, HELD_MOST = 4096 };

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

ssize_t gm_host_read_once(const char *folder, const char *name, char *buffer, size_t size)
{
	int fd = gm_host_open(folder, name);
	ssize_t length;

	if (fd < 0) {
		return fd;
	}
	length = gm_host_read(fd, buffer, size);
	close(fd);
	return length;
}

ssize_t gm_host_read_process(const char *proc, int pid, const char *name, char *buffer, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "%d/%s", pid, name);
	return gm_host_read_once(proc, path, buffer, size);
}

struct gm_host_held gm_host_held_init(void)
{
	struct rlimit limit;
	struct gm_host_held held = {.max = HELD_LEAST};

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 2 > HELD_LEAST) {
		held.max = limit.rlim_cur / 2 < HELD_MOST ? (unsigned)(limit.rlim_cur / 2)
							  : (unsigned)HELD_MOST;
	}
	return held;
}

int gm_host_file_open(struct gm_host_file *file, const char *path, struct gm_host_held *held)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*file = GM_HOST_NO_FILE;
	if (fd < 0) {
		return -errno;
	}
	file->path = strdup(path);
	if (file->path != NULL && held->count < held->max) {
		file->fd = fd;
		held->count++;
	} else {
		close(fd);
	}
	return file->path != NULL ? 0 : -ENOMEM;
}

void gm_host_file_close(struct gm_host_file *file, struct gm_host_held *held)
{
	if (file->fd >= 0) {
		close(file->fd);
		held->count--;
	}
	free(file->path);
	*file = GM_HOST_NO_FILE;
}

ssize_t gm_host_file_read(const struct gm_host_file *file, char *buffer, size_t size)
{
	ssize_t length;
	int fd = file->fd;

	if (file->path == NULL) {
		return -ENOENT;
	}
	if (fd < 0) {
		fd = open(file->path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0) {
		return -errno;
	}
	length = gm_host_read(fd, buffer, size);
	if (fd != file->fd) {
		close(fd);
	}
	return length;
}

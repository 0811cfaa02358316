/* SPDX-License-Identifier: Apache-2.0 */
/* Reading of the small files of /proc and /sys, whole and at once. One thread. */
#ifndef GM_SOURCE_HOST_FILES_H
#define GM_SOURCE_HOST_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Reads an open file from its beginning up to `size` octets: the kernel makes its contents anew for
 * that. The length, or a negative errno (-ESRCH, -ENODEV: what it was of is gone).
 */
ssize_t gm_host_read(int fd, char *buffer, size_t size);

/* Opens the file `name` of the folder `folder` for reading. A descriptor or a negative errno. */
int gm_host_open(const char *folder, const char *name);

/* One that is read seldom: opened, read as by gm_host_read() and closed; and the file `name` of a process. */
ssize_t gm_host_read_once(const char *folder, const char *name, char *buffer, size_t size);
ssize_t gm_host_read_process(const char *proc, int pid, const char *name, char *buffer,
			     size_t size);

/* Descriptors that stay open, which halves the cost of a reading and more: so many may. */
struct gm_host_held {
	unsigned count, max;
};

/* Half of what the process may have, and no more than some thousands. */
struct gm_host_held gm_host_held_init(void);

/* A file that is read again and again. {NULL, -1}: there is none. */
struct gm_host_file {
	char *path;
	int fd; /* -1: it is opened for each reading */
};
#define GM_HOST_NO_FILE ((struct gm_host_file){.fd = -1})

/* 0 or a negative errno. */
int gm_host_file_open(struct gm_host_file *file, const char *path, struct gm_host_held *held);
void gm_host_file_close(struct gm_host_file *file, struct gm_host_held *held);

/* As gm_host_read(); -ENOENT where there is none. */
ssize_t gm_host_file_read(const struct gm_host_file *file, char *buffer, size_t size);

#endif

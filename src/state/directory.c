/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state directory and its lock, which keeps a second daemon out. The lock is the kernel's, so
 * that it ends with its process however that ends; the pid in the file is only for the message.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/private.h"

enum { DIRECTORY_MODE = 0750, FILE_MODE = 0640, PRIVATE_MODE = 0600 };

/* The pid that the holder wrote, as text; "unknown" when there is none. */
static const char *holder(int fd, char *text, size_t size)
{
	ssize_t length = pread(fd, text, size - 1, 0);
	size_t digits;

	text[length > 0 ? length : 0] = '\0';
	digits = strspn(text, "0123456789");
	text[digits] = '\0';
	return digits > 0 ? text : "unknown";
}

static int write_pid(int fd)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)length, 0) != length)
		return errno ? -errno : -EIO;
	return 0;
}

int gm_state_lock(const char *directory, int *ret_lock, struct gm_error *err)
{
	char path[4096], pid[32];
	int fd, rc;

	if (mkdir(directory, DIRECTORY_MODE) < 0 && errno != EEXIST)
		return gm_error_set(err, -errno, "state directory %s: cannot create it: %s",
				    directory, strerror(errno));
	if (snprintf(path, sizeof(path), "%s/lock", directory) >= (int)sizeof(path))
		return gm_error_set(err, -ENAMETOOLONG, "state directory: the path is too long");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (fd < 0)
		return gm_error_set(err, -errno, "state directory %s: cannot write in it: %s",
				    directory, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		rc = errno == EWOULDBLOCK
			     ? gm_error_set(err, -EBUSY,
					    "state directory %s is in use by process %s", directory,
					    holder(fd, pid, sizeof(pid)))
			     : gm_error_set(err, -errno, "state directory %s: cannot lock it: %s",
					    directory, strerror(errno));
		goto out;
	}
	rc = write_pid(fd);
	if (rc < 0) {
		rc = gm_error_set(err, rc, "state directory %s: cannot write in it: %s", directory,
				  strerror(-rc));
		goto out;
	}
	*ret_lock = fd;
	return 0;
out:
	close(fd);
	return rc;
}

/* A new -wal or -shm gets the mode of the database from SQLite; those of before do not. */
int gm_state_make_private(const char *path, struct gm_error *err)
{
	static const char *const endings[] = {"-wal", "-shm", "-journal"};
	char companion[4096 + 16];
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, PRIVATE_MODE);

	if (fd < 0)
		return gm_error_set(err, -errno, "%s: %s", path, strerror(errno));
	/* Another's file, if we may write to it at all, stays as its owner wants it. */
	(void)!fchmod(fd, PRIVATE_MODE);
	close(fd);
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		snprintf(companion, sizeof(companion), "%s%s", path, endings[i]);
		(void)!chmod(companion, PRIVATE_MODE);
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading secrets; see secret.h. Called by drivers when they are checked and made.
 */
#include "north/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

/* What is wrong with the line in `secret`, of which `length` bytes were read; NULL: nothing. */
static const char *flaw(char *secret, size_t length, size_t size)
{
	size_t end;

	secret[length] = '\0';
	end = strcspn(secret, "\r\n");
	if (end == length && length == size - 1)
		return "its first line is too long";
	if (end == 0)
		return "its first line is empty";
	secret[end] = '\0';
	return gm_text_is_utf8(secret) ? NULL : "its first line is no text";
}

int gm_secret_read(const char *path, char *ret_secret, size_t size, struct gm_error *err)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int rc = 0;

	if (fd < 0)
		return gm_error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		rc = gm_error_set(err, -EINVAL, "%s: not a file", path);
	else if (status.st_mode & 077)
		rc = gm_error_set(err, -EACCES, "%s: others may read it; chmod 600 it", path);
	if (rc == 0) {
		ssize_t length = read(fd, ret_secret, size - 1);
		const char *what =
			length < 0 ? strerror(errno) : flaw(ret_secret, (size_t)length, size);

		if (what)
			rc = gm_error_set(err, -EINVAL, "%s: %s", path, what);
	}
	close(fd);
	if (rc < 0)
		gm_secret_forget(ret_secret, size);
	return rc;
}

void gm_secret_forget(char *secret, size_t size)
{
	explicit_bzero(secret, size);
}

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

/* What is wrong with the first line of `secret`, which is cut off; NULL: nothing. */
static const char *line_flaw(char *secret, size_t length, size_t size)
{
	size_t end = strcspn(secret, "\r\n");

	if (end == length && length == size - 1)
		return "its first line is too long";
	if (end == 0)
		return "its first line is empty";
	secret[end] = '\0';
	return gm_text_is_utf8(secret) ? NULL : "its first line is no text";
}

static const char *text_flaw(char *secret, size_t length, size_t size)
{
	if (length == size - 1)
		return "it is too long";
	return strlen(secret) == length && gm_text_is_utf8(secret) ? NULL : "it is no text";
}

typedef const char *flaw_fn(char *secret, size_t length, size_t size);

static int read_checked(const char *path, char *secret, size_t size, flaw_fn *flaw,
			struct gm_error *err)
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
		ssize_t length = read(fd, secret, size - 1);
		const char *what = length < 0 ? strerror(errno) : NULL;

		secret[length < 0 ? 0 : length] = '\0';
		if (!what)
			what = flaw(secret, (size_t)length, size);
		if (what)
			rc = gm_error_set(err, -EINVAL, "%s: %s", path, what);
	}
	close(fd);
	if (rc < 0)
		gm_secret_forget(secret, size);
	return rc;
}

int gm_secret_read(const char *path, char *ret_secret, size_t size, struct gm_error *err)
{
	return read_checked(path, ret_secret, size, line_flaw, err);
}

int gm_secret_read_text(const char *path, char *ret_secret, size_t size, struct gm_error *err)
{
	return read_checked(path, ret_secret, size, text_flaw, err);
}

void gm_secret_forget(char *secret, size_t size)
{
	explicit_bzero(secret, size);
}

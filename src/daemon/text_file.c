/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a text file with a ceiling; see text_file.h.
 */
#include "daemon/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

struct file {
	const char *path;
	char *text;
	size_t length, max;
	struct gm_error *err;
};

static int refuse(const struct file *file, int code, const char *what)
{
	return gm_error_set(file->err, code, "%s: %s", file->path, what);
}

/* Reads at most the ceiling and one more, which shows that the file has grown too large. */
static int read_all(struct file *file, int fd)
{
	file->text = malloc(file->max + 2);
	if (!file->text)
		return refuse(file, -ENOMEM, "out of memory");
	while (file->length <= file->max) {
		ssize_t got = read(fd, file->text + file->length, file->max + 1 - file->length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return refuse(file, -errno, strerror(errno));
		if (got == 0)
			break;
		file->length += (size_t)got;
	}
	file->text[file->length] = '\0';
	if (file->length > file->max)
		return gm_error_set(file->err, -EFBIG, "%s: larger than %zu MiB", file->path,
				    file->max >> 20);
	return 0;
}

static int open_and_read(struct file *file)
{
	struct stat status;
	int rc;
	/* O_NONBLOCK: a FIFO in the file's place must not hold the start up. */
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return refuse(file, -errno, strerror(errno));
	if (fstat(fd, &status) < 0)
		rc = refuse(file, -errno, strerror(errno));
	else if (!S_ISREG(status.st_mode))
		rc = refuse(file, -EINVAL, "not a regular file");
	else
		rc = read_all(file, fd);
	close(fd);
	return rc;
}

/* Refuses the first line that is not UTF-8 or holds a NUL. */
static int check_text(struct file *file)
{
	char *end = file->text + file->length;
	size_t number = 1;

	for (char *line = file->text; line < end; number++) {
		char *stop = memchr(line, '\n', (size_t)(end - line));
		char kept;
		bool good;

		if (!stop)
			stop = end;
		kept = *stop;
		*stop = '\0';
		good = strlen(line) == (size_t)(stop - line) && gm_text_is_utf8(line);
		*stop = kept;
		if (!good)
			return gm_error_set(file->err, -EINVAL, "%s:%zu: not a text in UTF-8",
					    file->path, number);
		line = stop + 1;
	}
	return 0;
}

int gm_text_file_read(const char *path, size_t max, char **ret_text, size_t *ret_length,
		      struct gm_error *err)
{
	struct file file = {.path = path, .max = max, .err = err};
	int rc = open_and_read(&file);

	if (rc == 0)
		rc = check_text(&file);
	if (rc < 0) {
		free(file.text);
		return rc;
	}
	*ret_text = file.text;
	*ret_length = file.length;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FNV-1a over the contents; see output_digest.h. Called by output_files.c. It stays in memory, and is
 * compared with others of the same process.
 */
#include "daemon/output_digest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

enum { CHUNK = 4096, FILE_MOST = 4 << 20 };

/* Nobody's pipe or device is waited for. */
static uint64_t mix_open(uint64_t digest, int fd)
{
	char chunk[CHUNK];
	struct stat status;
	ssize_t got;
	uint64_t length = 0;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return digest;
	while (length < FILE_MOST && (got = read(fd, chunk, sizeof(chunk))) > 0) {
		digest = gm_hash(digest, chunk, (size_t)got);
		length += (uint64_t)got;
	}
	explicit_bzero(chunk, sizeof(chunk));
	return gm_hash(digest, &length,
		       sizeof(length)); /* what one file ends with is not the next's */
}

static void add_file(void *user, const char *path)
{
	uint64_t *digest = user;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int why = fd < 0 ? errno : 0;

	*digest = gm_hash(*digest, &why, sizeof(why));
	if (fd < 0)
		return;
	*digest = mix_open(*digest, fd);
	close(fd);
}

uint64_t gm_output_digest(const struct gm_output_ops *ops, const void *options)
{
	uint64_t digest = GM_HASH_FIRST;

	for (const struct gm_option *option = ops->options; option && option->key; option++) {
		const char *path = (const char *)options + option->offset;

		if (option->is_file && path[0] != '\0')
			add_file(&digest, path);
	}
	if (ops->files)
		ops->files(options, add_file, &digest);
	return digest;
}

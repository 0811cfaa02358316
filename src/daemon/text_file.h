/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of text, read whole: for the configuration and the policy files.
 */
#ifndef GM_DAEMON_TEXT_FILE_H
#define GM_DAEMON_TEXT_FILE_H

#include <stddef.h>

#include "base/error.h"

/*
 * Reads PATH, a regular file of at most `max` bytes of UTF-8 without NULs. The text is terminated and the
 * caller's. The message on failure begins with the path, and the line where the text is wrong. -ENOENT and
 * the like: it cannot be read; -EFBIG: it is larger; -EINVAL: it is no text.
 */
int gm_text_file_read(const char *path, size_t max, char **ret_text, size_t *ret_length,
		      struct gm_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets come from files of their own, which nobody but the owner may read.
 */
#ifndef GM_NORTH_SECRET_H
#define GM_NORTH_SECRET_H

#include <stddef.h>

#include "base/error.h"

enum { GM_SECRET = 512 };

/*
 * The first line of PATH without its end. -EACCES: others may read the file; -EINVAL: empty, longer than
 * size - 1, or not text; else what open() says. The sentence names the path, never the content.
 */
int gm_secret_read(const char *path, char *ret_secret, size_t size, struct gm_error *err);

/* The whole file, as text of at most size - 1 bytes; otherwise the same. */
int gm_secret_read_text(const char *path, char *ret_secret, size_t size, struct gm_error *err);

/* Overwrites it, so that the compiler cannot leave it out. */
void gm_secret_forget(char *secret, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of lines that are words separated by spaces; empty ones and those that begin with '#' say
 * nothing. No more than this: what the words mean is the caller's. One thread.
 */
#ifndef GM_SOURCE_SNMP_LINES_H
#define GM_SOURCE_SNMP_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct gm_snmp_lines {
	bool secret; /* others than its owner may not use the file: -EACCES */
	/* One line, the words of which may be written to. Negative ends the reading. */
	int (*take)(void *user, unsigned number, char **words, size_t count, struct gm_error *err);
	void *user;
};

/* 0, or what open(2) or `take` said, with "FILE:LINE: " before the sentence. The text is wiped. */
int gm_snmp_lines_read(const char *path, const struct gm_snmp_lines *lines, struct gm_error *err);

#endif

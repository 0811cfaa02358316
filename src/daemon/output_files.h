/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of outputs: NAME.yaml in a directory describes one output of that name. A file is a flat
 * mapping: `type`, then the options that all outputs have and those of that type (north/output.h).
 * guestmon-outputs(5) describes them.
 */
#ifndef GM_DAEMON_OUTPUT_FILES_H
#define GM_DAEMON_OUTPUT_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "north/output.h"

enum { GM_OUTPUT_FILES = 64, GM_OUTPUT_FILE_BYTES = 64 << 10 };

/* One output as its file describes it. */
struct gm_output_file {
	char name[GM_OUTPUT_NAME];
	const struct gm_output_ops *ops;
	struct gm_output_options common;
	void *options;   /* of ops->options_size bytes */
	uint64_t digest; /* of what the files hold that they name */
};

struct gm_output_files {
	size_t count;
	struct gm_output_file files[GM_OUTPUT_FILES]; /* by name; those that are enabled */
};

/*
 * Reads *.yaml in DIRECTORY. No directory: none. On failure `ret_files` (the caller's, freed with
 * gm_output_files_free()) is NULL; the message begins with "FILE:LINE:COLUMN: " where a file is wrong.
 */
int gm_output_files_load(const char *directory, struct gm_output_files **ret_files,
			 struct gm_error *err);
void gm_output_files_free(struct gm_output_files *files); /* NULL-safe */

/* Whether two files describe the same output, secrets and templates in files of their own included. */
bool gm_output_file_equal(const struct gm_output_file *a, const struct gm_output_file *b);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that an output's options name hold, as a number to compare: a secret that was changed in
 * its file is another setting, though the option is the same.
 */
#ifndef GM_DAEMON_OUTPUT_DIGEST_H
#define GM_DAEMON_OUTPUT_DIGEST_H

#include <stdint.h>

#include "north/output.h"

/* Reads them; one that cannot be read counts as that. `options` are of `ops`. */
uint64_t gm_output_digest(const struct gm_output_ops *ops, const void *options);

#endif

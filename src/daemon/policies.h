/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy files: thresholds, policies and overrides that hold for some guests, one or more YAML files
 * in a directory. guestmon-policy(5) describes them.
 */
#ifndef GM_DAEMON_POLICIES_H
#define GM_DAEMON_POLICIES_H

#include "analysis/detector.h"
#include "base/error.h"
#include "daemon/handling.h"

enum { GM_POLICY_FILE_BYTES = 1 << 20, GM_POLICY_FILES = 256, GM_POLICY_GROUPS = 64 };

/*
 * Adds what the files *.yaml in DIRECTORY say (in the order of their names) to `settings`, whose own options
 * are already set, and to `handling`. No directory: nothing. On failure both are to be thrown away; the message begins
 * with "FILE:LINE:COLUMN: " where a file is wrong.
 */
int gm_policies_load(const char *directory, struct gm_detector_settings *settings,
		     struct gm_handling *handling, struct gm_error *err);

#endif

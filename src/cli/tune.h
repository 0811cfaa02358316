/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `guestmonctl tune`: what would have been alarmed with other options, shown beside what the daemon's own
 * options make of the same windows.
 */
#ifndef GM_CLI_TUNE_H
#define GM_CLI_TUNE_H

#include <stdbool.h>

/* `argv[0]` is "tune"; socket and JSON as said before it. Returns the exit status: 0; 1: the daemon cannot be asked; 2: bad options. */
int gm_cli_tune(const char *socket, bool json, int argc, char **argv);

#endif

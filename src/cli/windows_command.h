/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `guestmonctl windows`: its arguments, and in which form the windows are shown.
 */
#ifndef GM_CLI_WINDOWS_COMMAND_H
#define GM_CLI_WINDOWS_COMMAND_H

#include <stdbool.h>

/* `argv[0]` is "windows". Returns the exit status: 0, 1 (no answer), 2 (wrong arguments). */
int gm_cli_windows(const char *socket, bool json, int argc, char **argv);

#endif

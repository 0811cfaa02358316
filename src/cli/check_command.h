/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `guestmonctl check`: tries, step by step, all that has to work between the daemon and an SNMP manager, and
 * says of what does not how to mend it.
 */
#ifndef GM_CLI_CHECK_COMMAND_H
#define GM_CLI_CHECK_COMMAND_H

#include <stdbool.h>

/* `argv[0]` is "check". Returns the exit status: 0, 1 (something is wrong), 2 (wrong arguments). */
int gm_cli_check(const char *socket, bool json, int argc, char **argv);

#endif

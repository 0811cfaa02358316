/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `guestmonctl replay`: its arguments, files and exit status; the work is replay/replay.h's.
 */
#ifndef GM_CLI_REPLAY_COMMAND_H
#define GM_CLI_REPLAY_COMMAND_H

/* `argv[0]` is "replay". Returns the exit status: 0, or 2 for bad options or input. */
int gm_cli_replay(int argc, char **argv);

#endif

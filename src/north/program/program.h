/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output type `program`: a program of the operator's, run once per transition with the alarm as one line of
 * JSON (north/message.h) on its standard input. No shell: the arguments are fixed words of the
 * configuration, so nothing that a guest chose reaches a command line. Its environment is PATH, LANG and
 * GUESTMON_KEY; its standard output is thrown away; the beginning of its standard error is the reason of a
 * failure.
 *
 * Exit status 0: delivered. 75 (EX_TEMPFAIL), a signal, or not over within the timeout: later again, all
 * that follows waits. Any other: refused. (The process ignores SIGPIPE: a program need not read.)
 *
 * Output type `program-action`: the same as an action (north/action.h): with dry run and limits, once for an
 * alarm that is raised, each run in the journal of actions. A run that was ended, by the timeout or another
 * signal, may have acted: it is not repeated, and it counts.
 */
#ifndef GM_NORTH_PROGRAM_PROGRAM_H
#define GM_NORTH_PROGRAM_PROGRAM_H

#include "north/output.h"

extern const struct gm_output_ops gm_program_ops;
extern const struct gm_output_ops gm_program_action_ops;

/* ---- between program.c and program_action.c ---- */

enum { GM_PROGRAM_PATH = 256, GM_PROGRAM_ARGUMENTS = 1024 };
struct gm_program_options {
	char program[GM_PROGRAM_PATH];
	char arguments[GM_PROGRAM_ARGUMENTS];
	char user[64];
	int64_t timeout;
};
/* clang-format off */
#define GM_PROGRAM_OPTIONS(structure, at)                                                         \
	{.key = "program", .type = GM_OPTION_TEXT, GM_OPTION_AT(structure, at program), .fallback = "", \
	 .help = "The program's absolute path; it is run without a shell."},                      \
	{.key = "arguments", .type = GM_OPTION_TEXT, GM_OPTION_AT(structure, at arguments),       \
	 .fallback = "", .help = "Its arguments, separated by spaces, always the same."},         \
	{.key = "user", .type = GM_OPTION_TEXT, GM_OPTION_AT(structure, at user), .fallback = "", \
	 .help = "The user that it runs as, if the daemon is root; empty: the daemon's."},        \
	{.key = "timeout", .type = GM_OPTION_DURATION, GM_OPTION_AT(structure, at timeout),       \
	 .min = 100e6, .max = 3600e9, .fallback = "30s",                                          \
	 .help = "How long it may run before it is ended. Then it is run again later, but as an action, which " \
		 "it may have done, never."}
/* clang-format on */

#endif

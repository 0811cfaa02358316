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
 */
#ifndef GM_NORTH_PROGRAM_PROGRAM_H
#define GM_NORTH_PROGRAM_PROGRAM_H

#include "north/output.h"

extern const struct gm_output_ops gm_program_ops;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands of guestmonctl share: the question to the daemon, and how an answer is printed as JSON.
 */
#ifndef GM_CLI_COMMAND_H
#define GM_CLI_COMMAND_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

/* The exit status of a command line that is wrong; and how long the daemon may take to answer, ms. */
enum { GM_EXIT_USAGE = 2, GM_COMMAND_TIMEOUT = 10000 };

/*
 * Takes the request. 0 with a reply that the caller owns; else as gm_ctl_call(), with a line on standard error;
 * -EINVAL: the request is wrong, as the daemon or its table of commands has it.
 */
int gm_command_ask(const char *socket, struct gm_json *request, struct gm_json **ret_reply);

/* On standard output, indented. */
void gm_command_print(const struct gm_json *json);

/* The value of --since, a duration of up to a year, in ns. As gm_option_set(). */
int gm_command_since(const char *text, int64_t *ret_since, struct gm_error *err);

#endif

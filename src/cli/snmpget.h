/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question to an SNMP agent by net-snmp's own snmpget, so that what is tried is what an operator would
 * try. The credentials stay in their file: nothing of them is on a command line.
 */
#ifndef GM_CLI_SNMPGET_H
#define GM_CLI_SNMPGET_H

#include "base/buffer.h"
#include "base/error.h"

/*
 * Asks `agent` (HOST:PORT, as snmpcmd(1) has it) for `names`, ended by NULL, with the snmp.conf(5) at
 * `credentials` and no other. What it prints, a line for each name in the form of -Oqv, goes to `ret_output`.
 * 0; -ENOENT: snmpget is not installed; -EREMOTEIO: it failed, its last line in `err`; another errno.
 */
int gm_snmpget(const char *credentials, const char *agent, const char *const *names,
	       struct gm_buffer *ret_output, struct gm_error *err);

#endif

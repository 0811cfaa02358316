/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SNMP agent as an output. It keeps the order itself, and tells what has arrived by sequence
 * numbers (gm_outbox_done_through()) instead of verdicts.
 */
#ifndef GM_DAEMON_MIB_OUTPUT_H
#define GM_DAEMON_MIB_OUTPUT_H

#include "north/mib/mib.h"
#include "north/output.h"

/* Its options are a struct gm_mib *, which outlives the output. No file makes one. */
extern const struct gm_output_ops gm_mib_output_ops;

#endif

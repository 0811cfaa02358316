/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output types `syslog` (RFC 5424 over a local socket, UDP or TCP) and `journald` (systemd's journal).
 *
 * The journal is written by its native protocol and not by libsystemd: sd_journal_sendv() blocks while
 * journald does not read, and reports success when there is none.
 */
#ifndef GM_NORTH_SYSLOG_SYSLOG_H
#define GM_NORTH_SYSLOG_SYSLOG_H

#include "north/output.h"

extern const struct gm_output_ops gm_syslog_ops;
extern const struct gm_output_ops gm_journald_ops;

#endif

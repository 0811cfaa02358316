/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What SNMP managers have changed (SET), made true on the main thread and logged.
 */
#ifndef GM_DAEMON_MIB_CHANGE_H
#define GM_DAEMON_MIB_CHANGE_H

#include "north/mib/mib.h"

/* gm_inlet_handler.change; `user` is the pipeline. */
void gm_mib_change_apply(void *user, const struct gm_mib_change *change);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The columns of gmThresholdTable: how each of them is shown and how it is taken from a manager. One list of
 * kinds serves both. Pure; used on the agent thread.
 */
#ifndef GM_NORTH_MIB_THRESHOLD_H
#define GM_NORTH_MIB_THRESHOLD_H

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "model/threshold.h"

enum {
	GM_THRESHOLD_ENTRY = 40, /* {root 1 40 1} */
	GM_THRESHOLD_STATUS = 30,
	GM_DETECTOR_ENTRY = 41,
	GM_DETECTOR_ENABLED = 3,
	GM_DETECTOR_ORIGIN = 4,
};

/*
 * Takes a value for a column of the row: SNMP_ERR_NOERROR, or what is wrong with the value alone (RFC 3416,
 * 4.2.5). The status is taken as it was asked for.
 */
int gm_mib_threshold_take(uint32_t column, const netsnmp_variable_list *variable,
			  struct gm_threshold_row *row);

/* The name that an index stands for: false where no row of a manager can have it. */
bool gm_mib_threshold_name(const uint32_t *index, size_t length, char name[GM_RULE_NAME]);

/*
 * What becomes of a row (NULL: there is none) by what a manager has asked for, whose values `asked` has: its
 * status afterwards in `asked`, or an error (RFC 2579, RowStatus). `whole`: nothing is missing or in
 * contradiction.
 */
int gm_mib_threshold_settle(const struct gm_threshold_row *row, bool whole,
			    struct gm_threshold_row *asked);

#endif

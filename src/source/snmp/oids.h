/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operator wants to know of guests beside the groups of groups.h: object instances, and the
 * catalogue's metrics that they become. A file of lines
 *
 *   OID METRIC gauge|counter [scale=NUMBER]
 *
 * where OID is numeric and names an instance (it ends in .0, or in a row's index), and METRIC is one of
 * a guest's: operator.gauge.N and operator.counter.N are there for what has no name of its own.
 */
#ifndef GM_SOURCE_SNMP_OIDS_H
#define GM_SOURCE_SNMP_OIDS_H

#include "base/error.h"
#include "source/snmp/ber.h"

enum { GM_SNMP_OIDS_MAX = 32 };

struct gm_snmp_oid {
	uint8_t name[GM_SNMP_OID_MAX]; /* encoded */
	size_t length;
	unsigned metric; /* enum gm_metric_id */
	double scale;    /* a counter's is a whole number */
};

struct gm_snmp_oids {
	size_t count;
	struct gm_snmp_oid list[GM_SNMP_OIDS_MAX];
};

/* Empty for no file. Negative, "FILE:LINE: " and what is wrong: *ret_oids is then unchanged. */
int gm_snmp_oids_read(const char *path, struct gm_snmp_oids *ret_oids, struct gm_error *err);

/*
 * What an agent answered as the number that the metric wants, whose type then says so: a numeric type stays
 * as it is, decimal text (which is what scripts behind net-snmp's "extend" tell) becomes a number. A gauge is
 * told in *ret_gauge, a counter in the varbind. False: it is none.
 */
bool gm_snmp_oid_number(const struct gm_snmp_oid *oid, struct gm_snmp_varbind *varbind,
			double *ret_gauge);

#endif

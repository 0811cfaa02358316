/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables that managers can change: thresholds, and a guest's detectors. Data alone, but for the cells of
 * a guest's detectors; see tables.h. How a threshold's columns are shown, threshold.c says.
 */
#include "north/mib/tables.h"

#include <string.h>

#include "north/mib/threshold.h"

#define ROW                            struct gm_threshold_row
#define OPTION(column, syntax, member) CELL(column, syntax, gm_cell_threshold, member)
static const struct gm_mib_column threshold_columns[] = {
	OPTION(2, OCTETS, options.metric),
	OPTION(3, INTEGER, options.function),
	OPTION(4, UNSIGNED, options.window),
	OPTION(5, OCTETS, options.percentile),
	OPTION(6, INTEGER, options.raise_on),
	OPTION(7, OCTETS, options.rising),
	OPTION(8, OCTETS, options.falling),
	OPTION(9, INTEGER, options.severity),
	OPTION(10, OCTETS, options.warning_max),
	OPTION(11, OCTETS, options.warning_min),
	OPTION(12, OCTETS, options.failure_max),
	OPTION(13, OCTETS, options.failure_min),
	OPTION(14, OCTETS, options.hysteresis),
	OPTION(15, INTEGER, options.invert),
	OPTION(16, INTEGER, options.persist),
	OPTION(17, UNSIGNED, options.hits),
	OPTION(18, UNSIGNED, options.duration),
	OPTION(19, UNSIGNED, options.missing),
	OPTION(20, OCTETS, entities),
	OPTION(21, OCTETS, guest),
	OPTION(22, OCTETS, uuid),
	OPTION(23, OCTETS, project),
	OPTION(24, OCTETS, flavor),
	OPTION(25, INTEGER, options.enabled),
	OPTION(26, OCTETS, owner),
	CELL(27, UNSIGNED, gm_cell_u32, alarms),
	CELL(28, TIME, gm_cell_time, changed_at),
	OPTION(29, INTEGER, storage),
	OPTION(30, INTEGER, status),
};
#undef OPTION
#undef ROW

static bool detector_name(const struct gm_mib_view *view, const void *row,
			  const struct gm_mib_column *column, struct gm_mib_value *ret_value)
{
	(void)row;
	(void)column;
	const char *name = view->snapshot->detectors[ret_value->part];
	ret_value->octets = (const uint8_t *)name;
	ret_value->length = strlen(name);
	return true;
}

/* A bit of the member: column->id for one that is set, the other of 1 and 2 for one that is not. */
static bool detector_bit(const struct gm_mib_view *view, const void *row,
			 const struct gm_mib_column *column, struct gm_mib_value *ret_value)
{
	uint32_t bits;
	(void)view;
	memcpy(&bits, (const char *)row + column->offset, sizeof(bits));
	ret_value->number = bits >> ret_value->part & 1 ? column->id : 3U - column->id;
	return true;
}

#define ROW struct gm_guest_row
#define BIT(column, member, set)                                                                 \
	{                                                                                        \
		.number = (column), .type = GM_MIB_INTEGER, .get = detector_bit,                 \
		.offset = offsetof(ROW, member), .size = sizeof(((ROW *)0)->member), .id = (set) \
	}
static const struct gm_mib_column detector_columns[] = {
	{.number = 2, .type = GM_MIB_OCTETS, .get = detector_name},
	BIT(3, detectors, 1),
	BIT(4, switched_detectors, 2),
};
#undef ROW

static size_t threshold_index(const void *row, uint32_t *ret_index)
{
	return gm_index_of_name(((const struct gm_threshold_row *)row)->name, ret_index);
}

const struct gm_mib_table gm_mib_threshold_table = {ENTRY(GM_THRESHOLD_ENTRY, 1, threshold_index),
						    ROWS(thresholds, threshold_count),
						    COLUMNS(threshold)};
const struct gm_mib_table gm_mib_detector_table = {
	ENTRY(GM_DETECTOR_ENTRY, 2, gm_index_guest),
	ROWS(guests, guest_count),
	.parts_at = offsetof(struct gm_snapshot, detector_count),
	.first_part = 1,
	COLUMNS(detector),
};

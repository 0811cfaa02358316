/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of ALARM-MIB and ITU-ALARM-MIB (RFC 3877), read-only: models, active alarms, cleared ones and
 * statistics. Data alone; see tables.h. There is one list of alarms, without a name.
 */
#include "north/mib/tables.h"

#define PLAIN(column, syntax, getter, value)                                                \
	{                                                                                   \
		.number = (column), .type = GM_MIB_##syntax, .get = (getter), .id = (value) \
	}

/* gmNotifySeverity's place in a notification, after sysUpTime.0 and snmpTrapOID.0. */
enum { SEVERITY_VARBIND = 6, ROW_ACTIVE = 1, SETTLED = 2, KEPT = 256 };

static const struct gm_mib_column model_columns[] = {
	PLAIN(3, OBJECT, gm_cell_model_notification, 0),
	PLAIN(4, UNSIGNED, gm_cell_constant, SEVERITY_VARBIND),
	PLAIN(5, INTEGER, gm_cell_model_severity, 0),
	PLAIN(6, OCTETS, gm_cell_model_text, 0),
	PLAIN(7, OBJECT, gm_cell_model_itu, 0),
	PLAIN(8, OBJECT, gm_cell_nothing, 0),
	PLAIN(9, OBJECT, gm_cell_nothing, 0),
	PLAIN(10, INTEGER, gm_cell_constant, ROW_ACTIVE),
};
static const struct gm_mib_column model_changed_columns[] = {PLAIN(1, TICKS, gm_cell_constant, 0)};
static const struct gm_mib_column overflow_columns[] = {PLAIN(5, COUNTER32, gm_cell_constant, 0)};
static const struct gm_mib_column clear_maximum_columns[] = {
	PLAIN(1, UNSIGNED, gm_cell_constant, KEPT)};

#define ROW struct gm_snapshot
static const struct gm_mib_column active_changed_columns[] = {
	CELL(1, TICKS, gm_cell_stamp, totals.changed_at)};
static const struct gm_mib_column active_stats_columns[] = {
	PLAIN(1, UNSIGNED, gm_cell_totals_active, 0),
	PLAIN(2, UNSIGNED, gm_cell_totals_raised, 0),
	CELL(3, TICKS, gm_cell_stamp, totals.raised_at),
	CELL(4, TICKS, gm_cell_stamp, totals.cleared_at),
};
static const struct gm_mib_column itu_stats_columns[] = {
	PLAIN(1, UNSIGNED, gm_cell_totals_active, GM_SEVERITY_INDETERMINATE),
	PLAIN(2, UNSIGNED, gm_cell_totals_active, GM_SEVERITY_CRITICAL),
	PLAIN(3, UNSIGNED, gm_cell_totals_active, GM_SEVERITY_MAJOR),
	PLAIN(4, UNSIGNED, gm_cell_totals_active, GM_SEVERITY_MINOR),
	PLAIN(5, UNSIGNED, gm_cell_totals_active, GM_SEVERITY_WARNING),
	PLAIN(6, UNSIGNED, gm_cell_totals_raised, GM_SEVERITY_INDETERMINATE),
	PLAIN(7, UNSIGNED, gm_cell_totals_raised, GM_SEVERITY_CRITICAL),
	PLAIN(8, UNSIGNED, gm_cell_totals_raised, GM_SEVERITY_MAJOR),
	PLAIN(9, UNSIGNED, gm_cell_totals_raised, GM_SEVERITY_MINOR),
	PLAIN(10, UNSIGNED, gm_cell_totals_raised, GM_SEVERITY_WARNING),
};
#undef ROW

#define ROW struct gm_alarm
static const struct gm_mib_column active_columns[] = {
	PLAIN(4, OCTETS, gm_cell_empty, 0),
	PLAIN(5, INTEGER, gm_cell_constant, 0),
	PLAIN(6, OCTETS, gm_cell_empty, 0),
	PLAIN(7, OCTETS, gm_cell_alarm_tenant, 0),
	PLAIN(8, UNSIGNED, gm_cell_variable_count, 0),
	PLAIN(9, OBJECT, gm_cell_alarm_raise, 0),
	PLAIN(10, OBJECT, gm_cell_alarm_resource, 0),
	CELL(11, OCTETS, gm_cell_string, text),
	PLAIN(12, OBJECT, gm_cell_nothing, 0),
	PLAIN(13, OBJECT, gm_cell_alarm_model, 0),
	PLAIN(14, OBJECT, gm_cell_alarm_itu, 0),
};
/* None of our variables is a Counter32, an IpAddress or an Opaque. */
static const struct gm_mib_column variable_columns[] = {
	PLAIN(2, OBJECT, gm_cell_variable_id, 0),
	PLAIN(3, INTEGER, gm_cell_variable_type, 0),
	PLAIN(5, UNSIGNED, gm_cell_variable_value, 2),
	PLAIN(6, TICKS, gm_cell_variable_value, 3),
	PLAIN(7, INTEGER, gm_cell_variable_value, 4),
	PLAIN(8, OCTETS, gm_cell_variable_value, 6),
	PLAIN(10, OBJECT, gm_cell_variable_value, 7),
	PLAIN(11, COUNTER64, gm_cell_variable_value, 8),
};
static const struct gm_mib_column clear_columns[] = {
	PLAIN(3, OCTETS, gm_cell_empty, 0),       PLAIN(4, INTEGER, gm_cell_constant, 0),
	PLAIN(5, OCTETS, gm_cell_empty, 0),       PLAIN(6, OCTETS, gm_cell_alarm_tenant, 0),
	PLAIN(7, OBJECT, gm_cell_alarm_clear, 0), PLAIN(8, OBJECT, gm_cell_alarm_resource, 0),
	PLAIN(9, UNSIGNED, gm_cell_constant, 0),  PLAIN(10, OBJECT, gm_cell_alarm_model, 1),
};
static const struct gm_mib_column itu_active_columns[] = {
	PLAIN(1, INTEGER, gm_cell_constant, SETTLED),
	PLAIN(2, OBJECT, gm_cell_nothing, 0),
	PLAIN(3, OBJECT, gm_cell_nothing, 0),
	PLAIN(4, OBJECT, gm_cell_nothing, 0),
};
#undef ROW

static const struct gm_mib_column itu_columns[] = {
	PLAIN(2, INTEGER, gm_cell_model_event, 0),
	PLAIN(3, INTEGER, gm_cell_model_cause, 0),
	PLAIN(4, OCTETS, gm_cell_model_text, 0),
	PLAIN(5, OBJECT, gm_cell_model_generic, 0),
};

static size_t model_index(const void *row, uint32_t *ret_index)
{
	const struct gm_alarm_model *model = row;
	ret_index[0] = 0;
	ret_index[1] = model->index;
	ret_index[2] = model->state;
	return 3;
}

static size_t itu_index(const void *row, uint32_t *ret_index)
{
	const struct gm_alarm_model *model = row;
	ret_index[0] = 0;
	ret_index[1] = model->index;
	ret_index[2] = model->severity;
	return 3;
}

static size_t active_index(const void *row, uint32_t *ret_index)
{
	const struct gm_alarm *alarm = row;
	return gm_mib_alarm_index(alarm, alarm->raised_at, ret_index);
}

/* Without the date, unlike the alarm's own row. */
static size_t variable_index(const void *row, uint32_t *ret_index)
{
	ret_index[0] = 0;
	ret_index[1] = ((const struct gm_alarm *)row)->id;
	return 2;
}

static size_t clear_index(const void *row, uint32_t *ret_index)
{
	const struct gm_alarm *alarm = row;
	return gm_mib_alarm_index(alarm, alarm->cleared_at, ret_index);
}

#define AT(...)   .prefix = {__VA_ARGS__}, .prefix_length = sizeof((uint8_t[]){__VA_ARGS__})
#define LEAF(...) AT(__VA_ARGS__), .leaf = true
#define FIXED(array)                                                       \
	.fixed = (array), .fixed_count = GM_ALARM_KINDS * GM_ALARM_STATES, \
	.row_size = sizeof(struct gm_alarm_model)
/* One row, whose index is a name without letters: its length, 0, as a scalar's. */
#define UNNAMED .index_objects = 1

const struct gm_mib_table gm_mib_model_changed = {LEAF(1, 1, 1), COLUMNS(model_changed)};
const struct gm_mib_table gm_mib_model_table = {AT(1, 1, 2, 1), .index_objects = 3,
						.index = model_index, FIXED(gm_alarm_models),
						COLUMNS(model)};
const struct gm_mib_table gm_mib_active_changed = {LEAF(1, 2, 1), COLUMNS(active_changed)};
const struct gm_mib_table gm_mib_active_table = {AT(1, 2, 2, 1),           .index_objects = 3,
						 .index = active_index,    .indirect = true,
						 ROWS(timed, timed_count), COLUMNS(active)};
const struct gm_mib_table gm_mib_variable_table = {AT(1, 2, 3, 1),
						   .index_objects = 3,
						   .index = variable_index,
						   ROWS(alarms, alarm_count),
						   .parts = GM_ALARM_VARIABLES,
						   .first_part = 1,
						   COLUMNS(variable)};
const struct gm_mib_table gm_mib_active_stats_table = {AT(1, 2, 4, 1), UNNAMED,
						       COLUMNS(active_stats)};
const struct gm_mib_table gm_mib_active_overflow = {LEAF(1, 2, 5), COLUMNS(overflow)};
const struct gm_mib_table gm_mib_clear_maximum = {LEAF(1, 3, 1), COLUMNS(clear_maximum)};
const struct gm_mib_table gm_mib_clear_table = {
	AT(1, 3, 2, 1),   .index_objects = 3,           .index = clear_index,
	.indirect = true, ROWS(cleared, cleared_count), COLUMNS(clear)};

const struct gm_mib_table gm_mib_itu_table = {AT(1, 1, 1, 1), .index_objects = 3,
					      .index = itu_index, FIXED(gm_alarm_itu_models),
					      COLUMNS(itu)};
const struct gm_mib_table gm_mib_itu_active_table = {AT(1, 2, 1, 1),           .index_objects = 3,
						     .index = active_index,    .indirect = true,
						     ROWS(timed, timed_count), COLUMNS(itu_active)};
const struct gm_mib_table gm_mib_itu_stats_table = {AT(1, 2, 2, 1), UNNAMED, COLUMNS(itu_stats)};

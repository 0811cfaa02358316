/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The getters that the column tables are made of: each takes one kind of member of a row (text, UUID,
 * counter, newest sample of a metric, …) and gives the value that the MIB shows. What is not known
 * (empty text, zero time, absent metric) gives false. All are gm_mib_cell_fn; only tables_*.c name them.
 */
#ifndef GM_NORTH_MIB_CELLS_H
#define GM_NORTH_MIB_CELLS_H

#include "north/mib/tree.h"

/* Plain members: at column->offset, of the type that the name tells. */
gm_mib_cell_fn gm_cell_text, gm_cell_uuid, gm_cell_uuid_text, gm_cell_uuid_name, gm_cell_mac;
gm_mib_cell_fn gm_cell_entity;
gm_mib_cell_fn gm_cell_u32, gm_cell_u64, gm_cell_size, gm_cell_double;
gm_mib_cell_fn gm_cell_u32_known, gm_cell_u64_known; /* 0: not known */
gm_mib_cell_fn gm_cell_bool, gm_cell_enum;
gm_mib_cell_fn gm_cell_microseconds, gm_cell_span; /* ns, unsigned and signed, as µs */
gm_mib_cell_fn gm_cell_time, gm_cell_epoch, gm_cell_now, gm_cell_age;

/* The newest sample of metric column->id in the struct gm_last_set at column->offset. */
gm_mib_cell_fn gm_cell_gauge, gm_cell_counter, gm_cell_rate, gm_cell_last_age;
gm_mib_cell_fn gm_cell_gauge_known; /* one whose 0 says that it is not known any more */
gm_mib_cell_fn gm_cell_truth, gm_cell_guest_state;

/* Number column->id of the struct gm_evidence at column->offset. */
gm_mib_cell_fn gm_cell_evidence, gm_cell_evidence_time, gm_cell_direction;
gm_mib_cell_fn gm_cell_number; /* as text: it may be negative or a fraction */

/* As modules of others want it: a text that may be empty, -1, 0.0, the number column->id. */
gm_mib_cell_fn gm_cell_string, gm_cell_unlimited, gm_cell_nothing, gm_cell_constant;
gm_mib_cell_fn gm_cell_empty;     /* octets, none */
gm_mib_cell_fn gm_cell_known;     /* enum gm_known, 8 bits: unknown 1, yes 2, no 3 */
gm_mib_cell_fn gm_cell_kibibytes; /* uint64_t in bytes */
/* int64_t: TimeTicks from it until now, and the master agent's sysUpTime at it (0: before its start). */
gm_mib_cell_fn gm_cell_since, gm_cell_stamp;

/* cells_vm.c: rows of VM-MIB */
gm_mib_cell_fn gm_cell_vm_oper_state, gm_cell_vm_admin_state; /* GUEST_STATE as LAST() finds it */
gm_mib_cell_fn gm_cell_vm_affinity;                           /* struct gm_vcpu_row */
gm_mib_cell_fn gm_cell_vm_source_type, gm_cell_vm_source,
	gm_cell_vm_access;                                     /* struct gm_disk_row */
gm_mib_cell_fn gm_cell_vm_notify_each, gm_cell_vm_notify_bulk; /* any */
gm_mib_cell_fn gm_cell_vm_media, gm_cell_vm_size_unit, gm_cell_vm_size;

/* VirtualMachineOperState by a guest's newest samples. */
uint8_t gm_vm_oper_state(const struct gm_last_set *set);

/* DateAndTime of RFC 2579 with its zone, UTC; false: no time. */
enum { GM_MIB_DATE = 11 };
bool gm_mib_date(int64_t time, uint8_t ret_date[GM_MIB_DATE]);

/* cells_alarm.c: struct gm_alarm; a row of the models of alarms */
gm_mib_cell_fn gm_cell_alarm_tenant, gm_cell_alarm_raise, gm_cell_alarm_clear,
	gm_cell_alarm_resource;
gm_mib_cell_fn gm_cell_alarm_model, gm_cell_alarm_itu;
gm_mib_cell_fn gm_cell_model_notification, gm_cell_model_severity, gm_cell_model_text;
gm_mib_cell_fn gm_cell_model_itu, gm_cell_model_generic, gm_cell_model_event, gm_cell_model_cause;
gm_mib_cell_fn gm_cell_totals_active, gm_cell_totals_raised;

/* cells_variable.c: the variables of struct gm_alarm, each a part of its row; GM_ALARM_VARIABLES at most */
gm_mib_cell_fn gm_cell_variable_count, gm_cell_variable_id, gm_cell_variable_type;
gm_mib_cell_fn gm_cell_variable_value;
enum { GM_ALARM_VARIABLES = 64 };

/* What an alarm can be (its detector), and how severe: RFC 3877's model. */
struct gm_alarm_model {
	uint32_t index;    /* of the kind, from 1 */
	uint32_t state;    /* 1: cleared; the more severe the higher */
	uint32_t severity; /* ItuPerceivedSeverity */
};
enum { GM_ALARM_KINDS = 6, GM_ALARM_STATES = 6 };
extern const struct gm_alarm_model gm_alarm_models[GM_ALARM_KINDS * GM_ALARM_STATES];
/* The same ordered by severity's number. */
extern const struct gm_alarm_model gm_alarm_itu_models[GM_ALARM_KINDS * GM_ALARM_STATES];

/* The index of an alarm in both modules' active tables, and by its clear: its length. */
size_t gm_mib_alarm_index(const struct gm_alarm *alarm, int64_t time, uint32_t *ret_index);

/* Of a certain row. */
gm_mib_cell_fn gm_cell_source_name; /* struct gm_source_status */
gm_mib_cell_fn gm_cell_bucket_edge; /* struct gm_bucket_row */
gm_mib_cell_fn gm_cell_packed;      /* struct gm_packed_row */
gm_mib_cell_fn gm_cell_disk_errors; /* struct gm_disk_row */
gm_mib_cell_fn gm_cell_peak;        /* struct gm_peak at column->offset */
/* struct gm_finding at column->offset; of time 0: not judged */
gm_mib_cell_fn gm_cell_finding_state, gm_cell_finding_severity;
gm_mib_cell_fn gm_cell_transition_severity; /* struct gm_transition */
gm_mib_cell_fn gm_cell_ack_state;           /* struct gm_alarm: unacknowledged 1, acknowledged 2 */
gm_mib_cell_fn gm_cell_threshold;           /* struct gm_threshold_row: threshold.c */
gm_mib_cell_fn gm_cell_output_admin;        /* struct gm_output_row: running 1, paused 2 */

#endif

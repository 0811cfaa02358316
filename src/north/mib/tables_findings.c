/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of what detectors think: leaks, bursts, who bursts at the same time, anomalies. Data alone; see
 * tables.h.
 */
#include "north/mib/tables.h"

#define ROW struct gm_finding_row
#define SET finding.evidence
static const struct gm_mib_column leak_columns[] = {
	CELL(2, INTEGER, gm_cell_finding_state, finding),
	CELL(3, INTEGER, gm_cell_finding_severity, finding),
	TEXT(4, finding.metric),
	EVIDENCE(5, COUNTER64, gm_cell_evidence, SLOPE, 1),
	EVIDENCE(6, UNSIGNED, gm_cell_evidence, EXHAUSTION, 1),
	EVIDENCE(7, TIME, gm_cell_evidence_time, ONSET, 1),
	EVIDENCE(8, UNSIGNED, gm_cell_evidence, CONFIDENCE, 100),
	EVIDENCE(9, COUNTER64, gm_cell_evidence, USED, 1),
	EVIDENCE(10, COUNTER64, gm_cell_evidence, TOTAL, 1),
	CELL(11, UNSIGNED, gm_cell_u32_known, alarm_id),
	CELL(12, TIME, gm_cell_time, finding.time),
	CELL(13, UNSIGNED, gm_cell_age, finding.time),
	EVIDENCE(14, COUNTER64, gm_cell_evidence, SLOPE_LOW, 1),
	EVIDENCE(15, COUNTER64, gm_cell_evidence, SLOPE_HIGH, 1),
	EVIDENCE(16, UNSIGNED, gm_cell_evidence, EXHAUSTION_LOW, 1),
	EVIDENCE(17, UNSIGNED, gm_cell_evidence, EXHAUSTION_HIGH, 1),
	EVIDENCE(18, UNSIGNED, gm_cell_evidence, HORIZON, 1),
	TEXT(19, finding.evidence.contributors),
};
#undef SET
#undef ROW

/* The same of the guest's process on the node; nobody else holds that memory. */
#define ROW struct gm_finding_row
#define SET finding.evidence
static const struct gm_mib_column host_leak_columns[] = {
	CELL(1, INTEGER, gm_cell_finding_state, finding),
	CELL(2, INTEGER, gm_cell_finding_severity, finding),
	EVIDENCE(3, COUNTER64, gm_cell_evidence, SLOPE, 1),
	EVIDENCE(4, COUNTER64, gm_cell_evidence, SLOPE_LOW, 1),
	EVIDENCE(5, COUNTER64, gm_cell_evidence, SLOPE_HIGH, 1),
	EVIDENCE(6, UNSIGNED, gm_cell_evidence, EXHAUSTION, 1),
	EVIDENCE(7, UNSIGNED, gm_cell_evidence, EXHAUSTION_LOW, 1),
	EVIDENCE(8, UNSIGNED, gm_cell_evidence, EXHAUSTION_HIGH, 1),
	EVIDENCE(9, TIME, gm_cell_evidence_time, ONSET, 1),
	EVIDENCE(10, UNSIGNED, gm_cell_evidence, CONFIDENCE, 100),
	EVIDENCE(11, UNSIGNED, gm_cell_evidence, HORIZON, 1),
	EVIDENCE(12, COUNTER64, gm_cell_evidence, USED, 1),
	EVIDENCE(13, COUNTER64, gm_cell_evidence, TOTAL, 1),
	CELL(14, UNSIGNED, gm_cell_u32_known, alarm_id),
	CELL(15, TIME, gm_cell_time, finding.time),
	CELL(16, UNSIGNED, gm_cell_age, finding.time),
};
#undef SET
#undef ROW

#define ROW struct gm_finding_row
#define SET finding.evidence
static const struct gm_mib_column burst_columns[] = {
	CELL(2, INTEGER, gm_cell_finding_state, finding),
	CELL(3, INTEGER, gm_cell_finding_severity, finding),
	EVIDENCE(4, COUNTER64, gm_cell_evidence, BURSTS, 1),
	EVIDENCE(5, TIME, gm_cell_evidence_time, START, 1),
	EVIDENCE(6, COUNTER64, gm_cell_evidence, START, 1e3),
	EVIDENCE(7, COUNTER64, gm_cell_evidence, DURATION, 1e3),
	EVIDENCE(8, COUNTER64, gm_cell_evidence, PEAK, 1),
	EVIDENCE(9, COUNTER64, gm_cell_evidence, MEAN, 1),
	EVIDENCE(10, COUNTER64, gm_cell_evidence, VOLUME, 1),
	EVIDENCE(11, COUNTER64, gm_cell_evidence, SPEED, 1),
	CELL(12, UNSIGNED, gm_cell_u32_known, alarm_id),
	CELL(13, TIME, gm_cell_time, finding.time),
	CELL(14, UNSIGNED, gm_cell_age, finding.time),
	EVIDENCE(15, COUNTER64, gm_cell_evidence, GAP, 1e3),
	EVIDENCE(16, COUNTER64, gm_cell_evidence, DROPPED, 1),
	EVIDENCE(17, UNSIGNED, gm_cell_evidence, PORTS, 1),
	TEXT(18, finding.evidence.contributors),
	EVIDENCE(19, COUNTER64, gm_cell_evidence, STORM, 1),
};
#undef SET
#undef ROW

#define ROW struct gm_finding_row
#define SET finding.evidence
static const struct gm_mib_column packet_burst_columns[] = {
	CELL(1, INTEGER, gm_cell_finding_state, finding),
	CELL(2, INTEGER, gm_cell_finding_severity, finding),
	EVIDENCE(3, COUNTER64, gm_cell_evidence, BURSTS, 1),
	EVIDENCE(4, TIME, gm_cell_evidence_time, START, 1),
	EVIDENCE(5, COUNTER64, gm_cell_evidence, START, 1e3),
	EVIDENCE(6, COUNTER64, gm_cell_evidence, DURATION, 1e3),
	EVIDENCE(7, COUNTER64, gm_cell_evidence, PEAK_PACKETS, 1),
	EVIDENCE(8, COUNTER64, gm_cell_evidence, PACKETS, 1),
	EVIDENCE(9, COUNTER64, gm_cell_evidence, GAP, 1e3),
	EVIDENCE(10, COUNTER64, gm_cell_evidence, DROPPED, 1),
	EVIDENCE(11, UNSIGNED, gm_cell_evidence, PORTS, 1),
	TEXT(12, finding.evidence.contributors),
	EVIDENCE(13, COUNTER64, gm_cell_evidence, STORM, 1),
	CELL(14, UNSIGNED, gm_cell_u32_known, alarm_id),
	CELL(15, TIME, gm_cell_time, finding.time),
	CELL(16, UNSIGNED, gm_cell_age, finding.time),
};
#undef SET
#undef ROW

#define ROW struct gm_burst_total_row
static const struct gm_mib_column burst_total_columns[] = {
	CELL(2, COUNTER64, gm_cell_u64, bursts), CELL(3, COUNTER64, gm_cell_microseconds, time),
	CELL(4, COUNTER64, gm_cell_u64, volume), CELL(5, COUNTER64, gm_cell_u64, dropped),
	CELL(6, COUNTER64, gm_cell_u64, told),   CELL(7, COUNTER64, gm_cell_u64, untold),
	CELL(8, COUNTER64, gm_cell_u64, storms),
};
#undef ROW

#define ROW struct gm_bucket_row
static const struct gm_mib_column burst_bucket_columns[] = {
	CELL(3, COUNTER64, gm_cell_bucket_edge, bucket),
	CELL(4, COUNTER64, gm_cell_u64, count),
};
static const struct gm_mib_column contention_bucket_columns[] = {
	CELL(2, COUNTER64, gm_cell_bucket_edge, bucket),
	CELL(3, COUNTER64, gm_cell_u64, count),
};
#undef ROW

#define ROW struct gm_snapshot
static const struct gm_mib_column contention_columns[] = {
	CELL(1, UNSIGNED, gm_cell_u32, contention.ports),
	CELL(2, UNSIGNED, gm_cell_u32, contention.most),
	CELL(3, COUNTER64, gm_cell_u64, contention.bursts),
};
#undef ROW

#define ROW struct gm_finding_row
#define SET finding.evidence
static const struct gm_mib_column anomaly_columns[] = {
	CELL(2, INTEGER, gm_cell_finding_state, finding),
	CELL(3, INTEGER, gm_cell_finding_severity, finding),
	EVIDENCE(4, UNSIGNED, gm_cell_evidence, SCORE, 1e3),
	TEXT(5, finding.evidence.contributors),
	EVIDENCE(6, OCTETS, gm_cell_number, VALUE, 1),
	EVIDENCE(7, TIME, gm_cell_evidence_time, ONSET, 1),
	CELL(8, UNSIGNED, gm_cell_u32_known, alarm_id),
	CELL(9, TIME, gm_cell_time, finding.time),
	CELL(10, UNSIGNED, gm_cell_age, finding.time),
};

static const struct gm_mib_column error_columns[] = {
	CELL(2, INTEGER, gm_cell_finding_state, finding),
	CELL(3, INTEGER, gm_cell_finding_severity, finding),
	TEXT(4, finding.metric),
	EVIDENCE(5, OCTETS, gm_cell_number, VALUE, 1),
	EVIDENCE(6, OCTETS, gm_cell_number, LIMIT, 1),
	TEXT(7, finding.evidence.contributors),
	CELL(8, UNSIGNED, gm_cell_u32_known, alarm_id),
	CELL(9, TIME, gm_cell_time, finding.time),
	CELL(10, UNSIGNED, gm_cell_age, finding.time),
};
#undef SET
#undef ROW

static size_t guest_index(const void *row, uint32_t *ret_index)
{
	const struct gm_finding_row *finding = row;
	ret_index[0] = finding->guest_index;
	return 1;
}

static size_t burst_index(const void *row, uint32_t *ret_index)
{
	const struct gm_finding_row *burst = row;
	ret_index[0] = burst->guest_index;
	ret_index[1] = burst->ordinal;
	ret_index[2] = burst->rx ? 1 : 2;
	return 3;
}

static size_t burst_total_index(const void *row, uint32_t *ret_index)
{
	const struct gm_burst_total_row *total = row;
	ret_index[0] = total->guest_index;
	ret_index[1] = total->ordinal;
	ret_index[2] = total->part;
	return 3;
}

static size_t burst_bucket_index(const void *row, uint32_t *ret_index)
{
	const struct gm_bucket_row *bucket = row;
	ret_index[0] = bucket->guest_index;
	ret_index[1] = bucket->ordinal;
	ret_index[2] = bucket->part;
	ret_index[3] = bucket->histogram;
	ret_index[4] = bucket->bucket;
	return 5;
}

static size_t contention_bucket_index(const void *row, uint32_t *ret_index)
{
	const struct gm_bucket_row *bucket = row;
	ret_index[0] = bucket->bucket;
	return 1;
}

static size_t error_index(const void *row, uint32_t *ret_index)
{
	const struct gm_finding_row *error = row;
	ret_index[0] = error->guest_index;
	ret_index[1] = error->ordinal;
	return 2;
}

const struct gm_mib_table gm_mib_leak_table = {ENTRY(6, 1, guest_index), ROWS(leaks, leak_count),
					       COLUMNS(leak)};
const struct gm_mib_table gm_mib_host_leak_table = {
	ENTRY(12, 1, guest_index), ROWS(host_leaks, host_leak_count), COLUMNS(host_leak)};
const struct gm_mib_table gm_mib_burst_table = {ENTRY(7, 3, burst_index), ROWS(bursts, burst_count),
						COLUMNS(burst)};
const struct gm_mib_table gm_mib_packet_burst_table = {
	ENTRY(13, 3, burst_index), ROWS(packet_bursts, packet_burst_count), COLUMNS(packet_burst)};
const struct gm_mib_table gm_mib_burst_total_table = {ENTRY(14, 3, burst_total_index),
						      ROWS(burst_totals, burst_total_count),
						      COLUMNS(burst_total)};
const struct gm_mib_table gm_mib_burst_bucket_table = {ENTRY(15, 5, burst_bucket_index),
						       ROWS(burst_buckets, burst_bucket_count),
						       COLUMNS(burst_bucket)};
const struct gm_mib_table gm_mib_contention_table = {SCALARS(16), COLUMNS(contention)};
const struct gm_mib_table gm_mib_contention_bucket_table = {
	ENTRY(17, 1, contention_bucket_index), ROWS(contention_buckets, contention_bucket_count),
	COLUMNS(contention_bucket)};
const struct gm_mib_table gm_mib_anomaly_table = {ENTRY(18, 1, guest_index),
						  ROWS(anomalies, anomaly_count), COLUMNS(anomaly)};
const struct gm_mib_table gm_mib_error_table = {ENTRY(19, 2, error_index),
						ROWS(errors, error_count), COLUMNS(error)};

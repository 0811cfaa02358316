/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The getters of the column tables; see cells.h. Numbers that do not fit their type stay at its largest
 * value, as gauges do; negative ones become 0; what is not a number is not known.
 */
#include "north/mib/cells.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"

/* The signature of every getter, so that a getter is what it does and no more. */
#define GETTER(name)                                               \
	bool name(const struct gm_mib_view *view, const void *row, \
		  const struct gm_mib_column *column, struct gm_mib_value *ret_value)

static const void *member(const void *row, const struct gm_mib_column *column)
{
	return (const char *)row + column->offset;
}

static uint64_t largest(enum gm_mib_type type)
{
	if (type == GM_MIB_INTEGER)
		return INT32_MAX;
	return type == GM_MIB_COUNTER64 ? UINT64_MAX : UINT32_MAX;
}

static bool whole(struct gm_mib_value *value, uint64_t number)
{
	uint64_t limit = largest(value->type);
	value->number = number < limit ? number : limit;
	return true;
}

static bool real(struct gm_mib_value *value, double number)
{
	if (isnan(number))
		return false;
	if (number <= 0)
		return whole(value, 0);
	/* 2^64 as a double: the first that a uint64_t cannot hold. */
	return whole(value, number < 0x1p64 ? (uint64_t)(number + 0.5) : UINT64_MAX);
}

static bool octets(struct gm_mib_value *value, const void *data, size_t length)
{
	value->octets = data;
	value->length = length;
	return true;
}

/* An SnmpAdminString must be UTF-8, whoever chose the name. */
static bool text(struct gm_mib_value *value, const char *string)
{
	if (!string[0])
		return false;
	if (gm_text_is_utf8(string))
		return octets(value, string, strlen(string));
	size_t length = gm_text_copy((char *)value->buffer, sizeof(value->buffer), string);
	return octets(value, value->buffer, length);
}

bool gm_mib_date(int64_t time, uint8_t ret_date[GM_MIB_DATE])
{
	time_t seconds = (time_t)(time / GM_SECOND);
	struct tm tm;
	if (time <= 0 || !gmtime_r(&seconds, &tm))
		return false;
	unsigned year = (unsigned)tm.tm_year + 1900;
	const uint8_t encoded[GM_MIB_DATE] = {(uint8_t)(year >> 8),
					      (uint8_t)year,
					      (uint8_t)(tm.tm_mon + 1),
					      (uint8_t)tm.tm_mday,
					      (uint8_t)tm.tm_hour,
					      (uint8_t)tm.tm_min,
					      (uint8_t)tm.tm_sec,
					      (uint8_t)(time % GM_SECOND / (GM_SECOND / 10)),
					      '+',
					      0,
					      0};
	memcpy(ret_date, encoded, sizeof(encoded));
	return true;
}

static bool date(struct gm_mib_value *value, int64_t time)
{
	return gm_mib_date(time, value->buffer) && octets(value, value->buffer, GM_MIB_DATE);
}

static bool age(struct gm_mib_value *value, int64_t now, int64_t time)
{
	if (time <= 0)
		return false;
	return whole(value, now > time ? (uint64_t)(now - time) / GM_MILLISECOND : 0);
}

static bool uuid(struct gm_mib_value *value, const uint8_t bytes[GM_UUID_SIZE])
{
	static const uint8_t none[GM_UUID_SIZE];
	return memcmp(bytes, none, sizeof(none)) != 0 && octets(value, bytes, GM_UUID_SIZE);
}

GETTER(gm_cell_text)
{
	(void)view;
	return text(ret_value, member(row, column));
}

GETTER(gm_cell_uuid)
{
	(void)view;
	return uuid(ret_value, member(row, column));
}

GETTER(gm_cell_uuid_text)
{
	(void)view;
	return gm_uuid_parse(member(row, column), ret_value->buffer) == 0 &&
	       uuid(ret_value, ret_value->buffer);
}

/* The canonical text of a binary UUID, as OpenStack writes it. */
GETTER(gm_cell_uuid_name)
{
	(void)view;
	if (!uuid(ret_value, member(row, column)))
		return false;
	char *name = gm_uuid_text(member(row, column), (char *)ret_value->buffer);
	return octets(ret_value, name, strlen(name));
}

static int hex(char digit)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *found = digit ? strchr(digits, digit) : NULL;
	if (!found)
		return -1;
	return (int)(found - digits) - (found - digits > 15 ? 6 : 0);
}

GETTER(gm_cell_mac)
{
	const char *mac = member(row, column);
	(void)view;
	if (strlen(mac) != 17)
		return false;
	for (size_t i = 0; i < 6; i++) {
		int high = hex(mac[3 * i]), low = hex(mac[3 * i + 1]);
		if (high < 0 || low < 0 || (i < 5 && mac[3 * i + 2] != ':'))
			return false;
		ret_value->buffer[i] = (uint8_t)(high << 4 | low);
	}
	return octets(ret_value, ret_value->buffer, 6);
}

GETTER(gm_cell_entity)
{
	char key[GM_KEY_TEXT];
	(void)view;
	gm_entity_text(member(row, column), key);
	size_t length = gm_text_copy((char *)ret_value->buffer, sizeof(ret_value->buffer), key);
	return octets(ret_value, ret_value->buffer, length);
}

GETTER(gm_cell_u32)
{
	(void)view;
	return whole(ret_value, *(const uint32_t *)member(row, column));
}

GETTER(gm_cell_u32_known)
{
	uint32_t number = *(const uint32_t *)member(row, column);
	(void)view;
	return number != 0 && whole(ret_value, number);
}

GETTER(gm_cell_u64_known)
{
	uint64_t number = *(const uint64_t *)member(row, column);
	(void)view;
	return number != 0 && whole(ret_value, number);
}

GETTER(gm_cell_u64)
{
	(void)view;
	return whole(ret_value, *(const uint64_t *)member(row, column));
}

GETTER(gm_cell_size)
{
	(void)view;
	return whole(ret_value, *(const size_t *)member(row, column));
}

GETTER(gm_cell_double)
{
	(void)view;
	return real(ret_value, *(const double *)member(row, column));
}

/* TruthValue: true is 1, false is 2. */
GETTER(gm_cell_bool)
{
	(void)view;
	return whole(ret_value, *(const bool *)member(row, column) ? 1 : 2);
}

/* Our enumerations begin with 0, those of a MIB with 1. */
GETTER(gm_cell_enum)
{
	(void)view;
	return whole(ret_value, *(const unsigned *)member(row, column) + UINT64_C(1));
}

GETTER(gm_cell_microseconds)
{
	(void)view;
	return whole(ret_value, *(const uint64_t *)member(row, column) / GM_MICROSECOND);
}

GETTER(gm_cell_span)
{
	int64_t span = *(const int64_t *)member(row, column);
	(void)view;
	return whole(ret_value, span > 0 ? (uint64_t)span / GM_MICROSECOND : 0);
}

GETTER(gm_cell_time)
{
	(void)view;
	return date(ret_value, *(const int64_t *)member(row, column));
}

/* Milliseconds since the epoch. */
GETTER(gm_cell_epoch)
{
	int64_t time = *(const int64_t *)member(row, column);
	(void)view;
	return time > 0 && whole(ret_value, (uint64_t)time / GM_MILLISECOND);
}

GETTER(gm_cell_now)
{
	(void)row;
	(void)column;
	return date(ret_value, view->now);
}

GETTER(gm_cell_age)
{
	return age(ret_value, view->now, *(const int64_t *)member(row, column));
}

static const struct gm_last *last(const void *row, const struct gm_mib_column *column)
{
	return gm_last_find(member(row, column), column->id);
}

GETTER(gm_cell_gauge)
{
	const struct gm_last *newest = last(row, column);
	(void)view;
	return newest && real(ret_value, newest->value.gauge * column->scale);
}

GETTER(gm_cell_gauge_known)
{
	const struct gm_last *newest = last(row, column);
	(void)view;
	return newest && newest->value.gauge > 0 &&
	       real(ret_value, newest->value.gauge * column->scale);
}

/* A counter keeps all its digits unless it has to be scaled. */
GETTER(gm_cell_counter)
{
	const struct gm_last *newest = last(row, column);
	(void)view;
	if (!newest)
		return false;
	uint64_t divisor = (uint64_t)(1 / column->scale + 0.5);
	return whole(ret_value, newest->value.counter / divisor);
}

GETTER(gm_cell_rate)
{
	const struct gm_last *newest = last(row, column);
	(void)view;
	return newest && newest->has_rate && real(ret_value, newest->rate * column->scale);
}

GETTER(gm_cell_last_age)
{
	const struct gm_last *newest = last(row, column);
	return newest && age(ret_value, view->now, newest->measured_at);
}

GETTER(gm_cell_truth)
{
	const struct gm_last *newest = last(row, column);
	(void)view;
	return newest && whole(ret_value, newest->value.gauge > 0 ? 1 : 2);
}

/* virDomainState counts from 0 (no state) to 7 (suspended by the guest's power management). */
GETTER(gm_cell_guest_state)
{
	const struct gm_last *newest = last(row, column);
	(void)view;
	if (!newest || !(newest->value.gauge >= 0 && newest->value.gauge <= 7))
		return false;
	return whole(ret_value, (uint64_t)newest->value.gauge + 1);
}

GETTER(gm_cell_evidence)
{
	const struct gm_evidence *evidence = member(row, column);
	(void)view;
	return gm_evidence_has(evidence, column->id) &&
	       real(ret_value, evidence->number[column->id] * column->scale);
}

GETTER(gm_cell_evidence_time)
{
	const struct gm_evidence *evidence = member(row, column);
	(void)view;
	if (!gm_evidence_has(evidence, column->id))
		return false;
	double seconds = evidence->number[column->id];
	/* As far as the node's time goes: the year 2262. */
	return seconds > 0 && seconds < (double)(INT64_MAX / GM_SECOND) &&
	       date(ret_value, (int64_t)(seconds * 10) * (GM_SECOND / 10));
}

GETTER(gm_cell_number)
{
	const struct gm_evidence *evidence = member(row, column);
	char *digits = (char *)ret_value->buffer;
	(void)view;
	if (!gm_evidence_has(evidence, column->id) || !isfinite(evidence->number[column->id]))
		return false;
	int length = snprintf(digits, sizeof(ret_value->buffer), "%.9g",
			      evidence->number[column->id] * column->scale);
	return length > 0 && octets(ret_value, digits, (size_t)length);
}

/* rx 1, tx 2, not known 3 */
GETTER(gm_cell_direction)
{
	const struct gm_evidence *evidence = member(row, column);
	(void)view;
	if (strcmp(evidence->direction, "rx") == 0)
		return whole(ret_value, 1);
	return whole(ret_value, strcmp(evidence->direction, "tx") == 0 ? 2 : 3);
}

GETTER(gm_cell_bucket_edge)
{
	const struct gm_bucket_row *bucket = row;
	(void)view;
	(void)column;
	return !bucket->last && whole(ret_value, UINT64_C(1) << bucket->bucket);
}

GETTER(gm_cell_packed)
{
	const struct gm_packed_row *series = row;
	(void)view;
	(void)column;
	return octets(ret_value, series->records, (size_t)series->count * GM_PACKED_RECORD);
}

/* Whose name in events is not known, of that none can be told. */
GETTER(gm_cell_disk_errors)
{
	const struct gm_disk_row *disk = row;
	(void)view;
	(void)column;
	return disk->info.alias[0] && whole(ret_value, disk->errors);
}

GETTER(gm_cell_peak)
{
	const struct gm_peak *peak = member(row, column);
	(void)view;
	return peak->at != 0 && real(ret_value, peak->rate);
}

GETTER(gm_cell_source_name)
{
	const struct gm_source_status *source = row;
	(void)view;
	(void)column;
	return text(ret_value, gm_source_name(source->id));
}

/* none is 1, and that there is something 2. */
GETTER(gm_cell_finding_state)
{
	const struct gm_finding *finding = member(row, column);
	(void)view;
	return finding->time != 0 && whole(ret_value, finding->active ? 2 : 1);
}

GETTER(gm_cell_finding_severity)
{
	const struct gm_finding *finding = member(row, column);
	(void)view;
	return finding->time != 0 &&
	       whole(ret_value, finding->active ? finding->severity : GM_SEVERITY_CLEARED);
}

GETTER(gm_cell_transition_severity)
{
	const struct gm_transition *transition = row;
	bool clear = transition->kind == GM_TRANSITION_CLEAR;
	(void)view;
	(void)column;
	return whole(ret_value, clear ? GM_SEVERITY_CLEARED : transition->alarm.severity);
}

GETTER(gm_cell_string)
{
	(void)view;
	return text(ret_value, member(row, column)) || octets(ret_value, "", 0);
}

GETTER(gm_cell_unlimited)
{
	(void)view;
	(void)row;
	(void)column;
	ret_value->number = UINT64_MAX; /* -1 */
	return true;
}

/* The object identifier 0.0. */
GETTER(gm_cell_nothing)
{
	(void)view;
	(void)row;
	(void)column;
	memset(ret_value->buffer, 0, 2 * sizeof(uint32_t));
	return octets(ret_value, ret_value->buffer, 2 * sizeof(uint32_t));
}

GETTER(gm_cell_constant)
{
	(void)view;
	(void)row;
	return whole(ret_value, column->id);
}

GETTER(gm_cell_known)
{
	(void)view;
	return whole(ret_value, *(const uint8_t *)member(row, column) + UINT64_C(1));
}

GETTER(gm_cell_kibibytes)
{
	(void)view;
	return whole(ret_value, *(const uint64_t *)member(row, column) / 1024);
}

/* TimeTicks wrap after 497 days. */
static bool ticks(struct gm_mib_value *value, int64_t from, int64_t to)
{
	value->number = to > from ? (uint64_t)(to - from) / (GM_SECOND / 100) & UINT32_MAX : 0;
	return true;
}

GETTER(gm_cell_since)
{
	int64_t time = *(const int64_t *)member(row, column);
	return time > 0 && ticks(ret_value, time, view->now);
}

GETTER(gm_cell_stamp)
{
	int64_t time = *(const int64_t *)member(row, column);
	return ticks(ret_value, view->master_started, view->master_started ? time : 0);
}

GETTER(gm_cell_empty)
{
	(void)view;
	(void)row;
	(void)column;
	return octets(ret_value, "", 0);
}

GETTER(gm_cell_ack_state)
{
	const struct gm_alarm *alarm = row;
	(void)view;
	(void)column;
	return whole(ret_value, alarm->acknowledged_at != 0 ? 2 : 1);
}

GETTER(gm_cell_output_admin)
{
	const struct gm_output_row *output = row;
	(void)view;
	(void)column;
	return whole(ret_value, output->state == GM_OUTPUT_PAUSED ? 2 : 1);
}

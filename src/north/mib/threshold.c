/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See threshold.h. Where the members of a row are, the table of tables_managed.c says.
 */
#include "north/mib/threshold.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/option.h"
#include "base/text.h"
#include "north/mib/tables.h"

enum kind {
	READ_ONLY,
	TEXT,
	METRIC,
	CHOICE,   /* int from 0, as an enumeration from 1 */
	SEVERITY, /* int: warning … critical, as ItuPerceivedSeverity */
	TRUTH,
	COUNT,
	PERIOD, /* ns, as ms */
	LIMIT,  /* text; empty: none */
	SHARE,  /* text, from 0 to 100 */
	KINDS,  /* BITS */
	STORAGE,
	STATUS,
};

#define WEEK_MS (7.0 * 86400 * 1000)
enum { DIGITS = 31, MOST_SEVERE = 6 /* warning */ };

static const struct {
	enum kind kind;
	double min, max;
} columns[] = {
	[2] = {METRIC, 0, 0},   [3] = {CHOICE, 1, 6},        [4] = {PERIOD, 10, WEEK_MS},
	[5] = {SHARE, 0, 100},  [6] = {CHOICE, 1, 2},        [7] = {LIMIT, 0, 0},
	[8] = {LIMIT, 0, 0},    [9] = {SEVERITY, 3, 6},      [10] = {LIMIT, 0, 0},
	[11] = {LIMIT, 0, 0},   [12] = {LIMIT, 0, 0},        [13] = {LIMIT, 0, 0},
	[14] = {LIMIT, 0, 0},   [15] = {TRUTH, 1, 2},        [16] = {TRUTH, 1, 2},
	[17] = {COUNT, 1, 1e6}, [18] = {PERIOD, 0, WEEK_MS}, [19] = {PERIOD, 0, WEEK_MS},
	[20] = {KINDS, 0, 0},   [21] = {TEXT, 0, 0},         [22] = {TEXT, 0, 0},
	[23] = {TEXT, 0, 0},    [24] = {TEXT, 0, 0},         [25] = {TRUTH, 1, 2},
	[26] = {TEXT, 0, 0},    [29] = {STORAGE, 1, 5},      [30] = {STATUS, 1, 6},
};
enum { COLUMN_COUNT = sizeof(columns) / sizeof(columns[0]) };

/* ---- shown ---- */

static uint64_t bits_of(uint32_t kinds)
{
	uint64_t octet = 0;

	for (int i = 0; i < GM_ENTITY_KINDS; i++)
		octet |= kinds >> i & 1 ? 0x80U >> i : 0;
	return octet;
}

static void show_number(double number, struct gm_mib_value *value)
{
	value->octets = value->buffer;
	value->length = 0;
	if (!isnan(number))
		value->length = (size_t)snprintf((char *)value->buffer, sizeof(value->buffer),
						 "%.15g", number);
}

static void show_octets(const struct gm_mib_column *column, const void *member,
			struct gm_mib_value *value)
{
	uint32_t kinds;
	double number;

	switch (columns[column->number].kind) {
	case LIMIT:
	case SHARE:
		memcpy(&number, member, sizeof(number));
		show_number(number, value);
		break;
	case KINDS:
		memcpy(&kinds, member, sizeof(kinds));
		value->buffer[0] = (uint8_t)bits_of(kinds);
		value->octets = value->buffer;
		value->length = 1;
		break;
	default:
		value->octets = member;
		value->length = strlen(member);
	}
}

bool gm_cell_threshold(const struct gm_mib_view *view, const void *row,
		       const struct gm_mib_column *column, struct gm_mib_value *ret_value)
{
	const char *member = (const char *)row + column->offset;
	int64_t wide;
	bool flag;
	int number;

	(void)view;
	switch (columns[column->number].kind) {
	case CHOICE:
	case SEVERITY:
		memcpy(&number, member, sizeof(number));
		ret_value->number =
			(uint64_t)(columns[column->number].kind == CHOICE ? number + 1
									  : MOST_SEVERE - number);
		break;
	case STORAGE:
	case STATUS:
		memcpy(&number, member, sizeof(number));
		ret_value->number = (uint64_t)number;
		break;
	case TRUTH:
		memcpy(&flag, member, sizeof(flag));
		ret_value->number = flag ? 1 : 2;
		break;
	case COUNT:
	case PERIOD:
		memcpy(&wide, member, sizeof(wide));
		ret_value->number = (uint64_t)wide;
		if (columns[column->number].kind == PERIOD)
			ret_value->number /= GM_MILLISECOND;
		break;
	default:
		show_octets(column, member, ret_value);
	}
	return true;
}

/* ---- taken ---- */

static int take_text(const netsnmp_variable_list *variable, char *text, size_t size)
{
	if (variable->val_len >= size)
		return SNMP_ERR_WRONGLENGTH;
	memset(text, 0, size);
	memcpy(text, variable->val.string, variable->val_len);
	if (strlen(text) != variable->val_len || !gm_text_is_utf8(text))
		return SNMP_ERR_WRONGVALUE;
	return SNMP_ERR_NOERROR;
}

/* As the configuration has it: "90", "1.5e9", "512Mi"; empty: none. */
static int take_number(const netsnmp_variable_list *variable, uint32_t column, double *number)
{
	static const struct gm_option table[] = {
		{.key = "number", .type = GM_OPTION_LIMIT, .size = sizeof(double)}, GM_OPTION_END};
	char text[DIGITS + 1];
	int error = take_text(variable, text, sizeof(text));
	double taken;

	if (error != SNMP_ERR_NOERROR)
		return error;
	if (gm_option_set(table, &taken, "number", text[0] ? text : "none", NULL) < 0)
		return SNMP_ERR_WRONGVALUE;
	if (columns[column].kind == SHARE &&
	    !(taken >= columns[column].min && taken <= columns[column].max))
		return SNMP_ERR_WRONGVALUE;
	*number = taken;
	return SNMP_ERR_NOERROR;
}

static int take_kinds(const netsnmp_variable_list *variable, uint32_t *ret_kinds)
{
	uint32_t kinds = 0;

	if (variable->val_len > 1)
		return SNMP_ERR_WRONGLENGTH;
	uint8_t octet = variable->val_len ? variable->val.bitstring[0] : 0;
	for (int i = 0; i < GM_ENTITY_KINDS; i++)
		kinds |= octet & 0x80U >> i ? 1U << i : 0;
	if (bits_of(kinds) != octet)
		return SNMP_ERR_WRONGVALUE;
	*ret_kinds = kinds;
	return SNMP_ERR_NOERROR;
}

static int take_octets(uint32_t column, const netsnmp_variable_list *variable, void *member,
		       size_t size)
{
	if (variable->type != ASN_OCTET_STR)
		return SNMP_ERR_WRONGTYPE;
	if (columns[column].kind == LIMIT || columns[column].kind == SHARE)
		return take_number(variable, column, member);
	if (columns[column].kind == KINDS)
		return take_kinds(variable, member);
	int error = take_text(variable, member, size);
	if (error == SNMP_ERR_NOERROR && columns[column].kind == METRIC &&
	    ((char *)member)[0] != '\0' && gm_metric_find(member) == GM_METRIC_NONE)
		return SNMP_ERR_WRONGVALUE;
	return error;
}

/* What a row can be asked to be; what it can be made of. */
static bool allowed(enum kind kind, int number)
{
	if (kind == STORAGE)
		return number == GM_STORAGE_VOLATILE || number == GM_STORAGE_KEPT;
	return kind != STATUS || number != GM_ROW_NOT_READY;
}

static void put_number(enum kind kind, int number, void *member)
{
	int64_t wide = kind == PERIOD ? number * GM_MILLISECOND : number;
	bool flag = number == 1;
	int stored = kind == CHOICE ? number - 1 : kind == SEVERITY ? MOST_SEVERE - number : number;

	if (kind == COUNT || kind == PERIOD)
		memcpy(member, &wide, sizeof(wide));
	else if (kind == TRUTH)
		memcpy(member, &flag, sizeof(flag));
	else
		memcpy(member, &stored, sizeof(stored));
}

int gm_mib_threshold_take(uint32_t column, const netsnmp_variable_list *variable,
			  struct gm_threshold_row *row)
{
	const struct gm_mib_table *table = &gm_mib_threshold_table;
	size_t c = 0;

	while (c < table->column_count && table->columns[c].number != column)
		c++;
	if (c == table->column_count || column >= COLUMN_COUNT || columns[column].kind == READ_ONLY)
		return SNMP_ERR_NOTWRITABLE;
	void *member = (char *)row + table->columns[c].offset;
	if (table->columns[c].type == GM_MIB_OCTETS)
		return take_octets(column, variable, member, table->columns[c].size);
	if (variable->type !=
	    (table->columns[c].type == GM_MIB_INTEGER ? ASN_INTEGER : ASN_UNSIGNED))
		return SNMP_ERR_WRONGTYPE;
	if (variable->val_len != sizeof(*variable->val.integer))
		return SNMP_ERR_WRONGLENGTH;
	long value = *variable->val.integer;
	if ((double)value < columns[column].min || (double)value > columns[column].max ||
	    !allowed(columns[column].kind, (int)value))
		return SNMP_ERR_WRONGVALUE;
	put_number(columns[column].kind, (int)value, member);
	return SNMP_ERR_NOERROR;
}

bool gm_mib_threshold_name(const uint32_t *index, size_t length, char name[GM_RULE_NAME])
{
	if (length < 2 || index[0] != length - 1 || length > GM_RULE_NAME)
		return false;
	for (size_t i = 1; i < length; i++) {
		if (index[i] == 0 ||
		    index[i] > 0x7f) /* a 0 would end the name: an alias of another row */
			return false;
		name[i - 1] = (char)index[i];
	}
	name[length - 1] = '\0';
	return gm_threshold_is_name(name);
}

static bool creates(enum gm_row_status status)
{
	return status == GM_ROW_CREATE_AND_GO || status == GM_ROW_CREATE_AND_WAIT;
}

/* `asked->status` is 0 where the status was not among the variables. */
int gm_mib_threshold_settle(const struct gm_threshold_row *row, bool whole,
			    struct gm_threshold_row *asked)
{
	enum gm_row_status status = asked->status;

	if (row && row->storage == GM_STORAGE_READ_ONLY)
		return SNMP_ERR_NOTWRITABLE;
	if (status == GM_ROW_DESTROY)
		return SNMP_ERR_NOERROR;
	if (!row && status == GM_ROW_ABSENT)
		return SNMP_ERR_INCONSISTENTNAME;
	if (!row != creates(status) && status != GM_ROW_ABSENT)
		return SNMP_ERR_INCONSISTENTVALUE;
	if (status == GM_ROW_ABSENT)
		status = row->status;
	if (status == GM_ROW_ACTIVE || status == GM_ROW_CREATE_AND_GO) {
		asked->status = GM_ROW_ACTIVE;
		return whole ? SNMP_ERR_NOERROR : SNMP_ERR_INCONSISTENTVALUE;
	}
	asked->status = whole ? GM_ROW_NOT_IN_SERVICE : GM_ROW_NOT_READY;
	return SNMP_ERR_NOERROR;
}

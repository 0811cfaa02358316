/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's objects; see oids.h. Used by snmp.c and by a target's round.c and report.c.
 */
#include "source/snmp/oids.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/entity.h"
#include "model/metric.h"
#include "source/snmp/lines.h"

enum { NUMBER_TEXT = 32 };

/* What the groups ask for: one metric has one meaning. */
static bool is_asked_for(unsigned metric)
{
	static const unsigned metrics[] = {
		GM_METRIC_MEMORY_TOTAL,     GM_METRIC_MEMORY_UNUSED,   GM_METRIC_MEMORY_USED,
		GM_METRIC_MEMORY_AVAILABLE, GM_METRIC_MEMORY_CACHED,   GM_METRIC_SWAP_TOTAL,
		GM_METRIC_SWAP_USED,        GM_METRIC_CPU_INSIDE_USER, GM_METRIC_CPU_INSIDE_SYSTEM,
		GM_METRIC_CPU_INSIDE_IDLE,  GM_METRIC_CPU_INSIDE_WAIT, GM_METRIC_CPU_INSIDE_STEAL,
		GM_METRIC_LOAD_1,           GM_METRIC_LOAD_5,          GM_METRIC_LOAD_15,
		GM_METRIC_SNMP_UP,          GM_METRIC_SNMP_LATENCY,    GM_METRIC_SNMP_TIMEOUTS,
		GM_METRIC_SNMP_REJECTED,    GM_METRIC_SNMP_NOTICES};

	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		if (metrics[i] == metric) {
			return true;
		}
	}
	return false;
}

/* One number of a name and what separates it from the next. */
static bool take_number(const char **text, uint32_t *ret_number)
{
	char *end;
	unsigned long long number;

	if (**text < '0' || **text > '9') {
		return false;
	}
	errno = 0;
	number = strtoull(*text, &end, 10);
	if (errno != 0 || number > UINT32_MAX || (*end != '.' && *end != '\0') ||
	    (*end == '.' && end[1] == '\0')) {
		return false;
	}
	*text = *end == '.' ? end + 1 : end;
	*ret_number = (uint32_t)number;
	return true;
}

/* X.690 section 8.19: the first two numbers are one. */
static bool parse_name(const char *text, struct gm_snmp_oid *oid)
{
	uint32_t first, second, number;

	text += *text == '.';
	if (!take_number(&text, &first) || !take_number(&text, &second) || first > 2 ||
	    second > (first < 2 ? 39U : UINT32_MAX - 80)) {
		return false;
	}
	oid->length = gm_snmp_oid_append(oid->name, first * 40 + second);
	while (*text != '\0') {
		if (oid->length > GM_SNMP_OID_MAX - 5 || !take_number(&text, &number)) {
			return false;
		}
		oid->length += gm_snmp_oid_append(oid->name + oid->length, number);
	}
	return oid->length >= 3;
}

static int parse_metric(const char *word, unsigned *ret_metric, struct gm_error *err)
{
	unsigned metric = gm_metric_find(word);
	const struct gm_metric *line = gm_metric_get(metric);

	if (line == NULL || !(line->entities & 1U << GM_ENTITY_GUEST)) {
		return gm_error_set(err, -EINVAL,
				    "the second word is a metric that guests have, "
				    "such as operator.gauge.1");
	}
	if (is_asked_for(metric)) {
		return gm_error_set(err, -EINVAL, "%s is asked for already", line->name);
	}
	*ret_metric = metric;
	return 0;
}

static int parse_kind(const char *word, unsigned metric, struct gm_error *err)
{
	const char *kind = gm_metric_kind(metric) == GM_KIND_COUNTER ? "counter" : "gauge";

	return strcmp(word, kind) == 0
		       ? 0
		       : gm_error_set(err, -EINVAL, "%s is a %s, and the third word says so",
				      gm_metric_get(metric)->name, kind);
}

static bool parse_scale(const char *word, bool whole, double *ret_scale)
{
	char *end;
	double scale;

	if (strncmp(word, "scale=", 6) != 0 || word[6] == '\0') {
		return false;
	}
	scale = strtod(word + 6, &end);
	*ret_scale = scale;
	return *end == '\0' && isfinite(scale) && scale != 0 && fabs(scale) <= 1e12 &&
	       (!whole || (scale >= 1 && scale == floor(scale)));
}

static int take_line(void *user, unsigned number, char **words, size_t count, struct gm_error *err)
{
	struct gm_snmp_oids *oids = user;
	struct gm_snmp_oid oid = {.scale = 1};
	int rc;

	(void)number;
	if (count < 3 || count > 4) {
		return gm_error_set(err, -EINVAL,
				    "expected OID METRIC gauge|counter [scale=NUMBER]");
	}
	if (oids->count == GM_SNMP_OIDS_MAX) {
		return gm_error_set(err, -EFBIG, "more than %d objects", GM_SNMP_OIDS_MAX);
	}
	if (!parse_name(words[0], &oid)) {
		return gm_error_set(err, -EINVAL,
				    "the first word is a numeric OID of at most %d "
				    "octets, such as .1.3.6.1.4.1.2021.4.27.0",
				    GM_SNMP_OID_MAX - 4);
	}
	rc = parse_metric(words[1], &oid.metric, err);
	if (rc == 0) {
		rc = parse_kind(words[2], oid.metric, err);
	}
	if (rc < 0) {
		return rc;
	}
	if (count == 4 &&
	    !parse_scale(words[3], gm_metric_kind(oid.metric) == GM_KIND_COUNTER, &oid.scale)) {
		return gm_error_set(err, -EINVAL,
				    "scale= takes a number that is not 0, for a "
				    "counter a whole one");
	}
	for (size_t i = 0; i < oids->count; i++) {
		if (oids->list[i].metric == oid.metric) {
			return gm_error_set(err, -EINVAL, "%s is in a line above already",
					    words[1]);
		}
	}
	oids->list[oids->count++] = oid;
	return 0;
}

int gm_snmp_oids_read(const char *path, struct gm_snmp_oids *ret_oids, struct gm_error *err)
{
	struct gm_snmp_oids oids = {0};
	struct gm_snmp_lines lines = {.take = take_line, .user = &oids};
	int rc = *path == '\0' ? 0 : gm_snmp_lines_read(path, &lines, err);

	if (rc == 0) {
		*ret_oids = oids;
	}
	return rc;
}

/* Decimal text and nothing but spaces around it. */
static bool number_of_text(struct gm_snmp_slice text, double *ret_number)
{
	static const char blanks[] = " \t\r\n";
	char copy[NUMBER_TEXT];
	const char *end;

	if (text.length == 0 || text.length >= sizeof(copy)) {
		return false;
	}
	memcpy(copy, text.data, text.length);
	copy[text.length] = '\0';
	end = gm_text_number(copy + strspn(copy, blanks), ret_number);
	return end && end + strspn(end, blanks) == copy + text.length;
}

bool gm_snmp_oid_number(const struct gm_snmp_oid *oid, struct gm_snmp_varbind *varbind,
			double *ret_gauge)
{
	bool counter = gm_metric_kind(oid->metric) == GM_KIND_COUNTER;
	double number;

	switch (varbind->type) {
	case GM_SNMP_INTEGER:
		number = (double)(int64_t)varbind->number;
		break;
	case GM_SNMP_COUNTER32:
	case GM_SNMP_GAUGE32:
	case GM_SNMP_TIMETICKS:
	case GM_SNMP_COUNTER64:
		number = (double)varbind->number;
		break;
	case GM_SNMP_OCTETS:
		if (!number_of_text(varbind->text, &number)) {
			return false;
		}
		if (counter && number >= 0 && number < 18446744073709551616.0) {
			varbind->type = GM_SNMP_COUNTER64;
			varbind->number = (uint64_t)number;
		}
		break;
	default:
		return false;
	}
	*ret_gauge = number * oid->scale;
	return counter ? varbind->type != GM_SNMP_OCTETS && number >= 0 : isfinite(*ret_gauge);
}

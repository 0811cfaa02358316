/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An entry's fields as a finding; see external.h. Every field has one reader in a table; what no reader
 * and no line of evidence.def knows is refused, so that a misspelt field is not silently left out.
 * Knows no entity, no analyser and no time but the entry's own. Called by external.c.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/external.h"
#include "base/clock.h"
#include "base/text.h"
#include "model/metric.h"

enum { VALUE_MAX = 256, TTL_MAX_S = 86400 };

struct parser {
	struct gm_external_claim *claim;
	bool has_time;
};

/* Each: `value` is terminated UTF-8; NULL when it is good, else what is allowed. */
typedef const char *read_fn(struct parser *parser, const char *value);

static const char *read_entity(struct parser *parser, const char *value)
{
	struct gm_entity_key *key = &parser->claim->finding.key;
	char text[GM_KEY_TEXT];

	if (gm_entity_parse(value, key) < 0 || strcmp(gm_entity_text(key, text), value) != 0)
		return "an entity such as node, guest:<uuid> or if:<device>";
	return NULL;
}

static const char *read_detector(struct parser *parser, const char *value)
{
	struct gm_finding *finding = &parser->claim->finding;
	size_t length = strlen(value);

	if (length == 0 || length >= sizeof(finding->detector) ||
	    strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789._-") != length)
		return "1 to 15 of a to z, 0 to 9, '.', '_', '-'";
	gm_text_copy(finding->detector, sizeof(finding->detector), value);
	return NULL;
}

static const char *read_metric(struct parser *parser, const char *value)
{
	struct gm_finding *finding = &parser->claim->finding;

	if (gm_metric_find(value) == GM_METRIC_NONE)
		return "a metric of the catalogue";
	gm_text_copy(finding->metric, sizeof(finding->metric), value);
	return NULL;
}

static const char *read_state(struct parser *parser, const char *value)
{
	parser->claim->finding.active = strcmp(value, "active") == 0;
	return parser->claim->finding.active || strcmp(value, "ok") == 0 ? NULL : "active or ok";
}

static const char *read_severity(struct parser *parser, const char *value)
{
	enum gm_severity severity;

	if (gm_severity_parse(value, &severity) < 0 || severity == GM_SEVERITY_CLEARED)
		return "critical, major, minor, warning or indeterminate";
	parser->claim->finding.severity = severity;
	return NULL;
}

static const char *read_time(struct parser *parser, const char *value)
{
	int64_t time;

	if (gm_time_parse(value, &time) < 0 || time <= 0)
		return "seconds since the epoch, or ISO 8601 in UTC";
	parser->claim->finding.time = time;
	parser->has_time = true;
	return NULL;
}

/* A finite decimal number and nothing else: no space, no hexadecimal, no name of an infinity. */
static bool read_number(const char *value, double *ret_number)
{
	const char *end = gm_text_number(value, ret_number);

	return end && *end == '\0';
}

static const char *read_ttl(struct parser *parser, const char *value)
{
	double seconds;

	if (!read_number(value, &seconds) || seconds < 1 || seconds > TTL_MAX_S)
		return "seconds, 1 to 86400";
	parser->claim->ttl = (int64_t)(seconds * (double)GM_SECOND);
	return NULL;
}

static const char *read_direction(struct parser *parser, const char *value)
{
	struct gm_evidence *evidence = &parser->claim->finding.evidence;

	if (strcmp(value, "rx") != 0 && strcmp(value, "tx") != 0)
		return "rx or tx";
	gm_text_copy(evidence->direction, sizeof(evidence->direction), value);
	return NULL;
}

static const char *read_contributors(struct parser *parser, const char *value)
{
	struct gm_evidence *evidence = &parser->claim->finding.evidence;

	for (const char *item = value;; item++) {
		char name[GM_METRIC_NAME];
		size_t length = strcspn(item, ",");

		if (length >= sizeof(name))
			return "metrics of the catalogue, separated by commas";
		memcpy(name, item, length);
		name[length] = '\0';
		if (gm_metric_find(name) == GM_METRIC_NONE)
			return "metrics of the catalogue, separated by commas";
		item += length;
		if (*item == '\0')
			break;
	}
	gm_text_copy(evidence->contributors, sizeof(evidence->contributors), value);
	return NULL;
}

static const struct reader {
	const char *name;
	bool required;
	read_fn *read;
} readers[] = {
	{"entity", true, read_entity},
	{"detector", true, read_detector},
	{"metric", true, read_metric},
	{"state", true, read_state},
	{"severity", false, read_severity},
	{"time", false, read_time},
	{"ttl", false, read_ttl},
	{"direction", false, read_direction},
	{"contributors", false, read_contributors},
};
enum { READERS = sizeof(readers) / sizeof(readers[0]) };
_Static_assert(READERS + GM_EVIDENCE_COUNT <= 64, "fields that were seen are marked in 64 bits");

/* The place of a field among all that there may be: the readers, then evidence; -1: unknown. */
static int place_of(const char *name)
{
	for (int i = 0; i < READERS; i++)
		if (strcmp(readers[i].name, name) == 0)
			return i;
	for (int id = 0; id < GM_EVIDENCE_COUNT; id++)
		if (strcmp(gm_evidence_name((enum gm_evidence_id)id), name) == 0)
			return READERS + id;
	return -1;
}

static const char *read_evidence(struct parser *parser, enum gm_evidence_id id, const char *value)
{
	double number;

	if (!read_number(value, &number))
		return "a number";
	gm_evidence_set(&parser->claim->finding.evidence, id, number);
	return NULL;
}

/* Bytes as terminated text of at most VALUE_MAX - 1; false: too long, not UTF-8, or with a NUL. */
static bool as_text(const char *bytes, size_t length, char text[VALUE_MAX])
{
	if (length >= VALUE_MAX || memchr(bytes, '\0', length))
		return false;
	memcpy(text, bytes, length);
	text[length] = '\0';
	return gm_text_is_utf8(text);
}

static int read_field(struct parser *parser, const struct gm_entry_field *field, uint64_t *seen,
		      struct gm_error *err)
{
	char name[VALUE_MAX], value[VALUE_MAX], quoted[96];

	if (!as_text(field->name, field->name_length, name))
		return gm_error_set(err, -EINVAL,
				    "a field's name is no UTF-8 of at most 255 bytes");
	gm_text_quote(quoted, sizeof(quoted), name);
	int place = place_of(name);
	if (place < 0)
		return gm_error_set(err, -EINVAL, "unknown field %s", quoted);
	if (*seen >> place & 1)
		return gm_error_set(err, -EINVAL, "%s is given twice", name);
	*seen |= UINT64_C(1) << place;
	if (!as_text(field->value, field->value_length, value))
		return gm_error_set(err, -EINVAL, "%s is no UTF-8 of at most 255 bytes", name);
	const char *allowed =
		place < READERS
			? readers[place].read(parser, value)
			: read_evidence(parser, (enum gm_evidence_id)(place - READERS), value);
	if (!allowed)
		return 0;
	gm_text_quote(quoted, sizeof(quoted), value);
	return gm_error_set(err, -EINVAL, "%s: %s; allowed: %s", name, quoted, allowed);
}

/* What X.733 has for a finding of which only the metric is known: by the name's beginning. */
static void classify(struct gm_finding *finding)
{
	static const struct {
		const char *prefix;
		enum gm_probable_cause cause;
	} causes[] = {
		{"memory.", GM_CAUSE_RESOURCE_NEARING_CAPACITY},
		{"swap.", GM_CAUSE_RESOURCE_NEARING_CAPACITY},
		{"net.", GM_CAUSE_CONGESTION},
		{"", GM_CAUSE_PERFORMANCE_DEGRADED},
	};
	size_t i = 0;

	while (strncmp(finding->metric, causes[i].prefix, strlen(causes[i].prefix)) != 0)
		i++;
	finding->cause = causes[i].cause;
	finding->event_type = GM_EVENT_QUALITY_OF_SERVICE;
}

/* Its metric, of the catalogue, is one that such an entity has. */
static bool fits(const struct gm_finding *finding)
{
	const struct gm_metric *metric = gm_metric_get(gm_metric_find(finding->metric));

	return metric && (metric->entities >> finding->key.kind & 1);
}

int gm_external_parse(const struct gm_entry *entry, struct gm_external_claim *ret_claim,
		      struct gm_error *err)
{
	struct gm_external_claim claim = {.finding.severity = GM_SEVERITY_WARNING};
	struct parser parser = {.claim = &claim};
	uint64_t seen = 0;

	if (entry->count > GM_ENTRY_FIELDS)
		return gm_error_set(err, -EINVAL, "%zu fields; at most %d", entry->count,
				    GM_ENTRY_FIELDS);
	for (size_t i = 0; i < entry->count; i++) {
		int rc = read_field(&parser, &entry->fields[i], &seen, err);

		if (rc < 0)
			return rc;
	}
	for (int i = 0; i < READERS; i++) {
		if (readers[i].required && !(seen >> i & 1))
			return gm_error_set(err, -EINVAL, "%s is missing", readers[i].name);
	}
	if (!fits(&claim.finding))
		return gm_error_set(err, -EINVAL, "such an entity has no metric %s",
				    claim.finding.metric);
	if (!parser.has_time) {
		if (entry->ms > INT64_MAX / GM_MILLISECOND)
			return gm_error_set(err, -EINVAL, "its id is no time");
		claim.finding.time = (int64_t)entry->ms * GM_MILLISECOND;
	}
	claim.dated = parser.has_time;
	classify(&claim.finding);
	if (gm_evidence_has(&claim.finding.evidence, GM_EVIDENCE_VALUE) ||
	    gm_evidence_has(&claim.finding.evidence, GM_EVIDENCE_LIMIT))
		gm_quantity_unit(gm_metric_find(claim.finding.metric), false,
				 claim.finding.evidence.unit);
	*ret_claim = claim;
	return 0;
}

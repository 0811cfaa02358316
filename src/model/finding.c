/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence and severities; see finding.h.
 */
#include "model/finding.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char *const evidence_names[GM_EVIDENCE_COUNT] = {
#define GM_EVIDENCE(id, name, unit, help) [GM_EVIDENCE_##id] = name,
#include "model/evidence.def"
#undef GM_EVIDENCE
};
_Static_assert(GM_EVIDENCE_COUNT <= 64, "struct gm_evidence marks presence in 64 bits");

static const char *const severity_names[] = {
	[GM_SEVERITY_CLEARED] = "cleared",   [GM_SEVERITY_INDETERMINATE] = "indeterminate",
	[GM_SEVERITY_CRITICAL] = "critical", [GM_SEVERITY_MAJOR] = "major",
	[GM_SEVERITY_MINOR] = "minor",       [GM_SEVERITY_WARNING] = "warning",
};
enum { SEVERITY_NAMES = sizeof(severity_names) / sizeof(severity_names[0]) };

const char *const gm_severity_choices[] = {"warning", "minor", "major", "critical", NULL};

void gm_evidence_set(struct gm_evidence *evidence, enum gm_evidence_id id, double number)
{
	if (!isfinite(number)) {
		evidence->present &= ~(UINT64_C(1) << id);
		return;
	}
	evidence->present |= UINT64_C(1) << id;
	evidence->number[id] = number;
}

bool gm_evidence_has(const struct gm_evidence *evidence, enum gm_evidence_id id)
{
	return evidence->present >> id & 1;
}

const char *gm_evidence_name(enum gm_evidence_id id)
{
	return evidence_names[id];
}

/* "a,b,c" as a JSON array. */
static struct gm_json *list_to_json(const char *list)
{
	struct gm_json *array = gm_json_array();
	while (*list != '\0') {
		char item[sizeof(((struct gm_evidence *)0)->contributors)];
		size_t length = strcspn(list, ",");
		snprintf(item, sizeof(item), "%.*s", (int)length, list);
		gm_json_append(array, gm_json_text(item));
		list += length + (list[length] == ',');
	}
	return array;
}

struct gm_json *gm_evidence_to_json(const struct gm_evidence *evidence)
{
	struct gm_json *object = gm_json_object();
	for (int id = 0; id < GM_EVIDENCE_COUNT; id++)
		if (gm_evidence_has(evidence, (enum gm_evidence_id)id))
			gm_json_set_number(object, evidence_names[id], evidence->number[id]);
	if (evidence->direction[0] != '\0')
		gm_json_set_text(object, "direction", evidence->direction);
	if (evidence->contributors[0] != '\0')
		gm_json_set(object, "contributors", list_to_json(evidence->contributors));
	if (evidence->unit[0] != '\0')
		gm_json_set_text(object, "unit", evidence->unit);
	if (evidence->origin[0] != '\0')
		gm_json_set_text(object, "origin", evidence->origin);
	return object;
}

void gm_evidence_from_json(const struct gm_json *object, struct gm_evidence *ret_evidence)
{
	*ret_evidence = (struct gm_evidence){0};
	for (int id = 0; id < GM_EVIDENCE_COUNT; id++)
		gm_evidence_set(ret_evidence, (enum gm_evidence_id)id,
				gm_json_get_number(object, evidence_names[id], NAN));
	gm_text_copy(ret_evidence->direction, sizeof(ret_evidence->direction),
		     gm_json_get_text(object, "direction"));
	gm_text_copy(ret_evidence->unit, sizeof(ret_evidence->unit),
		     gm_json_get_text(object, "unit"));
	gm_text_copy(ret_evidence->origin, sizeof(ret_evidence->origin),
		     gm_json_get_text(object, "origin"));

	const struct gm_json *list = gm_json_get(object, "contributors");
	size_t used = 0, size = sizeof(ret_evidence->contributors);
	for (size_t i = 0; i < gm_json_size(list) && used < size; i++) {
		const char *name = gm_json_value_text(gm_json_at(list, i));
		if (name && used + strlen(name) + 1 < size)
			used += (size_t)snprintf(ret_evidence->contributors + used, size - used,
						 "%s%s", used ? "," : "", name);
	}
}

const char *gm_severity_name(enum gm_severity severity)
{
	bool known = (int)severity > 0 && (int)severity < SEVERITY_NAMES;
	return known ? severity_names[severity] : severity_names[GM_SEVERITY_INDETERMINATE];
}

enum gm_severity gm_severity_chosen(int index)
{
	return (enum gm_severity)(GM_SEVERITY_WARNING - index);
}

int gm_severity_parse(const char *name, enum gm_severity *ret_severity)
{
	for (int i = 1; name && i < SEVERITY_NAMES; i++) {
		if (strcmp(severity_names[i], name) == 0) {
			*ret_severity = (enum gm_severity)i;
			return 0;
		}
	}
	return -EINVAL;
}

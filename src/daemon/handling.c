/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What policy files say of alarms; see handling.h.
 */
#include "daemon/handling.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "north/message.h"

int gm_handling_create(struct gm_handling **ret_handling)
{
	*ret_handling = calloc(1, sizeof(**ret_handling));
	return *ret_handling ? 0 : -ENOMEM;
}

void gm_handling_free(struct gm_handling *handling)
{
	if (!handling)
		return;
	free(handling->rules);
	free(handling->maintenance);
	free(handling->vnfs);
	free(handling);
}

/* The list with one more at its end; the same one with a negative *rc. */
static void *append(void *list, size_t *count, const void *item, size_t size, int *rc)
{
	*rc = -ENOSPC;
	if (*count == GM_HANDLING_MAX)
		return list;
	char *more = realloc(list, (*count + 1) * size);
	*rc = more ? 0 : -ENOMEM;
	if (!more)
		return list;
	memcpy(more + (*count)++ * size, item, size);
	return more;
}

int gm_handling_add_rule(struct gm_handling *handling, const struct gm_alarm_rule *rule)
{
	int rc;

	handling->rules = append(handling->rules, &handling->rule_count, rule, sizeof(*rule), &rc);
	return rc;
}

int gm_handling_add_maintenance(struct gm_handling *handling,
				const struct gm_maintenance_rule *rule)
{
	int rc;

	for (size_t i = 0; i < handling->maintenance_count; i++) {
		if (strcmp(handling->maintenance[i].name, rule->name) == 0)
			return -EEXIST;
	}
	handling->maintenance = append(handling->maintenance, &handling->maintenance_count, rule,
				       sizeof(*rule), &rc);
	return rc;
}

int gm_handling_add_vnf(struct gm_handling *handling, const struct gm_vnf_rule *rule)
{
	int rc;

	handling->vnfs = append(handling->vnfs, &handling->vnf_count, rule, sizeof(*rule), &rc);
	return rc;
}

static bool same_vnf(const struct gm_vnf_rule *a, const struct gm_vnf_rule *b)
{
	return strcmp(a->match.name, b->match.name) == 0 &&
	       strcmp(a->match.uuid, b->match.uuid) == 0 &&
	       strcmp(a->match.project, b->match.project) == 0 &&
	       strcmp(a->vnf.vnfd_id, b->vnf.vnfd_id) == 0 &&
	       strcmp(a->vnf.provider, b->vnf.provider) == 0 &&
	       strcmp(a->vnf.product, b->vnf.product) == 0 &&
	       strcmp(a->vnf.software_version, b->vnf.software_version) == 0 &&
	       strcmp(a->vnf.vnfd_version, b->vnf.vnfd_version) == 0;
}

bool gm_handling_same_vnfs(const struct gm_handling *a, const struct gm_handling *b)
{
	if (a->vnf_count != b->vnf_count)
		return false;
	for (size_t i = 0; i < a->vnf_count; i++) {
		if (!same_vnf(&a->vnfs[i], &b->vnfs[i]))
			return false;
	}
	return true;
}

bool gm_handling_identify(const struct gm_handling *handling, const struct gm_alarm *alarm,
			  struct gm_vnf *ret_vnf)
{
	struct gm_guest_info guest = {.name = ""};
	struct gm_subject subject = {&alarm->key, alarm->guest, &guest};

	if (!gm_alarm_has_guest(alarm))
		return false;
	gm_text_copy(guest.display_name, sizeof(guest.display_name), alarm->guest_name);
	gm_text_copy(guest.project, sizeof(guest.project), alarm->project);
	gm_text_copy(guest.project_uuid, sizeof(guest.project_uuid), alarm->project_uuid);
	for (size_t i = 0; i < handling->vnf_count; i++) {
		if (gm_match_holds(&handling->vnfs[i].match, &subject)) {
			*ret_vnf = handling->vnfs[i].vnf;
			return true;
		}
	}
	return false;
}

bool gm_alarm_match_holds(const struct gm_alarm_match *match, const struct gm_subject *subject,
			  const struct gm_alarm *alarm)
{
	if (match->detector[0] != '\0' && !gm_text_match(match->detector, alarm->detector))
		return false;
	if (match->rule[0] != '\0' && !gm_text_match(match->rule, alarm->rule))
		return false;
	return gm_match_holds(&match->match, subject);
}

void gm_handling_settle(const struct gm_handling *handling, const struct gm_subject *subject,
			const struct gm_alarm *alarm, struct gm_alarm_options *options)
{
	for (size_t i = 0; i < handling->rule_count; i++) {
		const struct gm_alarm_rule *rule = &handling->rules[i];

		if (!gm_alarm_match_holds(&rule->whom, subject, alarm))
			continue;
		for (size_t j = 0; gm_alarm_option_table[j].key; j++) {
			const struct gm_option *option = &gm_alarm_option_table[j];

			if (rule->given >> j & 1)
				memcpy((char *)options + option->offset,
				       (const char *)&rule->options + option->offset, option->size);
		}
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OpenStack's services answer, and a clouds.yaml: Keystone's token with its catalog, Aodh's lists of
 * alarms with marks of ours in them. The first byte says which, the rest is the text.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "north/openstack/alarm_text.h"
#include "north/openstack/cloud.h"
#include "north/openstack/token.h"

static void read_token(const char *text, size_t length)
{
	static const char *const types[] = {"alarming", NULL};
	const struct gm_endpoint_wish wish = {types, "", "public"};
	struct gm_token_answer answer;
	struct gm_error err;

	gm_token_check(text, &err);
	if (gm_token_parse(text, length, 0, &wish, &answer, &err) == 0 &&
	    (answer.lifetime <= 0 || strncasecmp(answer.endpoint, "http", 4) != 0))
		abort();
}

static void read_alarms(const char *text, size_t length)
{
	struct gm_transition transition = {.sequence = 7, .time = 7};
	const struct gm_json *found;
	struct gm_aodh_alarm alarm;
	struct gm_json *list;

	if (gm_aodh_list(text, length, &list) < 0)
		return;
	if (gm_aodh_find(list, "a", &found) == 0 && found) {
		struct gm_json *changed = gm_aodh_changed(found, "ok", "low", "d");

		gm_aodh_is_told(found, &transition);
		if (gm_aodh_read(found, &alarm) < 0 || strpbrk(alarm.id, "/?&%. "))
			abort();
		gm_json_free(changed);
	}
	gm_json_free(list);
}

static void read_clouds(const char *text, size_t length)
{
	struct gm_cloud cloud = {.auth_url = ""};
	struct gm_error err;

	if (gm_clouds_parse("c", text, length, "a", &cloud, &err) == 0)
		gm_json_free(gm_cloud_auth(&cloud));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text || size == 0) {
		free(text);
		return 0;
	}
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0] % 3) {
	case 0:
		read_token(text, size - 1);
		break;
	case 1:
		read_alarms(text, size - 1);
		break;
	default:
		read_clouds(text, size - 1);
		break;
	}
	free(text);
	return 0;
}

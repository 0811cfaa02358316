/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The alarms that Aodh was seen to hold, as it wrote them last; called by aodh_job.c. Who uses one takes it
 * out, and puts it back only when all went well: after any doubt Aodh is asked again. One that is too old
 * is not used either, for others may change alarms by hand; nor is it ever written back.
 */
#include <stdlib.h>

#include <uthash.h>

#include "base/text.h"
#include "north/openstack/aodh_private.h"

enum { KNOWN_MAX = 1024 };
#define KNOWN_FOR (600 * GM_SECOND)

struct gm_aodh_known {
	char name[GM_AODH_NAME];
	int64_t at; /* monotonic */
	struct gm_json *alarm;
	UT_hash_handle hh; /* the oldest first */
};

static struct gm_json *take(struct gm_output *output, struct gm_aodh_known *known)
{
	struct gm_json *alarm = known->alarm;

	HASH_DEL(output->known, known);
	free(known);
	return alarm;
}

struct gm_json *gm_aodh_known_take(struct gm_output *output, const char *name)
{
	struct gm_aodh_known *known;

	HASH_FIND_STR(output->known, name, known);
	if (!known)
		return NULL;
	bool young = gm_clock_monotonic() - known->at < KNOWN_FOR;
	struct gm_json *alarm = take(output, known);
	if (young)
		return alarm;
	gm_json_free(alarm);
	return NULL;
}

void gm_aodh_known_put(struct gm_output *output, const char *name, struct gm_json *alarm)
{
	struct gm_aodh_known *known = calloc(1, sizeof(*known));

	gm_json_free(gm_aodh_known_take(output, name));
	if (!known) {
		gm_json_free(alarm);
		return;
	}
	if (HASH_COUNT(output->known) == KNOWN_MAX)
		gm_json_free(take(output, output->known));
	gm_text_copy(known->name, sizeof(known->name), name);
	known->at = gm_clock_monotonic();
	known->alarm = alarm;
	HASH_ADD_STR(output->known, name, known);
}

void gm_aodh_known_clear(struct gm_output *output)
{
	while (output->known)
		gm_json_free(take(output, output->known));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See suspicion.h. Called by sources.c alone, which tells the sources.
 */
#define HASH_NONFATAL_OOM 1
#include "daemon/suspicion.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "analysis/leak.h"
#include "base/clock.h"
#include "model/metric.h"

/* Growth in each of so many steps, by so much of what was free before: 20 s and one percent. */
enum { STEPS = 4 };
#define STEP_LENGTH (5 * GM_SECOND)
#define SHARE       0.01

struct gm_suspect {
	uint8_t uuid[GM_UUID_SIZE];
	double marks[STEPS + 1]; /* bytes used at the end of each step, the newest last */
	size_t count;
	int64_t step_end;
	UT_hash_handle hh;
};

static struct gm_suspect *put(struct gm_suspicion *suspicion, const uint8_t *uuid)
{
	struct gm_suspect *suspect;

	HASH_FIND(hh, suspicion->suspects, uuid, GM_UUID_SIZE, suspect);
	if (suspect)
		return suspect;
	suspect = calloc(1, sizeof(*suspect));
	if (!suspect)
		return NULL;
	memcpy(suspect->uuid, uuid, GM_UUID_SIZE);
	HASH_ADD(hh, suspicion->suspects, uuid, GM_UUID_SIZE, suspect);
	if (!suspect->hh.tbl) { /* HASH_NONFATAL_OOM: it was not added */
		free(suspect);
		return NULL;
	}
	return suspect;
}

static void mark(struct gm_suspect *suspect, int64_t time, double used)
{
	/* A clock that is set back, or a long silence: anew. */
	if (time < suspect->step_end - STEP_LENGTH || time > suspect->step_end + 2 * STEP_LENGTH)
		suspect->count = 0;
	if (suspect->count > 0 && time < suspect->step_end)
		return;
	suspect->step_end = time + STEP_LENGTH;
	if (suspect->count == STEPS + 1)
		memmove(suspect->marks, suspect->marks + 1, STEPS * sizeof(suspect->marks[0]));
	else
		suspect->count++;
	suspect->marks[suspect->count - 1] = used;
}

static bool grows(const struct gm_suspect *suspect, double total)
{
	if (suspect->count < STEPS + 1)
		return false;
	for (size_t i = 0; i < STEPS; i++) {
		if (suspect->marks[i + 1] <= suspect->marks[i])
			return false;
	}
	return suspect->marks[STEPS] - suspect->marks[0] >= SHARE * (total - suspect->marks[0]);
}

bool gm_suspicion_take(struct gm_suspicion *suspicion, const struct gm_finding *finding)
{
	const struct gm_evidence *evidence = &finding->evidence;

	if (finding->key.kind != GM_ENTITY_GUEST ||
	    strcmp(finding->detector, gm_leak_ops.name) != 0 ||
	    strcmp(finding->metric, gm_metric_get(GM_METRIC_MEMORY_USED)->name) != 0)
		return false;
	if (finding->active)
		return true;
	struct gm_suspect *suspect = put(suspicion, finding->key.uuid);
	if (!suspect || !gm_evidence_has(evidence, GM_EVIDENCE_USED) ||
	    !gm_evidence_has(evidence, GM_EVIDENCE_TOTAL))
		return false;
	mark(suspect, finding->time, evidence->number[GM_EVIDENCE_USED]);
	return grows(suspect, evidence->number[GM_EVIDENCE_TOTAL]);
}

void gm_suspicion_forget(struct gm_suspicion *suspicion, const struct gm_entity_key *key)
{
	struct gm_suspect *suspect;

	if (key->kind != GM_ENTITY_GUEST)
		return;
	HASH_FIND(hh, suspicion->suspects, key->uuid, GM_UUID_SIZE, suspect);
	if (!suspect)
		return;
	HASH_DEL(suspicion->suspects, suspect);
	free(suspect);
}

void gm_suspicion_clear(struct gm_suspicion *suspicion)
{
	struct gm_suspect *suspect, *following;

	HASH_ITER (hh, suspicion->suspects, suspect, following) {
		HASH_DEL(suspicion->suspects, suspect);
		free(suspect);
	}
}

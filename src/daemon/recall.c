/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Detectors' states to the store and back; see recall.h. What the bytes are is the detectors' business
 * (analysis/detector.h): here only the time is put before them until which they have seen the samples, so
 * that the stored ones since then, and no others, are shown to them again. Called by pipeline.c.
 */
#include "daemon/recall.h"

#include <errno.h>

#include "base/archive.h"
#include "base/clock.h"

#define PERIOD (60 * GM_SECOND)

enum { PER_TICK = 16 };

static const char layout[] = "learned 1";

void gm_recall_init(struct gm_recall *recall)
{
	*recall = (struct gm_recall){.bytes = GM_BUFFER_INIT(GM_STORE_STATE_MAX)};
}

void gm_recall_free(struct gm_recall *recall)
{
	gm_buffer_free(&recall->bytes);
}

static void keep(struct gm_recall *recall, const struct gm_tracked *tracked, struct gm_store *store,
		 int64_t now)
{
	struct gm_archive archive = gm_archive_writer(&recall->bytes);
	char text[GM_KEY_TEXT];

	recall->bytes.length = 0;
	recall->bytes.failed = false;
	gm_archive_tag(&archive, layout);
	gm_archive_int(&archive, &now, 0, INT64_MAX);
	int result = gm_detector_set_save(tracked->detectors, &recall->bytes);
	if (result == 0)
		result = store->ops->keep(store, &tracked->info.key, recall->bytes.data,
					  recall->bytes.length);
	if (result == -EFBIG &&
	    gm_log_allowed(&recall->large, gm_clock_monotonic(), 3600 * GM_SECOND, NULL))
		gm_log(GM_LOG_WARNING,
		       "what was learned of %s is too large to be kept over a restart",
		       gm_entity_text(&tracked->info.key, text));
}

/* When an entity is first kept: at a time of its own within the period. */
static int64_t first_due(const struct gm_tracked *tracked, int64_t now)
{
	return now + (int64_t)tracked->hh.hashv % (PERIOD / GM_MILLISECOND) * GM_MILLISECOND;
}

void gm_recall_tick(struct gm_recall *recall, const struct gm_entities *entities,
		    struct gm_store *store, int64_t now)
{
	unsigned kept = 0;

	for (struct gm_tracked *tracked = gm_entities_first(entities); tracked && kept < PER_TICK;
	     tracked = gm_entities_next(tracked)) {
		if (!tracked->detectors)
			continue;
		/* Also where the clock was set back. */
		if (tracked->keep_at == 0 || tracked->keep_at > now + PERIOD)
			tracked->keep_at = first_due(tracked, now);
		if (now < tracked->keep_at)
			continue;
		tracked->keep_at = now + PERIOD;
		keep(recall, tracked, store, now);
		kept++;
	}
}

void gm_recall_finish(struct gm_recall *recall, const struct gm_entities *entities,
		      struct gm_store *store, int64_t now)
{
	for (struct gm_tracked *tracked = gm_entities_first(entities); tracked;
	     tracked = gm_entities_next(tracked))
		if (tracked->detectors)
			keep(recall, tracked, store, now);
}

void gm_recall_take(struct gm_recall *recall, struct gm_tracked *tracked, const void *bytes,
		    size_t size)
{
	struct gm_archive archive = gm_archive_reader(bytes, size);
	struct gm_error err = {.text = "not what this version wrote"};
	int64_t until = 0;
	char text[GM_KEY_TEXT];

	if (!tracked->detectors)
		return;
	gm_archive_tag(&archive, layout);
	gm_archive_int(&archive, &until, 0, gm_clock_now());
	if (!archive.failed &&
	    gm_detector_set_restore(tracked->detectors, archive.in, archive.left, &err) == 0) {
		tracked->learned_until = until;
		return;
	}
	if (gm_log_allowed(&recall->strange, gm_clock_monotonic(), 60 * GM_SECOND, NULL))
		gm_log(GM_LOG_WARNING, "what was learned of %s before the start is left out: %s",
		       gm_entity_text(&tracked->info.key, text), err.text);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Detectors' states to the store and back; see recall.h. What the bytes are is the detectors' business
 * (analysis/detector.h): here only the time is put before them until which they have seen the samples, so
 * that the stored ones since then, and no others, are shown to them again; and they are packed, for most are
 * zeros. Called by mirror.c and intake.c.
 */
#include "daemon/recall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/archive.h"
#include "base/clock.h"
#include "base/pack.h"

#define PERIOD (60 * GM_SECOND)
#define LOOK_INTERVAL \
	GM_SECOND /* between two searches for who is due: none of them is in the cache */

enum { PER_TICK = 16 };

static const char layout[] = "learned 2";

void gm_recall_init(struct gm_recall *recall)
{
	*recall = (struct gm_recall){
		.raw = GM_BUFFER_INIT(GM_DETECTOR_STATE_MAX),
		.bytes = GM_BUFFER_INIT(GM_STORE_STATE_MAX),
	};
}

void gm_recall_free(struct gm_recall *recall)
{
	gm_buffer_free(&recall->raw);
	gm_buffer_free(&recall->bytes);
}

static void empty(struct gm_buffer *buffer)
{
	buffer->length = 0;
	buffer->failed = false;
}

static int save(struct gm_recall *recall, const struct gm_tracked *tracked, int64_t now)
{
	struct gm_archive archive = gm_archive_writer(&recall->bytes);

	empty(&recall->raw);
	empty(&recall->bytes);
	gm_archive_tag(&archive, layout);
	gm_archive_int(&archive, &now, 0, INT64_MAX);
	int result = gm_detector_set_save(tracked->detectors, &recall->raw);
	if (result == 0 && gm_pack(recall->raw.data, recall->raw.length, &recall->bytes) < 0)
		result = -EFBIG;
	return result;
}

static void keep(struct gm_recall *recall, const struct gm_tracked *tracked, struct gm_store *store,
		 int64_t now)
{
	char text[GM_KEY_TEXT];

	if (recall->useless)
		return;
	int result = save(recall, tracked, now);
	if (result == 0)
		result = store->ops->keep(store, &tracked->info.key, recall->bytes.data,
					  recall->bytes.length);
	recall->useless = result == -ENOTSUP;
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

	/* Also where the clock was set back. */
	if (now < recall->look_at && recall->look_at <= now + LOOK_INTERVAL)
		return;
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
	if (kept < PER_TICK)
		recall->look_at = now + LOOK_INTERVAL;
}

void gm_recall_finish(struct gm_recall *recall, const struct gm_entities *entities,
		      struct gm_store *store, int64_t now)
{
	for (struct gm_tracked *tracked = gm_entities_first(entities); tracked;
	     tracked = gm_entities_next(tracked))
		if (tracked->detectors)
			keep(recall, tracked, store, now);
}

/*
 * Into the detectors that have not been given theirs. Where one's does not fit the others have learned until
 * then all the same (positive): shown the samples since once more they would count them twice, or take them
 * for a clock that was set back and forget.
 */
static int give(struct gm_tracked *tracked, const void *bytes, size_t size, int64_t *ret_until,
		struct gm_error *err)
{
	struct gm_archive archive = gm_archive_reader(bytes, size);
	struct gm_buffer raw = GM_BUFFER_INIT(GM_DETECTOR_STATE_MAX);
	int64_t until = 0;

	gm_archive_tag(&archive, layout);
	gm_archive_int(&archive, &until, 0, gm_clock_now());
	int result = archive.failed ? -EINVAL : gm_unpack(archive.in, archive.left, &raw);
	if (result < 0)
		gm_error_set(err, result, "not what this version wrote, or damaged");
	else
		result = gm_detector_set_restore(tracked->detectors, raw.data, raw.length, err);
	if (result >= 0)
		*ret_until = until;
	tracked->taught = 0; /* lessons are kept elsewhere; new detectors have none */
	gm_buffer_free(&raw);
	return result;
}

static void remember(struct gm_tracked *tracked, const void *bytes, size_t size)
{
	gm_recall_forget(tracked);
	tracked->kept = malloc(size ? size : 1);
	if (!tracked->kept)
		return;
	memcpy(tracked->kept, bytes, size);
	tracked->kept_size = size;
}

void gm_recall_take(struct gm_recall *recall, struct gm_tracked *tracked, const void *bytes,
		    size_t size)
{
	struct gm_error err;
	char text[GM_KEY_TEXT];

	if (!tracked->detectors)
		return;
	int result = give(tracked, bytes, size, &tracked->learned_until, &err);
	/* Also what fits nobody yet: those that an operator's rules give it may come with its guest. */
	remember(tracked, bytes, size);
	if (result != 0 &&
	    gm_log_allowed(&recall->strange, gm_clock_monotonic(), 60 * GM_SECOND, NULL))
		gm_log(GM_LOG_WARNING, "%s was learned of %s before the start is left out: %s",
		       result > 0 ? "some of what" : "what",
		       gm_entity_text(&tracked->info.key, text), err.text);
}

void gm_recall_again(struct gm_tracked *tracked)
{
	int64_t until;

	/* What is wrong with them has been said when they were given first. */
	if (tracked->kept && tracked->detectors)
		give(tracked, tracked->kept, tracked->kept_size, &until, NULL);
}

void gm_recall_forget(struct gm_tracked *tracked)
{
	free(tracked->kept);
	tracked->kept = NULL;
	tracked->kept_size = 0;
}

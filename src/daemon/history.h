/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples of some entities back to a time: the newest from the rings, what is older from the store, as far
 * as it holds it and answers in time. Bounded in values; where there are more the oldest are left out. Main
 * thread; once it is done, any one thread.
 */
#ifndef GM_DAEMON_HISTORY_H
#define GM_DAEMON_HISTORY_H

#include "base/json.h"
#include "daemon/entities.h"
#include "store/store.h"

enum { GM_HISTORY_VALUES_MAX = 250000 };
#define GM_HISTORY_DEADLINE (2 * GM_SECOND)

struct gm_history;

/* Of the metrics that `pattern` matches (gm_text_match()). NULL: out of memory. */
struct gm_history *gm_history_create(const char *pattern, int64_t since);
void gm_history_free(struct gm_history *history); /* ends what is under way; NULL-safe */

/* Takes what the rings have of an entity. -ENOMEM. */
int gm_history_add(struct gm_history *history, const struct gm_tracked *tracked);

/* Whether the rings of all of them go back to `since`. */
bool gm_history_is_whole(const struct gm_history *history);

/*
 * Asks the store for the rest, one entity after the other; `done` is called once, later, unless the history
 * is freed before. Negative where it cannot be asked: then the rings are all there is, and the history
 * says why.
 */
int gm_history_read(struct gm_history *history, struct gm_store *store, void (*done)(void *user),
		    void *user);

/*
 * {"source": "rings" or the store's name, "note": "…" where there is less than was asked for,
 *  "entities": {"guest:…": {"memory.used": [[time, value], …], …}, …}}; a value that tells of a span is
 * [time, value, least, most]. NULL: out of memory.
 */
struct gm_json *gm_history_to_json(struct gm_history *history);

#endif

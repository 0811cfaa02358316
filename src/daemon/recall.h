/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What detectors have learned, over a restart: hands it to the store entity by entity, each about once a
 * minute and all of them at the end, and takes it back at the start. Main thread only.
 */
#ifndef GM_DAEMON_RECALL_H
#define GM_DAEMON_RECALL_H

#include "base/log.h"
#include "daemon/entities.h"
#include "store/store.h"

struct gm_recall {
	struct gm_buffer raw, bytes; /* of one entity; packed */
	bool useless;                /* this store keeps nothing */
	int64_t look_at;             /* when somebody may be due */
	struct gm_log_limit large, strange;
};

void gm_recall_init(struct gm_recall *recall);
void gm_recall_free(struct gm_recall *recall);

/* About ten times a second: keeps what is due. `now` is both the end of what was learned and the clock. */
void gm_recall_tick(struct gm_recall *recall, const struct gm_entities *entities,
		    struct gm_store *store, int64_t now);

/* Keeps all there is. */
void gm_recall_finish(struct gm_recall *recall, const struct gm_entities *entities,
		      struct gm_store *store, int64_t now);

/*
 * Gives a tracked entity without a past what was kept of it; sets tracked->learned_until when any detector was
 * given its part. Bytes of another version, or damaged, are left out with a limited line in the log.
 */
void gm_recall_take(struct gm_recall *recall, struct gm_tracked *tracked, const void *bytes,
		    size_t size);

/*
 * An entity was given other detectors, now that it is known whose it is: those that are new to it get theirs
 * of what it was given before. What was taken is held for that until it is forgotten, soon after the start.
 */
void gm_recall_again(struct gm_tracked *tracked);
void gm_recall_forget(struct gm_tracked *tracked);

#endif

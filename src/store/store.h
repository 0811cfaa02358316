/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where windows are mirrored for others to read. A store belongs to the main thread and never blocks
 * it but in load(); what it cannot write it drops, because the rings hold it: on its return it asks
 * its host for what is missing.
 */
#ifndef GM_STORE_STORE_H
#define GM_STORE_STORE_H

#include "base/error.h"
#include "base/option.h"
#include "model/entity.h"
#include "model/sample.h"

struct gm_store;
struct uv_loop_s;

/* What a store asks of the daemon; called on the main thread. */
struct gm_store_host {
	/* Calls gm_store_ops.append() again for every kept frame of `key` newer than `since`. */
	void (*backfill)(void *user, const struct gm_entity_key *key, int64_t since);
	/* Hands back a stored frame at start-up (during load()). */
	void (*restore)(void *user, const struct gm_frame *frame,
			const struct gm_reading *readings);
	/*
	 * Hands back what keep() was given (during load(), before any frames). The bytes
	 * have been outside: they may be anything.
	 */
	void (*recall)(void *user, const struct gm_entity_key *key, const void *bytes, size_t size);
	/* The connection came or went: `connected`, and a sentence for the log. */
	void (*changed)(void *user, bool connected, const char *reason);
	void *user;
	int64_t window; /* ns: stored frames that are older are not handed back; 0: all are */
};

enum { GM_STORE_STATE_MAX = 1 << 20 }; /* bytes that are kept for an entity */

struct gm_store_status {
	bool connected;
	char state[192];  /* one sentence: where, since when, what is wrong */
	uint64_t written; /* frames acknowledged */
	uint64_t dropped; /* frames not written (filled in later where the rings still have them) */
	uint64_t filled;  /* frames written by backfill */
	uint64_t pending; /* commands sent and not yet answered */
	uint64_t bytes_when_full; /* of the server's memory, estimated; 0: not known yet */
	uint64_t bytes_allowed;   /* 0: unlimited or not known */
	uint64_t series;          /* that `bytes_when_full` is for */
};

/* A stored frame, or what the frames of a span said together. */
struct gm_store_row {
	int64_t time; /* ns; of a span: of its newest sample */
	int64_t span; /* ns; 0: a frame as it was measured */
	size_t count;
	/* Of a span: a gauge's mean, a counter's last value. */
	const struct gm_reading *readings;
	/* Of a span, else NULL; NaN where not known. Of a counter: how fast it grew, per second. */
	const struct gm_store_extremes {
		double min, max;
	} * extremes;
};

/* What is asked for: since <= time < until. */
struct gm_store_range {
	struct gm_entity_key key;
	int64_t since, until; /* ns since the epoch */
	size_t rows;          /* most that are handed over: the newest */
	int64_t deadline;     /* ns from now */
};

/* Both are called on the main thread, never from within read() or cancel(). */
struct gm_store_reader {
	/* Newest first; false: no more is wanted. What comes from outside may be wrong in all but form. */
	bool (*row)(void *user, const struct gm_store_row *row);
	/*
	 * The end, once: 0, or a negative errno with its sentence (what was handed over until then was
	 * stored, but is not all).
	 */
	void (*done)(void *user, int result, const struct gm_error *err);
	void *user;
};

struct gm_store_read;
enum { GM_STORE_READS_MAX = 8 }; /* at once */

struct gm_store_ops {
	const char *name;
	/*
	 * Reads back what was kept and the stored windows: synchronous, ends by `deadline` ns from now
	 * whatever happens. On failure what was handed back until then is right; the message says how much
	 * it was.
	 */
	int (*load)(struct gm_store *store, int64_t deadline, struct gm_error *err);
	/* Starts (and from then on keeps up) the connection. */
	void (*start)(struct gm_store *store);
	void (*append)(struct gm_store *store, const struct gm_frame *frame,
		       const struct gm_reading *readings);
	/* Identity of a new or changed entity. */
	void (*identify)(struct gm_store *store, const struct gm_entity_info *info);
	/* The entity is gone: its keys expire by themselves, nothing is kept for it. */
	void (*forget)(struct gm_store *store, const struct gm_entity_key *key);
	/*
	 * Keeps bytes for the entity beside its window: what detectors have learned of it. -EAGAIN: not
	 * now; -EFBIG: more than GM_STORE_STATE_MAX; -ENOTSUP: this store keeps nothing over a restart.
	 */
	int (*keep)(struct gm_store *store, const struct gm_entity_key *key, const void *bytes,
		    size_t size);
	/*
	 * Reads stored frames while all else goes on: as measured where they reach, before that the coarser
	 * copies, where there are. -ENOTSUP: this store holds none; -ENOTCONN; -EBUSY: too many at once;
	 * -ENOMEM; each with a sentence. `*ret_read` is valid until done() or cancel().
	 */
	int (*read)(struct gm_store *store, const struct gm_store_range *range,
		    const struct gm_store_reader *reader, struct gm_store_read **ret_read,
		    struct gm_error *err);
	/* Ends it without done(). */
	void (*cancel)(struct gm_store *store, struct gm_store_read *read);
	/* End of a tick: what was appended goes out as one batch. */
	void (*flush)(struct gm_store *store, int64_t now);
	void (*status)(const struct gm_store *store, struct gm_store_status *ret_status);
	/* Stops; closes within the loop's next turns. */
	void (*stop)(struct gm_store *store);
	void (*destroy)(struct gm_store *store); /* after the loop has run dry */
};

struct gm_store {
	const struct gm_store_ops *ops;
};

#endif

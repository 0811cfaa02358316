/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded queue of pointers between threads: any number of writers, one reader. A full queue drops
 * its oldest item (freed with `free_item`) and counts it, so that a writer never waits.
 */
#ifndef GM_BASE_QUEUE_H
#define GM_BASE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct gm_queue;

struct gm_queue_options {
	size_t capacity;               /* items, > 0 */
	void (*free_item)(void *item); /* for dropped items and for those left at the end */
	void (*notify)(
		void *user); /* called by the writer when the queue stops being empty; may be NULL */
	void *user;
};

/* 0 or -ENOMEM. Free after all writers have stopped. */
int gm_queue_create(const struct gm_queue_options *options, struct gm_queue **ret_queue);
void gm_queue_free(struct gm_queue *queue);

/* Takes `item` (never NULL). Never blocks for longer than a pointer store. */
void gm_queue_push(struct gm_queue *queue, void *item);

/* The oldest item, now the caller's, or NULL. */
void *gm_queue_pop(struct gm_queue *queue);

/* Items dropped since the start. Any thread. */
uint64_t gm_queue_dropped(struct gm_queue *queue);

/* Items waiting now. Any thread. */
size_t gm_queue_length(struct gm_queue *queue);

#endif

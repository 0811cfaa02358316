/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded queue between threads; see queue.h. A mutex around a ring of pointers: the critical
 * sections are a few instructions, and items are whole batches, so contention does not matter.
 */
#include "base/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct gm_queue {
	struct gm_queue_options options;
	pthread_mutex_t lock;
	size_t head, length;
	uint64_t dropped;
	void *items[];
};

int gm_queue_create(const struct gm_queue_options *options, struct gm_queue **ret_queue)
{
	struct gm_queue *queue = calloc(1, sizeof(*queue) + options->capacity * sizeof(void *));
	if (!queue)
		return -ENOMEM;
	queue->options = *options;
	pthread_mutex_init(&queue->lock, NULL);
	*ret_queue = queue;
	return 0;
}

void gm_queue_free(struct gm_queue *queue)
{
	if (!queue)
		return;
	void *item;
	while ((item = gm_queue_pop(queue)))
		queue->options.free_item(item);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}

void gm_queue_push(struct gm_queue *queue, void *item)
{
	size_t capacity = queue->options.capacity;
	void *oldest = NULL;

	pthread_mutex_lock(&queue->lock);
	bool was_empty = queue->length == 0;
	if (queue->length == capacity) {
		oldest = queue->items[queue->head];
		queue->head = (queue->head + 1) % capacity;
		queue->length--;
		queue->dropped++;
	}
	queue->items[(queue->head + queue->length++) % capacity] = item;
	pthread_mutex_unlock(&queue->lock);

	if (oldest)
		queue->options.free_item(oldest);
	if (was_empty && queue->options.notify)
		queue->options.notify(queue->options.user);
}

void *gm_queue_pop(struct gm_queue *queue)
{
	void *item = NULL;
	pthread_mutex_lock(&queue->lock);
	if (queue->length > 0) {
		item = queue->items[queue->head];
		queue->head = (queue->head + 1) % queue->options.capacity;
		queue->length--;
	}
	pthread_mutex_unlock(&queue->lock);
	return item;
}

uint64_t gm_queue_dropped(struct gm_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	uint64_t dropped = queue->dropped;
	pthread_mutex_unlock(&queue->lock);
	return dropped;
}

size_t gm_queue_length(struct gm_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	size_t length = queue->length;
	pthread_mutex_unlock(&queue->lock);
	return length;
}

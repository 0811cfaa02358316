/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store that keeps nothing: the rings of the daemon are all there is. It never fails and never
 * calls back.
 */
#include "store/memory/memory.h"

#include <errno.h>
#include <stdlib.h>

#include "base/text.h"

static int load(struct gm_store *store, int64_t deadline, struct gm_error *err)
{
	(void)store, (void)deadline, (void)err;
	return 0;
}

static void start(struct gm_store *store)
{
	(void)store;
}

static void append(struct gm_store *store, const struct gm_frame *frame,
		   const struct gm_reading *readings)
{
	(void)store, (void)frame, (void)readings;
}

static void identify(struct gm_store *store, const struct gm_entity_info *info)
{
	(void)store, (void)info;
}

static void forget(struct gm_store *store, const struct gm_entity_key *key)
{
	(void)store, (void)key;
}

static int keep(struct gm_store *store, const struct gm_entity_key *key, const void *bytes,
		size_t size)
{
	(void)store, (void)key, (void)bytes, (void)size;
	return -ENOTSUP;
}

static int read_back(struct gm_store *store, const struct gm_store_range *range,
		     const struct gm_store_reader *reader, struct gm_store_read **ret_read,
		     struct gm_error *err)
{
	(void)store, (void)range, (void)reader, (void)ret_read;
	return gm_error_set(err, -ENOTSUP, "no store is configured that holds more");
}

static void cancel(struct gm_store *store, struct gm_store_read *read)
{
	(void)store, (void)read;
}

static void flush(struct gm_store *store, int64_t now)
{
	(void)store, (void)now;
}

static void status(const struct gm_store *store, struct gm_store_status *ret_status)
{
	(void)store;
	*ret_status = (struct gm_store_status){.connected = true};
	gm_text_copy(ret_status->state, sizeof(ret_status->state),
		     "windows are kept in memory alone; a restart begins with empty ones");
}

static void destroy(struct gm_store *store)
{
	free(store);
}

static const struct gm_store_ops memory_ops = {
	.name = "memory",
	.load = load,
	.start = start,
	.append = append,
	.identify = identify,
	.forget = forget,
	.keep = keep,
	.read = read_back,
	.cancel = cancel,
	.flush = flush,
	.status = status,
	.stop = start, /* there is nothing to do for either */
	.destroy = destroy,
};

int gm_memory_store_create(struct gm_store **ret_store)
{
	struct gm_store *store = calloc(1, sizeof(*store));

	if (!store)
		return -ENOMEM;
	store->ops = &memory_ops;
	*ret_store = store;
	return 0;
}

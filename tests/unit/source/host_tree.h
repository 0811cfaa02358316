/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree of /proc and /sys of the test's own, the host source on it, and what it said last. For cmocka
 * tests; include after <cmocka.h>.
 */
#ifndef GM_TEST_HOST_TREE_H
#define GM_TEST_HOST_TREE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "source/host/host.h"
#include "support/tree.h"

struct node {
	char root[32], proc[64], sys[64];
	struct gm_source *source;
	struct gm_source_sink sink;
	struct gm_batch *batch;
};

static inline void on_samples(void *user, struct gm_batch *batch)
{
	struct node *node = user;

	gm_batch_free(node->batch);
	node->batch = batch;
}

static inline void on_seen(void *user, enum gm_source_id source, const struct gm_entity_info *info)
{
	(void)user;
	(void)source;
	(void)info;
}

static inline void begin(struct node *node)
{
	*node = (struct node){.root = "/tmp/gm-node-XXXXXX"};
	assert_non_null(mkdtemp(node->root));
	snprintf(node->proc, sizeof(node->proc), "%s/proc", node->root);
	snprintf(node->sys, sizeof(node->sys), "%s/sys", node->root);
	put_text(node->proc, "stat", "cpu 1 2 3 400 50\ncpu0 1 2 3 400 50\n");
	node->sink = (struct gm_source_sink){.samples = on_samples, .seen = on_seen, .user = node};
}

static inline void start(struct node *node, int64_t proportional)
{
	struct gm_host_options options;
	struct gm_error err;

	gm_option_defaults(gm_host_option_table, &options);
	assert_int_equal(options.proportional_interval, 0);
	options.proportional_interval = proportional;
	snprintf(options.proc, sizeof(options.proc), "%s", node->proc);
	snprintf(options.sys, sizeof(options.sys), "%s", node->sys);
	assert_int_equal(gm_host_create(&options, &node->source), 0);
	assert_int_equal(node->source->ops->open(node->source, &err), 0);
}

static inline void poll_once(struct node *node)
{
	struct gm_error err;
	uint32_t entities;

	assert_int_equal(
		node->source->ops->poll(node->source, gm_clock_now(), &node->sink, &entities, &err),
		0);
	assert_non_null(node->batch);
}

static inline void end(struct node *node)
{
	node->source->ops->close(node->source);
	node->source->ops->destroy(node->source);
	gm_batch_free(node->batch);
	drop_tree(node->root);
}

/* Of the guest with that pid; of the node for 0. NULL: it was not told. */
static inline const union gm_value *value_of(const struct node *node, unsigned pid, unsigned metric)
{
	char text[64];
	struct gm_entity_key key = gm_entity_node();

	if (pid != 0) {
		snprintf(text, sizeof(text), "guest:%08x-0000-4000-8000-%012x", pid, pid);
		assert_int_equal(gm_entity_parse(text, &key), 0);
	}
	for (size_t i = 0; i < node->batch->frame_count; i++) {
		const struct gm_frame *frame = &node->batch->frames[i];
		const struct gm_reading *readings = gm_batch_readings(node->batch, frame);

		for (size_t k = 0; gm_entity_equal(&frame->key, &key) && k < frame->count; k++) {
			if (readings[k].metric == metric) {
				return &readings[k].value;
			}
		}
	}
	return NULL;
}

static inline double gauge_of(const struct node *node, unsigned pid, unsigned metric)
{
	const union gm_value *value = value_of(node, pid, metric);

	return value ? value->gauge : -1;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's pipeline on a loop of its own, over the host alone: it needs neither rights nor anybody else. For
 * cmocka tests; include after <cmocka.h>.
 */
#ifndef GM_TEST_HOST_PIPELINE_H
#define GM_TEST_HOST_PIPELINE_H

#include <stdio.h>
#include <stdlib.h>

#include "daemon/pipeline.h"
#include "support/state_directory.h"

struct fixture {
	char directory[STATE_DIRECTORY]; /* the test makes it */
	uv_loop_t loop;
	struct gm_config *config; /* and this: host_alone(), or more than that */
	struct gm_state *state;
	struct gm_pipeline *pipeline;
};

static inline struct gm_config *host_alone(void)
{
	struct gm_config *config;
	assert_int_equal(gm_config_create(&config), 0);
	snprintf(config->node.name, sizeof(config->node.name), "node");
	config->libvirt.enabled = config->tap.enabled = false;
	config->redis.enabled = config->snmp.enabled = false;
	return config;
}

static inline void open_pipeline(struct fixture *fixture)
{
	struct gm_error err = {.text = ""};
	uv_loop_init(&fixture->loop);
	assert_int_equal(gm_state_open(fixture->directory, &fixture->state, &err), 0);
	assert_int_equal(gm_pipeline_create(&fixture->loop, fixture->config, fixture->state,
					    &fixture->pipeline, &err),
			 0);
}

static inline void start_pipeline(struct fixture *fixture)
{
	struct gm_error err = {.text = ""};
	assert_int_equal(gm_pipeline_start(fixture->pipeline, &err), 0);
}

/* Stops it, and removes all of the fixture, the directory and the memory included. */
static inline int end_pipeline(void **state)
{
	struct fixture *fixture = *state;
	gm_pipeline_stop(fixture->pipeline);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	gm_pipeline_free(fixture->pipeline);
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
	gm_state_close(fixture->state);
	gm_config_free(fixture->config);
	state_directory_remove(fixture->directory);
	free(fixture);
	return 0;
}

#endif

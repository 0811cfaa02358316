/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rig for the Redis store: a loop, a host that keeps frames as the daemon's rings do, and (for those
 * tests that want one) a redis-server on a socket in a directory of its own.
 */
#ifndef GM_TEST_STORE_RIG_H
#define GM_TEST_STORE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>
#include <uv.h>

#include "base/clock.h"
#include "store/redis/redis.h"

enum { RIG_ENTITIES = 4, RIG_FRAMES = 32768, RIG_READINGS = 2 };

struct rig_frame {
	int64_t time;
	struct gm_reading readings[RIG_READINGS];
};

struct rig {
	char directory[64], socket[96];
	pid_t server;
	redisContext *client;
	uv_loop_t loop;
	struct gm_redis_options options;
	struct gm_store *store;
	int64_t now; /* the rig's clock: 10 ms a tick, whatever the real one does */
	struct gm_entity_key keys[RIG_ENTITIES];
	struct rig_frame *kept[RIG_ENTITIES]; /* the rings */
	size_t kept_count[RIG_ENTITIES];
	size_t entities;
	bool host_is_empty; /* the rings are not asked: backfill gives nothing */
	bool connected;
	unsigned changes; /* calls of changed() */
	char reason[256];
	size_t restored, restored_of[RIG_ENTITIES];
	int64_t restored_last[RIG_ENTITIES];
	bool restored_wrong;
	int64_t host_window;
	unsigned recalls; /* calls of recall(); the last: */
	struct gm_entity_key recalled_key;
	size_t recalled_size;
	char recalled[64];
	bool recalled_late; /* after a frame of that entity */
};

int rig_setup(void **state);    /* directory, loop, options; no server, no store */
int rig_teardown(void **state); /* ends what there is; fails when the loop does not run dry */

bool rig_have_server(void);
/* Starts redis-server with up to 8 more arguments, NULL at the end, and waits until it answers. */
void rig_server(struct rig *rig, const char *const *arguments);
void rig_kill_server(struct rig *rig);
/* Has the store read its password from a file with that text. */
void rig_write_password(struct rig *rig, const char *text);
/* A command for the server through a connection of the test's own. The caller frees. */
redisReply *rig_command(struct rig *rig, const char *format, ...);
void rig_do(struct rig *rig, const char *format, ...); /* one whose answer only must be no error */
long long rig_integer(struct rig *rig, const char *format, ...);

void rig_create(struct rig *rig);
void rig_start(struct rig *rig);
void rig_stop(struct rig *rig); /* stop, run dry, destroy */

/* Runs the loop for so long (real time), or until the state is as said; false: it never was. */
void rig_run(struct rig *rig, int ms);
bool rig_wait_connected(struct rig *rig, bool connected, int ms);
/* Until nothing is pending and nothing has been written for a while. */
void rig_settle(struct rig *rig);

/* A tick: one new frame of each entity into the rings and to the store. */
void rig_tick(struct rig *rig);
void rig_ticks(struct rig *rig, int count);
/* A frame of an entity at a time of its own (for those out of order). */
void rig_frame_at(struct rig *rig, size_t entity, int64_t time);

/* A server with these arguments, a store that is connected to it, and a hundred ticks written. */
void rig_begin(struct rig *rig, const char *const *arguments);

/* Fails unless the store is not connected and says `word`, to its host and in its state. */
void rig_expect_reason(struct rig *rig, const char *word);

/* Fails unless the streams hold exactly the rings: no gap, no duplicate, every value. */
void rig_check_complete(struct rig *rig);
struct gm_store_status rig_status(struct rig *rig);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server of our own on the loopback that is both Keystone and Aodh, as far as requests are counted and told
 * apart, and that does what a real one cannot be made to do: an answer that is lost, one that is refused for good.
 */
#ifndef GM_TEST_AODH_SERVER_H
#define GM_TEST_AODH_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

enum { GM_TEST_AODH_SHOWN = 100, GM_TEST_AODH_CLIENTS = 256, GM_TEST_AODH_LIFE_S = 6 };

struct gm_test_aodh;
struct gm_test_aodh_client {
	uv_tcp_t tcp; /* first: closed as one */
	uv_timer_t late;
	struct gm_test_aodh *server;
	char request[8192];
	size_t length;
	uv_write_t write;
	char answer[64 << 10];
};

struct gm_test_aodh {
	uv_tcp_t tcp;
	struct gm_test_aodh_client clients[GM_TEST_AODH_CLIENTS];
	size_t client_count;
	bool refuses_state, refuses_looks, no_tokens, slow;
	const char *refused;          /* the beginning of a request that is, for good */
	const char *lost;             /* likewise: done, and its answer is not; once */
	const char *lost_as;          /* what is answered instead; NULL: nothing */
	bool closes;                  /* or the connection is closed */
	const char *severity, *state; /* of the first alarm, once that was done */
	size_t failing_look;          /* which list is none */
	size_t still;                 /* so many lists after the first are not answered */
	size_t asked_tokens, lists, created, changed, pending, most_pending;
};

/* The port. The structure is zeroed before; what it is to do may be said at any time. */
unsigned gm_test_aodh_start(struct gm_test_aodh *server, uv_loop_t *loop);
void gm_test_aodh_stop(struct gm_test_aodh *server); /* gone after the loop has run */

#endif

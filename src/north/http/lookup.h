/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many look-ups of names may be left behind. libcurl has a thread for each; when a request ends before its name
 * server has answered the thread goes on until glibc gives up, some ten seconds or more later. Each attempt of each
 * output would leave one more behind. One at a time still asks, now and then, so that a name server that is back is
 * found soon. Pure; used by http.c alone.
 */
#ifndef GM_NORTH_HTTP_LOOKUP_H
#define GM_NORTH_HTTP_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

enum {
	GM_LOOKUPS_KEPT = 256,   /* that were left behind; of more, the newest */
	GM_LOOKUPS_OF_NAME = 16, /* of one name whose server is silent, those under way included; */
	GM_LOOKUPS_MANY =
		64, /* one where so many were left behind of all names; probes come on top */
};

/* After that long one that was left behind has ended: three servers, asked twice, 5 s each; and as much again. */
#define GM_LOOKUP_ENDS (60 * GM_SECOND)

/* So long after the newest that was left behind one more asks, alone: at most 12 of a name at a time. */
#define GM_LOOKUP_PROBE (5 * GM_SECOND)

/* Zero-initialised. */
struct gm_lookups {
	struct {
		uint64_t name;
		int64_t at; /* monotonic; 0: none */
	} left[GM_LOOKUPS_KEPT];
	size_t next;
};

/* What names the host of a URL, by which look-ups are told apart; 0: an address, which is not looked up. */
uint64_t gm_lookup_name(const char *url);

/*
 * Whether a look-up may begin while `waiting` of that name are under way. Where none of that name was left behind
 * it always may.
 */
bool gm_lookups_may_begin(const struct gm_lookups *lookups, uint64_t name, size_t waiting,
			  int64_t monotonic);

/* One was left behind. */
void gm_lookups_leave(struct gm_lookups *lookups, uint64_t name, int64_t monotonic);

/* One was answered: those that were left behind get their answer, too, and no longer count. */
void gm_lookups_forget(struct gm_lookups *lookups, uint64_t name);

#endif

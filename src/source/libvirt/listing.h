/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is active and in which state, kept from one tick to the next: for a driver that tells its lifecycle by
 * events. A whole list costs libvirt and us more than all else that is asked for ten times a second, and is
 * nearly always the one of before: so what is asked each time is the ids alone, which is a row of numbers. A
 * start makes another id, what changes a state is told by an event; a whole list follows on either, and
 * once a second in any case.
 *
 * It belongs to one connection and holds references of it: cleared before that is closed. One thread.
 */
#ifndef GM_SOURCE_LIBVIRT_LISTING_H
#define GM_SOURCE_LIBVIRT_LISTING_H

#include "source/libvirt/records.h"

struct gm_lv_listing {
	size_t count;
	struct gm_lv_listed {
		virDomainPtr domain;
		uint8_t uuid[GM_UUID_SIZE];
		int id;
		int state; /* -1: has to be asked for */
	} * guests;        /* by id */
	int *ids;          /* room for one more than there are guests */
	int64_t listed_at; /* monotonic */
	bool stale;        /* an event has told something since */
};

/* 1: it holds still; 0: it is to be made anew; or a negative errno: libvirt does not answer. */
int gm_lv_listing_check(struct gm_lv_listing *listing, virConnectPtr conn, struct gm_error *err);

/* Makes it anew by asking. 0 or a negative errno: then there is none. */
int gm_lv_listing_ask(struct gm_lv_listing *listing, virConnectPtr conn, struct gm_error *err);

/* Makes it anew of what has been read of all guests; without memory there is none. */
void gm_lv_listing_learn(struct gm_lv_listing *listing, const struct gm_lv_record_list *list);

void gm_lv_listing_clear(struct gm_lv_listing *listing);

#endif

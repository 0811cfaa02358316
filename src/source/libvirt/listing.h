/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is active, for a driver that has not the bulk call and tells its lifecycle by events. Such a list costs
 * libvirt and us more than all else that is asked for ten times a second, and is nearly always the one of
 * before: so what is asked each time is the ids alone, which is a row of numbers. A start makes another
 * id, and what changes a state is told by an event; a whole list follows on either, and once a second in any
 * case.
 *
 * It belongs to one connection and holds references of it: cleared before that is closed. One thread.
 */
#ifndef GM_SOURCE_LIBVIRT_LISTING_H
#define GM_SOURCE_LIBVIRT_LISTING_H

#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "base/error.h"
#include "model/entity.h"

struct gm_lv_listing {
	size_t count;
	struct gm_lv_listed {
		virDomainPtr domain;
		uint8_t uuid[GM_UUID_SIZE];
		int id;
		bool running; /* when the whole list was read; else it has to be asked for its state */
	} * guests;           /* by id */
	int *ids;             /* room for one more than there are guests */
	int64_t listed_at;    /* monotonic */
	bool stale;           /* an event has told something since */
};

/* Makes sure of it. 0 or a negative errno: then there is none, and the next time begins anew. */
int gm_lv_listing_update(struct gm_lv_listing *listing, virConnectPtr conn, struct gm_error *err);

void gm_lv_listing_clear(struct gm_lv_listing *listing);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libvirt's events on their way from the event thread (connection.h) to the source's own.
 *
 * A mailbox outlives its connection's callbacks: each callback holds a reference that libvirt gives
 * back when it will not call again, which may be after the source has ended.
 */
#ifndef GM_SOURCE_LIBVIRT_EVENTS_H
#define GM_SOURCE_LIBVIRT_EVENTS_H

#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "model/event.h"

struct gm_lv_mailbox;

/* What a callback told. Plain value. */
struct gm_lv_news {
	uint8_t uuid[GM_UUID_SIZE];
	bool changed; /* what is known of the guest must be read again */
	bool tell;    /* `kind` holds and is to be told */
	bool ended;   /* it runs here no more */
	enum gm_guest_event_kind kind;
	int64_t time;    /* when it arrived, the node's time */
	char detail[64]; /* see struct gm_guest_event */
};

/* 0 or -ENOMEM. The caller holds one reference. */
int gm_lv_mailbox_create(struct gm_lv_mailbox **ret_mailbox);
void gm_lv_mailbox_release(struct gm_lv_mailbox *mailbox); /* NULL-safe; any thread */

/*
 * Registers for everything that the driver offers on `conn`. True when at least the lifecycle is
 * told, so that the list of guests need not be compared.
 */
bool gm_lv_mailbox_watch(struct gm_lv_mailbox *mailbox, virConnectPtr conn);

/* Ends what gm_lv_mailbox_watch() began; before the connection is closed. */
void gm_lv_mailbox_unwatch(struct gm_lv_mailbox *mailbox, virConnectPtr conn);

/* The oldest news, or false. */
bool gm_lv_mailbox_take(struct gm_lv_mailbox *mailbox, struct gm_lv_news *ret_news);

/* True once when news were lost since the last call: everything must be read again. */
bool gm_lv_mailbox_overflowed(struct gm_lv_mailbox *mailbox);

/* True when libvirt has told that the watched connection is closed. */
bool gm_lv_mailbox_closed(struct gm_lv_mailbox *mailbox);

/* What a lifecycle event means. False: nothing worth telling. Pure. */
bool gm_lv_lifecycle_kind(int event, int detail, enum gm_guest_event_kind *ret_kind);

#endif

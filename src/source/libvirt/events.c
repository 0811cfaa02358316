/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libvirt's event callbacks; see events.h. They only note what happened: they run on the event
 * thread, on which no call to libvirt may wait for an answer. Called by the fast lane.
 */
#include "source/libvirt/events.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/queue.h"

enum { MAILBOX_CAPACITY = 4096, WATCH_COUNT = 6 };

struct gm_lv_mailbox {
	atomic_uint references;
	atomic_bool closed;
	struct gm_queue *queue; /* struct gm_lv_news */
	uint64_t lost;          /* as of the last look; the source's thread */
	bool close_watched;
	int ids[WATCH_COUNT]; /* libvirt's, -1: not registered */
};

int gm_lv_mailbox_create(struct gm_lv_mailbox **ret_mailbox)
{
	struct gm_lv_mailbox *mailbox = calloc(1, sizeof(*mailbox));

	if (!mailbox)
		return -ENOMEM;
	int rc = gm_queue_create(
		&(struct gm_queue_options){.capacity = MAILBOX_CAPACITY, .free_item = free},
		&mailbox->queue);
	if (rc < 0) {
		free(mailbox);
		return rc;
	}
	atomic_init(&mailbox->references, 1);
	for (size_t i = 0; i < WATCH_COUNT; i++)
		mailbox->ids[i] = -1;
	*ret_mailbox = mailbox;
	return 0;
}

void gm_lv_mailbox_release(struct gm_lv_mailbox *mailbox)
{
	if (!mailbox || atomic_fetch_sub(&mailbox->references, 1) != 1)
		return;
	gm_queue_free(mailbox->queue);
	free(mailbox);
}

/* libvirt's "free callback". */
static void release(void *user)
{
	gm_lv_mailbox_release(user);
}

static void post(struct gm_lv_mailbox *mailbox, virDomainPtr domain, const struct gm_lv_news *news)
{
	struct gm_lv_news *item = malloc(sizeof(*item));

	if (!item)
		return;
	*item = *news;
	item->time = gm_clock_now();
	if (virDomainGetUUID(domain, item->uuid) < 0)
		free(item);
	else
		gm_queue_push(mailbox->queue, item);
}

struct meaning {
	int event, detail; /* detail -1: any */
	enum gm_guest_event_kind kind;
};

/* The first line that fits decides. */
static const struct meaning meanings[] = {
	{VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_MIGRATED, GM_GUEST_MIGRATED},
	{VIR_DOMAIN_EVENT_STARTED, -1, GM_GUEST_STARTED},
	{VIR_DOMAIN_EVENT_SUSPENDED, -1, GM_GUEST_SUSPENDED},
	{VIR_DOMAIN_EVENT_PMSUSPENDED, -1, GM_GUEST_SUSPENDED},
	{VIR_DOMAIN_EVENT_RESUMED, -1, GM_GUEST_RESUMED},
	{VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_CRASHED, GM_GUEST_CRASHED},
	/* The hypervisor's process died. */
	{VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_FAILED, GM_GUEST_CRASHED},
	{VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_MIGRATED, GM_GUEST_MIGRATED},
	{VIR_DOMAIN_EVENT_STOPPED, -1, GM_GUEST_STOPPED},
	{VIR_DOMAIN_EVENT_CRASHED, -1, GM_GUEST_CRASHED},
};

bool gm_lv_lifecycle_kind(int event, int detail, enum gm_guest_event_kind *ret_kind)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (meanings[i].event == event &&
		    (meanings[i].detail == -1 || meanings[i].detail == detail)) {
			*ret_kind = meanings[i].kind;
			return true;
		}
	}
	return false;
}

static int on_lifecycle(virConnectPtr conn, virDomainPtr domain, int event, int detail, void *user)
{
	struct gm_lv_news news = {.changed = true};

	(void)conn;
	news.tell = gm_lv_lifecycle_kind(event, detail, &news.kind);
	post(user, domain, &news);
	return 0;
}

static void on_reboot(virConnectPtr conn, virDomainPtr domain, void *user)
{
	(void)conn;
	post(user, domain, &(struct gm_lv_news){.tell = true, .kind = GM_GUEST_REBOOTED});
}

static void on_balloon(virConnectPtr conn, virDomainPtr domain, unsigned long long actual,
		       void *user)
{
	(void)conn;
	(void)actual;
	post(user, domain, &(struct gm_lv_news){.tell = true, .kind = GM_GUEST_BALLOON});
}

static void on_device_added(virConnectPtr conn, virDomainPtr domain, const char *alias, void *user)
{
	(void)conn;
	(void)alias;
	post(user, domain,
	     &(struct gm_lv_news){.changed = true, .tell = true, .kind = GM_GUEST_DEVICE_ADDED});
}

static void on_device_removed(virConnectPtr conn, virDomainPtr domain, const char *alias,
			      void *user)
{
	(void)conn;
	(void)alias;
	post(user, domain,
	     &(struct gm_lv_news){.changed = true, .tell = true, .kind = GM_GUEST_DEVICE_REMOVED});
}

static void on_metadata(virConnectPtr conn, virDomainPtr domain, int type, const char *uri,
			void *user)
{
	(void)conn;
	(void)type;
	(void)uri;
	post(user, domain, &(struct gm_lv_news){.changed = true});
}

static void on_close(virConnectPtr conn, int reason, void *user)
{
	struct gm_lv_mailbox *mailbox = user;

	(void)conn;
	(void)reason;
	atomic_store(&mailbox->closed, true);
}

/* The lifecycle is the first: gm_lv_mailbox_watch() answers for it. */
static const struct {
	int id;
	virConnectDomainEventGenericCallback callback;
} watches[WATCH_COUNT] = {
	{VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle)},
	{VIR_DOMAIN_EVENT_ID_REBOOT, on_reboot},
	{VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_balloon)},
	{VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_CALLBACK(on_device_added)},
	{VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_device_removed)},
	{VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_metadata)},
};

bool gm_lv_mailbox_watch(struct gm_lv_mailbox *mailbox, virConnectPtr conn)
{
	atomic_store(&mailbox->closed, false);
	for (size_t i = 0; i < WATCH_COUNT; i++) {
		atomic_fetch_add(&mailbox->references, 1);
		mailbox->ids[i] = virConnectDomainEventRegisterAny(
			conn, NULL, watches[i].id, watches[i].callback, mailbox, release);
		if (mailbox->ids[i] < 0) /* then libvirt does not call release() */
			atomic_fetch_sub(&mailbox->references, 1);
	}
	/*
	 * Without a reference: a driver that never closes by itself takes the callback, reports
	 * success and never gives a reference back; and unregistering waits for a callback that
	 * runs.
	 */
	mailbox->close_watched =
		virConnectRegisterCloseCallback(conn, on_close, mailbox, NULL) == 0;
	return mailbox->ids[0] >= 0;
}

void gm_lv_mailbox_unwatch(struct gm_lv_mailbox *mailbox, virConnectPtr conn)
{
	for (size_t i = 0; i < WATCH_COUNT; i++) {
		if (mailbox->ids[i] >= 0)
			virConnectDomainEventDeregisterAny(conn, mailbox->ids[i]);
		mailbox->ids[i] = -1;
	}
	if (mailbox->close_watched)
		virConnectUnregisterCloseCallback(conn, on_close);
	mailbox->close_watched = false;
}

bool gm_lv_mailbox_take(struct gm_lv_mailbox *mailbox, struct gm_lv_news *ret_news)
{
	struct gm_lv_news *item = gm_queue_pop(mailbox->queue);

	if (!item)
		return false;
	*ret_news = *item;
	free(item);
	return true;
}

bool gm_lv_mailbox_overflowed(struct gm_lv_mailbox *mailbox)
{
	uint64_t lost = gm_queue_dropped(mailbox->queue);
	bool more = lost != mailbox->lost;

	mailbox->lost = lost;
	return more;
}

bool gm_lv_mailbox_closed(struct gm_lv_mailbox *mailbox)
{
	return atomic_load(&mailbox->closed);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libvirt's event callbacks; see events.h. They only note what happened: they run on the event
 * thread, on which no call to libvirt may wait for an answer. Called by the fast lane.
 */
#include "source/libvirt/events.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/queue.h"
#include "base/text.h"
#include "source/libvirt/arrivals.h"

enum { MAILBOX_CAPACITY = 4096, WATCH_COUNT = 12 };

struct gm_lv_mailbox {
	atomic_uint references;
	atomic_bool closed;
	struct gm_queue *queue; /* struct gm_lv_news */
	uint64_t lost;          /* as of the last look; the source's thread */
	pthread_mutex_t lock;   /* guards the two below */
	virConnectPtr watched;
	struct gm_lv_arrivals arrivals; /* as that connection has told */
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
	if (rc == 0) {
		rc = -pthread_mutex_init(&mailbox->lock, NULL);
		if (rc < 0)
			gm_queue_free(mailbox->queue);
	}
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
	pthread_mutex_destroy(&mailbox->lock);
	gm_queue_free(mailbox->queue);
	free(mailbox);
}

/* libvirt's "free callback". */
static void release(void *user)
{
	gm_lv_mailbox_release(user);
}

/* Whether it is a guest that a migration has yet to bring. */
static bool is_awaited(struct gm_lv_mailbox *mailbox, virDomainPtr domain)
{
	uint8_t uuid[GM_UUID_SIZE];

	if (virDomainGetUUID(domain, uuid) < 0)
		return false;
	pthread_mutex_lock(&mailbox->lock);
	bool awaited = gm_lv_arrivals_awaits(&mailbox->arrivals, uuid);
	pthread_mutex_unlock(&mailbox->lock);
	return awaited;
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
	/*
	 * The target: STARTED_MIGRATED is when its hypervisor begins to receive it, this when it has
	 * arrived (with all its memory, or with some of it to come). Also the source, where a migration
	 * is given up: arrivals.c.
	 */
	{VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_MIGRATED, GM_GUEST_MIGRATED},
	{VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_POSTCOPY, GM_GUEST_MIGRATED},
	{VIR_DOMAIN_EVENT_RESUMED, -1, GM_GUEST_RESUMED},
	{VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_CRASHED, GM_GUEST_CRASHED},
	/* The hypervisor's process died. */
	{VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_FAILED, GM_GUEST_CRASHED},
	{VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_MIGRATED, GM_GUEST_MIGRATED},
	{VIR_DOMAIN_EVENT_STOPPED, -1, GM_GUEST_STOPPED},
	{VIR_DOMAIN_EVENT_UNDEFINED, VIR_DOMAIN_EVENT_UNDEFINED_REMOVED, GM_GUEST_UNDEFINED},
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

/* What an earlier connection tells late is judged by itself: how it went on was not heard. */
static bool judge(struct gm_lv_mailbox *mailbox, virConnectPtr conn, const uint8_t *uuid, int event,
		  int detail, enum gm_guest_event_kind *ret_kind)
{
	pthread_mutex_lock(&mailbox->lock);
	bool tell = conn == mailbox->watched ? gm_lv_arrivals_judge(&mailbox->arrivals, uuid, event,
								    detail, ret_kind)
					     : gm_lv_lifecycle_kind(event, detail, ret_kind);
	pthread_mutex_unlock(&mailbox->lock);
	return tell;
}

static int on_lifecycle(virConnectPtr conn, virDomainPtr domain, int event, int detail, void *user)
{
	struct gm_lv_news news = {.changed = true};
	struct gm_lv_mailbox *mailbox = user;
	uint8_t uuid[GM_UUID_SIZE];

	if (virDomainGetUUID(domain, uuid) < 0)
		return 0;
	news.tell = judge(mailbox, conn, uuid, event, detail, &news.kind);
	news.ended = event == VIR_DOMAIN_EVENT_STOPPED || event == VIR_DOMAIN_EVENT_CRASHED;
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
	struct gm_lv_news news = {.changed = true, .tell = true, .kind = GM_GUEST_DEVICE_ADDED};

	(void)conn;
	gm_text_copy(news.detail, sizeof(news.detail), alias);
	post(user, domain, &news);
}

static void on_device_removed(virConnectPtr conn, virDomainPtr domain, const char *alias,
			      void *user)
{
	struct gm_lv_news news = {.changed = true, .tell = true, .kind = GM_GUEST_DEVICE_REMOVED};

	(void)conn;
	gm_text_copy(news.detail, sizeof(news.detail), alias);
	post(user, domain, &news);
}

/* The word at `place` of a list, for what later versions of libvirt may add: its number. */
static void add_word(struct gm_lv_news *news, const char *const words[], int count, int place)
{
	size_t length = strlen(news->detail);
	const char *blank = length > 0 ? " " : "";

	if (place >= 0 && place < count)
		snprintf(news->detail + length, sizeof(news->detail) - length, "%s%s", blank,
			 words[place]);
	else
		snprintf(news->detail + length, sizeof(news->detail) - length, "%s%d", blank,
			 place);
}

/* virDomainEventWatchdogAction */
static void on_watchdog(virConnectPtr conn, virDomainPtr domain, int action, void *user)
{
	static const char *const words[] = {"none",     "pause", "reset",     "poweroff",
					    "shutdown", "debug", "inject-nmi"};
	struct gm_lv_news news = {.tell = true, .kind = GM_GUEST_WATCHDOG};

	(void)conn;
	add_word(&news, words, (int)(sizeof(words) / sizeof(words[0])), action);
	post(user, domain, &news);
}

/* virDomainEventIOErrorAction; `reason` is "enospc" or empty. */
static void on_io_error(virConnectPtr conn, virDomainPtr domain, const char *path,
			const char *alias, int action, const char *reason, void *user)
{
	static const char *const words[] = {"none", "pause", "report"};
	struct gm_lv_news news = {.tell = true, .kind = GM_GUEST_IO_ERROR};

	(void)conn;
	(void)path;
	snprintf(news.detail, sizeof(news.detail), "%.32s %.16s", alias ? alias : "?",
		 reason ? reason : "");
	add_word(&news, words, (int)(sizeof(words) / sizeof(words[0])), action);
	post(user, domain, &news);
}

static void on_control_error(virConnectPtr conn, virDomainPtr domain, void *user)
{
	(void)conn;
	if (!is_awaited(user, domain)) /* else the migration is given up */
		post(user, domain,
		     &(struct gm_lv_news){.tell = true, .kind = GM_GUEST_CONTROL_ERROR});
}

/* One per pass over the guest's memory: the first is the beginning. */
static void on_migration_pass(virConnectPtr conn, virDomainPtr domain, int pass, void *user)
{
	(void)conn;
	if (pass == 1)
		post(user, domain, &(struct gm_lv_news){.tell = true, .kind = GM_GUEST_MIGRATING});
}

static void on_agent(virConnectPtr conn, virDomainPtr domain, int state, int reason, void *user)
{
	struct gm_lv_news news = {.tell = true, .kind = GM_GUEST_AGENT_DOWN};

	(void)conn;
	(void)reason;
	if (state == VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED)
		news.kind = GM_GUEST_AGENT_UP;
	post(user, domain, &news);
}

/* virDomainEventMemoryFailureActionType */
static void on_memory_failure(virConnectPtr conn, virDomainPtr domain, int recipient, int action,
			      unsigned flags, void *user)
{
	static const char *const words[] = {"ignored", "injected", "fatal", "reset"};
	struct gm_lv_news news = {.tell = true, .kind = GM_GUEST_MEMORY_FAILURE};

	(void)conn;
	(void)flags;
	if (recipient == VIR_DOMAIN_EVENT_MEMORY_FAILURE_RECIPIENT_HYPERVISOR)
		gm_text_copy(news.detail, sizeof(news.detail), "hypervisor");
	add_word(&news, words, (int)(sizeof(words) / sizeof(words[0])), action);
	post(user, domain, &news);
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
	{VIR_DOMAIN_EVENT_ID_WATCHDOG, VIR_DOMAIN_EVENT_CALLBACK(on_watchdog)},
	{VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON, VIR_DOMAIN_EVENT_CALLBACK(on_io_error)},
	{VIR_DOMAIN_EVENT_ID_CONTROL_ERROR, on_control_error},
	{VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION, VIR_DOMAIN_EVENT_CALLBACK(on_migration_pass)},
	{VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_agent)},
	{VIR_DOMAIN_EVENT_ID_MEMORY_FAILURE, VIR_DOMAIN_EVENT_CALLBACK(on_memory_failure)},
};

bool gm_lv_mailbox_watch(struct gm_lv_mailbox *mailbox, virConnectPtr conn)
{
	atomic_store(&mailbox->closed, false);
	pthread_mutex_lock(&mailbox->lock);
	mailbox->watched = conn;
	mailbox->arrivals = (struct gm_lv_arrivals){0};
	pthread_mutex_unlock(&mailbox->lock);
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
	pthread_mutex_lock(&mailbox->lock);
	mailbox->watched = NULL; /* another one may get its address */
	pthread_mutex_unlock(&mailbox->lock);
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

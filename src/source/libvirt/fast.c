/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fast lane: state and interfaces of all guests in one call a tick, identities and events. It
 * makes no call that goes through a guest's monitor, so a hung guest does not hold it up. Its
 * parts: records.h reads, stats.h converts, guests.h remembers, events.h listens. Run by
 * source/runner.h.
 */
#include <errno.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "source/libvirt/connection.h"
#include "source/libvirt/covered.h"
#include "source/libvirt/details.h"
#include "source/libvirt/events.h"
#include "source/libvirt/guests.h"
#include "source/libvirt/libvirt.h"
#include "source/libvirt/listing.h"
#include "source/libvirt/records.h"
#include "source/libvirt/stats.h"
#include "source/libvirt/uris.h"

enum { GROUPS = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_INTERFACE, HELD_MAX = 256 };

enum { RETOLD_MAX = 256 }; /* entities that others let go between two ticks; more: all */

/* Ticks for which a guest may be missing before the event that says why. */
enum { GONE_PATIENCE = 5 };

#define RETRY_INTERVAL  (5 * GM_SECOND) /* after XML that could not be had or read */
#define CHANGE_INTERVAL GM_SECOND       /* at most, for a device that no event announced */
#define COUNT_INTERVAL  GM_SECOND       /* interfaces in bulk, where taps are sampled */
/* Also where the driver announces what changes: a port's limits it does not. */
#define REFRESH_INTERVAL (60 * GM_SECOND)

struct fast {
	struct gm_source source;
	struct gm_libvirt_options options;
	virConnectPtr conn;
	char hypervisor[32];
	const char *prefix; /* of devices of another host, or NULL */
	struct gm_lv_plan plan;
	struct gm_lv_listing listing;
	struct gm_heard *covered; /* devices that the tap sampler reads */
	bool uncovered;           /* a guest of the last list has others */
	int64_t counted_at;       /* when interfaces were last asked for in bulk */
	size_t single_next;       /* where reading guest by guest goes on */
	struct gm_lv_mailbox *mailbox;
	bool told;       /* the driver tells of lifecycles */
	bool compare;    /* this tick's list is to be compared with the last one's */
	bool introduced; /* the sink knows the hypervisor */
	struct gm_lv_guests guests;
	uint64_t tick;                        /* from 1 */
	struct gm_guest_event held[HELD_MAX]; /* until their guest has been seen */
	size_t held_count;
	struct gm_log_limit xml_limit;

	pthread_mutex_t lock; /* guards the two below: hear() is called on any thread */
	size_t retold_count;  /* more than RETOLD_MAX: some are not in `retold` */
	struct gm_entity_key retold[RETOLD_MAX];
};

/* Of one tick. */
struct tick {
	int64_t now;
	const struct gm_source_sink *sink;
	struct gm_lv_record_list list;
};

/* An event of a guest that the sink has not seen yet is held until it has. */
static void tell_event(struct fast *fast, const struct gm_source_sink *sink,
		       const struct gm_guest_event *event)
{
	const struct gm_lv_guest *guest = gm_lv_guests_find(&fast->guests, event->key.uuid);

	if ((guest && guest->identity) || fast->held_count == HELD_MAX)
		sink->event(sink->user, event);
	else
		fast->held[fast->held_count++] = *event;
}

static void tell(struct fast *fast, const struct gm_source_sink *sink, const uint8_t *uuid,
		 enum gm_guest_event_kind kind, int64_t time)
{
	tell_event(
		fast, sink,
		&(struct gm_guest_event){.key = gm_entity_guest(uuid), .kind = kind, .time = time});
}

static void tell_news(struct fast *fast, const struct gm_source_sink *sink,
		      const struct gm_lv_news *news)
{
	struct gm_guest_event event = {
		.key = gm_entity_guest(news->uuid), .kind = news->kind, .time = news->time};

	struct gm_lv_guest *guest = gm_lv_guests_find(&fast->guests, news->uuid);

	if (guest && (news->kind == GM_GUEST_AGENT_DOWN || news->kind == GM_GUEST_AGENT_UP))
		guest->agent_lost = news->kind == GM_GUEST_AGENT_DOWN;
	memcpy(event.detail, news->detail, sizeof(event.detail));
	tell_event(fast, sink, &event);
}

static void tell_held(struct fast *fast, const struct gm_source_sink *sink)
{
	for (size_t i = 0; i < fast->held_count; i++)
		sink->event(sink->user, &fast->held[i]);
	fast->held_count = 0;
}

static void take_news(struct fast *fast, const struct gm_source_sink *sink)
{
	struct gm_lv_news news;

	if (gm_lv_mailbox_overflowed(fast->mailbox))
		gm_lv_guests_set_stale(&fast->guests);
	while (gm_lv_mailbox_take(fast->mailbox, &news)) {
		fast->listing.stale = true;
		struct gm_lv_guest *guest = gm_lv_guests_find(&fast->guests, news.uuid);

		if (guest && news.changed) {
			guest->stale = true;
			guest->retry_at = 0;
		}
		if (guest && news.tell)
			guest->ended = news.ended;
		if (news.tell)
			tell_news(fast, sink, &news);
	}
}

/* What a change of the state amounts to, where no event tells. */
static void compare_state(struct fast *fast, const struct tick *tick,
			  const struct gm_lv_guest *guest, int id, int state)
{
	enum gm_guest_event_kind kind;

	if (guest->tick == 0 || guest->id != id)
		kind = GM_GUEST_STARTED;
	else if (state == VIR_DOMAIN_CRASHED && guest->state != state)
		kind = GM_GUEST_CRASHED;
	else if (state == VIR_DOMAIN_PAUSED && guest->state != state)
		kind = GM_GUEST_SUSPENDED;
	else if (state == VIR_DOMAIN_RUNNING &&
		 (guest->state == VIR_DOMAIN_PAUSED || guest->state == VIR_DOMAIN_CRASHED))
		kind = GM_GUEST_RESUMED;
	else
		return;
	tell(fast, tick->sink, guest->uuid, kind, tick->now);
}

struct lookup {
	const struct gm_lv_guest *guest;
	const char *prefix;
	bool unknown;
};

static void look_up_device(void *user, const char *device)
{
	struct lookup *lookup = user;
	struct gm_entity_key key = gm_lv_interface_key(lookup->prefix, device);
	const struct gm_lv_identity *identity = lookup->guest->identity;

	for (size_t i = 0; i < identity->device_count; i++) {
		if (gm_entity_equal(&identity->devices[i].key, &key))
			return;
	}
	lookup->unknown = true;
}

/* True when the record speaks of an interface that the identity does not know. */
static bool has_unknown_device(const struct gm_lv_guest *guest, const struct gm_lv_record *record)
{
	struct lookup lookup = {.guest = guest, .prefix = record->prefix};

	if (guest->identity)
		gm_lv_stats_devices(record, look_up_device, &lookup);
	return lookup.unknown;
}

static struct gm_lv_record record_of(const struct fast *fast, const struct gm_lv_item *item)
{
	return (struct gm_lv_record){.uuid = item->uuid,
				     .prefix = fast->prefix,
				     .params = item->params,
				     .count = (size_t)item->param_count,
				     .took = item->took,
				     .read_at = item->read_at};
}

static void note_listed(struct fast *fast, const struct tick *tick, const struct gm_lv_item *item)
{
	struct gm_lv_record record = record_of(fast, item);
	struct gm_lv_guest *guest = gm_lv_guests_put(&fast->guests, item->uuid);
	int id = item->id;
	int state = gm_lv_stats_state(&record);

	if (!guest)
		return; /* out of memory: the next tick tries again */
	if (state < 0)
		state = guest->state; /* not read in this tick */
	if (fast->compare)
		compare_state(fast, tick, guest, id, state);
	int64_t age = gm_clock_monotonic() - guest->identified_at;
	if (guest->id != id || age >= REFRESH_INTERVAL ||
	    (age >= CHANGE_INTERVAL && has_unknown_device(guest, &record)))
		guest->stale = true;
	/* Started anew unseen: what it has may have been let go meanwhile, and be there as nobody's. */
	guest->untold |= guest->id != id && guest->identity;
	guest->id = id;
	guest->ended = false;
	guest->state = state;
	guest->tick = fast->tick;
	fast->uncovered |= !gm_lv_covered_guest(fast->covered, guest);
}

/* Reads the guest's XML. 0; -ENOENT when it went away; another negative errno with `err`. */
static int read_identity(struct fast *fast, virDomainPtr domain,
			 struct gm_lv_identity **ret_identity, struct gm_error *err)
{
	char *xml = virDomainGetXMLDesc(domain, 0);

	if (!xml && virGetLastErrorCode() == VIR_ERR_NO_DOMAIN)
		return -ENOENT;
	if (!xml)
		return gm_lv_error(err, -EIO, "libvirt does not give its XML");
	int rc = gm_lv_identity_parse(xml, fast->hypervisor, ret_identity, err);
	free(xml);
	if (rc == 0) {
		gm_lv_identity_prefix(*ret_identity, fast->prefix);
		gm_lv_details_flags(domain, &(*ret_identity)->guest.guest);
	}
	return rc;
}

/* An agent that was lost, and is back without an event that was heard. */
static void compare_agent(struct fast *fast, struct gm_lv_guest *guest, const struct tick *tick)
{
	if (!guest->agent_lost || !guest->next->agent_up)
		return;
	guest->agent_lost = false;
	tell(fast, tick->sink, guest->uuid, GM_GUEST_AGENT_UP, tick->now);
}

static void identify(struct fast *fast, struct gm_lv_guest *guest, virDomainPtr domain,
		     const struct tick *tick)
{
	struct gm_error err = {.text = ""};
	int64_t now = gm_clock_monotonic();
	int rc = read_identity(fast, domain, &guest->next, &err);

	guest->identified_at = now;
	if (rc == -ENOENT)
		return;
	guest->stale = rc < 0;
	if (rc == 0) {
		compare_agent(fast, guest, tick);
		return;
	}
	guest->retry_at = now + RETRY_INTERVAL;
	if (!guest->identity)
		guest->next = gm_lv_identity_bare(guest->uuid, virDomainGetName(domain),
						  fast->hypervisor);
	if (gm_log_allowed(&fast->xml_limit, now, 60 * GM_SECOND, NULL)) {
		char text[GM_UUID_TEXT];

		gm_log(GM_LOG_WARNING, "guest %s: %s", gm_uuid_text(guest->uuid, text), err.text);
	}
}

/*
 * Reads identities that are new or stale for at most half an interval (but always one), so that a
 * node full of guests costs the cadence nothing when the daemon starts; the rest follow tick by
 * tick.
 */
static void identify_stale(struct fast *fast, const struct tick *tick)
{
	int64_t now = gm_clock_monotonic(), end = now + fast->options.interval / 2;

	for (size_t i = 0; i < tick->list.count; i++) {
		const struct gm_lv_item *item = &tick->list.items[i];
		struct gm_lv_guest *guest = gm_lv_guests_find(&fast->guests, item->uuid);

		if (!guest || !guest->stale || guest->retry_at > now)
			continue;
		identify(fast, guest, item->domain, tick);
		if (gm_clock_monotonic() >= end)
			break;
	}
}

static void tell_missing(struct fast *fast, const struct tick *tick)
{
	for (const struct gm_lv_guest *guest = fast->guests.table; guest; guest = guest->hh.next) {
		if (guest->tick != fast->tick && guest->identity && !guest->ended)
			tell(fast, tick->sink, guest->uuid, GM_GUEST_STOPPED, tick->now);
	}
}

/* A guest whose identity is not known yet is not measured yet either. */
static uint32_t fill_batch(struct fast *fast, const struct tick *tick, struct gm_batch *batch)
{
	uint32_t entities = 0;

	batch->source = (uint8_t)fast->source.ops->id;
	for (size_t i = 0; i < tick->list.count; i++) {
		struct gm_lv_record record = record_of(fast, &tick->list.items[i]);
		struct gm_lv_guest *guest = gm_lv_guests_find(&fast->guests, record.uuid);

		if (!guest || !guest->identity)
			continue;
		record.uncounted =
			gm_lv_stats_counts(&record) &&
			!gm_lv_dating_take(&guest->dating, gm_lv_stats_measured_at(&record),
					   record.took, fast->options.interval);
		gm_lv_stats_fast(&record, batch);
		entities++;
	}
	return entities;
}

static void each_interface(void *user, const uint8_t uuid[GM_UUID_SIZE],
			   void (*visit)(void *visitor, const char *device), void *visitor)
{
	struct fast *fast = user;
	struct gm_lv_guest *guest = gm_lv_guests_find(&fast->guests, uuid);

	if (!guest || gm_lv_covered_guest(fast->covered, guest))
		return;
	for (size_t i = 0; guest->identity && i < guest->identity->device_count; i++) {
		const struct gm_entity_key *key = &guest->identity->devices[i].key;

		if (key->kind == GM_ENTITY_INTERFACE)
			visit(visitor, gm_lv_interface_device(key));
	}
}

/*
 * The tap sampler reads the same counters, more often and for less: where it has all of them, libvirt is
 * asked only so often that a device is noticed which no event has announced.
 */
static struct gm_lv_plan plan_tick(struct fast *fast)
{
	struct gm_lv_plan plan = fast->plan;
	int64_t now = gm_clock_monotonic();

	if (fast->uncovered || now - fast->counted_at >= COUNT_INTERVAL)
		fast->counted_at = now;
	else
		plan.bulk &= ~(unsigned)VIR_DOMAIN_STATS_INTERFACE;
	return plan;
}

static int read_tick(struct fast *fast, struct tick *tick, struct gm_error *err)
{
	struct gm_lv_scope scope = {.each = each_interface,
				    .user = fast,
				    .budget = fast->options.interval / 2,
				    .next = &fast->single_next,
				    .listing = &fast->listing};

	if (gm_lv_mailbox_closed(fast->mailbox))
		return gm_error_set(err, -ENOTCONN, "libvirt closed the connection");
	fast->listing.stale |= !fast->told;
	struct gm_lv_plan plan = plan_tick(fast);
	/* Where all is read in bulk each time, to keep a listing would be in vain. */
	if (fast->uncovered && plan.bulk) {
		scope.listing = NULL;
		fast->listing.stale = true;
	}
	return gm_lv_records_read(fast->conn, &plan, &scope, &tick->list, err);
}

/* A device has its kernel's index from the tap sampler, and from nobody else. */
static void hear_device(struct fast *fast, const struct gm_entity_info *info, bool here)
{
	if (here && info->interface.if_index != 0 && fast->options.tapped)
		gm_heard_put(fast->covered, &info->key, NULL);
	else
		gm_heard_drop(fast->covered, &info->key);
}

/*
 * A guest that another connection has told of and let go is ours to tell, if it is here; and so is the guest that
 * has a device which the tap sampler has let go: that may be there again, as nobody's.
 */
static void fast_hear(struct gm_source *source, const struct gm_entity_info *info, bool here)
{
	struct fast *fast = (struct fast *)source;

	if (info->key.kind == GM_ENTITY_INTERFACE)
		hear_device(fast, info, here);
	if (here || (info->key.kind != GM_ENTITY_GUEST && info->key.kind != GM_ENTITY_INTERFACE))
		return;
	pthread_mutex_lock(&fast->lock);
	if (fast->retold_count < RETOLD_MAX)
		fast->retold[fast->retold_count] = info->key;
	if (fast->retold_count <= RETOLD_MAX)
		fast->retold_count++;
	pthread_mutex_unlock(&fast->lock);
}

static void set_untold(struct gm_lv_guest *guest)
{
	if (!guest || !guest->identity)
		return;
	guest->untold = guest->stale = true;
	guest->retry_at = 0;
}

static void take_retold(struct fast *fast)
{
	pthread_mutex_lock(&fast->lock);
	for (size_t i = 0; i < fast->retold_count && i < RETOLD_MAX; i++)
		set_untold(gm_lv_guests_owner(&fast->guests, &fast->retold[i]));
	if (fast->retold_count > RETOLD_MAX) {
		for (struct gm_lv_guest *guest = fast->guests.table; guest; guest = guest->hh.next)
			set_untold(guest);
	}
	fast->retold_count = 0;
	pthread_mutex_unlock(&fast->lock);
}

static void introduce(struct fast *fast, const struct gm_source_sink *sink)
{
	if (fast->introduced || fast->prefix) /* another host's is not ours */
		return;
	struct gm_entity_info hypervisor = gm_lv_hypervisor(fast->conn);
	sink->seen(sink->user, fast->source.ops->id, &hypervisor);
	fast->introduced = true;
}

static int fast_poll(struct gm_source *source, int64_t now, const struct gm_source_sink *sink,
		     uint32_t *ret_entities, struct gm_error *err)
{
	struct fast *fast = (struct fast *)source;
	struct tick tick = {.now = now, .sink = sink};

	take_news(fast, sink);
	take_retold(fast);
	int rc = read_tick(fast, &tick, err);
	if (rc < 0) {
		tell_held(fast, sink);
		return rc;
	}
	struct gm_batch *batch = gm_batch_create();
	if (!batch) {
		rc = gm_error_set(err, -ENOMEM, "out of memory");
		goto cleanup;
	}
	introduce(fast, sink);
	fast->tick++;
	fast->uncovered = false;
	for (size_t i = 0; i < tick.list.count; i++)
		note_listed(fast, &tick, &tick.list.items[i]);
	identify_stale(fast, &tick);
	if (fast->compare)
		tell_missing(fast, &tick);
	gm_lv_guests_settle(&fast->guests, fast->tick, fast->compare ? 0 : GONE_PATIENCE, now,
			    sink);
	fast->compare = !fast->told;
	tell_held(fast, sink);
	*ret_entities = fill_batch(fast, &tick, batch);
	sink->samples(sink->user, batch);
cleanup:
	gm_lv_records_free(&tick.list);
	return rc;
}

static void fast_close(struct gm_source *source)
{
	struct fast *fast = (struct fast *)source;

	gm_lv_listing_clear(&fast->listing);
	gm_lv_mailbox_unwatch(fast->mailbox, fast->conn);
	virConnectClose(fast->conn);
	fast->conn = NULL;
}

/* Guests are kept: they live on while libvirtd is restarted. What changed meanwhile is compared. */
static int fast_open(struct gm_source *source, struct gm_error *err)
{
	struct fast *fast = (struct fast *)source;
	int rc = gm_lv_connect(fast->options.uri, true, &fast->conn, err);

	if (rc < 0)
		return rc;
	const char *type = virConnectGetType(fast->conn);
	gm_text_copy(fast->hypervisor, sizeof(fast->hypervisor), type);
	/* Before the first list, so that nothing happens between the two unnoticed. */
	fast->told = gm_lv_mailbox_watch(fast->mailbox, fast->conn);
	rc = gm_lv_plan_make(fast->conn, GROUPS, &fast->plan, err);
	if (rc < 0) {
		fast_close(source);
		return rc;
	}
	gm_lv_guests_set_stale(&fast->guests);
	fast->compare = fast->tick > 0;
	fast->introduced = false;
	fast->uncovered = true;
	return 0;
}

static void fast_destroy(struct gm_source *source)
{
	struct fast *fast = (struct fast *)source;

	gm_lv_guests_free(&fast->guests);
	gm_lv_mailbox_release(fast->mailbox);
	gm_heard_free(fast->covered);
	pthread_mutex_destroy(&fast->lock);
	free(fast);
}

#define FAST_LANE(source_id)                                                                \
	{                                                                                   \
		.id = source_id, .open = fast_open, .poll = fast_poll, .close = fast_close, \
		.destroy = fast_destroy, .hear = fast_hear                                  \
	}

static const struct gm_source_ops fast_ops[GM_LIBVIRT_URIS] = {
	FAST_LANE(GM_SOURCE_LIBVIRT), FAST_LANE(GM_SOURCE_LIBVIRT_2),
	FAST_LANE(GM_SOURCE_LIBVIRT_3), FAST_LANE(GM_SOURCE_LIBVIRT_4)};

int gm_libvirt_create(const struct gm_libvirt_options *options, unsigned uri,
		      struct gm_source **ret_source)
{
	struct fast *fast = calloc(1, sizeof(*fast));

	if (!fast)
		return -ENOMEM;
	int rc = -pthread_mutex_init(&fast->lock, NULL);
	if (rc < 0) {
		free(fast);
		return rc;
	}
	rc = gm_heard_create(0, &fast->covered);
	if (rc == 0) {
		rc = gm_lv_mailbox_create(&fast->mailbox);
		if (rc < 0)
			gm_heard_free(fast->covered);
	}
	if (rc < 0) {
		pthread_mutex_destroy(&fast->lock);
		free(fast);
		return rc;
	}
	fast->source.ops = &fast_ops[uri];
	fast->options = *options;
	gm_lv_uris_get(options->uri, uri, fast->options.uri);
	fast->guests.source = fast->source.ops->id;
	if (gm_lv_uri_is_remote(fast->options.uri))
		fast->prefix = gm_source_name(fast->source.ops->id);
	*ret_source = &fast->source;
	return 0;
}

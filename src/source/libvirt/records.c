/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the statistics of all guests; see records.h. Called by the fast lane on its own thread
 * and by the slow lane's workers on theirs.
 */
#include "source/libvirt/records.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "source/libvirt/connection.h"
#include "source/libvirt/details.h"
#include "source/libvirt/listing.h"
#include "source/libvirt/single.h"

/* NOWAIT: a guest whose job is held (its monitor hangs) is told of as far as can be without it. */
enum {
	BULK_FLAGS =
		VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
};

/*
 * 1: the driver has the bulk call for all of `groups`; 0: not for all; negative: the call failed.
 */
static int supports(virConnectPtr conn, unsigned groups, struct gm_error *err)
{
	virDomainStatsRecordPtr *records = NULL;

	if (virConnectGetAllDomainStats(
		    conn, groups, &records,
		    BULK_FLAGS | VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS) >= 0) {
		virDomainStatsRecordListFree(records);
		return 1;
	}
	switch (virGetLastErrorCode()) {
	case VIR_ERR_NO_SUPPORT:
	case VIR_ERR_ARGUMENT_UNSUPPORTED:
	case VIR_ERR_CONFIG_UNSUPPORTED:
	case VIR_ERR_OPERATION_UNSUPPORTED:
	case VIR_ERR_INVALID_ARG: /* a flag that this driver does not know */
		return 0;
	default:
		return gm_lv_error(err, -EIO, "libvirt does not list the guests' statistics");
	}
}

int gm_lv_plan_make(virConnectPtr conn, unsigned groups, struct gm_lv_plan *ret_plan,
		    struct gm_error *err)
{
	struct gm_lv_plan plan = {0};
	int rc = supports(conn, groups, err);

	if (rc < 0)
		return rc;
	if (rc > 0)
		plan.bulk = groups;
	for (unsigned bit = 1; plan.bulk != groups && bit != 0 && bit <= groups; bit <<= 1) {
		if (!(groups & bit))
			continue;
		rc = supports(conn, bit, err);
		if (rc < 0)
			return rc;
		if (rc > 0)
			plan.bulk |= bit;
		else
			plan.single |= bit;
	}
	const char *type = virConnectGetType(conn);
	plan.containers = type && strcmp(type, "LXC") == 0;
	*ret_plan = plan;
	return 0;
}

static int make_room(struct gm_lv_record_list *list, int count, struct gm_error *err)
{
	list->items = calloc((size_t)count + 1, sizeof(list->items[0]));
	return list->items ? 0 : gm_error_set(err, -ENOMEM, "out of memory");
}

/* Takes the domain; the list has room for it. */
static void add_domain(struct gm_lv_record_list *list, virDomainPtr domain, bool skipped)
{
	struct gm_lv_item *item = &list->items[list->count];

	if (virDomainGetUUID(domain, item->uuid) < 0) {
		virDomainFree(domain);
		return;
	}
	item->domain = domain;
	item->id = (int)virDomainGetID(domain);
	item->skipped = skipped;
	list->count++;
}

static void date(struct gm_lv_item *item, int64_t began)
{
	item->began = began;
	item->read_at = gm_clock_now();
	item->took = gm_clock_monotonic() - began;
}

/* Adds libvirt's own list, for which it was called at `began`; the list has room for it. */
static void add_bulk(struct gm_lv_record_list *list, int count, int64_t began)
{
	struct gm_lv_item moment;

	date(&moment, began);
	for (int i = 0; i < count; i++) {
		struct gm_lv_item *item = &list->items[list->count];

		item->record = list->bulk[i];
		item->domain = list->bulk[i]->dom;
		item->params = list->bulk[i]->params;
		item->param_count = list->bulk[i]->nparams;
		item->began = moment.began;
		item->took = moment.took;
		item->read_at = moment.read_at;
		item->id = (int)virDomainGetID(item->domain);
		if (virDomainGetUUID(item->domain, item->uuid) == 0)
			list->count++;
	}
}

static int read_bulk(virConnectPtr conn, unsigned groups, struct gm_lv_record_list *list,
		     struct gm_error *err)
{
	int64_t began = gm_clock_monotonic();
	int count = virConnectGetAllDomainStats(conn, groups, &list->bulk, BULK_FLAGS);

	if (count < 0)
		return gm_lv_error(err, -EIO, "libvirt does not list the guests' statistics");
	int rc = make_room(list, count, err);
	if (rc == 0)
		add_bulk(list, count, began);
	return rc;
}

static bool is_skipped(const struct gm_lv_scope *scope, virDomainPtr domain)
{
	uint8_t uuid[GM_UUID_SIZE];

	if (!scope || virDomainGetUUID(domain, uuid) < 0)
		return false;
	for (size_t i = 0; i < scope->skip_count; i++) {
		if (memcmp(scope->skip[i], uuid, GM_UUID_SIZE) == 0)
			return true;
	}
	return false;
}

/* In one call, the domains of `listed` (NULL-terminated) that are to be read. */
static int read_listed(virDomainPtr *listed, unsigned groups, struct gm_lv_record_list *list,
		       struct gm_error *err)
{
	if (!listed[0])
		return 0;
	int64_t began = gm_clock_monotonic();
	int count = virDomainListGetStats(listed, groups, &list->bulk,
					  VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
	if (count < 0)
		return gm_lv_error(err, -EIO, "libvirt does not list the guests' statistics");
	add_bulk(list, count, began);
	return 0;
}

/* All active guests, or the one; NULL-terminated, the caller frees. Negative: a failure. */
static int list_domains(virConnectPtr conn, const struct gm_lv_scope *scope,
			virDomainPtr **ret_domains, struct gm_error *err)
{
	if (!scope || !scope->only) {
		int count = virConnectListAllDomains(conn, ret_domains,
						     VIR_CONNECT_LIST_DOMAINS_ACTIVE);
		return count < 0 ? gm_lv_error(err, -EIO, "libvirt does not list the guests")
				 : count;
	}
	*ret_domains = calloc(2, sizeof(**ret_domains));
	if (!*ret_domains)
		return gm_error_set(err, -ENOMEM, "out of memory");
	(*ret_domains)[0] = virDomainLookupByUUID(conn, scope->only);
	return (*ret_domains)[0] != NULL;
}

/* By a list of domains: what a driver without the bulk call needs, or a bulk call for some. */
static int read_list(virConnectPtr conn, unsigned groups, const struct gm_lv_scope *scope,
		     struct gm_lv_record_list *list, struct gm_error *err)
{
	virDomainPtr *domains = NULL;
	int count = list_domains(conn, scope, &domains, err);
	size_t kept = 0;

	if (count < 0)
		return count;
	int rc = make_room(list, count, err);
	for (int i = 0; i < count; i++) {
		bool skipped = is_skipped(scope, domains[i]);

		if (rc == 0 && (skipped || !groups))
			add_domain(list, domains[i], skipped);
		else
			domains[kept++] = domains[i]; /* to be read in bulk, or freed */
	}
	domains[kept] = NULL;
	if (rc == 0)
		rc = read_listed(domains, groups, list, err);
	for (size_t i = 0; i < kept; i++)
		virDomainFree(domains[i]);
	free(domains);
	return rc;
}

/* How many readings the memory that a container is meant to have is good for: a reader's patience is five. */
enum { TARGET_EVERY = 4 };

static void read_one(struct gm_lv_item *item, size_t place, const struct gm_lv_plan *plan,
		     const struct gm_lv_scope *scope)
{
	enum gm_lv_kind kind = GM_LV_MACHINE;
	unsigned groups = plan->single;
	bool alone = (plan->bulk & ~(unsigned)VIR_DOMAIN_STATS_STATE) == 0;
	int64_t began = alone ? gm_clock_monotonic() : item->began;

	if (plan->containers)
		kind = !scope || (scope->turn + place) % TARGET_EVERY == 0 ? GM_LV_CONTAINER_TARGET
									   : GM_LV_CONTAINER;

	if (item->param_count > 0) /* the listing knew its state */
		groups &= ~(unsigned)VIR_DOMAIN_STATS_STATE;
	gm_lv_single_read(item, groups, kind, scope);
	date(item, began);
	if (item->record) { /* the array may have moved */
		item->record->params = item->params;
		item->record->nparams = item->param_count;
	}
}

/* Adds what the bulk call does not give, guest by guest. */
static void read_single(const struct gm_lv_plan *plan, const struct gm_lv_scope *scope,
			struct gm_lv_record_list *list)
{
	bool bounded = scope && scope->budget > 0;
	size_t first = bounded ? *scope->next : 0;
	int64_t end = gm_clock_monotonic() + (bounded ? scope->budget : 0);

	for (size_t i = 0; i < list->count; i++) {
		struct gm_lv_item *item = &list->items[(first + i) % list->count];

		if (item->skipped)
			continue;
		if (bounded && i > 0 && gm_clock_monotonic() >= end) {
			*scope->next = (first + i) % list->count;
			break;
		}
		read_one(item, (first + i) % list->count, plan, scope);
	}
}

static int take_listing(const struct gm_lv_listing *listing, struct gm_lv_record_list *list,
			struct gm_error *err)
{
	int64_t now = gm_clock_now();
	int rc = make_room(list, (int)listing->count, err);

	for (size_t i = 0; rc == 0 && i < listing->count; i++) {
		const struct gm_lv_listed *listed = &listing->guests[i];
		struct gm_lv_item *item = &list->items[list->count++];

		*item = (struct gm_lv_item){
			.domain = listed->domain, .listed = true, .id = listed->id, .read_at = now};
		memcpy(item->uuid, listed->uuid, GM_UUID_SIZE);
		if (listed->state >= 0)
			gm_lv_single_state(&item->params, &item->param_count, listed->state);
	}
	return rc;
}

/* What the listing knows need not be read. 1: it has been taken from there; 0: not; or a negative errno. */
static int try_listing(virConnectPtr conn, const struct gm_lv_plan *plan,
		       struct gm_lv_listing *listing, struct gm_lv_record_list *list,
		       struct gm_error *err)
{
	if (!listing || (plan->bulk & ~(unsigned)VIR_DOMAIN_STATS_STATE) != 0)
		return 0;
	int rc = gm_lv_listing_check(listing, conn, err);
	if (rc == 0 && plan->bulk == 0) {
		rc = gm_lv_listing_ask(listing, conn, err);
		rc = rc < 0 ? rc : 1;
	}
	if (rc <= 0)
		return rc;
	rc = take_listing(listing, list, err);
	return rc < 0 ? rc : 1;
}

static int read_groups(virConnectPtr conn, const struct gm_lv_plan *plan,
		       const struct gm_lv_scope *scope, struct gm_lv_record_list *list,
		       struct gm_error *err)
{
	struct gm_lv_listing *listing = scope ? scope->listing : NULL;
	bool all = !scope || (scope->skip_count == 0 && !scope->only);
	int rc = try_listing(conn, plan, listing, list, err);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (!plan->bulk || !all)
		return read_list(conn, plan->bulk, scope, list, err);
	rc = read_bulk(conn, plan->bulk, list, err);
	if (rc == 0 && listing)
		gm_lv_listing_learn(listing, list);
	return rc;
}

int gm_lv_records_read(virConnectPtr conn, const struct gm_lv_plan *plan,
		       const struct gm_lv_scope *scope, struct gm_lv_record_list *ret_list,
		       struct gm_error *err)
{
	struct gm_lv_record_list list = {0};
	int rc = read_groups(conn, plan, scope, &list, err);

	if (rc < 0) {
		gm_lv_records_free(&list);
		return rc;
	}
	if (plan->single)
		read_single(plan, scope, &list);
	*ret_list = list;
	return 0;
}

void gm_lv_records_free(struct gm_lv_record_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		gm_lv_pins_free(list->items[i].pins);
		if (list->items[i].record)
			continue; /* goes with `bulk` */
		virTypedParamsFree(list->items[i].params, list->items[i].param_count);
		if (!list->items[i].listed)
			virDomainFree(list->items[i].domain);
	}
	if (list->bulk)
		virDomainStatsRecordListFree(list->bulk);
	free(list->items);
	*list = (struct gm_lv_record_list){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See listing.h. Called by records.c for the fast lane.
 */
#include "source/libvirt/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "source/libvirt/connection.h"
#include "source/libvirt/stats.h"

#define LISTED_ANEW GM_SECOND

enum { IDS_MAX = 16384 }; /* that libvirt's protocol carries */

static int compare_ids(const void *a, const void *b)
{
	int left = *(const int *)a, right = *(const int *)b;

	return (left > right) - (left < right);
}

static int compare_listed(const void *a, const void *b)
{
	return compare_ids(&((const struct gm_lv_listed *)a)->id,
			   &((const struct gm_lv_listed *)b)->id);
}

/* Those of `domains` that run, which it frees with what it points to. */
static void note_running(struct gm_lv_listing *listing, virDomainPtr *domains, int count)
{
	for (int i = 0; i < count; i++) {
		struct gm_lv_listed key = {.id = (int)virDomainGetID(domains[i])};
		struct gm_lv_listed *listed =
			bsearch(&key, listing->guests, listing->count, sizeof(key), compare_listed);

		if (listed)
			listed->state = VIR_DOMAIN_RUNNING;
		virDomainFree(domains[i]);
	}
	free(domains);
}

/* Takes the domains. One without an id has ended meanwhile. */
static void take_domains(struct gm_lv_listing *listing, virDomainPtr *domains, int count)
{
	for (int i = 0; i < count; i++) {
		struct gm_lv_listed *listed = &listing->guests[listing->count];

		*listed = (struct gm_lv_listed){
			.domain = domains[i], .id = (int)virDomainGetID(domains[i]), .state = -1};
		if (listed->id < 0 || virDomainGetUUID(domains[i], listed->uuid) < 0)
			virDomainFree(domains[i]);
		else
			listing->count++;
	}
	qsort(listing->guests, listing->count, sizeof(listing->guests[0]), compare_listed);
}

static int make_room(struct gm_lv_listing *listing, int count, struct gm_error *err)
{
	listing->guests = calloc((size_t)count + 1, sizeof(listing->guests[0]));
	listing->ids = calloc((size_t)count + 1, sizeof(listing->ids[0]));
	return listing->guests && listing->ids ? 0 : gm_error_set(err, -ENOMEM, "out of memory");
}

/* Who runs is had by one more call: a call for each would be most of what such a driver costs. */
int gm_lv_listing_ask(struct gm_lv_listing *listing, virConnectPtr conn, struct gm_error *err)
{
	virDomainPtr *domains = NULL, *running = NULL;

	gm_lv_listing_clear(listing);
	int count = virConnectListAllDomains(conn, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
	if (count < 0)
		return gm_lv_error(err, -EIO, "libvirt does not list the guests");
	int rc = make_room(listing, count, err);
	if (rc == 0)
		take_domains(listing, domains, count);
	for (int i = 0; rc < 0 && i < count; i++)
		virDomainFree(domains[i]);
	free(domains);
	if (rc < 0) {
		gm_lv_listing_clear(listing);
		return rc;
	}
	count = virConnectListAllDomains(
		conn, &running, VIR_CONNECT_LIST_DOMAINS_ACTIVE | VIR_CONNECT_LIST_DOMAINS_RUNNING);
	if (count >= 0)
		note_running(listing, running, count);
	listing->listed_at = gm_clock_monotonic();
	return 0;
}

/* Whether the ids of now are those of the list. Negative: the call failed. */
static int is_same(struct gm_lv_listing *listing, virConnectPtr conn, struct gm_error *err)
{
	int count = virConnectListDomains(conn, listing->ids, (int)listing->count + 1);

	if (count < 0)
		return gm_lv_error(err, -EIO, "libvirt does not list the guests");
	if ((size_t)count != listing->count)
		return 0;
	qsort(listing->ids, listing->count, sizeof(listing->ids[0]), compare_ids);
	for (size_t i = 0; i < listing->count; i++) {
		if (listing->ids[i] != listing->guests[i].id)
			return 0;
	}
	return 1;
}

int gm_lv_listing_check(struct gm_lv_listing *listing, virConnectPtr conn, struct gm_error *err)
{
	int64_t age = gm_clock_monotonic() - listing->listed_at;

	if (!listing->guests || listing->stale || age >= LISTED_ANEW || listing->count >= IDS_MAX)
		return 0;
	return is_same(listing, conn, err);
}

void gm_lv_listing_learn(struct gm_lv_listing *listing, const struct gm_lv_record_list *list)
{
	gm_lv_listing_clear(listing);
	if (make_room(listing, (int)list->count, NULL) < 0) {
		gm_lv_listing_clear(listing);
		return;
	}
	for (size_t i = 0; i < list->count; i++) {
		const struct gm_lv_item *item = &list->items[i];
		const struct gm_lv_record record = {.params = item->params,
						    .count = (size_t)item->param_count};
		struct gm_lv_listed *listed = &listing->guests[listing->count];

		if (item->id < 0 || virDomainRef(item->domain) < 0)
			continue;
		*listed = (struct gm_lv_listed){.domain = item->domain,
						.id = item->id,
						.state = gm_lv_stats_state(&record)};
		memcpy(listed->uuid, item->uuid, GM_UUID_SIZE);
		listing->count++;
	}
	qsort(listing->guests, listing->count, sizeof(listing->guests[0]), compare_listed);
	listing->listed_at = gm_clock_monotonic();
}

void gm_lv_listing_clear(struct gm_lv_listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		virDomainFree(listing->guests[i].domain);
	free(listing->guests);
	free(listing->ids);
	*listing = (struct gm_lv_listing){0};
}

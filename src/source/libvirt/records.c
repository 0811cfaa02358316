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
	*ret_plan = plan;
	return 0;
}

static int read_bulk(virConnectPtr conn, unsigned groups, struct gm_lv_record_list *list,
		     struct gm_error *err)
{
	int count = virConnectGetAllDomainStats(conn, groups, &list->bulk, BULK_FLAGS);

	if (count < 0)
		return gm_lv_error(err, -EIO, "libvirt does not list the guests' statistics");
	int64_t now = gm_clock_now();
	list->items = calloc((size_t)count + 1, sizeof(list->items[0]));
	if (!list->items)
		return gm_error_set(err, -ENOMEM, "out of memory");
	for (int i = 0; i < count; i++) {
		struct gm_lv_item *item = &list->items[list->count];

		item->record = list->bulk[i];
		item->domain = list->bulk[i]->dom;
		item->params = list->bulk[i]->params;
		item->param_count = list->bulk[i]->nparams;
		item->read_at = now;
		if (virDomainGetUUID(item->domain, item->uuid) == 0)
			list->count++;
	}
	return 0;
}

static int read_list(virConnectPtr conn, struct gm_lv_record_list *list, struct gm_error *err)
{
	virDomainPtr *domains = NULL;
	int count = virConnectListAllDomains(conn, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);

	if (count < 0)
		return gm_lv_error(err, -EIO, "libvirt does not list the guests");
	list->items = calloc((size_t)count + 1, sizeof(list->items[0]));
	for (int i = 0; i < count; i++) {
		struct gm_lv_item *item = list->items ? &list->items[list->count] : NULL;

		if (item && virDomainGetUUID(domains[i], item->uuid) == 0) {
			item->domain = domains[i];
			list->count++;
		} else {
			virDomainFree(domains[i]);
		}
	}
	free(domains);
	return list->items ? 0 : gm_error_set(err, -ENOMEM, "out of memory");
}

/* Adds what the bulk call does not give, guest by guest. */
static void read_single(const struct gm_lv_plan *plan, const struct gm_lv_namer *namer,
			struct gm_lv_record_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct gm_lv_item *item = &list->items[i];

		gm_lv_single_read(item->domain, plan->single, item->uuid, namer, &item->params,
				  &item->param_count);
		item->read_at = gm_clock_now();
		if (item->record) { /* the array may have moved */
			item->record->params = item->params;
			item->record->nparams = item->param_count;
		}
	}
}

int gm_lv_records_read(virConnectPtr conn, const struct gm_lv_plan *plan,
		       const struct gm_lv_namer *namer, struct gm_lv_record_list *ret_list,
		       struct gm_error *err)
{
	struct gm_lv_record_list list = {0};
	int rc = plan->bulk ? read_bulk(conn, plan->bulk, &list, err) : read_list(conn, &list, err);

	if (rc < 0) {
		gm_lv_records_free(&list);
		return rc;
	}
	if (plan->single)
		read_single(plan, namer, &list);
	*ret_list = list;
	return 0;
}

void gm_lv_records_free(struct gm_lv_record_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		gm_lv_pins_free(list->items[i].pins);
	for (size_t i = 0; !list->bulk && i < list->count; i++) {
		virTypedParamsFree(list->items[i].params, list->items[i].param_count);
		virDomainFree(list->items[i].domain);
	}
	if (list->bulk)
		virDomainStatsRecordListFree(list->bulk);
	free(list->items);
	*list = (struct gm_lv_record_list){0};
}

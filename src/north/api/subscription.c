/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subscriptions and notifications as JSON; see subscription.h. Called by notifier.c and by
 * daemon/subscriptions.c. No I/O.
 */
#include "north/api/subscription.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "north/message.h"

static const char *const lists[] = {"notificationTypes", "faultyResourceTypes",
				    "perceivedSeverities", "eventTypes", "probableCauses"};

/* ---- requests ---- */

static bool is_text_list(const struct gm_json *list)
{
	if (!list)
		return true;
	for (size_t i = 0; i < gm_json_size(list); i++)
		if (!gm_json_value_text(gm_json_at(list, i)))
			return false;
	void *iterator = NULL;
	const char *key;
	const struct gm_json *value;
	return !gm_json_value_text(list) && !gm_json_next(list, &iterator, &key, &value);
}

static int check_instances(const struct gm_json *instances, struct gm_error *err)
{
	if (instances && !gm_json_is_object(instances))
		return gm_error_set(err, -EINVAL,
				    "filter: vnfInstanceSubscriptionFilter is an object");
	if (!is_text_list(gm_json_get(instances, "vnfInstanceIds")) ||
	    !is_text_list(gm_json_get(instances, "vnfInstanceNames")))
		return gm_error_set(err, -EINVAL, "filter: instances are lists of texts");
	return gm_vnf_check_filter(instances, err);
}

static int check_filter(const struct gm_json *filter, struct gm_error *err)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (!is_text_list(gm_json_get(filter, lists[i])))
			return gm_error_set(err, -EINVAL, "filter: %s is a list of texts",
					    lists[i]);
	return check_instances(gm_json_get(filter, "vnfInstanceSubscriptionFilter"), err);
}

/* The subscription's own, so that it outlives the request. */
static int copy_filter(const struct gm_json *filter, struct gm_subscription *subscription,
		       struct gm_error *err)
{
	struct gm_buffer text = GM_BUFFER_INIT(GM_SUBSCRIPTION_FILTER);
	int result = gm_json_write(filter, 0, &text);
	if (result < 0 || text.failed)
		result = gm_error_set(err, -EINVAL, "filter: larger than %d bytes",
				      GM_SUBSCRIPTION_FILTER);
	else
		result = gm_json_parse(text.data, text.length, &subscription->filter, err);
	gm_buffer_free(&text);
	return result;
}

int gm_subscription_parse(const struct gm_json *request, struct gm_subscription *ret_subscription,
			  struct gm_error *err)
{
	*ret_subscription = (struct gm_subscription){.id = ""};
	const char *callback = gm_json_get_text(request, "callbackUri");
	const struct gm_json *filter = gm_json_get(request, "filter");
	if (!callback || !gm_callback_url_is_good(callback))
		return gm_error_set(err, -EINVAL,
				    "callbackUri: wanted is an http or https URL of less than %d "
				    "characters",
				    GM_CALLBACK_URL);
	gm_text_copy(ret_subscription->target.url, GM_CALLBACK_URL, callback);
	int result = gm_callback_parse(gm_json_get(request, "authentication"),
				       &ret_subscription->target, err);
	if (result == 0 && filter)
		result = check_filter(filter, err);
	if (result == 0 && filter)
		result = copy_filter(filter, ret_subscription, err);
	return result;
}

int gm_subscription_restore(struct gm_json *request, struct gm_subscription *ret_subscription,
			    struct gm_error *err)
{
	const struct gm_json *instances =
		gm_json_get(gm_json_get(request, "filter"), "vnfInstanceSubscriptionFilter");

	/* The getters lend: what is in it is as much the caller's as all of it. */
	if (gm_json_is_object(instances))
		gm_vnf_mend_filter((struct gm_json *)(uintptr_t)instances);
	return gm_subscription_parse(request, ret_subscription, err);
}

void gm_subscription_free(struct gm_subscription *subscription)
{
	gm_json_free(subscription->filter);
	explicit_bzero(subscription, sizeof(*subscription));
}

bool gm_subscription_equal(const struct gm_subscription *a, const struct gm_subscription *b)
{
	struct gm_buffer one = GM_BUFFER_INIT(GM_SUBSCRIPTION_FILTER),
			 other = GM_BUFFER_INIT(GM_SUBSCRIPTION_FILTER);
	if (a->filter)
		gm_json_write(a->filter, 0, &one);
	if (b->filter)
		gm_json_write(b->filter, 0, &other);
	bool equal = strcmp(a->target.url, b->target.url) == 0 && one.length == other.length &&
		     (one.length == 0 || memcmp(one.data, other.data, one.length) == 0);
	gm_buffer_free(&one);
	gm_buffer_free(&other);
	return equal;
}

/* ---- what is shown and sent ---- */

static void set_link(struct gm_json *links, const char *name, const char *url, const char *path,
		     const char *id)
{
	char href[2 * GM_API_PATH];
	struct gm_json *link = gm_json_object();
	snprintf(href, sizeof(href), "%s" GM_VNFFM_ROOT "/%s%s", url, path, id);
	gm_json_set_text(link, "href", href);
	gm_json_set(links, name, link);
}

static struct gm_json *copy_json(const struct gm_json *value)
{
	struct gm_buffer text = GM_BUFFER_INIT(GM_SUBSCRIPTION_FILTER);
	struct gm_json *copy = NULL;
	if (gm_json_write(value, 0, &text) == 0 && !text.failed)
		gm_json_parse(text.data, text.length, &copy, NULL);
	gm_buffer_free(&text);
	return copy;
}

struct gm_json *gm_subscription_show(const struct gm_subscription *subscription, const char *url)
{
	struct gm_json *object = gm_json_object(), *links = gm_json_object();
	gm_json_set_text(object, "id", subscription->id);
	if (subscription->filter)
		gm_json_set(object, "filter", copy_json(subscription->filter));
	gm_json_set_text(object, "callbackUri", subscription->target.url);
	set_link(links, "self", url, "subscriptions/", subscription->id);
	gm_json_set(object, "_links", links);
	return object;
}

static struct gm_json *notification(const struct gm_subscription *subscription, const char *url,
				    const char *type, const char *id, int64_t now)
{
	char text[GM_NAME_SIZE];
	struct gm_json *object = gm_json_object(), *links = gm_json_object();
	gm_json_set_text(object, "id", id);
	gm_json_set_text(object, "notificationType", type);
	gm_json_set_text(object, "timeStamp", gm_time_format(now, text, sizeof(text)));
	gm_json_set_text(object, "subscriptionId", subscription->id);
	set_link(links, "subscription", url, "subscriptions/", subscription->id);
	gm_json_set(object, "_links", links);
	return object;
}

/* The getters lend: for what is built here the loan is our own. */
static struct gm_json *links_of(struct gm_json *object)
{
	return (struct gm_json *)(uintptr_t)gm_json_get(object, "_links");
}

struct gm_json *gm_subscription_notification(const struct gm_subscription *subscription,
					     const struct gm_vnffm_view *view,
					     const struct gm_transition *transition,
					     const char *key, int64_t now)
{
	const struct gm_alarm *alarm = &transition->alarm;
	bool clear = transition->kind == GM_TRANSITION_CLEAR;
	struct gm_json *object =
		notification(subscription, view->url,
			     clear ? "AlarmClearedNotification" : "AlarmNotification", key, now);
	char id[16], time[GM_TIME_TEXT];
	snprintf(id, sizeof(id), "%" PRIu32, alarm->id);
	if (!clear) {
		gm_json_set(object, "alarm", gm_vnffm_alarm(view, alarm, NULL));
		return object;
	}
	gm_json_set_text(object, "alarmId", id);
	gm_json_set_text(object, "alarmClearedTime",
			 gm_time_format(alarm->cleared_at, time, sizeof(time)));
	set_link(links_of(object), "alarm", view->url, "alarms/", id);
	return object;
}

struct gm_json *gm_subscription_rebuilt(const struct gm_subscription *subscription,
					const struct gm_vnffm_view *view, const char *key,
					int64_t now)
{
	char id[GM_NAME_SIZE];
	snprintf(id, sizeof(id), "%.200s-rebuilt", key);
	struct gm_json *object =
		notification(subscription, view->url, "AlarmListRebuiltNotification", id, now);
	set_link(links_of(object), "alarms", view->url, "alarms", "");
	return object;
}

/* ---- filters ---- */

/* A list that is absent or empty selects all. */
static bool selects(const struct gm_json *list, const char *text)
{
	size_t count = gm_json_size(list);
	for (size_t i = 0; i < count; i++)
		if (strcmp(gm_json_value_text(gm_json_at(list, i)), text) == 0)
			return true;
	return count == 0;
}

static bool selects_instance(const struct gm_json *filter, const struct gm_vnffm_view *view,
			     const struct gm_alarm *alarm)
{
	char object[GM_NAME_SIZE];
	const struct gm_json *instances = gm_json_get(filter, "vnfInstanceSubscriptionFilter");
	const struct gm_json *ids = gm_json_get(instances, "vnfInstanceIds");
	const struct gm_json *names = gm_json_get(instances, "vnfInstanceNames");
	struct gm_vnf vnf = {.vnfd_id = ""};
	if (!selects(ids, gm_vnffm_object(view, alarm, object)) ||
	    !selects(names, alarm->guest_name))
		return false;
	if (!gm_vnf_is_asked_for(instances))
		return true;
	return view->identify && view->identify(view->user, alarm, &vnf) &&
	       gm_vnf_is_selected(instances, &vnf);
}

bool gm_subscription_wants(const struct gm_subscription *subscription,
			   const struct gm_vnffm_view *view, const struct gm_transition *transition)
{
	const struct gm_json *filter = subscription->filter;
	const struct gm_alarm *alarm = &transition->alarm;
	bool clear = transition->kind == GM_TRANSITION_CLEAR;
	if (!gm_alarm_has_guest(alarm))
		return false;
	return selects(gm_json_get(filter, "notificationTypes"),
		       clear ? "AlarmClearedNotification" : "AlarmNotification") &&
	       selects(gm_json_get(filter, "faultyResourceTypes"), gm_vnffm_resource(alarm)) &&
	       (clear ||
		selects(gm_json_get(filter, "perceivedSeverities"), gm_vnffm_severity(alarm))) &&
	       selects(gm_json_get(filter, "eventTypes"), gm_vnffm_event(alarm)) &&
	       selects(gm_json_get(filter, "probableCauses"), gm_cause_name(alarm->cause)) &&
	       selects_instance(filter, view, alarm);
}

bool gm_subscription_wants_rebuilt(const struct gm_subscription *subscription)
{
	return selects(gm_json_get(subscription->filter, "notificationTypes"),
		       "AlarmListRebuiltNotification");
}

bool gm_subscription_selects_vnfs(const struct gm_subscription *subscription)
{
	return gm_vnf_is_asked_for(
		gm_json_get(subscription->filter, "vnfInstanceSubscriptionFilter"));
}

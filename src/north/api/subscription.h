/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A subscription to notifications of alarms: SOL 003's FmSubscriptionRequest and FmSubscription, and which
 * transitions a filter (FmNotificationsFilter) selects.
 */
#ifndef GM_NORTH_API_SUBSCRIPTION_H
#define GM_NORTH_API_SUBSCRIPTION_H

#include "north/api/callback.h"
#include "north/api/vnffm.h"

enum { GM_SUBSCRIPTION_FILTER = 32 << 10 };

struct gm_subscription {
	char id[GM_UUID_TEXT];
	struct gm_callback_target target;
	struct gm_json *filter; /* NULL: all */
};

/*
 * Reads a request; `id` stays empty. -EINVAL: it is none (the sentence says what is wrong). Freed with
 * gm_subscription_free(), also after a failure.
 */
int gm_subscription_parse(const struct gm_json *request, struct gm_subscription *ret_subscription,
			  struct gm_error *err);
/* Likewise one that was read before, maybe by an earlier version, which took filters that are none. */
int gm_subscription_restore(struct gm_json *request, struct gm_subscription *ret_subscription,
			    struct gm_error *err);
void gm_subscription_free(struct gm_subscription *subscription);

/* As it is shown: without what authenticates us. */
struct gm_json *gm_subscription_show(const struct gm_subscription *subscription, const char *url);

/* Whether both have the same callback and filter. */
bool gm_subscription_equal(const struct gm_subscription *a, const struct gm_subscription *b);

/*
 * Whether the transition is notified: all attributes of the filter hold, each for one of its values (SOL 003,
 * 4.4.1.5). A clear is told whatever the severity: else who selects some
 * severities would keep alarms for ever that ended as another.
 */
bool gm_subscription_wants(const struct gm_subscription *subscription,
			   const struct gm_vnffm_view *view,
			   const struct gm_transition *transition);

/* Whether it wants that the list of alarms has gaps. */
bool gm_subscription_wants_rebuilt(const struct gm_subscription *subscription);
/* Whether what it selects depends on what guests are as VNFs. */
bool gm_subscription_selects_vnfs(const struct gm_subscription *subscription);

/* AlarmNotification or AlarmClearedNotification; the id is the same in every attempt. */
struct gm_json *gm_subscription_notification(const struct gm_subscription *subscription,
					     const struct gm_vnffm_view *view,
					     const struct gm_transition *transition,
					     const char *key, int64_t now);

/* AlarmListRebuiltNotification. */
struct gm_json *gm_subscription_rebuilt(const struct gm_subscription *subscription,
					const struct gm_vnffm_view *view, const char *key,
					int64_t now);

#endif

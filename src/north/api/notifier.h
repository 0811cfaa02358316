/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output of one subscription: notifications to its callback. It is made at run time, of a
 * subscription, and no file describes it: `gm_notifier_ops` is not among gm_output_types.
 *
 * Its outbox tells it every transition. A gap in their numbers means that some were given up, and the
 * subscriber is told to read the list anew before it hears of the next one. Likewise, and at once, when it selects
 * by what guests are as VNFs and that was changed: its filter stands for other alarms then.
 */
#ifndef GM_NORTH_API_NOTIFIER_H
#define GM_NORTH_API_NOTIFIER_H

#include "north/api/subscription.h"
#include "north/output.h"

/* What create() is given; all outlives the output. */
struct gm_notifier_options {
	const struct gm_subscription *subscription;
	const struct gm_http_transport *transport;
	struct gm_vnffm_view view;
	const char *
		forbidden; /* what of the target api.callbacks does not allow: nothing is sent; or NULL */
};

extern const struct gm_output_ops gm_notifier_ops;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to an AMQP 0-9-1 broker for sending one message at a time, confirmed; librabbitmq. Waits:
 * for a thread of its own (event.c).
 */
#ifndef GM_NORTH_OPENSTACK_BROKER_H
#define GM_NORTH_OPENSTACK_BROKER_H

#include <stddef.h>

#include "base/error.h"

struct amqp_connection_state_t_;

struct gm_broker {
	const char *url, *ca_file, *topic; /* topic: the routing key, of the default exchange */
	struct amqp_connection_state_t_ *connection; /* NULL: none yet */
};

/* Whether the URL can be read. -EINVAL. */
int gm_broker_check(const char *url, struct gm_error *err);

/*
 * Connects where needed, sends, and waits for the broker's word, some seconds at most; a connection that has
 * died meanwhile is made anew, once. -EIO with a sentence that holds neither user nor password.
 */
int gm_broker_publish(struct gm_broker *broker, const void *body, size_t length,
		      struct gm_error *err);
void gm_broker_close(struct gm_broker *broker);

#endif

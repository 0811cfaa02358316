/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events on OpenStack's message bus (AMQP 0-9-1, the envelope of oslo.messaging 2.0), so that
 * Aodh's listener raises an alarm itself and its notifier runs the alarm's actions: setting a state
 * by the API does not run them. A thread of its own talks with the broker, with deadlines and
 * the broker's confirmation; it connects when there is something to send. All functions: main thread.
 */
#ifndef GM_NORTH_OPENSTACK_EVENT_H
#define GM_NORTH_OPENSTACK_EVENT_H

#include <stdint.h>
#include <uv.h>

#include "base/buffer.h"
#include "base/error.h"
#include "model/alarm.h"

struct gm_event_bus;

enum { GM_EVENT_URL = 512 };

/* Whether the text is amqp://… or amqps://…, without a password in the sentence. */
int gm_event_check(const char *url, struct gm_error *err);

/* `url` and `ca_file` (may be empty) are copied. -EINVAL, -ENOMEM. */
int gm_event_bus_create(uv_loop_t *loop, const char *url, const char *ca_file, const char *topic,
			struct gm_event_bus **ret_bus, struct gm_error *err);
/* Ends without any done(); frees itself when its thread has ended and its handle is closed. NULL-safe. */
void gm_event_bus_close(struct gm_event_bus *bus);

/*
 * Sends an event, text as of gm_event_body(). `done` is called once, never from within, with NULL where
 * the broker has confirmed it, else with a sentence. -ENOBUFS: too many wait; -ENOMEM.
 */
typedef void gm_event_done(void *user, const char *error);
int gm_event_publish(struct gm_event_bus *bus, const struct gm_buffer *body, gm_event_done *done,
		     void *user);
/* The envelope with one event that Aodh's rule of that alarm `name` matches, for its `project`. */
void gm_event_body(const char *node, const char *name, const char *project,
		   const struct gm_transition *transition, struct gm_buffer *text);

#endif

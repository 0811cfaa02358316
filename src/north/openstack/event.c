/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two sides of the bus: the main thread's queue of events and their outcomes, and the thread that
 * sends them; see event.h. What is said to the broker is in broker.c. Called by aodh.c and aodh_job.c.
 */
#include "north/openstack/event.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/queue.h"
#include "base/text.h"
#include "north/openstack/alarm_text.h"
#include "north/openstack/broker.h"
#include "north/secret.h"

enum { WAITING = 64 };

struct event {
	struct gm_buffer body;
	gm_event_done *done;
	void *user;
	char error[256]; /* empty: confirmed */
};

struct gm_event_bus {
	char url[GM_EVENT_URL];
	char ca_file[256], topic[128];
	struct gm_queue *events, *outcomes;
	uv_sem_t wake;
	uv_async_t done;
	uv_thread_t thread;
	atomic_bool stop, ended;
	bool closing;
	size_t under_way; /* handed to the thread, no outcome seen yet */
};

static void free_event(void *item)
{
	struct event *event = item;

	gm_buffer_free(&event->body);
	free(event);
}

/* ---- the thread ---- */

static void work(void *argument)
{
	struct gm_event_bus *bus = argument;
	struct gm_broker broker = {.url = bus->url, .ca_file = bus->ca_file, .topic = bus->topic};

	while (!atomic_load(&bus->stop)) {
		struct event *event = gm_queue_pop(bus->events);
		struct gm_error err = {.text = ""};

		if (!event) {
			uv_sem_wait(&bus->wake);
			continue;
		}
		if (gm_broker_publish(&broker, event->body.data, event->body.length, &err) < 0)
			gm_text_copy(event->error, sizeof(event->error), err.text);
		gm_queue_push(bus->outcomes, event);
		uv_async_send(&bus->done);
	}
	gm_broker_close(&broker);
	atomic_store(&bus->ended, true);
	uv_async_send(&bus->done);
}

static void wake(void *user)
{
	uv_sem_post(&((struct gm_event_bus *)user)->wake);
}

/* ---- the main thread ---- */

static void free_bus(struct gm_event_bus *bus)
{
	gm_queue_free(bus->events);
	gm_queue_free(bus->outcomes);
	uv_sem_destroy(&bus->wake);
	gm_secret_forget(bus->url, sizeof(bus->url));
	free(bus);
}

static void on_closed(uv_handle_t *handle)
{
	free_bus(handle->data);
}

static void on_done(uv_async_t *async)
{
	struct gm_event_bus *bus = async->data;
	struct event *event;

	while ((event = gm_queue_pop(bus->outcomes))) {
		bus->under_way--;
		if (!bus->closing)
			event->done(event->user, event->error[0] != '\0' ? event->error : NULL);
		free_event(event);
	}
	if (bus->closing && atomic_load(&bus->ended) && !uv_is_closing((uv_handle_t *)async)) {
		uv_thread_join(&bus->thread);
		uv_close((uv_handle_t *)async, on_closed);
	}
}

int gm_event_check(const char *url, struct gm_error *err)
{
	if (strncasecmp(url, "amqp://", 7) != 0 && strncasecmp(url, "amqps://", 8) != 0)
		return gm_error_set(err, -EINVAL, "not an amqp or amqps URL");
	if (strlen(url) >= GM_EVENT_URL)
		return gm_error_set(err, -EINVAL, "longer than %d bytes", GM_EVENT_URL - 1);
	return gm_broker_check(url, err);
}

static int make_queues(struct gm_event_bus *bus)
{
	const struct gm_queue_options events = {WAITING, free_event, wake, bus};
	const struct gm_queue_options outcomes = {2 * WAITING, free_event, NULL, NULL};

	return gm_queue_create(&events, &bus->events) < 0 ||
			       gm_queue_create(&outcomes, &bus->outcomes) < 0
		       ? -ENOMEM
		       : 0;
}

int gm_event_bus_create(uv_loop_t *loop, const char *url, const char *ca_file, const char *topic,
			struct gm_event_bus **ret_bus, struct gm_error *err)
{
	struct gm_event_bus *bus;
	int rc = gm_event_check(url, err);

	if (rc < 0)
		return rc;
	bus = calloc(1, sizeof(*bus));
	if (!bus || uv_sem_init(&bus->wake, 0) < 0) {
		free(bus);
		return gm_error_set(err, -ENOMEM, "out of memory");
	}
	gm_text_copy(bus->url, sizeof(bus->url), url);
	gm_text_copy(bus->ca_file, sizeof(bus->ca_file), ca_file);
	gm_text_copy(bus->topic, sizeof(bus->topic), topic);
	bus->done.data = bus;
	if (make_queues(bus) < 0 || uv_async_init(loop, &bus->done, on_done) < 0) {
		free_bus(bus);
		return gm_error_set(err, -ENOMEM, "out of memory");
	}
	if (uv_thread_create(&bus->thread, work, bus) < 0) {
		uv_close((uv_handle_t *)&bus->done, on_closed);
		return gm_error_set(err, -ENOMEM, "no thread can be made");
	}
	*ret_bus = bus;
	return 0;
}

void gm_event_bus_close(struct gm_event_bus *bus)
{
	if (!bus)
		return;
	bus->closing = true;
	atomic_store(&bus->stop, true);
	uv_sem_post(&bus->wake);
}

int gm_event_publish(struct gm_event_bus *bus, const struct gm_buffer *body, gm_event_done *done,
		     void *user)
{
	struct event *event;

	if (bus->under_way == WAITING)
		return -ENOBUFS;
	event = calloc(1, sizeof(*event));
	if (!event)
		return -ENOMEM;
	event->body = GM_BUFFER_INIT(1 << 20);
	event->done = done;
	event->user = user;
	gm_buffer_append(&event->body, body->data, body->length);
	if (body->failed || event->body.failed) {
		free_event(event);
		return -ENOMEM;
	}
	bus->under_way++;
	gm_queue_push(bus->events, event);
	return 0;
}

/* ---- the envelope ---- */

static void add_trait(struct gm_json *traits, const char *name, const char *value)
{
	enum { TEXT = 1 }; /* of the four types that traits have */
	struct gm_json *trait = gm_json_array();

	gm_json_append(trait, gm_json_text(name));
	gm_json_append(trait, gm_json_integer(TEXT));
	gm_json_append(trait, gm_json_text(value));
	gm_json_append(traits, trait);
}

/* A random one; where there is no randomness, one that is as unique as the time. */
static void make_uuid(char text[GM_UUID_TEXT])
{
	uint8_t uuid[GM_UUID_SIZE] = {0};
	int64_t now = gm_clock_monotonic();

	memcpy(uuid, &now, sizeof(now));
	if (getrandom(uuid, sizeof(uuid), GRND_NONBLOCK) < 0)
		memcpy(uuid, &now, sizeof(now));
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
	gm_uuid_text(uuid, text);
}

static struct gm_json *event_of(const char *name, const char *project, const char *id,
				const struct gm_transition *transition)
{
	struct gm_json *event = gm_json_object(), *traits = gm_json_array();
	const struct gm_alarm *alarm = &transition->alarm;
	char time[GM_TIME_TEXT], guest[GM_UUID_TEXT];

	gm_time_format(transition->time, time, sizeof(time));
	time[strcspn(time, "Z")] = '\0'; /* oslo's times are UTC without a zone */
	add_trait(traits, "project_id", project);
	add_trait(traits, "alarm", name);
	add_trait(traits, "severity", gm_severity_name(alarm->severity));
	add_trait(traits, "text", alarm->text);
	if (alarm->guest_index != 0)
		add_trait(traits, "instance_id", gm_uuid_text(alarm->guest, guest));
	gm_json_set_text(event, "message_id", id);
	gm_json_set_text(event, "event_type", GM_AODH_EVENT_TYPE);
	gm_json_set_text(event, "generated", time);
	gm_json_set(event, "raw", gm_json_object());
	gm_json_set(event, "traits", traits);
	return event;
}

void gm_event_body(const char *node, const char *name, const char *project,
		   const struct gm_transition *transition, struct gm_buffer *text)
{
	struct gm_json *envelope = gm_json_object(), *message = gm_json_object(),
		       *payload = gm_json_array();
	struct gm_buffer inner = GM_BUFFER_INIT(256 << 10);
	char id[GM_UUID_TEXT], publisher[GM_NAME_SIZE + 16], time[GM_TIME_TEXT];

	make_uuid(id);
	gm_json_append(payload, event_of(name, project, id, transition));
	snprintf(publisher, sizeof(publisher), "guestmon.%s", node);
	gm_time_format(gm_clock_now(), time, sizeof(time));
	time[strcspn(time, "Z")] = '\0';
	gm_json_set_text(message, "message_id", id);
	gm_json_set_text(message, "publisher_id", publisher);
	gm_json_set_text(message, "event_type", GM_AODH_EVENT_TYPE);
	gm_json_set_text(message, "priority", "SAMPLE");
	gm_json_set_text(message, "timestamp", time);
	gm_json_set(message, "payload", payload);
	if (gm_json_write(message, 0, &inner) < 0)
		text->failed = true;
	gm_json_set_text(envelope, "oslo.version", "2.0");
	gm_json_set_text(envelope, "oslo.message", inner.data ? inner.data : "");
	if (gm_json_write(envelope, 0, text) < 0)
		text->failed = true;
	gm_buffer_free(&inner);
	gm_json_free(message);
	gm_json_free(envelope);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls of librabbitmq; see broker.h. Nothing else includes its headers.
 */
#include "north/openstack/broker.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <amqp.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>

#include "base/clock.h"
#include "base/text.h"
#include "north/openstack/event.h"
#include "north/secret.h"

enum { CHANNEL = 1, SECONDS = 3, FRAME = 131072 };

static const struct timeval patience = {.tv_sec = SECONDS};

static int fail(struct gm_error *err, const char *what)
{
	return gm_error_set(err, -EIO, "message bus: %s", what);
}

int gm_broker_check(const char *url, struct gm_error *err)
{
	char copy[GM_EVENT_URL];
	struct amqp_connection_info info;
	int rc;

	gm_text_copy(copy, sizeof(copy), url);
	rc = amqp_parse_url(copy, &info);
	gm_secret_forget(copy, sizeof(copy));
	return rc == AMQP_STATUS_OK ? 0 : gm_error_set(err, -EINVAL, "not a URL of a message bus");
}

void gm_broker_close(struct gm_broker *broker)
{
	if (broker->connection)
		amqp_destroy_connection(broker->connection);
	broker->connection = NULL;
}

static bool is_good(amqp_rpc_reply_t reply)
{
	return reply.reply_type == AMQP_RESPONSE_NORMAL;
}

static amqp_socket_t *make_socket(struct gm_broker *broker, const struct amqp_connection_info *info)
{
	amqp_socket_t *socket;

	if (!info->ssl)
		return amqp_tcp_socket_new(broker->connection);
	socket = amqp_ssl_socket_new(broker->connection);
	if (socket && broker->ca_file[0] != '\0' &&
	    amqp_ssl_socket_set_cacert(socket, broker->ca_file) != AMQP_STATUS_OK)
		return NULL;
	return socket; /* which the connection owns; it verifies by default */
}

static int log_in(struct gm_broker *broker, const struct amqp_connection_info *info,
		  struct gm_error *err)
{
	amqp_connection_state_t connection = broker->connection;
	amqp_socket_t *socket = make_socket(broker, info);

	if (!socket)
		return fail(err, "no socket, or the authorities' file cannot be read");
	if (amqp_socket_open_noblock(socket, info->host, info->port, &patience) != AMQP_STATUS_OK)
		return gm_error_set(err, -EIO, "message bus: %s port %d does not answer",
				    info->host, info->port);
	if (!is_good(amqp_login(connection, info->vhost, 0, FRAME, 0, AMQP_SASL_METHOD_PLAIN,
				info->user, info->password)))
		return fail(err, "it refuses the login");
	amqp_channel_open(connection, CHANNEL);
	if (!is_good(amqp_get_rpc_reply(connection)))
		return fail(err, "it opens no channel");
	amqp_confirm_select(connection, CHANNEL);
	if (!is_good(amqp_get_rpc_reply(connection)))
		return fail(err, "it does not confirm");
	return 0;
}

static int connect_to(struct gm_broker *broker, struct gm_error *err)
{
	char url[GM_EVENT_URL];
	struct amqp_connection_info info;
	int rc;

	broker->connection = amqp_new_connection();
	if (!broker->connection)
		return fail(err, "out of memory");
	amqp_set_handshake_timeout(broker->connection, &patience);
	amqp_set_rpc_timeout(broker->connection, &patience);
	gm_text_copy(url, sizeof(url), broker->url);
	amqp_parse_url(url, &info); /* has been checked; points into `url` */
	rc = log_in(broker, &info, err);
	gm_secret_forget(url, sizeof(url));
	if (rc < 0)
		gm_broker_close(broker);
	return rc;
}

/* What is left until then. */
static struct timeval left_until(int64_t deadline)
{
	int64_t left = deadline - gm_clock_monotonic();

	if (left < 0)
		left = 0;
	return (struct timeval){.tv_sec = left / GM_SECOND,
				.tv_usec = left % GM_SECOND / GM_MICROSECOND};
}

/* The broker's word on the one message that is under way, whatever else it says meanwhile. */
static int await_word(struct gm_broker *broker, struct gm_error *err)
{
	int64_t deadline = gm_clock_monotonic() + SECONDS * GM_SECOND;
	bool returned = false;
	amqp_frame_t frame;

	for (;;) {
		struct timeval left = left_until(deadline);
		if (amqp_simple_wait_frame_noblock(broker->connection, &frame, &left) !=
		    AMQP_STATUS_OK)
			return fail(err, "it does not confirm in time");
		if (frame.frame_type != AMQP_FRAME_METHOD)
			continue; /* the returned message's header and body */
		switch (frame.payload.method.id) {
		case AMQP_BASIC_ACK_METHOD:
			return returned ? fail(err, "nobody listens to the topic") : 0;
		case AMQP_BASIC_RETURN_METHOD:
			returned = true;
			break;
		default: /* a nack, or the channel is closed */
			return fail(err, "it refuses the message");
		}
	}
}

static int send_once(struct gm_broker *broker, const void *body, size_t length,
		     struct gm_error *err)
{
	const amqp_basic_properties_t properties = {
		._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_CONTENT_ENCODING_FLAG |
			  AMQP_BASIC_DELIVERY_MODE_FLAG,
		.content_type = amqp_cstring_bytes("application/json"),
		.content_encoding = amqp_cstring_bytes("utf-8"),
		.delivery_mode = AMQP_DELIVERY_PERSISTENT,
	};
	const amqp_bytes_t bytes = {.len = length, .bytes = (void *)(uintptr_t)body};
	int rc = broker->connection ? 0 : connect_to(broker, err);

	if (rc < 0)
		return rc;
	amqp_maybe_release_buffers(broker->connection);
	rc = amqp_basic_publish(broker->connection, CHANNEL, amqp_empty_bytes,
				amqp_cstring_bytes(broker->topic), true, false, &properties, bytes);
	if (rc != AMQP_STATUS_OK)
		rc = fail(err, "the connection is lost");
	else
		rc = await_word(broker, err);
	if (rc < 0)
		gm_broker_close(broker);
	return rc;
}

int gm_broker_publish(struct gm_broker *broker, const void *body, size_t length,
		      struct gm_error *err)
{
	bool kept = broker->connection;
	int rc = send_once(broker, body, length, err);

	/* A kept connection may have died while nothing was sent. */
	return rc < 0 && kept ? send_once(broker, body, length, err) : rc;
}

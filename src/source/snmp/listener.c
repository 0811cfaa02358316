/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket at which notifications arrive; see listener.h. What one means is target's (notice.c). Used
 * by snmp.c alone.
 */
#include "source/snmp/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "source/snmp/list.h"

enum { NOTICES_MAX = 256 /* of one turn: the rest waits in the socket, or is lost there */ };

struct gm_snmp_listener {
	struct gm_snmp_endpoint *endpoint;

	/* Of the present turn. */
	const struct gm_snmp_peers *peers;
	const struct gm_snmp_moment *now;
	const struct gm_snmp_out *out;
	struct gm_snmp_message message;
	size_t answers; /* in `answer` */
	uint8_t answer[GM_SNMP_BATCH][GM_SNMP_PACKET_MAX];
	struct sockaddr_storage to[GM_SNMP_BATCH];
};

int gm_snmp_listener_check(const char *address, struct gm_error *err)
{
	struct sockaddr_storage parsed;

	return *address == '\0' || gm_snmp_list_address(address, &parsed)
		       ? 0
		       : gm_error_set(err, -EINVAL, "\"%s\" is no numeric address with a port",
				      address);
}

int gm_snmp_listener_open(const char *address, struct gm_snmp_listener **ret_listener,
			  struct gm_error *err)
{
	struct gm_snmp_listener *listener;
	struct sockaddr_storage at;
	int rc = gm_snmp_listener_check(address, err);

	if (rc < 0) {
		return rc;
	}
	listener = calloc(1, sizeof(*listener));
	if (listener == NULL) {
		return gm_error_set(err, -ENOMEM, "out of memory");
	}
	(void)gm_snmp_list_address(address, &at);
	rc = gm_snmp_endpoint_bind(&at, &listener->endpoint);
	if (rc < 0) {
		free(listener);
		return gm_error_set(err, rc, "cannot listen at %s: %s", address, strerror(-rc));
	}
	*ret_listener = listener;
	return 0;
}

void gm_snmp_listener_close(struct gm_snmp_listener *listener)
{
	if (listener) {
		gm_snmp_endpoint_close(listener->endpoint);
		free(listener);
	}
}

/* Guests in other namespaces cannot reach this socket: whoever has their address here is another. */
static bool is_at(const struct gm_snmp_peers *peers, const struct gm_snmp_peer *peer,
		  const struct sockaddr_storage *from)
{
	return peer->target && peers->namespaces.list[peer->place].path[0] == '\0' &&
	       gm_snmp_same_host(&peer->address, from);
}

static void flush(struct gm_snmp_listener *listener)
{
	gm_snmp_endpoint_flush(listener->endpoint);
	listener->answers = 0;
}

/*
 * RFC 3416 section 4.2.7: the answer has the same id and the same variables, and no error, which an
 * inform has in the same places. So it is the inform, called an answer.
 */
static void answer_inform(struct gm_snmp_listener *listener,
			  const struct gm_snmp_datagram *datagram)
{
	const struct gm_snmp_slice *community = &listener->message.community;
	size_t at = (size_t)(community->data + community->length - datagram->data);
	uint8_t *answer;

	if (datagram->length > GM_SNMP_PACKET_MAX || at >= datagram->length) {
		return;
	}
	if (listener->answers == GM_SNMP_BATCH) {
		flush(listener);
	}
	answer = listener->answer[listener->answers];
	memcpy(answer, datagram->data, datagram->length);
	answer[at] = GM_SNMP_RESPONSE;
	listener->to[listener->answers] = *datagram->from;
	gm_snmp_endpoint_send(listener->endpoint, &listener->to[listener->answers], answer,
			      datagram->length);
	listener->answers++;
}

static void take(void *user, const struct gm_snmp_datagram *datagram)
{
	struct gm_snmp_listener *listener = user;
	const struct gm_snmp_peers *peers = listener->peers;
	struct gm_snmp_moment when = {listener->now->monotonic - datagram->age,
				      listener->now->node - datagram->age};

	for (size_t i = 0; i < peers->count; i++) {
		if (!is_at(peers, &peers->slots[i], datagram->from)) {
			continue;
		}
		if (datagram->cut ||
		    gm_snmp_decode(datagram->data, datagram->length, &listener->message) < 0) {
			gm_snmp_target_refuse(peers->slots[i].target, false);
			return;
		}
		/* Two guests may share an address (they have ports): the next may be the sender. */
		int rc = gm_snmp_target_notice(peers->slots[i].target, &listener->message,
					       datagram->data, datagram->length, &when,
					       listener->out);

		if (rc == -EBADMSG)
			continue;
		if (rc < 0)
			return; /* its own, and more than it may tell */
		if (listener->message.version == GM_SNMP_V2C &&
		    listener->message.pdu.type == GM_SNMP_INFORM) {
			answer_inform(listener, datagram);
		}
		return;
	}
}

void gm_snmp_listener_turn(struct gm_snmp_listener *listener, const struct gm_snmp_peers *peers,
			   const struct gm_snmp_moment *now, const struct gm_snmp_out *out)
{
	listener->peers = peers;
	listener->now = now;
	listener->out = out;
	gm_snmp_endpoint_receive(listener->endpoint, NOTICES_MAX, take, listener);
	flush(listener);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The UDP sockets of one network namespace, one per address family: datagrams go out and come in
 * by batches (sendmmsg(2), recvmmsg(2)), each that comes in with the time at which the kernel got it.
 * Knows nothing of what they say. One thread.
 */
#ifndef GM_SOURCE_SNMP_ENDPOINT_H
#define GM_SOURCE_SNMP_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"
#include "model/entity.h"

struct gm_snmp_endpoint;

enum {
	GM_SNMP_BATCH = 64,
	GM_SNMP_DATAGRAM = 4096, /* longer ones are cut, and told to be */
};

struct gm_snmp_datagram {
	const struct sockaddr_storage *from;
	const uint8_t *data;
	size_t length;
	bool cut;
	int64_t age; /* ns since the kernel got it */
};

/*
 * Has the thread in its own network namespace: the one in which it was when this was called first, with *home -1,
 * which is the caller's descriptor of it from then on. To be called before anything is opened there again: a
 * thread that could not come back must not take a guest's for its own. A negative errno and a sentence.
 */
int gm_snmp_home_enter(int *home, struct gm_error *err);

/*
 * Opens the sockets inside the namespace whose file is `netns` (setns(2), which needs CAP_SYS_ADMIN), or in the
 * present one when it is empty. A negative errno and a sentence on failure; -ENOTRECOVERABLE: the thread
 * could not come back.
 */
int gm_snmp_endpoint_open(const char *netns, struct gm_snmp_endpoint **ret_endpoint,
			  struct gm_error *err);
/* The same, but one socket, bound to an address there. */
int gm_snmp_endpoint_bind(const char *netns, const struct sockaddr_storage *address,
			  struct gm_snmp_endpoint **ret_endpoint, struct gm_error *err);
void gm_snmp_endpoint_close(struct gm_snmp_endpoint *endpoint);

/* Keeps the pointers until the flush, which it does itself when the batch is full. */
void gm_snmp_endpoint_send(struct gm_snmp_endpoint *endpoint, const struct sockaddr_storage *to,
			   const void *data, size_t length);
void gm_snmp_endpoint_flush(struct gm_snmp_endpoint *endpoint);

/* What is there now, at most `most` datagrams. Returns how many. */
size_t gm_snmp_endpoint_receive(struct gm_snmp_endpoint *endpoint, size_t most,
				void (*take)(void *user, const struct gm_snmp_datagram *datagram),
				void *user);

/* Addresses that are not listened to at present; see flood.h. */
size_t gm_snmp_endpoint_blocked(const struct gm_snmp_endpoint *endpoint);

/* Whether an address that a stranger chose is another host's, seen from here; as gm_snmp_routes_check(). */
int gm_snmp_endpoint_route(const struct gm_snmp_endpoint *endpoint,
			   const struct gm_address *address);

/* Datagrams that the kernel would not send. */
uint64_t gm_snmp_endpoint_failed(const struct gm_snmp_endpoint *endpoint);

/* The same but for the port. */
bool gm_snmp_same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b);
bool gm_snmp_same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b);

#endif

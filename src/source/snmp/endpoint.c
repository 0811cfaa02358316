/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets in batches; see endpoint.h. Used by snmp.c and by its benchmark.
 */
#include "source/snmp/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "source/snmp/flood.h"
#include "source/snmp/routes.h"

enum { V4, V6, FAMILIES, RECEIVE_BUFFER = 8 << 20, CONTROL_BYTES = 64 };

struct outbox {
	size_t count;
	struct mmsghdr messages[GM_SNMP_BATCH];
	struct iovec parts[GM_SNMP_BATCH];
};

struct gm_snmp_endpoint {
	int fds[FAMILIES];
	int routes;
	uint64_t failed;
	struct gm_snmp_flood flood;
	struct outbox outboxes[FAMILIES];
	struct mmsghdr messages[GM_SNMP_BATCH];
	struct iovec parts[GM_SNMP_BATCH];
	struct sockaddr_storage from[GM_SNMP_BATCH];
	_Alignas(struct cmsghdr) uint8_t control[GM_SNMP_BATCH][CONTROL_BYTES];
	uint8_t data[GM_SNMP_BATCH][GM_SNMP_DATAGRAM];
};

static int open_socket(int family)
{
	int on = 1, size = RECEIVE_BUFFER;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		return -1;
	}
	/* Hundreds of answers between two turns; what the kernel grants is enough where it grants less. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	/* Requests are small: without fragments the kernel need not number them. */
	int probe = IP_PMTUDISC_PROBE;

	if (family == AF_INET) {
		(void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof(probe));
	}
	if (family == AF_INET6) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	}
	return fd;
}

/* Into the namespace; *ret_home is the way back. */
static int enter(const char *netns, int *ret_home, struct gm_error *err)
{
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int there = open(netns, O_RDONLY | O_CLOEXEC), rc = 0;

	if (home < 0 || there < 0 || setns(there, CLONE_NEWNET) < 0) {
		rc = gm_error_set(err, -errno, "network namespace %s: %s", netns, strerror(errno));
	}
	if (there >= 0) {
		close(there);
	}
	if (rc < 0 && home >= 0) {
		close(home);
		home = -1;
	}
	*ret_home = home;
	return rc;
}

static int leave(int home, struct gm_error *err)
{
	int rc = setns(home, CLONE_NEWNET) < 0 ? -ENOTRECOVERABLE : 0;

	close(home);
	return rc == 0 ? 0 : gm_error_set(err, rc, "cannot come back from a network namespace");
}

/* setns(2) takes a privilege where one is at home, too. */
static bool is_home(int home)
{
	struct stat there, here;

	return fstat(home, &there) == 0 && stat("/proc/thread-self/ns/net", &here) == 0 &&
	       there.st_dev == here.st_dev && there.st_ino == here.st_ino;
}

int gm_snmp_home_enter(int *home, struct gm_error *err)
{
	if (*home < 0) {
		*home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
		/* Where there are none, or none may be opened, none will be left. */
		return *home >= 0 || errno == ENOENT || errno == EACCES
			       ? 0
			       : gm_error_set(err, -errno, "the thread's own network namespace: %s",
					      strerror(errno));
	}
	return is_home(*home) || setns(*home, CLONE_NEWNET) == 0
		       ? 0
		       : gm_error_set(err, -ENOTRECOVERABLE,
				      "cannot come back from a network namespace: %s",
				      strerror(errno));
}

/* Makes the sockets where the thread is now. 0 or a negative errno with the sentence. */
typedef int open_here(struct gm_snmp_endpoint *endpoint, const struct sockaddr_storage *address,
		      struct gm_error *err);

static int open_any(struct gm_snmp_endpoint *endpoint, const struct sockaddr_storage *address,
		    struct gm_error *err)
{
	(void)address;
	endpoint->fds[V4] = open_socket(AF_INET);
	endpoint->fds[V6] = open_socket(AF_INET6); /* absent where the kernel has none */
	endpoint->routes = gm_snmp_routes_open();
	return endpoint->fds[V4] < 0 && endpoint->fds[V6] < 0
		       ? gm_error_set(err, -EAFNOSUPPORT, "no UDP socket: %s", strerror(errno))
		       : 0;
}

static int open_bound(struct gm_snmp_endpoint *endpoint, const struct sockaddr_storage *address,
		      struct gm_error *err)
{
	int family = address->ss_family == AF_INET6 ? V6 : V4;
	socklen_t length = family == V6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	endpoint->fds[family] = open_socket(address->ss_family);
	return endpoint->fds[family] < 0 || bind(endpoint->fds[family],
						 (const struct sockaddr *)address, length) < 0
		       ? gm_error_set(err, -errno, "%s", strerror(errno))
		       : 0;
}

static int open_within(const char *netns, open_here *open, const struct sockaddr_storage *address,
		       struct gm_snmp_endpoint **ret_endpoint, struct gm_error *err)
{
	struct gm_snmp_endpoint *endpoint = calloc(1, sizeof(*endpoint));
	int home = -1, rc = 0;

	if (endpoint == NULL) {
		return gm_error_set(err, -ENOMEM, "out of memory");
	}
	endpoint->routes = endpoint->fds[V4] = endpoint->fds[V6] = -1;
	if (*netns != '\0') {
		rc = enter(netns, &home, err);
	}
	if (rc == 0) {
		rc = open(endpoint, address, err);
	}
	if (home >= 0 && leave(home, err) < 0) {
		rc = -ENOTRECOVERABLE;
	}
	if (rc < 0) {
		gm_snmp_endpoint_close(endpoint);
		return rc;
	}
	*ret_endpoint = endpoint;
	return 0;
}

int gm_snmp_endpoint_open(const char *netns, struct gm_snmp_endpoint **ret_endpoint,
			  struct gm_error *err)
{
	return open_within(netns, open_any, NULL, ret_endpoint, err);
}

int gm_snmp_endpoint_bind(const char *netns, const struct sockaddr_storage *address,
			  struct gm_snmp_endpoint **ret_endpoint, struct gm_error *err)
{
	return open_within(netns, open_bound, address, ret_endpoint, err);
}

void gm_snmp_endpoint_close(struct gm_snmp_endpoint *endpoint)
{
	if (endpoint == NULL) {
		return;
	}
	for (int i = 0; i < FAMILIES; i++) {
		if (endpoint->fds[i] >= 0) {
			close(endpoint->fds[i]);
		}
	}
	if (endpoint->routes >= 0) {
		close(endpoint->routes);
	}
	free(endpoint);
}

static void flush_family(struct gm_snmp_endpoint *endpoint, int family)
{
	struct outbox *outbox = &endpoint->outboxes[family];
	size_t done = 0;

	while (done < outbox->count) {
		int sent = sendmmsg(endpoint->fds[family], &outbox->messages[done],
				    (unsigned)(outbox->count - done), 0);

		/* The first of the rest cannot be sent (no route, say): the others can. */
		if (sent <= 0) {
			endpoint->failed++;
			sent = 1;
		}
		done += (size_t)sent;
	}
	outbox->count = 0;
}

void gm_snmp_endpoint_send(struct gm_snmp_endpoint *endpoint, const struct sockaddr_storage *to,
			   const void *data, size_t length)
{
	int family = to->ss_family == AF_INET6 ? V6 : V4;
	struct outbox *outbox = &endpoint->outboxes[family];
	size_t at = outbox->count;

	if (endpoint->fds[family] < 0) {
		endpoint->failed++;
		return;
	}
	outbox->parts[at] = (struct iovec){(void *)(uintptr_t)data, length};
	outbox->messages[at] = (struct mmsghdr){
		.msg_hdr = {.msg_name = (void *)(uintptr_t)to,
			    .msg_namelen = family == V6 ? sizeof(struct sockaddr_in6)
							: sizeof(struct sockaddr_in),
			    .msg_iov = &outbox->parts[at],
			    .msg_iovlen = 1}};
	if (++outbox->count == GM_SNMP_BATCH) {
		flush_family(endpoint, family);
	}
}

void gm_snmp_endpoint_flush(struct gm_snmp_endpoint *endpoint)
{
	flush_family(endpoint, V4);
	flush_family(endpoint, V6);
}

static int64_t wall_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * GM_SECOND + now.tv_nsec;
}

/* How long ago it came; 0 where that is not told, or where the clock was set meanwhile. */
static int64_t age_of(struct msghdr *message, int64_t wall)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
	     part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec stamp;

			memcpy(&stamp, CMSG_DATA(part), sizeof(stamp));
			int64_t age = wall - (stamp.tv_sec * GM_SECOND + stamp.tv_nsec);

			return age > 0 && age < GM_SECOND ? age : 0;
		}
	}
	return 0;
}

static void prepare(struct gm_snmp_endpoint *endpoint)
{
	for (size_t i = 0; i < GM_SNMP_BATCH; i++) {
		endpoint->parts[i] = (struct iovec){endpoint->data[i], GM_SNMP_DATAGRAM};
		endpoint->messages[i] =
			(struct mmsghdr){.msg_hdr = {.msg_name = &endpoint->from[i],
						     .msg_namelen = sizeof(endpoint->from[i]),
						     .msg_iov = &endpoint->parts[i],
						     .msg_iovlen = 1,
						     .msg_control = endpoint->control[i],
						     .msg_controllen = CONTROL_BYTES}};
	}
}

/* Datagrams of a batch that has come, by whom they were sent. */
static void watch_senders(struct gm_snmp_endpoint *endpoint, int family, int count, int64_t now)
{
	bool changed = false;

	for (int i = 0; i < count; i++) {
		changed |= gm_snmp_flood_note(&endpoint->flood, &endpoint->from[i], now);
	}
	if (changed) {
		gm_snmp_flood_filter(&endpoint->flood, family == V6 ? AF_INET6 : AF_INET,
				     endpoint->fds[family]);
	}
}

static size_t receive_family(struct gm_snmp_endpoint *endpoint, int family, size_t most,
			     int64_t now,
			     void (*take)(void *user, const struct gm_snmp_datagram *datagram),
			     void *user)
{
	size_t total = 0;

	while (total < most) {
		unsigned wanted = GM_SNMP_BATCH;

		if (most - total < wanted) {
			wanted = (unsigned)(most - total);
		}
		prepare(endpoint);
		int got = recvmmsg(endpoint->fds[family], endpoint->messages, wanted, MSG_DONTWAIT,
				   NULL);
		int64_t wall = wall_time();

		for (int i = 0; i < got; i++) {
			struct mmsghdr *message = &endpoint->messages[i];
			struct gm_snmp_datagram datagram = {
				.from = &endpoint->from[i],
				.data = endpoint->data[i],
				.length = message->msg_len,
				.cut = (message->msg_hdr.msg_flags & MSG_TRUNC) != 0,
				.age = age_of(&message->msg_hdr, wall),
			};

			take(user, &datagram);
		}
		watch_senders(endpoint, family, got, now);
		total += got > 0 ? (size_t)got : 0;
		if (got < (int)wanted) {
			break;
		}
	}
	return total;
}

size_t gm_snmp_endpoint_receive(struct gm_snmp_endpoint *endpoint, size_t most,
				void (*take)(void *user, const struct gm_snmp_datagram *datagram),
				void *user)
{
	size_t total = 0;
	int64_t now = gm_clock_monotonic();
	bool forgiven = gm_snmp_flood_expire(&endpoint->flood, now);

	for (int family = 0; family < FAMILIES; family++) {
		if (endpoint->fds[family] < 0) {
			continue;
		}
		if (forgiven) {
			gm_snmp_flood_filter(&endpoint->flood, family == V6 ? AF_INET6 : AF_INET,
					     endpoint->fds[family]);
		}
		total += receive_family(endpoint, family, most, now, take, user);
	}
	return total;
}

size_t gm_snmp_endpoint_blocked(const struct gm_snmp_endpoint *endpoint)
{
	return endpoint->flood.blocked_count;
}

int gm_snmp_endpoint_route(const struct gm_snmp_endpoint *endpoint,
			   const struct gm_address *address)
{
	return endpoint->routes < 0 ? endpoint->routes
				    : gm_snmp_routes_check(endpoint->routes, address);
}

uint64_t gm_snmp_endpoint_failed(const struct gm_snmp_endpoint *endpoint)
{
	return endpoint->failed;
}

bool gm_snmp_same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in *one = (const void *)a, *other = (const void *)b;
	const struct sockaddr_in6 *one6 = (const void *)a, *other6 = (const void *)b;

	if (a->ss_family != b->ss_family) {
		return false;
	}
	return a->ss_family == AF_INET
		       ? one->sin_addr.s_addr == other->sin_addr.s_addr
		       : memcmp(&one6->sin6_addr, &other6->sin6_addr, sizeof(one6->sin6_addr)) == 0;
}

bool gm_snmp_same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	/* The port stands at the same place in both families. */
	return gm_snmp_same_host(a, b) &&
	       ((const struct sockaddr_in *)(const void *)a)->sin_port ==
		       ((const struct sockaddr_in *)(const void *)b)->sin_port;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question to the kernel's routing; see routes.h. Used by endpoint.c.
 */
#include "source/snmp/routes.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"

enum { STALE_MAX = 16 }; /* answers that came too late for their question */

int gm_snmp_routes_open(void)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct timeval patience = {.tv_sec = 1};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0) {
		return -errno;
	}
	/* Connected: nobody but the kernel can send to it. */
	if (connect(fd, (struct sockaddr *)&kernel, sizeof(kernel)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

static int send_question(int fd, uint32_t number, const struct gm_address *address)
{
	struct {
		struct nlmsghdr header;
		struct rtmsg body;
		struct nlattr attribute;
		uint8_t octets[16];
	} message = {
		.header = {.nlmsg_type = RTM_GETROUTE,
			   .nlmsg_flags = NLM_F_REQUEST,
			   .nlmsg_seq = number},
		.body = {.rtm_family = address->version == 4 ? AF_INET : AF_INET6,
			 .rtm_dst_len = address->version == 4 ? 32 : 128},
		.attribute = {.nla_type = RTA_DST},
	};
	size_t octets = address->version == 4 ? 4 : 16;

	memcpy(message.octets, address->octets, octets);
	message.attribute.nla_len = (uint16_t)(sizeof(message.attribute) + octets);
	message.header.nlmsg_len = (uint32_t)(sizeof(message) - sizeof(message.octets) + octets);
	return send(fd, &message, message.header.nlmsg_len, 0) < 0 ? -errno : 0;
}

struct answer {
	struct nlmsghdr header;
	union {
		struct nlmsgerr error;
		struct rtmsg route;
	};
	uint8_t rest[1024];
};

/* The answer to the question of that number. Late ones to earlier questions are passed over. */
static int receive(int fd, uint32_t number, struct answer *ret_answer)
{
	for (int i = 0; i < STALE_MAX; i++) {
		ssize_t length = recv(fd, ret_answer, sizeof(*ret_answer), 0);

		if (length < 0) {
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		}
		if ((size_t)length < sizeof(ret_answer->header) + sizeof(ret_answer->route)) {
			return -EPROTO;
		}
		if (ret_answer->header.nlmsg_seq == number) {
			return 0;
		}
	}
	return -EPROTO;
}

int gm_snmp_routes_check(int fd, const struct gm_address *address)
{
	/* Any number does that an answer of the last questions does not bear. */
	uint32_t number = (uint32_t)(gm_clock_monotonic() / GM_MICROSECOND);
	struct answer answer;
	int rc = send_question(fd, number, address);

	if (rc == 0) {
		rc = receive(fd, number, &answer);
	}
	if (rc < 0) {
		return rc;
	}
	if (answer.header.nlmsg_type == NLMSG_ERROR) {
		return answer.error.error < 0 ? answer.error.error : -EPROTO;
	}
	if (answer.header.nlmsg_type != RTM_NEWROUTE) {
		return -EPROTO;
	}
	switch (answer.route.rtm_type) {
	case RTN_UNICAST:
		return 0;
	case RTN_LOCAL:
		return -EADDRINUSE;
	default:
		return -EADDRNOTAVAIL;
	}
}

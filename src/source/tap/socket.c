/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See socket.h. Called by tap/tap.c.
 */
#include "source/tap/socket.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	ANSWER_SECONDS = 1,
	NOTICES_ROOM = 1024 * 1024, /* of the notifications' socket */
};

int gm_tap_socket_open(unsigned groups, int *ret_fd)
{
	struct sockaddr_nl local = {.nl_family = AF_NETLINK, .nl_groups = groups};
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct timeval patience = {.tv_sec = ANSWER_SECONDS};
	int room = NOTICES_ROOM;
	int rc;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0) {
		return -errno;
	}
	/* Connected: nobody but the kernel can send to it. */
	if (bind(fd, (struct sockaddr *)&local, sizeof(local)) < 0 ||
	    connect(fd, (struct sockaddr *)&kernel, sizeof(kernel)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	/* Without the privilege the default room does; what overflows is listed again. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	*ret_fd = fd;
	return 0;
}

ssize_t gm_tap_socket_receive(int fd, void *buffer, size_t size, int flags)
{
	ssize_t length;

	do {
		length = recv(fd, buffer, size, MSG_TRUNC | flags);
	} while (length < 0 && errno == EINTR);
	if (length < 0) {
		return -errno;
	}
	return (size_t)length <= size ? length : -EMSGSIZE;
}

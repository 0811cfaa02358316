/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets of rtnetlink(7) as the tap source uses them: one for questions, one for notifications. Each
 * belongs to the thread that uses it.
 */
#ifndef GM_SOURCE_TAP_SOCKET_H
#define GM_SOURCE_TAP_SOCKET_H

#include <stddef.h>
#include <sys/types.h>

/* Connected to the kernel, listening to `groups` (RTMGRP_…; 0: none). 0 or a negative errno. */
int gm_tap_socket_open(unsigned groups, int *ret_fd);

/*
 * One datagram, which is waited for up to a second unless `flags` (as of recv()) say otherwise: its length or
 * a negative errno, -EAGAIN: there is none; -EMSGSIZE: it is larger than `size`.
 */
ssize_t gm_tap_socket_receive(int fd, void *buffer, size_t size, int flags);

#endif

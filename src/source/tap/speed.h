/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rate that a device's driver reports (ethtool(8); what /sys/class/net/X/speed shows, but asked of
 * the network namespace that the socket is in).
 */
#ifndef GM_SOURCE_TAP_SPEED_H
#define GM_SOURCE_TAP_SPEED_H

#include <stdbool.h>

#include "source/tap/netlink.h"

/*
 * False for kinds of device whose reported rate is a constant of the driver and limits nothing: a tap
 * says 10 Mbit/s, a veth 10 Gbit/s.
 */
bool gm_tap_speed_is_real(const struct gm_link *link);

/* Bit/s. `fd` is any socket. 0; -ENODATA when the driver does not know; another negative errno. */
int gm_tap_speed(int fd, const char *device, double *ret_speed);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the kernel would send a datagram (RTM_GETROUTE, rtnetlink(7)): whether an address is this node's
 * own, a broadcast, or somebody else's. One socket, which stays in the network namespace that it was
 * opened in. One thread.
 */
#ifndef GM_SOURCE_SNMP_ROUTES_H
#define GM_SOURCE_SNMP_ROUTES_H

#include "model/entity.h"

int gm_snmp_routes_open(void); /* a descriptor or a negative errno */

/*
 * 0: it is another host's and there is a way to it. -EADDRINUSE: it is one of the node's own;
 * -EADDRNOTAVAIL: it is no single host's; another errno: there is no way to it.
 */
int gm_snmp_routes_check(int fd, const struct gm_address *address);

#endif

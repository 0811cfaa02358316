/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks as prefixes (RFC 4632, RFC 4291 section 2.3), and whether an address that a stranger chose may
 * be sent to at all. Pure. Any thread.
 */
#ifndef GM_SOURCE_SNMP_NETWORKS_H
#define GM_SOURCE_SNMP_NETWORKS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/error.h"
#include "model/entity.h"

enum { GM_SNMP_NETWORKS_MAX = 8 };

struct gm_snmp_network {
	struct gm_address address;
	uint8_t length; /* bits of its prefix */
};

struct gm_snmp_networks {
	size_t count;
	struct gm_snmp_network list[GM_SNMP_NETWORKS_MAX];
};

/* "10.0.0.0/8,fd00::/8": no host bits, at least one. 0, or -EINVAL with the sentence. */
int gm_snmp_networks_parse(const char *text, struct gm_snmp_networks *ret_networks,
			   struct gm_error *err);

/*
 * Whether it lies in one of them and is one that a guest can have: no loopback, multicast, unspecified,
 * link-local or mapped one, whatever the networks say.
 */
bool gm_snmp_networks_allow(const struct gm_snmp_networks *networks,
			    const struct gm_address *address);

/* `port` in network order. */
void gm_snmp_address_socket(const struct gm_address *address, uint16_t port,
			    struct sockaddr_storage *ret_address);

#endif

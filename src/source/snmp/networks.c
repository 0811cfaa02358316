/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prefixes; see networks.h. Used by list.c and peers.c.
 */
#include "source/snmp/networks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(a, b, whole) == 0 &&
	       (rest == 0 || (uint8_t)(a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

/* All bits behind the prefix are 0: who writes 10.1.2.3/8 means something else than he says. */
static bool is_network(const struct gm_snmp_network *network)
{
	for (unsigned bit = network->length; bit < 128; bit++) {
		if (network->address.octets[bit / 8] >> (7 - bit % 8) & 1) {
			return false;
		}
	}
	return true;
}

static bool parse_one(char *text, struct gm_snmp_network *ret_network)
{
	char *slash = strchr(text, '/'), *end;
	unsigned long length;

	if (slash == NULL || slash[1] < '0' || slash[1] > '9') {
		return false;
	}
	*slash = '\0';
	length = strtoul(slash + 1, &end, 10);
	if (*end != '\0' || !gm_address_parse(text, &ret_network->address) ||
	    length > (ret_network->address.version == 4 ? 32U : 128U)) {
		return false;
	}
	ret_network->length = (uint8_t)length;
	return is_network(ret_network);
}

int gm_snmp_networks_parse(const char *text, struct gm_snmp_networks *ret_networks,
			   struct gm_error *err)
{
	struct gm_snmp_networks networks = {0};

	for (const char *at = text; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		char one[INET6_ADDRSTRLEN + 8];
		size_t length = strcspn(at, ",");

		if (networks.count == GM_SNMP_NETWORKS_MAX) {
			return gm_error_set(err, -EINVAL, "more than %d networks",
					    GM_SNMP_NETWORKS_MAX);
		}
		if (length >= sizeof(one)) {
			length = 0; /* none is as long */
		}
		memcpy(one, at, length);
		one[length] = '\0';
		if (!parse_one(one, &networks.list[networks.count])) {
			return gm_error_set(err, -EINVAL,
					    "a network is written 10.0.0.0/8 or fd00::/8, without "
					    "bits behind its prefix");
		}
		networks.count++;
	}
	*ret_networks = networks;
	return 0;
}

/* What no guest can have, or what leads back to this node. */
static bool is_special(const struct gm_address *address)
{
	static const struct gm_snmp_network special[] = {
		{{4, {0}}, 8},
		{{4, {127}}, 8},
		{{4, {169, 254}}, 16},
		{{4, {224}}, 3}, /* multicast, class E, broadcast */
		{{6, {0}}, 8},   /* unspecified, loopback, mapped and compatible ones */
		{{6, {0, 0x64, 0xff, 0x9b}}, 32},
		{{6, {0xfe, 0x80}}, 10},
		{{6, {0xff}}, 8},
	};

	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		if (special[i].address.version == address->version &&
		    same_prefix(special[i].address.octets, address->octets, special[i].length)) {
			return true;
		}
	}
	return false;
}

bool gm_snmp_networks_allow(const struct gm_snmp_networks *networks,
			    const struct gm_address *address)
{
	for (size_t i = 0; i < networks->count; i++) {
		const struct gm_snmp_network *network = &networks->list[i];

		if (network->address.version == address->version &&
		    same_prefix(network->address.octets, address->octets, network->length)) {
			return !is_special(address);
		}
	}
	return false;
}

void gm_snmp_address_socket(const struct gm_address *address, uint16_t port,
			    struct sockaddr_storage *ret_address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret_address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_address;

	memset(ret_address, 0, sizeof(*ret_address));
	if (address->version == 4) {
		v4->sin_family = AF_INET;
		v4->sin_port = port;
		memcpy(&v4->sin_addr, address->octets, sizeof(v4->sin_addr));
	} else {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = port;
		memcpy(&v6->sin6_addr, address->octets, sizeof(v6->sin6_addr));
	}
}

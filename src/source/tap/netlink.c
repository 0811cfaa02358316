/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rtnetlink messages; see netlink.h. Headers are copied out before they are looked at, because
 * neither their alignment nor their lengths can be relied on. Called by tap/tap.c for what the kernel
 * sends, and with any bytes by the tests.
 */
#include "source/tap/netlink.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { ERRNO_MAX = 4095, MAC_SIZE = 6 };

/* A run of bytes that is eaten from the front. */
struct span {
	const uint8_t *data;
	size_t length;
};

struct attribute {
	unsigned type;
	struct span value;
};

static struct span skip(struct span span, size_t count)
{
	count = count < span.length ? count : span.length;
	return (struct span){.data = span.data + count, .length = span.length - count};
}

/* 1: an attribute was taken; 0: there are no more; -EPROTO. */
static int next_attribute(struct span *rest, struct attribute *ret_attribute)
{
	struct nlattr header;

	if (rest->length == 0) {
		return 0;
	}
	if (rest->length < sizeof(header)) {
		return -EPROTO;
	}
	memcpy(&header, rest->data, sizeof(header));
	if (header.nla_len < sizeof(header) || header.nla_len > rest->length) {
		return -EPROTO;
	}
	*ret_attribute = (struct attribute){
		.type = header.nla_type & NLA_TYPE_MASK,
		.value = {.data = rest->data + sizeof(header),
			  .length = header.nla_len - sizeof(header)},
	};
	*rest = skip(*rest, NLA_ALIGN(header.nla_len));
	return 1;
}

/* Text that may or may not have its NUL; what does not fit is cut. */
static void copy_text(char *target, size_t size, struct span value)
{
	size_t length = value.length < size - 1 ? value.length : size - 1;

	length = strnlen((const char *)value.data, length);
	memcpy(target, value.data, length);
	target[length] = '\0';
}

/* The beginning of struct rtnl_link_stats64: shorter ones of old kernels and longer ones are fine. */
struct counters {
	uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes;
	uint64_t rx_errors, tx_errors, rx_dropped, tx_dropped;
	/* From here on it may be missing. */
	uint64_t multicast, collisions;
	uint64_t rx_length, rx_overrun, rx_checksum, rx_frame, rx_fifo, rx_missed;
	uint64_t tx_aborted, tx_carrier, tx_fifo, tx_heartbeat, tx_window;
};

/* Each is what one check of the receiver or sender found: they do not count a packet twice. */
static uint64_t hardware_errors(const struct counters *counters)
{
	return counters->rx_length + counters->rx_overrun + counters->rx_checksum +
	       counters->rx_frame + counters->rx_fifo + counters->rx_missed + counters->tx_aborted +
	       counters->tx_carrier + counters->tx_fifo + counters->tx_heartbeat +
	       counters->tx_window;
}

static int parse_stats(struct span body, const struct gm_netlink_visitor *visitor)
{
	struct if_stats_msg header;
	struct attribute attribute;
	int rc;

	if (body.length < sizeof(header)) {
		return -EPROTO;
	}
	memcpy(&header, body.data, sizeof(header));
	body = skip(body, NLMSG_ALIGN(sizeof(header)));
	while ((rc = next_attribute(&body, &attribute)) > 0) {
		if (attribute.type != IFLA_STATS_LINK_64) {
			continue;
		}
		struct counters counters = {0};
		size_t length = attribute.value.length;

		if (length < offsetof(struct counters, multicast)) {
			return -EPROTO;
		}
		memcpy(&counters, attribute.value.data,
		       length < sizeof(counters) ? length : sizeof(counters));
		visitor->stats(visitor->user, &(struct gm_link_stats){
						      .index = header.ifindex,
						      .rx_packets = counters.rx_packets,
						      .tx_packets = counters.tx_packets,
						      .rx_bytes = counters.rx_bytes,
						      .tx_bytes = counters.tx_bytes,
						      .rx_errors = counters.rx_errors,
						      .tx_errors = counters.tx_errors,
						      .rx_dropped = counters.rx_dropped,
						      .tx_dropped = counters.tx_dropped,
						      .hardware = hardware_errors(&counters),
					      });
	}
	return rc;
}

static int parse_link_info(struct span nested, struct gm_link *link)
{
	struct attribute attribute;
	int rc;

	while ((rc = next_attribute(&nested, &attribute)) > 0) {
		if (attribute.type == IFLA_INFO_KIND) {
			copy_text(link->kind, sizeof(link->kind), attribute.value);
		}
	}
	return rc;
}

static int parse_link_attribute(const struct attribute *attribute, struct gm_link *link)
{
	const uint8_t *byte = attribute->value.data;

	switch (attribute->type) {
	case IFLA_IFNAME:
		copy_text(link->name, sizeof(link->name), attribute->value);
		return 0;
	case IFLA_ADDRESS:
		if (attribute->value.length == MAC_SIZE) {
			snprintf(link->mac, sizeof(link->mac), "%02x:%02x:%02x:%02x:%02x:%02x",
				 byte[0], byte[1], byte[2], byte[3], byte[4], byte[5]);
		}
		return 0;
	case IFLA_MASTER:
		if (attribute->value.length == sizeof(link->master)) {
			memcpy(&link->master, byte, sizeof(link->master));
		}
		return 0;
	case IFLA_LINKINFO:
		return parse_link_info(attribute->value, link);
	default:
		return 0;
	}
}

static int parse_link(struct span body, bool gone, const struct gm_netlink_visitor *visitor)
{
	struct ifinfomsg header;
	struct attribute attribute;
	struct gm_link link = {0};
	int rc;

	if (body.length < sizeof(header)) {
		return -EPROTO;
	}
	memcpy(&header, body.data, sizeof(header));
	/*
	 * A bridge tells of its ports with the same types and family AF_BRIDGE; a "deleted" there means
	 * that the port left the bridge, not that the device is gone.
	 */
	if (header.ifi_family != AF_UNSPEC || header.ifi_index <= 0) {
		return 0;
	}
	link.index = (uint32_t)header.ifi_index;
	if (gone) {
		visitor->link_gone(visitor->user, link.index);
		return 0;
	}
	body = skip(body, NLMSG_ALIGN(sizeof(header)));
	while ((rc = next_attribute(&body, &attribute)) > 0) {
		rc = parse_link_attribute(&attribute, &link);
		if (rc < 0) {
			return rc;
		}
	}
	if (rc == 0 && link.name[0] != '\0') {
		visitor->link(visitor->user, &link);
	}
	return rc;
}

/* The errno of NLMSG_ERROR and NLMSG_DONE; 0 there is success. */
static int parse_error(struct span body, bool required)
{
	int32_t code;

	if (body.length < sizeof(code)) {
		return required ? -EPROTO : 0;
	}
	memcpy(&code, body.data, sizeof(code));
	if (code > 0 || code < -ERRNO_MAX) {
		return -EPROTO;
	}
	return code;
}

static int parse_message(unsigned type, struct span body, const struct gm_netlink_visitor *visitor,
			 struct gm_netlink_result *result)
{
	switch (type) {
	case NLMSG_ERROR:
		result->done = true;
		return parse_error(body, true);
	case NLMSG_DONE:
		result->done = true;
		return parse_error(body, false);
	case NLMSG_OVERRUN:
		return -ENOBUFS;
	case RTM_NEWSTATS:
		return parse_stats(body, visitor);
	case RTM_NEWLINK:
		return parse_link(body, false, visitor);
	case RTM_DELLINK:
		return parse_link(body, true, visitor);
	default:
		return 0;
	}
}

int gm_netlink_parse(const void *data, size_t length, uint32_t sequence,
		     const struct gm_netlink_visitor *visitor, struct gm_netlink_result *ret_result)
{
	struct span rest = {.data = data, .length = length};

	*ret_result = (struct gm_netlink_result){.done = false};
	while (rest.length > 0) {
		struct nlmsghdr header;
		struct span body;
		int rc;

		if (rest.length < sizeof(header)) {
			return -EPROTO;
		}
		memcpy(&header, rest.data, sizeof(header));
		if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > rest.length) {
			return -EPROTO;
		}
		body = (struct span){.data = rest.data + sizeof(header),
				     .length = header.nlmsg_len - sizeof(header)};
		rest = skip(rest, NLMSG_ALIGN((size_t)header.nlmsg_len));
		if (sequence != 0 && header.nlmsg_seq != sequence) {
			continue;
		}
		if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) {
			ret_result->interrupted = true;
		}
		rc = parse_message(header.nlmsg_type, body, visitor, ret_result);
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

static size_t write_stats_request(void *request, uint32_t sequence, uint32_t index)
{
	struct {
		struct nlmsghdr header;
		struct if_stats_msg body;
	} message = {
		.header = {.nlmsg_len = sizeof(message),
			   .nlmsg_type = RTM_GETSTATS,
			   .nlmsg_flags = NLM_F_REQUEST | (index == 0 ? NLM_F_DUMP : 0),
			   .nlmsg_seq = sequence},
		.body = {.ifindex = index,
			 .filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64)},
	};

	_Static_assert(sizeof(message) <= GM_NETLINK_REQUEST, "a request fits");
	_Static_assert(sizeof(message) == NLMSG_ALIGN(sizeof(message)), "and another after it");
	memcpy(request, &message, sizeof(message));
	return sizeof(message);
}

size_t gm_netlink_stats_request(void *request, uint32_t sequence)
{
	return write_stats_request(request, sequence, 0);
}

size_t gm_netlink_one_request(void *request, uint32_t sequence, uint32_t index)
{
	return write_stats_request(request, sequence, index);
}

size_t gm_netlink_link_request(void *request, uint32_t sequence)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg body;
		struct nlattr attribute;
		uint32_t ext_mask;
	} message = {
		.header = {.nlmsg_len = sizeof(message),
			   .nlmsg_type = RTM_GETLINK,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			   .nlmsg_seq = sequence},
		.body = {.ifi_family = AF_UNSPEC},
		.attribute = {.nla_len = sizeof(message.attribute) + sizeof(message.ext_mask),
			      .nla_type = IFLA_EXT_MASK},
		.ext_mask = RTEXT_FILTER_SKIP_STATS,
	};

	_Static_assert(sizeof(message) <= GM_NETLINK_REQUEST, "a request fits");
	memcpy(request, &message, sizeof(message));
	return sizeof(message);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser of rtnetlink answers: whole, in parts, cut at every byte, and with lengths that lie.
 * Each buffer is a heap block of exactly its size, so that a sanitizer sees a byte read too many.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "source/tap/netlink.h"

enum { ROOM = 4096, SEEN = 8 };

struct message {
	uint8_t bytes[ROOM];
	size_t length;
	size_t start; /* of the message that is being written */
};

struct visits {
	struct gm_link_stats stats[SEEN];
	struct gm_link links[SEEN];
	uint32_t gone[SEEN];
	int stats_count, link_count, gone_count;
};

static void put(struct message *message, const void *data, size_t length)
{
	assert_true(message->length + length + 4 <= ROOM);
	if (length > 0) {
		memcpy(message->bytes + message->length, data, length);
	}
	message->length = (message->length + length + 3) & ~(size_t)3;
}

static void begin(struct message *message, unsigned type, unsigned flags, uint32_t sequence)
{
	struct nlmsghdr header = {.nlmsg_type = (uint16_t)type,
				  .nlmsg_flags = (uint16_t)flags,
				  .nlmsg_seq = sequence};

	message->start = message->length;
	put(message, &header, sizeof(header));
}

static void end(struct message *message)
{
	uint32_t length = (uint32_t)(message->length - message->start);

	memcpy(message->bytes + message->start, &length, sizeof(length));
}

static void put_attribute(struct message *message, unsigned type, const void *data, size_t length)
{
	struct nlattr header = {.nla_len = (uint16_t)(sizeof(header) + length),
				.nla_type = (uint16_t)type};

	put(message, &header, sizeof(header));
	put(message, data, length);
}

static void put_stats(struct message *message, uint32_t sequence, uint32_t index, uint64_t base)
{
	struct if_stats_msg body = {.ifindex = index, .filter_mask = 1};
	struct rtnl_link_stats64 stats = {
		.rx_packets = base,
		.tx_packets = base + 1,
		.rx_bytes = base + 2,
		.tx_bytes = base + 3,
		.rx_errors = base + 4,
		.tx_errors = base + 5,
		.rx_dropped = base + 6,
		.tx_dropped = base + 7,
	};

	begin(message, RTM_NEWSTATS, NLM_F_MULTI, sequence);
	put(message, &body, sizeof(body));
	put_attribute(message, IFLA_STATS_LINK_64, &stats, sizeof(stats));
	end(message);
}

static void put_link(struct message *message, unsigned type, int family, int index,
		     const char *name)
{
	struct ifinfomsg body = {.ifi_family = (unsigned char)family, .ifi_index = index};
	const uint8_t mac[] = {0x52, 0x54, 0, 0xab, 0xcd, 0xef};
	struct message nested = {.length = 0};

	put_attribute(&nested, IFLA_INFO_KIND, "tun", 4);
	put_attribute(&nested, IFLA_INFO_DATA, "\1\2\3\4", 4);
	begin(message, type, NLM_F_MULTI, 7);
	put(message, &body, sizeof(body));
	put_attribute(message, IFLA_MTU, "\0\0\0\0", 4);
	put_attribute(message, IFLA_IFNAME, name, strlen(name) + 1);
	put_attribute(message, IFLA_ADDRESS, mac, sizeof(mac));
	put_attribute(message, IFLA_LINKINFO | NLA_F_NESTED, nested.bytes, nested.length);
	end(message);
}

static void put_done(struct message *message, uint32_t sequence, int32_t code)
{
	begin(message, NLMSG_DONE, NLM_F_MULTI, sequence);
	put(message, &code, sizeof(code));
	end(message);
}

static void on_stats(void *user, const struct gm_link_stats *stats)
{
	struct visits *visits = user;

	visits->stats[visits->stats_count++ % SEEN] = *stats;
}

static void on_link(void *user, const struct gm_link *link)
{
	struct visits *visits = user;

	assert_non_null(memchr(link->name, '\0', sizeof(link->name)));
	assert_non_null(memchr(link->kind, '\0', sizeof(link->kind)));
	visits->links[visits->link_count++ % SEEN] = *link;
}

static void on_gone(void *user, uint32_t index)
{
	struct visits *visits = user;

	visits->gone[visits->gone_count++ % SEEN] = index;
}

static int parse(const uint8_t *bytes, size_t length, uint32_t sequence, struct visits *visits,
		 struct gm_netlink_result *result)
{
	struct gm_netlink_visitor visitor = {
		.stats = on_stats, .link = on_link, .link_gone = on_gone, .user = visits};
	uint8_t *exact = malloc(length > 0 ? length : 1);
	int rc;

	assert_non_null(exact);
	memcpy(exact, bytes, length);
	*visits = (struct visits){.stats_count = 0};
	rc = gm_netlink_parse(exact, length, sequence, &visitor, result);
	free(exact);
	return rc;
}

static void parts_of_a_dump(void **state)
{
	struct message message = {.length = 0};
	struct gm_netlink_result result;
	struct visits visits;

	(void)state;
	put_stats(&message, 7, 3, 1000);
	put_stats(&message, 6, 4, 5000); /* of an earlier request */
	put_stats(&message, 7, 5, UINT64_MAX - 7);
	assert_int_equal(parse(message.bytes, message.length, 7, &visits, &result), 0);
	assert_false(result.done);
	assert_false(result.interrupted);
	assert_int_equal(visits.stats_count, 2);
	assert_int_equal(visits.stats[0].index, 3);
	assert_int_equal(visits.stats[0].rx_packets, 1000);
	assert_int_equal(visits.stats[0].tx_packets, 1001);
	assert_int_equal(visits.stats[0].rx_bytes, 1002);
	assert_int_equal(visits.stats[0].tx_bytes, 1003);
	assert_int_equal(visits.stats[0].rx_errors, 1004);
	assert_int_equal(visits.stats[0].tx_errors, 1005);
	assert_int_equal(visits.stats[0].rx_dropped, 1006);
	assert_int_equal(visits.stats[0].tx_dropped, 1007);
	assert_int_equal(visits.stats[1].index, 5);
	assert_true(visits.stats[1].tx_dropped == UINT64_MAX);

	message.length = 0;
	put_done(&message, 7, 0);
	assert_int_equal(parse(message.bytes, message.length, 7, &visits, &result), 0);
	assert_true(result.done);
	/* The end of another dump is not the end of this one. */
	assert_int_equal(parse(message.bytes, message.length, 8, &visits, &result), 0);
	assert_false(result.done);
	assert_int_equal(parse(message.bytes, 0, 7, &visits, &result), 0);
	assert_false(result.done);
}

static void links_come_and_go(void **state)
{
	struct message message = {.length = 0};
	struct gm_netlink_result result;
	struct visits visits;

	(void)state;
	put_link(&message, RTM_NEWLINK, AF_UNSPEC, 12, "tap0123456-78");
	put_link(&message, RTM_DELLINK, AF_UNSPEC, 13, "tap1");
	put_link(&message, RTM_DELLINK, AF_BRIDGE, 14, "port");
	put_link(&message, RTM_NEWLINK, AF_BRIDGE, 15, "port");
	put_link(&message, RTM_NEWLINK, AF_UNSPEC, -1, "bad-index");
	put_link(&message, RTM_NEWLINK, AF_UNSPEC, 16, "a-name-that-is-longer-than-any-can-be");
	assert_int_equal(parse(message.bytes, message.length, 0, &visits, &result), 0);
	assert_int_equal(visits.link_count, 2);
	assert_int_equal(visits.links[0].index, 12);
	assert_string_equal(visits.links[0].name, "tap0123456-78");
	assert_string_equal(visits.links[0].kind, "tun");
	assert_string_equal(visits.links[0].mac, "52:54:00:ab:cd:ef");
	assert_string_equal(visits.links[1].name, "a-name-that-is-");
	assert_int_equal(visits.gone_count, 1);
	assert_int_equal(visits.gone[0], 13);
}

static void the_kernels_errors(void **state)
{
	struct message message = {.length = 0};
	struct gm_netlink_result result;
	struct visits visits;
	int32_t code = -EOPNOTSUPP;

	(void)state;
	begin(&message, NLMSG_ERROR, 0, 7);
	put(&message, &code, sizeof(code));
	end(&message);
	assert_int_equal(parse(message.bytes, message.length, 7, &visits, &result), -EOPNOTSUPP);
	assert_true(result.done);

	message.length = 0;
	put_done(&message, 7, -ENOBUFS);
	assert_int_equal(parse(message.bytes, message.length, 7, &visits, &result), -ENOBUFS);

	message.length = 0;
	begin(&message, NLMSG_OVERRUN, 0, 7);
	end(&message);
	assert_int_equal(parse(message.bytes, message.length, 7, &visits, &result), -ENOBUFS);

	/* No errno at all: a positive one, one out of range, none. */
	for (int i = 0; i < 3; i++) {
		const int32_t codes[] = {5, INT32_MIN, 0};

		message.length = 0;
		begin(&message, NLMSG_ERROR, 0, 7);
		put(&message, &codes[i], i < 2 ? sizeof(codes[i]) : 0);
		end(&message);
		assert_int_equal(parse(message.bytes, message.length, 7, &visits, &result),
				 -EPROTO);
	}

	message.length = 0;
	put_stats(&message, 7, 3, 1);
	message.bytes[6] |= NLM_F_DUMP_INTR;
	assert_int_equal(parse(message.bytes, message.length, 7, &visits, &result), 0);
	assert_true(result.interrupted);
	assert_int_equal(visits.stats_count, 1);
}

/* Cut anywhere but between two messages, a datagram is malformed; what was whole has been visited. */
static void cut_at_every_byte(void **state)
{
	struct message message = {.length = 0};
	struct gm_netlink_result result;
	struct visits visits;
	size_t first, second;

	(void)state;
	put_stats(&message, 7, 3, 1000);
	first = message.length;
	put_link(&message, RTM_NEWLINK, AF_UNSPEC, 12, "tap0");
	second = message.length;
	put_done(&message, 7, 0);
	for (size_t length = 0; length <= message.length; length++) {
		bool whole = length == 0 || length == first || length == second ||
			     length == message.length;
		int rc = parse(message.bytes, length, 7, &visits, &result);

		assert_int_equal(rc, whole ? 0 : -EPROTO);
		assert_int_equal(visits.stats_count, length >= first);
		assert_int_equal(visits.link_count, length >= second);
	}
}

/* The same with the header's length following the cut, so that the attributes inside are short. */
static void short_inside_of_a_message(void **state)
{
	struct message whole = {.length = 0};
	struct gm_netlink_result result;
	struct visits visits;

	(void)state;
	put_stats(&whole, 7, 3, 1000);
	for (uint32_t length = 0; length < whole.length; length++) {
		struct message message = whole;
		int rc;

		memcpy(message.bytes, &length, sizeof(length));
		rc = parse(message.bytes, length, 7, &visits, &result);
		/* A header and a body without any attribute are well-formed, and tell nothing. */
		assert_int_equal(rc, length == 0 || length == 28 ? 0 : -EPROTO);
		assert_int_equal(visits.stats_count, 0);
	}
}

static void lengths_that_lie(void **state)
{
	const uint32_t lengths[] = {0, 1, 15, 0x7fffffff, 0xfffffffd, 0xffffffff};
	const uint16_t attribute_lengths[] = {0, 1, 3, 60, 0xfffd, 0xffff};
	struct gm_netlink_result result;
	struct visits visits;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct message message = {.length = 0};

		put_stats(&message, 7, 3, 1);
		memcpy(message.bytes, &lengths[i], sizeof(lengths[i]));
		assert_int_equal(parse(message.bytes, message.length, 7, &visits, &result),
				 -EPROTO);
	}
	for (size_t i = 0; i < sizeof(attribute_lengths) / sizeof(attribute_lengths[0]); i++) {
		struct message message = {.length = 0};

		put_stats(&message, 7, 3, 1);
		memcpy(message.bytes + 28, &attribute_lengths[i], sizeof(attribute_lengths[i]));
		assert_int_equal(parse(message.bytes, message.length, 7, &visits, &result),
				 -EPROTO);
		assert_int_equal(visits.stats_count, 0);
	}
}

/* Every byte of a good datagram changed in turn, and noise: no answer but a clean one. */
static void any_bytes(void **state)
{
	struct message whole = {.length = 0};
	struct gm_netlink_result result;
	struct visits visits;
	uint32_t noise = 12345;

	(void)state;
	put_stats(&whole, 7, 3, 1000);
	put_link(&whole, RTM_NEWLINK, AF_UNSPEC, 12, "tap0");
	put_done(&whole, 7, 0);
	for (size_t at = 0; at < whole.length; at++) {
		for (int bit = 0; bit < 8; bit++) {
			struct message message = whole;
			int rc;

			message.bytes[at] ^= (uint8_t)(1 << bit);
			rc = parse(message.bytes, message.length, 0, &visits, &result);
			assert_in_range(-rc, 0, 4095);
			assert_in_range(visits.stats_count, 0, 1);
			assert_in_range(visits.link_count, 0, 1);
		}
	}
	for (int round = 0; round < 2000; round++) {
		struct message message = {.length = 128};
		int rc;

		for (size_t i = 0; i < message.length; i++) {
			noise = noise * 1664525 + 1013904223;
			message.bytes[i] = (uint8_t)(noise >> 24);
		}
		message.bytes[1] = message.bytes[2] = message.bytes[3] = 0; /* a likely length */
		rc = parse(message.bytes, message.length, 0, &visits, &result);
		assert_in_range(-rc, 0, 4095);
	}
}

static void requests_are_well_formed(void **state)
{
	uint8_t request[GM_NETLINK_REQUEST];
	struct nlmsghdr header;
	size_t length = gm_netlink_stats_request(request, 99);

	(void)state;
	memcpy(&header, request, sizeof(header));
	assert_int_equal(header.nlmsg_len, length);
	assert_int_equal(length, 28);
	assert_int_equal(header.nlmsg_type, RTM_GETSTATS);
	assert_int_equal(header.nlmsg_seq, 99);
	assert_int_equal(header.nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
	length = gm_netlink_link_request(request, 100);
	memcpy(&header, request, sizeof(header));
	assert_int_equal(header.nlmsg_len, length);
	assert_int_equal(length, 40);
	assert_int_equal(header.nlmsg_type, RTM_GETLINK);
	assert_int_equal(header.nlmsg_seq, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_of_a_dump),
		cmocka_unit_test(links_come_and_go),
		cmocka_unit_test(the_kernels_errors),
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(short_inside_of_a_message),
		cmocka_unit_test(lengths_that_lie),
		cmocka_unit_test(any_bytes),
		cmocka_unit_test(requests_are_well_formed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

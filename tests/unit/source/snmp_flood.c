/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is shut out, for how long, and that the kernel does it: real sockets on loopback, of both
 * families.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "source/snmp/flood.h"

#define NOW (1000 * GM_SECOND)

static struct sockaddr_storage host(uint32_t number)
{
	struct sockaddr_storage address = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&address;

	v4->sin_family = AF_INET;
	v4->sin_addr.s_addr = htonl(number);
	return address;
}

static void lets_everybody_speak(void **state)
{
	struct gm_snmp_flood flood = {0};

	(void)state;
	/* Four thousand guests ten times a second, in turn, for five seconds. */
	for (int turn = 0; turn < 50; turn++) {
		for (uint32_t guest = 0; guest < 4000; guest++) {
			struct sockaddr_storage from = host(0x0a000000 + guest);

			assert_false(gm_snmp_flood_note(&flood, &from,
							NOW + turn * 100 * GM_MILLISECOND));
		}
	}
	assert_int_equal(flood.blocked_count, 0);
}

static void finds_who_floods(void **state)
{
	struct gm_snmp_flood flood = {0};
	struct sockaddr_storage loud = host(0x0a00ffff);
	int noted = 0, blocked_after = 0;

	(void)state;
	/* Among others, from any port. */
	for (uint32_t i = 0; i < 20000; i++) {
		struct sockaddr_storage other = host(0x0a000000 + i % 500);

		((struct sockaddr_in *)(void *)&loud)->sin_port = (in_port_t)i;
		assert_false(gm_snmp_flood_note(&flood, &other, NOW));
		noted++;
		if (gm_snmp_flood_note(&flood, &loud, NOW)) {
			assert_int_equal(blocked_after, 0); /* told once */
			blocked_after = noted;
		}
	}
	assert_in_range(blocked_after, GM_SNMP_FLOOD_RATE, 2 * GM_SNMP_FLOOD_RATE);
	assert_int_equal(flood.blocked_count, 1);
	assert_false(gm_snmp_flood_expire(&flood, NOW + 9 * GM_SECOND));
	assert_true(gm_snmp_flood_expire(&flood, NOW + 10 * GM_SECOND));
	assert_int_equal(flood.blocked_count, 0);
}

static void shuts_out_a_bounded_number(void **state)
{
	struct gm_snmp_flood flood = {0};

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		struct sockaddr_storage from = host(i);
		bool blocked = false;

		for (int k = 0; k < 2 * GM_SNMP_FLOOD_RATE; k++) {
			blocked |= gm_snmp_flood_note(&flood, &from, NOW + i * GM_SECOND / 50);
		}
		assert_true(blocked);
	}
	assert_int_equal(flood.blocked_count, GM_SNMP_FLOOD_BLOCKED);
}

static int bound(const struct sockaddr_storage *address, struct sockaddr_storage *ret_address)
{
	socklen_t size = sizeof(*ret_address);
	int fd = socket(address->ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)address, sizeof(*address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)ret_address, &size), 0);
	return fd;
}

static bool arrives(int out, int in, const struct sockaddr_storage *to)
{
	char byte = 1;

	assert_int_equal(sendto(out, &byte, 1, 0, (const struct sockaddr *)to, sizeof(*to)), 1);
	return recv(in, &byte, 1, 0) == 1;
}

/* Two senders, of which the first is shut out. */
static void check_filter(const struct sockaddr_storage *listener,
			 const struct sockaddr_storage *sender,
			 const struct sockaddr_storage *other)
{
	struct gm_snmp_flood flood = {0};
	struct sockaddr_storage to, from, unused;
	int in = bound(listener, &to), out = bound(sender, &from), second = bound(other, &unused);
	struct sockaddr_storage stranger = host(0x7f000009);

	assert_true(arrives(out, in, &to));
	for (int i = 0; i < 2 * GM_SNMP_FLOOD_RATE; i++) {
		gm_snmp_flood_note(&flood, &stranger, NOW);
		gm_snmp_flood_note(&flood, &from, NOW);
	}
	assert_int_equal(flood.blocked_count, 2);
	gm_snmp_flood_filter(&flood, listener->ss_family, in);
	assert_false(arrives(out, in, &to));
	assert_int_equal(arrives(second, in, &to),
			 memcmp(sender, other, sizeof(*sender)) != 0); /* it alone is meant */
	gm_snmp_flood_expire(&flood, NOW + 60 * GM_SECOND);
	gm_snmp_flood_filter(&flood, listener->ss_family, in);
	assert_true(arrives(out, in, &to));
	close(in);
	close(out);
	close(second);
}

static void filters_ipv4(void **state)
{
	struct sockaddr_storage one = host(0x7f000001), two = host(0x7f000002),
				three = host(0x7f000003);

	(void)state;
	check_filter(&one, &two, &three);
}

static void filters_ipv6(void **state)
{
	struct sockaddr_storage one = {0};
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&one;
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	v6->sin6_family = AF_INET6;
	v6->sin6_addr = in6addr_loopback;
	if (fd < 0 || bind(fd, (struct sockaddr *)&one, sizeof(one)) < 0) {
		skip(); /* the kernel has none */
	}
	close(fd);
	check_filter(&one, &one, &one); /* there is but one address of the kind */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lets_everybody_speak),
		cmocka_unit_test(finds_who_floods),
		cmocka_unit_test(shuts_out_a_bounded_number),
		cmocka_unit_test(filters_ipv4),
		cmocka_unit_test(filters_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

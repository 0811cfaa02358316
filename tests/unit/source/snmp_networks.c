/* SPDX-License-Identifier: Apache-2.0 */
/* Networks as the operator writes them, and addresses as a guest may claim them. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "source/snmp/networks.h"
#include "source/snmp/routes.h"

static struct gm_address address_of(const char *text)
{
	struct gm_address address = {0};

	address.version = strchr(text, ':') ? 6 : 4;
	assert_int_equal(inet_pton(address.version == 6 ? AF_INET6 : AF_INET, text, address.octets),
			 1);
	return address;
}

static void refuses_what_is_no_network(void **state)
{
	static const char *const wrong[] = {
		"",
		",",
		"10.0.0.0",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"10.0.0.0/8x",
		"10.0.0.0/ 8",
		"10.0.0.1/8",
		"10.0.0.0/8,",
		"fd00::/129",
		"fd00::1/8",
		"example.org/8",
		"10.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0/8",
		"1.0.0.0/8,2.0.0.0/8,3.0.0.0/8,4.0.0.0/8,5.0.0.0/8,"
		"6.0.0.0/8,7.0.0.0/8,8.0.0.0/8,9.0.0.0/8"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct gm_snmp_networks networks = {.count = 77};
		struct gm_error err = {.text = ""};

		if (gm_snmp_networks_parse(wrong[i], &networks, &err) != -EINVAL) {
			fail_msg("%s was taken", wrong[i]);
		}
		assert_int_equal(networks.count, 77);
		assert_true(err.text[0] != '\0');
	}
}

static void allows_what_lies_within(void **state)
{
	static const struct {
		const char *networks, *address;
		bool allowed;
	} cases[] = {
		{"10.0.0.0/8", "10.255.0.1", true},
		{"10.0.0.0/8", "11.0.0.1", false},
		{"10.1.128.0/17", "10.1.127.255", false},
		{"10.1.128.0/17", "10.1.128.0", true},
		{"10.1.2.3/32", "10.1.2.3", true},
		{"10.1.2.3/32", "10.1.2.2", false},
		{"fd00:1::/32,10.0.0.0/8", "fd00:1::5", true},
		{"fd00:1::/32,10.0.0.0/8", "fd00:2::5", false},
		{"fd00:1::/32,10.0.0.0/8", "10.0.0.5", true},
		/* The widest network of all does not reach these. */
		{"0.0.0.0/0,::/0", "192.0.2.1", true},
		{"0.0.0.0/0,::/0", "2001:db8::1", true},
		{"0.0.0.0/0,::/0", "127.0.0.1", false},
		{"0.0.0.0/0,::/0", "127.255.0.1", false},
		{"0.0.0.0/0,::/0", "0.0.0.0", false},
		{"0.0.0.0/0,::/0", "169.254.169.254", false},
		{"0.0.0.0/0,::/0", "224.0.0.1", false},
		{"0.0.0.0/0,::/0", "255.255.255.255", false},
		{"0.0.0.0/0,::/0", "::1", false},
		{"0.0.0.0/0,::/0", "::", false},
		{"0.0.0.0/0,::/0", "::ffff:127.0.0.1", false},
		{"0.0.0.0/0,::/0", "64:ff9b::7f00:1", false},
		{"0.0.0.0/0,::/0", "fe80::1", false},
		{"0.0.0.0/0,::/0", "ff02::1", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gm_snmp_networks networks;
		struct gm_address address = address_of(cases[i].address);

		assert_int_equal(gm_snmp_networks_parse(cases[i].networks, &networks, NULL), 0);
		if (gm_snmp_networks_allow(&networks, &address) != cases[i].allowed) {
			fail_msg("%s within %s", cases[i].address, cases[i].networks);
		}
	}
	struct gm_snmp_networks all;
	struct gm_address none = {0};

	assert_int_equal(gm_snmp_networks_parse("0.0.0.0/0,::/0", &all, NULL), 0);
	assert_false(gm_snmp_networks_allow(&all, &none));
}

static void writes_sockets(void **state)
{
	struct gm_address v4 = address_of("10.1.2.3"), v6 = address_of("fd00::7");
	struct sockaddr_storage storage;
	char text[INET6_ADDRSTRLEN];

	(void)state;
	gm_snmp_address_socket(&v4, htons(161), &storage);
	assert_int_equal(storage.ss_family, AF_INET);
	assert_int_equal(((struct sockaddr_in *)&storage)->sin_port, htons(161));
	assert_string_equal(
		inet_ntop(AF_INET, &((struct sockaddr_in *)&storage)->sin_addr, text, sizeof(text)),
		"10.1.2.3");
	gm_snmp_address_socket(&v6, htons(1161), &storage);
	assert_int_equal(storage.ss_family, AF_INET6);
	assert_int_equal(((struct sockaddr_in6 *)&storage)->sin6_port, htons(1161));
	assert_string_equal(inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&storage)->sin6_addr, text,
				      sizeof(text)),
			    "fd00::7");
}

/* The kernel knows its own addresses best; more of this with real links in snmp_nova.c. */
static void knows_its_own_addresses(void **state)
{
	struct gm_address own = address_of("127.0.0.1"), all = address_of("255.255.255.255");
	int fd = gm_snmp_routes_open();

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(gm_snmp_routes_check(fd, &own), -EADDRINUSE);
	assert_true(gm_snmp_routes_check(fd, &all) < 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_no_network),
		cmocka_unit_test(allows_what_lies_within),
		cmocka_unit_test(writes_sockets),
		cmocka_unit_test(knows_its_own_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

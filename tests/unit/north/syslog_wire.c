/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets that are there, are not there yet, go away, and do not answer.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "north/syslog/wire.h"

struct rig {
	uv_loop_t loop;
	struct gm_wire *wire;
	unsigned done, delivered;
	int last;
	uint64_t tickets[64];
};

static void on_done(void *user, uint64_t ticket, int result, const char *reason)
{
	struct rig *rig = user;

	assert_true(rig->done < 64);
	assert_true((reason == NULL) == (result == 0));
	rig->tickets[rig->done++] = ticket;
	rig->delivered += result == 0;
	rig->last = result;
}

static void open_rig(struct rig *rig, enum gm_wire_kind kind, const char *address, uint16_t port)
{
	struct gm_wire_setup setup = {
		.kind = kind, .port = port, .timeout = 2 * GM_SECOND, .done = on_done, .user = rig};

	memset(rig, 0, sizeof(*rig));
	snprintf(setup.address, sizeof(setup.address), "%s", address);
	assert_int_equal(uv_loop_init(&rig->loop), 0);
	assert_int_equal(gm_wire_create(&rig->loop, &setup, &rig->wire), 0);
}

static void close_rig(struct rig *rig)
{
	gm_wire_close(rig->wire);
	uv_run(&rig->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&rig->loop), 0);
}

static void send_text(struct rig *rig, uint64_t ticket, const char *text)
{
	struct gm_buffer buffer = GM_BUFFER_INIT(1 << 20);

	gm_buffer_append(&buffer, text, strlen(text));
	gm_wire_send(rig->wire, ticket, &buffer);
}

static void run_until(struct rig *rig, unsigned done)
{
	while (rig->done < done)
		uv_run(&rig->loop, UV_RUN_ONCE);
}

static int bound(int type, uint16_t *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, type, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static void assert_received(int fd, const char *text)
{
	char bytes[64] = "";

	assert_int_equal(recv(fd, bytes, sizeof(bytes) - 1, 0), (ssize_t)strlen(text));
	assert_string_equal(bytes, text);
}

/* ---- a name with two addresses, of which the first takes nothing ---- */

static const char two_addresses[] = "two.addresses.test";
static uint16_t refused_port, good_port;

/* Where there is no such name in the machine's own files: before the C library's. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **ret_found)
{
	static struct sockaddr_in ends[2];
	static struct addrinfo found[2];
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	if (!node || strcmp(node, two_addresses) != 0) {
		*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
		return real(node, service, hints, ret_found);
	}
	for (int i = 0; i < 2; i++) {
		ends[i] = (struct sockaddr_in){.sin_family = AF_INET,
					       .sin_port = htons(i ? good_port : refused_port),
					       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		found[i] = (struct addrinfo){.ai_family = AF_INET,
					     .ai_socktype = hints->ai_socktype,
					     .ai_addr = (struct sockaddr *)&ends[i],
					     .ai_addrlen = sizeof(ends[i]),
					     .ai_next = i ? NULL : &found[1]};
	}
	*ret_found = found;
	return 0;
}

void freeaddrinfo(struct addrinfo *found)
{
	void (*real)(struct addrinfo *);

	if (found && found->ai_canonname == NULL && found->ai_next == found + 1)
		return;
	*(void **)&real = dlsym(RTLD_NEXT, "freeaddrinfo");
	real(found);
}

static void open_two_addresses(struct rig *rig, enum gm_wire_kind kind, int type, int *ret_good)
{
	int refused = bound(type, &refused_port);

	*ret_good = bound(type, &good_port);
	close(refused);
	open_rig(rig, kind, two_addresses, 514);
}

static void test_a_name_with_two_addresses(void **state)
{
	(void)state;
	struct rig rig;
	int good;

	open_two_addresses(&rig, GM_WIRE_TCP, SOCK_STREAM, &good);
	assert_int_equal(listen(good, 4), 0);
	send_text(&rig, 1, "tcp");
	run_until(&rig, 1);
	assert_int_equal(rig.last, 0);
	close_rig(&rig);
	close(good);

	open_two_addresses(&rig, GM_WIRE_UDP, SOCK_DGRAM, &good);
	send_text(&rig, 1, "udp"); /* an ICMP error tells; the next attempt goes to the other */
	run_until(&rig, 1);
	assert_int_equal(rig.last, -ECONNREFUSED);
	send_text(&rig, 2, "udp");
	run_until(&rig, 2);
	assert_int_equal(rig.last, 0);
	assert_received(good, "udp");
	close_rig(&rig);
	close(good);

	open_two_addresses(&rig, GM_WIRE_TCP, SOCK_STREAM, &good);
	close(good); /* none of them */
	send_text(&rig, 1, "nobody");
	run_until(&rig, 1);
	assert_int_equal(rig.last, -ECONNREFUSED);
	close_rig(&rig);
}

static void test_local(void **state)
{
	(void)state;
	struct rig rig;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char directory[] = "/tmp/gm-wire-XXXXXX";

	assert_non_null(mkdtemp(directory));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/log", directory);
	open_rig(&rig, GM_WIRE_LOCAL, address.sun_path, 0);
	send_text(&rig, 1, "lost");
	assert_int_equal(rig.done, 1);
	assert_int_equal(rig.last, -ENOENT);

	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	send_text(&rig, 2, "one");
	send_text(&rig, 3, "two");
	assert_int_equal(rig.delivered, 2);
	assert_received(fd, "one");
	assert_received(fd, "two");

	close(fd); /* the receiver starts anew */
	unlink(address.sun_path);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	send_text(&rig, 4, "three");
	assert_int_equal(rig.last, -ECONNREFUSED);
	send_text(&rig, 5, "three");
	assert_int_equal(rig.last, 0);
	assert_received(fd, "three");

	for (uint64_t i = 6; i < 40 && rig.last == 0; i++) { /* nobody reads: its queue fills */
		unsigned done = rig.done;
		send_text(&rig, i, "more");
		if (rig.done == done)
			break;
	}
	unsigned done = rig.done;
	run_until(&rig, done + 1);
	assert_int_equal(rig.last, -ETIMEDOUT);
	close(fd);
	close_rig(&rig);
	unlink(address.sun_path);
	rmdir(directory);
}

static void test_udp(void **state)
{
	(void)state;
	struct rig rig;
	uint16_t port;
	int fd = bound(SOCK_DGRAM, &port);

	open_rig(&rig, GM_WIRE_UDP, "127.0.0.1", port);
	send_text(&rig, 1, "one");
	send_text(&rig, 2, "two");
	run_until(&rig, 2);
	assert_int_equal(rig.delivered, 2);
	assert_received(fd, "one");
	assert_received(fd, "two");
	close(fd);
	send_text(&rig, 3, "nobody"); /* the ICMP error tells */
	run_until(&rig, 3);
	assert_int_equal(rig.last, -ECONNREFUSED);

	static char large[70000];
	memset(large, 'x', sizeof(large) - 1);
	send_text(&rig, 4, large);
	run_until(&rig, 4);
	assert_int_equal(rig.last, -EMSGSIZE);
	close_rig(&rig);
}

static void test_tcp(void **state)
{
	(void)state;
	struct rig rig;
	uint16_t port;
	int listener = bound(SOCK_STREAM, &port);

	open_rig(&rig, GM_WIRE_TCP, "127.0.0.1", port);
	send_text(&rig, 1, "refused");
	run_until(&rig, 1);
	assert_int_equal(rig.last, -ECONNREFUSED);

	assert_int_equal(listen(listener, 4), 0);
	for (uint64_t i = 2; i < 12; i++)
		send_text(&rig, i, "+");
	run_until(&rig, 11);
	assert_int_equal(rig.delivered, 10);
	for (unsigned i = 1; i < 11; i++)
		assert_int_equal(rig.tickets[i], i + 1); /* in order */
	int fd = accept(listener, NULL, NULL);
	char bytes[16];
	assert_int_equal(recv(fd, bytes, sizeof(bytes), MSG_WAITALL | MSG_DONTWAIT), 10);

	close(fd); /* while nothing is sent: the next message makes a connection of its own */
	uv_run(&rig.loop, UV_RUN_NOWAIT);
	send_text(&rig, 20, "again");
	run_until(&rig, 12);
	assert_int_equal(rig.last, 0);
	fd = accept(listener, NULL, NULL);
	assert_received(fd, "again");
	close(fd);
	close(listener);
	close_rig(&rig);
}

/* A receiver that takes nothing more: what its system has not acknowledged has not arrived. */
static void test_tcp_hung(void **state)
{
	(void)state;
	struct rig rig;
	uint16_t port;
	int listener = bound(SOCK_STREAM, &port);
	enum { LARGE = 16 << 20 };
	char *large = malloc(LARGE);

	memset(large, 'x', LARGE - 1);
	large[LARGE - 1] = '\0';
	assert_int_equal(listen(listener, 4), 0);
	open_rig(&rig, GM_WIRE_TCP, "127.0.0.1", port);
	struct gm_buffer buffer = GM_BUFFER_INIT(2 * LARGE);
	gm_buffer_append(&buffer, large, LARGE);
	gm_wire_send(rig.wire, 1, &buffer);
	send_text(&rig, 2, "behind it");
	run_until(&rig, 2);
	assert_int_equal(rig.delivered, 0);
	assert_int_equal(rig.last, -ETIMEDOUT);
	free(large);
	close(listener);
	close_rig(&rig);
}

static void test_a_name_that_does_not_resolve(void **state)
{
	(void)state;
	struct rig rig;

	open_rig(&rig, GM_WIRE_TCP, "no.such.host.invalid", 514);
	send_text(&rig, 1, "x");
	run_until(&rig, 1);
	assert_true(rig.last < 0);
	send_text(&rig, 2, "x"); /* and closed while it is asked for */
	close_rig(&rig);
	assert_int_equal(rig.done, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_tcp_hung),
		cmocka_unit_test(test_a_name_that_does_not_resolve),
		cmocka_unit_test(test_a_name_with_two_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent thread's end of an output `snmp-inform`, with a receiver that acknowledges when the test says
 * so. Real receivers are in tests/functional/agentx.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "north/mib/agent.h"
#include "north/mib/inform.h"

enum { PACKET = 4096, INFORM = 0xA6, RESPONSE = 0xA2 };

struct packet {
	unsigned char bytes[PACKET];
	ssize_t length;
	struct sockaddr_in from;
};

struct fixture {
	struct gm_mib mib;
	struct gm_inform_link *link;
	int receiver;
	uint16_t port;
};

static void wake(void *user)
{
	(void)user;
}

static void push(struct fixture *fixture, enum gm_inform_kind kind, uint64_t ticket)
{
	struct gm_inform_job *job = calloc(1, sizeof(*job));
	job->kind = kind;
	job->link = fixture->link;
	job->ticket = ticket;
	snprintf(job->settings.peer, sizeof(job->settings.peer), "udp:127.0.0.1:%u", fixture->port);
	snprintf(job->settings.name, sizeof(job->settings.name), "public");
	job->settings.timeout = 60 * GM_SECOND;
	job->transition.kind = GM_TRANSITION_RAISE;
	job->transition.sequence = ticket;
	job->transition.alarm.key = gm_entity_node();
	gm_queue_push(fixture->mib.jobs, job);
	gm_inform_tick(&fixture->mib);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const struct gm_queue_options options = {16, gm_inform_job_free, NULL, NULL};
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	fixture->receiver = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(fixture->receiver, (struct sockaddr *)&address, size), 0);
	getsockname(fixture->receiver, (struct sockaddr *)&address, &size);
	fixture->port = ntohs(address.sin_port);
	assert_int_equal(gm_queue_create(&options, &fixture->mib.jobs), 0);
	fixture->mib.started = gm_clock_monotonic();
	fixture->link = gm_inform_link_create(wake, NULL);
	push(fixture, GM_INFORM_OPEN, 0);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	gm_inform_exit(&fixture->mib);
	gm_inform_link_close(fixture->link);
	gm_queue_free(fixture->mib.jobs);
	close(fixture->receiver);
	free(fixture);
	return 0;
}

static void receive(struct fixture *fixture, struct packet *packet)
{
	socklen_t size = sizeof(packet->from);
	packet->length = recvfrom(fixture->receiver, packet->bytes, sizeof(packet->bytes), 0,
				  (struct sockaddr *)&packet->from, &size);
	assert_true(packet->length > 0);
}

/* An inform is acknowledged by itself, as a response: the tag of the PDU follows the community. */
static void acknowledge(struct fixture *fixture, struct packet *packet)
{
	unsigned char *community = memmem(packet->bytes, (size_t)packet->length, "public", 6);
	fd_set set;
	int count = 0, block = 0;
	struct timeval timeout = {5, 0};
	assert_non_null(community);
	assert_int_equal(community[6], INFORM);
	community[6] = RESPONSE;
	assert_int_equal(sendto(fixture->receiver, packet->bytes, (size_t)packet->length, 0,
				(struct sockaddr *)&packet->from, sizeof(packet->from)),
			 packet->length);
	FD_ZERO(&set);
	snmp_select_info(&count, &set, &timeout, &block);
	struct pollfd session = {.fd = count - 1, .events = POLLIN}; /* it has one alone */
	assert_int_equal(poll(&session, 1, 5000), 1);
	snmp_read(&set);
}

/* The output gave up waiting for the first one. What is acknowledged late is not the second one. */
static void test_a_late_acknowledgement(void **state)
{
	struct fixture *fixture = *state;
	struct packet first, second;
	struct gm_inform_answer answer;
	push(fixture, GM_INFORM_SEND, 1);
	receive(fixture, &first);
	push(fixture, GM_INFORM_SEND, 2);
	receive(fixture, &second);
	acknowledge(fixture, &first);
	assert_false(gm_inform_link_take(fixture->link, &answer));
	acknowledge(fixture, &second);
	assert_true(gm_inform_link_take(fixture->link, &answer));
	assert_int_equal(answer.ticket, 2);
	assert_int_equal(answer.kind, GM_VERDICT_DELIVERED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_late_acknowledgement, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

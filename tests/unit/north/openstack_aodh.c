/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order and the cost of what waits to be told to an Aodh that is away. What is said to one that is there
 * is tests/functional/openstack.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "aodh_rig.h"

enum { JOBS = 8192, OF_ONE = 8 };

struct fixture {
	struct gm_test_aodh_rig rig;
	size_t done;
	uint64_t last[JOBS / OF_ONE]; /* ticket of each alarm's last end */
	size_t out_of_order;
};

static void on_done(void *user, uint64_t ticket, const struct gm_verdict *verdict)
{
	struct fixture *fixture = user;
	uint64_t *last = &fixture->last[ticket % (JOBS / OF_ONE)];

	assert_int_equal(verdict->kind, GM_VERDICT_RETRY);
	fixture->out_of_order += ticket <= *last;
	*last = ticket;
	fixture->done++;
}

/* Where nobody listens. */
static uint16_t closed_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	gm_test_aodh_rig_start(&fixture->rig);
	const struct gm_aodh_options options = gm_test_aodh_options(&fixture->rig, closed_port());
	gm_test_aodh_create(&fixture->rig, &options, on_done, fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	gm_test_aodh_rig_stop(&fixture->rig);
	free(fixture);
	return 0;
}

/* Of each alarm there are some, one after the other; the tickets begin with 1. */
static void start_job(struct fixture *fixture, uint64_t ticket)
{
	struct gm_transition transition = {
		.kind = GM_TRANSITION_RAISE,
		.sequence = ticket,
		.alarm = {.id = 1, .key = gm_entity_node(), .detector = "leak"},
	};

	snprintf(transition.alarm.metric, sizeof(transition.alarm.metric), "m%u",
		 (unsigned)(ticket % (JOBS / OF_ONE)));
	assert_int_equal(gm_aodh_job_start(fixture->rig.output, &transition, 0, &ticket), 0);
}

/* What a look for the next one costs does not depend on how many wait: else this takes minutes. */
static void test_many_wait(void **state)
{
	struct fixture *fixture = *state;

	fixture->rig.output->holding = true;
	for (uint64_t ticket = 1; ticket <= JOBS; ticket++)
		start_job(fixture, ticket);
	fixture->rig.output->holding = false;
	gm_aodh_jobs_release(fixture->rig.output);
	assert_in_range(fixture->rig.output->running, 1, JOBS - 1);
	while (fixture->done < JOBS)
		uv_run(&fixture->rig.loop, UV_RUN_ONCE);
	assert_int_equal(fixture->out_of_order, 0);
	assert_null(fixture->rig.output->jobs);
	assert_null(fixture->rig.output->firsts);
	assert_int_equal(fixture->rig.output->running, 0);
}

static void test_closed_with_much_waiting(void **state)
{
	struct fixture *fixture = *state;

	for (uint64_t ticket = 1; ticket <= 100; ticket++)
		start_job(fixture, ticket);
	assert_int_equal(fixture->done, 0); /* teardown closes it with all of them */
}

int main(void)
{
#define WITH_OUTPUT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_OUTPUT(test_many_wait),
		WITH_OUTPUT(test_closed_with_much_waiting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

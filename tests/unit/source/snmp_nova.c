/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests whose address is in Nova's metadata: a child process at the other end of a veth is the guest.
 * What a guest claims is held against the operator's networks and the node's own addresses. Whoever may
 * not make namespaces skips.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "netns.h"
#include "snmp_rig.h"

enum { PORT = 12396 };

#define GUEST "10.9.0.2"
#define OTHER "10.9.0.3"
#define OWN   "10.9.0.1"

static struct shared {
	atomic_int entered, linked, ready;
	atomic_uint requests;
} * shared;

static size_t respond_and_count(struct responder *responder, const struct gm_snmp_message *request,
				uint8_t *answer, size_t size)
{
	shared->requests++;
	return respond_well(responder, request, answer, size);
}

static void wait_for(atomic_int *flag)
{
	for (int i = 0; i < 1000 && !*flag; i++) {
		usleep(10000);
	}
	assert_true(*flag);
}

static void be_the_guest(void)
{
	static struct responder responders[2];
	static const char *const addresses[] = {GUEST, OTHER};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (netns_enter() < 0) {
		_exit(NETNS_SKIP);
	}
	shared->entered = 1;
	wait_for(&shared->linked);
	if (netns_ip("address add " GUEST "/24 dev down0") != 0 ||
	    netns_ip("address add " OTHER "/24 dev down0") != 0 ||
	    netns_ip("link set dev down0 up") != 0) {
		_exit(1);
	}
	for (int i = 0; i < 2; i++) {
		/* The rig counts from 127.0.0.1 on, and around. */
		responders[i].host = ntohl(inet_addr(addresses[i])) - INADDR_LOOPBACK;
		responders[i].value = 1000;
		responder_start(&responders[i], PORT, respond_and_count);
	}
	shared->ready = 1;
	pause();
	_exit(1);
}

static pid_t start_guest(void)
{
	pid_t pid;

	*shared = (struct shared){0};
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		be_the_guest();
	}
	wait_for(&shared->entered);
	assert_int_equal(netns_ip("link add up0 type veth peer name down0 netns %d", (int)pid), 0);
	assert_int_equal(netns_ip("address add " OWN "/24 dev up0"), 0);
	assert_int_equal(netns_ip("link set dev up0 up"), 0);
	shared->linked = 1;
	wait_for(&shared->ready);
	return pid;
}

static void stop_guest(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	(void)netns_ip("link delete up0");
}

static void begin(struct rig *rig, const char *targets)
{
	rig_prepare(rig);
	rig_write(rig, "credentials", 0600, "mine v2c public\n");
	rig_write(rig, "targets", 0644, targets);
	assert_int_equal(rig_start(rig), 0);
}

/* Another source tells who guest `number` is and which addresses Nova gave it, separated by spaces. */
static void tell(struct rig *rig, unsigned number, const char *project, const char *addresses)
{
	struct gm_entity_info info = {.key.kind = GM_ENTITY_GUEST};
	char text[256], *rest = NULL;
	size_t count = 0;

	rig_uuid(number, info.key.uuid);
	snprintf(info.guest.name, sizeof(info.guest.name), "instance-%u", number);
	snprintf(info.guest.display_name, sizeof(info.guest.display_name), "web-%u", number);
	snprintf(info.guest.project, sizeof(info.guest.project), "%s", project);
	snprintf(text, sizeof(text), "%s", addresses);
	for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		struct gm_address *address = &info.guest.addresses[count++];

		address->version = strchr(word, ':') ? 6 : 4;
		assert_int_equal(inet_pton(address->version == 6 ? AF_INET6 : AF_INET, word,
					   address->octets),
				 1);
	}
	rig->source->ops->hear(rig->source, &info, true);
	rig_run(rig, 100 * GM_MILLISECOND);
}

static bool is_asked(struct rig *rig, unsigned number)
{
	struct rig_series *series = rig_guest(rig, number, GM_METRIC_MEMORY_TOTAL);

	return series && series->count > 0;
}

static void must_be_asked(struct rig *rig, unsigned number)
{
	for (int i = 0; i < 50 && !is_asked(rig, number); i++) {
		rig_run(rig, 100 * GM_MILLISECOND);
	}
	assert_true(is_asked(rig, number));
}

static void must_not_be_asked(struct rig *rig, unsigned number)
{
	rig_run(rig, 300 * GM_MILLISECOND);
	assert_false(is_asked(rig, number));
}

#define LINE "web-* nova:12396 mine 100ms within=10.9.0.0/24\n"

static void follows_a_guest(void **state)
{
	pid_t guest = start_guest();
	struct rig rig;

	(void)state;
	begin(&rig, LINE);
	rig_run(&rig, 300 * GM_MILLISECOND);
	assert_int_equal(shared->requests, 0);
	/* Its other port is no business of ours. */
	tell(&rig, 1, "tenant-a", "192.0.2.7 fd00::1 " GUEST);
	must_be_asked(&rig, 1);
	assert_string_equal(rig.complaint.text, "");

	/* Its port is replaced: the new address is asked, the old one no longer. */
	rig_forget(&rig);
	tell(&rig, 1, "tenant-a", OTHER);
	must_be_asked(&rig, 1);
	tell(&rig, 2, "tenant-a", GUEST);
	must_be_asked(&rig, 2);
	rig_run(&rig, 300 * GM_MILLISECOND);
	assert_int_equal(rig.reachable, 2);

	for (unsigned i = 1; i <= 2; i++) {
		struct gm_entity_info info = {.key.kind = GM_ENTITY_GUEST};

		rig_uuid(i, info.key.uuid);
		rig.source->ops->hear(rig.source, &info, false);
	}
	rig_run(&rig, 300 * GM_MILLISECOND);
	unsigned asked = shared->requests;

	rig_run(&rig, 500 * GM_MILLISECOND);
	assert_int_equal(shared->requests, asked);
	assert_int_equal(rig.reachable, 0);
	rig_stop(&rig);
	stop_guest(guest);
}

static void expect_refusal(struct rig *rig, unsigned number, const char *addresses,
			   const char *sentence)
{
	tell(rig, number, "tenant-a", addresses);
	must_not_be_asked(rig, number);
	if (strstr(rig->complaint.text, sentence) == NULL) {
		fail_msg("%s: %s", addresses, rig->complaint.text);
	}
}

static void refuses_what_guests_make_up(void **state)
{
	pid_t guest = start_guest();
	struct responder own = {.value = 1000};
	struct rig rig;

	(void)state;
	assert_int_equal(netns_ip("link set dev lo up"), 0);
	own.host = ntohl(inet_addr(OWN)) - INADDR_LOOPBACK;
	responder_start(&own, PORT, respond_well);
	begin(&rig, "web-1 10.9.0.3:12396 mine 100ms\n"
		    "web-* nova:12396 mine 100ms within=0.0.0.0/0,::/0\n");
	expect_refusal(&rig, 2, "127.0.0.1",
		       "targets:2: guest \"web-2\" is not asked: its metadata");
	expect_refusal(&rig, 2, OWN, "one of this node's own");
	expect_refusal(&rig, 2, "10.9.0.255", "no single host's");
	expect_refusal(&rig, 2, "", "its metadata name no address");
	expect_refusal(&rig, 2, "203.0.113.9", "there is no route");
	assert_int_equal(own.requests, 0);

	/* Another guest's address, be it the operator's word or Nova's. */
	tell(&rig, 1, "tenant-a", "");
	must_be_asked(&rig, 1);
	expect_refusal(&rig, 2, OTHER, "another guest is asked at its address");
	tell(&rig, 3, "tenant-a", GUEST);
	must_be_asked(&rig, 3);
	expect_refusal(&rig, 4, GUEST, "another guest is asked at its address");

	/* The address becomes the node's own while it is asked. */
	assert_int_equal(netns_ip("address add " GUEST "/32 dev lo"), 0);
	rig_run(&rig, 2200 * GM_MILLISECOND);
	rig_forget(&rig);
	must_not_be_asked(&rig, 3);
	assert_int_equal(netns_ip("address delete " GUEST "/32 dev lo"), 0);
	responder_stop(&own);
	rig_stop(&rig);
	stop_guest(guest);
}

/* A name is the tenant's choice: the project is not. */
static void holds_names_against_the_project(void **state)
{
	pid_t guest = start_guest();
	struct rig rig;

	(void)state;
	begin(&rig, "web-* nova:12396 mine 100ms project=tenant-a within=10.9.0.0/24\n");
	tell(&rig, 1, "tenant-b", GUEST);
	must_not_be_asked(&rig, 1);
	tell(&rig, 2, "tenant-a", GUEST);
	must_be_asked(&rig, 2);
	rig_stop(&rig);
	stop_guest(guest);
}

static void refuses_bad_lines(void **state)
{
	static const struct {
		const char *targets, *sentence;
	} cases[] = {
		{"web-* nova mine\n", "targets:1: nova takes within="},
		{"\nweb-* nova:0 mine within=10.0.0.0/8\n", "targets:2: the second word"},
		{"web-* nova: mine within=10.0.0.0/8\n", "targets:1: the second word"},
		{"web-* novae mine within=10.0.0.0/8\n", "targets:1: the second word"},
		{"web-* nova mine within=10.0.0.1/8\n", "targets:1: a network is written"},
		{"web-* 10.0.0.1 mine within=10.0.0.0/8\n", "targets:1: within= is for"},
		{"web-* 10.0.0.1 mine project=\n", "targets:1: a project's pattern"},
		{"web-* nova mine 1s within=10.0.0.0/8 project=a netns=/x more\n",
		 "targets:1: expected GUEST"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig rig;

		rig_prepare(&rig);
		rig_write(&rig, "credentials", 0600, "mine v2c public\n");
		rig_write(&rig, "targets", 0644, cases[i].targets);
		assert_true(rig_start(&rig) < 0);
		if (strstr(rig.complaint.text, cases[i].sentence) == NULL) {
			fail_msg("case %zu: %s", i, rig.complaint.text);
		}
		rig.source->ops->destroy(rig.source);
		rig.source = NULL;
		rig_stop(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_a_guest),
		cmocka_unit_test(refuses_what_guests_make_up),
		cmocka_unit_test(holds_names_against_the_project),
		cmocka_unit_test(refuses_bad_lines),
	};

	if (netns_enter() < 0 || netns_ip("link add up0 type veth peer name down0") != 0) {
		return NETNS_SKIP;
	}
	(void)netns_ip("link delete up0");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_true(shared != MAP_FAILED);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

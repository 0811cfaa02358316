/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests in network namespaces, with the same addresses in each: a child process is the guest, in a
 * namespace of its own. Whoever may not enter namespaces skips.
 */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "netns.h"
#include "snmp_sender.h"

enum { PORT = 12390 };

#define FIRST  "00000000-0000-0000-0000-000000000001 127.0.0.1:12390 mine 100ms "
#define BESIDE "00000000-0000-0000-0000-000000000002 127.0.0.2:12390 mine 100ms "
#define SECOND "00000000-0000-0000-0000-000000000002 127.0.0.1:12390 mine 100ms "

/* Between the processes: what the guest in the other namespace was asked last. */
static struct shared {
	atomic_int ready, silent, id;
} * shared;

static size_t respond_and_tell(struct responder *responder, const struct gm_snmp_message *request,
			       uint8_t *answer, size_t size)
{
	shared->id = request->pdu.request_id;
	return shared->silent ? 0 : respond_well(responder, request, answer, size);
}

/* Answers for the other one, whose address it has in another namespace. */
static size_t respond_as_the_other(struct responder *responder,
				   const struct gm_snmp_message *request, uint8_t *answer,
				   size_t size)
{
	struct gm_snmp_message other = *request;

	other.pdu.request_id = shared->id;
	return respond_well(responder, &other, answer, size);
}

/* A guest in a namespace of its own; `path` becomes the namespace's. */
static pid_t start_guest(char *path, size_t size)
{
	static struct responder responder;
	pid_t pid;

	shared->ready = 0;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (netns_enter() < 0 || netns_ip("link set dev lo up") != 0) {
			_exit(NETNS_SKIP);
		}
		responder.value = 1000;
		responder_start(&responder, PORT, respond_and_tell);
		shared->ready = 1;
		pause();
		_exit(1);
	}
	for (int i = 0; i < 200 && !shared->ready; i++) {
		usleep(10000);
	}
	assert_true(shared->ready);
	snprintf(path, size, "/proc/%d/ns/net", (int)pid);
	return pid;
}

static void stop_guest(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void begin(struct rig *rig, const char *first, const char *second)
{
	char targets[512];

	rig_prepare(rig);
	/* Memory alone: all requests are alike. */
	rig->options.cpu_interval = rig->options.load_interval = 0;
	rig->options.storage_interval = rig->options.process_interval = 0;
	rig->options.timeout = 300 * GM_MILLISECOND;
	snprintf(targets, sizeof(targets), FIRST "netns=%s\n%s%s\n", first, second ? SECOND : "",
		 second ? second : "");
	rig_write(rig, "credentials", 0600, "mine v2c public\n");
	rig_write(rig, "targets", 0644, targets);
	assert_int_equal(rig_start(rig), 0);
}

static void asks_inside_of_a_namespace(void **state)
{
	struct rig rig;
	char path[64];
	pid_t guest = start_guest(path, sizeof(path));

	(void)state;
	begin(&rig, path, NULL);
	rig_run(&rig, GM_SECOND);
	assert_non_null(rig_guest(&rig, 1, GM_METRIC_MEMORY_TOTAL));
	rig_stop(&rig);
	stop_guest(guest);
}

/* One that is not there costs the others nothing, and is found when it comes. */
static void waits_for_a_namespace(void **state)
{
	struct rig rig;
	struct responder own = {.value = 1000};
	char path[64], link[64];

	(void)state;
	responder_start(&own, PORT, respond_well);
	snprintf(link, sizeof(link), "/tmp/gm-netns-%d", (int)getpid());
	unlink(link);
	begin(&rig, link, "");
	rig_run(&rig, GM_SECOND);
	assert_non_null(rig_guest(&rig, 2, GM_METRIC_MEMORY_TOTAL));
	assert_non_null(strstr(rig.complaint.text, link));

	pid_t guest = start_guest(path, sizeof(path));
	assert_int_equal(symlink(path, link), 0);
	rig_run(&rig, 7 * GM_SECOND);
	assert_non_null(rig_guest(&rig, 1, GM_METRIC_MEMORY_TOTAL));
	assert_string_equal(rig.complaint.text, "");

	/* It is deleted and made anew under the same path. */
	stop_guest(guest);
	guest = start_guest(path, sizeof(path));
	unlink(link);
	assert_int_equal(symlink(path, link), 0);
	rig_run(&rig, 2 * GM_SECOND);
	rig_forget(&rig);
	rig_run(&rig, 2 * GM_SECOND);
	assert_true(rig_guest(&rig, 1, GM_METRIC_MEMORY_TOTAL)->count > 0);
	unlink(link);
	rig_stop(&rig);
	stop_guest(guest);
	responder_stop(&own);
}

static void keeps_namespaces_apart(void **state)
{
	struct rig rig;
	struct responder own = {.value = 1000};
	char path[64];
	pid_t guest = start_guest(path, sizeof(path));

	(void)state;
	shared->silent = 1;
	responder_start(&own, PORT, respond_as_the_other);
	begin(&rig, path, "");
	rig_run(&rig, 2 * GM_SECOND);
	assert_true(shared->id != 0 && own.requests > 0);
	assert_int_equal(rig.reachable, 0);
	assert_null(rig_guest(&rig, 1, GM_METRIC_MEMORY_TOTAL));
	shared->silent = 0;
	rig_stop(&rig);
	stop_guest(guest);
	responder_stop(&own);
}

static ino_t own_namespace(void)
{
	struct stat status;

	assert_int_equal(stat("/proc/thread-self/ns/net", &status), 0);
	return status.st_ino;
}

/* A thread that did not get out of a guest's namespace does not take it for its own when it opens anew. */
static void opens_at_home_again(void **state)
{
	struct rig rig;
	char path[64];
	pid_t guest = start_guest(path, sizeof(path));
	ino_t home = own_namespace();
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	(void)state;
	begin(&rig, path, NULL);
	rig.source->ops->close(rig.source);
	assert_true(fd >= 0);
	assert_int_equal(setns(fd, CLONE_NEWNET), 0);
	assert_true(own_namespace() != home);
	close(fd);
	assert_int_equal(rig.source->ops->open(rig.source, &rig.complaint), 0);
	assert_true(own_namespace() == home);
	rig_stop(&rig);
	stop_guest(guest);
}

#define COMMAND "snmpinform -r0 -t2 -v3 -u monitor -l authPriv -a SHA-256 -A authentic-1 -x AES "
#define WHAT    "-X private-12 " SENDER_LISTEN " 7 1.3.6.1.6.3.1.1.5.3"

/*
 * The same address in two namespaces: each is heard in its own, and only where it is asked. One namespace by two
 * paths is one.
 */
static void hears_inside_of_a_namespace(void **state)
{
	struct rig rig;
	char path[64], link[64], line[512];
	pid_t guest = start_guest(path, sizeof(path));

	(void)state;
	snprintf(link, sizeof(link), "/tmp/gm-netns-%d", (int)getpid());
	unlink(link);
	if (access("/usr/bin/snmpinform", X_OK) != 0 || access("/usr/bin/nsenter", X_OK) != 0) {
		stop_guest(guest);
		skip();
	}
	rig_prepare(&rig);
	rig.sink.event = sender_on_event;
	sender_events.count = 0;
	snprintf(rig.options.listen, sizeof(rig.options.listen), SENDER_LISTEN);
	rig.options.listen_namespaces = true;
	assert_int_equal(symlink(path, link), 0);
	snprintf(line, sizeof(line), FIRST "netns=%s\n" BESIDE "netns=%s\n", path, link);
	rig_write(&rig, "credentials", 0600,
		  "mine v3 monitor SHA-256 authentic-1 AES private-12\n");
	rig_write(&rig, "targets", 0644, line);
	assert_int_equal(rig_start(&rig), 0);
	snprintf(line, sizeof(line), "nsenter --net=%s " COMMAND WHAT, path);
	assert_int_equal(sender_run(&rig, line), 0);
	assert_int_equal(sender_events.count, 1);
	sender_expect(0, GM_GUEST_LINK_DOWN, "1.3.6.1.6.3.1.1.5.3");
	assert_int_not_equal(sender_run(&rig, COMMAND WHAT), 0);
	assert_int_equal(sender_events.count, 1);
	snprintf(line, sizeof(line), "nsenter --net=%s " COMMAND "--clientaddr=127.0.0.2 " WHAT,
		 path);
	assert_int_equal(sender_run(&rig, line), 0);
	assert_int_equal(sender_events.count, 2);
	assert_int_equal(sender_events.list[1].key.uuid[GM_UUID_SIZE - 1], 2);
	assert_null(strstr(rig.complaint.text, "cannot listen"));
	unlink(link);
	rig_stop(&rig);

	/* An address that is not there is told, and keeps nobody from being asked. */
	begin(&rig, path, NULL);
	rig.source->ops->close(rig.source);
	rig.source->ops->destroy(rig.source);
	snprintf(rig.options.listen, sizeof(rig.options.listen), "127.0.0.1:%d", PORT);
	rig.options.listen_namespaces = true; /* where the guest's snmpd is */
	assert_int_equal(rig_start(&rig), 0);
	rig_run(&rig, GM_SECOND);
	assert_non_null(rig_guest(&rig, 1, GM_METRIC_MEMORY_TOTAL));
	assert_non_null(strstr(rig.complaint.text, "cannot listen in network namespace"));
	rig_stop(&rig);
	stop_guest(guest);
}

static bool may_enter(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		_exit(unshare(CLONE_NEWNET) == 0 && netns_ip("link set dev lo up") == 0 ? 0 : 1);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_inside_of_a_namespace),
		cmocka_unit_test(waits_for_a_namespace),
		cmocka_unit_test(keeps_namespaces_apart),
		cmocka_unit_test(opens_at_home_again),
		cmocka_unit_test(hears_inside_of_a_namespace),
	};

	if (!may_enter()) {
		return NETNS_SKIP;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_true(shared != MAP_FAILED);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands and events; see snmp_sender.h.
 */
#include "snmp_sender.h"

#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"

struct sender_events sender_events;

void sender_on_event(void *user, const struct gm_guest_event *event)
{
	(void)user;
	assert_true(sender_events.count < SENDER_EVENTS);
	sender_events.list[sender_events.count++] = *event;
}

void sender_begin(struct rig *rig, const char *credentials, const char *targets)
{
	sender_events.count = 0;
	rig_prepare(rig);
	rig->sink.event = sender_on_event;
	rig_write(rig, "credentials", 0600, credentials);
	rig_write(rig, "targets", 0644, targets);
	snprintf(rig->options.listen, sizeof(rig->options.listen), SENDER_LISTEN);
	assert_int_equal(rig_start(rig), 0);
	rig_run(rig, 300 * GM_MILLISECOND);
}

/* Starts `line`, a command without quotes. */
static pid_t run(const char *line)
{
	char *variables[] = {(char[]){"MIBS="}, (char[]){"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
			     (char[]){"SNMP_PERSISTENT_DIR=/dev/null/none"}, NULL};
	char text[512], *words[32], *rest = NULL;
	size_t count = 0;
	pid_t pid;

	snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok_r(text, " ", &rest); word && count < 31;
	     word = strtok_r(NULL, " ", &rest)) {
		words[count++] = word;
	}
	words[count] = NULL;
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
	assert_int_equal(posix_spawnp(&pid, words[0], &actions, NULL, words, variables), 0);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

/* Runs it to its end, and the source beside it: its exit status. */
int sender_run(struct rig *rig, const char *line)
{
	pid_t pid = run(line), ended = 0;
	int status = 0;

	for (int i = 0; i < 200 && ended == 0; i++) {
		rig_run(rig, 50 * GM_MILLISECOND);
		ended = waitpid(pid, &status, WNOHANG);
	}
	assert_int_equal(ended, pid);
	rig_run(rig, 100 * GM_MILLISECOND);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void sender_expect(size_t at, enum gm_guest_event_kind kind, const char *detail)
{
	uint8_t uuid[GM_UUID_SIZE];

	assert_true(sender_events.count > at);
	rig_uuid(1, uuid);
	assert_memory_equal(sender_events.list[at].key.uuid, uuid, GM_UUID_SIZE);
	assert_int_equal(sender_events.list[at].kind, kind);
	assert_string_equal(sender_events.list[at].detail, detail);
	assert_true(llabs(gm_clock_now() - sender_events.list[at].time) < 60 * GM_SECOND);
}

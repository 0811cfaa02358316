/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that do what they should, and those that do not.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "north/program/program.h"
#include "state/action.h"
#include "support/message.h"
#include "support/state_directory.h"

struct rig {
	uv_loop_t loop;
	char directory[32], script[64], out[64];
	void *options;
	struct gm_output *output;
	unsigned done;
	struct gm_verdict last;
	char reason[640];
};

static void on_done(void *user, uint64_t ticket, const struct gm_verdict *verdict)
{
	struct rig *rig = user;

	assert_int_equal(ticket, 7);
	rig->done++;
	rig->last = *verdict;
	snprintf(rig->reason, sizeof(rig->reason), "%s", verdict->reason ? verdict->reason : "");
}

/* `body`: of a shell script; @ in it is the file that rig->out names. */
static void write_script(struct rig *rig, const char *body)
{
	FILE *file = fopen(rig->script, "w");

	assert_non_null(file);
	fputs("#!/bin/sh\n", file);
	for (; *body != '\0'; body++) {
		if (*body == '@')
			fputs(rig->out, file);
		else
			fputc(*body, file);
	}
	fclose(file);
	assert_int_equal(chmod(rig->script, 0700), 0);
}

static void set(struct rig *rig, const char *key, const char *value)
{
	assert_int_equal(gm_option_set(gm_program_ops.options, rig->options, key, value, NULL), 0);
}

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	snprintf(rig->directory, sizeof(rig->directory), "/tmp/gm-program-XXXXXX");
	assert_non_null(mkdtemp(rig->directory));
	snprintf(rig->script, sizeof(rig->script), "%s/script", rig->directory);
	snprintf(rig->out, sizeof(rig->out), "%s/out", rig->directory);
	rig->options = calloc(1, gm_program_ops.options_size);
	gm_option_defaults(gm_program_ops.options, rig->options);
	uv_loop_init(&rig->loop);
	set(rig, "program", rig->script);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	uv_run(&rig->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&rig->loop), 0);
	unlink(rig->script);
	unlink(rig->out);
	rmdir(rig->directory);
	free(rig->options);
	free(rig);
	return 0;
}

static void begin(struct rig *rig, const char *body)
{
	const struct gm_output_host host = {
		.loop = &rig->loop, .name = "p", .node = "node1", .done = on_done, .user = rig};
	struct gm_transition transition;
	struct gm_message message = gm_test_message(&transition);
	struct gm_error err;

	write_script(rig, body);
	assert_int_equal(gm_program_ops.create(rig->options, &host, &rig->output, &err), 0);
	gm_program_ops.send(rig->output, &message, 7);
}

static void run_to_end(struct rig *rig, const char *body)
{
	begin(rig, body);
	while (rig->done == 0)
		uv_run(&rig->loop, UV_RUN_ONCE);
	gm_program_ops.close(rig->output);
}

static char *read_out(const struct rig *rig, char *text, size_t size)
{
	int fd = open(rig->out, O_RDONLY);

	assert_true(fd >= 0);
	ssize_t length = read(fd, text, size - 1);
	assert_true(length >= 0);
	text[length] = '\0';
	close(fd);
	return text;
}

static void test_it_gets_the_alarm(void **state)
{
	struct rig *rig = *state;
	char text[8192];
	struct gm_json *value = NULL;

	run_to_end(rig, "cat >@\n");
	assert_int_equal(rig->last.kind, GM_VERDICT_DELIVERED);
	read_out(rig, text, sizeof(text));
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_int_equal(gm_json_parse(text, strlen(text), &value, NULL), 0);
	assert_string_equal(gm_json_get_text(value, "key"), "node1/17");
	assert_string_equal(gm_json_get_text(gm_json_get(value, "guest"), "name"), GM_TEST_HOSTILE);
	gm_json_free(value);
}

static void test_its_environment_is_clean(void **state)
{
	struct rig *rig = *state;
	char text[8192];

	setenv("GM_TEST_SECRET", "s3cr3t", 1);
	set(rig, "arguments", "  one  two ");
	run_to_end(rig, "{ echo \"$0|$1|$2|$#\"; pwd; env; ls /proc/self/fd; } >@\n");
	read_out(rig, text, sizeof(text));
	assert_int_equal(rig->last.kind, GM_VERDICT_DELIVERED);
	assert_non_null(strstr(text, "|one|two|2\n/\n"));
	assert_non_null(strstr(text, "GUESTMON_KEY=node1/17\n"));
	assert_non_null(strstr(text, "PATH=/usr/local/sbin:"));
	assert_null(strstr(text, "s3cr3t"));
	assert_null(strstr(text, "HOME="));
	unsetenv("GM_TEST_SECRET");
}

static void test_statuses(void **state)
{
	struct rig *rig = *state;
	static const struct {
		const char *body;
		enum gm_verdict_kind kind;
		const char *reason;
	} cases[] = {
		{"exit 75\n", GM_VERDICT_RETRY, "the program ended with status 75"},
		{"echo 'no \"such\" thing' >&2; exit 3\n", GM_VERDICT_REFUSED,
		 "the program ended with status 3: \"no \\\"such\\\" thing\\n\""},
		{"kill -SEGV $$\n", GM_VERDICT_RETRY, "the program was ended by signal 11"},
		{"exec <&-; exit 0\n", GM_VERDICT_DELIVERED, ""}, /* it need not read */
		{"sleep 600 & exit 0\n", GM_VERDICT_DELIVERED, ""},
		{"yes complaint | head -c 1000000 >&2; yes | head -c 1000000; exit 1\n",
		 GM_VERDICT_REFUSED, "the program ended with status 1: \"complaint\\ncomplaint"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rig->done = 0;
		run_to_end(rig, cases[i].body);
		assert_int_equal(rig->last.kind, cases[i].kind);
		assert_int_equal(rig->last.doubt, strstr(cases[i].reason, "by signal") != NULL);
		assert_ptr_equal(strstr(rig->reason, cases[i].reason), rig->reason);
		assert_true(strlen(rig->reason) < 500);
	}
}

static void test_it_is_ended_when_late(void **state)
{
	struct rig *rig = *state;
	char text[64];

	set(rig, "timeout", "300ms");
	run_to_end(rig, "sleep 600 & echo $! >@; trap '' TERM; wait; sleep 600\n");
	assert_int_equal(rig->last.kind, GM_VERDICT_RETRY);
	assert_true(rig->last.doubt);
	assert_string_equal(rig->reason, "the program was not over in time");
	pid_t child = (pid_t)strtoll(read_out(rig, text, sizeof(text)), NULL, 10);
	for (int i = 0; i < 100 && kill(child, 0) == 0; i++)
		usleep(20000); /* init has to reap it */
	assert_true(child > 1);
}

static void test_closed_while_it_runs(void **state)
{
	struct rig *rig = *state;

	begin(rig, "sleep 600\n");
	uv_run(&rig->loop, UV_RUN_NOWAIT);
	gm_program_ops.close(rig->output);
	uv_run(&rig->loop, UV_RUN_DEFAULT); /* ends: the program was killed */
	assert_int_equal(rig->done, 0);
}

static void assert_refused(struct rig *rig, int code, const char *why)
{
	struct gm_error err = {.text = ""};

	assert_int_equal(gm_program_ops.check(rig->options, &err), code);
	assert_non_null(strstr(err.text, why));
}

static void test_check(void **state)
{
	struct rig *rig = *state;
	char many[2 * 33 + 1];

	assert_refused(rig, -ENOENT, "program: ");
	write_script(rig, "");
	assert_int_equal(gm_program_ops.check(rig->options, NULL), 0);
	chmod(rig->script, 0600);
	assert_refused(rig, -EACCES, "no file that can be run");
	chmod(rig->script, 0700);
	for (size_t i = 0; i < sizeof(many) - 1; i++)
		many[i] = i % 2 ? ' ' : 'a';
	many[sizeof(many) - 1] = '\0';
	set(rig, "arguments", many);
	assert_refused(rig, -E2BIG, "arguments: at most 32 words");
	set(rig, "arguments", "");
	set(rig, "user", "nobody-of-that-name");
	assert_refused(rig, -EINVAL, "there is no user \"nobody-of-that-name\"");
	set(rig, "program", "script");
	assert_refused(rig, -EINVAL, "not an absolute path");
}

static void test_a_program_that_vanished(void **state)
{
	struct rig *rig = *state;
	const struct gm_output_host host = {
		.loop = &rig->loop, .name = "p", .node = "node1", .done = on_done, .user = rig};
	struct gm_transition transition;
	struct gm_message message = gm_test_message(&transition);

	write_script(rig, "");
	assert_int_equal(gm_program_ops.create(rig->options, &host, &rig->output, NULL), 0);
	unlink(rig->script);
	gm_program_ops.send(rig->output, &message, 7);
	assert_int_equal(rig->done, 1);
	assert_int_equal(rig->last.kind, GM_VERDICT_RETRY);
	assert_false(rig->last.doubt);
	assert_non_null(strstr(rig->reason, "cannot be run"));
	gm_program_ops.close(rig->output);
}

/* As an action: what the journal says of it, and whether it is run a second time. */
static void act(struct rig *rig, struct gm_state *journal, unsigned number, const char *body,
		const char *expected, size_t runs)
{
	const struct gm_output_ops *ops = &gm_program_action_ops;
	const struct gm_output_host host = {.loop = &rig->loop,
					    .state = journal,
					    .name = "p",
					    .node = "node1",
					    .done = on_done,
					    .user = rig};
	struct gm_transition transition;
	struct gm_message message = gm_test_message(&transition);
	struct gm_action_row row;
	char text[64];

	transition.kind = GM_TRANSITION_RAISE;
	transition.sequence += number;
	transition.time = message.sent_at = gm_clock_now();
	transition.alarm.id += number;
	transition.alarm.news = GM_NEWS_CONDITION;
	transition.alarm.ended_at = transition.alarm.cleared_at = 0;
	transition.alarm.suppressed = GM_SUPPRESSION_NONE;
	write_script(rig, body);
	unlink(rig->out);
	assert_int_equal(ops->create(rig->options, &host, &rig->output, NULL), 0);
	for (rig->done = 0; rig->done < 2;) {
		unsigned before = rig->done;
		uv_update_time(&rig->loop); /* its timers count from then */
		ops->send(rig->output, &message, 7);
		while (rig->done == before)
			uv_run(&rig->loop, UV_RUN_ONCE);
	}
	ops->close(rig->output);
	assert_int_equal(gm_state_action_get(journal, "p", transition.sequence, &row), 0);
	assert_string_equal(gm_action_state_name(row.state), expected);
	assert_int_equal(strlen(read_out(rig, text, sizeof(text))), 2 * runs);
}

static void test_as_an_action(void **state)
{
	struct rig *rig = *state;
	char directory[STATE_DIRECTORY];
	struct gm_state *journal;
	static const struct {
		const char *key, *value;
	} options[] = {
		{"timeout", "1500ms"}, {"dry-run", "no"}, {"again-after", "1s"}, {"limit", "9"}};

	state_directory_make(directory);
	assert_int_equal(gm_state_open(directory, &journal, NULL), 0);
	free(rig->options);
	rig->options = calloc(1, gm_program_action_ops.options_size);
	gm_option_defaults(gm_program_action_ops.options, rig->options);
	write_script(rig, "");
	assert_int_equal(gm_option_set(gm_program_action_ops.options, rig->options, "program",
				       rig->script, NULL),
			 0);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		assert_int_equal(gm_option_set(gm_program_action_ops.options, rig->options,
					       options[i].key, options[i].value, NULL),
				 0);
	act(rig, journal, 1, "echo x >>@; exit 75\n", "decided", 2);
	act(rig, journal, 2, "echo x >>@; exit 3\n", "refused", 2);
	act(rig, journal, 3, "echo x >>@; kill -KILL $$\n", "unsure", 1);
	usleep(1100000); /* that one counts: the same guest only then */
	act(rig, journal, 4, "echo x >>@; exec sleep 600\n", "unsure", 1);
	gm_state_close(journal);
	state_directory_remove(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_it_gets_the_alarm, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_its_environment_is_clean, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_statuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_it_is_ended_when_late, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_closed_while_it_runs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_check, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_program_that_vanished, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_as_an_action, set_up, tear_down),
	};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigaction(SIGPIPE, &ignore, NULL); /* as the daemon does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See program.h. A run is a process in a group of its own, two pipes and a timer; it ends when the
 * process has ended, whatever its children hold open.
 */
#include "north/program/program.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utlist.h>

#include "base/clock.h"
#include "base/text.h"
#include "north/message.h"

enum {
	IN_FLIGHT = 4,
	WORDS = 32,
	COMPLAINT = 200, /* bytes of standard error that are kept */
	REASON = 640,
	TEMPORARY = 75,  /* EX_TEMPFAIL of sysexits.h */
	GRACE_MS = 2000, /* between SIGTERM and SIGKILL */
	READ = 4096,
};

static const struct gm_option program_table[] = {
	GM_PROGRAM_OPTIONS(struct gm_program_options, ),
	GM_OPTION_END,
};

struct gm_output {
	struct gm_output_host host;
	struct gm_program_options options;
	char *words[WORDS + 2]; /* of `arguments`, cut in place */
	uid_t uid;
	gid_t gid;
	bool other_user;
	struct run *runs;
};

struct run {
	struct gm_output *output; /* NULL: the output is closed */
	uint64_t ticket;
	uv_process_t process;
	uv_pipe_t input, errors;
	uv_timer_t timer;
	uv_write_t write;
	struct gm_buffer message;
	char complaint[COMPLAINT + 1], chunk[READ];
	size_t complaint_length;
	bool late, signalled;
	unsigned open; /* handles that are not closed yet */
	struct run *prev, *next;
};

/* ---- the end of a run ---- */

static void on_closed(uv_handle_t *handle)
{
	struct run *run = handle->data;

	if (--run->open > 0)
		return;
	gm_buffer_free(&run->message);
	free(run);
}

static void close_handle(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, on_closed);
}

/* All but the process, whose end is still waited for: nobody else would reap it. */
static void close_pipes(struct run *run)
{
	close_handle((uv_handle_t *)&run->input);
	close_handle((uv_handle_t *)&run->errors);
	close_handle((uv_handle_t *)&run->timer);
}

/* Takes it out of the output's list, closes what it has, and tells. */
static void finish(struct run *run, enum gm_verdict_kind kind, const char *what)
{
	struct gm_output *output = run->output;
	char complaint[4 * COMPLAINT + 4], reason[REASON];
	uint64_t ticket = run->ticket;
	/* It was begun, and what it has done is not known. */
	struct gm_verdict verdict = {.kind = kind, .doubt = run->late || run->signalled};

	if (kind != GM_VERDICT_DELIVERED) {
		run->complaint[run->complaint_length] = '\0';
		gm_text_quote(complaint, sizeof(complaint), run->complaint);
		snprintf(reason, sizeof(reason), run->complaint_length > 0 ? "%s: %s" : "%s", what,
			 complaint);
		verdict.reason = reason;
	}
	close_pipes(run);
	close_handle((uv_handle_t *)&run->process);
	if (!output)
		return;
	DL_DELETE(output->runs, run);
	output->host.done(output->host.user, ticket, &verdict);
}

static void on_end(uv_process_t *process, int64_t status, int signal)
{
	struct run *run = process->data;
	char what[64];

	run->signalled = signal != 0;
	if (run->late)
		snprintf(what, sizeof(what), "the program was not over in time");
	else if (signal != 0)
		snprintf(what, sizeof(what), "the program was ended by signal %d", signal);
	else
		snprintf(what, sizeof(what), "the program ended with status %d", (int)status);
	if (signal == 0 && !run->late && status == 0)
		finish(run, GM_VERDICT_DELIVERED, what);
	else if (signal != 0 || run->late || status == TEMPORARY)
		finish(run, GM_VERDICT_RETRY, what);
	else
		finish(run, GM_VERDICT_REFUSED, what);
}

/* The process leads a group: its children are ended with it. */
static void signal_group(const struct run *run, int number)
{
	if (run->process.pid > 0)
		kill(-run->process.pid, number);
}

static void on_timeout(uv_timer_t *timer)
{
	struct run *run = timer->data;

	signal_group(run, run->late ? SIGKILL : SIGTERM);
	run->late = true;
	uv_timer_start(timer, on_timeout, GRACE_MS, 0);
}

/* ---- its pipes ---- */

static void on_written(uv_write_t *request, int status)
{
	struct run *run = request->data;

	(void)status; /* a program need not read: its exit status tells */
	close_handle((uv_handle_t *)&run->input);
}

static void give_room(uv_handle_t *handle, size_t wanted, uv_buf_t *ret_buffer)
{
	struct run *run = handle->data;

	(void)wanted;
	*ret_buffer = uv_buf_init(run->chunk, sizeof(run->chunk));
}

/* Keeps the beginning; the rest is read all the same, so that the program does not block. */
static void on_complaint(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
	struct run *run = stream->data;

	if (length < 0) {
		uv_read_stop(stream);
		return;
	}
	size_t room = COMPLAINT - run->complaint_length;
	size_t kept = (size_t)length < room ? (size_t)length : room;
	memcpy(run->complaint + run->complaint_length, buffer->base, kept);
	run->complaint_length += kept;
}

/* ---- a run ---- */

static int spawn(struct run *run, const char *key)
{
	struct gm_output *output = run->output;
	char key_variable[2 * GM_NAME_SIZE];
	char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char language[] = "LANG=C.UTF-8";
	char *environment[] = {path, language, key_variable, NULL};
	uv_stdio_container_t stdio[] = {
		{.flags = UV_CREATE_PIPE | UV_READABLE_PIPE,
		 .data.stream = (uv_stream_t *)&run->input},
		{.flags = UV_IGNORE},
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
		 .data.stream = (uv_stream_t *)&run->errors},
	};
	uv_process_options_t options = {
		.exit_cb = on_end,
		.file = output->options.program,
		.args = output->words,
		.env = environment,
		.cwd = "/",
		.flags = UV_PROCESS_DETACHED |
			 (output->other_user ? UV_PROCESS_SETUID | UV_PROCESS_SETGID : 0),
		.stdio_count = 3,
		.stdio = stdio,
		.uid = output->uid,
		.gid = output->gid,
	};

	snprintf(key_variable, sizeof(key_variable), "GUESTMON_KEY=%s", key);
	return uv_spawn(output->host.loop, &run->process, &options);
}

static void init_handles(struct run *run)
{
	uv_loop_t *loop = run->output->host.loop;

	uv_pipe_init(loop, &run->input, 0);
	uv_pipe_init(loop, &run->errors, 0);
	uv_timer_init(loop, &run->timer);
	run->input.data = run->errors.data = run->timer.data = run->process.data = run;
	run->write.data = run;
	run->open = 4;
}

static void start(struct run *run, const char *key)
{
	struct gm_output *output = run->output;
	char what[128];

	init_handles(run);
	int result = spawn(run, key);
	if (result < 0) {
		snprintf(what, sizeof(what), "the program cannot be run: %s", uv_strerror(result));
		finish(run, GM_VERDICT_RETRY, what);
		return;
	}
	uv_buf_t line = uv_buf_init(run->message.data, (unsigned)run->message.length);
	if (uv_write(&run->write, (uv_stream_t *)&run->input, &line, 1, on_written) < 0)
		close_handle((uv_handle_t *)&run->input);
	uv_read_start((uv_stream_t *)&run->errors, give_room, on_complaint);
	uv_timer_start(&run->timer, on_timeout,
		       (uint64_t)(output->options.timeout / GM_MILLISECOND), 0);
}

static void program_send(struct gm_output *output, const struct gm_message *message,
			 uint64_t ticket)
{
	const struct gm_verdict full = {.kind = GM_VERDICT_RETRY, .reason = "out of memory"};
	struct run *run = calloc(1, sizeof(*run));

	if (!run) {
		output->host.done(output->host.user, ticket, &full);
		return;
	}
	run->message = GM_BUFFER_INIT(GM_MESSAGE_MAX);
	if (gm_message_write(message, &run->message) == 0)
		gm_buffer_append(&run->message, "\n", 1);
	if (run->message.failed || run->message.length == 0) {
		gm_buffer_free(&run->message);
		free(run);
		output->host.done(output->host.user, ticket, &full);
		return;
	}
	run->output = output;
	run->ticket = ticket;
	DL_APPEND(output->runs, run);
	start(run, message->key);
}

/* ---- life ---- */

static int find_user(const struct gm_program_options *options, uid_t *ret_uid, gid_t *ret_gid,
		     struct gm_error *err)
{
	char space[4096], quoted[160];
	struct passwd entry, *found = NULL;

	gm_text_quote(quoted, sizeof(quoted), options->user);
	if (getpwnam_r(options->user, &entry, space, sizeof(space), &found) != 0 || !found)
		return gm_error_set(err, -EINVAL, "user: there is no user %s", quoted);
	if (geteuid() != 0 && found->pw_uid != geteuid())
		return gm_error_set(err, -EPERM, "user: only root can run a program as %s", quoted);
	*ret_uid = found->pw_uid;
	*ret_gid = found->pw_gid;
	return 0;
}

static size_t count_words(const char *text)
{
	size_t count = 0;

	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
		count++;
		text += strcspn(text, " ");
	}
	return count;
}

static int program_check(const void *all, struct gm_error *err)
{
	const struct gm_program_options *options = all;
	struct stat status;
	char quoted[2 * GM_PROGRAM_PATH];
	uid_t uid;
	gid_t gid;

	gm_text_quote(quoted, sizeof(quoted), options->program);
	if (options->program[0] != '/')
		return gm_error_set(err, -EINVAL, "program: not an absolute path");
	if (stat(options->program, &status) < 0)
		return gm_error_set(err, -errno, "program: %s: %s", quoted, strerror(errno));
	if (!S_ISREG(status.st_mode) || access(options->program, X_OK) < 0)
		return gm_error_set(err, -EACCES, "program: %s is no file that can be run", quoted);
	if (count_words(options->arguments) > WORDS)
		return gm_error_set(err, -E2BIG, "arguments: at most %d words", WORDS);
	return options->user[0] != '\0' ? find_user(options, &uid, &gid, err) : 0;
}

static int program_create(const void *all, const struct gm_output_host *host,
			  struct gm_output **ret_output, struct gm_error *err)
{
	int result = program_check(all, err);
	struct gm_output *output = result == 0 ? calloc(1, sizeof(*output)) : NULL;

	if (result < 0)
		return result;
	if (!output)
		return gm_error_set(err, -ENOMEM, "out of memory");
	output->host = *host;
	output->options = *(const struct gm_program_options *)all;
	output->other_user = output->options.user[0] != '\0' && geteuid() == 0;
	if (output->other_user &&
	    (result = find_user(&output->options, &output->uid, &output->gid, err)) < 0) {
		free(output);
		return result;
	}
	size_t count = 0;
	char *rest = NULL;
	output->words[count++] = output->options.program;
	for (char *word = strtok_r(output->options.arguments, " ", &rest); word && count <= WORDS;
	     word = strtok_r(NULL, " ", &rest))
		output->words[count++] = word;
	*ret_output = output;
	return 0;
}

/* Programs that run still are ended; they are told of the alarm again by the next output. */
static void program_close(struct gm_output *output)
{
	struct run *run, *next;

	DL_FOREACH_SAFE(output->runs, run, next)
	{
		DL_DELETE(output->runs, run);
		signal_group(run, SIGKILL);
		run->output = NULL;
		close_pipes(run);
	}
	free(output);
}

const struct gm_output_ops gm_program_ops = {
	.type = "program",
	.help = "A program of the operator's with the alarm on its standard input.",
	.options = program_table,
	.options_size = sizeof(struct gm_program_options),
	.in_flight = IN_FLIGHT,
	.check = program_check,
	.create = program_create,
	.send = program_send,
	.close = program_close,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guestmond: arguments, and the daemon's life from configuration to the last handle. Start-up and
 * shut-down are each one visible list, the second in the reverse order of the first.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "daemon/commands.h"
#include "daemon/config.h"
#include "daemon/control.h"
#include "daemon/gateway.h"
#include "daemon/pipeline.h"
#include "gm_version.h"
#include "source/left.h"
#include "state/state.h"

enum { EXIT_CONFIG = 2, WATCHDOG_MS = 1000, LARGE = 256 * 1024 };

struct daemon {
	const char *config_path;
	struct gm_config *config;
	struct gm_state *state;
	uv_loop_t loop;
	struct gm_pipeline *pipeline;
	struct gm_control *control;
	struct gm_gateway *gateway;
	struct gm_commands commands;
	uv_signal_t terminate, interrupt, hangup;
	uv_timer_t watchdog;
	bool stopping;
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"foreground", no_argument, NULL, 'f'},
	{"check", no_argument, NULL, 'C'},
	{"print-config", no_argument, NULL, 'P'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void usage(FILE *out)
{
	fprintf(out,
		"usage: guestmond [-c FILE] [-f] [--check] [--print-config] [--version] [--help]\n"
		"\n"
		"  -c, --config FILE  configuration (default %s)\n"
		"  -f, --foreground   do not go to the background\n"
		"      --check        read the configuration, say what is wrong, and end\n"
		"      --print-config print the configuration in effect, and end\n"
		"      --version      print the version, and end\n"
		"\n"
		"Every option of the configuration is described in guestmon.yaml(5).\n",
		GM_CONFIG_PATH);
}

/*
 * Secrets are in memory of libraries, too (libcurl, OpenSSL, net-snmp), so that a dump can only be had with
 * them or not at all. Unlike RLIMIT_CORE this also holds where core_pattern(5) names a program, and keeps
 * processes of the same user out of the memory.
 */
static void allow_core_dumps(bool allowed)
{
	prctl(PR_SET_DUMPABLE, allowed ? 1 : 0);
}

/* ---- reload ---- */

static int reload(void *user, bool apply, struct gm_error *err)
{
	struct daemon *daemon = user;
	struct gm_config *after;
	int result = gm_config_load(daemon->config_path, &after, err);
	if (result < 0)
		return result;
	result = gm_config_applicable(daemon->config, after, err);
	if (result < 0)
		gm_error_prefix(err, result, "%s", daemon->config_path);
	else if (apply)
		result = gm_pipeline_reconfigure(daemon->pipeline, after, err);
	if (result < 0 || !apply) {
		gm_config_free(after);
		return result;
	}
	gm_log_set_level((enum gm_log_level)after->log.level);
	allow_core_dumps(after->log.core_dumps);
	gm_config_free(daemon->config);
	daemon->config = after;
	gm_log(GM_LOG_NOTICE, "configuration reloaded from %s", daemon->config_path);
	return 0;
}

/* ---- loop callbacks ---- */

static void begin_stop(struct daemon *daemon)
{
	if (daemon->stopping)
		return;
	daemon->stopping = true;
	sd_notify(0, "STOPPING=1");
	gm_gateway_stop(daemon->gateway);
	gm_control_stop(daemon->control);
	gm_pipeline_stop(daemon->pipeline);
	uv_close((uv_handle_t *)&daemon->terminate, NULL);
	uv_close((uv_handle_t *)&daemon->interrupt, NULL);
	uv_close((uv_handle_t *)&daemon->hangup, NULL);
	uv_close((uv_handle_t *)&daemon->watchdog, NULL);
}

static void on_stop_signal(uv_signal_t *handle, int number)
{
	gm_log(GM_LOG_NOTICE, "stopping on signal %d", number);
	begin_stop(handle->data);
}

static void on_hangup(uv_signal_t *handle, int number)
{
	(void)number;
	struct gm_error err;
	sd_notify(0, "RELOADING=1");
	if (reload(handle->data, true, &err) < 0)
		gm_log(GM_LOG_ERROR, "the configuration stays as it is: %s", err.text);
	sd_notify(0, "READY=1");
}

static void on_watchdog(uv_timer_t *timer)
{
	(void)timer;
	sd_notify(0, "WATCHDOG=1");
}

static void listen_to_signals(struct daemon *daemon)
{
	uv_signal_init(&daemon->loop, &daemon->terminate);
	uv_signal_init(&daemon->loop, &daemon->interrupt);
	uv_signal_init(&daemon->loop, &daemon->hangup);
	uv_timer_init(&daemon->loop, &daemon->watchdog);
	daemon->terminate.data = daemon->interrupt.data = daemon->hangup.data = daemon;
	uv_signal_start(&daemon->terminate, on_stop_signal, SIGTERM);
	uv_signal_start(&daemon->interrupt, on_stop_signal, SIGINT);
	uv_signal_start(&daemon->hangup, on_hangup, SIGHUP);
	uv_timer_start(&daemon->watchdog, on_watchdog, WATCHDOG_MS, WATCHDOG_MS);
	/* A peer that closes its socket is an error of that write, not the end of the daemon. */
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigaction(SIGPIPE, &ignore, NULL);
}

/* ---- life ---- */

static int start(struct daemon *daemon, struct gm_error *err)
{
	int result = gm_state_open(daemon->config->state.directory, &daemon->state, err);
	if (result < 0)
		return result;
	result = gm_pipeline_create(&daemon->loop, daemon->config, daemon->state, &daemon->pipeline,
				    err);
	if (result < 0)
		return result;
	daemon->commands = (struct gm_commands){daemon->pipeline, reload, daemon,
						gm_user_names_create(gm_user_names_ask_system)};
	struct gm_control_host host = {gm_commands_answer, &daemon->commands};
	result = gm_control_start(&daemon->loop, daemon->config->control.socket, &host,
				  &daemon->control, err);
	if (result < 0)
		return result;
	result = gm_gateway_create(daemon->config, daemon->state, &daemon->commands,
				   &daemon->gateway, err);
	if (result < 0)
		return result;
	result = gm_pipeline_start(daemon->pipeline, err);
	if (result < 0)
		return result;
	return gm_gateway_start(daemon->gateway, &daemon->loop, err);
}

static int run(struct daemon *daemon, int ready_fd)
{
	struct gm_error err = {.text = ""};
	uv_loop_init(&daemon->loop);
	listen_to_signals(daemon);
	int result = start(daemon, &err);
	if (result < 0) {
		gm_log(GM_LOG_ERROR, "cannot start: %s", err.text);
		begin_stop(daemon);
	} else {
		gm_log(GM_LOG_NOTICE, "guestmond %s on node %s", GM_VERSION,
		       daemon->config->node.name);
		sd_notify(0, "READY=1");
		if (ready_fd >= 0) {
			ssize_t written = write(ready_fd, "", 1);
			(void)written; /* a parent that is gone needs no answer */
			close(ready_fd);
		}
	}
	uv_run(&daemon->loop, UV_RUN_DEFAULT);

	gm_control_free(daemon->control);
	gm_pipeline_free(daemon->pipeline);
	gm_gateway_free(daemon->gateway);
	gm_user_names_free(daemon->commands.names);
	uv_loop_close(&daemon->loop);
	gm_state_close(daemon->state);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/*
 * Goes to the background before any thread exists. The parent waits until the child is ready or dead,
 * so that "started" means serving. Returns the child's end of the pipe; the parent does not return.
 */
static int go_to_background(void)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	pid_t child = fork();
	if (child < 0) {
		close(ends[0]);
		close(ends[1]);
		return -1;
	}
	if (child > 0) {
		char ready;
		close(ends[1]);
		_exit(read(ends[0], &ready, 1) == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	close(ends[0]);
	setsid();
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		close(null);
	}
	return ends[1];
}

struct arguments {
	const char *config_path;
	bool foreground, check, print;
};

/* -1: go on; else the exit status. */
static int parse_arguments(int argc, char **argv, struct arguments *arguments)
{
	int letter;
	while ((letter = getopt_long(argc, argv, "c:fh", long_options, NULL)) != -1) {
		switch (letter) {
		case 'c':
			arguments->config_path = optarg;
			break;
		case 'f':
			arguments->foreground = true;
			break;
		case 'C':
			arguments->check = true;
			break;
		case 'P':
			arguments->print = true;
			break;
		case 'V':
			printf("guestmond %s\n", GM_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			usage(stdout);
			return EXIT_SUCCESS;
		default:
			usage(stderr);
			return EXIT_CONFIG;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "guestmond: unexpected argument %s\n", argv[optind]);
		return EXIT_CONFIG;
	}
	return -1;
}

/* Threads that were left behind may still be in a library, whose destructors would pull it from under them. */
static int leave(int status)
{
	if (gm_left_count() > 0) {
		fflush(NULL);
		_exit(status);
	}
	return status;
}

int main(int argc, char **argv)
{
	/* net-snmp would read the texts of MIBs that its environment names: the daemon needs none. */
	setenv("MIBS", "", 1);
	allow_core_dumps(false); /* until the configuration, whose files hold secrets, says so */
	/*
	 * Of glibc's arenas, one per thread if it were let, two are enough: main holds nearly all there is, and the
	 * sources take little that lasts, of which each arena would keep the most that it ever held. What is large
	 * and lives for a second, such as the series of a snapshot, is mapped and unmapped: glibc would raise this
	 * limit with the first of them, and the heap keep the holes.
	 */
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_MMAP_THRESHOLD, LARGE);

	struct arguments arguments = {.config_path = GM_CONFIG_PATH};
	int status = parse_arguments(argc, argv, &arguments);
	if (status >= 0)
		return status;

	struct daemon *daemon = calloc(1, sizeof(*daemon));
	struct gm_error err = {.text = "out of memory"};
	/* Absolute: a reload after the daemon has changed its directory finds the same file. */
	char *path = daemon ? realpath(arguments.config_path, NULL) : NULL;
	if (daemon)
		daemon->config_path = path ? path : arguments.config_path;
	int loaded = daemon ? gm_config_load(daemon->config_path, &daemon->config, &err) : -ENOMEM;
	if (loaded < 0) {
		fprintf(stderr, "guestmond: %s\n", err.text);
		/* A file that is not there yet, a secret say, may be there at the next start; a wrong one is wrong again. */
		status = loaded == -EINVAL || arguments.check ? EXIT_CONFIG : EXIT_FAILURE;
	} else if (arguments.print) {
		gm_config_print(daemon->config, stdout);
		status = EXIT_SUCCESS;
	} else if (arguments.check) {
		printf("%s: ok\n", daemon->config_path);
		status = EXIT_SUCCESS;
	} else {
		gm_log_set_level((enum gm_log_level)daemon->config->log.level);
		allow_core_dumps(daemon->config->log.core_dumps);
		int ready_fd = arguments.foreground ? -1 : go_to_background();
		status = run(daemon, ready_fd);
	}
	if (daemon)
		gm_config_free(daemon->config);
	free(path);
	free(daemon);
	return leave(status);
}

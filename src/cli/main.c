/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guestmonctl: a table of commands. Those of the daemon are asked over its socket and shown as text
 * or as the JSON that came; replay runs here.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/option.h"
#include "cli/replay_command.h"
#include "cli/show.h"
#include "ctl/ctl.h"
#include "gm_version.h"

enum { EXIT_USAGE = 2, TIMEOUT_MS = 10000 };

#define DEFAULT_SOCKET "/run/guestmon/control.sock"

struct settings {
	const char *socket;
	bool json, log, csv;
	const char *arguments[2]; /* what follows the command */
	int64_t since;            /* ns; 0: all */
};

static const struct gm_option since_table[] = {
	{.key = "since",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct settings, since),
	 .min = 0,
	 .max = 365 * 86400e9,
	 .fallback = "0"},
	GM_OPTION_END,
};

static void show_ok(const struct gm_json *reply, FILE *out)
{
	(void)reply;
	fputs("ok\n", out);
}

/* The daemon's commands on this end: how many words they take and how the answer is shown. */
static const struct command {
	const char *name;
	int least, most;
	const char *synopsis;
	void (*show)(const struct gm_json *reply, FILE *out);
} commands[] = {
	{"status", 0, 0, "status", gm_show_status},
	{"guests", 0, 0, "guests", gm_show_guests},
	{"alarms", 0, 0, "alarms [--log]", gm_show_alarms},
	{"windows", 1, 2, "windows GUEST|node [METRIC] [--since 10m] [--csv]", gm_show_windows},
	{"check", 0, 0, "check", show_ok},
	{"reload", 0, 0, "reload", show_ok},
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void usage(FILE *out)
{
	fputs("usage: guestmonctl [-s SOCKET] [--json] COMMAND [ARGUMENT]...\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++) {
		const struct gm_ctl_command *line = gm_ctl_commands;
		while (line->name && strcmp(line->name, commands[i].name) != 0)
			line++;
		fprintf(out, "  %-50s %s\n", commands[i].synopsis, line->name ? line->help : "");
	}
	fprintf(out, "  %-50s %s\n", "replay --detector NAME FILE.csv",
		"runs a detector over a recording, without a daemon");
	fprintf(out, "\nThe socket is %s unless -s names another. See guestmonctl(1).\n",
		DEFAULT_SOCKET);
}

static struct gm_json *make_request(const struct command *command, const struct settings *settings)
{
	struct gm_json *request = gm_json_object();
	gm_json_set_text(request, "command", command->name);
	if (settings->log)
		gm_json_set_bool(request, "log", true);
	if (settings->arguments[0])
		gm_json_set_text(request, "guest", settings->arguments[0]);
	if (settings->arguments[1])
		gm_json_set_text(request, "metric", settings->arguments[1]);
	if (settings->since > 0)
		gm_json_set_number(request, "since", (double)settings->since / GM_SECOND);
	return request;
}

static int ask(const struct command *command, const struct settings *settings)
{
	struct gm_error err;
	struct gm_json *reply = NULL, *request = make_request(command, settings);
	int result = gm_ctl_call(settings->socket, request, TIMEOUT_MS, &reply, &err);
	gm_json_free(request);
	if (result < 0) {
		fprintf(stderr, "guestmonctl: %s\n", err.text);
		return EXIT_FAILURE;
	}
	if (settings->json) {
		struct gm_buffer text = GM_BUFFER_INIT(2 * (size_t)GM_CTL_REPLY_MAX);
		if (gm_json_write(reply, 2, &text) == 0)
			puts(text.data);
		gm_buffer_free(&text);
	} else if (settings->csv) {
		gm_show_windows_csv(reply, stdout);
	} else {
		command->show(reply, stdout);
	}
	gm_json_free(reply);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int wrong(const char *message)
{
	fprintf(stderr, "guestmonctl: %s; see guestmonctl --help\n", message);
	return EXIT_USAGE;
}

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct settings *settings)
{
	static const struct option options[] = {
		{"socket", required_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'},
		{"log", no_argument, NULL, 'l'},          {"csv", no_argument, NULL, 'c'},
		{"since", required_argument, NULL, 'S'},  {"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
	};
	struct gm_error err;
	int letter;
	while ((letter = getopt_long(argc, argv, "s:h", options, NULL)) != -1) {
		switch (letter) {
		case 's':
			settings->socket = optarg;
			break;
		case 'j':
			settings->json = true;
			break;
		case 'l':
			settings->log = true;
			break;
		case 'c':
			settings->csv = true;
			break;
		case 'S':
			if (gm_option_set(since_table, settings, "since", optarg, &err) < 0)
				return wrong(err.text);
			break;
		case 'V':
			printf("guestmonctl %s\n", GM_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			usage(stdout);
			return EXIT_SUCCESS;
		default:
			return wrong("wrong option");
		}
	}
	return -1;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "replay") == 0)
		return gm_cli_replay(argc - 1, argv + 1);

	struct settings settings = {.socket = DEFAULT_SOCKET};
	int status = parse_options(argc, argv, &settings);
	if (status >= 0)
		return status;
	if (optind == argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	const struct command *command = commands;
	while (command < commands + COMMANDS && strcmp(command->name, argv[optind]) != 0)
		command++;
	if (command == commands + COMMANDS)
		return wrong("unknown command");
	int words = argc - optind - 1;
	if (words < command->least || words > command->most)
		return wrong("wrong number of arguments");
	for (int i = 0; i < words; i++)
		settings.arguments[i] = argv[optind + 1 + i];
	if (settings.csv && command->show != gm_show_windows)
		return wrong("--csv goes with windows");
	if (settings.log && command->show != gm_show_alarms)
		return wrong("--log goes with alarms");
	return ask(command, &settings);
}

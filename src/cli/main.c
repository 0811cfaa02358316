/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guestmonctl: a table of commands. Those of the daemon are asked over its socket and shown as text
 * or as the JSON that came; replay runs here.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/option.h"
#include "cli/check_command.h"
#include "cli/command.h"
#include "cli/render.h"
#include "cli/replay_command.h"
#include "cli/show.h"
#include "cli/tune.h"
#include "cli/windows_command.h"
#include "ctl/ctl.h"
#include "gm_version.h"

enum { COMMAND_WORDS = 3 };

#define DEFAULT_SOCKET "/run/guestmon/control.sock"

struct settings {
	const char *socket;
	bool json, log;
	const char *words[COMMAND_WORDS]; /* what follows the command */
	const char *comment;
	int64_t since, until;  /* ns ago; 0: all, now */
	int64_t length, delay; /* ns; of what is asked for, and until it begins */
};

static const struct gm_option time_table[] = {
	{.key = "since",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct settings, since),
	 .min = 0,
	 .max = 365 * 86400e9,
	 .fallback = "0"},
	{.key = "until",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct settings, until),
	 .min = 0,
	 .max = 365 * 86400e9,
	 .fallback = "0"},
	{.key = "for",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct settings, length),
	 .min = 1e9,
	 .max = 365 * 86400e9,
	 .fallback = "1h"},
	{.key = "in",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct settings, delay),
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

/*
 * The daemon's commands on this end: the request's members that the words after it are, how many of them
 * there have to be, and how the answer is shown.
 */
static const struct command {
	const char *name;
	int least;
	const char *members[COMMAND_WORDS];
	const char *synopsis;
	void (*show)(const struct gm_json *reply, FILE *out);
	bool tells_author;
} commands[] = {
	{"status", 0, {NULL}, "status", gm_show_status, false},
	{"guests", 0, {NULL}, "guests", gm_show_guests, false},
	{"alarms", 0, {NULL}, "alarms [--log]", gm_show_alarms, false},
	{"outputs",
	 0,
	 {"action", "output", "sequence"},
	 "outputs [pause|resume NAME | replay NAME SEQUENCE]",
	 gm_show_outputs,
	 false},
	{"actions", 0, {"output"}, "actions [OUTPUT] [--since 1d]", gm_show_actions, false},
	{"thresholds", 0, {NULL}, "thresholds", gm_show_thresholds, false},
	{"learn",
	 2,
	 {"guest", "kind", "label"},
	 "learn GUEST|node normal|faulty [LABEL] --since 40s [--until 5s]",
	 gm_show_lesson,
	 true},
	{"lessons", 0, {"guest"}, "lessons [GUEST|node]", gm_show_lessons, false},
	{"unlearn", 1, {"id"}, "unlearn ID", show_ok, false},
	{"ack", 1, {"id"}, "ack ID [--comment TEXT]", show_ok, true},
	{"unack", 1, {"id"}, "unack ID [--comment TEXT]", show_ok, true},
	{"comment", 2, {"id", "comment"}, "comment ID TEXT", show_ok, true},
	{"comments", 0, {"id"}, "comments [ID]", gm_show_comments, false},
	{"maintenance",
	 0,
	 {"action", "target"},
	 "maintenance [list | remove ID | add TARGET --for 2h [--in 1h] [--comment TEXT]]",
	 gm_show_maintenance,
	 true},
	{"reload", 0, {NULL}, "reload", show_ok, false},
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void usage(FILE *out)
{
	static const char *const others[][2] = {
		{"windows GUEST|node [METRIC]... [--since 10m] [--entity PATTERN] [--csv | --json "
		 "| "
		 "--plot] [--svg FILE]",
		 "the samples of a guest, its interfaces and disks, or of the node"},
		{"check [--credentials FILE] [--agent HOST:PORT] [--no-notification] [--json]",
		 "the configuration, and the way to SNMP managers; how to mend it"},
		{"replay --detector NAME [--set KEY=VALUE]... [--entity NAME] [--link-speed BITS] "
		 "[--scores FILE] [-v] FILE.csv",
		 "runs a detector over a recording, without a daemon"},
		{"tune GUEST|node --detector NAME --set KEY=VALUE... [--since 1h] [--json]",
		 "replays the windows with other options and compares"},
	};
	fputs("usage: guestmonctl [-s SOCKET] [--json] COMMAND [ARGUMENT]...\n"
	      "       guestmonctl --version | --help\n\n",
	      out);
	for (size_t i = 0; i < COMMANDS; i++) {
		const struct gm_ctl_command *line = gm_ctl_commands;
		while (line->name && strcmp(line->name, commands[i].name) != 0)
			line++;
		gm_render_entry(out, commands[i].synopsis, line->name ? line->help : "");
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		gm_render_entry(out, others[i][0], others[i][1]);
	fprintf(out, "\nThe socket is %s unless -s names another. See guestmonctl(1).\n",
		DEFAULT_SOCKET);
}

static struct gm_json *make_request(const struct command *command, const struct settings *settings)
{
	struct gm_json *request = gm_json_object();
	gm_json_set_text(request, "command", command->name);
	if (settings->log)
		gm_json_set_bool(request, "log", true);
	for (int i = 0; i < COMMAND_WORDS && settings->words[i]; i++)
		gm_json_set_text(request, command->members[i], settings->words[i]);
	if (settings->comment)
		gm_json_set_text(request, "comment", settings->comment);
	if (settings->since > 0)
		gm_json_set_number(request, "since", (double)settings->since / GM_SECOND);
	if (settings->until > 0)
		gm_json_set_number(request, "until", (double)settings->until / GM_SECOND);
	if (settings->length > 0)
		gm_json_set_number(request, "for", (double)settings->length / GM_SECOND);
	if (settings->delay > 0)
		gm_json_set_number(request, "in", (double)settings->delay / GM_SECOND);
	/* The daemon sees who asks; it cannot see who has become that. */
	const char *before = command->tells_author ? getenv("SUDO_USER") : NULL;
	if (before && before[0] != '\0')
		gm_json_set_text(request, "author", before);
	return request;
}

static int ask(const struct command *command, const struct settings *settings)
{
	struct gm_json *reply;
	int result = gm_command_ask(settings->socket, make_request(command, settings), &reply);
	if (result < 0)
		return result == -EINVAL ? GM_EXIT_USAGE : EXIT_FAILURE;
	if (settings->json)
		gm_command_print(reply);
	else
		command->show(reply, stdout);
	gm_json_free(reply);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int wrong(const char *message)
{
	fprintf(stderr, "guestmonctl: %s; see guestmonctl --help\n", message);
	return GM_EXIT_USAGE;
}

static const char *time_key(int letter)
{
	static const char *const keys[][2] = {
		{"S", "since"}, {"U", "until"}, {"F", "for"}, {"I", "in"}};
	size_t at = 0;

	while (at < 3 && keys[at][0][0] != letter)
		at++;
	return keys[at][1];
}

/* With `letters` that begin with '+', up to the first word. -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, const char *letters, struct settings *settings)
{
	static const struct option options[] = {
		{"socket", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"log", no_argument, NULL, 'l'},
		{"since", required_argument, NULL, 'S'},
		{"until", required_argument, NULL, 'U'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{"comment", required_argument, NULL, 'C'},
		{"for", required_argument, NULL, 'F'},
		{"in", required_argument, NULL, 'I'},
		{NULL, 0, NULL, 0},
	};
	struct gm_error err;
	int letter;
	while ((letter = getopt_long(argc, argv, letters, options, NULL)) != -1) {
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
		case 'C':
			settings->comment = optarg;
			break;
		case 'S':
		case 'U':
		case 'F':
		case 'I':
			if (gm_option_set(time_table, settings, time_key(letter), optarg, &err) < 0)
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

static int run(const struct command *command, int argc, char **argv, struct settings *settings)
{
	optind = 0; /* GNU: begins anew with other letters, too */
	int status = parse_options(argc, argv, "s:h", settings);
	if (status >= 0)
		return status;
	int words = argc - optind, most = 0;
	while (most < COMMAND_WORDS && command->members[most])
		most++;
	if (words < command->least || words > most)
		return wrong("wrong number of arguments");
	for (int i = 0; i < words; i++)
		settings->words[i] = argv[optind + i];
	if (settings->log && command->show != gm_show_alarms)
		return wrong("--log goes with alarms");
	if (settings->comment && words == command->least && words > 1 &&
	    strcmp(command->members[words - 1], "comment") == 0)
		return wrong("the text is there already: --comment gives another");
	return ask(command, settings);
}

/* Of the commands that read their own arguments, too. */
static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	struct settings settings = {.socket = DEFAULT_SOCKET};
	int status = parse_options(argc, argv, "+s:h", &settings);
	if (status >= 0)
		return status;
	if (optind == argc) {
		usage(stderr);
		return GM_EXIT_USAGE;
	}
	argc -= optind;
	argv += optind;
	if (asks_for_help(argc, argv)) {
		usage(stdout);
		return EXIT_SUCCESS;
	}
	if (strcmp(argv[0], "replay") == 0)
		return gm_cli_replay(argc, argv);
	if (strcmp(argv[0], "check") == 0)
		return gm_cli_check(settings.socket, settings.json, argc, argv);
	if (strcmp(argv[0], "windows") == 0)
		return gm_cli_windows(settings.socket, settings.json, argc, argv);
	if (strcmp(argv[0], "tune") == 0)
		return gm_cli_tune(settings.socket, settings.json, argc, argv);
	const struct command *command = commands;
	while (command < commands + COMMANDS && strcmp(command->name, argv[0]) != 0)
		command++;
	if (command == commands + COMMANDS)
		return wrong("unknown command");
	return run(command, argc, argv, &settings);
}

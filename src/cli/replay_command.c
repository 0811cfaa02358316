/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of replay; see replay_command.h.
 */
#include "cli/replay_command.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/option.h"
#include "cli/command.h"
#include "replay/replay.h"

enum { SETTINGS_MAX = 64 };

struct arguments {
	const char *detector, *entity, *scores, *file;
	const char *settings[SETTINGS_MAX + 1];
	size_t setting_count;
	int64_t link_speed;
	bool verbose;
};

static const struct gm_option link_speed_table[] = {
	{.key = "link-speed",
	 .type = GM_OPTION_BITRATE,
	 GM_OPTION_AT(struct arguments, link_speed),
	 .min = 0,
	 .max = 1e15,
	 .fallback = "0"},
	GM_OPTION_END,
};

static int refuse(const char *message)
{
	fprintf(stderr,
		"guestmonctl: %s\n"
		"usage: guestmonctl replay --detector NAME [--set KEY=VALUE]... [--entity NAME]\n"
		"                          [--link-speed BITS] [--scores FILE] [-v] FILE.csv\n",
		message);
	return -EINVAL;
}

static int parse(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{"detector", required_argument, NULL, 'd'},
		{"set", required_argument, NULL, 's'},
		{"entity", required_argument, NULL, 'e'},
		{"link-speed", required_argument, NULL, 'l'},
		{"scores", required_argument, NULL, 'S'},
		{"verbose", no_argument, NULL, 'v'},
		{NULL, 0, NULL, 0},
	};
	struct gm_error err;
	int letter;
	optind = 0; /* GNU: begins anew with other letters, too */
	while ((letter = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		switch (letter) {
		case 'd':
			arguments->detector = optarg;
			break;
		case 's':
			if (arguments->setting_count == SETTINGS_MAX)
				return refuse("too many --set");
			arguments->settings[arguments->setting_count++] = optarg;
			break;
		case 'e':
			arguments->entity = optarg;
			break;
		case 'l':
			if (gm_option_set(link_speed_table, arguments, "link-speed", optarg, &err) <
			    0)
				return refuse(err.text);
			break;
		case 'S':
			arguments->scores = optarg;
			break;
		case 'v':
			arguments->verbose = true;
			break;
		default:
			return refuse("wrong option");
		}
	}
	if (!arguments->detector)
		return refuse("replay needs --detector");
	if (optind + 1 != argc)
		return refuse("replay needs one file (\"-\" reads standard input)");
	arguments->file = argv[optind];
	return 0;
}

static int run(const struct arguments *arguments, FILE *input, FILE *scores)
{
	bool standard = strcmp(arguments->file, "-") == 0;
	struct gm_replay_options options = {
		.detector = arguments->detector,
		.settings = arguments->settings,
		.entity = arguments->entity,
		.link_speed = arguments->link_speed,
		.input = input,
		.input_name = standard ? "<standard input>" : arguments->file,
		.output = stdout,
		.scores = scores,
		.statistics = arguments->verbose ? stderr : NULL,
		.remarks = stderr,
	};
	struct gm_error err = {.text = ""};
	int result = gm_replay(&options, &err);
	if (result < 0)
		fprintf(stderr, "guestmonctl: %s\n", err.text);
	return result;
}

int gm_cli_replay(int argc, char **argv)
{
	struct arguments arguments = {0};
	if (parse(argc, argv, &arguments) < 0)
		return GM_EXIT_USAGE;

	bool standard = strcmp(arguments.file, "-") == 0;
	FILE *input = standard ? stdin : fopen(arguments.file, "re");
	FILE *scores = input && arguments.scores ? fopen(arguments.scores, "we") : NULL;
	int result = -EINVAL;
	if (!input)
		fprintf(stderr, "guestmonctl: %s: %s\n", arguments.file, strerror(errno));
	else if (arguments.scores && !scores)
		fprintf(stderr, "guestmonctl: %s: %s\n", arguments.scores, strerror(errno));
	else
		result = run(&arguments, input, scores);
	if (scores && fclose(scores) != 0 && result == 0) {
		fprintf(stderr, "guestmonctl: %s: %s\n", arguments.scores, strerror(errno));
		result = -EIO;
	}
	if (input && !standard)
		fclose(input);
	return result < 0 ? GM_EXIT_USAGE : 0;
}

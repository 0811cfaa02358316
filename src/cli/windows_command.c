/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of windows; see windows_command.h. The samples come from the daemon over the control
 * socket: from its rings, and what is older from Redis; drawn ones have the alarms of their time.
 */
#include "cli/windows_command.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/plot.h"
#include "cli/render.h"
#include "cli/show.h"
#include "cli/svg.h"

enum { METRICS_MAX = 4096 };

struct arguments {
	const char *socket, *guest, *svg, *entity;
	char metrics[METRICS_MAX]; /* patterns, separated by commas */
	bool json, csv, plot;
	int64_t since; /* ns; 0: all */
};

static int refuse(const char *message)
{
	fprintf(stderr,
		"guestmonctl: %s\n"
		"usage: guestmonctl windows GUEST|node [METRIC]... [--since 10m] [--entity "
		"if:tap0]\n"
		"                           [--csv | --json | --plot] [--svg FILE]\n",
		message);
	return GM_EXIT_USAGE;
}

/* -1: go on; else the exit status. */
static int parse_words(int argc, char **argv, struct arguments *arguments)
{
	size_t used = 0;

	if (optind == argc)
		return refuse("windows needs a guest, or node");
	arguments->guest = argv[optind++];
	for (; optind < argc && used < METRICS_MAX; optind++)
		used += (size_t)snprintf(arguments->metrics + used, METRICS_MAX - used, "%s%s",
					 used ? "," : "", argv[optind]);
	if (used >= METRICS_MAX)
		return refuse("too many metrics");
	if (arguments->json + arguments->csv + arguments->plot > 1)
		return refuse("--csv, --json and --plot exclude each other");
	return -1;
}

static int parse(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{"socket", required_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'},
		{"csv", no_argument, NULL, 'c'},          {"plot", no_argument, NULL, 'p'},
		{"svg", required_argument, NULL, 'v'},    {"since", required_argument, NULL, 'S'},
		{"entity", required_argument, NULL, 'e'}, {NULL, 0, NULL, 0},
	};
	struct gm_error err;
	int letter;

	optind = 0; /* GNU: begins anew with other options */
	while ((letter = getopt_long(argc, argv, "s:", options, NULL)) != -1) {
		switch (letter) {
		case 's':
			arguments->socket = optarg;
			break;
		case 'j':
			arguments->json = true;
			break;
		case 'c':
			arguments->csv = true;
			break;
		case 'p':
			arguments->plot = true;
			break;
		case 'v':
			arguments->svg = optarg;
			break;
		case 'e':
			arguments->entity = optarg;
			break;
		case 'S':
			if (gm_command_since(optarg, &arguments->since, &err) < 0)
				return refuse(err.text);
			break;
		default:
			return refuse("wrong option");
		}
	}
	return parse_words(argc, argv, arguments);
}

static int ask_windows(const struct arguments *arguments, struct gm_json **ret_windows)
{
	struct gm_json *request = gm_json_object();

	gm_json_set_text(request, "command", "windows");
	gm_json_set_text(request, "guest", arguments->guest);
	if (arguments->metrics[0] != '\0')
		gm_json_set_text(request, "metric", arguments->metrics);
	if (arguments->entity)
		gm_json_set_text(request, "entity", arguments->entity);
	if (arguments->since > 0)
		gm_json_set_number(request, "since", (double)arguments->since / GM_SECOND);
	return gm_command_ask(arguments->socket, request, ret_windows);
}

static int ask_alarms(const struct arguments *arguments, struct gm_json **ret_alarms)
{
	struct gm_json *request = gm_json_object();

	gm_json_set_text(request, "command", "alarms");
	gm_json_set_bool(request, "log", true);
	return gm_command_ask(arguments->socket, request, ret_alarms);
}

static int write_svg(const char *path, const struct gm_charts *charts)
{
	FILE *out = fopen(path, "we");

	if (!out)
		goto failed;
	gm_svg(charts, out);
	bool whole = !ferror(out);
	if (fclose(out) == 0 && whole)
		return EXIT_SUCCESS;
failed:
	fprintf(stderr, "guestmonctl: %s: %s\n", path, strerror(errno));
	return EXIT_FAILURE;
}

static int draw(const struct arguments *arguments, const struct gm_json *windows)
{
	struct gm_json *alarms;
	struct gm_charts charts;
	int status = EXIT_SUCCESS;

	if (ask_alarms(arguments, &alarms) < 0)
		return EXIT_FAILURE;
	if (gm_charts_build(arguments->guest, windows, alarms, &charts) < 0) {
		fprintf(stderr, "guestmonctl: out of memory\n");
		gm_json_free(alarms);
		return EXIT_FAILURE;
	}
	if (charts.count == 0) {
		fprintf(stderr, "guestmonctl: no such window has two samples\n");
		status = EXIT_FAILURE;
	} else {
		if (arguments->svg)
			status = write_svg(arguments->svg, &charts);
		if (arguments->plot && status == EXIT_SUCCESS) {
			struct gm_plot_style style = gm_plot_style_of(stdout);

			if (gm_plot(&charts, &style, stdout) < 0)
				status = EXIT_FAILURE;
		}
	}
	gm_charts_free(&charts);
	gm_json_free(alarms);
	return status;
}

/* Where less came than was asked for. */
static void tell_note(const struct gm_json *windows)
{
	const char *note = gm_json_get_text(windows, "note");
	const char *source = gm_json_get_text(windows, "source");
	char text[2 * GM_CELL];

	if (!note)
		return;
	size_t length = gm_text_quote(text, sizeof(text), note);
	fprintf(stderr, "guestmonctl: %.*s%s\n", (int)length - 2, text + 1,
		source && strcmp(source, "rings") == 0 ? ": from the daemon's memory alone" : "");
}

static void show(const struct arguments *arguments, const struct gm_json *windows)
{
	if (arguments->csv)
		gm_show_windows_csv(windows, stdout, stderr);
	else if (arguments->json)
		gm_command_print(windows);
	else
		gm_show_windows(windows, stdout);
}

/* What was asked for by name and is not there: a mistake more often than a state. */
static bool tell_nothing(const struct arguments *arguments, const struct gm_json *windows)
{
	const struct gm_json *entities = gm_json_get(windows, "entities"), *metrics;
	void *iterator = NULL;
	const char *name;
	bool filtered = arguments->entity || arguments->metrics[0] != '\0';

	while (gm_json_next(entities, &iterator, &name, &metrics)) {
		if (gm_json_size(metrics) > 0)
			return false;
	}
	if (!filtered)
		return false;
	if (arguments->entity && gm_json_size(entities) == 0)
		fprintf(stderr, "guestmonctl: no entity of %s matches %s\n", arguments->guest,
			arguments->entity);
	else
		fprintf(stderr, "guestmonctl: no metric%s%s has samples%s\n",
			arguments->metrics[0] ? " that matches " : "", arguments->metrics,
			arguments->since > 0 ? " of that time" : "");
	return true;
}

int gm_cli_windows(const char *socket, bool json, int argc, char **argv)
{
	struct arguments arguments = {.socket = socket, .json = json};
	int status = parse(argc, argv, &arguments);

	if (status >= 0)
		return status;
	struct gm_json *windows;
	if (ask_windows(&arguments, &windows) < 0)
		return EXIT_FAILURE;
	status = EXIT_SUCCESS;
	tell_note(windows);
	/* As JSON it is an answer like any other. */
	if (!arguments.json && tell_nothing(&arguments, windows)) {
		gm_json_free(windows);
		return EXIT_FAILURE;
	}
	if (arguments.plot || arguments.svg)
		status = draw(&arguments, windows);
	/* A picture alone needs no table beside it. */
	if (arguments.json || arguments.csv || !(arguments.plot || arguments.svg))
		show(&arguments, windows);
	gm_json_free(windows);
	return fflush(stdout) == 0 ? status : EXIT_FAILURE;
}

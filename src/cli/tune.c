/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tuning on what the node has just seen: the windows of a guest are fetched, replayed once with the
 * options that the daemon has and once with those of --set, and both are held against the ranges that
 * operators marked. Nothing in the daemon is changed. Called by main.c.
 */
#include "cli/tune.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/render.h"
#include "cli/show.h"
#include "replay/replay.h"

enum { SETTINGS_MAX = 64, SETTING_SIZE = 160 };

struct tune {
	const char *socket, *guest, *detector;
	const char *tuned[SETTINGS_MAX + 1]; /* from --set */
	size_t tuned_count;
	char texts[SETTINGS_MAX][SETTING_SIZE]; /* the daemon's own */
	const char *now[2 * SETTINGS_MAX + 1]; /* point into texts; then, for "tuned", into tuned */
	size_t now_count;
	bool idle; /* with the daemon's own the detector has nothing to judge by */
	int64_t since;
	bool json;
	struct gm_json *lessons; /* the daemon's answer */
};

static int refuse(const char *message)
{
	fprintf(stderr,
		"guestmonctl: %s\n"
		"usage: guestmonctl tune [-s SOCKET] [--json] GUEST|node --detector NAME\n"
		"                        --set KEY=VALUE... [--since 1h]\n",
		message);
	return -EINVAL;
}

static int parse(int argc, char **argv, struct tune *tune)
{
	static const struct option options[] = {
		{"socket", required_argument, NULL, 's'},   {"json", no_argument, NULL, 'j'},
		{"detector", required_argument, NULL, 'd'}, {"set", required_argument, NULL, 'S'},
		{"since", required_argument, NULL, 'a'},    {NULL, 0, NULL, 0},
	};
	struct gm_error err;
	int letter;
	optind = 0; /* GNU: begins anew with other letters, too */
	while ((letter = getopt_long(argc, argv, "s:", options, NULL)) != -1) {
		switch (letter) {
		case 's':
			tune->socket = optarg;
			break;
		case 'j':
			tune->json = true;
			break;
		case 'd':
			tune->detector = optarg;
			break;
		case 'S':
			if (tune->tuned_count == SETTINGS_MAX)
				return refuse("too many --set");
			tune->tuned[tune->tuned_count++] = optarg;
			break;
		case 'a':
			if (gm_command_since(optarg, &tune->since, &err) < 0)
				return refuse(err.text);
			break;
		default:
			return refuse("wrong option");
		}
	}
	if (!tune->detector || tune->tuned_count == 0)
		return refuse("tune needs --detector and --set");
	if (optind + 1 != argc)
		return refuse("tune needs one guest");
	tune->guest = argv[optind];
	return 0;
}

/* ---- what the daemon knows ---- */

static struct gm_json *request_of(const struct tune *tune, const char *command)
{
	struct gm_json *request = gm_json_object();
	gm_json_set_text(request, "command", command);
	gm_json_set_text(request, "guest", tune->guest);
	return request;
}

static int fetch_options(struct tune *tune)
{
	struct gm_json *reply = NULL, *request = request_of(tune, "options");
	gm_json_set_text(request, "detector", tune->detector);
	int result = gm_command_ask(tune->socket, request, &reply);
	if (result < 0)
		return result;
	void *iterator = NULL;
	const char *key;
	const struct gm_json *value;
	while (tune->now_count < SETTINGS_MAX &&
	       gm_json_next(gm_json_get(reply, "options"), &iterator, &key, &value)) {
		const char *text = gm_json_value_text(value);
		char *into = tune->texts[tune->now_count];
		const char *needed = gm_replay_needs(tune->detector);
		if (text && text[0] == '\0' && needed && strcmp(key, needed) == 0)
			tune->idle = true;
		if (!text || strcmp(key, "enabled") == 0 ||
		    snprintf(into, SETTING_SIZE, "%s=%s", key, text) >= SETTING_SIZE)
			continue;
		tune->now[tune->now_count++] = into;
	}
	gm_json_free(reply);
	return 0;
}

/* ---- replays ---- */

/* The transitions that `settings` make of the recording, as an array; NULL with a message said. */
static struct gm_json *replay(const struct tune *tune, const char *entity, const char *csv,
			      size_t size, const char *const *settings)
{
	struct gm_error err = {.text = ""};
	char *output = NULL;
	size_t length = 0;
	struct gm_json *list = NULL;
	FILE *in = fmemopen((void *)csv, size, "r"), *out = open_memstream(&output, &length);
	struct gm_replay_options options = {
		.detector = tune->detector,
		.settings = settings,
		.entity = entity,
		.input = in,
		.input_name = entity,
		.one_of_many = true,
		.output = out,
	};
	int result = in && out ? gm_replay(&options, &err) : -ENOMEM;
	if (in)
		fclose(in);
	if (out)
		fclose(out);
	if (result < 0) {
		fprintf(stderr, "guestmonctl: %s\n", err.text[0] ? err.text : strerror(-result));
	} else {
		list = gm_json_array();
		for (char *line = output, *end; line && (end = strchr(line, '\n'));
		     line = end + 1) {
			struct gm_json *transition = NULL;
			if (gm_json_parse(line, (size_t)(end - line), &transition, &err) == 0)
				gm_json_append(list, transition);
		}
	}
	free(output);
	return list;
}

static bool overlaps(const struct gm_json *lesson, const char *kind, double begin, double end)
{
	const char *known = gm_json_get_text(lesson, "kind");
	return known && strcmp(known, kind) == 0 &&
	       gm_json_get_number(lesson, "begin", INFINITY) <= end &&
	       gm_json_get_number(lesson, "end", -INFINITY) >= begin;
}

static bool marked(const struct tune *tune, const char *kind, double begin, double end)
{
	const struct gm_json *lessons = gm_json_get(tune->lessons, "lessons");
	for (size_t i = 0; i < gm_json_size(lessons); i++)
		if (overlaps(gm_json_at(lessons, i), kind, begin, end))
			return true;
	return false;
}

/* One row per alarm: a raise and the clear of the same metric that follows it. */
static void show_alarms(const struct tune *tune, struct gm_table *table, const char *options,
			const struct gm_json *list, double last)
{
	for (size_t i = 0; i < gm_json_size(list); i++) {
		const struct gm_json *raise = gm_json_at(list, i);
		const char *metric = gm_json_get_text(raise, "metric");
		if (strcmp(gm_json_get_text(raise, "state"), "raise") != 0)
			continue;
		double begin = gm_json_get_number(raise, "time", NAN), end = last;
		bool cleared = false;
		for (size_t k = i + 1; k < gm_json_size(list) && !cleared; k++) {
			const struct gm_json *other = gm_json_at(list, k);
			cleared = strcmp(gm_json_get_text(other, "state"), "clear") == 0 &&
				  strcmp(gm_json_get_text(other, "metric"), metric) == 0;
			end = cleared ? gm_json_get_number(other, "time", NAN) : end;
		}
		char(*row)[GM_CELL] = gm_table_row(table);
		if (!row)
			return;
		snprintf(row[0], GM_CELL, "%s", options);
		gm_render_name(row[1], gm_json_get_text(raise, "entity"));
		gm_render_name(row[2], metric);
		gm_render_name(row[3], gm_json_get_text(raise, "severity"));
		gm_render_time(row[4], begin);
		if (cleared)
			gm_render_duration(row[5], end - begin);
		else
			snprintf(row[5], GM_CELL, "to the end");
		snprintf(row[6], GM_CELL, "%s",
			 marked(tune, "faulty", begin, end)   ? "faulty"
			 : marked(tune, "normal", begin, end) ? "normal"
							      : "");
	}
}

static double last_time(const struct gm_json *metrics)
{
	double last = 0;
	void *iterator = NULL;
	const char *name;
	const struct gm_json *series;
	while (gm_json_next(metrics, &iterator, &name, &series)) {
		size_t size = gm_json_size(series);
		if (size > 0)
			last = fmax(last, gm_json_value_number(
						  gm_json_at(gm_json_at(series, size - 1), 0), 0));
	}
	return last;
}

struct outcome {
	struct gm_table table;
	struct gm_json *json;
	size_t entities, alarms[2];
};

static size_t count_raises(const struct gm_json *list)
{
	size_t count = 0;
	for (size_t i = 0; i < gm_json_size(list); i++)
		count += strcmp(gm_json_get_text(gm_json_at(list, i), "state"), "raise") == 0;
	return count;
}

/* Both replays of one entity's windows. */
static int compare(const struct tune *tune, const char *entity, const struct gm_json *metrics,
		   struct outcome *outcome)
{
	static const char *const names[] = {"now", "tuned"};
	const char *settings[2 * SETTINGS_MAX + 1] = {NULL};
	char *csv = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&csv, &size);
	int result = out ? 0 : -ENOMEM;
	if (out) {
		gm_show_entity_csv(metrics, out);
		fclose(out);
	}
	memcpy(settings, tune->now, tune->now_count * sizeof(settings[0]));
	for (int way = 0; way < 2 && result == 0; way++) {
		if (way == 1)
			memcpy(settings + tune->now_count, tune->tuned,
			       tune->tuned_count * sizeof(settings[0]));
		struct gm_json *list = way == 0 && tune->idle
					       ? gm_json_array()
					       : replay(tune, entity, csv, size, settings);
		result = list ? 0 : -EINVAL;
		outcome->alarms[way] += count_raises(list);
		show_alarms(tune, &outcome->table, names[way], list, last_time(metrics));
		struct gm_json *entry = gm_json_object();
		gm_json_set_text(entry, "entity", entity);
		gm_json_set_text(entry, "options", names[way]);
		gm_json_set(entry, "transitions", list);
		gm_json_append(outcome->json, entry);
	}
	outcome->entities++;
	free(csv);
	return result;
}

static void print(const struct tune *tune, struct outcome *outcome)
{
	if (tune->json) {
		gm_command_print(outcome->json);
		outcome->table.rows = 0;
		free(outcome->table.cells);
		return;
	}
	gm_table_print(&outcome->table, stdout);
	printf("\n%zu windows replayed: %zu alarms with the options as they are, %zu with --set\n",
	       outcome->entities, outcome->alarms[0], outcome->alarms[1]);
}

static int run(struct tune *tune)
{
	static const char *const heads[] = {"OPTIONS", "ENTITY", "METRIC", "SEVERITY",
					    "RAISED",  "LASTED", "MARKED", NULL};
	struct gm_json *windows = NULL, *request = request_of(tune, "windows");
	if (tune->since > 0)
		gm_json_set_number(request, "since", (double)tune->since / GM_SECOND);
	int result = gm_command_ask(tune->socket, request, &windows);
	if (result == 0)
		result = gm_command_ask(tune->socket, request_of(tune, "lessons"), &tune->lessons);
	if (result == 0)
		result = fetch_options(tune);
	if (result == 0) {
		struct outcome outcome = {.json = gm_json_array()};
		gm_table_init(&outcome.table, heads);
		void *iterator = NULL;
		const char *entity;
		const struct gm_json *metrics;
		const struct gm_json *entities = gm_json_get(windows, "entities");
		while (result == 0 && gm_json_next(entities, &iterator, &entity, &metrics))
			if (gm_json_size(metrics) > 0)
				result = compare(tune, entity, metrics, &outcome);
		if (result == 0)
			print(tune, &outcome);
		else
			free(outcome.table.cells);
		gm_json_free(outcome.json);
	}
	gm_json_free(tune->lessons);
	gm_json_free(windows);
	return result;
}

int gm_cli_tune(const char *socket, bool json, int argc, char **argv)
{
	struct tune *tune = calloc(1, sizeof(*tune));
	int status = EXIT_FAILURE;
	if (!tune)
		return status;
	tune->socket = socket;
	tune->json = json;
	if (parse(argc, argv, tune) < 0) {
		status = GM_EXIT_USAGE;
	} else {
		int result = run(tune);
		status = result == -EINVAL ? GM_EXIT_USAGE : result < 0 ? EXIT_FAILURE : 0;
	}
	free(tune);
	return status;
}

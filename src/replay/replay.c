/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replay: a recording through window, one detector and the alarm engine, on the recording's own
 * time. It has no numerics and no thresholds; what it runs is what the daemon runs, with the same
 * defaults. `guestmonctl replay` and the simulations call it.
 */
#include "replay/replay.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alarm/engine.h"
#include "analysis/detector.h"
#include "analysis/policy_program.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "replay/csv.h"
#include "window/window.h"

enum { JSON_MAX = 64 * 1024, SETTING_MAX = 256 };

/* No detector reads the window's rings: the smallest window will do for the conversion. */
static const struct gm_window_options window_options = {.samples = 2, .length = 3600 * GM_SECOND};

struct run {
	const struct gm_replay_options *options;
	const char *entity;
	const struct gm_detector_ops *ops;
	struct gm_detector_settings *settings;
	struct gm_alarm_options alarm_options;

	struct gm_csv *csv;
	struct gm_window *window;
	struct gm_detector *detector;
	struct gm_alarms *alarms;
	struct gm_finding_sink findings;
	struct gm_entity_key key;

	uint32_t alarm_ids;
	int64_t evaluated; /* when last */
	int64_t newest;    /* time of the newest row */
	int result;        /* of what happened in callbacks */
	uint64_t rows, points, transitions, late_rows;
};

/* What one transition looks like on the output. */
static struct gm_json *transition_to_json(const struct run *run,
					  const struct gm_transition *transition)
{
	const struct gm_alarm *alarm = &transition->alarm;
	struct gm_json *object = gm_json_object();
	gm_json_set_number(object, "time", (double)transition->time / (double)GM_SECOND);
	gm_json_set_text(object, "entity", run->entity);
	gm_json_set_text(object, "detector", alarm->detector);
	gm_json_set_text(object, "metric", alarm->metric);
	if (alarm->rule[0] != '\0')
		gm_json_set_text(object, "rule", alarm->rule);
	gm_json_set_text(object, "state", gm_transition_name(transition->kind));
	gm_json_set_text(object, "severity", gm_severity_name(alarm->severity));
	gm_json_set(object, "evidence", gm_evidence_to_json(&alarm->evidence));
	return object;
}

static void on_transition(void *user, struct gm_transition *transition)
{
	struct run *run = user;
	struct gm_buffer line = GM_BUFFER_INIT(JSON_MAX);
	struct gm_json *object = transition_to_json(run, transition);
	run->transitions++;
	if (gm_json_write(object, 0, &line) < 0 || line.failed)
		run->result = -ENOMEM;
	else if (fprintf(run->options->output, "%s\n", line.data) < 0)
		run->result = -EIO;
	gm_buffer_free(&line);
	gm_json_free(object);
}

static uint32_t on_new_id(void *user)
{
	struct run *run = user;
	return ++run->alarm_ids;
}

static void on_finding(void *user, const struct gm_finding *finding)
{
	struct run *run = user;
	int rc = gm_alarms_finding(run->alarms, finding);
	if (rc < 0)
		run->result = rc;
}

static void on_point(void *user, const struct gm_point *point)
{
	struct run *run = user;
	run->points++;
	run->detector->ops->observe(run->detector, point, &run->findings);
}

/* What the detector has itself hides the alarm engine's: it is listed once. */
static int unknown_key(const struct run *run, const char *key, struct gm_error *err)
{
	const char *separator = "";
	char quoted[96];
	struct gm_buffer keys = GM_BUFFER_INIT(GM_ERROR_TEXT);
	gm_text_quote(quoted, sizeof(quoted), key);
	for (const struct gm_option *line = run->ops->options; line->key; line++) {
		if (strcmp(line->key, "enabled") == 0)
			continue;
		gm_buffer_printf(&keys, "%s%s", separator, line->key);
		separator = ", ";
	}
	separator = "; of the alarm engine: ";
	for (const struct gm_option *line = gm_alarm_option_table; line->key; line++) {
		if (gm_option_find(run->ops->options, line->key))
			continue;
		gm_buffer_printf(&keys, "%s%s", separator, line->key);
		separator = ", ";
	}
	gm_error_set(err, -EINVAL, "unknown key %s; allowed: %s", quoted,
		     keys.data ? keys.data : "");
	gm_buffer_free(&keys);
	return -EINVAL;
}

/* One "key=value": an option of the detector, else one of the alarm engine. */
static int apply_setting(struct run *run, const char *setting, struct gm_error *err)
{
	char key[SETTING_MAX];
	const char *equals = strchr(setting, '=');
	size_t length = equals ? (size_t)(equals - setting) : 0;
	if (length == 0 || length >= sizeof(key)) {
		char quoted[SETTING_MAX];
		gm_text_quote(quoted, sizeof(quoted), setting);
		return gm_error_set(err, -EINVAL, "%s is not of the form key=value", quoted);
	}
	memcpy(key, setting, length);
	key[length] = '\0';
	int rc;
	bool own = gm_option_find(run->ops->options, key) && strcmp(key, "enabled") != 0;
	if (!own && !gm_option_find(gm_alarm_option_table, key))
		rc = unknown_key(run, key, err);
	else if (!own)
		rc = gm_option_set(gm_alarm_option_table, &run->alarm_options, key, equals + 1,
				   err);
	else
		rc = gm_option_set(run->ops->options,
				   gm_detector_settings_get(run->settings, run->ops), key,
				   equals + 1, err);
	return rc < 0 ? -EINVAL : 0;
}

static int find_detector(struct run *run, struct gm_error *err)
{
	run->ops = gm_detector_find(run->options->detector);
	if (run->ops)
		return 0;
	char quoted[SETTING_MAX];
	gm_text_quote(quoted, sizeof(quoted), run->options->detector);
	struct gm_buffer names = GM_BUFFER_INIT(SETTING_MAX);
	for (size_t i = 0; gm_detectors[i]; i++)
		gm_buffer_printf(&names, "%s%s", i ? ", " : "", gm_detectors[i]->name);
	gm_error_set(err, -EINVAL, "there is no detector %s (there are: %s)", quoted,
		     names.data ? names.data : "none");
	gm_buffer_free(&names);
	return -EINVAL;
}

const char *gm_replay_needs(const char *detector)
{
	static const char *const needs[][2] = {{"threshold", "metric"}, {"policy", "condition"}};
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		if (strcmp(needs[i][0], detector) == 0)
			return needs[i][1];
	}
	return NULL;
}

/* An option of the type GM_OPTION_TEXT. */
static const char *setting_text(const struct run *run, const char *key)
{
	const char *options = gm_detector_settings_get(run->settings, run->ops);
	return options + gm_option_find(run->ops->options, key)->offset;
}

static int read_options(struct run *run, struct gm_error *err)
{
	int rc = find_detector(run, err);
	if (rc < 0)
		return rc;
	if (run->options->scores && !run->ops->score)
		return gm_error_set(err, -EINVAL, "the detector %s has no scores", run->ops->name);
	rc = gm_detector_settings_create(&run->settings);
	if (rc < 0)
		return rc;
	gm_option_defaults(gm_alarm_option_table, &run->alarm_options);
	for (size_t i = 0; run->options->settings && run->options->settings[i]; i++) {
		rc = apply_setting(run, run->options->settings[i], err);
		if (rc < 0)
			return rc;
	}
	const char *needed = gm_replay_needs(run->ops->name);
	if (needed && setting_text(run, needed)[0] == '\0')
		return gm_error_set(err, -EINVAL, "the detector %s needs --set %s=...",
				    run->ops->name, needed);
	if (run->ops->check)
		return run->ops->check(gm_detector_settings_get(run->settings, run->ops), err);
	return 0;
}

/* A threshold on what is not there would be silent whatever happens. */
static int check_metric(const struct run *run, struct gm_error *err)
{
	const char *needed = gm_replay_needs(run->ops->name), *name;
	char quoted[SETTING_MAX];
	if (!needed || strcmp(needed, "metric") != 0)
		return 0;
	const char *wanted = setting_text(run, needed);
	unsigned known = gm_metric_find(wanted);
	if (known != GM_METRIC_NONE &&
	    (run->options->one_of_many || gm_csv_metric_name(run->csv, known)))
		return 0;
	for (unsigned id = GM_METRIC_EXTRA; (name = gm_csv_metric_name(run->csv, id)); id++) {
		if (strcmp(name, wanted) == 0)
			return 0;
	}
	gm_text_quote(quoted, sizeof(quoted), wanted);
	return gm_error_set(err, -EINVAL, "metric: the recording has no column %s", quoted);
}

/*
 * A policy may be of use without some of what it reads: that is remarked. Without all of it, it would be silent, as
 * a threshold would.
 */
static int check_condition(const struct run *run, struct gm_error *err)
{
	const struct gm_replay_options *options = run->options;
	const char *needed = gm_replay_needs(run->ops->name), *name = NULL;
	struct gm_policy_program *program = NULL;
	bool lacks[GM_METRIC_COUNT] = {false}, some = false;
	if (!needed || strcmp(needed, "condition") != 0 || options->one_of_many)
		return 0;
	int rc = gm_policy_compile(setting_text(run, needed), &program, NULL, err);
	for (size_t i = 0; rc == 0 && i < program->series_count; i++) {
		unsigned metric = program->series[i].metric;
		lacks[metric] = !gm_csv_metric_name(run->csv, metric);
		some |= !lacks[metric];
	}
	free(program);
	for (unsigned id = 0; rc == 0 && id < GM_METRIC_COUNT; id++) {
		if (!lacks[id])
			continue;
		name = gm_metric_get(id)->name;
		if (!some)
			return gm_error_set(err, -EINVAL,
					    "condition: the recording has no column %s", name);
		if (options->remarks)
			fprintf(options->remarks,
				"%s: what is said of %s is not known: no column\n",
				options->input_name, name);
	}
	return rc;
}

/* What the recording is of: what its columns belong to, as far as the detector judges that. */
static struct gm_entity_key choose_entity(const struct run *run)
{
	static const uint8_t uuid[GM_UUID_SIZE] = {0};
	unsigned kinds = run->ops->entities;
	for (unsigned id = 0; id < GM_METRIC_COUNT; id++) {
		const struct gm_metric *metric = gm_metric_get(id);
		if (gm_csv_metric_name(run->csv, id) && (metric->entities & run->ops->entities)) {
			kinds = metric->entities & run->ops->entities;
			break;
		}
	}
	if (kinds & 1U << GM_ENTITY_GUEST)
		return gm_entity_guest(uuid);
	if (kinds & 1U << GM_ENTITY_INTERFACE)
		return gm_entity_interface(run->entity);
	if (kinds & 1U << GM_ENTITY_DISK)
		return gm_entity_disk(uuid, run->entity);
	if ((kinds & 1U << GM_ENTITY_NODE) == 0 && (kinds & 1U << GM_ENTITY_CORE))
		return gm_entity_core(0);
	if ((kinds & 1U << GM_ENTITY_NODE) == 0 && (kinds & 1U << GM_ENTITY_NUMA))
		return gm_entity_numa(0);
	return gm_entity_node();
}

static int create_parts(struct run *run, struct gm_error *err)
{
	const struct gm_alarm_sink sink = {
		.emit = on_transition,
		.new_id = on_new_id,
		.user = run,
	};
	int rc = gm_csv_open(run->options->input, run->options->input_name, &run->csv, err);
	if (rc < 0)
		return rc;
	rc = check_metric(run, err);
	if (rc == 0)
		rc = check_condition(run, err);
	if (rc < 0)
		return rc;
	run->key = choose_entity(run);
	rc = gm_window_create(&window_options, &run->window);
	if (rc < 0)
		return rc;
	rc = gm_alarms_create(&run->alarm_options, &sink, &run->alarms);
	if (rc < 0)
		return rc;
	rc = run->ops->create(gm_detector_settings_get(run->settings, run->ops), &run->key,
			      &run->detector);
	for (unsigned id = GM_METRIC_EXTRA; rc == 0 && run->ops->name_metric; id++) {
		const char *name = gm_csv_metric_name(run->csv, id);
		if (!name)
			break;
		run->ops->name_metric(run->detector, id, name);
	}
	return rc;
}

static void tell_link_speed(struct run *run, int64_t time)
{
	const struct gm_point speed = {
		.metric = GM_METRIC_NET_SPEED,
		.time = time,
		.value = (double)run->options->link_speed,
	};
	if (run->options->link_speed > 0)
		run->detector->ops->observe(run->detector, &speed, &run->findings);
}

static void evaluate(struct run *run, int64_t now)
{
	run->detector->ops->evaluate(run->detector, now, &run->findings);
	run->evaluated = now;
}

static void write_score(struct run *run, int64_t time)
{
	FILE *scores = run->options->scores;
	if (!scores)
		return;
	int64_t microseconds = time / GM_MICROSECOND;
	if (fprintf(scores, "%lld.%06lld,%.17g\n", (long long)(microseconds / 1000000),
		    (long long)(microseconds % 1000000),
		    run->detector->ops->score(run->detector)) < 0)
		run->result = -EIO;
}

/* A row more than a second older begins a series anew (window.h). */
static void note_lateness(struct run *run, int64_t time, bool without_points)
{
	bool set_back = time < run->newest - GM_SECOND;
	if (without_points && time <= run->newest && !set_back && run->rows > 1)
		run->late_rows++;
	if (time > run->newest || set_back)
		run->newest = time;
}

static void take_row(struct run *run, int64_t time, const struct gm_reading *readings, size_t count)
{
	const struct gm_frame frame = {
		.key = run->key,
		.measured_at = time,
		.read_at = time,
		.count = (uint16_t)count,
	};
	if (run->rows++ == 0) {
		run->evaluated = time;
		tell_link_speed(run, time);
	}
	/* First the clears that were due before this row: the output is in order of time. */
	gm_alarms_tick(run->alarms, time);
	uint64_t points = run->points;
	int rc = gm_window_append(run->window, &frame, readings, on_point, run);
	if (rc < 0)
		run->result = rc;
	note_lateness(run, time, count > 0 && run->points == points);
	write_score(run, time);
	/* As the daemon does about once a second; a clock that was set back starts the count again. */
	if (time - run->evaluated >= GM_SECOND || time < run->evaluated)
		evaluate(run, time);
}

static int take_rows(struct run *run, struct gm_error *err)
{
	struct gm_reading readings[GM_CSV_COLUMNS];
	int64_t time = 0;
	size_t count;
	int rc;
	if (run->options->scores && fputs("time,score\n", run->options->scores) < 0)
		return -EIO;
	while ((rc = gm_csv_next(run->csv, &time, readings, &count, err)) > 0) {
		take_row(run, time, readings, count);
		if (run->result < 0)
			return run->result;
	}
	if (rc < 0 || run->rows == 0)
		return rc;
	evaluate(run, time);
	gm_alarms_tick(run->alarms, time);
	return run->result;
}

static int finish_files(const struct run *run)
{
	const struct gm_replay_options *options = run->options;
	if (options->statistics)
		fprintf(options->statistics,
			"%llu rows, %llu points, %llu samples dropped, %llu transitions\n",
			(unsigned long long)run->rows, (unsigned long long)run->points,
			(unsigned long long)(run->window ? gm_window_dropped(run->window) : 0),
			(unsigned long long)run->transitions);
	if (options->remarks && run->late_rows > 0)
		fprintf(options->remarks,
			"%s: rows left out, as they are not later than those before: %llu\n",
			options->input_name, (unsigned long long)run->late_rows);
	if (fflush(options->output) != 0 || (options->scores && fflush(options->scores) != 0))
		return -EIO;
	return 0;
}

int gm_replay(const struct gm_replay_options *options, struct gm_error *err)
{
	struct run run = {
		.options = options,
		.entity = options->entity ? options->entity : "replay",
	};
	run.findings = (struct gm_finding_sink){.emit = on_finding, .user = &run};

	int rc = read_options(&run, err);
	if (rc == 0)
		rc = create_parts(&run, err);
	if (rc == 0)
		rc = take_rows(&run, err);
	int written = finish_files(&run);
	if (rc == 0)
		rc = written;
	if (rc == -EIO)
		gm_error_set(err, rc, "the output cannot be written");
	else if (rc == -ENOMEM)
		gm_error_set(err, rc, "out of memory");

	if (run.detector)
		run.detector->ops->destroy(run.detector);
	gm_alarms_free(run.alarms);
	gm_window_free(run.window);
	gm_csv_close(run.csv);
	gm_detector_settings_free(run.settings);
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watching node; see node.h. It plays the sources' part (node_feed.c makes their frames) and holds
 * the true clock; what comes after the intake's door is the daemon's own code.
 */
#include "node.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/rules.h"
#include "base/clock.h"
#include "base/log.h"
#include "node_private.h"

enum { SETTING_MAX = 256 };

static void on_frame(void *user, const struct gm_frame *frame, const struct gm_reading *readings)
{
	struct sim_node *node = user;

	sim_feed_record(node, frame, readings);
}

static void on_identified(void *user, const struct gm_entity_info *info)
{
	(void)user;
	(void)info;
}

static void on_gone(void *user, const struct gm_entity_key *key, int64_t time)
{
	struct sim_node *node = user;

	gm_alarms_gone(node->alarms, key, time);
}

static void on_finding(void *user, const struct gm_finding *finding)
{
	struct sim_node *node = user;
	int result = gm_alarms_finding(node->alarms, finding);

	if (result < 0)
		node->result = result;
}

static void on_transition(void *user, struct gm_transition *transition)
{
	struct sim_node *node = user;
	const struct gm_alarm *alarm = &transition->alarm;
	struct sim_notice *notice;

	if (node->notice_count == node->notice_capacity) {
		size_t capacity = node->notice_capacity ? 2 * node->notice_capacity : 64;
		struct sim_notice *notices = realloc(node->notices, capacity * sizeof(*notices));

		if (!notices) {
			node->result = -ENOMEM;
			return;
		}
		node->notices = notices;
		node->notice_capacity = capacity;
	}
	notice = &node->notices[node->notice_count++];
	*notice = (struct sim_notice){
		.time = node->time,
		.guest = sim_feed_guest(node, &alarm->key),
		.entity = alarm->key.kind,
		.kind = transition->kind,
		.severity = alarm->severity,
	};
	memcpy(notice->detector, alarm->detector, sizeof(notice->detector));
	memcpy(notice->metric, alarm->metric, sizeof(notice->metric));
	snprintf(notice->contributors, sizeof(notice->contributors), "%.90s",
		 alarm->evidence.contributors);
}

static uint32_t on_new_id(void *user)
{
	struct sim_node *node = user;

	return ++node->alarm_ids;
}

/* "detector.key=value": another default. */
static int apply_option(struct gm_detector_settings *settings, char *text, struct gm_error *err)
{
	char *dot = strchr(text, '.'), *equals = strchr(text, '=');

	if (!dot || !equals || equals < dot)
		return gm_error_set(err, -EINVAL, "%s is not detector.key=value", text);
	*dot = *equals = '\0';
	const struct gm_detector_ops *ops = gm_detector_find(text);
	if (!ops)
		return gm_error_set(err, -ENOENT, "there is no detector %s", text);
	return gm_option_set(ops->options, gm_detector_settings_get(settings, ops), dot + 1,
			     equals + 1, err);
}

/* "detector:name;key=value;...": a rule for all guests. */
static int apply_rule(struct gm_detector_settings *settings, char *text, struct gm_error *err)
{
	struct gm_match match = {.entities = ~(1U << GM_ENTITY_NODE)};
	char *name = strchr(text, ':') + 1, *rest = name, *word = strsep(&rest, ";");
	void *options;
	int result = 0;

	name[-1] = '\0';
	const struct gm_detector_ops *ops = gm_detector_find(text);
	if (!ops)
		return gm_error_set(err, -ENOENT, "there is no detector %s", text);
	options = calloc(1, ops->options_size);
	if (!options)
		return gm_error_set(err, -ENOMEM, "out of memory");
	gm_option_defaults(ops->options, options);
	while (result >= 0 && (word = strsep(&rest, ";")) != NULL) {
		char *value = word;
		const char *key = strsep(&value, "=");

		result = gm_option_set(ops->options, options, key, value ? value : "", err);
	}
	if (result >= 0)
		result = gm_detector_settings_add_rule(settings, ops, name, &match, options);
	free(options);
	return result;
}

static int apply_setting(struct gm_detector_settings *settings, const char *setting,
			 struct gm_error *err)
{
	char text[SETTING_MAX];

	snprintf(text, sizeof(text), "%s", setting);
	return text[strcspn(text, ".:")] == ':' ? apply_rule(settings, text, err)
						: apply_option(settings, text, err);
}

static int create_stages(struct sim_node *node, const char *const *settings, struct gm_error *err)
{
	struct gm_intake_sink intake_sink = {on_frame, on_identified, on_gone, on_finding, node};
	struct gm_alarm_sink alarm_sink = {
		.emit = on_transition, .new_id = on_new_id, .user = node};
	struct gm_alarm_options alarm_options;
	int result = gm_detector_settings_create(&node->settings);

	for (size_t i = 0; result == 0 && settings && settings[i]; i++)
		result = apply_setting(node->settings, settings[i], err);
	if (result < 0)
		return result;
	/* No detector reads the rings: the smallest will do for the conversion. */
	struct gm_intake_options intake_options = {
		.window = {.samples = 2, .length = 3600 * GM_SECOND},
		.detectors = node->settings,
		.libvirt = true,
	};
	gm_option_defaults(gm_alarm_option_table, &alarm_options);
	result = gm_intake_create(&intake_options, node->state, &intake_sink, &node->intake);
	if (result == 0)
		result = gm_alarms_create(&alarm_options, &alarm_sink, &node->alarms);
	return result;
}

struct sim_node *sim_node_create(const struct sim_node_options *options)
{
	struct sim_node *node = calloc(1, sizeof(*node));
	struct gm_error err = {.text = "out of memory"};

	if (!node)
		return NULL;
	gm_log_set_level(GM_LOG_ERROR);
	node->options = *options;
	node->random = 1;
	node->record_guest = SIM_NODE - 1;
	snprintf(node->directory, sizeof(node->directory), "/tmp/gm-sim-XXXXXX");
	node->guests = calloc(options->count, sizeof(*node->guests));
	node->batch = gm_batch_create();
	if (!node->guests || !node->batch || !mkdtemp(node->directory) ||
	    gm_state_open(node->directory, &node->state, &err) < 0 ||
	    create_stages(node, options->settings, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		sim_node_free(node);
		return NULL;
	}
	gm_intake_libvirt_connected(node->intake, true);
	for (size_t i = 0; i < options->count; i++) {
		sim_guest_start(&node->guests[i].world, &options->plans[i]);
		sim_feed_appear(node, i);
	}
	return node;
}

static void remove_state(const struct sim_node *node)
{
	static const char *const files[] = {"state.db", "state.db-wal", "state.db-shm", "lock"};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/%s", node->directory, files[i]);
		unlink(path);
	}
	rmdir(node->directory);
}

void sim_node_free(struct sim_node *node)
{
	if (!node)
		return;
	gm_alarms_free(node->alarms);
	gm_intake_free(node->intake);
	gm_detector_settings_free(node->settings);
	gm_batch_free(node->batch);
	gm_state_close(node->state);
	remove_state(node);
	free(node->guests);
	free(node->notices);
	free(node);
}

/* ---- what happens ---- */

static bool has_absence(enum sim_event_kind kind)
{
	return kind == SIM_REBOOT || kind == SIM_RESTART || kind == SIM_MIGRATE ||
	       kind == SIM_SUSPEND;
}

static void begin_event(struct sim_node *node, size_t number, const struct sim_event *event)
{
	struct watched *watched = &node->guests[number];

	if (event->kind == SIM_CLOCK)
		node->offset += event->size;
	else if (event->kind == SIM_UNSEEN)
		node->unseen_until = event->at + event->size;
	sim_guest_event(&watched->world, event);
	if (has_absence(event->kind)) {
		watched->absence = event;
		watched->back_at = event->at + event->size;
	}
	sim_feed_event(node, number, event, false);
}

static void end_absence(struct sim_node *node, size_t number)
{
	struct watched *watched = &node->guests[number];
	const struct sim_event *event = watched->absence;

	watched->absence = NULL;
	sim_guest_return(&watched->world, event);
	sim_feed_event(node, number, event, true);
}

/* Lives on to `time`, with all that happens until then. */
static void live(struct sim_node *node, size_t number, double time)
{
	struct watched *watched = &node->guests[number];
	const struct sim_plan *plan = watched->world.plan;

	for (;;) {
		const struct sim_event *next = NULL;

		if (watched->events < SIM_EVENTS_MAX && plan->events[watched->events].kind)
			next = &plan->events[watched->events];
		if (watched->absence && watched->back_at <= time) {
			sim_guest_live(&watched->world, watched->back_at);
			node->time = watched->back_at;
			end_absence(node, number);
		} else if (!watched->absence && next && next->at <= time) {
			sim_guest_live(&watched->world, next->at);
			node->time = next->at;
			watched->events++;
			begin_event(node, number, next);
		} else {
			break;
		}
	}
	sim_guest_live(&watched->world, time);
	node->time = time;
}

int64_t sim_node_now(const struct sim_node *node)
{
	return SIM_EPOCH * GM_SECOND +
	       (int64_t)llround((node->time + node->offset) * (double)GM_SECOND);
}

/* One turn of the node: time goes on, samples are taken, detectors judge. */
static void turn(struct sim_node *node, double time)
{
	bool lost = time < node->unseen_until || sim_uniform(&node->random) < node->options.lost;
	bool slow = time - node->slow_at > 1 - node->options.interval / 2;

	for (size_t i = 0; i < node->options.count; i++)
		live(node, i, time);
	if (slow)
		node->slow_at = time;
	if (!lost)
		sim_feed_samples(node, slow);
	if (slow)
		gm_intake_evaluate(node->intake, sim_node_now(node));
	gm_alarms_tick(node->alarms, sim_node_now(node));
}

int sim_node_run(struct sim_node *node, double time)
{
	double interval = node->options.interval;

	while (node->result == 0 && (double)(node->turns + 1) * interval <= time) {
		double late = node->options.jitter * interval * sim_uniform(&node->random);
		double at = (double)++node->turns * interval + late;

		if (at > node->time)
			turn(node, at);
	}
	return node->result;
}

const struct sim_notice *sim_node_notices(const struct sim_node *node, size_t *ret_count)
{
	*ret_count = node->notice_count;
	return node->notices;
}

uint64_t sim_node_readings(const struct sim_node *node)
{
	return gm_intake_readings(node->intake);
}

double sim_promised(const struct gm_detector_ops *ops)
{
	const struct gm_option *option = gm_option_find(ops->options, "false-alarms");

	return option ? strtod(option->fallback, NULL) : 0;
}

uint64_t sim_node_limited(const struct sim_node *node)
{
	return gm_alarms_limited(node->alarms);
}

void sim_node_record(struct sim_node *node, int guest, int port, FILE *file)
{
	node->record_guest = guest;
	node->record_port = port;
	node->record = file;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies at work: files on disk, samples of guests and their ports through the real intake, windows,
 * detectors and alarm engine; and what a reload does to alarms and to what detectors know.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "analysis/leak.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/config.h"
#include "daemon/orphans.h"
#include "support/pipeline_ends.h"
#include "support/state_directory.h"

#define T0 INT64_C(1700000000000000000)

static const uint8_t web[GM_UUID_SIZE] = {1}, db[GM_UUID_SIZE] = {2};

struct fixture {
	char directory[STATE_DIRECTORY], config_path[160], policy_path[160];
	struct gm_state *state;
	struct gm_config *config;
	struct gm_intake *intake;
	struct told told;
	uint64_t dropped[2]; /* counters of the two ports */
};

static void describe(void *user, struct gm_alarm *alarm)
{
	(void)user;
	snprintf(alarm->guest_name, sizeof(alarm->guest_name), "web \"1\"");
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void policies(struct fixture *fixture, const char *text)
{
	put(fixture->policy_path, text);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	char text[256], directory[128];

	gm_log_set_level(GM_LOG_ERROR);
	state_directory_make(fixture->directory);
	snprintf(directory, sizeof(directory), "%s/policy.d", fixture->directory);
	assert_int_equal(mkdir(directory, 0700), 0);
	snprintf(fixture->policy_path, sizeof(fixture->policy_path), "%s/a.yaml", directory);
	snprintf(fixture->config_path, sizeof(fixture->config_path), "%s/g.yaml",
		 fixture->directory);
	snprintf(text, sizeof(text), "policy:\n  directory: %s\n", directory);
	put(fixture->config_path, text);
	assert_int_equal(gm_state_open(fixture->directory, &fixture->state, NULL), 0);
	*state = fixture;
	return 0;
}

static void start(struct fixture *fixture)
{
	struct gm_error err = {.text = ""};
	struct gm_alarm_options damped = {.damping = false};
	struct gm_alarm_sink alarms = sink_of_alarms(&fixture->told);
	struct gm_intake_sink sink = sink_to_alarms(&fixture->told);

	alarms.describe = describe;
	if (gm_config_load(fixture->config_path, &fixture->config, &err) < 0)
		fail_msg("%s", err.text);
	struct gm_intake_options options = {
		.window = {.samples = 100, .length = 60 * GM_SECOND},
		.detectors = fixture->config->detectors,
		.libvirt = true,
	};
	assert_int_equal(gm_alarms_create(&damped, &alarms, &fixture->told.alarms), 0);
	assert_int_equal(gm_intake_create(&options, fixture->state, &sink, &fixture->intake), 0);
}

/* As the daemon does it: whole or not at all. */
static int reload(struct fixture *fixture, int64_t now, struct gm_error *err)
{
	struct gm_config *after;
	int result = gm_config_load(fixture->config_path, &after, err);

	if (result < 0)
		return result;
	assert_int_equal(gm_intake_reconfigure(fixture->intake, after->detectors, true), 0);
	gm_config_free(fixture->config);
	fixture->config = after;
	return gm_orphans_end(fixture->told.alarms, gm_intake_entities(fixture->intake), NULL,
			      false, now);
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	char directory[128];

	gm_intake_free(fixture->intake);
	gm_alarms_free(fixture->told.alarms);
	gm_config_free(fixture->config);
	gm_state_close(fixture->state);
	unlink(fixture->policy_path);
	unlink(fixture->config_path);
	snprintf(directory, sizeof(directory), "%s/policy.d", fixture->directory);
	rmdir(directory);
	state_directory_remove(fixture->directory);
	free(fixture);
	return 0;
}

static void see_port(struct fixture *fixture, const char *device, const uint8_t uuid[GM_UUID_SIZE])
{
	struct gm_entity_info info = {.key = gm_entity_interface(device)};

	memcpy(info.interface.guest, uuid, GM_UUID_SIZE);
	snprintf(info.interface.mac, sizeof(info.interface.mac), "52:54:00:00:00:%c%c", device[3],
		 device[3]);
	gm_intake_seen(fixture->intake, GM_SOURCE_LIBVIRT, &info);
}

static void send_memory(struct fixture *fixture, const uint8_t uuid[GM_UUID_SIZE], int64_t time,
			double used)
{
	struct gm_batch *batch = gm_batch_create();
	struct gm_entity_key key = gm_entity_guest(uuid);

	batch->source = GM_SOURCE_LIBVIRT;
	gm_batch_frame(batch, &key, time, time, 0);
	gm_batch_gauge(batch, GM_METRIC_MEMORY_TOTAL, 100);
	gm_batch_gauge(batch, GM_METRIC_MEMORY_USED, used);
	gm_intake_batch(fixture->intake, batch);
	gm_batch_free(batch);
}

static void send_drops(struct fixture *fixture, int port, int64_t time, uint64_t increase)
{
	struct gm_batch *batch = gm_batch_create();
	struct gm_entity_key key = gm_entity_interface(port ? "tap1" : "tap0");

	fixture->dropped[port] += increase;
	batch->source = GM_SOURCE_LIBVIRT;
	gm_batch_frame(batch, &key, time, time, 0);
	gm_batch_counter(batch, GM_METRIC_NET_RX_DROPPED, fixture->dropped[port]);
	gm_intake_batch(fixture->intake, batch);
	gm_batch_free(batch);
}

static const struct gm_transition *newest(const struct fixture *fixture)
{
	assert_true(fixture->told.count > 0);
	return &fixture->told.log[fixture->told.count - 1];
}

static const char full_and_dropping[] =
	"policies:\n"
	"  - name: full-and-dropping\n"
	"    match: {name: web-*}\n"
	"    condition: avg(memory.used, 3s) / memory.total > 0.9 and rate(net.rx.dropped, 1s) > "
	"100\n"
	"    severity: major\n"
	"    message: '{guest}: {value} of the memory, {severity}'\n";

static void a_policy_sees_the_guest_and_its_ports(void **state)
{
	struct fixture *fixture = *state;

	policies(fixture, full_and_dropping);
	start(fixture);
	tell_guest(fixture->intake, web, "web-1");
	tell_guest(fixture->intake, db, "db-1");
	see_port(fixture, "tap0", web);
	see_port(fixture, "tap1", web);
	for (int i = 0; i < 30; i++) {
		int64_t now = T0 + i * GM_SECOND;

		send_memory(fixture, web, now, i < 10 ? 50 : 95);
		send_memory(fixture, db, now, 99);
		/* From 15 s on each port drops 60 a second: only both together are above 100. */
		send_drops(fixture, 0, now, i < 15 ? 0 : 60);
		send_drops(fixture, 1, now, i < 15 ? 0 : 60);
		gm_intake_evaluate(fixture->intake, now);
		assert_int_equal(fixture->told.count, i < 15 ? 0 : 1);
	}
	const struct gm_alarm *alarm = &newest(fixture)->alarm;
	assert_string_equal(alarm->detector, "policy");
	assert_string_equal(alarm->rule, "full-and-dropping");
	assert_int_equal(alarm->severity, GM_SEVERITY_MAJOR);
	assert_memory_equal(alarm->key.uuid, web, GM_UUID_SIZE);
	assert_string_equal(alarm->text, "\"web \\\"1\\\"\": 0.95 of the memory, major");
	send_memory(fixture, web, T0 + 30 * GM_SECOND, 10);
	gm_intake_evaluate(fixture->intake, T0 + 30 * GM_SECOND);
	send_memory(fixture, web, T0 + 31 * GM_SECOND, 10);
	gm_intake_evaluate(fixture->intake, T0 + 31 * GM_SECOND);
	assert_int_equal(fixture->told.count, 2);
	assert_int_equal(newest(fixture)->kind, GM_TRANSITION_CLEAR);
}

static const char two_thresholds[] =
	"thresholds:\n"
	"  - {name: high, metric: memory.used, warning-max: 80, match: {name: 'web-*'}}\n"
	"  - {name: dropping, metric: net.rx.dropped, failure-max: 100}\n";

static void rules_come_with_the_guests_name(void **state)
{
	struct fixture *fixture = *state;

	policies(fixture, two_thresholds);
	start(fixture);
	tell_guest(fixture->intake, web, "other-1");
	send_memory(fixture, web, T0, 90);
	assert_int_equal(fixture->told.count, 0);
	tell_guest(fixture->intake, web, "web-1"); /* renamed */
	send_memory(fixture, web, T0 + GM_SECOND, 90);
	assert_int_equal(fixture->told.count, 1);
	assert_string_equal(newest(fixture)->alarm.rule, "high");
	/* A port's rule has no match: it holds for every port that carries the metric. */
	see_port(fixture, "tap0", web);
	send_drops(fixture, 0, T0 + GM_SECOND, 5);
	send_drops(fixture, 0, T0 + 2 * GM_SECOND, 101);
	assert_int_equal(fixture->told.count, 2);
	assert_string_equal(newest(fixture)->alarm.rule, "dropping");
	assert_int_equal(newest(fixture)->alarm.severity, GM_SEVERITY_CRITICAL);
	/* Under another name the rule is none of its business: what it raised is ended. */
	tell_guest(fixture->intake, web, "other-1");
	gm_orphans_end(fixture->told.alarms, gm_intake_entities(fixture->intake), NULL, true,
		       T0 + 3 * GM_SECOND);
	assert_int_equal(fixture->told.count, 3);
	assert_int_equal(newest(fixture)->kind, GM_TRANSITION_CLEAR);
	assert_string_equal(newest(fixture)->alarm.rule, "high");
}

static void rules_of_ports_come_with_the_guests_name(void **state)
{
	struct fixture *fixture = *state;
	int64_t now = T0;

	policies(fixture,
		 "thresholds:\n  - {name: dropping, metric: net.rx.dropped, failure-max: 100,"
		 " match: {name: 'web-*'}}\n");
	start(fixture);
	tell_guest(fixture->intake, web, "other-1");
	tell_guest(fixture->intake, db, "other-2");
	see_port(fixture, "tap0", web);
	see_port(fixture, "tap1", db);
	for (int i = 0; i < 3; i++, now += GM_SECOND)
		send_drops(fixture, 0, now, 101);
	assert_int_equal(fixture->told.count, 0);
	tell_guest(fixture->intake, web, "web-1");
	for (int i = 0; i < 3; i++, now += GM_SECOND) {
		send_drops(fixture, 0, now, 101);
		send_drops(fixture, 1, now, 101);
	}
	assert_int_equal(fixture->told.count, 1);
	assert_string_equal(newest(fixture)->alarm.key.name, "tap0");
}

static void a_reload_is_whole_or_not_at_all(void **state)
{
	struct fixture *fixture = *state;
	struct gm_error err = {.text = ""};
	char place[256];

	policies(fixture, two_thresholds);
	start(fixture);
	tell_guest(fixture->intake, web, "web-1");
	for (int i = 0; i < 5; i++)
		send_memory(fixture, web, T0 + i * GM_SECOND, 90);
	assert_int_equal(fixture->told.count, 1);
	struct gm_entity_key key = gm_entity_guest(web);
	struct gm_tracked *guest = gm_entities_find(gm_intake_entities(fixture->intake), &key);
	struct gm_detector *leak = gm_detector_set_find(guest->detectors, &gm_leak_ops);

	policies(fixture, "thresholds:\n  - {name: lower, metric: memory.used, warning-max: 70}\n"
			  "policies:\n  - {name: x, condition: memory.usd > 1}\n");
	assert_int_equal(reload(fixture, T0 + 5 * GM_SECOND, &err), -EINVAL);
	snprintf(place, sizeof(place), "%s:4:26: condition: there is no metric \"memory.usd\"",
		 fixture->policy_path);
	assert_string_equal(err.text, place);
	send_memory(fixture, web, T0 + 5 * GM_SECOND, 90);
	assert_int_equal(fixture->told.count, 1); /* nothing of it */

	/* What vanishes ends its alarms, what is new begins; the other detectors know what they knew. */
	policies(fixture, "thresholds:\n  - {name: lower, metric: memory.used, warning-max: 70}\n");
	assert_int_equal(reload(fixture, T0 + 6 * GM_SECOND, &err), 0);
	assert_int_equal(fixture->told.count, 2);
	assert_int_equal(newest(fixture)->kind, GM_TRANSITION_CLEAR);
	assert_string_equal(newest(fixture)->alarm.rule, "high");
	assert_ptr_equal(gm_detector_set_find(guest->detectors, &gm_leak_ops), leak);
	send_memory(fixture, web, T0 + 7 * GM_SECOND, 90);
	assert_int_equal(fixture->told.count, 3);
	assert_string_equal(newest(fixture)->alarm.rule, "lower");

	/* The same again: no alarm is touched. */
	assert_int_equal(reload(fixture, T0 + 8 * GM_SECOND, &err), 0);
	send_memory(fixture, web, T0 + 8 * GM_SECOND, 90);
	gm_intake_evaluate(fixture->intake, T0 + 8 * GM_SECOND);
	assert_int_equal(fixture->told.count, 3);
}

static void overrides_are_per_guest(void **state)
{
	struct fixture *fixture = *state;
	struct gm_error err = {.text = ""};
	struct gm_entity_key one = gm_entity_guest(web), other = gm_entity_guest(db);

	policies(fixture, "overrides:\n  - match: {name: 'db-*'}\n    leak: {enabled: false}\n");
	start(fixture);
	tell_guest(fixture->intake, web, "web-1");
	tell_guest(fixture->intake, db, "db-1");
	const struct gm_entities *entities = gm_intake_entities(fixture->intake);
	assert_non_null(
		gm_detector_set_find(gm_entities_find(entities, &one)->detectors, &gm_leak_ops));
	assert_null(
		gm_detector_set_find(gm_entities_find(entities, &other)->detectors, &gm_leak_ops));
	policies(fixture, "");
	assert_int_equal(reload(fixture, T0, &err), 0);
	assert_non_null(
		gm_detector_set_find(gm_entities_find(entities, &other)->detectors, &gm_leak_ops));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(a_policy_sees_the_guest_and_its_ports),
		TEST(rules_come_with_the_guests_name),
		TEST(rules_of_ports_come_with_the_guests_name),
		TEST(a_reload_is_whole_or_not_at_all),
		TEST(overrides_are_per_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

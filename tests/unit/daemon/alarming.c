/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maintenance, suspended guests, and options for some alarms: policy files on disk, entities of the real
 * intake, the real engine and state, on a virtual clock.
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

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/alarming.h"
#include "daemon/config.h"
#include "support/pipeline_ends.h"
#include "support/state_directory.h"

#define T0     (INT64_C(1767571200) * GM_SECOND) /* Monday, 2026-01-05 00:00 UTC */
#define MINUTE (60 * GM_SECOND)

static const uint8_t web[GM_UUID_SIZE] = {1}, db[GM_UUID_SIZE] = {2};

struct fixture {
	char directory[STATE_DIRECTORY], config_path[160], policy_path[160];
	struct gm_state *state;
	struct gm_config *config;
	struct gm_intake *intake;
	struct gm_alarming *alarming;
	struct told told;
};

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void see_guest(struct fixture *f, const uint8_t *uuid, const char *name, const char *project)
{
	struct gm_entity_info info = {.key = gm_entity_guest(uuid)};

	snprintf(info.guest.name, sizeof(info.guest.name), "%s", name);
	snprintf(info.guest.project, sizeof(info.guest.project), "%s", project);
	gm_intake_seen(f->intake, GM_SOURCE_LIBVIRT, &info);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char text[256], directory[128];

	gm_log_set_level(GM_LOG_ERROR);
	state_directory_make(f->directory);
	snprintf(directory, sizeof(directory), "%s/policy.d", f->directory);
	assert_int_equal(mkdir(directory, 0700), 0);
	snprintf(f->policy_path, sizeof(f->policy_path), "%s/a.yaml", directory);
	snprintf(f->config_path, sizeof(f->config_path), "%s/g.yaml", f->directory);
	snprintf(text, sizeof(text),
		 "policy:\n  directory: %s\noutputs:\n  directory: %s/none\nalarm:\n  hold: 0\n  "
		 "correlate: 0\n",
		 directory, f->directory);
	put(f->config_path, text);
	assert_int_equal(gm_state_open(f->directory, &f->state, NULL), 0);
	*state = f;
	return 0;
}

static void load(struct fixture *f, const char *policy, struct gm_config **ret_config)
{
	struct gm_error err = {.text = ""};

	put(f->policy_path, policy);
	if (gm_config_load(f->config_path, ret_config, &err) < 0)
		fail_msg("%s", err.text);
}

static void start(struct fixture *f, const char *policy)
{
	const struct gm_alarm_sink sink = sink_of_alarms(&f->told);
	const struct gm_intake_sink intake_sink = sink_that_passes(f);

	load(f, policy, &f->config);
	struct gm_intake_options options = {
		.window = {.samples = 100, .length = 60 * GM_SECOND},
		.detectors = f->config->detectors,
		.libvirt = true,
	};
	assert_int_equal(gm_intake_create(&options, f->state, &intake_sink, &f->intake), 0);
	see_guest(f, web, "web-1", "shop");
	see_guest(f, db, "db-1", "books");
	assert_int_equal(gm_alarms_create(&f->config->alarm, &sink, &f->told.alarms), 0);
	assert_int_equal(gm_alarming_create(f->told.alarms, f->config->handling,
					    gm_intake_entities(f->intake), f->state, T0,
					    &f->alarming),
			 0);
}

static void stop(struct fixture *f)
{
	gm_alarming_free(f->alarming);
	gm_intake_free(f->intake);
	gm_config_free(f->config);
	f->alarming = NULL;
	f->intake = NULL;
	f->config = NULL;
	f->told.count = 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char directory[128];

	stop(f);
	gm_state_close(f->state);
	unlink(f->policy_path);
	unlink(f->config_path);
	snprintf(directory, sizeof(directory), "%s/policy.d", f->directory);
	rmdir(directory);
	state_directory_remove(f->directory);
	free(f);
	return 0;
}

static void tell(struct fixture *f, struct gm_entity_key key, const char *detector, bool active,
		 int64_t time)
{
	struct gm_finding finding = {
		.key = key, .active = active, .severity = GM_SEVERITY_MINOR, .time = time};

	snprintf(finding.detector, sizeof(finding.detector), "%s", detector);
	snprintf(finding.metric, sizeof(finding.metric), "memory.used");
	assert_int_equal(gm_alarms_finding(f->told.alarms, &finding), 0);
}

static int64_t maintain(struct fixture *f, const char *target, int64_t begin, int64_t end,
			int64_t now)
{
	struct gm_maintenance_row row = {.begin = begin, .end = end, .made_at = now};
	struct gm_error err;

	gm_text_copy(row.target, sizeof(row.target), target);
	gm_text_copy(row.author, sizeof(row.author), "anna");
	if (gm_alarming_add(f->alarming, &row, now, &err) < 0)
		fail_msg("%s", err.text);
	return row.id;
}

/* Raised on web, db and the node: as letters, in the order of the log. */
static const char *told(struct fixture *f, int64_t now)
{
	static char text[TRANSITIONS_KEPT + 1];
	size_t used = 0;

	tell(f, gm_entity_guest(web), "leak", true, now);
	tell(f, gm_entity_guest(db), "leak", true, now);
	tell(f, gm_entity_node(), "leak", true, now);
	for (size_t i = 0; i < f->told.count; i++)
		text[used++] = f->told.log[i].alarm.key.kind == GM_ENTITY_NODE ? 'n'
			       : f->told.log[i].alarm.key.uuid[0] == 1         ? 'w'
									       : 'd';
	text[used] = '\0';
	return text;
}

static void test_targets(void **state)
{
	static const struct {
		const char *target, *told;
	} cases[] = {
		{"all", ""},
		{"node", "wd"},
		{"web-*", "dn"},
		{"project:books", "wn"},
		{"02000000-0000-0000-0000-000000000000", "wn"},
		{"db-1, web-1", "n"},
		{"mail-*", "wdn"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start(f, "");
		int64_t id = maintain(f, cases[i].target, T0, T0 + 10 * MINUTE, T0);
		assert_string_equal(told(f, T0 + MINUTE), cases[i].told);
		assert_int_equal(gm_alarming_remove(f->alarming, id, T0 + 2 * MINUTE, NULL), 0);
		gm_alarming_tick(f->alarming, T0 + 2 * MINUTE); /* what still holds is told now */
		assert_int_equal(f->told.count, 3);
		stop(f);
	}
}

static void happen(struct fixture *f, enum gm_guest_event_kind kind, int64_t time)
{
	const struct gm_guest_event event = {
		.key = gm_entity_guest(web), .kind = kind, .time = time};

	gm_alarming_event(f->alarming, f->intake, &event);
	gm_alarming_settle(f->alarming);
}

/* What leaves is silent from the first pass on, and its alarms are cleared as such. */
static void test_a_guest_that_migrates_away(void **state)
{
	struct fixture *f = *state;
	const struct gm_entity_key key = gm_entity_guest(web);

	start(f, "");
	gm_alarming_tick(f->alarming, T0);
	tell(f, key, "leak", true, T0 + GM_SECOND);
	happen(f, GM_GUEST_MIGRATING, T0 + 2 * GM_SECOND);
	assert_int_equal(f->told.count, 2);
	assert_int_equal(f->told.log[1].alarm.news, GM_NEWS_SUPPRESSED);
	assert_int_equal(f->told.log[1].alarm.suppressed, GM_SUPPRESSION_MIGRATING);
	tell(f, key, "anomaly", true, T0 + 3 * GM_SECOND); /* what the move itself does to it */
	gm_alarming_tick(f->alarming, T0 + 4 * GM_SECOND);
	assert_int_equal(f->told.count, 2);
	happen(f, GM_GUEST_MIGRATED, T0 + 5 * GM_SECOND);
	gm_intake_gone(f->intake, GM_SOURCE_LIBVIRT, &key, T0 + 5 * GM_SECOND);
	gm_alarms_gone(f->told.alarms, &key, T0 + 5 * GM_SECOND);
	assert_int_equal(f->told.count, 3);
	assert_int_equal(f->told.log[2].kind, GM_TRANSITION_CLEAR);
	assert_int_equal(f->told.log[2].alarm.suppressed, GM_SUPPRESSION_MIGRATING);
	assert_non_null(strstr(f->told.log[2].alarm.text, "[its guest has migrated]"));
	gm_alarming_tick(f->alarming, T0 + 60 * MINUTE);
	assert_int_equal(f->told.count, 3);
}

/* An event is of the time when it was seen, and may be taken later. */
static void test_an_event_sets_no_clock_back(void **state)
{
	struct fixture *f = *state;

	start(f, "");
	maintain(f, "*", T0 + GM_SECOND, T0 + MINUTE, T0);
	gm_alarming_tick(f->alarming, T0 + 2 * GM_SECOND);
	happen(f, GM_GUEST_MIGRATING, T0 + GM_SECOND / 2); /* before the maintenance */
	tell(f, gm_entity_guest(db), "leak", true, T0 + 2 * GM_SECOND);
	assert_int_equal(f->told.count, 0);
	gm_alarming_tick(f->alarming, T0 + 3 * GM_SECOND);
	assert_int_equal(f->told.count, 0);
}

/* Where somebody asks how far it is, it is silent for as long as that takes, and heard as soon as it stays. */
static void test_a_migration_that_is_given_up(void **state)
{
	struct fixture *f = *state;

	start(f, "");
	gm_alarming_tick(f->alarming, T0);
	tell(f, gm_entity_guest(web), "leak", true, T0);
	happen(f, GM_GUEST_MOVING, T0); /* an answer that comes late: it was not to go */
	assert_int_equal(f->told.count, 1);
	happen(f, GM_GUEST_MIGRATING, T0 + GM_SECOND);
	assert_int_equal(f->told.count, 2);
	for (int minute = 1; minute < 60; minute++) {
		happen(f, GM_GUEST_MOVING, T0 + minute * MINUTE);
		gm_alarming_tick(f->alarming, T0 + minute * MINUTE);
	}
	assert_int_equal(f->told.count, 2);
	/* Asked for before it was told of as moving last. */
	happen(f, GM_GUEST_MOVING, T0 + 58 * MINUTE);
	happen(f, GM_GUEST_STAYED, T0 + 59 * MINUTE);
	assert_int_equal(f->told.count, 2);
	gm_alarming_tick(f->alarming, T0 + 60 * MINUTE);
	assert_int_equal(f->told.count, 2);
	happen(f, GM_GUEST_STAYED, T0 + 60 * MINUTE);
	assert_int_equal(f->told.count, 3);
	assert_int_equal(f->told.log[2].alarm.news, GM_NEWS_RELEASED);
	assert_int_equal(f->told.log[2].alarm.suppressed, GM_SUPPRESSION_NONE);
	happen(f, GM_GUEST_MOVING, T0 + 61 * MINUTE);
	happen(f, GM_GUEST_STAYED, T0 + 61 * MINUTE); /* told twice */
	assert_int_equal(f->told.count, 3);
}

/* Where nobody can be asked, one whose move fails is heard again in the end. */
static void test_a_migration_that_fails(void **state)
{
	struct fixture *f = *state;

	start(f, "");
	gm_alarming_tick(f->alarming, T0);
	happen(f, GM_GUEST_MIGRATING, T0);
	tell(f, gm_entity_guest(web), "leak", true, T0 + MINUTE);
	gm_alarming_tick(f->alarming, T0 + 9 * MINUTE);
	assert_int_equal(f->told.count, 0);
	gm_alarming_tick(f->alarming, T0 + 11 * MINUTE);
	tell(f, gm_entity_guest(web), "leak", true, T0 + 11 * MINUTE);
	assert_int_equal(f->told.count, 1);
	assert_int_equal(f->told.log[0].alarm.suppressed, GM_SUPPRESSION_NONE);
}

/* At the target nothing is raised before it has settled; what holds still is raised by a new finding. */
static void test_a_guest_that_arrives(void **state)
{
	struct fixture *f = *state;

	start(f, "");
	gm_alarming_tick(f->alarming, T0);
	happen(f, GM_GUEST_MIGRATED, T0);
	tell(f, gm_entity_guest(web), "leak", true, T0 + GM_SECOND);
	tell(f, gm_entity_guest(db), "leak", true, T0 + GM_SECOND); /* has always been here */
	assert_int_equal(f->told.count, 1);
	gm_alarming_tick(f->alarming, T0 + 31 * GM_SECOND);
	assert_int_equal(f->told.count, 1);
	tell(f, gm_entity_guest(web), "leak", true, T0 + 32 * GM_SECOND);
	assert_int_equal(f->told.count, 2);
	assert_int_equal(f->told.log[1].alarm.key.uuid[0], 1);
}

/* What is mistyped matches nobody, which the answer to who asks can say. */
static void test_whom_a_target_means(void **state)
{
	struct fixture *f = *state;

	start(f, "");
	assert_int_equal(gm_alarming_matching(f->alarming, "all"),
			 2); /* no sample of the node yet */
	assert_int_equal(gm_alarming_matching(f->alarming, "node"), 1);
	assert_int_equal(gm_alarming_matching(f->alarming, "we*"), 1);
	assert_int_equal(gm_alarming_matching(f->alarming, "wbe*"), 0);
	assert_int_equal(gm_alarming_matching(f->alarming, "project:"), 0);
}

static void test_wrong_requests(void **state)
{
	struct fixture *f = *state;
	struct gm_maintenance_row row = {.begin = T0, .end = T0 + MINUTE};
	struct gm_error err;

	start(f, "");
	assert_int_equal(gm_alarming_add(f->alarming, &row, T0, &err), -EINVAL); /* for whom? */
	gm_text_copy(row.target, sizeof(row.target), "project:");
	assert_int_equal(gm_alarming_add(f->alarming, &row, T0, &err), -EINVAL);
	gm_text_copy(row.target, sizeof(row.target), "all");
	assert_int_equal(gm_alarming_add(f->alarming, &row, T0 + MINUTE, &err), -EINVAL);
	row.end = row.begin;
	assert_int_equal(gm_alarming_add(f->alarming, &row, T0, &err), -EINVAL);
	assert_int_equal(gm_alarming_remove(f->alarming, 77, T0, &err), -ENOENT);
	assert_string_equal(told(f, T0), "wdn");
}

static void count_view(void *user, const struct gm_maintenance_view *view)
{
	size_t *counts = user;

	counts[view->row ? 0 : 1]++;
	counts[2] += view->active;
}

/* Asked for ahead of time, kept over a restart, begun and ended by time alone. */
static void test_over_a_restart(void **state)
{
	struct fixture *f = *state;
	size_t counts[3] = {0};

	start(f, "");
	maintain(f, "all", T0 + 5 * MINUTE, T0 + 10 * MINUTE, T0);
	assert_string_equal(told(f, T0 + MINUTE), "wdn"); /* not yet */
	stop(f);
	start(f, "");
	tell(f, gm_entity_guest(web), "leak", true, T0 + 4 * MINUTE);
	gm_alarming_tick(f->alarming, T0 + 5 * MINUTE);
	assert_int_equal(f->told.count, 2);
	assert_int_equal(f->told.log[1].alarm.news, GM_NEWS_SUPPRESSED);
	tell(f, gm_entity_guest(db), "leak", true, T0 + 6 * MINUTE);
	tell(f, gm_entity_node(), "self", true, T0 + 6 * MINUTE); /* is never silenced */
	assert_int_equal(f->told.count, 3);
	gm_alarming_list(f->alarming, T0 + 6 * MINUTE, count_view, counts);
	assert_int_equal(counts[0], 1);
	assert_int_equal(counts[2], 1);
	gm_alarming_tick(f->alarming, T0 + 10 * MINUTE);
	assert_int_equal(f->told.count, 5); /* released, and raised */
	memset(counts, 0, sizeof(counts));
	gm_alarming_list(f->alarming, T0 + 11 * MINUTE, count_view, counts);
	assert_int_equal(counts[0], 0); /* over and forgotten, on disk too */
	stop(f);
	start(f, "");
	gm_alarming_list(f->alarming, T0 + 6 * MINUTE, count_view, counts);
	assert_int_equal(counts[0], 0);
}

static void test_calendar(void **state)
{
	struct fixture *f = *state;
	size_t counts[3] = {0};
	struct gm_config *other;

	start(f, "maintenance:\n"
		 "  - {name: backup, match: {project: books}, detector: leak, days: mon-fri,"
		 " from: \"02:00\", to: \"03:00\", zone: utc}\n");
	gm_alarming_tick(f->alarming, T0 + 119 * MINUTE);
	gm_alarming_tick(f->alarming, T0 + 121 * MINUTE);
	assert_string_equal(told(f, T0 + 122 * MINUTE), "wn");
	tell(f, gm_entity_guest(db), "burst", true, T0 + 122 * MINUTE); /* another detector's */
	assert_int_equal(f->told.count, 3);
	gm_alarming_list(f->alarming, T0 + 122 * MINUTE, count_view, counts);
	assert_int_equal(counts[1], 1);
	assert_int_equal(counts[2], 1);
	gm_alarming_tick(f->alarming, T0 + 180 * MINUTE);
	assert_int_equal(f->told.count, 4);
	assert_int_equal(f->told.log[3].time, T0 + 180 * MINUTE);

	/* A reload that takes it out ends it at once. */
	gm_alarming_tick(f->alarming, T0 + 26 * 60 * MINUTE);
	assert_int_equal(f->told.count, 5); /* on the next day what is active is marked */
	load(f, "", &other);
	gm_alarming_configure(f->alarming, &other->alarm, other->handling,
			      T0 + 26 * 60 * MINUTE + GM_SECOND);
	assert_int_equal(f->told.count, 6);
	assert_int_equal(f->told.log[5].alarm.news, GM_NEWS_RELEASED);
	gm_config_free(f->config);
	f->config = other;
}

static void test_options_for_some(void **state)
{
	struct fixture *f = *state;

	start(f, "alarms:\n"
		 "  - {match: {name: \"web-*\"}, soak: 1m}\n"
		 "  - {match: {project: shop}, detector: burst, soak: 0, latch: true}\n"
		 "  - {match: {entity: node}, hold-off: 10m}\n");
	tell(f, gm_entity_guest(web), "leak", true, T0);
	assert_int_equal(f->told.count, 0);
	tell(f, gm_entity_guest(web), "burst", true, T0);
	assert_int_equal(f->told.count, 1);
	tell(f, gm_entity_guest(web), "burst", false, T0 + GM_SECOND);
	assert_int_equal(f->told.log[1].alarm.news, GM_NEWS_LATCHED);
	tell(f, gm_entity_guest(db), "leak", true, T0 + GM_SECOND);
	tell(f, gm_entity_guest(db), "leak", false, T0 + 2 * GM_SECOND);
	assert_int_equal(f->told.count, 4);
	gm_alarming_tick(f->alarming, T0 + MINUTE);
	assert_int_equal(f->told.count, 5);
	tell(f, gm_entity_node(), "leak", true, T0 + MINUTE);
	tell(f, gm_entity_node(), "leak", false, T0 + MINUTE);
	tell(f, gm_entity_node(), "leak", true, T0 + 2 * MINUTE);
	assert_int_equal(f->told.count, 7);
	gm_alarming_tick(f->alarming, T0 + 11 * MINUTE);
	assert_int_equal(f->told.count, 8);
}

static void ignore_point(void *user, const struct gm_point *point)
{
	(void)user, (void)point;
}

static void set_state(struct fixture *f, const uint8_t *uuid, double libvirt_state, int64_t time)
{
	const struct gm_entity_key key = gm_entity_guest(uuid);
	struct gm_tracked *tracked = gm_entities_find(gm_intake_entities(f->intake), &key);
	const struct gm_frame frame = {
		.key = key, .measured_at = time, .read_at = time, .count = 1};
	const struct gm_reading reading = {.metric = GM_METRIC_GUEST_STATE,
					   .value.gauge = libvirt_state};

	assert_non_null(tracked);
	gm_window_append(tracked->window, &frame, &reading, ignore_point, NULL);
}

static void test_suspended_guest(void **state)
{
	struct fixture *f = *state;

	start(f, "");
	set_state(f, web, 1, T0);
	set_state(f, db, 1, T0);
	gm_alarming_tick(f->alarming, T0);
	tell(f, gm_entity_guest(web), "leak", true, T0);
	set_state(f, web, 3, T0 + 10 * GM_SECOND);
	gm_alarming_tick(f->alarming, T0 + 11 * GM_SECOND);
	assert_int_equal(f->told.count, 2);
	assert_int_equal(f->told.log[1].alarm.suppressed, GM_SUPPRESSION_SUSPENDED);
	tell(f, gm_entity_guest(web), "burst", true, T0 + 12 * GM_SECOND);
	tell(f, gm_entity_guest(db), "leak", true, T0 + 12 * GM_SECOND); /* the other is not */
	assert_int_equal(f->told.count, 3);
	set_state(f, web, 1, T0 + 20 * GM_SECOND);
	gm_alarming_tick(f->alarming, T0 + 21 * GM_SECOND);
	assert_int_equal(f->told.count, 4);
	assert_int_equal(f->told.log[3].alarm.news, GM_NEWS_RELEASED);
	gm_alarming_tick(f->alarming, T0 + 25 * GM_SECOND);
	assert_int_equal(f->told.count, 4); /* the burst is old */
	tell(f, gm_entity_guest(web), "burst", true, T0 + 26 * GM_SECOND);
	assert_int_equal(f->told.count, 5);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_targets),
		TEST(test_a_guest_that_migrates_away),
		TEST(test_over_a_restart),
		TEST(test_targets),
		TEST(test_a_migration_that_is_given_up),
		TEST(test_a_migration_that_fails),
		TEST(test_an_event_sets_no_clock_back),
		TEST(test_over_a_restart),
		TEST(test_targets),
		TEST(test_a_guest_that_arrives),
		TEST(test_over_a_restart),
		TEST(test_targets),
		TEST(test_whom_a_target_means),
		TEST(test_wrong_requests),
		TEST(test_over_a_restart),
		TEST(test_calendar),
		TEST(test_options_for_some),
		TEST(test_suspended_guest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

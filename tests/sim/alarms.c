/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The alarm engine over hours and weeks on a virtual clock: conditions that flap, are short, come all at
 * once, or fall into maintenance, through the daemon's own engine, judge, calendar and state. Prints a table
 * of what was told, and fails where a line of it is not as it must be, or where anything was lost: every
 * condition was raised once and cleared, or is counted as not told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/alarming.h"

#define MONDAY (INT64_C(1767571200) * GM_SECOND) /* 2026-01-05 00:00 UTC */
#define HOUR   3600
#define DAY    (24 * HOUR)

enum { GUESTS_MAX = 2000, SETTINGS = 6 };

struct scenario {
	const char *name;
	int guests, seconds, step;
	bool (*holds)(int guest, int second); /* until one step before the end */
	const char *settings[SETTINGS][2];    /* of the section alarm */
	const char *days, *from, *to;         /* of a maintenance; NULL: none */
	/* What has to come of it. */
	uint64_t raises, limited, soaked, silenced, summaries, marked;
};

/* Two seconds of every twenty, for an hour. */
static bool flaps(int guest, int second)
{
	(void)guest;
	return second < HOUR && second % 20 < 2;
}

/* Five seconds a minute; a whole minute in the thirtieth, up to those of the next. */
static bool is_short(int guest, int second)
{
	(void)guest;
	return second / 60 == 30 || second % 60 < 5;
}

static bool all_at_once(int guest, int second)
{
	(void)guest;
	return second >= 100 && second < 1000;
}

/* Every second guest's is over before its turn comes. */
static bool half_of_them_briefly(int guest, int second)
{
	return second >= 100 && second < (guest % 2 ? 150 : 1000);
}

/* Every night within the maintenance, and over its end. */
static bool nightly(int guest, int second)
{
	int minute = second % DAY / 60;

	(void)guest;
	return (minute >= 130 && minute < 140) || (minute >= 265 && minute < 280);
}

/* From one night to the next evening, once. */
static bool throughout(int guest, int second)
{
	(void)guest;
	return second >= HOUR && second < DAY - 4 * HOUR;
}

static const struct scenario scenarios[] = {
	{"flapping, as it comes", 1, 2 * HOUR, 1, flaps, .raises = 180},
	{"flapping, damped", 1, 2 * HOUR, 1, flaps, {{"flap-raises", "5"}}, .raises = 5},
	{"flapping, held off for 10 minutes",
	 1,
	 2 * HOUR,
	 1,
	 flaps,
	 {{"hold-off", "10m"}},
	 .raises = 6,
	 .soaked = 174},
	{"flapping, within one hold time", 1, 2 * HOUR, 1, flaps, {{"hold", "30s"}}, .raises = 1},
	{"short ones, as they come", 1, HOUR, 1, is_short, .raises = 59},
	{"short ones, soaked", 1, HOUR, 1, is_short, {{"soak", "10s"}}, .raises = 1, .soaked = 58},
	{"2000 at once, no limit",
	 GUESTS_MAX,
	 1100,
	 20,
	 all_at_once,
	 {{"raise-limit", "0"}},
	 .raises = 2000},
	{"2000 at once, 600 a minute", GUESTS_MAX, 1100, 20, all_at_once, .raises = 2000,
	 .limited = 1400, .summaries = 1},
	{"the same, half of them brief", GUESTS_MAX, 1100, 20, half_of_them_briefly, .raises = 1300,
	 .limited = 1400, .summaries = 1},
	{"two weeks of nights", 2, 14 * DAY, 30, nightly, .raises = 2 * 28},
	{"the same, maintained on workdays", 2, 14 * DAY, 30, nightly, .days = "mon-fri",
	 .from = "02:00", .to = "04:30", .raises = 2 * (10 + 8), .silenced = 2 * 10},
	{"one day long, maintained at noon", 2, DAY, 30, throughout, .days = "daily",
	 .from = "12:00", .to = "13:00", .raises = 2, .marked = 4},
};

struct told {
	uint64_t raises, clears, summaries, marked, most_in_a_minute;
	int64_t times[GUESTS_MAX * 10];
	uint32_t active[GUESTS_MAX]; /* id; 0: none */
	bool wrong;
};

struct sim {
	const struct scenario *scenario;
	struct gm_alarms *alarms;
	struct gm_alarming *alarming;
	struct told told;
	uint32_t ids;
};

static int guest_of(const struct gm_alarm *alarm)
{
	return alarm->key.uuid[0] << 8 | alarm->key.uuid[1];
}

/* At most one alarm of a guest at a time; a clear is of the alarm that was raised. */
static void pair(struct told *told, const struct gm_transition *transition)
{
	uint32_t *active = &told->active[guest_of(&transition->alarm)];

	if (transition->kind == GM_TRANSITION_RAISE) {
		told->wrong |= *active != 0 || told->raises == GUESTS_MAX * 10;
		*active = transition->alarm.id;
		if (!told->wrong)
			told->times[told->raises++] = transition->time;
	} else {
		told->wrong |= *active != transition->alarm.id;
		told->clears += transition->kind == GM_TRANSITION_CLEAR;
		*active = transition->kind == GM_TRANSITION_CLEAR ? 0 : *active;
	}
}

static void on_transition(void *user, struct gm_transition *transition)
{
	struct sim *sim = user;
	enum gm_alarm_news news = transition->alarm.news;

	if (strcmp(transition->alarm.detector, GM_SELF_DETECTOR) == 0) {
		sim->told.summaries += transition->kind == GM_TRANSITION_RAISE;
		return;
	}
	sim->told.marked += news == GM_NEWS_SUPPRESSED || news == GM_NEWS_RELEASED;
	pair(&sim->told, transition);
}

static uint32_t new_id(void *user)
{
	return ++((struct sim *)user)->ids;
}

static void tell(struct sim *sim, int guest, bool holds, int64_t now)
{
	const uint8_t uuid[GM_UUID_SIZE] = {(uint8_t)(guest >> 8), (uint8_t)guest, 1};
	struct gm_finding finding = {.key = gm_entity_guest(uuid),
				     .detector = "leak",
				     .metric = "memory.used",
				     .active = holds,
				     .severity = GM_SEVERITY_MINOR,
				     .time = now};

	if (gm_alarms_finding(sim->alarms, &finding) < 0)
		sim->told.wrong = true;
}

static void live(struct sim *sim)
{
	const struct scenario *scenario = sim->scenario;

	for (int second = 0; second < scenario->seconds + 600; second += scenario->step) {
		int64_t now = MONDAY + second * GM_SECOND;
		bool end = second >= scenario->seconds;

		for (int guest = 0; guest < scenario->guests; guest++)
			tell(sim, guest, !end && scenario->holds(guest, second), now);
		gm_alarming_tick(sim->alarming, now);
	}
}

static uint64_t most_in_a_minute(const struct told *told)
{
	uint64_t most = 0;

	for (uint64_t first = 0, last = 0; last < told->raises; last++) {
		while (told->times[last] - told->times[first] >= 59 * GM_SECOND)
			first++;
		if (last - first + 1 > most)
			most = last - first + 1;
	}
	return most;
}

static bool judge(const struct sim *sim, const struct gm_alarm_options *options)
{
	const struct scenario *expected = sim->scenario;
	const struct told *told = &sim->told;
	struct gm_alarms_counts counts = gm_alarms_counts(sim->alarms);
	uint64_t most = most_in_a_minute(told);
	bool limited = options->raise_limit > 0 && most > (uint64_t)options->raise_limit;
	bool good = !told->wrong && !limited && told->raises == expected->raises &&
		    told->clears == told->raises && counts.limited == expected->limited &&
		    counts.soaked == expected->soaked && counts.silenced == expected->silenced &&
		    told->summaries == expected->summaries && told->marked == expected->marked &&
		    counts.waiting == 0 && gm_alarms_active(sim->alarms, NULL, 0) == 0;

	printf("%-36s %6llu %6llu %6llu %8llu %7llu %9llu %8llu %7llu  %s\n", expected->name,
	       (unsigned long long)told->raises, (unsigned long long)told->clears,
	       (unsigned long long)most, (unsigned long long)counts.limited,
	       (unsigned long long)counts.soaked, (unsigned long long)counts.silenced,
	       (unsigned long long)told->summaries, (unsigned long long)told->marked,
	       good ? "ok" : "WRONG");
	return good;
}

static void prepare(const struct scenario *scenario, struct gm_alarm_options *options,
		    struct gm_handling *handling)
{
	struct gm_maintenance_rule rule = {.name = "maintenance", .calendar.utc = true};

	gm_option_defaults(gm_alarm_option_table, options);
	for (int i = 0; i < SETTINGS && scenario->settings[i][0]; i++)
		gm_option_set(gm_alarm_option_table, options, scenario->settings[i][0],
			      scenario->settings[i][1], NULL);
	if (!scenario->days)
		return;
	gm_calendar_parse_days(scenario->days, &rule.calendar.days, NULL);
	gm_calendar_parse_time(scenario->from, &rule.calendar.from, NULL);
	gm_calendar_parse_time(scenario->to, &rule.calendar.to, NULL);
	gm_handling_add_maintenance(handling, &rule);
}

static bool run(const struct scenario *scenario, struct gm_state *state)
{
	struct sim *sim = calloc(1, sizeof(*sim));
	const struct gm_alarm_sink sink = {on_transition, NULL, new_id, sim};
	struct gm_alarm_options options;
	struct gm_handling *handling = NULL;
	struct gm_entities *entities = NULL;
	bool good = false;

	if (!sim || gm_handling_create(&handling) < 0 || gm_entities_create(&entities) < 0)
		goto out;
	sim->scenario = scenario;
	prepare(scenario, &options, handling);
	if (gm_alarms_create(&options, &sink, &sim->alarms) < 0 ||
	    gm_alarming_create(sim->alarms, handling, entities, state, MONDAY, &sim->alarming) < 0)
		goto out;
	live(sim);
	good = judge(sim, &options);
out:
	if (sim)
		gm_alarming_free(sim->alarming);
	gm_entities_free(entities);
	gm_handling_free(handling);
	free(sim);
	return good;
}

static void remove_all(const char *directory)
{
	static const char *const files[] = {"state.db", "state.db-wal", "state.db-shm", "lock"};
	char path[64];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
		unlink(path);
	}
	rmdir(directory);
}

int main(void)
{
	char directory[] = "/tmp/gm-sim-XXXXXX";
	struct gm_state *state = NULL;
	struct gm_error err;
	int wrong = 0;

	gm_log_set_level(GM_LOG_WARNING);
	gm_error_set(&err, 0, "%s cannot be made", directory);
	if (!mkdtemp(directory) || gm_state_open(directory, &state, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_FAILURE;
	}
	printf("%-36s %6s %6s %6s %8s %7s %9s %8s %7s\n", "scenario", "raised", "clear", "most/m",
	       "limited", "soaked", "silenced", "summary", "marked");
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		wrong += !run(&scenarios[i], state);
	gm_state_close(state);
	remove_all(directory);
	return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}

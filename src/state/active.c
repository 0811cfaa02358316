/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The active alarms at the start. Reading a record's text is most of the work, and there may be very many:
 * they are read in parts, each by a thread that lives as long as its part, while the next ones come out of
 * the database. Where there are only a few there is no thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/thread.h"
#include "state/private.h"

enum { PART = 256, PARTS_MAX = 8 };

struct part {
	size_t count;
	char *texts[PART]; /* of records; NULL: out of memory */
	struct gm_alarm alarms[PART];
	bool good[PART];
	bool running;
	pthread_t thread;
};

/* The parts in their order, as a ring. */
struct reading {
	size_t parts;
	struct part *part[PARTS_MAX];
	gm_state_alarm_fn *each;
	void *user;
	int skipped;
};

static void *parse(void *argument)
{
	struct part *part = argument;

	for (size_t i = 0; i < part->count; i++)
		part->good[i] = part->texts[i] &&
				gm_state_record_parse(part->texts[i], &part->alarms[i]) == 0;
	return NULL;
}

static void begin_part(struct part *part)
{
	part->running = gm_thread_start(&part->thread, parse, part) == 0;
	if (!part->running)
		parse(part);
}

/* Gives its alarms away; it is empty then. */
static void end_part(struct reading *reading, struct part *part)
{
	if (part->running)
		pthread_join(part->thread, NULL);
	part->running = false;
	for (size_t i = 0; i < part->count; i++) {
		free(part->texts[i]);
		if (part->good[i])
			reading->each(reading->user, &part->alarms[i]);
		else
			reading->skipped++;
	}
	part->count = 0;
}

/* Fewer where there is no memory; at least one. */
static size_t make_parts(struct reading *reading)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t wanted = cores < 1 ? 1 : cores < PARTS_MAX ? (size_t)cores : PARTS_MAX;

	while (reading->parts < wanted &&
	       (reading->part[reading->parts] = calloc(1, sizeof(struct part))))
		reading->parts++;
	return reading->parts;
}

/* Steps through all of them. 0, or -1: ask gm_sql_failed(). */
static int read_all(struct gm_state *state, struct reading *reading)
{
	sqlite3_stmt *statement = gm_sql_bind(state, GM_SQL_ACTIVE_ALL, "");
	size_t at = 0;
	int rc;

	while ((rc = gm_sql_step(state, GM_SQL_ACTIVE_ALL)) > 0) {
		struct part *part = reading->part[at];
		const char *text = (const char *)sqlite3_column_text(statement, 0);

		part->texts[part->count++] = text ? strdup(text) : NULL;
		if (part->count < PART)
			continue;
		begin_part(part);
		at = (at + 1) % reading->parts;
		end_part(reading, reading->part[at]);
	}
	gm_sql_done(state, GM_SQL_ACTIVE_ALL);
	/* The one that is not full is the newest: those behind it in the ring are older. */
	parse(reading->part[at]);
	for (size_t i = 1; i <= reading->parts; i++)
		end_part(reading, reading->part[(at + i) % reading->parts]);
	return rc;
}

int gm_state_active(struct gm_state *state, gm_state_alarm_fn *each, void *user)
{
	struct reading reading = {.each = each, .user = user};

	if (make_parts(&reading) == 0)
		return -ENOMEM;
	gm_json_free(gm_json_object()); /* the library makes its seed before there are threads */
	int rc = read_all(state, &reading);
	if (rc < 0)
		rc = gm_sql_failed(state, NULL, "read the active alarms");
	for (size_t i = 0; i < reading.parts; i++)
		free(reading.part[i]);
	return rc < 0 ? rc : reading.skipped;
}

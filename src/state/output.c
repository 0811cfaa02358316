/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far each output has told the journal, and which of them the operator has paused.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state/private.h"

int gm_state_output_position(struct gm_state *state, const char *output, uint64_t *ret_sequence,
			     bool *ret_paused)
{
	sqlite3_stmt *statement = gm_sql_bind(state, GM_SQL_OUTPUT_GET, "t", output);
	int rc = gm_sql_step(state, GM_SQL_OUTPUT_GET);
	int64_t sequence = (int64_t)state->last_sequence;
	bool paused = false;

	if (rc > 0) {
		sequence = sqlite3_column_int64(statement, 0);
		paused = sqlite3_column_int64(statement, 1) != 0;
	}
	gm_sql_done(state, GM_SQL_OUTPUT_GET);
	if (rc == 0) {
		gm_sql_bind(state, GM_SQL_OUTPUT_ADD, "ti", output, sequence);
		rc = gm_sql_run(state, GM_SQL_OUTPUT_ADD);
	}
	if (rc < 0)
		return gm_sql_failed(state, NULL, "read an output's position");
	*ret_sequence = (uint64_t)sequence;
	*ret_paused = paused;
	return 0;
}

static int change(struct gm_state *state, enum gm_sql id, const char *output, int64_t number,
		  const char *doing)
{
	gm_sql_bind(state, id, "ti", output, number);
	return gm_sql_run(state, id) < 0 ? gm_sql_failed(state, NULL, doing) : 0;
}

int gm_state_output_delivered(struct gm_state *state, const char *output, uint64_t sequence)
{
	return change(state, GM_SQL_OUTPUT_SET, output, (int64_t)sequence,
		      "store an output's position");
}

int gm_state_outputs_delivered(struct gm_state *state, const struct gm_output_position *positions,
			       size_t count)
{
	int rc = gm_sql_begin(state, NULL);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = gm_state_output_delivered(state, positions[i].output, positions[i].sequence);
	return gm_sql_end(state, rc, NULL);
}

int gm_state_output_rewind(struct gm_state *state, const char *output, uint64_t sequence)
{
	return change(state, GM_SQL_OUTPUT_REWIND, output, (int64_t)sequence,
		      "set an output's position back");
}

int gm_state_output_replay(struct gm_state *state, const char *output, uint64_t sequence,
			   uint64_t until)
{
	gm_sql_bind(state, GM_SQL_OUTPUT_REPLAY, "tii", output, (int64_t)sequence, (int64_t)until);
	return gm_sql_run(state, GM_SQL_OUTPUT_REPLAY) < 0
		       ? gm_sql_failed(state, NULL, "set an output's position back")
		       : 0;
}

int gm_state_output_replaying(struct gm_state *state, const char *output, uint64_t *ret_until)
{
	sqlite3_stmt *statement = gm_sql_bind(state, GM_SQL_OUTPUT_REPLAYING, "t", output);
	int rc = gm_sql_step(state, GM_SQL_OUTPUT_REPLAYING);

	*ret_until = rc > 0 ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
	gm_sql_done(state, GM_SQL_OUTPUT_REPLAYING);
	return rc < 0 ? gm_sql_failed(state, NULL, "read an output's replay") : 0;
}

int gm_state_output_pause(struct gm_state *state, const char *output, bool paused)
{
	return change(state, GM_SQL_OUTPUT_PAUSE, output, paused, "pause an output");
}

static bool is_wanted(const char *name, const char *const *wanted, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(wanted[i], name) == 0)
			return true;
	}
	return false;
}

/* The first stored name that is not wanted, the caller's; NULL: there is none (or no memory). */
static char *find_unwanted(struct gm_state *state, const char *const *wanted, size_t count)
{
	sqlite3_stmt *statement = gm_sql_bind(state, GM_SQL_OUTPUT_NAMES, "");
	char *found = NULL;

	while (!found && gm_sql_step(state, GM_SQL_OUTPUT_NAMES) > 0) {
		const char *name = (const char *)sqlite3_column_text(statement, 0);

		if (name && !is_wanted(name, wanted, count))
			found = strdup(name);
	}
	gm_sql_done(state, GM_SQL_OUTPUT_NAMES);
	return found;
}

/* Forgets it, unless it is that of a registration, which is to be told from there once it is there again. */
static int forget(struct gm_state *state, const char *name)
{
	gm_sql_bind(state, GM_SQL_OUTPUT_SLEEP, "t", name);
	int rc = gm_sql_run(state, GM_SQL_OUTPUT_SLEEP);

	if (rc < 0 || sqlite3_changes(state->db) > 0)
		return rc;
	gm_sql_bind(state, GM_SQL_OUTPUT_REMOVE, "t", name);
	return gm_sql_run(state, GM_SQL_OUTPUT_REMOVE);
}

int gm_state_outputs_keep(struct gm_state *state, const char *const *names, size_t count)
{
	char *name;
	int rc = 0;

	while (rc == 0 && (name = find_unwanted(state, names, count))) {
		if (forget(state, name) < 0)
			rc = gm_sql_failed(state, NULL, "forget an output");
		free(name);
	}
	return rc;
}

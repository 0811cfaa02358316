/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small stable numbers for names: vmIndex and the ordinals of interfaces. See state.h for the rules.
 */
#include <string.h>

#include "base/clock.h"
#include "state/private.h"

static const int64_t rest =
	24 * 3600 * GM_SECOND; /* of a retired index before another name gets it */

/* The scope that holds thousands; others have a few. */
static const char crowded[] = "guest";

static void note_retired(struct gm_state_gap *gap, int64_t time)
{
	if (time < gap->retired_at)
		gap->retired_at = time;
}

/* The number that `name` has already: 1 when it has one, 0 when not. */
static int find(struct gm_state *state, const char *scope, const char *name, int64_t *ret_number,
		int *ret_retired)
{
	sqlite3_stmt *statement = gm_sql_bind(state, GM_SQL_INDEX_FIND, "tt", scope, name);
	int rc = gm_sql_step(state, GM_SQL_INDEX_FIND);

	if (rc > 0) {
		*ret_number = sqlite3_column_int64(statement, 0);
		*ret_retired = sqlite3_column_int(statement, 1);
	}
	gm_sql_done(state, GM_SQL_INDEX_FIND);
	return rc;
}

/*
 * The first gap among the numbers that are taken. Where thousands are, the search goes on where the last one
 * ended: what lies below is taken until the first of its retired numbers has rested.
 */
static int find_free(struct gm_state *state, const char *scope, int64_t *ret_number)
{
	bool is_crowded = strcmp(scope, crowded) == 0;
	struct gm_state_gap first = {.from = 1, .retired_at = INT64_MAX};
	struct gm_state_gap *gap = is_crowded ? &state->gap : &first;
	int64_t rested = state->newest - rest;
	int rc;

	if (gap->from == 0 || gap->retired_at <= rested)
		*gap = first;
	sqlite3_stmt *statement =
		gm_sql_bind(state, GM_SQL_INDEX_USED, "tii", scope, rested, gap->from);
	while ((rc = gm_sql_step(state, GM_SQL_INDEX_USED)) > 0) {
		if (sqlite3_column_int64(statement, 0) != gap->from)
			break;
		if (sqlite3_column_type(statement, 1) != SQLITE_NULL)
			note_retired(gap, sqlite3_column_int64(statement, 1));
		gap->from++;
	}
	gm_sql_done(state, GM_SQL_INDEX_USED);
	if (rc < 0)
		return -1;
	*ret_number = gap->from;
	return 0;
}

/* Takes a rested number from the name that had it, if one had, with the scopes within that name. */
static int take_over(struct gm_state *state, const char *scope, int64_t number)
{
	gm_sql_bind(state, GM_SQL_INDEX_HELD, "ti", scope, number);
	int held = gm_sql_step(state, GM_SQL_INDEX_HELD);

	gm_sql_done(state, GM_SQL_INDEX_HELD);
	if (held <= 0)
		return held;
	gm_sql_bind(state, GM_SQL_INDEX_LOSE_SCOPES, "ti", scope, number);
	if (gm_sql_run(state, GM_SQL_INDEX_LOSE_SCOPES) < 0)
		return -1;
	gm_sql_bind(state, GM_SQL_INDEX_LOSE, "ti", scope, number);
	return gm_sql_run(state, GM_SQL_INDEX_LOSE);
}

static int assign(struct gm_state *state, const char *scope, const char *name, int64_t *ret_number)
{
	int64_t number;

	if (find_free(state, scope, &number) < 0 || take_over(state, scope, number) < 0)
		return -1;
	gm_sql_bind(state, GM_SQL_INDEX_ADD, "tti", scope, name, number);
	*ret_number = number;
	return gm_sql_run(state, GM_SQL_INDEX_ADD);
}

static int revive(struct gm_state *state, const char *scope, const char *name)
{
	gm_sql_bind(state, GM_SQL_INDEX_REVIVE, "tt", scope, name);
	return gm_sql_run(state, GM_SQL_INDEX_REVIVE);
}

/* The number of a name. Begins the transaction with the first that is not there yet. */
static int provide(struct gm_state *state, const struct gm_state_name *name, bool *begun,
		   int64_t *ret_number, struct gm_error *err)
{
	int retired = 0;
	int found = find(state, name->scope, name->name, ret_number, &retired);

	if (found < 0)
		return gm_sql_failed(state, err, "find an index");
	if (found > 0 && !retired)
		return 0;
	int rc = *begun ? 0 : gm_sql_begin(state, err);
	if (rc < 0)
		return rc;
	*begun = true;
	rc = found > 0 ? revive(state, name->scope, name->name)
		       : assign(state, name->scope, name->name, ret_number);
	return rc < 0 ? gm_sql_failed(state, err, "give an index") : 0;
}

/* The last one's number in *ret_number. */
static int provide_all(struct gm_state *state, const struct gm_state_name *names, size_t count,
		       int64_t *ret_number, struct gm_error *err)
{
	bool begun = false;
	int rc = 0;

	for (size_t i = 0; i < count && rc == 0; i++)
		rc = provide(state, &names[i], &begun, ret_number, err);
	if (begun)
		rc = gm_sql_end(state, rc, err);
	if (rc < 0) /* what was given may have been taken back */
		state->gap = (struct gm_state_gap){0};
	return rc;
}

int gm_state_index_batch(struct gm_state *state, const struct gm_state_name *names, size_t count,
			 struct gm_error *err)
{
	int64_t last;

	return provide_all(state, names, count, &last, err);
}

int gm_state_index(struct gm_state *state, const char *scope, const char *name, uint32_t *ret_index,
		   struct gm_error *err)
{
	const struct gm_state_name wanted = {scope, name};
	int64_t number = 0;
	int rc = provide_all(state, &wanted, 1, &number, err);

	if (rc == 0)
		*ret_index = (uint32_t)number;
	return rc;
}

static int retire(struct gm_state *state, const struct gm_state_retired *retired)
{
	gm_sql_bind(state, GM_SQL_INDEX_RETIRE, "tti", retired->scope, retired->name,
		    retired->time);
	return gm_sql_run(state, GM_SQL_INDEX_RETIRE);
}

int gm_state_index_retire_batch(struct gm_state *state, const struct gm_state_retired *retired,
				size_t count)
{
	int rc = count > 0 ? gm_sql_begin(state, NULL) : 0;

	if (count == 0 || rc < 0)
		return rc;
	for (size_t i = 0; i < count && rc == 0; i++) {
		if (retired[i].time > state->newest)
			state->newest = retired[i].time;
		if (retire(state, &retired[i]) < 0)
			rc = gm_sql_failed(state, NULL, "retire an index");
	}
	rc = gm_sql_end(state, rc, NULL);
	for (size_t i = 0; i < count && rc == 0; i++) {
		if (strcmp(retired[i].scope, crowded) == 0)
			note_retired(&state->gap, retired[i].time);
	}
	return rc;
}

int gm_state_index_retire(struct gm_state *state, const char *scope, const char *name, int64_t time)
{
	const struct gm_state_retired retired = {scope, name, time};

	return gm_state_index_retire_batch(state, &retired, 1);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small stable numbers for names: vmIndex and the ordinals of interfaces. See state.h for the rules.
 */
#include <errno.h>

#include "base/clock.h"
#include "state/private.h"

static const int64_t rest =
	24 * 3600 * GM_SECOND; /* of a retired index before another name gets it */

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

/* The first gap among the numbers that are taken. */
static int find_free(struct gm_state *state, const char *scope, int64_t *ret_number)
{
	sqlite3_stmt *statement =
		gm_sql_bind(state, GM_SQL_INDEX_USED, "ti", scope, state->newest - rest);
	int64_t number = 1;
	int rc;

	while ((rc = gm_sql_step(state, GM_SQL_INDEX_USED)) > 0) {
		if (sqlite3_column_int64(statement, 0) != number)
			break;
		number++;
	}
	gm_sql_done(state, GM_SQL_INDEX_USED);
	if (rc < 0)
		return -1;
	*ret_number = number;
	return 0;
}

/* Takes a rested number from the name that had it, with the scopes within that name. */
static int take_over(struct gm_state *state, const char *scope, int64_t number)
{
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
	if (gm_sql_run(state, GM_SQL_INDEX_ADD) < 0)
		return -1;
	*ret_number = number;
	return 0;
}

int gm_state_index(struct gm_state *state, const char *scope, const char *name, uint32_t *ret_index,
		   struct gm_error *err)
{
	int64_t number = 0;
	int retired = 0;
	int found = find(state, scope, name, &number, &retired);

	if (found < 0)
		return gm_sql_failed(state, err, "find an index");
	if (found == 0 || retired) {
		int rc = gm_sql_begin(state, err);

		if (rc < 0)
			return rc;
		if (found > 0) {
			gm_sql_bind(state, GM_SQL_INDEX_REVIVE, "tt", scope, name);
			rc = gm_sql_run(state, GM_SQL_INDEX_REVIVE);
		} else {
			rc = assign(state, scope, name, &number);
		}
		if (rc < 0)
			rc = gm_sql_failed(state, err, "give an index");
		rc = gm_sql_end(state, rc, err);
		if (rc < 0)
			return rc;
	}
	*ret_index = (uint32_t)number;
	return 0;
}

int gm_state_index_retire(struct gm_state *state, const char *scope, const char *name, int64_t time)
{
	if (time > state->newest)
		state->newest = time;
	gm_sql_bind(state, GM_SQL_INDEX_RETIRE, "tti", scope, name, time);
	if (gm_sql_run(state, GM_SQL_INDEX_RETIRE) < 0)
		return gm_sql_failed(state, NULL, "retire an index");
	return 0;
}

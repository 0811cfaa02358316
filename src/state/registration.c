/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What others have registered through the HTTP face, kept until they take it back. The records are not
 * looked into here.
 */
#include <errno.h>

#include "state/private.h"

/* Of all but the one of that id. */
static int64_t count_others(struct gm_state *state, const char *kind, const char *id)
{
	sqlite3_stmt *statement = gm_sql_bind(state, GM_SQL_REGISTRATION_COUNT, "tt", kind, id);
	int64_t number = gm_sql_step(state, GM_SQL_REGISTRATION_COUNT) > 0
				 ? sqlite3_column_int64(statement, 0)
				 : -1;

	gm_sql_done(state, GM_SQL_REGISTRATION_COUNT);
	return number;
}

int gm_state_registration_put(struct gm_state *state, const char *kind, const char *id,
			      const char *record, struct gm_error *err)
{
	int64_t kept = count_others(state, kind, id);

	if (kept < 0)
		return gm_sql_failed(state, err, "count the registrations");
	if (kept >= GM_REGISTRATIONS_KEEP)
		return gm_error_set(err, -ENOSPC, "%d registrations are kept already",
				    GM_REGISTRATIONS_KEEP);
	gm_sql_bind(state, GM_SQL_REGISTRATION_PUT, "ttt", kind, id, record);
	if (gm_sql_run(state, GM_SQL_REGISTRATION_PUT) < 0)
		return gm_sql_failed(state, err, "keep a registration");
	return 0;
}

int gm_state_registration_remove(struct gm_state *state, const char *kind, const char *id,
				 struct gm_error *err)
{
	gm_sql_bind(state, GM_SQL_REGISTRATION_REMOVE, "tt", kind, id);
	if (gm_sql_run(state, GM_SQL_REGISTRATION_REMOVE) < 0)
		return gm_sql_failed(state, err, "take a registration back");
	if (sqlite3_changes(state->db) == 0)
		return gm_error_set(err, -ENOENT, "there is no such registration");
	return 0;
}

int gm_state_registrations(struct gm_state *state, const char *kind,
			   void (*each)(void *user, const char *id, const char *record), void *user,
			   struct gm_error *err)
{
	sqlite3_stmt *statement = gm_sql_bind(state, GM_SQL_REGISTRATION_LIST, "t", kind);
	int rc, rows = 0;

	while ((rc = gm_sql_step(state, GM_SQL_REGISTRATION_LIST)) > 0) {
		const char *id = (const char *)sqlite3_column_text(statement, 0);
		const char *record = (const char *)sqlite3_column_text(statement, 1);

		if (id && record)
			each(user, id, record);
		rows++;
	}
	gm_sql_done(state, GM_SQL_REGISTRATION_LIST);
	return rc < 0 ? gm_sql_failed(state, err, "read the registrations") : rows;
}

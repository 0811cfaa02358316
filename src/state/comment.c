/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people said of alarms. Written by journal.c with the transition that tells it.
 */
#include "state/comment.h"

#include "state/private.h"

int gm_state_comment_add(struct gm_state *state, const struct gm_alarm *alarm)
{
	if (alarm->comments == 0 ||
	    (alarm->news != GM_NEWS_COMMENTED && alarm->news != GM_NEWS_ACKNOWLEDGED &&
	     alarm->news != GM_NEWS_UNACKNOWLEDGED))
		return 0;
	/* An acknowledgement without a comment repeats the one before: it is there already. */
	gm_sql_bind(state, GM_SQL_COMMENT_ADD, "iiitt", (int64_t)alarm->id,
		    (int64_t)alarm->comments, alarm->commented_at, alarm->commented_by,
		    alarm->comment);
	if (gm_sql_run(state, GM_SQL_COMMENT_ADD) < 0)
		return -1;
	gm_sql_bind(state, GM_SQL_COMMENT_CUT, "ii", (int64_t)alarm->id,
		    (int64_t)alarm->comments - GM_COMMENTS_KEEP);
	return gm_sql_run(state, GM_SQL_COMMENT_CUT);
}

int gm_state_comments(struct gm_state *state, uint32_t id,
		      void (*each)(void *user, const struct gm_comment_row *row), void *user,
		      struct gm_error *err)
{
	sqlite3_stmt *statement = gm_sql_bind(state, GM_SQL_COMMENT_LIST, "i", (int64_t)id);
	int rc, rows = 0;

	while ((rc = gm_sql_step(state, GM_SQL_COMMENT_LIST)) > 0) {
		const char *author = (const char *)sqlite3_column_text(statement, 3);
		const char *text = (const char *)sqlite3_column_text(statement, 4);
		const struct gm_comment_row row = {
			.alarm = (uint32_t)sqlite3_column_int64(statement, 0),
			.number = (uint32_t)sqlite3_column_int64(statement, 1),
			.time = sqlite3_column_int64(statement, 2),
			.author = author ? author : "",
			.text = text ? text : "",
		};
		each(user, &row);
		rows++;
	}
	gm_sql_done(state, GM_SQL_COMMENT_LIST);
	return rc < 0 ? gm_sql_failed(state, err, "read the comments") : rows;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far each output has told the journal. A position only moves forward.
 */
#include "state/private.h"

int gm_state_output_position(struct gm_state *state, const char *output, uint64_t *ret_sequence)
{
	sqlite3_stmt *statement = gm_sql_bind(state, GM_SQL_OUTPUT_GET, "t", output);
	int rc = gm_sql_step(state, GM_SQL_OUTPUT_GET);
	int64_t sequence = (int64_t)state->last_sequence;

	if (rc > 0)
		sequence = sqlite3_column_int64(statement, 0);
	gm_sql_done(state, GM_SQL_OUTPUT_GET);
	if (rc == 0) {
		gm_sql_bind(state, GM_SQL_OUTPUT_ADD, "ti", output, sequence);
		rc = gm_sql_run(state, GM_SQL_OUTPUT_ADD);
	}
	if (rc < 0)
		return gm_sql_failed(state, NULL, "read an output's position");
	*ret_sequence = (uint64_t)sequence;
	return 0;
}

int gm_state_output_delivered(struct gm_state *state, const char *output, uint64_t sequence)
{
	gm_sql_bind(state, GM_SQL_OUTPUT_SET, "ti", output, (int64_t)sequence);
	if (gm_sql_run(state, GM_SQL_OUTPUT_SET) < 0)
		return gm_sql_failed(state, NULL, "store an output's position");
	return 0;
}

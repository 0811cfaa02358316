/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a recording: CSV with a header line, first column `time`, one metric per further column, an
 * empty cell for a missing sample. A line has at most GM_CSV_LINE bytes and GM_CSV_COLUMNS columns;
 * memory does not grow with the file.
 */
#ifndef GM_REPLAY_CSV_H
#define GM_REPLAY_CSV_H

#include <stdio.h>

#include "base/error.h"
#include "model/sample.h"

enum { GM_CSV_LINE = 1 << 20, GM_CSV_COLUMNS = 512 };

struct gm_csv;

/* Reads and checks the header. */
int gm_csv_open(FILE *input, const char *name, struct gm_csv **ret_csv, struct gm_error *err);
void gm_csv_close(struct gm_csv *csv);

/* Metrics by column: a catalogue id, or GM_METRIC_EXTRA + n for other names. */
size_t gm_csv_columns(const struct gm_csv *csv);
const char *gm_csv_metric_name(const struct gm_csv *csv, unsigned metric);

/*
 * The next row: its time and its non-empty cells (`readings` has room for GM_CSV_COLUMNS). 1: a
 * row; 0: the end; -EINVAL with "FILE:LINE: …".
 */
int gm_csv_next(struct gm_csv *csv, int64_t *ret_time, struct gm_reading *readings,
		size_t *ret_count, struct gm_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text for people: tables with aligned columns, numbers with units, safe names.
 */
#ifndef GM_CLI_RENDER_H
#define GM_CLI_RENDER_H

#include <stddef.h>
#include <stdio.h>

#include "base/json.h"

/* An alarm's text (384 bytes) fits quoted. */
enum { GM_CELL = 400, GM_TABLE_COLUMNS = 13 };

/* Collects rows, then prints them with columns as wide as needed. */
struct gm_table {
	const char *const
		*heads; /* NULL at the end; a head that starts with '>' is aligned right */
	size_t columns, rows;
	char (*cells)[GM_CELL]; /* rows × columns */
};

void gm_table_init(struct gm_table *table, const char *const *heads);

/* A new row with empty cells; each cell is then written in place. NULL: out of memory. */
char (*gm_table_row(struct gm_table *table))[GM_CELL];

/* Prints heads and rows and frees the table. */
void gm_table_print(struct gm_table *table, FILE *out);

/*
 * A line of --help: what is typed, what it does beside it, or under it where that is too long; at most
 * GM_HELP_WIDTH wide as long as no word is wider.
 */
enum { GM_HELP_WIDTH = 80 };
void gm_render_entry(FILE *out, const char *synopsis, const char *help);

/* A member of an answer; "" where there is none. */
const char *gm_member_text(const struct gm_json *object, const char *key);

/* Each fills `cell` (GM_CELL bytes) and returns it. A value that is NAN gives "-". */
char *gm_render_bytes(char *cell, double bytes);      /* "1.5 MiB" */
char *gm_render_rate(char *cell, double bits_per_s);  /* "12.3 Mbit/s" */
char *gm_render_duration(char *cell, double seconds); /* "0.12 s", "3 min 20 s", "2 d 3 h" */
char *gm_render_time(char *cell, double seconds);     /* local time with tenths */
char *gm_render_name(char *cell, const char *name);   /* quoted when it holds anything odd */
/* For the last column: without quotes around it, and those that it holds as they are. */
char *gm_render_sentence(char *cell, const char *sentence);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's answers as text for people, one function per command.
 */
#ifndef GM_CLI_SHOW_H
#define GM_CLI_SHOW_H

#include <stdio.h>

#include "base/json.h"

void gm_show_status(const struct gm_json *reply, FILE *out);
void gm_show_guests(const struct gm_json *reply, FILE *out);
void gm_show_alarms(const struct gm_json *reply, FILE *out);
void gm_show_maintenance(const struct gm_json *reply, FILE *out);
void gm_show_comments(const struct gm_json *reply, FILE *out);
void gm_show_outputs(const struct gm_json *reply, FILE *out); /* "ok" after an action */
void gm_show_actions(const struct gm_json *reply, FILE *out);
void gm_show_thresholds(const struct gm_json *reply, FILE *out);
/* A cell: the detectors of a guest that do not judge it. Returns `cell`. */
const char *gm_show_detectors(const struct gm_json *detectors, char *cell, size_t size);
void gm_show_lesson(const struct gm_json *reply, FILE *out); /* the one just made */
void gm_show_lessons(const struct gm_json *reply, FILE *out);
void gm_show_windows(const struct gm_json *reply, FILE *out); /* the newest, least, mean, most */
void gm_show_entity_csv(const struct gm_json *metrics, FILE *out); /* of one entity */
/* The first entity that has any; where there are more, `remarks` is told so. */
void gm_show_windows_csv(const struct gm_json *reply, FILE *out, FILE *remarks);

#endif

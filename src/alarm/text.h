/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one sentence that an alarm says to people, from its evidence: "memory of web-1 grows 1.0 MiB/s,
 * exhausted in 38 s". One line per detector in a table; an
 * operator's policy brings a sentence of its own.
 */
#ifndef GM_ALARM_TEXT_H
#define GM_ALARM_TEXT_H

#include "model/alarm.h"

/* Fills alarm->text; `message`: the finding's template, or empty. */
void gm_alarm_describe(struct gm_alarm *alarm, const char *message);

#endif

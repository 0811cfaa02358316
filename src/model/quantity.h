/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A number with its unit as people read it: "1.479 GiB", "800.1 kbit/s", "12 ms". Pure.
 */
#ifndef GM_MODEL_QUANTITY_H
#define GM_MODEL_QUANTITY_H

#include <stdbool.h>

enum { GM_UNIT = 16, GM_QUANTITY = 40, GM_QUANTITY_DIGITS = 4 };

/*
 * The unit of what is judged of a catalogue metric: that of the catalogue, "/s" after it where it is a rate (of a
 * counter it always is). Empty for other ids. Returns `unit`.
 */
char *gm_quantity_unit(unsigned metric, bool rate, char unit[GM_UNIT]);

/*
 * With up to `digits` significant digits. Units: those of metric.def, each with "/s" too; one that is not
 * known is put behind the number, "1" and "" are not shown. Without a unit there is no prefix: six digits, or all
 * before the point. Returns `text`.
 */
char *gm_quantity_text(double value, const char *unit, int digits, char text[GM_QUANTITY]);

#endif

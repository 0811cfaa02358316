/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charts as one self-contained SVG 1.1 picture: no script, no font, no image from elsewhere.
 */
#ifndef GM_CLI_SVG_H
#define GM_CLI_SVG_H

#include <stdio.h>

#include "cli/chart.h"

/* Check `out` for errors afterwards. */
void gm_svg(const struct gm_charts *charts, FILE *out);

#endif

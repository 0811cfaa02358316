/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charts in the terminal.
 */
#ifndef GM_CLI_PLOT_H
#define GM_CLI_PLOT_H

#include <stdio.h>

#include "cli/chart.h"

struct gm_plot_style {
	size_t width; /* columns of the terminal */
	bool unicode; /* braille dots and arrows; else ASCII */
	bool colour;  /* ANSI, by severity */
};

/* What `out` can show. The width is the terminal's, else that of COLUMNS, else 80. */
struct gm_plot_style gm_plot_style_of(FILE *out);

/* 0 or -ENOMEM. */
int gm_plot(const struct gm_charts *charts, const struct gm_plot_style *style, FILE *out);

#endif

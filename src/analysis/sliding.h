/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sliding window over one series: mean, extremes, percentile and rate of its newest `length`. The time
 * is cut into equal parts on the clock's own grid; a part keeps sums, not samples, so that a sample costs
 * the same however long the window and however fast the series. The window's far edge is therefore
 * blurred: it reaches back by `length` and at most a 32nd more. A percentile is that of at most 256 samples: of a
 * longer series the newest of each 256th of the window. Pure; time comes with the samples.
 */
#ifndef GM_ANALYSIS_SLIDING_H
#define GM_ANALYSIS_SLIDING_H

#include <stdbool.h>
#include <stdint.h>

enum gm_function {
	GM_FUNCTION_VALUE, /* the newest */
	GM_FUNCTION_RATE,  /* change per second, from the first to the newest */
	GM_FUNCTION_AVG,   /* mean of the samples */
	GM_FUNCTION_MIN,
	GM_FUNCTION_MAX,
	GM_FUNCTION_PERCENTILE, /* nearest rank */
	GM_FUNCTION_COUNTED,    /* samples are increases: what came after the first, per second */
};

struct gm_sliding;

/* `length` > 0; `ranked`: percentiles are wanted. 0 or -ENOMEM. */
int gm_sliding_create(int64_t length, bool ranked, struct gm_sliding **ret_sliding);
void gm_sliding_free(struct gm_sliding *sliding);

/* Samples that are older than the window count as a clock that was set back: the window begins anew. */
void gm_sliding_add(struct gm_sliding *sliding, int64_t time, double value);

/* Reads at times that do not run backwards. NaN: there is no sample in the window that ends at `now` (for a rate: fewer than two). */
double gm_sliding_read(struct gm_sliding *sliding, int64_t now, enum gm_function function,
		       double percentile);

/*
 * GM_FUNCTION_COUNTED, for which increases were added: what a counter counted, per second. `rate`, that of the
 * newest sample, where samples are further apart than the window is long: the newest covers it.
 */
double gm_sliding_counted(struct gm_sliding *sliding, int64_t now, double rate);

#endif

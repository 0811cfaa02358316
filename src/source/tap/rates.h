/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rates of ports that the operator knows better than their drivers: what limits a tap is the quality of
 * service of its port or the guest's share of a link, not what the driver says.
 */
#ifndef GM_SOURCE_TAP_RATES_H
#define GM_SOURCE_TAP_RATES_H

#include <stdbool.h>

#include "base/error.h"

/*
 * `rates` is "PATTERN=RATE,…" with patterns as in gm_text_match(), rates as 10M or 2.5G; the first that
 * matches holds. 0, or -EINVAL with a sentence.
 */
int gm_tap_rates_check(const char *rates, struct gm_error *err);

/* False when none holds for the device. Bit/s. */
bool gm_tap_rates_find(const char *rates, const char *device, double *ret_rate);

#endif

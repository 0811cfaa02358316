/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of patterns and rates; see rates.h. Read anew for each question: there are few, once per device.
 */
#include "source/tap/rates.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/option.h"
#include "base/text.h"

enum { ITEM_MAX = 96 };

struct rate {
	int64_t bits;
};

static const struct gm_option rate_table[] = {{.key = "rate",
					       .type = GM_OPTION_BITRATE,
					       GM_OPTION_AT(struct rate, bits),
					       .min = 1e3,
					       .max = 1e13,
					       .fallback = "1G",
					       .help = "rate"},
					      GM_OPTION_END};

/* Takes the next item, from *at on, apart. 1, 0 at the end, or -EINVAL. */
static int next_item(const char **at, char pattern[ITEM_MAX], struct rate *ret_rate,
		     struct gm_error *err)
{
	size_t length = strcspn(*at, ",");
	char *equals;

	if (**at == '\0') {
		return 0;
	}
	if (length >= ITEM_MAX) {
		return gm_error_set(err, -EINVAL, "an item of more than %d octets", ITEM_MAX - 1);
	}
	memcpy(pattern, *at, length);
	pattern[length] = '\0';
	*at += length + ((*at)[length] == ',' ? 1 : 0);
	equals = strchr(pattern, '=');
	if (equals == NULL || equals == pattern) {
		return gm_error_set(err, -EINVAL, "expected PATTERN=RATE");
	}
	*equals = '\0';
	return gm_option_set(rate_table, ret_rate, "rate", equals + 1, err) < 0 ? -EINVAL : 1;
}

int gm_tap_rates_check(const char *rates, struct gm_error *err)
{
	char pattern[ITEM_MAX];
	struct rate rate;
	int rc;

	do {
		rc = next_item(&rates, pattern, &rate, err);
	} while (rc > 0);
	return rc;
}

bool gm_tap_rates_find(const char *rates, const char *device, double *ret_rate)
{
	char pattern[ITEM_MAX];
	struct rate rate;

	while (next_item(&rates, pattern, &rate, NULL) > 0) {
		if (gm_text_match(pattern, device)) {
			*ret_rate = (double)rate.bits;
			return true;
		}
	}
	return false;
}

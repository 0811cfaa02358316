/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Excess and credit; see arming.h. Used by tap.c.
 */
#include "source/tap/arming.h"

#include "base/clock.h"

#define LEVEL_TIME  GM_SECOND
#define CREDIT_TIME (60 * GM_SECOND)
#define RATIO       4.0
#define LEAST       (1e6 / 8 / 1e9) /* 1 Mbit/s in octets per ns */

static bool take(double *level, uint64_t bytes, int64_t span, bool known)
{
	double rate = (double)bytes / (double)span;
	bool excess = known && rate > LEAST && rate > RATIO * *level;

	*level += (rate - *level) * (double)span / (double)(span + LEVEL_TIME);
	return excess;
}

bool gm_tap_level_take(struct gm_tap_level *level, uint64_t rx_bytes, uint64_t tx_bytes,
		       int64_t span)
{
	bool known = level->known >= LEVEL_TIME;
	bool rx = take(&level->rx, rx_bytes, span, known);
	bool tx = take(&level->tx, tx_bytes, span, known);

	level->known += known ? 0 : span;
	return rx || tx;
}

static void earn(struct gm_tap_arming *arming, int64_t now)
{
	int64_t most = (int64_t)(arming->share * (double)CREDIT_TIME);
	int64_t since = arming->credited_at != 0 ? now - arming->credited_at : CREDIT_TIME;

	arming->credited_at = now;
	if (since > 0) {
		arming->credit += (int64_t)(arming->share *
					    (double)(since < CREDIT_TIME ? since : CREDIT_TIME));
	}
	arming->credit = arming->credit < most ? arming->credit : most;
}

void gm_tap_arming_excess(struct gm_tap_arming *arming, uint32_t index, int64_t now)
{
	size_t at = 0;

	earn(arming, now);
	while (at < arming->count && arming->list[at].index != index) {
		at++;
	}
	/* Who begins may go on for its whole time. */
	if (at == GM_TAP_ARMED_MAX || (arming->count == 0 && arming->credit < arming->time)) {
		arming->refused++;
		return;
	}
	arming->count += at == arming->count;
	arming->list[at].index = index;
	arming->list[at].until = now + arming->time;
}

void gm_tap_arming_settle(struct gm_tap_arming *arming, int64_t now, int64_t spent)
{
	size_t kept = 0;

	earn(arming, now);
	arming->credit -= spent;
	for (size_t i = 0; i < arming->count; i++) {
		if (arming->credit > 0 && arming->list[i].until > now) {
			arming->list[kept++] = arming->list[i];
		}
	}
	arming->count = kept;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See dating.h. Called by both lanes.
 */
#include "source/libvirt/dating.h"

#include <stdlib.h>

#include "base/clock.h"

bool gm_lv_dating_take(struct gm_lv_dating *dating, int64_t measured_at, int64_t took,
		       int64_t interval)
{
	int64_t span = measured_at - dating->measured_at;
	int64_t differs = llabs(took - dating->took);
	bool first = dating->measured_at == 0 || span < -GM_CLOCK_SET_BACK;

	if (!first && (span < interval / 2 || differs > span / 4))
		return false;
	dating->measured_at = measured_at;
	dating->took = took;
	return true;
}

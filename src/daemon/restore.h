/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the alarm engine has and what the state has as active, made the same: at the start, and after
 * transitions were lost. Main thread only.
 */
#ifndef GM_DAEMON_RESTORE_H
#define GM_DAEMON_RESTORE_H

#include "alarm/engine.h"
#include "base/error.h"
#include "daemon/outlet.h"
#include "daemon/outputalarms.h"
#include "state/state.h"

/*
 * Puts the active alarms of the state into the engine; what that tells (gm_alarms_restore()) is journalled.
 * Without them the daemon would raise them anew, as others: it does not start where this fails.
 */
int gm_restore_alarms(struct gm_state *state, struct gm_alarms *alarms, struct gm_outlet *outlet,
		      struct gm_outputalarms *outputs, struct gm_error *err);

/*
 * Where the outlet has lost some, and nothing waits any more: journals a clear of each alarm
 * that the engine does not have, a raise of each that the state does not have or that is about the same
 * as one of these, and a change of each that it has otherwise. Each tick; returns at once where nothing was lost.
 */
void gm_restore_journal(struct gm_state *state, const struct gm_alarms *alarms,
			struct gm_outlet *outlet, int64_t now);

#endif

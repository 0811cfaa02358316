/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which guests deserve a closer look: those that the leak detector has found to leak, and those whose
 * memory has grown, by what it tells of them every second, without a break for a while. It is early
 * and wrong at times by intention: a look is cheap and bounded, and an alarm takes more. Main thread.
 */
#ifndef GM_DAEMON_SUSPICION_H
#define GM_DAEMON_SUSPICION_H

#include <stdbool.h>

#include "model/finding.h"

struct gm_suspect;

/* Zero-initialised: nobody is known. */
struct gm_suspicion {
	struct gm_suspect *suspects;
};

/* Takes a finding. True: the guest with that UUID is suspect now. */
bool gm_suspicion_take(struct gm_suspicion *suspicion, const struct gm_finding *finding);

void gm_suspicion_forget(struct gm_suspicion *suspicion, const struct gm_entity_key *key);
void gm_suspicion_clear(struct gm_suspicion *suspicion);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Analysers outside the daemon, wired: entries of the findings' stream in Redis go through validation to
 * the alarms. Main thread only. Where it is switched off, or there is no Redis, it does nothing.
 */
#ifndef GM_DAEMON_EXTERNAL_H
#define GM_DAEMON_EXTERNAL_H

#include "alarm/engine.h"
#include "analysis/external.h"
#include "daemon/config.h"
#include "daemon/entities.h"
#include "daemon/outlet.h"
#include "store/redis/findings.h"

struct gm_external_feed;

/*
 * After alarms and journal have been restored: what was told before the restart is not told again. Store
 * and entities outlive the feed. NULL, which every function here takes: it is switched off, or there is
 * no memory, which is logged.
 */
struct gm_external_feed *gm_external_feed_start(const struct gm_store *store,
						const struct gm_config *config,
						const struct gm_entities *entities,
						const struct gm_alarms *alarms,
						const struct gm_outlet *outlet,
						const struct gm_finding_sink *sink);

/* Ends what has not been repeated. About once a second. */
void gm_external_feed_tick(struct gm_external_feed *feed, int64_t now);

/* Whether an analyser stands for this alarm: then it is not over because no detector knows it. */
bool gm_external_feed_owns(const struct gm_external_feed *feed, const struct gm_alarm *alarm);

struct gm_external_feed_status {
	bool enabled;
	char state[192]; /* one sentence */
	struct gm_external_status findings;
	struct gm_findings_status stream;
};
void gm_external_feed_status(const struct gm_external_feed *feed,
			     struct gm_external_feed_status *ret_status);

/* Closes its handles; free once the loop has run dry. */
void gm_external_feed_stop(struct gm_external_feed *feed);
void gm_external_feed_free(struct gm_external_feed *feed);

#endif

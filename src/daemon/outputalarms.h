/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's findings about its outputs, as alarms of the node by the detector "self": the rule names
 * the output. `outputUnavailable`: nothing could be delivered, or it could not be made, for a minute. `outputLoss`: messages
 * were given up (refused, expired, too many, unreadable); the value is how many since the start, and
 * it ends when none was for ten minutes. Main thread only.
 */
#ifndef GM_DAEMON_OUTPUTALARMS_H
#define GM_DAEMON_OUTPUTALARMS_H

#include "model/alarm.h"
#include "model/snapshot.h"
#include "north/output.h"

/* Files, subscribers, registrations and the agent: more than there can be; what is over is not watched. */
enum { GM_OUTPUTALARMS_MAX = 1024 };

struct gm_outputalarms {
	size_t count;
	struct gm_output_watch {
		char name[GM_OUTPUT_NAME];
		bool seen;
		uint64_t lost;   /* as last seen */
		int64_t lost_at; /* monotonic; 0: none yet */
	} outputs[GM_OUTPUTALARMS_MAX];
};

/* An alarm from before a restart: it ends if its output is no more. Others are ignored. */
void gm_outputalarms_adopt(struct gm_outputalarms *alarms, const struct gm_alarm *alarm);

/*
 * About once a second, with a row for each output: emits what is wrong, and "ok" for what is right or
 * is no more.
 */
void gm_outputalarms_tick(struct gm_outputalarms *alarms, const struct gm_output_row *rows,
			  size_t count, int64_t now, int64_t monotonic,
			  const struct gm_finding_sink *sink);

/* The same, with the rows of the newest snapshot. */
void gm_outputalarms_look(struct gm_outputalarms *alarms, struct gm_snapshot_slot *slot,
			  int64_t now, int64_t monotonic, const struct gm_finding_sink *sink);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a manager's SET to the alarm engine and the outputs; see mib_change.h. The master agent does not tell
 * its subagents which manager it was: it is "snmp" that has said so, and snmpd's own log knows who.
 */
#include "daemon/mib_change.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/alarming.h"
#include "daemon/outputs.h"
#include "daemon/pipeline.h"

#define AUTHOR "snmp"

static int apply_note(struct gm_pipeline *pipeline, const struct gm_mib_change *change,
		      struct gm_error *err)
{
	static int (*const takes[])(struct gm_alarms *, uint32_t, const struct gm_alarm_note *,
				    struct gm_error *) = {
		[GM_MIB_ACKNOWLEDGE] = gm_alarms_acknowledge,
		[GM_MIB_UNACKNOWLEDGE] = gm_alarms_unacknowledge,
		[GM_MIB_COMMENT] = gm_alarms_comment,
	};
	const struct gm_alarm_note note = {AUTHOR, change->text, gm_clock_now()};
	struct gm_alarms *alarms = gm_alarming_alarms(gm_pipeline_alarming(pipeline));
	return takes[change->kind](alarms, change->alarm, &note, err);
}

void gm_mib_change_apply(void *user, const struct gm_mib_change *change)
{
	static const char *const words[] = {
		[GM_MIB_ACKNOWLEDGE] = "acknowledged", [GM_MIB_UNACKNOWLEDGE] = "unacknowledged",
		[GM_MIB_COMMENT] = "commented",        [GM_MIB_PAUSE] = "paused",
		[GM_MIB_RESUME] = "resumed",
	};
	struct gm_pipeline *pipeline = user;
	bool output = change->kind == GM_MIB_PAUSE || change->kind == GM_MIB_RESUME;
	char what[2 * GM_COMMENT + 32], quoted[2 * GM_COMMENT];
	struct gm_error err;
	gm_text_quote(quoted, sizeof(quoted), change->text);
	if (output)
		snprintf(what, sizeof(what), "output %s", quoted);
	else
		snprintf(what, sizeof(what), "alarm %u %s", change->alarm, quoted);
	int result = output ? gm_outputs_pause(gm_pipeline_outputs(pipeline), change->text,
					       change->kind == GM_MIB_PAUSE, &err)
			    : apply_note(pipeline, change, &err);
	if (result == 0 || result == -EALREADY)
		gm_log(GM_LOG_NOTICE, "mib: a manager has %s %s", words[change->kind], what);
	else
		gm_log(GM_LOG_WARNING, "mib: a manager's change (%s %s) came too late: %s",
		       words[change->kind], what, err.text);
}

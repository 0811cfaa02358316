/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a manager's SET to the alarm engine, the outputs, thresholds and detectors; see mib_change.h. The master agent does not tell
 * its subagents which manager it was: it is "snmp" that has said so, and snmpd's own log knows who.
 */
#include "daemon/mib_change.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/alarming.h"
#include "daemon/managed.h"
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

/* How it went, for the log. */
static void tell(const char *what, int result, const struct gm_error *err)
{
	if (result == 0 || result == -EALREADY)
		gm_log(GM_LOG_NOTICE, "mib: a manager has %s", what);
	else
		gm_log(GM_LOG_WARNING, "mib: a manager's change (%s) came too late: %s", what,
		       err->text);
}

static void apply_threshold(struct gm_managed *managed, const struct gm_threshold_row *row)
{
	static const char *const words[] = {
		[GM_ROW_ACTIVE] = "set",
		[GM_ROW_NOT_IN_SERVICE] = "set, not in service,",
		[GM_ROW_NOT_READY] = "set, not ready,",
		[GM_ROW_DESTROY] = "destroyed",
	};
	char what[1024], values[768];
	struct gm_error err;

	snprintf(what, sizeof(what), "%s threshold %s: %s", words[row->status], row->name,
		 row->status == GM_ROW_DESTROY ? "all of it"
					       : gm_managed_describe(row, values, sizeof(values)));
	tell(what, gm_managed_threshold(managed, row, &err), &err);
}

static void apply_detector(struct gm_pipeline *pipeline, const struct gm_mib_change *change)
{
	static const char *const words[] = {
		[GM_DETECTOR_INHERIT] = "left to the configuration",
		[GM_DETECTOR_ON] = "switched on",
		[GM_DETECTOR_OFF] = "switched off",
	};
	enum gm_detector_choice choice = change->kind == GM_MIB_DETECTOR_ON ? GM_DETECTOR_ON
					 : change->kind == GM_MIB_DETECTOR_OFF
						 ? GM_DETECTOR_OFF
						 : GM_DETECTOR_INHERIT;
	char what[256], uuid[GM_UUID_TEXT];
	struct gm_error err;

	snprintf(what, sizeof(what), "%s the detector %s of guest %s", words[choice], change->text,
		 gm_uuid_text(change->guest, uuid));
	tell(what,
	     gm_managed_switch(gm_pipeline_managed(pipeline), gm_pipeline_entities(pipeline),
			       change->guest, change->text, choice, &err),
	     &err);
}

static void apply_other(struct gm_pipeline *pipeline, const struct gm_mib_change *change)
{
	static const char *const words[] = {
		[GM_MIB_ACKNOWLEDGE] = "acknowledged", [GM_MIB_UNACKNOWLEDGE] = "unacknowledged",
		[GM_MIB_COMMENT] = "commented",        [GM_MIB_PAUSE] = "paused",
		[GM_MIB_RESUME] = "resumed",
	};
	bool output = change->kind == GM_MIB_PAUSE || change->kind == GM_MIB_RESUME;
	char what[2 * GM_COMMENT + 64], quoted[2 * GM_COMMENT];
	struct gm_error err;

	gm_text_quote(quoted, sizeof(quoted), change->text);
	if (output)
		snprintf(what, sizeof(what), "%s output %s", words[change->kind], quoted);
	else
		snprintf(what, sizeof(what), "%s alarm %u %s", words[change->kind], change->alarm,
			 quoted);
	int result = output ? gm_outputs_pause(gm_pipeline_outputs(pipeline), change->text,
					       change->kind == GM_MIB_PAUSE, &err)
			    : apply_note(pipeline, change, &err);
	tell(what, result, &err);
}

void gm_mib_change_apply(void *user, const struct gm_mib_change *change)
{
	struct gm_pipeline *pipeline = user;
	struct gm_managed *managed = gm_pipeline_managed(pipeline);

	if (change->number != 0)
		gm_managed_count(managed, change->number);
	switch (change->kind) {
	case GM_MIB_THRESHOLD:
		apply_threshold(managed, &change->threshold);
		break;
	case GM_MIB_DETECTOR_INHERIT:
	case GM_MIB_DETECTOR_ON:
	case GM_MIB_DETECTOR_OFF:
		apply_detector(pipeline, change);
		break;
	default:
		apply_other(pipeline, change);
	}
}

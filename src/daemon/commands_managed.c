/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer to `thresholds`, and what `guests` says of a guest's detectors: what files and managers have
 * set, as the MIB shows it.
 */
#include <string.h>

#include "daemon/commands_private.h"
#include "daemon/managed.h"

static struct gm_json *row_to_json(const struct gm_threshold_row *row)
{
	static const char *const states[] = {[GM_ROW_ACTIVE] = "active",
					     [GM_ROW_NOT_IN_SERVICE] = "not in service",
					     [GM_ROW_NOT_READY] = "not ready"};
	char text[4096];
	struct gm_json *object = gm_json_object();

	gm_json_set_text(object, "name", row->name);
	gm_json_set_text(object, "from",
			 row->storage == GM_STORAGE_READ_ONLY  ? "file"
			 : row->storage == GM_STORAGE_VOLATILE ? "manager, not kept"
							       : "manager");
	gm_json_set_text(object, "status",
			 !row->options.enabled && row->status == GM_ROW_ACTIVE
				 ? "disabled"
				 : states[row->status]);
	gm_json_set_text(object, "owner", row->owner);
	gm_json_set_text(object, "metric", row->options.metric);
	gm_json_set_text(object, "rule", gm_managed_describe(row, text, sizeof(text)));
	gm_json_set_integer(object, "alarms", row->alarms);
	gm_reply_set_time(object, "changed", row->changed_at);
	return object;
}

struct gm_json *gm_answer_thresholds(const struct gm_query *query)
{
	struct gm_json *reply = gm_json_object(), *rows = gm_json_array();

	for (size_t i = 0; i < query->snapshot->threshold_count; i++)
		gm_json_append(rows, row_to_json(&query->snapshot->thresholds[i]));
	gm_json_set(reply, "thresholds", rows);
	return reply;
}

struct gm_json *gm_reply_detectors(const struct gm_snapshot *snapshot,
				   const struct gm_guest_row *guest)
{
	struct gm_json *list = gm_json_array();

	for (uint32_t i = 0; i < snapshot->detector_count; i++) {
		struct gm_json *object = gm_json_object();

		gm_json_set_text(object, "name", snapshot->detectors[i]);
		gm_json_set_bool(object, "enabled", guest->detectors >> i & 1);
		gm_json_set_bool(object, "set", guest->switched_detectors >> i & 1);
		gm_json_append(list, object);
	}
	return list;
}

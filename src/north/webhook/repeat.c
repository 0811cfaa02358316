/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alertmanager forgets an alert at its endsAt, and all of them when it is restarted. So the active
 * alarms are told again in rounds: a request of at most so many alerts at a time, one request after
 * another. That one fails is no matter: the next round follows.
 */
#include <string.h>

#include "base/clock.h"
#include "north/webhook/private.h"

enum { BATCH = 200 };

static void on_answer(void *user, const struct gm_http_response *response)
{
	struct gm_output *output = user;
	char reason[GM_VERDICT_REASON];
	struct gm_verdict verdict = gm_webhook_verdict(output, response, reason);

	output->repeat = NULL;
	gm_webhook_memory_repeat_end(output->memory);
	if (verdict.kind != GM_VERDICT_DELIVERED &&
	    gm_log_allowed(&output->repeat_limit, gm_clock_monotonic(), 600 * GM_SECOND, NULL))
		gm_log(GM_LOG_WARNING, "output %s: active alarms cannot be repeated: %s",
		       output->host.name, verdict.reason);
	gm_webhook_release(output);
}

/* The next alarms of the round; true when there may be more. Marks what it takes. */
static bool collect(struct gm_output *output, const struct gm_snapshot *snapshot, int64_t now,
		    struct gm_json *array)
{
	const struct gm_webhook_context context = {
		.generator_url = output->options.generator_url,
		.hold = 4 * output->options.repeat,
	};
	int64_t monotonic = gm_clock_monotonic();

	for (size_t i = 0; i < snapshot->alarm_count; i++) {
		struct gm_alarm alarm = snapshot->alarms[i];

		if (alarm.id <= output->repeated)
			continue;
		if (gm_json_size(array) == BATCH)
			return true;
		output->repeated = alarm.id;
		if (!gm_webhook_memory_repeats(output->memory, &alarm,
					       gm_output_covers(&output->common, &alarm), monotonic,
					       &alarm.severity))
			continue;
		gm_webhook_memory_repeat_begin(output->memory, alarm.id);
		gm_json_append(array, gm_webhook_alert(&context, output->host.node, &alarm, now));
	}
	return false;
}

static bool is_paused(const struct gm_output *output, const struct gm_snapshot *snapshot)
{
	const struct gm_output_row *row = gm_snapshot_output(snapshot, output->host.name);
	return row && row->state == GM_OUTPUT_PAUSED;
}

void gm_webhook_repeat_tick(struct gm_output *output, const struct gm_snapshot *snapshot,
			    int64_t now)
{
	if (output->repeat || is_paused(output, snapshot))
		return;
	if (!output->in_round) {
		int64_t monotonic = gm_clock_monotonic();
		if (monotonic < output->next_round)
			return;
		output->next_round = monotonic + output->options.repeat;
		output->repeated = 0;
	}
	struct gm_json *array = gm_json_array();
	struct gm_buffer body = GM_BUFFER_INIT(GM_WEBHOOK_BODY);
	output->in_round = collect(output, snapshot, now, array);
	if (gm_json_size(array) > 0 &&
	    (gm_json_write(array, 0, &body) < 0 ||
	     gm_webhook_request(output, &body, NULL, on_answer, output, &output->repeat, NULL) < 0))
		gm_webhook_memory_repeat_end(output->memory);
	gm_buffer_free(&body);
	gm_json_free(array);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is unavailable, as findings; see selfalarms.h. Called by pipeline.c alone.
 */
#include "daemon/selfalarms.h"

#include "base/clock.h"
#include "base/text.h"

#define STORE_PATIENCE  (5 * GM_SECOND)
#define SOURCE_PATIENCE (15 * GM_SECOND)

struct item {
	const char *metric, *rule;
	bool away;
	int64_t patience;
	enum gm_severity severity;
};

static void tell(int64_t *away_since, const struct item *item,
		 const struct gm_selfalarms_input *input, const struct gm_finding_sink *sink)
{
	if (!item->away)
		*away_since = 0;
	else if (*away_since == 0)
		*away_since = input->monotonic;
	int64_t away = item->away ? input->monotonic - *away_since : 0;
	struct gm_finding finding = {
		.key = gm_entity_node(),
		.active = away >= item->patience,
		.severity = item->severity,
		.event_type = GM_EVENT_COMMUNICATIONS,
		.cause = GM_CAUSE_COMMUNICATION_FAILURE,
		.time = input->now,
	};
	if (item->away && !finding.active)
		return;
	gm_text_copy(finding.detector, sizeof(finding.detector), GM_SELF_DETECTOR);
	gm_text_copy(finding.metric, sizeof(finding.metric), item->metric);
	gm_text_copy(finding.rule, sizeof(finding.rule), item->rule);
	if (finding.active)
		gm_evidence_set(&finding.evidence, GM_EVIDENCE_DURATION, (double)away / GM_SECOND);
	sink->emit(sink->user, &finding);
}

void gm_selfalarms_tick(struct gm_selfalarms *alarms, const struct gm_selfalarms_input *input,
			const struct gm_finding_sink *sink)
{
	const struct item store = {
		.metric = "storeUnavailable",
		.rule = "",
		.away = input->store_wanted && !input->store_connected,
		.patience = STORE_PATIENCE,
		.severity = GM_SEVERITY_MINOR,
	};
	tell(&alarms->away_since[0], &store, input, sink);
	for (int id = 0; id < GM_SOURCE_COUNT; id++) {
		const struct item source = {
			.metric = "sourceUnavailable",
			.rule = gm_source_name((enum gm_source_id)id),
			.away = input->source_wanted[id] && !input->source_connected[id],
			.patience = SOURCE_PATIENCE,
			.severity = GM_SEVERITY_MAJOR,
		};
		tell(&alarms->away_since[1 + id], &source, input, sink);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answers to control commands; see commands.h. Everything but `windows` is read from the present
 * snapshot, as the MIB is, so that the two agree.
 */
#include "daemon/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/commands_private.h"

bool gm_query_integer(const struct gm_query *query, const char *key, int64_t *ret_number)
{
	const char *word = gm_json_get_text(query->request, key);
	char *end = NULL;

	*ret_number = word ? strtoll(word, &end, 10) : gm_json_get_integer(query->request, key, -1);
	return !word || (end != word && *end == '\0');
}

void gm_reply_set_time(struct gm_json *object, const char *key, int64_t time)
{
	if (time != 0)
		gm_json_set_number(object, key, (double)time / 1e9);
}

/* The newest samples as {"memory.used": {"value": …, "age_s": …, "rate": …}, …}. */
static struct gm_json *last_to_json(const struct gm_last_set *set, int64_t now)
{
	struct gm_json *object = gm_json_object();
	for (size_t i = 0; i < set->count; i++) {
		const struct gm_last *last = &set->items[i];
		const struct gm_metric *metric = gm_metric_get(last->metric);
		if (!metric)
			continue;
		struct gm_json *value = gm_json_object();
		if (metric->kind == GM_KIND_COUNTER)
			gm_json_set_integer(value, "value", (int64_t)last->value.counter);
		else
			gm_json_set_number(value, "value", last->value.gauge);
		if (last->has_rate)
			gm_json_set_number(value, "rate", last->rate);
		gm_json_set_number(value, "age_s", (double)(now - last->measured_at) / 1e9);
		gm_json_set_text(value, "unit", metric->unit);
		gm_json_set(object, metric->name, value);
	}
	return object;
}

static struct gm_json *source_to_json(const struct gm_source_status *source)
{
	struct gm_json *object = gm_json_object();
	gm_json_set_text(object, "name", gm_source_name(source->id));
	gm_json_set_bool(object, "connected", source->connected);
	gm_json_set_number(object, "interval_s", (double)source->interval / 1e9);
	gm_json_set_integer(object, "ticks", (int64_t)source->ticks);
	gm_json_set_integer(object, "missed", (int64_t)source->missed);
	gm_json_set_integer(object, "late", (int64_t)source->late);
	gm_json_set_integer(object, "failures", (int64_t)source->failures);
	gm_json_set_integer(object, "reconnects", (int64_t)source->reconnects);
	gm_json_set_number(object, "lag_max_s", (double)source->lag_max / 1e9);
	gm_json_set_number(object, "duration_p50_s", (double)source->duration_p50 / 1e9);
	gm_json_set_number(object, "duration_p99_s", (double)source->duration_p99 / 1e9);
	gm_json_set_number(object, "duration_max_s", (double)source->duration_max / 1e9);
	gm_json_set_integer(object, "entities", source->entities);
	gm_json_set_text(object, "error", source->error);
	return object;
}

static struct gm_json *external_to_json(const struct gm_external_feed_status *external)
{
	uint64_t rejected = external->findings.rejected + external->stream.oversize;
	struct gm_json *object = gm_json_object();
	gm_json_set_bool(object, "reading", external->stream.condition == GM_FINDINGS_READING);
	gm_json_set_text(object, "state", external->state);
	gm_json_set_integer(object, "accepted", (int64_t)external->findings.accepted);
	gm_json_set_integer(object, "rejected", (int64_t)rejected);
	gm_json_set_integer(object, "limited", (int64_t)external->findings.limited);
	gm_json_set_integer(object, "repeated", (int64_t)external->stream.repeated);
	gm_json_set_integer(object, "silenced", (int64_t)external->findings.silenced);
	gm_json_set_integer(object, "active", (int64_t)external->findings.active);
	return object;
}

static struct gm_json *answer_status(const struct gm_query *query)
{
	const struct gm_agent_row *agent = &query->snapshot->agent;
	struct gm_pipeline_status status;
	gm_pipeline_status(query->commands->pipeline, &status);

	struct gm_json *reply = gm_json_object();
	gm_json_set_text(reply, "node", agent->node);
	gm_json_set_text(reply, "version", agent->version);
	gm_reply_set_time(reply, "started", agent->started_at);
	gm_json_set_integer(reply, "boots", agent->boots);
	gm_json_set_integer(reply, "samples", (int64_t)agent->samples);
	gm_json_set_number(reply, "samples_per_s", agent->sample_rate);
	gm_json_set_integer(reply, "batches_dropped", (int64_t)agent->queue_dropped);
	gm_json_set_integer(reply, "entities", (int64_t)status.entities);
	gm_json_set_integer(reply, "guests", (int64_t)query->snapshot->guest_count);
	gm_json_set_integer(reply, "alarms", (int64_t)query->snapshot->alarm_count);
	gm_json_set_integer(reply, "last_sequence", (int64_t)agent->last_sequence);
	gm_json_set_integer(reply, "raises_limited", (int64_t)status.alarms.limited);
	gm_json_set_integer(reply, "conditions_waiting", (int64_t)status.alarms.waiting);
	gm_json_set_integer(reply, "raises_crowded", (int64_t)status.alarms.crowded);
	gm_json_set_integer(reply, "conditions_silenced", (int64_t)status.alarms.silenced);
	gm_json_set_integer(reply, "conditions_soaked", (int64_t)status.alarms.soaked);
	gm_json_set_integer(reply, "alarms_flapped", (int64_t)status.alarms.flapping);
	gm_json_set_integer(reply, "conditions_refused", (int64_t)status.alarms.refused);
	gm_json_set_integer(reply, "transitions_lost", (int64_t)status.transitions_lost);
	gm_json_set_number(reply, "cpu_s", (double)agent->cpu_ns / 1e9);
	gm_json_set_integer(reply, "resident_bytes", (int64_t)agent->resident);

	struct gm_json *store = gm_json_object();
	gm_json_set_text(store, "name", agent->store);
	gm_json_set_bool(store, "connected", agent->store_connected);
	gm_json_set_text(store, "state", agent->store_state);
	gm_json_set_integer(store, "written", (int64_t)agent->store_written);
	gm_json_set_integer(store, "dropped", (int64_t)agent->store_dropped);
	gm_json_set_integer(store, "filled", (int64_t)agent->store_filled);
	gm_json_set(reply, "store", store);

	struct gm_json *snmp = gm_json_object();
	gm_json_set_bool(snmp, "enabled", status.agent);
	gm_json_set_bool(snmp, "connected", status.mib.connected);
	gm_json_set_integer(snmp, "connects", (int64_t)status.mib.connects);
	gm_json_set_integer(snmp, "requests", (int64_t)status.mib.requests);
	gm_json_set_integer(snmp, "notifications", (int64_t)status.mib.notifications);
	gm_json_set_integer(snmp, "waiting", (int64_t)status.mib.spooled);
	gm_json_set_text(snmp, "error", status.mib.error);
	gm_json_set(reply, "snmp", snmp);

	if (status.external.enabled)
		gm_json_set(reply, "external", external_to_json(&status.external));

	struct gm_json *sources = gm_json_array();
	for (size_t i = 0; i < query->snapshot->source_count; i++)
		gm_json_append(sources, source_to_json(&query->snapshot->sources[i]));
	gm_json_set(reply, "sources", sources);
	return reply;
}

static struct gm_json *interface_to_json(const struct gm_interface_row *row, int64_t now)
{
	struct gm_json *object = gm_json_object();
	gm_json_set_text(object, "device", row->device);
	gm_json_set_integer(object, "ordinal", row->ordinal);
	gm_json_set_text(object, "mac", row->info.mac);
	if (row->info.port_uuid[0] != '\0')
		gm_json_set_text(object, "port", row->info.port_uuid);
	gm_json_set(object, "metrics", last_to_json(&row->last, now));
	return object;
}

static struct gm_json *guest_to_json(const struct gm_snapshot *snapshot,
				     const struct gm_guest_row *row, int64_t now)
{
	char uuid[GM_UUID_TEXT];
	struct gm_json *object = gm_json_object();
	gm_json_set_integer(object, "index", row->index);
	gm_json_set_text(object, "uuid", gm_uuid_text(row->uuid, uuid));
	gm_json_set_text(object, "name", row->info.name);
	gm_json_set_text(object, "display_name", row->info.display_name);
	gm_json_set_text(object, "project", row->info.project);
	gm_json_set_text(object, "project_uuid", row->info.project_uuid);
	gm_json_set_text(object, "flavor", row->info.flavor);
	gm_json_set_text(object, "hypervisor", row->info.hypervisor);
	gm_json_set_bool(object, "stale", row->stale);
	gm_json_set_integer(object, "alarms", row->active_alarms);
	gm_json_set(object, "detectors", gm_reply_detectors(snapshot, row));
	gm_json_set(object, "metrics", last_to_json(&row->last, now));
	struct gm_json *interfaces = gm_json_array();
	for (size_t i = 0; i < snapshot->interface_count; i++)
		if (snapshot->interfaces[i].guest_index == row->index)
			gm_json_append(interfaces,
				       interface_to_json(&snapshot->interfaces[i], now));
	gm_json_set(object, "interfaces", interfaces);
	return object;
}

static struct gm_json *answer_guests(const struct gm_query *query)
{
	int64_t now = gm_clock_now();
	struct gm_json *reply = gm_json_object(), *guests = gm_json_array();
	for (size_t i = 0; i < query->snapshot->guest_count; i++)
		gm_json_append(guests,
			       guest_to_json(query->snapshot, &query->snapshot->guests[i], now));
	gm_json_set(reply, "guests", guests);
	return reply;
}

const struct gm_guest_row *gm_query_guest(const struct gm_query *query, const char *wanted)
{
	char uuid[GM_UUID_TEXT], quoted[2 * GM_NAME_SIZE];
	const struct gm_guest_row *found = NULL;
	for (size_t i = 0; i < query->snapshot->guest_count; i++) {
		const struct gm_guest_row *row = &query->snapshot->guests[i];
		if (strcmp(gm_uuid_text(row->uuid, uuid), wanted) == 0)
			return row;
		if (strcmp(row->info.name, wanted) != 0 &&
		    strcmp(row->info.display_name, wanted) != 0)
			continue;
		if (found) {
			gm_error_set(query->err, -EINVAL,
				     "more than one guest has that name: use the UUID");
			return NULL;
		}
		found = row;
	}
	if (!found) {
		gm_text_quote(quoted, sizeof(quoted), wanted);
		gm_error_set(query->err, -ENOENT, "no guest %s on this node", quoted);
	}
	return found;
}

char *gm_query_author(const struct gm_query *query, char author[GM_AUTHOR])
{
	char name[GM_AUTHOR], text[3 * GM_AUTHOR];
	const char *given = gm_json_get_text(query->request, "author");
	int64_t uid = gm_control_uid(query->asker);
	if (uid >= 0)
		gm_user_names_get(query->commands->names, (uid_t)uid, gm_clock_monotonic(), name,
				  sizeof(name));
	else
		snprintf(name, sizeof(name), "unknown");
	if (given && given[0] != '\0' && strcmp(given, name) != 0)
		snprintf(text, sizeof(text), "%.*s (%.*s)", GM_AUTHOR, name, GM_AUTHOR, given);
	else
		snprintf(text, sizeof(text), "%s", name);
	gm_text_copy(author, GM_AUTHOR, text);
	return author;
}

/* {"options": {"confidence": "0.95", …}}: as --set and the configuration file take them. */
static struct gm_json *answer_options(const struct gm_query *query)
{
	const char *name = gm_json_get_text(query->request, "detector");
	const struct gm_detector_ops *ops = name ? gm_detector_find(name) : NULL;
	const void *options = ops ? gm_pipeline_options(query->commands->pipeline, ops) : NULL;
	char text[512];
	if (!options) {
		gm_error_set(query->err, -EINVAL, "options needs a detector");
		return NULL;
	}
	struct gm_json *reply = gm_json_object(), *object = gm_json_object();
	for (const struct gm_option *line = ops->options; line->key; line++)
		gm_json_set_text(object, line->key,
				 gm_option_format(line, options, text, sizeof(text)));
	gm_json_set(reply, "options", object);
	return reply;
}

static struct gm_json *reload(const struct gm_query *query, bool apply)
{
	int result = query->commands->reload(query->commands->user, apply, query->err);
	query->err->code = -ECANCELED; /* what is wrong is the file, not the request */
	return result < 0 ? NULL : gm_json_object();
}

static struct gm_json *answer_check(const struct gm_query *query)
{
	return reload(query, false);
}

static struct gm_json *answer_reload(const struct gm_query *query)
{
	return reload(query, true);
}

static const struct {
	const char *name;
	struct gm_json *(*answer)(const struct gm_query *query);
} answers[] = {
	{"status", answer_status},
	{"guests", answer_guests},
	{"alarms", gm_answer_alarms},
	{"windows", gm_answer_windows},
	{"check", answer_check},
	{"reload", answer_reload},
	{"options", answer_options},
	{"learn", gm_answer_learn},
	{"lessons", gm_answer_lessons},
	{"unlearn", gm_answer_unlearn},
	{"ack", gm_answer_ack},
	{"unack", gm_answer_unack},
	{"comment", gm_answer_comment},
	{"maintenance", gm_answer_maintenance},
	{"comments", gm_answer_comments},
	{"outputs", gm_answer_outputs},
	{"snmp", gm_answer_snmp},
	{"actions", gm_answer_actions},
	{"thresholds", gm_answer_thresholds},
};

struct gm_json *gm_commands_answer(void *user, const struct gm_ctl_command *command,
				   const struct gm_json *request, struct gm_control_asker *asker,
				   struct gm_error *err)
{
	struct gm_commands *commands = user;
	struct gm_snapshot_slot *slot = gm_pipeline_snapshots(commands->pipeline);
	const struct gm_snapshot *snapshot = gm_snapshot_acquire(slot);
	struct gm_query query = {commands, snapshot, request, asker, err};
	struct gm_json *reply = NULL;
	gm_error_set(err, 0, "not ready yet");
	for (size_t i = 0; snapshot && i < sizeof(answers) / sizeof(answers[0]); i++)
		if (strcmp(answers[i].name, command->name) == 0)
			reply = answers[i].answer(&query);
	if (snapshot)
		gm_snapshot_release(slot, snapshot);
	return reply;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registrations made, kept and ended; see registrations.h. Called by gateway.c.
 */
#include "daemon/registrations.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/log.h"
#include "base/text.h"

#define KIND "tacker" /* in the state, and the beginning of the outputs' names */

enum { RECORD = 8 << 10 };

struct entry {
	struct gm_registration registration;
	struct gm_healer_setup setup;
	struct gm_output_file file;
	struct entry *prev, *next;
};

struct gm_registrations {
	struct gm_registrations_host host;
	struct entry *entries;
	size_t count;
};

static struct gm_json *to_record(const struct gm_registration *registration)
{
	struct gm_json *record = gm_json_object();
	gm_json_set_text(record, "tenant", registration->tenant);
	gm_json_set_text(record, "server", registration->server);
	gm_json_set_text(record, "fault_action", registration->target.url);
	gm_json_set_text(record, "fault_id", registration->fault_id);
	gm_json_set_integer(record, "called_for", registration->called_for);
	return record;
}

static int put(struct gm_registrations *registrations, const struct gm_registration *registration,
	       struct gm_error *err)
{
	struct gm_buffer text = GM_BUFFER_INIT(RECORD);
	struct gm_json *record = to_record(registration);
	int result = gm_json_write(record, 0, &text);
	if (result < 0 || text.failed)
		result = gm_error_set(err, -ENOMEM, "out of memory");
	else
		result = gm_state_registration_put(registrations->host.state, KIND,
						   registration->id, text.data, err);
	gm_json_free(record);
	gm_buffer_free(&text);
	return result;
}

static int keep(void *user, const struct gm_registration *registration)
{
	struct gm_error err;
	int result = put(user, registration, &err);
	if (result < 0)
		gm_log(GM_LOG_ERROR, "server notifier: %s", err.text);
	return result;
}

/* Takes the entry. */
static int begin(struct gm_registrations *registrations, struct entry *entry)
{
	const struct gm_healer_options *options = registrations->host.options;
	entry->setup = (struct gm_healer_setup){
		.registration = &entry->registration,
		.options = options,
		.transport = registrations->host.transport,
		.forbidden = !gm_text_match(options->callbacks, entry->registration.target.url),
		.keep = keep,
		.user = registrations,
	};
	if (entry->setup.forbidden) /* it is kept from before */
		gm_log(GM_LOG_ERROR,
		       "server notifier: registration %s is not called: its fault_action is not "
		       "among "
		       "those that server-notifier.callbacks allows",
		       entry->registration.id);
	entry->file.ops = &gm_healer_ops;
	entry->file.options = &entry->setup;
	gm_option_defaults(gm_output_option_table, &entry->file.common);
	entry->file.common.severity = options->severity;
	gm_text_copy(entry->file.common.detectors, sizeof(entry->file.common.detectors),
		     options->detectors);
	snprintf(entry->file.name, sizeof(entry->file.name), KIND "/%s", entry->registration.id);
	DL_APPEND(registrations->entries, entry);
	registrations->count++;
	return gm_outputs_add(registrations->host.outputs, &entry->file);
}

/* Of what was begun in vain. Takes the entry. */
static void undo(struct gm_registrations *registrations, struct entry *entry)
{
	struct gm_error err;
	if (gm_state_registration_remove(registrations->host.state, KIND, entry->registration.id,
					 &err) < 0)
		gm_log(GM_LOG_ERROR, "server notifier: registration %s: %s", entry->registration.id,
		       err.text);
	DL_DELETE(registrations->entries, entry);
	registrations->count--;
	free(entry);
}

static void restore_one(void *user, const char *id, const char *record)
{
	struct gm_registrations *registrations = user;
	struct entry *entry = calloc(1, sizeof(*entry));
	struct gm_json *object = NULL;
	int result = entry ? gm_json_parse(record, strlen(record), &object, NULL) : -ENOMEM;
	if (result == 0)
		result = gm_registration_parse(object, &entry->registration, NULL);
	if (result == 0) {
		struct gm_registration *registration = &entry->registration;
		gm_text_copy(registration->id, sizeof(registration->id), id);
		gm_text_copy(registration->tenant, sizeof(registration->tenant),
			     gm_json_get_text(object, "tenant"));
		gm_text_copy(registration->server, sizeof(registration->server),
			     gm_json_get_text(object, "server"));
		DL_APPEND(registrations->entries, entry);
	} else {
		gm_log(GM_LOG_ERROR, "server notifier: registration %s cannot be read", id);
		free(entry);
	}
	gm_json_free(object);
}

int gm_registrations_create(const struct gm_registrations_host *host,
			    struct gm_registrations **ret_registrations, struct gm_error *err)
{
	struct gm_registrations *registrations = calloc(1, sizeof(*registrations));
	if (!registrations)
		return gm_error_set(err, -ENOMEM, "out of memory");
	registrations->host = *host;
	int result = gm_state_registrations(host->state, KIND, restore_one, registrations, err);
	struct entry *restored = registrations->entries, *entry, *next;
	registrations->entries = NULL;
	DL_FOREACH_SAFE(restored, entry, next)
	{
		DL_DELETE(restored, entry);
		int begun = begin(registrations, entry);
		if (begun < 0 && result >= 0)
			result = gm_error_set(err, begun, "registration %s cannot be begun",
					      entry->registration.id);
	}
	*ret_registrations = registrations;
	return result < 0 ? result : 0;
}

static int fill(const struct gm_registrations *registrations, const struct gm_api_task *task,
		struct gm_registration *registration, struct gm_api_reply *reply)
{
	struct gm_error err;
	uint8_t uuid[GM_UUID_SIZE];
	if (gm_registration_parse(task->body, registration, &err) < 0) {
		gm_api_problem(reply, 400, "%s", err.text);
		return -EINVAL;
	}
	if (gm_uuid_parse(task->arguments[1], uuid) < 0) {
		gm_api_problem(reply, 400, "a server is named by its UUID");
		return -EINVAL;
	}
	if (!gm_text_match(registrations->host.options->callbacks, registration->target.url)) {
		gm_api_problem(reply, 403,
			       "fault_action is not among those that server-notifier.callbacks "
			       "allows");
		return -EACCES;
	}
	if (registrations->count >= GM_REGISTRATIONS_MAX) {
		gm_api_problem(reply, 503, "there are %d registrations already",
			       GM_REGISTRATIONS_MAX);
		return -ENOSPC;
	}
	gm_api_new_id(registration->id);
	gm_uuid_text(uuid, registration->server);
	gm_text_copy(registration->tenant, sizeof(registration->tenant), task->arguments[0]);
	return 0;
}

void gm_registrations_add(struct gm_registrations *registrations, struct gm_api_task *task)
{
	struct gm_error err;
	struct entry *entry = calloc(1, sizeof(*entry));
	if (!entry) {
		gm_api_problem(&task->reply, 503, "out of memory");
		return;
	}
	int result = fill(registrations, task, &entry->registration, &task->reply);
	if (result == 0) {
		result = put(registrations, &entry->registration, &err);
		if (result < 0)
			gm_api_problem(&task->reply, 503, "%s", err.text);
	}
	if (result < 0) {
		free(entry);
		return;
	}
	if (begin(registrations, entry) < 0) {
		gm_api_problem(&task->reply, 503, "the registration cannot be begun: ask again");
		undo(registrations, entry);
		return;
	}
	gm_log(GM_LOG_NOTICE, "server notifier: %s has registered %s for server %s", task->user,
	       entry->registration.id, entry->registration.server);
	task->reply.status = 200;
	task->reply.body = gm_json_object();
	gm_json_set_text(task->reply.body, "alarm_id", entry->registration.id);
}

void gm_registrations_remove(struct gm_registrations *registrations, struct gm_api_task *task)
{
	struct gm_error err;
	struct entry *entry;
	DL_FOREACH (registrations->entries, entry)
		if (strcmp(entry->registration.id, task->arguments[2]) == 0 &&
		    strcmp(entry->registration.tenant, task->arguments[0]) == 0 &&
		    strcmp(entry->registration.server, task->arguments[1]) == 0)
			break;
	if (!entry) {
		gm_api_problem(&task->reply, 404, "there is no such registration");
		return;
	}
	if (gm_state_registration_remove(registrations->host.state, KIND, entry->registration.id,
					 &err) < 0) {
		gm_api_problem(&task->reply, 503, "%s", err.text);
		return;
	}
	gm_log(GM_LOG_NOTICE, "server notifier: %s has ended registration %s", task->user,
	       entry->registration.id);
	gm_outputs_remove(registrations->host.outputs, entry->file.name);
	DL_DELETE(registrations->entries, entry);
	registrations->count--;
	free(entry);
	task->reply.status = 204;
}

void gm_registrations_free(struct gm_registrations *registrations)
{
	struct entry *entry, *next;
	if (!registrations)
		return;
	DL_FOREACH_SAFE(registrations->entries, entry, next)
	{
		free(entry);
	}
	free(registrations);
}

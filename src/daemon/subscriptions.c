/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subscriptions made, kept, told and ended; see subscriptions.h. Called by gateway.c.
 */
#include "daemon/subscriptions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/log.h"
#include "base/text.h"
#include "north/api/notifier.h"

#define KIND "vnffm" /* in the state, and the beginning of the outputs' names */

enum { RECORD = 64 << 10 };

struct entry {
	struct gm_subscription subscription;
	struct gm_notifier_options options;
	struct gm_output_file file;
	struct entry *prev, *next;
};

/* A request whose callback is being tested. */
struct trial {
	struct gm_subscriptions *subscriptions;
	struct gm_api_task *task;
	struct entry *entry; /* not yet among the others */
	struct gm_callback *callback;
	struct trial *prev, *next;
};

struct gm_subscriptions {
	struct gm_subscriptions_host host;
	char url[GM_API_PATH];
	struct entry *entries;
	struct trial *trials;
};

static void output_name(const char *id, char name[GM_OUTPUT_NAME])
{
	snprintf(name, GM_OUTPUT_NAME, KIND "/%s", id);
}

static void free_entry(struct entry *entry)
{
	gm_subscription_free(&entry->subscription);
	free(entry);
}

/* ---- entries ---- */

/* Whatever the daemon would connect to for a stranger's sake: the name of what it may not; or NULL. */
static const char *find_forbidden(const struct gm_subscriptions *subscriptions,
				  const struct gm_callback_target *target)
{
	const char *allowed = subscriptions->host.options->callbacks.allowed;
	if (!gm_text_match(allowed, target->url))
		return "callbackUri";
	if (target->scheme == GM_CALLBACK_OAUTH2 && !gm_text_match(allowed, target->token_url))
		return "tokenEndpoint";
	return NULL;
}

/* Takes the entry. */
static int begin(struct gm_subscriptions *subscriptions, struct entry *entry)
{
	entry->options = (struct gm_notifier_options){
		.subscription = &entry->subscription,
		.transport = &subscriptions->host.options->callbacks.transport,
		.view = gm_vnffm_view(subscriptions->host.options),
		.forbidden = find_forbidden(subscriptions, &entry->subscription.target),
	};
	entry->options.view.identify = subscriptions->host.identify;
	entry->options.view.revision = subscriptions->host.revision;
	entry->options.view.user = subscriptions->host.user;
	/* One that is kept from before: what is to be told waits until it is allowed again, or ended. */
	if (entry->options.forbidden)
		gm_log(GM_LOG_ERROR,
		       "api: subscription %s is told nothing: %s is not among those that "
		       "api.callbacks "
		       "allows",
		       entry->subscription.id, entry->options.forbidden);
	entry->file.ops = &gm_notifier_ops;
	entry->file.options = &entry->options;
	gm_option_defaults(gm_output_option_table, &entry->file.common);
	output_name(entry->subscription.id, entry->file.name);
	DL_APPEND(subscriptions->entries, entry);
	return gm_outputs_add(subscriptions->host.outputs, &entry->file);
}

static struct entry *find(const struct gm_subscriptions *subscriptions, const char *id)
{
	struct entry *entry;
	DL_FOREACH (subscriptions->entries, entry)
		if (strcmp(entry->subscription.id, id) == 0)
			return entry;
	return NULL;
}

static const struct entry *find_equal(const struct gm_subscriptions *subscriptions,
				      const struct gm_subscription *wanted)
{
	struct entry *entry;
	DL_FOREACH (subscriptions->entries, entry)
		if (gm_subscription_equal(&entry->subscription, wanted))
			return entry;
	return NULL;
}

static size_t count(const struct gm_subscriptions *subscriptions)
{
	struct entry *entry;
	size_t number;
	DL_COUNT(subscriptions->entries, entry, number);
	return number;
}

static void restore_one(void *user, const char *id, const char *record)
{
	struct gm_subscriptions *subscriptions = user;
	struct entry *entry = calloc(1, sizeof(*entry));
	struct gm_json *request = NULL;
	struct gm_error err = {.text = "out of memory"};
	int result = entry ? gm_json_parse(record, strlen(record), &request, &err) : -ENOMEM;
	if (result == 0)
		result = gm_subscription_restore(request, &entry->subscription, &err);
	gm_json_free(request);
	if (result == 0) {
		gm_text_copy(entry->subscription.id, sizeof(entry->subscription.id), id);
		DL_APPEND(subscriptions->entries, entry);
		return;
	}
	gm_log(GM_LOG_ERROR, "api: subscription %s cannot be read and is not told: %s", id,
	       err.text);
	if (entry)
		free_entry(entry);
}

int gm_subscriptions_create(const struct gm_subscriptions_host *host,
			    struct gm_subscriptions **ret_subscriptions, struct gm_error *err)
{
	struct gm_subscriptions *subscriptions = calloc(1, sizeof(*subscriptions));
	if (!subscriptions)
		return gm_error_set(err, -ENOMEM, "out of memory");
	subscriptions->host = *host;
	gm_api_url(host->options, subscriptions->url);
	int result = gm_state_registrations(host->state, KIND, restore_one, subscriptions, err);
	/* Only now: while a statement is read the state takes no other call. */
	struct entry *restored = subscriptions->entries, *entry, *next;
	subscriptions->entries = NULL;
	DL_FOREACH_SAFE(restored, entry, next)
	{
		DL_DELETE(restored, entry);
		int begun = begin(subscriptions, entry);
		if (begun < 0 && result >= 0)
			result = gm_error_set(err, begun, "subscription %s cannot be begun",
					      entry->subscription.id);
	}
	*ret_subscriptions = subscriptions;
	return result < 0 ? result : 0;
}

/* ---- answers ---- */

static void give_back(struct gm_subscriptions *subscriptions, struct gm_api_task *task)
{
	subscriptions->host.answer(subscriptions->host.user, task);
}

void gm_subscriptions_list(struct gm_subscriptions *subscriptions, struct gm_api_task *task)
{
	struct entry *entry;
	task->reply.status = 200;
	task->reply.body = gm_json_array();
	DL_FOREACH (subscriptions->entries, entry)
		gm_json_append(task->reply.body,
			       gm_subscription_show(&entry->subscription, subscriptions->url));
	give_back(subscriptions, task);
}

void gm_subscriptions_show(struct gm_subscriptions *subscriptions, struct gm_api_task *task)
{
	const struct entry *entry = find(subscriptions, task->arguments[0]);
	if (entry) {
		task->reply.status = 200;
		task->reply.body = gm_subscription_show(&entry->subscription, subscriptions->url);
	} else {
		gm_api_problem(&task->reply, 404, "there is no such subscription");
	}
	give_back(subscriptions, task);
}

void gm_subscriptions_remove(struct gm_subscriptions *subscriptions, struct gm_api_task *task)
{
	struct gm_error err;
	struct entry *entry = find(subscriptions, task->arguments[0]);
	if (!entry) {
		gm_api_problem(&task->reply, 404, "there is no such subscription");
	} else if (gm_state_registration_remove(subscriptions->host.state, KIND,
						entry->subscription.id, &err) < 0) {
		gm_api_problem(&task->reply, 503, "%s", err.text);
	} else {
		gm_log(GM_LOG_NOTICE, "api: subscription %s is ended by %s", entry->subscription.id,
		       task->user);
		gm_outputs_remove(subscriptions->host.outputs, entry->file.name);
		DL_DELETE(subscriptions->entries, entry);
		free_entry(entry);
		task->reply.status = 204;
	}
	give_back(subscriptions, task);
}

/* ---- new ones ---- */

/* 0, or `reply` says why not. */
static int check(struct gm_subscriptions *subscriptions, const struct gm_subscription *wanted,
		 struct gm_api_reply *reply)
{
	const struct entry *same = find_equal(subscriptions, wanted);
	const char *forbidden = find_forbidden(subscriptions, &wanted->target);
	if (forbidden) {
		gm_api_problem(reply, 403, "%s is not among those that api.callbacks allows",
			       forbidden);
		return -EACCES;
	}
	if (same) {
		gm_api_problem(reply, 303, "there is such a subscription already");
		snprintf(reply->location, sizeof(reply->location),
			 "%.180s" GM_VNFFM_ROOT "/subscriptions/%s", subscriptions->url,
			 same->subscription.id);
		return -EEXIST;
	}
	if (count(subscriptions) >= GM_SUBSCRIPTIONS_MAX) {
		gm_api_problem(reply, 503, "there are %d subscriptions already",
			       GM_SUBSCRIPTIONS_MAX);
		return -ENOSPC;
	}
	return 0;
}

static int keep(struct gm_subscriptions *subscriptions, const struct entry *entry,
		const struct gm_json *request, struct gm_error *err)
{
	struct gm_buffer record = GM_BUFFER_INIT(RECORD);
	int result = gm_json_write(request, 0, &record);
	if (result < 0 || record.failed)
		result = gm_error_set(err, -ENOMEM, "out of memory");
	else
		result = gm_state_registration_put(subscriptions->host.state, KIND,
						   entry->subscription.id, record.data, err);
	if (record.data)
		explicit_bzero(record.data, record.length);
	gm_buffer_free(&record);
	return result;
}

/* Of what was begun in vain. Takes the entry. */
static void undo(struct gm_subscriptions *subscriptions, struct entry *entry)
{
	struct gm_error err;
	if (gm_state_registration_remove(subscriptions->host.state, KIND, entry->subscription.id,
					 &err) < 0)
		gm_log(GM_LOG_ERROR, "api: subscription %s: %s", entry->subscription.id, err.text);
	DL_DELETE(subscriptions->entries, entry);
	free_entry(entry);
}

/* Takes the entry. */
static void admit(struct gm_subscriptions *subscriptions, struct entry *entry,
		  struct gm_api_task *task)
{
	struct gm_error err;
	char host[GM_CALLBACK_URL];
	gm_api_new_id(entry->subscription.id);
	if (keep(subscriptions, entry, task->body, &err) < 0) {
		gm_api_problem(&task->reply, 503, "%s", err.text);
		free_entry(entry);
		return;
	}
	if (begin(subscriptions, entry) < 0) {
		gm_api_problem(&task->reply, 503, "the subscription cannot be begun: ask again");
		undo(subscriptions, entry);
		return;
	}
	task->reply.status = 201;
	task->reply.body = gm_subscription_show(&entry->subscription, subscriptions->url);
	snprintf(task->reply.location, sizeof(task->reply.location),
		 "%.180s" GM_VNFFM_ROOT "/subscriptions/%s", subscriptions->url,
		 entry->subscription.id);
	gm_log(GM_LOG_NOTICE, "api: subscription %s of %s to %s", entry->subscription.id,
	       task->user, gm_http_url_public(entry->subscription.target.url, host, sizeof(host)));
}

static void end_trial(struct trial *trial)
{
	DL_DELETE(trial->subscriptions->trials, trial);
	gm_callback_free(trial->callback);
	free(trial);
}

/* Meanwhile another may have asked for the same. Takes the entry. */
static void admit_checked(struct gm_subscriptions *subscriptions, struct entry *entry,
			  struct gm_api_task *task)
{
	if (check(subscriptions, &entry->subscription, &task->reply) == 0)
		admit(subscriptions, entry, task);
	else
		free_entry(entry);
}

static void on_tested(void *user, const struct gm_http_response *response)
{
	struct trial *trial = user;
	struct gm_subscriptions *subscriptions = trial->subscriptions;
	struct gm_api_task *task = trial->task;
	if (response->status >= 200 && response->status < 300) {
		admit_checked(subscriptions, trial->entry, task);
	} else {
		if (response->status == 0)
			gm_api_problem(&task->reply, 422, "a test of callbackUri by GET: %s",
				       response->error);
		else
			gm_api_problem(&task->reply, 422,
				       "a test of callbackUri by GET was answered %d",
				       response->status);
		free_entry(trial->entry);
	}
	end_trial(trial);
	give_back(subscriptions, task);
}

/* Takes entry and task when it returns 0. */
static int test(struct gm_subscriptions *subscriptions, struct entry *entry,
		struct gm_api_task *task, struct gm_error *err)
{
	struct trial *trial, *counted;
	size_t number;
	DL_COUNT(subscriptions->trials, counted, number);
	if (number >= GM_SUBSCRIPTIONS_TESTS)
		return gm_error_set(err, -EBUSY, "too many callbacks are being tested: ask again");
	trial = calloc(1, sizeof(*trial));
	if (!trial)
		return gm_error_set(err, -ENOMEM, "out of memory");
	trial->subscriptions = subscriptions;
	trial->task = task;
	trial->entry = entry;
	DL_APPEND(subscriptions->trials, trial);
	int result = gm_callback_create(gm_outputs_http(subscriptions->host.outputs),
					&subscriptions->host.options->callbacks.transport,
					&entry->subscription.target, &trial->callback);
	if (result < 0)
		gm_error_set(err, result, "out of memory");
	else
		result = gm_callback_send(trial->callback, "GET", NULL, on_tested, trial, err);
	if (result < 0)
		end_trial(trial);
	return result;
}

void gm_subscriptions_add(struct gm_subscriptions *subscriptions, struct gm_api_task *task)
{
	struct gm_error err = {.text = "out of memory"};
	struct entry *entry = calloc(1, sizeof(*entry));
	int result =
		entry ? gm_subscription_parse(task->body, &entry->subscription, &err) : -ENOMEM;
	if (result < 0)
		gm_api_problem(&task->reply, result == -ENOMEM ? 503 : 422, "%s", err.text);
	else
		result = check(subscriptions, &entry->subscription, &task->reply);
	if (result == 0 && subscriptions->host.options->callbacks.test) {
		result = test(subscriptions, entry, task, &err);
		if (result == 0)
			return;
		gm_api_problem(&task->reply, 503, "%s", err.text);
	}
	if (result == 0)
		admit(subscriptions, entry, task);
	else if (entry)
		free_entry(entry);
	give_back(subscriptions, task);
}

/* ---- the end ---- */

void gm_subscriptions_stop(struct gm_subscriptions *subscriptions)
{
	while (subscriptions && subscriptions->trials) {
		struct trial *trial = subscriptions->trials;
		struct gm_api_task *task = trial->task;
		gm_api_problem(&task->reply, 503, "the daemon ends");
		free_entry(trial->entry);
		end_trial(trial);
		give_back(subscriptions, task);
	}
}

void gm_subscriptions_free(struct gm_subscriptions *subscriptions)
{
	struct entry *entry, *next;
	if (!subscriptions)
		return;
	DL_FOREACH_SAFE(subscriptions->entries, entry, next)
	{
		free_entry(entry);
	}
	free(subscriptions);
}

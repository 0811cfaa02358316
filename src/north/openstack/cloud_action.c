/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request by Keystone's token, and its answer; see cloud_action.h. Used by nova_action.c, masakari.c
 * and mistral.c.
 */
#include "north/openstack/cloud_action.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "north/openstack/keystone.h"
#include "north/verdict.h"
#include "state/action.h"

struct gm_action {
	const struct gm_cloud_action_kind *kind;
	struct gm_action_host host;
	struct gm_keystone *keystone;
	void *options; /* of the kind */
};

int gm_cloud_action_check(const struct gm_cloud_action_options *options, struct gm_error *err)
{
	struct gm_cloud cloud;
	int rc = gm_http_check(&options->cloud.transport, err);

	if (rc == 0)
		rc = gm_cloud_resolve(&options->cloud, &cloud, err);
	if (rc == 0)
		gm_cloud_forget(&cloud);
	return rc;
}

void gm_cloud_action_files(const void *options, gm_output_file_fn *each, void *user)
{
	const struct gm_cloud_action_options *common = options;

	gm_cloud_files(&common->cloud, each, user);
}

int gm_cloud_action_create(const struct gm_action_ops *ops, const void *options,
			   const struct gm_action_host *host, struct gm_action **ret_action,
			   struct gm_error *err)
{
	const struct gm_cloud_action_kind *kind = (const struct gm_cloud_action_kind *)ops;
	const struct gm_keystone_service service = {.types = kind->service_types,
						    .version = kind->version};
	struct gm_action *action = calloc(1, sizeof(*action));
	void *copy = malloc(kind->options_size);
	int rc = -ENOMEM;

	if (!action || !copy) {
		gm_error_set(err, rc, "out of memory");
		goto failed;
	}
	action->kind = kind;
	action->host = *host;
	action->options = memcpy(copy, options, kind->options_size);
	const struct gm_cloud_action_options *common = copy;
	rc = gm_keystone_create(&common->cloud, &service, host->output.http, &action->keystone,
				err);
	if (rc < 0)
		goto failed;
	*ret_action = action;
	return 0;
failed:
	free(copy);
	free(action);
	return rc;
}

bool gm_cloud_action_name(const struct gm_action *action, const struct gm_alarm *alarm, char *name,
			  size_t size)
{
	return action->kind->name(action->options, alarm, name, size);
}

/* ---- the answer ---- */

/* What the service says of it, in the forms that they have: {"faultstring": …}, {"anything": {"message": …}}. */
static const char *find_message(const struct gm_json *answer)
{
	const char *found = gm_json_get_text(answer, "faultstring"), *key;
	const struct gm_json *value;
	void *iterator = NULL;

	while (!found && gm_json_next(answer, &iterator, &key, &value))
		found = gm_json_get_text(value, "message");
	return found;
}

static const char *find_receipt(const struct gm_cloud_action_kind *kind,
				const struct gm_json *answer)
{
	if (kind->receipt[1])
		answer = gm_json_get(answer, kind->receipt[0]);
	const char *member = kind->receipt[kind->receipt[1] ? 1 : 0];
	return member ? gm_json_get_text(answer, member) : NULL;
}

static enum gm_action_outcome outcome_of(const struct gm_http_response *response,
					 enum gm_verdict_kind kind)
{
	if (kind == GM_VERDICT_DELIVERED)
		return GM_ACTION_TAKEN;
	/* Whether the service has it is not known: done twice would be worse than not at all. */
	if (response->status == 0 ? response->sent
				  : response->status >= 500 && response->status != 503)
		return GM_ACTION_NOT_KNOWN;
	return kind == GM_VERDICT_REFUSED ? GM_ACTION_NOT_TAKEN : GM_ACTION_TRY_AGAIN;
}

static void on_answer(void *user, const struct gm_http_response *response)
{
	struct gm_action *action = user;
	char reason[GM_VERDICT_REASON], text[GM_ACTION_ANSWER];
	struct gm_verdict verdict = gm_verdict_of(response, reason);
	struct gm_json *body = NULL;
	struct gm_action_answer answer = {
		.outcome = outcome_of(response, verdict.kind),
		.retry_after = verdict.retry_after,
		.text = text,
	};

	if (response->length > 0)
		(void)gm_json_parse(response->body, response->length, &body, NULL);
	const char *said =
		response->status < 300 ? find_receipt(action->kind, body) : find_message(body);
	if (response->status != 0 && said)
		snprintf(text, sizeof(text), "%d: %s", response->status, said);
	else if (verdict.reason)
		gm_text_copy(text, sizeof(text), verdict.reason);
	else
		snprintf(text, sizeof(text), "%d", response->status);
	gm_json_free(body);
	if (action->kind->judge)
		action->kind->judge(response->status, &answer);
	action->host.done(action->host.user, &answer);
}

/* ---- the request ---- */

static int send_request(struct gm_action *action, const struct gm_cloud_action_request *request,
			struct gm_error *err)
{
	struct gm_buffer body = GM_BUFFER_INIT(GM_CLOUD_ACTION_BODY);
	int rc = gm_json_write(request->body, 0, &body);

	if (rc < 0) {
		gm_error_set(err, rc, "out of memory");
	} else {
		const struct gm_keystone_request sent = {
			.method = request->method,
			.path = request->path,
			.body = body.data,
			.length = body.length,
			.done = on_answer,
			.user = action,
		};
		rc = gm_keystone_send(action->keystone, &sent, NULL, err);
	}
	gm_buffer_free(&body);
	return rc;
}

void gm_cloud_action_perform(struct gm_action *action, const struct gm_message *message)
{
	struct gm_cloud_action_request request = {.output = action->host.output.name,
						  .method = "POST"};
	struct gm_error err = {.text = ""};

	action->kind->ask(action->options, message, &request);
	int rc = send_request(action, &request, &err);
	gm_json_free(request.body);
	if (rc == 0)
		return;
	const struct gm_action_answer answer = {.outcome = GM_ACTION_TRY_AGAIN, .text = err.text};
	action->host.done(action->host.user, &answer);
}

void gm_cloud_action_tick(struct gm_action *action, int64_t now)
{
	(void)now;
	gm_keystone_tick(action->keystone, gm_clock_monotonic());
}

void gm_cloud_action_close(struct gm_action *action)
{
	gm_keystone_free(action->keystone);
	free(action->options);
	free(action);
}

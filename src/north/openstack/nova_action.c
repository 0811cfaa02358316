/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions on servers by Nova's API (version 2.1, POST /servers/{id}/action); see nova_action.h. Called
 * through its ops.
 */
#include "north/openstack/nova_action.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "north/message.h"
#include "north/openstack/keystone.h"
#include "north/verdict.h"

enum { RECENT = 64, BODY = 256, PATH = 96 };

enum action { LIVE_MIGRATE, SET_ERROR, SET_ACTIVE };

static const char *const actions[] = {"live-migrate", "set-error", "set-active", NULL};

struct options {
	struct gm_cloud_options cloud;
	int action; /* enum action */
	bool dry_run, block_migration;
	int64_t limit, interval, again_after, max_age;
};

static const struct gm_option option_table[] = {
	{.key = "action",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct options, action),
	 .fallback = "live-migrate",
	 .choices = actions,
	 .help = "What is done to the guest: live-migrate lets Nova choose another node; set-error "
		 "and "
		 "set-active set the state that Nova shows."},
	{.key = "dry-run",
	 .type = GM_OPTION_BOOL,
	 GM_OPTION_AT(struct options, dry_run),
	 .fallback = "yes",
	 .help = "Only log what would be done."},
	{.key = "limit",
	 .type = GM_OPTION_INT,
	 GM_OPTION_AT(struct options, limit),
	 .min = 1,
	 .max = RECENT,
	 .fallback = "1",
	 .help = "Actions within limit-interval, on all guests of the node together; what is over "
		 "is "
		 "not done."},
	{.key = "limit-interval",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct options, interval),
	 .min = 1e9,
	 .max = 30 * 86400e9,
	 .fallback = "1h",
	 .help = "The time of limit."},
	{.key = "again-after",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct options, again_after),
	 .min = 1e9,
	 .max = 30 * 86400e9,
	 .fallback = "1h",
	 .help = "How long after an action nothing more is done to the same guest."},
	{.key = "max-age",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct options, max_age),
	 .min = 1e9,
	 .max = 86400e9,
	 .fallback = "1m",
	 .help = "Nothing is done for an alarm that is older, because Nova was away, say."},
	{.key = "block-migration",
	 .type = GM_OPTION_BOOL,
	 GM_OPTION_AT(struct options, block_migration),
	 .fallback = "no",
	 .help = "Migrate the disks as well, where nodes have no storage in common."},
	GM_CLOUD_OPTIONS(struct options, cloud),
	GM_OPTION_END,
};

/* An action that was done, or would have been. */
struct done {
	uint8_t guest[GM_UUID_SIZE];
	int64_t time; /* 0: none */
};

struct gm_output {
	struct options options;
	struct gm_output_host host;
	struct gm_keystone *keystone;
	struct done recent[RECENT];
	uint64_t ticket;
	struct done *current; /* what the call under way is for */
	char guest[GM_UUID_TEXT];
};

static const char *const service_types[] = {"compute", NULL};

static int check(const void *options, struct gm_error *err)
{
	const struct options *nova = options;
	struct gm_cloud cloud;
	int rc = gm_http_check(&nova->cloud.transport, err);

	if (rc == 0)
		rc = gm_cloud_resolve(&nova->cloud, &cloud, err);
	if (rc == 0)
		gm_cloud_forget(&cloud);
	return rc;
}

static int create(const void *options, const struct gm_output_host *host,
		  struct gm_output **ret_output, struct gm_error *err)
{
	const struct gm_keystone_service service = {.types = service_types, .version = "/v2.1"};
	struct gm_output *output = calloc(1, sizeof(*output));

	if (!output)
		return gm_error_set(err, -ENOMEM, "out of memory");
	output->options = *(const struct options *)options;
	output->host = *host;
	int rc = gm_keystone_create(&output->options.cloud, &service, host->http, &output->keystone,
				    err);
	if (rc < 0) {
		free(output);
		return rc;
	}
	*ret_output = output;
	return 0;
}

static void tell(struct gm_output *output, enum gm_verdict_kind kind, const char *reason)
{
	const struct gm_verdict verdict = {.kind = kind, .reason = reason};
	output->host.done(output->host.user, output->ticket, &verdict);
}

/* A place for one action more, or NULL with why there is none. */
static struct done *find_room(struct gm_output *output, const uint8_t guest[GM_UUID_SIZE],
			      int64_t now, const char **ret_why)
{
	const struct options *options = &output->options;
	struct done *oldest = &output->recent[0];
	int64_t count = 0;
	for (size_t i = 0; i < RECENT; i++) {
		struct done *done = &output->recent[i];
		if (done->time < oldest->time)
			oldest = done;
		if (done->time == 0)
			continue;
		if (now - done->time < options->again_after &&
		    memcmp(done->guest, guest, GM_UUID_SIZE) == 0) {
			*ret_why = "again-after is not over";
			return NULL;
		}
		count += now - done->time < options->interval;
	}
	if (count < options->limit)
		return oldest;
	*ret_why = "there were as many as limit allows";
	return NULL;
}

static void make_body(const struct options *options, char body[BODY])
{
	if (options->action == LIVE_MIGRATE)
		snprintf(body, BODY,
			 "{\"os-migrateLive\":{\"host\":null,\"block_migration\":%s,"
			 "\"disk_over_commit\":false}}",
			 options->block_migration ? "true" : "false");
	else
		snprintf(body, BODY, "{\"os-resetState\":{\"state\":\"%s\"}}",
			 options->action == SET_ERROR ? "error" : "active");
}

/* What is certain not to have been done does not count. */
static void on_answer(void *user, const struct gm_http_response *response)
{
	struct gm_output *output = user;
	char reason[GM_VERDICT_REASON];
	struct gm_verdict verdict = gm_verdict_of(response, reason);
	const char *action = actions[output->options.action];
	if (verdict.kind == GM_VERDICT_DELIVERED)
		gm_log(GM_LOG_NOTICE, "output %s: %s of guest %s: taken by Nova", output->host.name,
		       action, output->guest);
	if (verdict.kind == GM_VERDICT_REFUSED)
		gm_log(GM_LOG_WARNING, "output %s: %s of guest %s: %s", output->host.name, action,
		       output->guest, reason);
	/* Whether Nova has it is not known: done twice would be worse than not at all. */
	bool unsure = response->status == 0 ? response->sent
					    : response->status >= 500 && response->status != 503;
	if (unsure) {
		gm_log(GM_LOG_WARNING, "output %s: %s of guest %s may have been taken: %s",
		       output->host.name, action, output->guest, reason);
		verdict = (struct gm_verdict){.kind = GM_VERDICT_DELIVERED};
	}
	if (verdict.kind != GM_VERDICT_DELIVERED)
		output->current->time = 0;
	output->host.done(output->host.user, output->ticket, &verdict);
}

static void act(struct gm_output *output)
{
	char body[BODY], path[PATH];
	struct gm_error err;
	make_body(&output->options, body);
	snprintf(path, sizeof(path), "/v2.1/servers/%s/action", output->guest);
	const struct gm_keystone_request request = {
		.method = "POST",
		.path = path,
		.body = body,
		.length = strlen(body),
		.done = on_answer,
		.user = output,
	};
	if (gm_keystone_send(output->keystone, &request, NULL, &err) < 0) {
		output->current->time = 0;
		tell(output, GM_VERDICT_RETRY, err.text);
	}
}

static void send_message(struct gm_output *output, const struct gm_message *message,
			 uint64_t ticket)
{
	const struct gm_transition *transition = message->transition;
	const struct gm_alarm *alarm = &transition->alarm;
	const char *action = actions[output->options.action], *why = NULL;
	output->ticket = ticket;
	if (transition->kind == GM_TRANSITION_CLEAR || !gm_alarm_has_guest(alarm)) {
		tell(output, GM_VERDICT_DELIVERED, NULL);
		return;
	}
	gm_uuid_text(alarm->guest, output->guest);
	if (message->sent_at - transition->time > output->options.max_age)
		why = "the alarm is older than max-age";
	else
		output->current = find_room(output, alarm->guest, message->sent_at, &why);
	if (why) {
		gm_log(GM_LOG_NOTICE, "output %s: no %s of guest %s for alarm %" PRIu32 ": %s",
		       output->host.name, action, output->guest, alarm->id, why);
		tell(output, GM_VERDICT_DELIVERED, NULL);
		return;
	}
	memcpy(output->current->guest, alarm->guest, GM_UUID_SIZE);
	output->current->time = message->sent_at;
	if (message->attempt == 1)
		gm_log(GM_LOG_NOTICE, "output %s: %s%s of guest %s for alarm %" PRIu32,
		       output->host.name, output->options.dry_run ? "dry-run, it would be: " : "",
		       action, output->guest, alarm->id);
	if (output->options.dry_run)
		tell(output, GM_VERDICT_DELIVERED, NULL);
	else
		act(output);
}

static void close_output(struct gm_output *output)
{
	gm_keystone_free(output->keystone);
	free(output);
}

static void tick(struct gm_output *output, const struct gm_snapshot *snapshot, int64_t now)
{
	(void)snapshot;
	(void)now;
	if (output->keystone && !output->options.dry_run) /* a dry run needs no token */
		gm_keystone_tick(output->keystone, gm_clock_monotonic());
}

const struct gm_output_ops gm_nova_action_output = {
	.type = "nova-action",
	.help = "Actions on a guest by OpenStack's Nova: never more than a log line while dry-run "
		"is on.",
	.options = option_table,
	.options_size = sizeof(struct options),
	.in_flight = 1,
	.check = check,
	.create = create,
	.send = send_message,
	.tick = tick,
	.close = close_output,
};

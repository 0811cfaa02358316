/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output `snmp-inform`: SNMP informs to one receiver, acknowledged by it. The main thread's end;
 * what speaks SNMP is inform.c on the agent thread. One message is in flight at a time, so that the
 * receiver sees sequence numbers in their order.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "base/text.h"
#include "north/mib/inform.h"

enum { VERSION_2C, VERSION_3, ADDRESS = 64, PASSWORD_LEAST = 8 };
static const int64_t GRACE =
	60 * GM_SECOND; /* beyond the timeouts: the agent thread may be held up */

struct options {
	char receiver[ADDRESS];
	int version, level, auth_protocol, priv_protocol;
	char community_file[256], user[64], auth_file[256], priv_file[256];
	int64_t timeout;
};

static const char *const versions[] = {"2c", "3", NULL};
static const char *const levels[] = {"noAuthNoPriv", "authNoPriv", "authPriv", NULL};
static const char *const auth_protocols[] = {"SHA",     "SHA-224", "SHA-256", "SHA-384",
					     "SHA-512", "MD5",     NULL};
static const char *const priv_protocols[] = {"AES", "DES", NULL};

static const struct gm_option option_table[] = {
	{.key = "receiver",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct options, receiver),
	 .fallback = "",
	 .help = "Where the informs go: ADDRESS:PORT or [ADDRESS]:PORT, as numbers."},
	{.key = "version",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct options, version),
	 .fallback = "2c",
	 .help = "The version of SNMP.",
	 .choices = versions},
	{.key = "community-file",
	 .type = GM_OPTION_TEXT,
	 .is_file = true,
	 GM_OPTION_AT(struct options, community_file),
	 .fallback = "",
	 .help = "Version 2c: the file whose first line is the community."},
	{.key = "user",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct options, user),
	 .fallback = "",
	 .help = "Version 3: the user, whom the receiver has to know."},
	{.key = "security-level",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct options, level),
	 .fallback = "authPriv",
	 .help = "Version 3: whether informs are authenticated, and encrypted.",
	 .choices = levels},
	{.key = "auth-protocol",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct options, auth_protocol),
	 .fallback = "SHA-256",
	 .help = "Version 3: how they are authenticated.",
	 .choices = auth_protocols},
	{.key = "auth-file",
	 .type = GM_OPTION_TEXT,
	 .is_file = true,
	 GM_OPTION_AT(struct options, auth_file),
	 .fallback = "",
	 .help = "Version 3: the file whose first line is the password of authentication."},
	{.key = "priv-protocol",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct options, priv_protocol),
	 .fallback = "AES",
	 .help = "Version 3: how they are encrypted.",
	 .choices = priv_protocols},
	{.key = "priv-file",
	 .type = GM_OPTION_TEXT,
	 .is_file = true,
	 GM_OPTION_AT(struct options, priv_file),
	 .fallback = "",
	 .help = "Version 3: the file whose first line is the password of encryption."},
	{.key = "timeout",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct options, timeout),
	 .min = 100e6,
	 .max = 60e9,
	 .fallback = "5s",
	 .help = "How long an inform waits for its acknowledgement."},
	GM_OPTION_END,
};

struct gm_output {
	struct gm_output_host host;
	struct gm_inform_link *link;
	uv_async_t answers;
	bool busy;
	uint64_t ticket;
	int64_t deadline; /* monotonic */
	int64_t timeout;
};

/* ---- options ---- */

/* net-snmp would look names up, and wait for the answer: numbers alone. */
static int parse_receiver(const char *text, char *ret_peer, size_t size, struct gm_error *err)
{
	char address[ADDRESS];
	struct in6_addr ignored;
	bool six = text[0] == '[';
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;
	char *end = NULL;
	long port = colon ? strtol(colon + 1, &end, 10) : 0;
	bool good = colon && length < sizeof(address) && *end == '\0' && port > 0 && port < 65536 &&
		    (!six || (length > 2 && colon[-1] == ']'));
	if (good) {
		snprintf(address, sizeof(address), "%.*s", (int)(six ? length - 2 : length),
			 text + six);
		good = inet_pton(six ? AF_INET6 : AF_INET, address, &ignored) == 1;
	}
	if (!good)
		return gm_error_set(err, -EINVAL,
				    "receiver: needs ADDRESS:PORT or [ADDRESS]:PORT, as numbers");
	snprintf(ret_peer, size, "%s:%s", six ? "udp6" : "udp", text);
	return 0;
}

static int read_secret(const char *option, const char *path, size_t least, char *ret_secret,
		       struct gm_error *err)
{
	if (path[0] == '\0')
		return gm_error_set(err, -EINVAL, "%s: is needed", option);
	int result = gm_secret_read(path, ret_secret, GM_SECRET, err);
	if (result < 0)
		return gm_error_prefix(err, result, "%s", option);
	if (strlen(ret_secret) < least)
		return gm_error_set(err, -EINVAL, "%s: %s: at least %zu characters are needed",
				    option, path, least);
	return 0;
}

static int read_user(const struct options *options, struct gm_inform_settings *settings,
		     struct gm_error *err)
{
	if (options->user[0] == '\0')
		return gm_error_set(err, -EINVAL, "user: version 3 needs one");
	gm_text_copy(settings->name, sizeof(settings->name), options->user);
	settings->level = (enum gm_inform_level)options->level;
	gm_text_copy(settings->auth_protocol, sizeof(settings->auth_protocol),
		     auth_protocols[options->auth_protocol]);
	gm_text_copy(settings->priv_protocol, sizeof(settings->priv_protocol),
		     priv_protocols[options->priv_protocol]);
	int result = 0;
	if (options->level >= GM_INFORM_AUTH)
		result = read_secret("auth-file", options->auth_file, PASSWORD_LEAST,
				     settings->auth_secret, err);
	if (result == 0 && options->level == GM_INFORM_PRIV)
		result = read_secret("priv-file", options->priv_file, PASSWORD_LEAST,
				     settings->priv_secret, err);
	return result;
}

static int read_settings(const struct options *options, struct gm_inform_settings *settings,
			 struct gm_error *err)
{
	memset(settings, 0, sizeof(*settings));
	settings->timeout = options->timeout;
	settings->v3 = options->version == VERSION_3;
	int result = parse_receiver(options->receiver, settings->peer, sizeof(settings->peer), err);
	if (result < 0)
		return result;
	return settings->v3 ? read_user(options, settings, err)
			    : read_secret("community-file", options->community_file, 1,
					  settings->name, err);
}

static int check(const void *options, struct gm_error *err)
{
	struct gm_inform_settings settings;
	int result = read_settings(options, &settings, err);
	gm_secret_forget((char *)&settings, sizeof(settings));
	return result;
}

/* ---- messages ---- */

static void done(struct gm_output *output, const struct gm_inform_answer *answer)
{
	const struct gm_verdict verdict = {
		.kind = answer->kind,
		.reason = answer->kind == GM_VERDICT_DELIVERED ? NULL : answer->reason,
	};
	output->busy = false;
	output->host.done(output->host.user, answer->ticket, &verdict);
}

static void on_answers(uv_async_t *handle)
{
	struct gm_output *output = handle->data;
	struct gm_inform_answer answer;
	if (gm_inform_link_take(output->link, &answer) && output->busy &&
	    answer.ticket == output->ticket)
		done(output, &answer);
}

/* On the agent thread. */
static void wake(void *user)
{
	struct gm_output *output = user;
	uv_async_send(&output->answers);
}

/* The agent is gone for good when the daemon ends: what is not told then is told after the start. */
static bool give(struct gm_output *output, enum gm_inform_kind kind,
		 const struct gm_inform_settings *settings, const struct gm_transition *transition)
{
	struct gm_mib *mib = *output->host.mib;
	struct gm_inform_job *job = mib ? calloc(1, sizeof(*job)) : NULL;
	if (!job)
		return false;
	job->kind = kind;
	job->link = output->link;
	job->ticket = output->ticket;
	if (settings)
		job->settings = *settings;
	if (transition)
		job->transition = *transition;
	gm_mib_inform(mib, job);
	return true;
}

static void give_up(struct gm_output *output, const char *reason)
{
	struct gm_inform_answer answer = {.ticket = output->ticket, .kind = GM_VERDICT_RETRY};
	gm_text_copy(answer.reason, sizeof(answer.reason), reason);
	done(output, &answer);
}

static void send_message(struct gm_output *output, const struct gm_message *message,
			 uint64_t ticket)
{
	output->ticket = ticket;
	output->busy = true;
	output->deadline = gm_clock_monotonic() + 2 * output->timeout + GRACE;
	if (!give(output, GM_INFORM_SEND, NULL, message->transition))
		give_up(output, "the SNMP agent does not run");
}

static void tick(struct gm_output *output, const struct gm_snapshot *snapshot, int64_t now)
{
	(void)snapshot;
	(void)now;
	if (output->busy && gm_clock_monotonic() > output->deadline)
		give_up(output, "the agent thread does not answer");
}

/* ---- life ---- */

static int create(const void *options, const struct gm_output_host *host,
		  struct gm_output **ret_output, struct gm_error *err)
{
	struct gm_inform_settings settings;
	if (!*host->mib)
		return gm_error_set(
			err, -ENOTCONN,
			"snmp-inform needs the SNMP agent: snmp.enabled in the configuration");
	int result = read_settings(options, &settings, err);
	if (result < 0)
		return result;
	struct gm_output *output = calloc(1, sizeof(*output));
	if (output)
		output->link = gm_inform_link_create(wake, output);
	if (!output || !output->link) {
		free(output);
		gm_secret_forget((char *)&settings, sizeof(settings));
		return gm_error_set(err, -ENOMEM, "out of memory");
	}
	output->host = *host;
	output->timeout = settings.timeout;
	uv_async_init(host->loop, &output->answers, on_answers);
	output->answers.data = output;
	if (!give(output, GM_INFORM_OPEN, &settings, NULL))
		gm_inform_link_release(output->link); /* nobody has the agent's reference */
	gm_secret_forget((char *)&settings, sizeof(settings));
	*ret_output = output;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void close_output(struct gm_output *output)
{
	give(output, GM_INFORM_CLOSE, NULL, NULL);
	gm_inform_link_close(output->link);
	uv_close((uv_handle_t *)&output->answers, on_closed);
}

const struct gm_output_ops gm_inform_output_ops = {
	.type = "snmp-inform",
	.help = "SNMP informs that the receiver acknowledges, sent by the daemon itself.",
	.options = option_table,
	.options_size = sizeof(struct options),
	.in_flight = 1,
	.check = check,
	.create = create,
	.send = send_message,
	.tick = tick,
	.close = close_output,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver for Aodh: options, and what happens once a second; see aodh.h. A transition's way is in
 * aodh_job.c, the look through all alarms in aodh_sweep.c.
 */
#include "north/openstack/aodh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "north/openstack/aodh_private.h"

enum { IN_FLIGHT = 8 };

static const char *const owners[] = {"guest", "own", NULL};

static const struct gm_option option_table[] = {
	GM_CLOUD_OPTIONS(struct gm_aodh_options, cloud),
	{.key = "owner",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct gm_aodh_options, owner),
	 .fallback = "guest",
	 .choices = owners,
	 .help = "Whose a new alarm is: the guest's project, where the role allows, or always the "
		 "own one."},
	{.key = "alarm-actions",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_aodh_options, actions),
	 .fallback = "",
	 .help = "URLs that a new alarm gets as its alarm_actions, separated by commas."},
	{.key = "remove-after",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_aodh_options, remove_after),
	 .min = 1e9,
	 .max = 365 * 86400e9,
	 .fallback = "10m",
	 .help = "How long after a guest has gone its alarms are removed."},
	GM_CLOUD_FILE(struct gm_aodh_options, "bus-url-file", bus_url_file,
		      "File whose first line is amqp://USER:PASSWORD@HOST:PORT/VHOST of the "
		      "message bus: alarms are raised by events to aodh-listener, so that their "
		      "actions run. Empty: by the API alone."),
	{.key = "bus-topic",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_aodh_options, bus_topic),
	 .fallback = "alarm.all.sample",
	 .help = "Queue of aodh-listener, its event_alarm_topic and .sample."},
	GM_OPTION_END,
};

static const char *const service_types[] = {"alarming", "alarm", NULL};

/* The URL of the bus; empty where there is none. */
static int read_bus(const struct gm_aodh_options *options, char url[GM_SECRET],
		    struct gm_error *err)
{
	int rc = 0;

	url[0] = '\0';
	if (options->bus_url_file[0] != '\0')
		rc = gm_secret_read(options->bus_url_file, url, GM_SECRET, err);
	if (rc == 0 && url[0] != '\0')
		rc = gm_event_check(url, err);
	return rc < 0 ? gm_error_prefix(err, rc, "bus-url-file") : 0;
}

static int check(const void *options, struct gm_error *err)
{
	const struct gm_aodh_options *aodh = options;
	struct gm_cloud cloud;
	char url[GM_SECRET];
	int rc = gm_http_check(&aodh->cloud.transport, err);

	if (rc == 0)
		rc = gm_cloud_resolve(&aodh->cloud, &cloud, err);
	if (rc == 0)
		gm_cloud_forget(&cloud);
	if (rc == 0)
		rc = read_bus(aodh, url, err);
	gm_secret_forget(url, sizeof(url));
	return rc;
}

static void files(const void *options, gm_output_file_fn *each, void *user)
{
	const struct gm_aodh_options *own = options;

	gm_cloud_files(&own->cloud, each, user);
}

static int create_bus(struct gm_output *output, struct gm_error *err)
{
	char url[GM_SECRET];
	int rc = read_bus(&output->options, url, err);

	if (rc == 0 && url[0] != '\0')
		rc = gm_event_bus_create(output->host.loop, url,
					 output->options.cloud.transport.ca_file,
					 output->options.bus_topic, &output->bus, err);
	gm_secret_forget(url, sizeof(url));
	return rc;
}

static int create(const void *options, const struct gm_output_host *host,
		  struct gm_output **ret_output, struct gm_error *err)
{
	const struct gm_keystone_service service = {.types = service_types, .version = "/v2"};
	struct gm_output *output = calloc(1, sizeof(*output));
	int rc;

	if (!output)
		return gm_error_set(err, -ENOMEM, "out of memory");
	output->options = *(const struct gm_aodh_options *)options;
	output->host = *host;
	if (host->options)
		output->common = *host->options;
	else
		gm_option_defaults(gm_output_option_table, &output->common);
	gm_aodh_prefix(host->node, output->prefix);
	rc = gm_keystone_create(&output->options.cloud, &service, host->http, &output->keystone,
				err);
	if (rc == 0)
		rc = create_bus(output, err);
	if (rc < 0) {
		gm_keystone_free(output->keystone);
		free(output);
		return rc;
	}
	*ret_output = output;
	return 0;
}

static void close_output(struct gm_output *output)
{
	gm_aodh_jobs_free(output);
	gm_aodh_sweep_free(output);
	gm_aodh_known_clear(output);
	gm_keystone_free(output->keystone);
	gm_event_bus_close(output->bus);
	free(output->guests);
	free(output);
}

static void send_message(struct gm_output *output, const struct gm_message *message,
			 uint64_t ticket)
{
	if (gm_aodh_job_start(output, message->transition, message->sent_at, &ticket) < 0)
		output->host.done(
			output->host.user, ticket,
			&(struct gm_verdict){.kind = GM_VERDICT_RETRY, .reason = "out of memory"});
}

/* ---- guests ---- */

static int compare_guests(const void *a, const void *b)
{
	return memcmp(((const struct gm_aodh_guest *)a)->uuid,
		      ((const struct gm_aodh_guest *)b)->uuid, GM_UUID_SIZE);
}

static const struct gm_aodh_guest *find_guest(const struct gm_aodh_guest *guests, size_t count,
					      const uint8_t uuid[GM_UUID_SIZE])
{
	struct gm_aodh_guest key;

	memcpy(key.uuid, uuid, GM_UUID_SIZE);
	return count > 0 ? bsearch(&key, guests, count, sizeof(*guests), compare_guests) : NULL;
}

const char *gm_aodh_project(const struct gm_output *output, const uint8_t uuid[GM_UUID_SIZE])
{
	const struct gm_aodh_guest *guest = find_guest(output->guests, output->guest_count, uuid);

	return guest ? guest->project : "";
}

static void note_guests(struct gm_output *output, const struct gm_snapshot *snapshot, int64_t now)
{
	struct gm_aodh_guest *guests = calloc(snapshot->guest_count + 1, sizeof(*guests));

	if (!guests)
		return;
	for (size_t i = 0; i < snapshot->guest_count; i++) {
		memcpy(guests[i].uuid, snapshot->guests[i].uuid, GM_UUID_SIZE);
		gm_text_copy(guests[i].project, sizeof(guests[i].project),
			     snapshot->guests[i].info.project_uuid);
	}
	qsort(guests, snapshot->guest_count, sizeof(*guests), compare_guests);
	for (size_t i = 0; i < output->guest_count && output->remove_at == 0; i++) {
		if (!find_guest(guests, snapshot->guest_count, output->guests[i].uuid))
			output->remove_at = now + output->options.remove_after;
	}
	if (!output->guests) /* some may have gone while nobody looked */
		output->remove_at = now + output->options.remove_after;
	free(output->guests);
	output->guests = guests;
	output->guest_count = snapshot->guest_count;
}

/* What the outbox gives up Aodh never hears of otherwise. */
static void note_given_up(struct gm_output *output, const struct gm_snapshot *snapshot)
{
	const struct gm_output_row *row = gm_snapshot_output(snapshot, output->host.name);
	uint64_t given_up = row ? row->expired + row->overflowed + row->refused : 0;

	if (given_up > output->given_up)
		gm_aodh_doubt(output, GM_AODH_SWEEP_PAUSE);
	output->given_up = given_up;
}

/*
 * Whether the snapshot and Aodh can be compared: nothing is on its way or waits in the outbox, and what has
 * arrived had arrived before the snapshot was taken.
 */
static bool is_settled(const struct gm_output *output, const struct gm_snapshot *snapshot)
{
	const struct gm_output_row *row = gm_snapshot_output(snapshot, output->host.name);

	return !output->jobs && snapshot->taken_at > output->concluded_at && row &&
	       row->backlog == 0;
}

/* Whether every connection to libvirt answers: only then is it known who is absent. */
static bool libvirt_answers(const struct gm_snapshot *snapshot)
{
	bool answers = false;

	for (size_t i = 0; i < snapshot->source_count; i++) {
		const struct gm_source_status *source = &snapshot->sources[i];

		if (gm_source_uri(source->id) >= 0 && !source->connected)
			return false;
		answers |= gm_source_uri(source->id) >= 0;
	}
	return answers;
}

static void tick(struct gm_output *output, const struct gm_snapshot *snapshot, int64_t unused)
{
	int64_t now = gm_clock_monotonic();
	bool live = libvirt_answers(snapshot);

	(void)unused;
	gm_keystone_tick(output->keystone, now);
	gm_aodh_jobs_tick(output);
	if (live)
		note_guests(output, snapshot, now);
	if (output->sweep) {
		gm_aodh_sweep_tick(output, now);
		return;
	}
	note_given_up(output, snapshot);
	if (!output->reconciled && now >= output->sweep_at) {
		if (!is_settled(output, snapshot))
			return;
		output->sweep_at = now + GM_AODH_SWEEP_PAUSE;
		gm_aodh_sweep_start(output, snapshot, true);
	} else if (output->compared && output->remove_at != 0 && now >= output->remove_at && live) {
		output->remove_at = 0; /* before the first comparison it is not known who is here */
		gm_aodh_sweep_start(output, snapshot, false);
	}
}

/* ---- for the other files ---- */

void gm_aodh_doubt(struct gm_output *output, int64_t pause)
{
	if (output->reconciled)
		output->sweep_at = gm_clock_monotonic() + pause;
	output->reconciled = false;
}

bool gm_aodh_is_limited(const struct gm_output *output)
{
	return gm_clock_monotonic() < output->limited_until;
}

/*
 * Aodh's own words: a 401 of its own says so, while one of the middleware before it is about the token; a 403
 * may be about a quota.
 */
static bool is_about_role(const struct gm_http_response *response)
{
	return (response->status == 401 &&
		strcasestr(response->body, "not authorized to access")) ||
	       (response->status == 403 && !strcasestr(response->body, "quota"));
}

bool gm_aodh_limit(struct gm_output *output, const struct gm_http_response *response)
{
	if (gm_aodh_is_limited(output) || !is_about_role(response))
		return false;
	output->limited_until = gm_clock_monotonic() + GM_AODH_LIMIT;
	if (!output->limit_told)
		gm_log(GM_LOG_NOTICE,
		       "output %s: the role does not allow alarms of other projects; all are of "
		       "its own",
		       output->host.name);
	output->limit_told = true;
	return true;
}

const char *gm_aodh_everywhere(const struct gm_output *output)
{
	return gm_aodh_is_limited(output) || output->options.owner == GM_AODH_OWNER_OWN
		       ? ""
		       : "&q.field=all_projects&q.op=eq&q.value=true";
}

int gm_aodh_request(struct gm_output *output, const char *method, const char *path,
		    const char *text,
		    void (*done)(void *user, const struct gm_http_response *response), void *user,
		    struct gm_keystone_call **ret_call, struct gm_error *err)
{
	return gm_keystone_send(output->keystone,
				&(struct gm_keystone_request){
					.method = method,
					.path = path,
					.body = text,
					.length = text ? strlen(text) : 0,
					.max_response = GM_AODH_ANSWER,
					.done = done,
					.user = user,
				},
				ret_call, err);
}

const struct gm_output_ops gm_aodh_output = {
	.type = "aodh",
	.help = "Event alarms of OpenStack's alarm service, by Keystone v3.",
	.options = option_table,
	.options_size = sizeof(struct gm_aodh_options),
	.in_flight = IN_FLIGHT,
	.check = check,
	.files = files,
	.create = create,
	.send = send_message,
	.tick = tick,
	.close = close_output,
};

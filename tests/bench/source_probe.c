/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs one source by the real runner and prints what it emits, one line each, as it comes: for
 * trials by hand and for functional tests. It is not installed.
 *
 *   source_probe [-t SECONDS] [-q] SOURCE [key=value]...
 *
 * SOURCE is one of the table below; the keys are those of its option table. -q leaves the samples
 * out. Lines start with the node's time in seconds and one of
 * sample, seen, gone, event, status.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "source/host/host.h"
#include "source/libvirt/libvirt.h"
#include "source/runner.h"
#include "source/tap/tap.h"

struct probe {
	bool quiet;
};

static void begin(const char *what)
{
	int64_t now = gm_clock_now();

	printf("%" PRId64 ".%03" PRId64 " %s", now / GM_SECOND, now % GM_SECOND / GM_MILLISECOND,
	       what);
}

static void print_frame(const struct gm_batch *batch, const struct gm_frame *frame)
{
	char text[GM_KEY_TEXT];
	const struct gm_reading *readings = gm_batch_readings(batch, frame);

	begin("sample");
	printf(" %s age=%.3f", gm_entity_text(&frame->key, text),
	       (double)(frame->read_at - frame->measured_at) / 1e9);
	for (size_t i = 0; i < frame->count; i++) {
		const struct gm_metric *metric = gm_metric_get(readings[i].metric);

		if (metric->kind == GM_KIND_COUNTER)
			printf(" %s=%" PRIu64, metric->name, readings[i].value.counter);
		else
			printf(" %s=%.15g", metric->name, readings[i].value.gauge);
	}
	printf("\n");
}

static void on_samples(void *user, struct gm_batch *batch)
{
	const struct probe *probe = user;

	for (size_t i = 0; i < batch->frame_count && !probe->quiet; i++)
		print_frame(batch, &batch->frames[i]);
	fflush(stdout);
	gm_batch_free(batch);
}

static void print_text(const char *name, const char *value)
{
	char quoted[2 * GM_NAME_SIZE];

	if (value[0] == '\0')
		return;
	gm_text_quote(quoted, sizeof(quoted), value);
	printf(" %s=%s", name, quoted);
}

static void print_guest(const struct gm_guest_info *info)
{
	print_text("name", info->name);
	print_text("display_name", info->display_name);
	print_text("project", info->project);
	print_text("project_uuid", info->project_uuid);
	print_text("user_uuid", info->user_uuid);
	print_text("flavor", info->flavor);
	print_text("hypervisor", info->hypervisor);
	printf(" vcpus=%" PRIu32 " memory_max=%" PRIu64, info->vcpus, info->memory_max);
}

static void on_seen(void *user, enum gm_source_id source, const struct gm_entity_info *info)
{
	char text[GM_KEY_TEXT];
	char guest[GM_UUID_TEXT];

	(void)user;
	(void)source;
	begin("seen");
	printf(" %s", gm_entity_text(&info->key, text));
	if (info->key.kind == GM_ENTITY_GUEST) {
		print_guest(&info->guest);
	} else if (info->key.kind == GM_ENTITY_INTERFACE) {
		printf(" guest=%s ordinal=%" PRIu32 " if_index=%" PRIu32,
		       gm_uuid_text(info->interface.guest, guest), info->interface.ordinal,
		       info->interface.if_index);
		print_text("mac", info->interface.mac);
		print_text("port_uuid", info->interface.port_uuid);
		print_text("model", info->interface.model);
	} else if (info->key.kind == GM_ENTITY_DISK) {
		printf(" ordinal=%" PRIu32, info->disk.ordinal);
		print_text("source", info->disk.source);
	}
	printf("\n");
	fflush(stdout);
}

static void on_gone(void *user, enum gm_source_id source, const struct gm_entity_key *key,
		    int64_t time)
{
	char text[GM_KEY_TEXT];

	(void)user;
	(void)source;
	(void)time;
	begin("gone");
	printf(" %s\n", gm_entity_text(key, text));
	fflush(stdout);
}

static void on_event(void *user, const struct gm_guest_event *event)
{
	char text[GM_KEY_TEXT];

	(void)user;
	begin("event");
	printf(" %s %s\n", gm_entity_text(&event->key, text), gm_guest_event_name(event->kind));
	fflush(stdout);
}

static void on_status(void *user, const struct gm_source_status *status)
{
	(void)user;
	begin("status");
	printf(" connected=%d ticks=%" PRIu64 " missed=%" PRIu64 " late=%" PRIu64
	       " failures=%" PRIu64 " reconnects=%" PRIu64
	       " lag_max_ms=%.1f p50_ms=%.2f p99_ms=%.2f entities=%" PRIu32,
	       status->connected, status->ticks, status->missed, status->late, status->failures,
	       status->reconnects, (double)status->lag_max / 1e6,
	       (double)status->duration_p50 / 1e6, (double)status->duration_p99 / 1e6,
	       status->entities);
	print_text("error", status->error);
	printf("\n");
	fflush(stdout);
}

static int set_options(const struct gm_option *table, void *target, char **arguments, int count)
{
	struct gm_error err;

	gm_option_defaults(table, target);
	for (int i = 0; i < count; i++) {
		char *value = strchr(arguments[i], '=');

		if (value)
			*value++ = '\0';
		if (gm_option_set(table, target, arguments[i], value ? value : "", &err) < 0) {
			fprintf(stderr, "source_probe: %s\n", err.text);
			return -1;
		}
	}
	return 0;
}

typedef int (*make_libvirt)(const struct gm_libvirt_options *options, unsigned uri,
			    struct gm_source **source);

static int create_libvirt(bool slow, char **arguments, int count, struct gm_source **ret_source,
			  int64_t *ret_interval)
{
	struct gm_libvirt_options options = {0};
	make_libvirt make = slow ? gm_libvirt_slow_create : gm_libvirt_create;

	if (set_options(gm_libvirt_option_table, &options, arguments, count) < 0)
		return -1;
	*ret_interval = slow ? options.slow_interval : options.interval;
	return make(&options, 0, ret_source);
}

static int create_fast(char **arguments, int count, struct gm_source **source, int64_t *interval)
{
	return create_libvirt(false, arguments, count, source, interval);
}

static int create_slow(char **arguments, int count, struct gm_source **source, int64_t *interval)
{
	return create_libvirt(true, arguments, count, source, interval);
}

static int create_tap(char **arguments, int count, struct gm_source **source, int64_t *interval)
{
	struct gm_tap_options options;

	if (set_options(gm_tap_option_table, &options, arguments, count) < 0)
		return -1;
	*interval = options.interval;
	return gm_tap_create(&options, source);
}

static int create_host(char **arguments, int count, struct gm_source **source, int64_t *interval)
{
	struct gm_host_options options;

	if (set_options(gm_host_option_table, &options, arguments, count) < 0)
		return -1;
	*interval = options.interval;
	return gm_host_create(&options, source);
}

static const struct {
	const char *name;
	int (*create)(char **arguments, int count, struct gm_source **ret_source,
		      int64_t *ret_interval);
} makers[] = {
	{"libvirt", create_fast},
	{"libvirt-slow", create_slow},
	{"tap", create_tap},
	{"host", create_host},
};

static int create(const char *name, char **arguments, int count, struct gm_source **ret_source,
		  int64_t *ret_interval)
{
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		if (strcmp(makers[i].name, name) == 0)
			return makers[i].create(arguments, count, ret_source, ret_interval);
	}
	fprintf(stderr, "source_probe: no such source: %s\n", name);
	return -1;
}

int main(int argc, char **argv)
{
	struct probe probe = {.quiet = false};
	long seconds = 10;
	int option;

	while ((option = getopt(argc, argv, "t:q")) != -1) {
		if (option == 't') {
			seconds = strtol(optarg, NULL, 10);
		} else if (option == 'q') {
			probe.quiet = true;
		} else {
			return 2;
		}
	}
	if (optind >= argc) {
		fprintf(stderr, "usage: source_probe [-t SECONDS] [-q] SOURCE [key=value]...\n");
		return 2;
	}
	struct gm_source *source = NULL;
	struct gm_runner *runner = NULL;
	struct gm_runner_options options = {.phase = 0};
	struct gm_source_sink sink = {.samples = on_samples,
				      .seen = on_seen,
				      .gone = on_gone,
				      .event = on_event,
				      .status = on_status,
				      .user = &probe};
	if (create(argv[optind], argv + optind + 1, argc - optind - 1, &source, &options.interval) <
	    0)
		return 2;
	if (gm_runner_start(source, &options, &sink, &runner) < 0) {
		source->ops->destroy(source);
		return 1;
	}
	nanosleep(&(struct timespec){.tv_sec = seconds}, NULL);
	return gm_runner_stop(runner, 5 * GM_SECOND) < 0 ? 1 : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fast lane on libvirt's test driver, which lives inside this process: inventory, changes,
 * reconnects, events, and names that tenants might think of. The driver's numbers mean nothing, so
 * none is looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "source/libvirt/connection.h"
#include "source/libvirt/events.h"
#include "source/libvirt/libvirt.h"

enum { LOG_MAX = 16384 };

/* What the sink was told, in order. */
struct line {
	enum { SEEN, GONE, EVENT } what;
	struct gm_entity_key key;
	enum gm_guest_event_kind kind;
	char name[GM_NAME_SIZE];
	uint8_t guest[GM_UUID_SIZE];
};

struct log {
	struct line lines[LOG_MAX];
	size_t count;
	size_t frames; /* of the last batch */
	struct gm_source_sink sink;
};

static struct line *next_line(struct log *log)
{
	assert_true(log->count < LOG_MAX);
	return &log->lines[log->count++];
}

static void on_samples(void *user, struct gm_batch *batch)
{
	struct log *log = user;

	assert_int_equal(batch->source, GM_SOURCE_LIBVIRT);
	for (size_t i = 0; i < batch->frame_count; i++)
		assert_true(batch->frames[i].read_at >= batch->frames[i].measured_at);
	log->frames = batch->frame_count;
	gm_batch_free(batch);
}

static void on_seen(void *user, enum gm_source_id source, const struct gm_entity_info *info)
{
	struct line *line;

	assert_int_equal(source, GM_SOURCE_LIBVIRT);
	if (info->key.kind == GM_ENTITY_NODE) { /* who it is asked at, once for each connection */
		assert_string_equal(info->node.hypervisor, "TEST");
		assert_true(info->node.version[0] != '\0');
		return;
	}
	line = next_line(user);
	*line = (struct line){.what = SEEN, .key = info->key};
	if (info->key.kind == GM_ENTITY_GUEST)
		gm_text_copy(line->name, sizeof(line->name), gm_guest_label(&info->guest));
	if (info->key.kind == GM_ENTITY_INTERFACE)
		memcpy(line->guest, info->interface.guest, GM_UUID_SIZE);
}

static void on_gone(void *user, enum gm_source_id source, const struct gm_entity_key *key,
		    int64_t time)
{
	(void)source;
	assert_true(time > 0);
	*next_line(user) = (struct line){.what = GONE, .key = *key};
}

static void on_event(void *user, const struct gm_guest_event *event)
{
	assert_true(event->time > 0);
	*next_line(user) = (struct line){.what = EVENT, .key = event->key, .kind = event->kind};
}

static struct log *log_create(void)
{
	struct log *log = calloc(1, sizeof(*log));

	assert_non_null(log);
	log->sink = (struct gm_source_sink){.samples = on_samples,
					    .seen = on_seen,
					    .gone = on_gone,
					    .event = on_event,
					    .user = log};
	return log;
}

static size_t count_lines(const struct log *log, int what, int kind)
{
	size_t count = 0;

	for (size_t i = 0; i < log->count; i++)
		count += log->lines[i].what == (unsigned)what && log->lines[i].key.kind == kind;
	return count;
}

/* A node for the test driver: a file that begin(), add() and end() write. */
struct node {
	char path[64];
	FILE *file;
	int state; /* of the guests that are added; virDomainState */
};

static void begin(struct node *node)
{
	node->file = fopen(node->path, "w");
	assert_non_null(node->file);
	fprintf(node->file, "<node>\n");
}

static void add(struct node *node, unsigned number, const char *name, const char *display)
{
	fprintf(node->file,
		"<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>"
		"<name>%s</name><uuid>%08x-0000-4000-8000-000000000000</uuid>"
		"<metadata><nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'>"
		"<nova:name>%s</nova:name></nova:instance></metadata>"
		"<memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type>hvm</type></os><devices>"
		"<disk type='file' device='disk'><source file='/none/%u'/><target "
		"dev='vda'/></disk>"
		"<interface type='ethernet'><target dev='tt%u'/></interface>"
		"<memballoon "
		"model='virtio'/></devices><test:runstate>%d</test:runstate></domain>\n",
		name, number, display, number, number, node->state);
}

static void end(struct node *node)
{
	fprintf(node->file, "</node>\n");
	assert_int_equal(fclose(node->file), 0);
}

static void node_create(struct node *node)
{
	snprintf(node->path, sizeof(node->path), "/tmp/gm-node-XXXXXX");
	int fd = mkstemp(node->path);
	assert_true(fd >= 0);
	close(fd);
	node->state = VIR_DOMAIN_RUNNING;
}

static struct gm_source *source_create_with(const char *path, bool tapped, int64_t interval)
{
	struct gm_libvirt_options options = {.tapped = tapped};
	struct gm_source *source = NULL;

	gm_option_defaults(gm_libvirt_option_table, &options);
	options.interval = interval;
	snprintf(options.uri, sizeof(options.uri), "test://%s", path);
	assert_int_equal(gm_libvirt_create(&options, 0, &source), 0);
	return source;
}

static struct gm_source *source_create(const char *path)
{
	return source_create_with(path, false, 100 * GM_MILLISECOND);
}

static uint32_t poll_once(struct gm_source *source, struct log *log)
{
	struct gm_error err = {.text = ""};
	uint32_t entities = UINT32_MAX;

	assert_int_equal(source->ops->poll(source, gm_clock_now(), &log->sink, &entities, &err), 0);
	return entities;
}

/* Polls so rarely that counters are told (dating.h), but where a poll was held up; until there are so many frames. */
static void poll_for(struct gm_source *source, struct log *log, size_t frames)
{
	for (int i = 0; i < 50; i++) {
		nanosleep(&(struct timespec){.tv_nsec = 60 * GM_MILLISECOND}, NULL);
		poll_once(source, log);
		if (log->frames == frames)
			return;
	}
	assert_int_equal(log->frames, frames);
}

/* Polls until `guests` are measured. */
static void poll_until(struct gm_source *source, struct log *log, uint32_t guests)
{
	int64_t deadline = gm_clock_monotonic() + 120 * GM_SECOND;

	while (poll_once(source, log) != guests)
		assert_true(gm_clock_monotonic() < deadline);
}

static void finish(struct gm_source *source, const struct node *node, struct log *log)
{
	source->ops->close(source);
	source->ops->destroy(source);
	unlink(node->path);
	free(log);
}

static void test_options(void **state)
{
	(void)state;
	struct gm_libvirt_options options = {0};

	gm_option_defaults(gm_libvirt_option_table, &options);
	assert_true(options.enabled);
	assert_string_equal(options.uri, "qemu:///system");
	assert_int_equal(options.interval, 100 * GM_MILLISECOND);
	assert_int_equal(options.slow_interval, GM_SECOND);
	assert_int_equal(options.slow_workers, 4);
	assert_int_equal(options.slow_deadline, 2 * GM_SECOND);
	assert_int_equal(options.balloon_period, GM_SECOND);
	assert_int_equal(gm_option_set(gm_libvirt_option_table, &options, "interval", "9ms", NULL),
			 -ERANGE);
	assert_int_equal(
		gm_option_set(gm_libvirt_option_table, &options, "slow-workers", "17", NULL),
		-ERANGE);
	assert_int_equal(
		gm_option_set(gm_libvirt_option_table, &options, "balloon-period", "0", NULL), 0);
}

static void hear_device(struct gm_source *source, const char *name, uint32_t if_index, bool here)
{
	struct gm_entity_info info = {.key = gm_entity_interface(name)};

	info.interface.if_index = if_index;
	source->ops->hear(source, &info, here);
}

/* What the tap sampler reads is not asked for a second time; what it does not read is, each time. */
static void test_interfaces_beside_taps(void **state)
{
	(void)state;
	struct node node;
	struct log *log = log_create();

	node_create(&node);
	begin(&node);
	add(&node, 1, "one", "web-1");
	end(&node);
	struct gm_source *source = source_create_with(node.path, true, 100 * GM_MILLISECOND);
	assert_int_equal(source->ops->open(source, NULL), 0);
	poll_until(source, log, 1);
	for (int i = 0; i < 5; i++) {
		poll_for(source, log, 2); /* the state and the interface */
	}
	hear_device(source, "tt1", 0, true); /* libvirt's own word: nobody samples it */
	poll_for(source, log, 2);
	hear_device(source, "tt1", 17, true);
	for (int i = 0; i < 5; i++) {
		poll_once(source, log);
		assert_int_equal(log->frames, 1);
	}
	hear_device(source, "tt2", 18, true); /* somebody else's */
	hear_device(source, "tt1", 0, false);
	poll_for(source, log, 2);
	finish(source, &node, log);
}

/* Without the tap source nothing that is heard keeps a device from being read. */
static void test_interfaces_without_taps(void **state)
{
	(void)state;
	struct node node;
	struct log *log = log_create();

	node_create(&node);
	begin(&node);
	add(&node, 1, "one", "web-1");
	end(&node);
	struct gm_source *source = source_create(node.path);
	assert_int_equal(source->ops->open(source, NULL), 0);
	poll_until(source, log, 1);
	hear_device(source, "tt1", 17, true);
	poll_for(source, log, 2);
	finish(source, &node, log);
}

/* What follows at once has no interfaces: their counters would tell rates of next to no time. */
static void test_interfaces_at_once(void **state)
{
	(void)state;
	struct node node;
	struct log *log = log_create();

	node_create(&node);
	begin(&node);
	add(&node, 1, "one", "web-1");
	end(&node);
	struct gm_source *source = source_create_with(node.path, false, 2 * GM_SECOND);
	assert_int_equal(source->ops->open(source, NULL), 0);
	poll_until(source, log, 1);
	poll_for(source, log, 2);
	poll_once(source, log);
	assert_int_equal(log->frames, 1); /* the state */
	poll_for(source, log, 2);
	finish(source, &node, log);
}

static void test_inventory(void **state)
{
	(void)state;
	struct node node;
	struct log *log = log_create();

	node_create(&node);
	begin(&node);
	add(&node, 1, "one", "web-1");
	add(&node, 2, "two", "");
	end(&node);
	struct gm_source *source = source_create(node.path);
	assert_int_equal(source->ops->open(source, NULL), 0);
	poll_until(source, log, 2);
	/* The state; an interface only of who was known before, where one poll had no time for both. */
	assert_in_range(log->frames, 2, 3);
	assert_int_equal(count_lines(log, SEEN, GM_ENTITY_GUEST), 2);
	assert_int_equal(count_lines(log, SEEN, GM_ENTITY_INTERFACE), 2);
	assert_int_equal(count_lines(log, SEEN, GM_ENTITY_DISK), 2);
	assert_int_equal(log->count, 6); /* who was there before us has not been started */
	poll_once(source, log);
	assert_int_equal(log->frames, 4);
	assert_int_equal(log->count, 6);
	finish(source, &node, log);
}

static const struct line *find_guest(const struct log *log, const char *name)
{
	for (size_t i = 0; i < log->count; i++) {
		if (log->lines[i].what == SEEN && strcmp(log->lines[i].name, name) == 0)
			return &log->lines[i];
	}
	return NULL;
}

static void test_hostile_names(void **state)
{
	(void)state;
	struct node node;
	struct log *log = log_create();
	char longest[10001];

	memset(longest, 'n', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	node_create(&node);
	begin(&node);
	add(&node, 1, "a&quot;b&apos;c&lt;d&gt;", "");
	add(&node, 2, "two", "line&#10;end&#13;&#9;tab");
	add(&node, 3, "drei-ü-€-𝄞", "");
	add(&node, 4, longest, "");
	add(&node, 5, "%s%n..$(id)", "../../etc");
	end(&node);
	struct gm_source *source = source_create(node.path);
	assert_int_equal(source->ops->open(source, NULL), 0);
	poll_until(source, log, 5);
	assert_non_null(find_guest(log, "a\"b'c<d>"));
	assert_non_null(find_guest(log, "line\nend\r\ttab"));
	assert_non_null(find_guest(log, "drei-ü-€-𝄞"));
	assert_non_null(find_guest(log, "../../etc"));
	longest[GM_NAME_SIZE - 1] = '\0';
	assert_non_null(find_guest(log, longest));
	finish(source, &node, log);
}

static void test_many_guests(void **state)
{
	(void)state;
	enum { MANY = 2000 };
	struct node node;
	struct log *log = log_create();

	node_create(&node);
	begin(&node);
	for (unsigned i = 1; i <= MANY; i++) {
		char name[32];
		snprintf(name, sizeof(name), "guest-%u", i);
		add(&node, i, name, "");
	}
	end(&node);
	struct gm_source *source = source_create(node.path);
	assert_int_equal(source->ops->open(source, NULL), 0);
	poll_until(source, log, MANY);
	assert_int_equal(count_lines(log, SEEN, GM_ENTITY_GUEST), MANY);
	assert_int_equal(log->count, 3 * MANY);
	finish(source, &node, log);
}

/* As after a restart of libvirtd: who is still there is not told again, who is not is gone. */
static void test_reconnect(void **state)
{
	(void)state;
	struct node node;
	struct log *log = log_create();

	node_create(&node);
	begin(&node);
	add(&node, 1, "one", "");
	add(&node, 2, "two", "");
	add(&node, 3, "three", "");
	end(&node);
	struct gm_source *source = source_create(node.path);
	assert_int_equal(source->ops->open(source, NULL), 0);
	poll_until(source, log, 3);
	log->count = 0;
	source->ops->close(source);
	assert_int_equal(log->count, 0);

	begin(&node);
	add(&node, 1, "one", "");
	add(&node, 2, "two", "renamed");
	add(&node, 4, "four", "");
	end(&node);
	assert_int_equal(source->ops->open(source, NULL), 0);
	poll_until(source, log, 3);
	assert_int_equal(count_lines(log, GONE, GM_ENTITY_GUEST), 1);
	assert_int_equal(count_lines(log, GONE, GM_ENTITY_INTERFACE), 1);
	assert_int_equal(count_lines(log, GONE, GM_ENTITY_DISK), 1);
	assert_non_null(find_guest(log, "renamed"));
	assert_non_null(find_guest(log, "four"));
	assert_null(find_guest(log, "one"));
	/* The end, which nobody told while we were away, is told before the guest is gone. */
	assert_int_equal(log->lines[0].what, EVENT);
	assert_int_equal(log->lines[0].kind, GM_GUEST_STOPPED);
	assert_int_equal(log->lines[0].key.uuid[3], 3);
	finish(source, &node, log);
}

/* Nobody told that what had crashed was resumed while we were away. */
static void test_a_crashed_guest_runs_again(void **state)
{
	(void)state;
	struct node node;
	struct log *log = log_create();

	node_create(&node);
	node.state = VIR_DOMAIN_CRASHED;
	begin(&node);
	add(&node, 1, "one", "");
	end(&node);
	struct gm_source *source = source_create(node.path);
	assert_int_equal(source->ops->open(source, NULL), 0);
	poll_until(source, log, 1);
	log->count = 0;
	source->ops->close(source);
	node.state = VIR_DOMAIN_RUNNING;
	begin(&node);
	add(&node, 1, "one", "");
	end(&node);
	assert_int_equal(source->ops->open(source, NULL), 0);
	poll_until(source, log, 1);
	assert_int_equal(log->lines[0].what, EVENT);
	assert_int_equal(log->lines[0].kind, GM_GUEST_RESUMED);
	finish(source, &node, log);
}

/* libvirt prints its errors itself unless it is told not to. */
static void test_no_connection(void **state)
{
	(void)state;
	struct gm_error err = {.text = ""};
	struct gm_libvirt_options options = {0};
	struct gm_source *source;
	char path[] = "/tmp/gm-stderr-XXXXXX";
	int file = mkstemp(path);
	int saved = dup(STDERR_FILENO);

	gm_option_defaults(gm_libvirt_option_table, &options);
	snprintf(options.uri, sizeof(options.uri), "qemu+unix:///system?socket=/nonexistent/sock");
	assert_int_equal(gm_libvirt_create(&options, 0, &source), 0);
	assert_true(file >= 0 && saved >= 0);
	assert_true(dup2(file, STDERR_FILENO) >= 0);
	int rc = source->ops->open(source, &err);
	dup2(saved, STDERR_FILENO);
	assert_true(rc < 0);
	assert_non_null(strstr(err.text, "/nonexistent/sock"));
	assert_int_equal(lseek(file, 0, SEEK_END), 0);
	close(saved);
	close(file);
	unlink(path);
	source->ops->destroy(source);
}

static bool take_within(struct gm_lv_mailbox *mailbox, struct gm_lv_news *news, int64_t patience)
{
	int64_t deadline = gm_clock_monotonic() + patience;

	while (!gm_lv_mailbox_take(mailbox, news)) {
		if (gm_clock_monotonic() >= deadline)
			return false;
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
	return true;
}

static void expect_news(struct gm_lv_mailbox *mailbox, enum gm_guest_event_kind kind)
{
	struct gm_lv_news news;

	assert_true(take_within(mailbox, &news, 10 * GM_SECOND) && news.tell);
	assert_int_equal(news.kind, kind);
	assert_int_equal(news.ended, kind == GM_GUEST_STOPPED);
}

static void test_events(void **state)
{
	(void)state;
	struct gm_lv_mailbox *mailbox;
	struct gm_lv_news news;
	virConnectPtr conn;

	assert_int_equal(gm_lv_mailbox_create(&mailbox), 0);
	assert_int_equal(gm_lv_connect("test:///default", false, &conn, NULL), 0);
	assert_true(gm_lv_mailbox_watch(mailbox, conn));
	virDomainPtr domain = virDomainLookupByName(conn, "test");
	assert_non_null(domain);
	assert_int_equal(virDomainSuspend(domain), 0);
	expect_news(mailbox, GM_GUEST_SUSPENDED);
	assert_int_equal(virDomainResume(domain), 0);
	expect_news(mailbox, GM_GUEST_RESUMED);
	assert_int_equal(
		virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_TITLE, "t", NULL, NULL, 0), 0);
	assert_true(take_within(mailbox, &news, 10 * GM_SECOND));
	assert_true(news.changed && !news.tell);
	assert_int_equal(virDomainDestroy(domain), 0);
	expect_news(mailbox, GM_GUEST_STOPPED);
	assert_int_equal(virDomainCreate(domain), 0);
	expect_news(mailbox, GM_GUEST_STARTED);
	assert_false(gm_lv_mailbox_overflowed(mailbox));
	assert_false(gm_lv_mailbox_closed(mailbox));
	/* Nobody listens any more, while libvirt may still hold the mailbox. */
	gm_lv_mailbox_unwatch(mailbox, conn);
	virDomainSuspend(domain);
	assert_false(take_within(mailbox, &news, 50 * GM_MILLISECOND));
	virDomainFree(domain);
	virConnectClose(conn);
	gm_lv_mailbox_release(mailbox);
}

static void test_lifecycle_kinds(void **state)
{
	(void)state;
	static const struct {
		int event, detail, kind;
	} cases[] = {
		{VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_BOOTED, GM_GUEST_STARTED},
		{VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_MIGRATED, GM_GUEST_MIGRATED},
		{VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_MIGRATED, GM_GUEST_MIGRATED},
		{VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED, GM_GUEST_STOPPED},
		{VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_CRASHED, GM_GUEST_CRASHED},
		{VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_FAILED, GM_GUEST_CRASHED},
		{VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_MIGRATED, GM_GUEST_MIGRATED},
		{VIR_DOMAIN_EVENT_CRASHED, VIR_DOMAIN_EVENT_CRASHED_PANICKED, GM_GUEST_CRASHED},
		{VIR_DOMAIN_EVENT_PMSUSPENDED, 0, GM_GUEST_SUSPENDED},
		{VIR_DOMAIN_EVENT_UNDEFINED, 0, GM_GUEST_UNDEFINED}, /* removed */
	};
	enum gm_guest_event_kind kind;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(gm_lv_lifecycle_kind(cases[i].event, cases[i].detail, &kind));
		assert_int_equal(kind, cases[i].kind);
	}
	assert_false(gm_lv_lifecycle_kind(VIR_DOMAIN_EVENT_DEFINED, 0, &kind));
	assert_false(gm_lv_lifecycle_kind(VIR_DOMAIN_EVENT_UNDEFINED, 1, &kind)); /* renamed */
	assert_false(gm_lv_lifecycle_kind(VIR_DOMAIN_EVENT_SHUTDOWN, 0, &kind));
	assert_false(gm_lv_lifecycle_kind(1000, 0, &kind));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_inventory),
		cmocka_unit_test(test_interfaces_beside_taps),
		cmocka_unit_test(test_interfaces_without_taps),
		cmocka_unit_test(test_interfaces_at_once),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_many_guests),
		cmocka_unit_test(test_reconnect),
		cmocka_unit_test(test_a_crashed_guest_runs_again),
		cmocka_unit_test(test_no_connection),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_lifecycle_kinds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

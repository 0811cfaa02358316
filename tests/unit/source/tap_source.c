/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tap source on real devices in a network namespace of its own: counts, fine frames, a device
 * that comes, is renamed, goes, and patterns. Skipped (77) where no namespace may be made.
 */
#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "netns.h"
#include "source/tap/tap.h"

enum { TOLD_MAX = 256, BATCHES_MAX = 1024 }; /* a slow machine makes more of them */

#define INTERVAL (10 * GM_MILLISECOND)

/* What the sink got, in order. */
struct told {
	bool gone;
	char name[GM_DEVICE_NAME];
	struct gm_interface_info info;
};

struct watch {
	struct gm_source *source;
	struct gm_source_sink sink;
	struct told told[TOLD_MAX];
	int told_count;
	struct gm_batch *batches[BATCHES_MAX];
	int batch_count;
	int64_t next;
	uint32_t entities;
};

static void on_samples(void *user, struct gm_batch *batch)
{
	struct watch *watch = user;

	assert_true(watch->batch_count < BATCHES_MAX);
	assert_int_equal(batch->source, GM_SOURCE_TAP);
	assert_int_equal(batch->lost, 0);
	watch->batches[watch->batch_count++] = batch;
}

static void on_seen(void *user, enum gm_source_id source, const struct gm_entity_info *info)
{
	struct watch *watch = user;
	struct told *told = &watch->told[watch->told_count++];

	assert_true(watch->told_count < TOLD_MAX);
	assert_int_equal(source, GM_SOURCE_TAP);
	assert_int_equal(info->key.kind, GM_ENTITY_INTERFACE);
	*told = (struct told){.info = info->interface};
	memcpy(told->name, info->key.name, sizeof(told->name));
}

static void on_gone(void *user, enum gm_source_id source, const struct gm_entity_key *key,
		    int64_t time)
{
	struct watch *watch = user;
	struct told *told = &watch->told[watch->told_count++];

	assert_true(watch->told_count < TOLD_MAX);
	assert_int_equal(source, GM_SOURCE_TAP);
	assert_true(time > 0);
	*told = (struct told){.gone = true};
	memcpy(told->name, key->name, sizeof(told->name));
}

static void start_with(struct watch *watch, const char *devices, int64_t fold, const char *rates)
{
	struct gm_tap_options options;
	struct gm_error err = {.text = ""};

	*watch = (struct watch){.told_count = 0};
	watch->sink = (struct gm_source_sink){
		.samples = on_samples, .seen = on_seen, .gone = on_gone, .user = watch};
	gm_option_defaults(gm_tap_option_table, &options);
	assert_true(options.enabled);
	assert_int_equal(options.interval, INTERVAL);
	assert_int_equal(options.fold, 100 * GM_MILLISECOND);
	options.fold = fold;
	snprintf(options.devices, sizeof(options.devices), "%s", devices);
	snprintf(options.rates, sizeof(options.rates), "%s", rates);
	assert_int_equal(gm_tap_create(&options, &watch->source), 0);
	assert_int_equal(watch->source->ops->open(watch->source, &err), 0);
	watch->next = gm_clock_monotonic() + INTERVAL;
}

static void start(struct watch *watch, const char *devices, int64_t fold)
{
	start_with(watch, devices, fold, "");
}

static void forget(struct watch *watch)
{
	for (int i = 0; i < watch->batch_count; i++) {
		gm_batch_free(watch->batches[i]);
	}
	watch->batch_count = 0;
	watch->told_count = 0;
}

static void stop(struct watch *watch)
{
	watch->source->ops->close(watch->source);
	watch->source->ops->destroy(watch->source);
	forget(watch);
}

static void ticks(struct watch *watch, int count)
{
	struct gm_error err = {.text = ""};

	for (int i = 0; i < count; i++, watch->next += INTERVAL) {
		struct timespec until = {.tv_sec = watch->next / GM_SECOND,
					 .tv_nsec = watch->next % GM_SECOND};
		int rc;

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		rc = watch->source->ops->poll(watch->source, gm_clock_now(), &watch->sink,
					      &watch->entities, &err);
		if (rc < 0) {
			fail_msg("poll: %s", err.text);
		}
	}
}

static const struct told *find_told(const struct watch *watch, bool gone, const char *name)
{
	for (int i = 0; i < watch->told_count; i++) {
		if (watch->told[i].gone == gone && strcmp(watch->told[i].name, name) == 0) {
			return &watch->told[i];
		}
	}
	return NULL;
}

/* Visits all frames of a device in order. */
struct frames {
	int kept, fine;
	int same;                                  /* of the guest's own view */
	uint64_t rx_bytes, rx_packets, tx_packets; /* the last */
	uint64_t rx_first;                         /* octets of the first */
	double peak;                               /* the highest */
	double speed, rx_limit, tx_limit;          /* the last; -1: not told */
	int64_t first, last;                       /* measured_at */
};

static void take_frame(struct frames *frames, const struct gm_batch *batch,
		       const struct gm_frame *frame)
{
	const struct gm_reading *readings = gm_batch_readings(batch, frame);
	bool fine = (frame->flags & GM_FRAME_FINE) != 0;

	assert_true((frame->flags & GM_FRAME_HOST_VIEW) != 0);
	frames->same += (frame->flags & GM_FRAME_SAME_VIEW) != 0;
	assert_true(frame->measured_at > frames->last);
	assert_true(frame->read_at >= frame->measured_at);
	frames->fine += fine;
	frames->kept += !fine;
	frames->last = frame->measured_at;
	for (int i = 0; i < frame->count; i++) {
		uint64_t counter = readings[i].value.counter;
		double gauge = readings[i].value.gauge;

		switch (readings[i].metric) {
		case GM_METRIC_NET_RX_BYTES:
			if (frames->first == 0) {
				frames->first = frame->measured_at;
				frames->rx_first = counter;
			}
			frames->rx_bytes = counter;
			break;
		case GM_METRIC_NET_RX_PACKETS:
			frames->rx_packets = counter;
			break;
		case GM_METRIC_NET_TX_PACKETS:
			frames->tx_packets = counter;
			break;
		case GM_METRIC_NET_RX_PEAK:
			frames->peak = gauge > frames->peak ? gauge : frames->peak;
			break;
		case GM_METRIC_NET_SPEED:
			frames->speed = gauge;
			break;
		case GM_METRIC_NET_RX_LIMIT:
			frames->rx_limit = gauge;
			break;
		case GM_METRIC_NET_TX_LIMIT:
			frames->tx_limit = gauge;
			break;
		default:
			break;
		}
	}
}

static struct frames frames_of(const struct watch *watch, const char *name)
{
	struct gm_entity_key key = gm_entity_interface(name);
	struct frames frames = {.speed = -1, .rx_limit = -1, .tx_limit = -1};

	for (int b = 0; b < watch->batch_count; b++) {
		const struct gm_batch *batch = watch->batches[b];

		for (size_t f = 0; f < batch->frame_count; f++) {
			if (gm_entity_equal(&batch->frames[f].key, &key)) {
				take_frame(&frames, batch, &batch->frames[f]);
			}
		}
	}
	return frames;
}

static void counts_match_what_was_sent(void **state)
{
	int busy = netns_tap("busy0");
	int idle = netns_tap("idle0");
	struct watch watch;
	struct frames frames;
	const struct told *told;

	(void)state;
	assert_true(busy >= 0 && idle >= 0);
	netns_write(busy, 3, 100); /* before anybody looks */
	start(&watch, "*,!lo", 100 * GM_MILLISECOND);
	ticks(&watch, 13);
	netns_write(busy, 50, 1000);
	ticks(&watch, 2);
	netns_write(busy, 7, 200);
	ticks(&watch, 16);

	told = find_told(&watch, false, "busy0");
	assert_non_null(told);
	assert_true(told->info.if_index > 0);
	assert_int_equal(strlen(told->info.mac), 17);
	assert_int_equal(told->info.guest[0], 0);
	assert_null(find_told(&watch, false, "lo"));
	assert_int_equal(watch.told_count, 2);
	assert_int_equal(watch.entities, 2);

	frames = frames_of(&watch, "busy0");
	assert_int_equal(frames.rx_first, 3 * 100);
	assert_int_equal(frames.rx_bytes, 3 * 100 + 50 * 1000 + 7 * 200);
	assert_int_equal(frames.rx_packets, 60);
	assert_int_equal(frames.tx_packets, 0);
	assert_in_range(frames.kept, 3, 4);
	/* Two movements; each has its own frame and the first one before it. */
	assert_in_range(frames.fine, 2, 4);
	/* 50,000 octets in one bin of about 10 ms. */
	assert_true(frames.peak > 50000 * 8 * 100 * 0.4 && frames.peak < 50000 * 8 * 100 * 2.0);
	assert_true(frames.speed == -1); /* a tap's 10 Mbit/s mean nothing */

	frames = frames_of(&watch, "idle0");
	assert_int_equal(frames.fine, 0);
	assert_in_range(frames.kept, 3, 4);
	assert_int_equal(frames.rx_bytes, 0);
	stop(&watch);
	close(busy);
	close(idle);
}

/* What is sent to a macvtap's address the device itself receives: it is not the cable's other end. */
static void a_macvtap_has_the_guests_view(void **state)
{
	struct gm_entity_info info = {.key = gm_entity_interface("mvt0")};
	struct watch watch;
	struct frames frames;
	int fd;

	(void)state;
	assert_int_equal(netns_ip("link add low0 type veth peer name far0"), 0);
	assert_int_equal(netns_ip("link set far0 up"), 0);
	assert_int_equal(netns_ip("link set low0 up"), 0);
	/* The address that netns_write() sends to. */
	if (netns_ip("link add link low0 name mvt0 address 02:00:00:00:00:01 type macvtap") != 0) {
		netns_ip("link delete low0");
		skip(); /* a kernel without it */
	}
	assert_int_equal(netns_ip("link set mvt0 up"), 0);
	fd = netns_port("far0");
	assert_true(fd >= 0);
	start(&watch, "mvt0,low0", 20 * GM_MILLISECOND);
	info.interface.guest[0] = 1;
	info.interface.rx_limit = 200000000;
	watch.source->ops->hear(watch.source, &info, true);
	ticks(&watch, 4);
	frames = frames_of(&watch, "mvt0");
	assert_true(frames.rx_limit == 200e6 && frames.tx_limit == 0);
	/* What is sent before the links have found each other is lost. */
	for (int i = 0; i < 100 && frames.rx_packets < 50; i++) {
		forget(&watch);
		netns_write(fd, 50, 1000);
		ticks(&watch, 4);
		frames = frames_of(&watch, "mvt0");
	}
	assert_true(frames.rx_packets >= 50 && frames.rx_bytes >= 50 * 1000);
	assert_true(frames.tx_packets < 50); /* the kernel's own multicast */
	assert_int_equal(frames.same, frames.kept + frames.fine);
	assert_int_equal(frames_of(&watch, "low0").same, 0);
	stop(&watch);
	close(fd);
	assert_int_equal(netns_ip("link delete low0"), 0);
}

static void a_device_comes_is_renamed_and_goes(void **state)
{
	struct watch watch;
	int fd;

	(void)state;
	start(&watch, "*,!lo", 50 * GM_MILLISECOND);
	ticks(&watch, 6);
	assert_int_equal(watch.told_count, 0);

	fd = netns_tap("hot0");
	assert_true(fd >= 0);
	netns_write(fd, 5, 100);
	ticks(&watch, 12);
	assert_non_null(find_told(&watch, false, "hot0"));
	assert_int_equal(frames_of(&watch, "hot0").rx_packets, 5);

	forget(&watch);
	assert_int_equal(netns_ip("link set dev hot0 down"), 0);
	assert_int_equal(netns_ip("link set dev hot0 name cold0 up"), 0);
	netns_write(fd, 2, 100);
	ticks(&watch, 12);
	assert_true(watch.told_count >= 2);
	assert_true(watch.told[0].gone);
	assert_string_equal(watch.told[0].name, "hot0");
	assert_non_null(find_told(&watch, false, "cold0"));
	assert_int_equal(frames_of(&watch, "cold0").rx_packets, 7);

	forget(&watch);
	assert_int_equal(netns_ip("link set dev cold0 address 02:00:00:00:00:99"), 0);
	ticks(&watch, 3);
	assert_non_null(find_told(&watch, false, "cold0"));
	assert_null(find_told(&watch, true, "cold0"));
	assert_string_equal(watch.told[0].info.mac, "02:00:00:00:00:99");

	forget(&watch);
	close(fd); /* the tap goes with its last user */
	ticks(&watch, 12);
	assert_non_null(find_told(&watch, true, "cold0"));
	assert_int_equal(watch.told_count, 1);
	forget(&watch);
	ticks(&watch, 12);
	assert_int_equal(watch.batch_count, 0);
	assert_int_equal(watch.entities, 0);
	stop(&watch);
}

static void a_port_that_leaves_its_bridge_stays(void **state)
{
	int fd = netns_tap("port0");
	struct watch watch;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(netns_ip("link add br0 type bridge"), 0);
	start(&watch, "port*", 50 * GM_MILLISECOND);
	ticks(&watch, 6);
	assert_int_equal(netns_ip("link set dev port0 master br0"), 0);
	ticks(&watch, 3);
	assert_int_equal(netns_ip("link set dev port0 nomaster"), 0);
	ticks(&watch, 6);
	assert_null(find_told(&watch, true, "port0"));
	assert_int_equal(watch.entities, 1);
	assert_null(find_told(&watch, false, "br0")); /* not in the patterns */
	/* Renamed to a name that is not wanted, it is gone, and back when it has a wanted one. */
	assert_int_equal(netns_ip("link set dev port0 down"), 0);
	assert_int_equal(netns_ip("link set dev port0 name other0"), 0);
	ticks(&watch, 3);
	assert_non_null(find_told(&watch, true, "port0"));
	assert_int_equal(watch.entities, 0);
	forget(&watch);
	assert_int_equal(netns_ip("link set dev other0 name port9"), 0);
	ticks(&watch, 3);
	assert_non_null(find_told(&watch, false, "port9"));
	assert_int_equal(watch.entities, 1);
	stop(&watch);
	assert_int_equal(netns_ip("link del br0"), 0);
	close(fd);
}

static void what_changed_while_it_was_closed_is_seen(void **state)
{
	int fd = netns_tap("old0");
	struct gm_error err = {.text = ""};
	struct watch watch;

	(void)state;
	assert_true(fd >= 0);
	start(&watch, "*,!lo", 50 * GM_MILLISECOND);
	ticks(&watch, 3);
	watch.source->ops->close(watch.source);
	forget(&watch);
	close(fd);
	fd = netns_tap("new0");
	assert_true(fd >= 0);
	assert_int_equal(watch.source->ops->open(watch.source, &err), 0);
	ticks(&watch, 3);
	assert_int_equal(watch.told_count, 2);
	assert_true(watch.told[0].gone);
	assert_string_equal(watch.told[0].name, "old0");
	assert_string_equal(watch.told[1].name, "new0");
	stop(&watch);
	close(fd);
}

/* More than one datagram of answers, and more notifications at once than a tick takes in. */
static void many_devices(void **state)
{
	enum { MANY = 150 };
	int fds[MANY];
	struct watch watch;
	char name[16];

	(void)state;
	start(&watch, "many*", 100 * GM_MILLISECOND);
	ticks(&watch, 2);
	forget(&watch);
	for (int i = 0; i < MANY; i++) {
		struct gm_error err = {.text = ""};

		snprintf(name, sizeof(name), "many%d", i);
		fds[i] = netns_tap(name);
		assert_true(fds[i] >= 0);
		netns_write(fds[i], i, 60);
		watch.source->ops->poll(watch.source, gm_clock_now(), &watch.sink, &watch.entities,
					&err);
		watch.told_count = 0;
	}
	watch.next = gm_clock_monotonic();
	ticks(&watch, 30);
	assert_int_equal(watch.entities, MANY);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "many%d", i);
		assert_int_equal(frames_of(&watch, name).rx_packets, i);
		close(fds[i]);
	}
	stop(&watch);
}

/* More notifications than their socket has room for: what comes after them is found all the same. */
static void lost_notifications_are_made_up_for(void **state)
{
	int fd = netns_tap("noisy0");
	int control = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq request = {.ifr_name = "noisy0"};
	struct watch watch;

	(void)state;
	assert_true(fd >= 0 && control >= 0);
	start(&watch, "*,!lo", 50 * GM_MILLISECOND);
	ticks(&watch, 3);
	forget(&watch);
	for (int i = 0; i < 6000; i++) {
		request.ifr_mtu = 1400 + i % 2;
		assert_int_equal(ioctl(control, SIOCSIFMTU, &request), 0);
	}
	assert_int_equal(netns_ip("link set dev noisy0 down"), 0);
	assert_int_equal(netns_ip("link set dev noisy0 name quiet0 up"), 0);
	watch.next = gm_clock_monotonic();
	ticks(&watch, 60);
	assert_non_null(find_told(&watch, true, "noisy0"));
	assert_non_null(find_told(&watch, false, "quiet0"));
	assert_int_equal(watch.entities, 1);
	stop(&watch);
	close(control);
	close(fd);
}

/* What libvirt tells of a port's quality of service, some readings later. */
static struct frames limits_of(struct watch *watch, uint8_t guest, uint64_t rx, uint64_t tx)
{
	struct gm_entity_info info = {.key = gm_entity_interface("limited0")};

	info.interface.guest[0] = guest;
	info.interface.rx_limit = rx;
	info.interface.tx_limit = tx;
	forget(watch);
	watch->source->ops->hear(watch->source, &info, true);
	ticks(watch, 12);
	return frames_of(watch, "limited0");
}

static void a_limit_is_the_ports_rate(void **state)
{
	int fd = netns_tap("limited0");
	struct watch watch;
	struct frames frames;

	(void)state;
	assert_true(fd >= 0);
	start(&watch, "limited0", 20 * GM_MILLISECOND);
	ticks(&watch, 5);
	/* The guest receives what the device sends. */
	frames = limits_of(&watch, 1, 200000000, 50000000);
	assert_true(frames.tx_limit == 200e6 && frames.rx_limit == 50e6 && frames.speed == 200e6);
	/* It is no guest's any more. */
	frames = limits_of(&watch, 0, 200000000, 50000000);
	assert_true(frames.tx_limit == 0 && frames.rx_limit == 0 && frames.speed == 0);
	/* What the tap source itself tells of a device comes back like this: it says nothing new. */
	frames = limits_of(&watch, 0, 0, 0);
	assert_true(frames.tx_limit == -1 && frames.rx_limit == -1 && frames.speed == -1);
	frames = limits_of(&watch, 1, 0, 70000000);
	assert_true(frames.tx_limit == 0 && frames.rx_limit == 70e6 && frames.speed == 70e6);
	frames = limits_of(&watch, 1, 0, 0);
	assert_true(frames.tx_limit == 0 && frames.rx_limit == 0 && frames.speed == 0);
	frames = limits_of(&watch, 1, 0, 0);
	assert_true(frames.tx_limit == -1 && frames.rx_limit == -1 && frames.speed == -1);
	stop(&watch);
	close(fd);
}

static void the_operators_word_goes_first(void **state)
{
	int fd = netns_tap("limited0");
	struct watch watch;
	struct frames frames;

	(void)state;
	assert_true(fd >= 0);
	start_with(&watch, "limited0", 20 * GM_MILLISECOND, "limited*=1G");
	frames = limits_of(&watch, 1, 200000000, 50000000);
	assert_true(frames.tx_limit == 0 && frames.rx_limit == 0 && frames.speed == 1e9);
	stop(&watch);
	close(fd);
}

static void fold_is_rounded_up(void **state)
{
	int fd = netns_tap("r0");
	struct watch watch;
	struct frames frames;

	(void)state;
	assert_true(fd >= 0);
	start(&watch, "r0", 35 * GM_MILLISECOND);
	ticks(&watch, 41);
	frames = frames_of(&watch, "r0");
	/* Every fourth tick. */
	assert_in_range(frames.kept, 9, 12);
	assert_in_range((frames.last - frames.first) / (frames.kept - 1), 36 * GM_MILLISECOND,
			48 * GM_MILLISECOND);
	stop(&watch);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_match_what_was_sent),
		cmocka_unit_test(a_macvtap_has_the_guests_view),
		cmocka_unit_test(a_device_comes_is_renamed_and_goes),
		cmocka_unit_test(a_port_that_leaves_its_bridge_stays),
		cmocka_unit_test(what_changed_while_it_was_closed_is_seen),
		cmocka_unit_test(a_limit_is_the_ports_rate),
		cmocka_unit_test(the_operators_word_goes_first),
		cmocka_unit_test(fold_is_rounded_up),
		cmocka_unit_test(many_devices),
		cmocka_unit_test(lost_notifications_are_made_up_for),
	};
	int rc = netns_enter();
	int fd;

	if (rc < 0) {
		printf("SKIP: no network namespace may be made: %s\n", strerror(-rc));
		return NETNS_SKIP;
	}
	fd = netns_tap("probe0");
	if (fd < 0) {
		printf("SKIP: no tap can be made: %s\n", strerror(-fd));
		return NETNS_SKIP;
	}
	close(fd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

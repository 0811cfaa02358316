/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tap source; see tap.h: its cadence within the fold, its readings, and the hand-over. What the
 * bytes mean is tap/netlink.c, which devices there are tap/devices.c, what becomes of their readings
 * tap/fold.c. Run by source/runner.c.
 *
 * When a reading was true: the kernel fills the first datagram of a dump within send(), after it has
 * waited for the lock of the network configuration, and each further one within the recv() of the one
 * before it (net/netlink/af_netlink.c, netlink_dump()). The clock is read as soon as that call is
 * back, so `measured_at` is late by at most the time of filling, about 0.5 µs a device.
 */
#include "source/tap/tap.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "source/tap/arming.h"
#include "source/tap/devices.h"
#include "source/tap/fold.h"
#include "source/tap/limits.h"
#include "source/tap/netlink.h"
#include "source/tap/rates.h"
#include "source/tap/socket.h"
#include "source/tap/speed.h"

enum {
	BUFFER_SIZE = 64 * 1024, /* the kernel fills at most 32 KiB at a time */
	NOTICES_PER_TICK = 64,   /* datagrams; the rest waits for the next tick */
	SPEEDS_PER_FOLD = 4,     /* a driver may take milliseconds to tell */
};

#define SPEED_INTERVAL (10 * GM_SECOND)

struct tap {
	struct gm_source base;
	struct gm_tap_options options;
	struct gm_tap_devices devices;
	int stats_fd; /* dumps */
	int links_fd; /* notifications */
	uint32_t sequence;
	bool list;              /* the devices are to be listed again */
	uint8_t *buffer;        /* BUFFER_SIZE */
	struct gm_batch *batch; /* of the fold that goes on; NULL at its start */

	int64_t grid;        /* monotonic time of slot 0, see next_slot() */
	int64_t slot;        /* ns after the grid's beginning */
	int64_t whole, fold; /* the interval and the fold that it lies in */
	int64_t read_at;     /* monotonic: of the last reading that was not left out */
	int64_t settled;     /* monotonic */
	struct gm_tap_arming arming;
	struct gm_heard *limits; /* told by hear() on other threads */
	uint64_t limits_version; /* when speeds were last asked for because of them */

	/* Of the tick that goes on. */
	int64_t time;      /* when the readings of the next datagram were true */
	bool early, vague; /* that is not known well enough, or too close to the reading before */
	size_t nth;        /* device of the dump */
	bool keep;         /* the tick ends a fold */
	int speeds;
	uint32_t answered;
	int links_rc;
};

static struct tap *to_tap(struct gm_source *source)
{
	return (struct tap *)source;
}

/* The visitor. */

static void on_link(void *user, const struct gm_link *link)
{
	struct tap *tap = user;
	int rc = gm_tap_devices_link(&tap->devices, link);

	if (rc < 0) {
		tap->links_rc = rc;
	}
}

static void on_link_gone(void *user, uint32_t index)
{
	gm_tap_devices_link_gone(&((struct tap *)user)->devices, index);
}

/*
 * Adds what the port's quality of service allows; the guest receives what the device sends, unless both have
 * the same view. A limit that is no more, or that the operator's own word overrules, is told as 0. The
 * faster way's, or 0.
 */
static double add_limits(struct tap *tap, struct gm_tap_device *device, bool overruled)
{
	struct gm_tap_limit limit = gm_tap_limits_find(tap->limits, &device->key);
	bool limited = limit.rx > 0 || limit.tx > 0;
	bool same = (device->view & GM_FRAME_SAME_VIEW) != 0;

	if (overruled) {
		limit = (struct gm_tap_limit){0};
	}
	if (limited || device->limited) {
		gm_batch_gauge(tap->batch, GM_METRIC_NET_TX_LIMIT, same ? limit.tx : limit.rx);
		gm_batch_gauge(tap->batch, GM_METRIC_NET_RX_LIMIT, same ? limit.rx : limit.tx);
	}
	device->limited = limited;
	return limit.rx > limit.tx ? limit.rx : limit.tx;
}

/* Adds the port's rate to the open frame when it is known and it is time for it. */
static void add_speed(struct tap *tap, struct gm_tap_device *device)
{
	int64_t now = tap->speeds > 0 ? gm_clock_monotonic() : 0;
	bool was_limited = device->limited, known;
	double speed, limit;

	if (now < device->speed_due || tap->speeds == 0) {
		return;
	}
	device->speed_due = now + SPEED_INTERVAL;
	known = gm_tap_rates_find(tap->options.rates, device->link.name, &speed);
	limit = add_limits(tap, device, known);
	if (!known && limit > 0) {
		speed = limit;
		known = true;
	} else if (!known && gm_tap_speed_is_real(&device->link)) {
		tap->speeds--;
		known = gm_tap_speed(tap->links_fd, device->link.name, &speed) == 0;
	}
	/* What a limit had set is taken back with it. */
	if (known || was_limited) {
		gm_batch_gauge(tap->batch, GM_METRIC_NET_SPEED, known ? speed : 0);
	}
}

/* Takes the bin that `stats` ends, before the track has it. */
static void watch_level(struct tap *tap, struct gm_tap_device *device,
			const struct gm_link_stats *stats)
{
	const struct gm_tap_track *track = &device->track;
	const struct gm_link_stats *last = &track->last;

	if (track->time == 0 || tap->time <= track->time || stats->rx_bytes < last->rx_bytes ||
	    stats->tx_bytes < last->tx_bytes) {
		return;
	}
	if (gm_tap_level_take(&device->level, stats->rx_bytes - last->rx_bytes,
			      stats->tx_bytes - last->tx_bytes, tap->time - track->time)) {
		gm_tap_arming_excess(&tap->arming, device->index, gm_clock_monotonic());
	}
}

static void on_stats(void *user, const struct gm_link_stats *stats)
{
	struct tap *tap = user;
	struct gm_tap_device *device = gm_tap_devices_nth(&tap->devices, tap->nth++, stats->index);

	/* A device that its notification has not introduced yet has to wait for it. */
	if (device == NULL || !device->announced) {
		return;
	}
	tap->answered++;
	if (tap->vague) {
		return;
	}
	if (tap->options.armed_interval != 0) {
		watch_level(tap, device, stats);
	}
	if (gm_tap_track_reading(&device->track, &device->key, device->view, stats, tap->time,
				 tap->keep, tap->batch)) {
		if (device->link.kind[0] == '\0') { /* hardware */
			gm_batch_counter(tap->batch, GM_METRIC_HW_NET_ERRORS, stats->hardware);
		}
		add_speed(tap, device);
	}
}

static struct gm_netlink_visitor visitor_for(struct tap *tap)
{
	return (struct gm_netlink_visitor){
		.stats = on_stats, .link = on_link, .link_gone = on_link_gone, .user = tap};
}

/* Reading. */

static int64_t tap_pace(const struct gm_source *source)
{
	const struct tap *tap = (const struct tap *)source;

	return tap->arming.count > 0 ? tap->options.armed_interval : tap->options.interval;
}

/*
 * When the readings of a datagram were true is somewhere within the call that filled it. A thread that
 * was held up there for a quarter of the time between two readings would make a bin of a millisecond, in
 * which a single packet is a burst, out of one of ten: such a reading is left out, the next bin is the
 * longer for it.
 */
static bool is_slow(struct tap *tap, int64_t before)
{
	bool slow = gm_clock_monotonic() - before > tap_pace(&tap->base) / 4;

	if (slow) {
		tap->fold = -1; /* the next tick ends the fold */
	}
	return slow;
}

/* The same for one that was held up before the call, so that the reading before it was just now. */
static void note_reading(struct tap *tap)
{
	int64_t now = gm_clock_monotonic();

	tap->early = tap->read_at != 0 && now - tap->read_at < tap_pace(&tap->base) / 2;
	if (tap->early) {
		tap->fold = -1;
	} else {
		tap->read_at = now;
	}
}

/* Sends a dump's request and visits the answers up to its end. */
static int dump(struct tap *tap, size_t (*write_request)(void *request, uint32_t sequence),
		bool *ret_interrupted)
{
	const struct gm_netlink_visitor visitor = visitor_for(tap);
	struct gm_netlink_result result = {.done = false};
	uint8_t request[GM_NETLINK_REQUEST];
	bool interrupted = false;
	int64_t before;
	size_t length;

	tap->nth = 0;
	tap->sequence = tap->sequence == UINT32_MAX ? 1 : tap->sequence + 1;
	length = write_request(request, tap->sequence);
	before = gm_clock_monotonic();
	if (send(tap->stats_fd, request, length, 0) < 0) {
		return -errno;
	}
	tap->time = gm_clock_now();
	tap->vague = tap->early || is_slow(tap, before);
	gm_tap_devices_warm(&tap->devices);
	while (!result.done) {
		ssize_t received;
		int64_t filled;
		bool slow;
		int rc;

		before = gm_clock_monotonic();
		received = gm_tap_socket_receive(tap->stats_fd, tap->buffer, BUFFER_SIZE, 0);
		filled = gm_clock_now();
		slow = is_slow(tap, before);
		if (received < 0) {
			return received == -EAGAIN ? -ETIMEDOUT : (int)received;
		}
		rc = gm_netlink_parse(tap->buffer, (size_t)received, tap->sequence, &visitor,
				      &result);
		if (rc < 0) {
			return rc;
		}
		interrupted = interrupted || result.interrupted;
		tap->time = filled;
		tap->vague = tap->early || slow;
	}
	*ret_interrupted = interrupted;
	return 0;
}

/* Takes in what the kernel has told of links since the last tick. */
static int read_notices(struct tap *tap)
{
	const struct gm_netlink_visitor visitor = visitor_for(tap);

	for (int i = 0; i < NOTICES_PER_TICK; i++) {
		struct gm_netlink_result result;
		ssize_t length = gm_tap_socket_receive(tap->links_fd, tap->buffer, BUFFER_SIZE,
						       MSG_DONTWAIT);
		int rc;

		if (length == -EAGAIN) {
			return 0;
		}
		if (length == -ENOBUFS || length == -EMSGSIZE) {
			tap->list = true; /* some were lost */
			continue;
		}
		if (length < 0) {
			return (int)length;
		}
		rc = gm_netlink_parse(tap->buffer, (size_t)length, 0, &visitor, &result);
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

/* Lists all links; after an interrupted listing nothing is taken for gone, and the next tick lists again. */
static int list_links(struct tap *tap)
{
	bool interrupted;
	int rc;

	gm_tap_devices_listing_begins(&tap->devices);
	rc = dump(tap, gm_netlink_link_request, &interrupted);
	if (rc < 0) {
		return rc;
	}
	if (!interrupted) {
		gm_tap_devices_listing_ends(&tap->devices);
		tap->list = false;
	}
	return 0;
}

static int follow_links(struct tap *tap, int64_t now, const struct gm_source_sink *sink)
{
	int rc;

	tap->links_rc = 0;
	rc = read_notices(tap);
	if (rc == 0 && tap->list) {
		rc = list_links(tap);
	}
	/* What is known so far is told in any case: it is true. */
	gm_tap_devices_settle(&tap->devices, now, sink);
	return rc < 0 ? rc : tap->links_rc;
}

/* The armed ports alone: their requests go in one datagram, each answer comes in its own. */
static int read_armed(struct tap *tap)
{
	const struct gm_netlink_visitor visitor = visitor_for(tap);
	uint8_t requests[GM_TAP_ARMED_MAX * GM_NETLINK_REQUEST];
	size_t length = 0, count = tap->arming.count;
	int64_t before;

	tap->sequence = tap->sequence == UINT32_MAX ? 1 : tap->sequence + 1;
	for (size_t i = 0; i < count; i++) {
		length += gm_netlink_one_request(requests + length, tap->sequence,
						 tap->arming.list[i].index);
	}
	note_reading(tap);
	before = gm_clock_monotonic();
	if (count > 0 && send(tap->stats_fd, requests, length, 0) < 0) {
		return -errno;
	}
	tap->time = gm_clock_now();
	tap->vague = tap->early || is_slow(tap, before);
	tap->nth = SIZE_MAX / 2; /* out of the dump's order */
	for (size_t i = 0; i < count; i++) {
		struct gm_netlink_result result;
		ssize_t received =
			gm_tap_socket_receive(tap->stats_fd, tap->buffer, BUFFER_SIZE, 0);
		int rc;

		if (received < 0) {
			return received == -EAGAIN ? -ETIMEDOUT : (int)received;
		}
		rc = gm_netlink_parse(tap->buffer, (size_t)received, tap->sequence, &visitor,
				      &result);
		if (rc == -EPROTO) {
			return rc;
		} /* any other is the kernel's: that device is gone, as will be told */
	}
	return 0;
}

/*
 * Slots are the points of the runner's grid, as the earliest ticks show it. A tick belongs to the
 * nearest slot and a slot is read once: a tick that comes late and one that follows it at once would
 * otherwise make a bin so short that a single packet looks like line rate. The first slot of an
 * interval is one at which all devices are read, the others are for those that are armed. False:
 * nothing to do.
 */
static bool next_slot(struct tap *tap, bool *ret_all)
{
	int64_t pace = tap_pace(&tap->base);
	int64_t now = gm_clock_monotonic();
	int64_t slot, whole, fold;

	if (tap->grid == 0 || now < tap->grid) {
		tap->grid = now;
	}
	slot = (now - tap->grid + pace / 2) / pace * pace;
	if (slot == tap->slot) {
		return false;
	}
	if (now < tap->grid + slot) {
		tap->grid = now - slot;
	}
	whole = slot / tap->options.interval;
	fold = slot / tap->options.fold;
	*ret_all = whole != tap->whole;
	/* A fold ends with a reading of all ports: in between only those that are armed are read. */
	tap->keep = *ret_all && fold != tap->fold;
	tap->slot = slot;
	tap->whole = whole;
	if (*ret_all) {
		tap->fold = fold;
	}
	return true;
}

/* What is armed at present has been paid for up to now. */
static void settle_arming(struct tap *tap)
{
	int64_t now = gm_clock_monotonic();

	gm_tap_arming_settle(&tap->arming, now, tap->arming.count > 0 ? now - tap->settled : 0);
	tap->settled = now;
}

static int tap_open(struct gm_source *source, struct gm_error *err)
{
	struct tap *tap = to_tap(source);
	int stats_fd = -1, links_fd = -1;
	int rc = gm_tap_socket_open(0, &stats_fd);

	if (rc == 0) {
		rc = gm_tap_socket_open(RTMGRP_LINK, &links_fd);
	}
	if (rc < 0) {
		if (stats_fd >= 0) {
			close(stats_fd);
		}
		return gm_error_set(err, rc, "cannot open a netlink socket: %s", strerror(-rc));
	}
	tap->stats_fd = stats_fd;
	tap->links_fd = links_fd;
	tap->list = true;
	tap->arming.count = 0;
	return 0;
}

static int prepare_batch(struct tap *tap, struct gm_error *err)
{
	if (tap->batch == NULL) {
		tap->batch = gm_batch_create();
		if (tap->batch == NULL) {
			return gm_error_set(err, -ENOMEM, "out of memory");
		}
		tap->batch->source = GM_SOURCE_TAP;
	}
	return 0;
}

static int read_all(struct tap *tap, int64_t now, const struct gm_source_sink *sink,
		    struct gm_error *err)
{
	bool interrupted; /* no matter: each device's reading is whole */
	int rc = follow_links(tap, now, sink);

	if (rc < 0) {
		return gm_error_set(err, rc, "cannot follow the network devices: %s",
				    strerror(-rc));
	}
	tap->answered = 0;
	tap->speeds = SPEEDS_PER_FOLD;
	uint64_t version = gm_heard_version(tap->limits);
	if (tap->keep && version != tap->limits_version) {
		tap->limits_version = version;
		gm_tap_devices_ask_speeds(&tap->devices);
	}
	note_reading(tap);
	rc = dump(tap, gm_netlink_stats_request, &interrupted);
	if (rc < 0) {
		return gm_error_set(err, rc, "cannot read the counters of the network devices: %s",
				    strerror(-rc));
	}
	return 0;
}

static int tap_poll(struct gm_source *source, int64_t now, const struct gm_source_sink *sink,
		    uint32_t *ret_entities, struct gm_error *err)
{
	struct tap *tap = to_tap(source);
	uint32_t answered = tap->answered;
	bool all;
	int rc;

	*ret_entities = answered;
	if (!next_slot(tap, &all)) {
		return 0;
	}
	rc = prepare_batch(tap, err);
	if (rc < 0) {
		return rc;
	}
	if (all) {
		rc = read_all(tap, now, sink, err);
		answered = tap->answered;
	} else {
		rc = read_armed(tap);
		tap->answered = answered;
		if (rc < 0) {
			return gm_error_set(err, rc, "cannot read the counters of armed ports: %s",
					    strerror(-rc));
		}
	}
	if (rc < 0) {
		return rc;
	}
	settle_arming(tap);
	if (tap->keep && tap->batch->frame_count > 0) {
		sink->samples(sink->user, tap->batch);
		tap->batch = NULL;
	}
	*ret_entities = answered;
	return 0;
}

static void tap_close(struct gm_source *source)
{
	struct tap *tap = to_tap(source);

	close(tap->stats_fd);
	close(tap->links_fd);
	tap->stats_fd = tap->links_fd = -1;
}

static void tap_destroy(struct gm_source *source)
{
	struct tap *tap = to_tap(source);

	gm_tap_devices_free(&tap->devices);
	gm_batch_free(tap->batch);
	gm_heard_free(tap->limits);
	free(tap->buffer);
	free(tap);
}

static void tap_hear(struct gm_source *source, const struct gm_entity_info *info, bool here)
{
	gm_tap_limits_hear(to_tap(source)->limits, info, here);
}

static const struct gm_source_ops tap_ops = {
	.id = GM_SOURCE_TAP,
	.open = tap_open,
	.poll = tap_poll,
	.pace = tap_pace,
	.close = tap_close,
	.destroy = tap_destroy,
	.hear = tap_hear,
};

/* A whole part of the interval, 1 ms at least, which is what the runner keeps to; 0: never. */
static int64_t armed_interval_of(const struct gm_tap_options *options)
{
	int64_t wanted =
		options->armed_interval > GM_MILLISECOND ? options->armed_interval : GM_MILLISECOND;
	int64_t parts = options->interval / wanted;

	while (parts > 1 && options->interval % parts != 0) {
		parts--;
	}
	return options->armed_interval != 0 && parts > 1 ? options->interval / parts : 0;
}

int gm_tap_create(const struct gm_tap_options *options, struct gm_source **ret_source)
{
	struct tap *tap = calloc(1, sizeof(*tap));
	int64_t ticks = (options->fold + options->interval - 1) / options->interval;
	int rc;

	if (tap == NULL) {
		return -ENOMEM;
	}
	tap->base.ops = &tap_ops;
	tap->buffer = malloc(BUFFER_SIZE);
	rc = tap->buffer == NULL ? -ENOMEM : gm_tap_limits_create(&tap->limits);
	if (rc < 0) {
		tap_destroy(&tap->base);
		return rc;
	}
	tap->limits_version = gm_heard_version(tap->limits);
	tap->options = *options;
	tap->options.fold = (ticks > 0 ? ticks : 1) * options->interval;
	tap->devices.patterns = tap->options.devices;
	tap->stats_fd = tap->links_fd = -1;
	tap->slot = tap->whole = tap->fold = -1;
	tap->arming.time = options->armed_time;
	tap->arming.share = options->armed_share;
	tap->options.armed_interval = armed_interval_of(options);
	*ret_source = &tap->base;
	return 0;
}

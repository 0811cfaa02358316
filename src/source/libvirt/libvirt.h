/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests through libvirt, on two lanes that share nothing but the sink. Several URIs give several
 * pairs of lanes, which share nothing either: one that is absent or hangs holds up no other.
 *
 * The fast lane (`libvirt`) asks only for what libvirt answers without a guest's help: state and
 * interface counters in one bulk call, identity (Nova metadata 1.1, 1.0 or none) when it is new or
 * changed, events (lifecycle, reboot, devices, balloon). The slow lane (`libvirt-slow`) asks for
 * what goes through the guest's monitor (balloon, vCPU, block) and can hang for as long as the
 * monitor does: it works with a few workers, each with a connection of its own, NOWAIT always; a
 * worker that is past its deadline is left alone until it returns, its late answer dropped and
 * counted. A guest whose monitor does not answer is taken out of the batch and probed alone.
 *
 * Both lanes reconnect by themselves and can start before libvirtd does.
 */
#ifndef GM_SOURCE_LIBVIRT_LIBVIRT_H
#define GM_SOURCE_LIBVIRT_LIBVIRT_H

#include "base/option.h"
#include "source/source.h"

struct gm_libvirt_options {
	bool enabled;
	char uri[1024];        /* the URIs, separated by blanks */
	int64_t interval;      /* fast lane */
	int64_t slow_interval; /* slow lane */
	int64_t slow_workers;
	int64_t slow_deadline;
	int64_t balloon_period;                           /* ns, whole seconds; 0: leave as it is */
	int64_t fresh_guests, fresh_interval, fresh_time; /* suspected guests: fresh.h */
	int64_t dirty_rate;                               /* ns between two measurements; 0: none */
	bool tapped; /* no option of its own: the tap source runs; hear() tells what it samples */
};
extern const struct gm_option gm_libvirt_option_table[];

/* How many URIs there are; 0: the list is no good (up to GM_LIBVIRT_URIS, all different). */
size_t gm_libvirt_uris(const struct gm_libvirt_options *options);

/* Whether the URI at that place, from 0, names another host, whose guests are not this node's. */
bool gm_libvirt_is_remote(const struct gm_libvirt_options *options, unsigned uri);

/* To be called before a lane is started, on the main thread: connection.h says what for. */
void gm_libvirt_prepare(void);

/* The lanes of the URI at that place, from 0. Both 0 or a negative errno. `options` is copied. */
int gm_libvirt_create(const struct gm_libvirt_options *options, unsigned uri,
		      struct gm_source **ret_source);
int gm_libvirt_slow_create(const struct gm_libvirt_options *options, unsigned uri,
			   struct gm_source **ret_source);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests through libvirt, on two lanes that share nothing but the sink.
 *
 * The fast lane (`libvirt`) asks only for what libvirt answers without a guest's help: state and
 * interface counters in one bulk call, identity (Nova metadata 1.1, 1.0 or none) when it is new or
 * changed, events (lifecycle, reboot, devices, balloon). The slow lane (`libvirt-slow`) asks for
 * what goes through the guest's monitor (balloon, vCPU, block) and can hang for as long as the
 * monitor does: it works with a few workers, each with a connection of its own, NOWAIT always; a
 * worker that is past its deadline is left alone until it returns, its late answer dropped and
 * counted.
 *
 * Both lanes reconnect by themselves and can start before libvirtd does.
 */
#ifndef GM_SOURCE_LIBVIRT_LIBVIRT_H
#define GM_SOURCE_LIBVIRT_LIBVIRT_H

#include "base/option.h"
#include "source/source.h"

struct gm_libvirt_options {
	bool enabled;
	char uri[256];
	int64_t interval;      /* fast lane */
	int64_t slow_interval; /* slow lane */
	int64_t slow_workers;
	int64_t slow_deadline;
	int64_t balloon_period; /* ns, whole seconds; 0: leave as it is */
};
extern const struct gm_option gm_libvirt_option_table[];

/* Both 0 or a negative errno. `options` is copied. */
int gm_libvirt_create(const struct gm_libvirt_options *options, struct gm_source **ret_source);
int gm_libvirt_slow_create(const struct gm_libvirt_options *options, struct gm_source **ret_source);

#endif

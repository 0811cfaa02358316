/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host itself, from /proc and /sys: CPU, memory, load, swap, disks; and of each guest the
 * resident memory, CPU time and threads, which need no monitor and no answer of libvirt: a machine's of its
 * qemu process, which is found by the "-uuid" of its command line; a container's of its control group, once
 * libvirt has told who is called so. /proc is searched again once a second.
 * More seldom: errors that the hardware counted, pressure stall information, and processes that the
 * operator names.
 */
#ifndef GM_SOURCE_HOST_HOST_H
#define GM_SOURCE_HOST_HOST_H

#include "base/option.h"
#include "source/source.h"

struct gm_host_options {
	bool enabled;
	int64_t interval;
	int64_t cores_interval;        /* ns; 0: never */
	int64_t proportional_interval; /* ns; 0: never */
	char disks[256];               /* patterns as gm_text_match() */
	char processes[256];           /* patterns of names */
	char proc[256];                /* "/proc"; a test's own tree */
	char sys[256];                 /* "/sys" */
};
extern const struct gm_option gm_host_option_table[];

int gm_host_create(const struct gm_host_options *options, struct gm_source **ret_source);

#endif

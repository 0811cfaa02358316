/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statistics of one guest by libvirt's older calls, under the names of the bulk call: for
 * drivers that have no bulk call. Called by records.c alone.
 */
#ifndef GM_SOURCE_LIBVIRT_SINGLE_H
#define GM_SOURCE_LIBVIRT_SINGLE_H

#include "source/libvirt/records.h"

/*
 * Adds to libvirt's growing array what can be had of `groups` (state, interfaces, balloon, CPU
 * time, number of vCPUs). What cannot be had is left out.
 */
void gm_lv_single_read(virDomainPtr domain, unsigned groups, const uint8_t uuid[GM_UUID_SIZE],
		       const struct gm_lv_scope *scope, virTypedParameterPtr *params, int *count);

/* Adds the state of a guest that is known to run, which saves asking for it. */
void gm_lv_single_running(virTypedParameterPtr *params, int *count);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statistics of one guest by libvirt's older calls, under the names of the bulk call: for
 * drivers that have no bulk call. Called by records.c alone.
 */
#ifndef GM_SOURCE_LIBVIRT_SINGLE_H
#define GM_SOURCE_LIBVIRT_SINGLE_H

#include "source/libvirt/records.h"

/*
 * Adds to the item's growing array what can be had of `groups` (state, interfaces, balloon, CPU
 * time, number of vCPUs). What cannot be had is left out. Of a container one call tells all but the
 * memory that it is meant to have at present: only with _TARGET that is asked for, too.
 */
enum gm_lv_kind { GM_LV_MACHINE, GM_LV_CONTAINER, GM_LV_CONTAINER_TARGET };

void gm_lv_single_read(struct gm_lv_item *item, unsigned groups, enum gm_lv_kind kind,
		       const struct gm_lv_scope *scope);

/* Adds a state that is known, which saves asking for it. */
void gm_lv_single_state(virTypedParameterPtr *params, int *count, int state);

#endif

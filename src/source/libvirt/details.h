/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an inventory asks for beside identities and samples: the hypervisor, whether a guest is persistent
 * and starts with its host, each vCPU's time and the CPUs that it may run on. None of these calls waits
 * for a guest: the drivers answer from what they know.
 */
#ifndef GM_SOURCE_LIBVIRT_DETAILS_H
#define GM_SOURCE_LIBVIRT_DETAILS_H

#include <libvirt/libvirt.h>

#include "model/sample.h"
#include "source/libvirt/records.h"
#include "source/libvirt/stats.h"
#include "source/libvirt/xml.h"

/* The node with the hypervisor's type and version. */
struct gm_entity_info gm_lv_hypervisor(virConnectPtr conn);

/* Fills `persistent` and `autostart`. */
void gm_lv_details_flags(virDomainPtr domain, struct gm_guest_info *guest);

/* Where a guest's vCPUs may run. */
struct gm_lv_pins {
	uint32_t vcpu_count, cpu_count;
	uint64_t (*cpus)[GM_CPU_WORDS]; /* of each vCPU, as in struct gm_note */
};

/* Fills the list's `pins`, for guests whose driver knows them. */
void gm_lv_pins_read(virConnectPtr conn, struct gm_lv_record_list *list);
void gm_lv_pins_free(struct gm_lv_pins *pins); /* NULL-safe */

/* Notes of each vCPU of the record, and of `pins` (may be NULL). */
void gm_lv_details_notes(const struct gm_lv_record *record, const struct gm_lv_pins *pins,
			 struct gm_batch *batch);

#endif

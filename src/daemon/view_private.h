/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of view.c share: a snapshot that is being built. Included by view*.c alone.
 */
#ifndef GM_DAEMON_VIEW_PRIVATE_H
#define GM_DAEMON_VIEW_PRIVATE_H

#include "daemon/view.h"

struct gm_view {
	const struct gm_view_input *input;
	struct gm_snapshot *snapshot;
	bool failed; /* there was no memory for a part of it */
};

/* Room for rows that lives as long as the snapshot; NULL marks the view as failed. */
void *gm_view_take(struct gm_view *view, size_t count, size_t size);

struct gm_last_set gm_view_last(struct gm_view *view, const struct gm_tracked *tracked);
size_t gm_view_count(const struct gm_view *view, enum gm_entity_kind kind);

/*
 * Where an entity stands in the tables, beside its guest's index. The node itself is at 0.0; the host's
 * devices have no number but the kernel's. False: it has no place (yet).
 */
bool gm_view_place(const struct gm_tracked *tracked, uint32_t *ret_ordinal);

/* The order of a table's indexes: by the guest's, then by a number within it. Below, at or above 0. */
int gm_view_order(uint32_t guest, uint32_t number, uint32_t other_guest, uint32_t other_number);

/* The parts. */
void gm_view_findings(struct gm_view *view); /* view_findings.c: leaks, bursts, anomalies, errors */
void gm_view_processes(struct gm_view *view); /* view_findings.c */
void gm_view_inventory(struct gm_view *view); /* view_inventory.c: host, disks, vCPUs, ports */
void gm_view_bursts(struct gm_view *view);    /* view_bursts.c: what is counted of bursts */
void gm_view_windows(struct gm_view *view);   /* view_windows.c */
void gm_view_managed(struct gm_view *view);   /* view_managed.c: thresholds, guests' detectors */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tenant may see of a snapshot: the rows of its guests and its alarms, of every table, as a snapshot
 * of its own. What is said there of others (whose ports burst at the same time) is left out, and tables of
 * the node are no part of a tenant's modules (tree.h). Pure.
 */
#ifndef GM_NORTH_MIB_SCOPE_H
#define GM_NORTH_MIB_SCOPE_H

#include "model/snapshot.h"

/*
 * Its rows point into `whole`, which has to stay as long as it is used; ended by gm_snapshot_destroy().
 * NULL: out of memory.
 */
struct gm_snapshot *gm_mib_scope(const struct gm_snapshot *whole, const char *tenant);

#endif

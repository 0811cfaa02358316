/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of guests' states as VM-MIB notifies them, found by comparing snapshots: a change that lasts for
 * less than the time between two of them is not told. Pure; vm_trap.c sends what this finds.
 */
#ifndef GM_NORTH_MIB_MACHINES_H
#define GM_NORTH_MIB_MACHINES_H

#include "model/snapshot.h"

/* vmNotifications; the bulk ones have numbers that are 10 higher. */
enum gm_machine_event {
	GM_MACHINE_RUNNING = 1,
	GM_MACHINE_SHUTTINGDOWN,
	GM_MACHINE_SHUTDOWN,
	GM_MACHINE_PAUSED,
	GM_MACHINE_SUSPENDING,
	GM_MACHINE_SUSPENDED,
	GM_MACHINE_RESUMING,
	GM_MACHINE_MIGRATING,
	GM_MACHINE_CRASHED,
	GM_MACHINE_DELETED,
	GM_MACHINE_EVENTS,
};

struct gm_machine {
	uint32_t index;
	uint8_t uuid[GM_UUID_SIZE];
	char name[GM_NAME_SIZE];
	uint8_t state;      /* VirtualMachineOperState */
	uint8_t persistent; /* enum gm_known */
	int64_t since;      /* new, and not told of yet: when it was first seen; else 0 */
};

struct gm_machines;
struct gm_machines *gm_machines_create(void); /* NULL: out of memory */
void gm_machines_free(struct gm_machines *machines);

/* `machine->state` is the one before the change. */
typedef void gm_machine_fn(void *user, enum gm_machine_event event,
			   const struct gm_machine *machine);

/*
 * Compares with the snapshot before and calls `tell` for each change, by index. Guests that were there
 * before the daemon are no change. -ENOMEM: nothing was told, the next call does it.
 */
int gm_machines_compare(struct gm_machines *machines, const struct gm_snapshot *snapshot,
			gm_machine_fn *tell, void *user);

#endif

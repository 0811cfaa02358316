/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See machines.h. Both lists are sorted by index, so that one pass finds who is new, gone or changed.
 */
#include "north/mib/machines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "north/mib/cells.h"

enum { UNKNOWN = 1, SHUTDOWN = 11 }; /* VirtualMachineOperState */

/* How long to wait for the time at which a new guest was started; until when guests are old ones. */
static const int64_t PATIENCE = 2 * GM_SECOND;
static const int64_t BEGINNING = 15 * GM_SECOND;

struct gm_machines {
	struct gm_machine *list;
	size_t count;
};

struct telling {
	gm_machine_fn *tell;
	void *user;
};

struct gm_machines *gm_machines_create(void)
{
	return calloc(1, sizeof(struct gm_machines));
}

void gm_machines_free(struct gm_machines *machines)
{
	if (!machines)
		return;
	free(machines->list);
	free(machines);
}

/* By the state that was entered; 0: no notification says that. */
static enum gm_machine_event event_of(uint8_t state)
{
	static const uint8_t events[] = {
		[4] = GM_MACHINE_RUNNING,       [5] = GM_MACHINE_SUSPENDING,
		[6] = GM_MACHINE_SUSPENDED,     [7] = GM_MACHINE_RESUMING,
		[8] = GM_MACHINE_PAUSED,        [9] = GM_MACHINE_MIGRATING,
		[10] = GM_MACHINE_SHUTTINGDOWN, [11] = GM_MACHINE_SHUTDOWN,
		[12] = GM_MACHINE_CRASHED,
	};
	return state < sizeof(events) ? events[state] : 0;
}

static void enter(struct gm_machine *machine, uint8_t state, const struct telling *telling)
{
	if (state == machine->state || state == UNKNOWN)
		return;
	enum gm_machine_event event = event_of(state);
	if (event)
		telling->tell(telling->user, event, machine);
	machine->state = state;
}

static void leave(struct gm_machine *machine, const struct telling *telling)
{
	if (machine->since != 0)
		return; /* nobody was told that it came */
	enter(machine, SHUTDOWN, telling);
	telling->tell(telling->user, GM_MACHINE_DELETED, machine);
}

static struct gm_machine arrival(const struct gm_guest_row *guest, int64_t now)
{
	struct gm_machine machine = {.index = guest->index,
				     .state = SHUTDOWN,
				     .persistent = guest->info.persistent,
				     .since = now};
	memcpy(machine.uuid, guest->uuid, sizeof(machine.uuid));
	memcpy(machine.name, guest->info.name, sizeof(machine.name));
	return machine;
}

/* Whether a guest that was not there before has been running since before the daemon. */
static bool is_old(const struct gm_guest_row *guest, const struct gm_snapshot *snapshot)
{
	if (guest->started_at != 0)
		return guest->started_at < snapshot->agent.started_at;
	return snapshot->taken_at - snapshot->agent.started_at < BEGINNING;
}

static void update(struct gm_machine *machine, const struct gm_guest_row *guest,
		   const struct gm_snapshot *snapshot, const struct telling *telling)
{
	uint8_t state = gm_vm_oper_state(&guest->last);
	int64_t now = snapshot->taken_at;
	machine->persistent = guest->info.persistent;
	memcpy(machine->name, guest->info.name, sizeof(machine->name));
	if (machine->since != 0) {
		bool waits = state == UNKNOWN ||
			     (guest->started_at == 0 && now - machine->since < PATIENCE);
		if (waits)
			return;
		machine->since = 0;
		if (is_old(guest, snapshot))
			machine->state = state;
	}
	enter(machine, state, telling);
}

int gm_machines_compare(struct gm_machines *machines, const struct gm_snapshot *snapshot,
			gm_machine_fn *tell, void *user)
{
	const struct telling telling = {tell, user};
	struct gm_machine *list = calloc(snapshot->guest_count + 1, sizeof(*list));
	size_t count = 0, known = 0;
	if (!list)
		return -ENOMEM;
	for (size_t g = 0; g < snapshot->guest_count; g++) {
		const struct gm_guest_row *guest = &snapshot->guests[g];
		while (known < machines->count && machines->list[known].index < guest->index)
			leave(&machines->list[known++], &telling);
		struct gm_machine *machine = &list[count++];
		*machine = arrival(guest, snapshot->taken_at);
		if (known < machines->count && machines->list[known].index == guest->index) {
			struct gm_machine *before = &machines->list[known++];
			if (memcmp(before->uuid, guest->uuid, sizeof(before->uuid)) == 0)
				*machine = *before;
			else
				leave(before, &telling);
		}
		update(machine, guest, snapshot, &telling);
	}
	while (known < machines->count)
		leave(&machines->list[known++], &telling);
	free(machines->list);
	machines->list = list;
	machines->count = count;
	return 0;
}

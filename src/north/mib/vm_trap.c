/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VM-MIB's notifications: a list of what machines.c found, sent one at a time between those of trap.c and
 * like them: each is sent again only when its session ended before the master acknowledged it. It is
 * bounded: when the master is away for long, the oldest are lost and counted in the log.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "north/mib/agent.h"
#include "north/mib/machines.h"

static const int64_t INTERVAL = GM_SECOND / 4;
static const int64_t RETRY = GM_SECOND;
enum { LIST_MAX = 1024, BULK = 10, LIST_OCTETS = 512 };

/* A machine, or those of a bulk notification as VirtualMachineList has them. */
struct item {
	struct item *next;
	unsigned number;
	struct gm_machine machine;
	uint8_t list[LIST_OCTETS];
	size_t length;
};

struct gm_vm_trap {
	struct gm_machines *machines;
	const struct gm_snapshot *seen; /* not held: its address alone */
	int64_t look_at, send_at;
	struct item *first, *last;
	size_t count;
	int in_flight;
	struct item *bulk[GM_MACHINE_EVENTS]; /* of the comparison that goes on */
};

static void push(struct gm_vm_trap *trap, struct item *item)
{
	if (trap->count == LIST_MAX) {
		struct item *oldest = trap->first;
		/* The one in flight is not known to be lost. */
		struct item **at = trap->in_flight ? &oldest->next : &trap->first;
		oldest = *at;
		*at = oldest->next;
		trap->count--;
		free(oldest);
		gm_log(GM_LOG_WARNING, "mib: a notification of a machine's state is lost");
	}
	if (trap->first)
		trap->last->next = item;
	else
		trap->first = item;
	trap->last = item;
	trap->count++;
}

static void add_to_bulk(struct gm_vm_trap *trap, enum gm_machine_event event, uint32_t index)
{
	struct item *item = trap->bulk[event];
	size_t octet = (index - 1) / 8;
	if (octet >= LIST_OCTETS)
		return;
	if (!item)
		item = trap->bulk[event] = calloc(1, sizeof(*item));
	if (!item)
		return;
	item->number = event + BULK;
	item->list[octet] |= (uint8_t)(0x80 >> (index - 1) % 8);
	if (octet >= item->length)
		item->length = octet + 1;
}

static void on_change(void *user, enum gm_machine_event event, const struct gm_machine *machine)
{
	struct gm_mib *mib = user;
	if (mib->options.vm_bulk_notifications)
		add_to_bulk(mib->vm_trap, event, machine->index);
	if (!mib->options.vm_notifications)
		return;
	struct item *item = calloc(1, sizeof(*item));
	if (!item)
		return;
	item->number = event;
	item->machine = *machine;
	push(mib->vm_trap, item);
}

static void look(struct gm_mib *mib, int64_t now)
{
	struct gm_vm_trap *trap = mib->vm_trap;
	const struct gm_snapshot *snapshot = gm_snapshot_acquire(mib->slot);
	trap->look_at = now + INTERVAL;
	if (snapshot && snapshot != trap->seen)
		gm_machines_compare(trap->machines, snapshot, on_change, mib);
	trap->seen = snapshot;
	if (snapshot)
		gm_snapshot_release(mib->slot, snapshot);
	for (size_t event = 0; event < GM_MACHINE_EVENTS; event++) {
		if (trap->bulk[event])
			push(trap, trap->bulk[event]);
		trap->bulk[event] = NULL;
	}
}

static int on_answer(int operation, netsnmp_session *session, int id, netsnmp_pdu *pdu, void *user)
{
	struct gm_mib *mib = user;
	struct gm_vm_trap *trap = mib->vm_trap;
	if (session != mib->session || id != mib->in_flight || id != trap->in_flight)
		return 1;
	mib->in_flight = trap->in_flight = 0;
	if (operation != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE) {
		trap->send_at = gm_clock_monotonic() + RETRY;
		return 1;
	}
	if (pdu->errstat != SNMP_ERR_NOERROR)
		gm_log(GM_LOG_ERROR, "mib: the master agent refuses a notification (%ld); skipped",
		       pdu->errstat);
	struct item *item = trap->first;
	trap->first = item->next;
	trap->count--;
	free(item);
	return 1;
}

/* A variable below VM-MIB's root. */
static void add(netsnmp_pdu *pdu, const uint32_t *id, size_t id_length, u_char type,
		const void *data, size_t length)
{
	oid name[MAX_OID_LEN];
	size_t name_length = gm_mib_root(&gm_mib_modules[GM_MIB_VM], name);
	for (size_t i = 0; i < id_length; i++)
		name[name_length++] = id[i];
	snmp_pdu_add_variable(pdu, name, name_length, type, data, length);
}

static void add_column(netsnmp_pdu *pdu, const struct item *item, uint32_t column, u_char type,
		       const void *data, size_t length)
{
	const uint32_t id[] = {1, 4, 1, column, item->machine.index};
	add(pdu, id, 5, type, data, length);
}

static void add_variables(netsnmp_pdu *pdu, const struct item *item)
{
	static const uint32_t affected[] = {1, 11, 0};
	const struct gm_machine *machine = &item->machine;
	if (item->number > BULK) {
		add(pdu, affected, 3, ASN_OCTET_STR, item->list, item->length);
		return;
	}
	long state = machine->state, persistent = machine->persistent + 1L;
	add_column(pdu, item, 2, ASN_OCTET_STR, machine->name, strlen(machine->name));
	add_column(pdu, item, 3, ASN_OCTET_STR, machine->uuid, sizeof(machine->uuid));
	add_column(pdu, item, 6, ASN_INTEGER, &state, sizeof(state));
	if (item->number == GM_MACHINE_DELETED)
		add_column(pdu, item, 8, ASN_INTEGER, &persistent, sizeof(persistent));
}

static void send_first(struct gm_mib *mib, int64_t now)
{
	struct gm_vm_trap *trap = mib->vm_trap;
	netsnmp_pdu *pdu = gm_mib_notify_pdu(mib->session, GM_MIB_VM, trap->first->number);
	if (!pdu)
		return;
	add_variables(pdu, trap->first);
	trap->in_flight = mib->in_flight = snmp_async_send(mib->session, pdu, on_answer, mib);
	if (!mib->in_flight) {
		snmp_free_pdu(pdu);
		trap->send_at = now + RETRY;
	}
}

int gm_mib_vm_trap_create(struct gm_mib *mib)
{
	if (!mib->options.vm_notifications && !mib->options.vm_bulk_notifications)
		return 0;
	mib->vm_trap = calloc(1, sizeof(*mib->vm_trap));
	if (mib->vm_trap)
		mib->vm_trap->machines = gm_machines_create();
	return mib->vm_trap && mib->vm_trap->machines ? 0 : -ENOMEM;
}

void gm_mib_vm_trap_free(struct gm_mib *mib)
{
	struct gm_vm_trap *trap = mib->vm_trap;
	if (!trap)
		return;
	while (trap->first) {
		struct item *next = trap->first->next;
		free(trap->first);
		trap->first = next;
	}
	gm_machines_free(trap->machines);
	free(trap);
	mib->vm_trap = NULL;
}

void gm_mib_vm_trap_tick(struct gm_mib *mib, int64_t now)
{
	struct gm_vm_trap *trap = mib->vm_trap;
	if (!trap)
		return;
	if (mib->in_flight != trap->in_flight)
		trap->in_flight = 0; /* its session ended */
	if (now >= trap->look_at)
		look(mib, now);
	if (mib->session && trap->first && !mib->in_flight && now >= trap->send_at)
		send_first(mib, now);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notifications, exactly once as far as the master tells: one Notify at a time, each sent again only
 * when its session ended before the master acknowledged it. There is no timeout: a master that is
 * frozen or slow finds the Notify in its socket when it goes on, and a second one would be a second
 * trap. (A master killed between its trap and its acknowledgement leaves it open which happened; then
 * the notification is sent again, and its sequence number tells.)
 *
 * The library's own send_v2trap() neither waits for the acknowledgement nor tells of it.
 */
#include "north/mib/agent.h"
#include "north/mib/notify.h"

static const int64_t RETRY = GM_SECOND;
enum {
	FOREVER = 10 * 365 * 86400, /* s */
	REFUSALS = 3,
};

void gm_mib_trap_lost_session(struct gm_mib *mib)
{
	mib->in_flight = 0;
}

/* The master has it, or will never take it. */
static void finished(struct gm_mib *mib, bool accepted)
{
	mib->refusals = 0;
	mib->status.notifications += accepted;
	mib->status_changed = true;
	if (!mib->current) {
		mib->status.tests += accepted && mib->agent_event == GM_MIB_TEST;
		mib->agent_event = 0;
		return;
	}
	uint64_t sequence = mib->current->sequence;
	free(mib->current);
	mib->current = NULL;
	if (mib->host.delivered)
		mib->host.delivered(mib->host.user, sequence);
}

static int on_answer(int operation, netsnmp_session *session, int id, netsnmp_pdu *pdu, void *user)
{
	struct gm_mib *mib = user;
	if (session != mib->session || id != mib->in_flight)
		return 1;
	mib->in_flight = 0;
	if (operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE && pdu->errstat == SNMP_ERR_NOERROR) {
		finished(mib, true);
		return 1;
	}
	mib->notify_at = gm_clock_monotonic() + RETRY;
	if (operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE && ++mib->refusals == REFUSALS) {
		gm_log(GM_LOG_ERROR, "mib: the master agent refuses a notification (%ld); skipped",
		       pdu->errstat);
		finished(mib, false);
	}
	return 1;
}

void gm_mib_trap_add(void *user, const struct gm_mib_oid *id, const struct gm_mib_value *value)
{
	netsnmp_pdu *pdu = user;
	oid name[MAX_OID_LEN];
	size_t length = gm_mib_root(&gm_mib_modules[GM_MIB_GUESTMON], name);
	for (size_t i = 0; i < id->length; i++)
		name[length++] = id->id[i];
	union gm_mib_room room;
	const void *data;
	size_t data_length;
	u_char type = gm_mib_encode(value, &room, &data, &data_length);
	snmp_pdu_add_variable(pdu, name, length, type, data, data_length);
}

size_t gm_mib_notification(unsigned module, unsigned number, oid *name)
{
	size_t length = gm_mib_root(&gm_mib_modules[module], name);
	name[length++] = 0;
	name[length++] = number;
	return length;
}

/* snmpTrapOID.0 first: the master puts its own sysUpTime.0 before it, which is right from the start. */
netsnmp_pdu *gm_mib_notify_pdu(const netsnmp_session *session, unsigned module, unsigned number)
{
	static const oid trap_oid[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};
	oid name[MAX_OID_LEN];
	size_t length = gm_mib_notification(module, number, name);
	netsnmp_pdu *pdu = snmp_pdu_create(GM_AGENTX_NOTIFY);
	if (!pdu)
		return NULL;
	pdu->sessid = session->sessid;
	pdu->flags |= UCD_MSG_FLAG_PDU_TIMEOUT;
	pdu->time = FOREVER;
	snmp_pdu_add_variable(pdu, trap_oid, OID_LENGTH(trap_oid), ASN_OBJECT_ID, name,
			      length * sizeof(oid));
	return pdu;
}

static netsnmp_pdu *transition_pdu(struct gm_mib *mib)
{
	netsnmp_pdu *pdu = gm_mib_notify_pdu(mib->session, GM_MIB_GUESTMON,
					     gm_mib_notification_of(mib->current));
	if (pdu)
		gm_mib_notify_transition(mib->current,
					 &(struct gm_mib_notify_sink){gm_mib_trap_add, pdu});
	return pdu;
}

static netsnmp_pdu *agent_pdu(struct gm_mib *mib)
{
	struct gm_mib_view view = {.snapshot = gm_snapshot_acquire(mib->slot),
				   .now = gm_clock_now()};
	if (!view.snapshot)
		return NULL; /* not started yet as far as a manager could see */
	netsnmp_pdu *pdu = gm_mib_notify_pdu(mib->session, GM_MIB_GUESTMON, mib->agent_event);
	if (pdu)
		gm_mib_notify_agent(&view, &(struct gm_mib_notify_sink){gm_mib_trap_add, pdu});
	gm_snapshot_release(mib->slot, view.snapshot);
	return pdu;
}

/* What the agent has to tell of itself, one at a time; never more than one of a kind is waiting. */
static void choose_event(struct gm_mib *mib, int64_t now)
{
	int64_t interval = mib->options.heartbeat;
	if (interval > 0 && now >= mib->heartbeat_at) {
		if (mib->heartbeat_at > 0)
			mib->agent_events |= 1U << GM_MIB_HEARTBEAT;
		mib->heartbeat_at = now + interval;
	}
	for (unsigned event = GM_MIB_START; !mib->agent_event && mib->agent_events >> event;
	     event++)
		if (mib->agent_events & 1U << event)
			mib->agent_event = event;
	mib->agent_events &= ~(1U << mib->agent_event);
}

void gm_mib_trap_tick(struct gm_mib *mib, int64_t now)
{
	if (!mib->session || mib->in_flight || now < mib->notify_at)
		return;
	if (!mib->current && !mib->agent_event)
		choose_event(mib, now);
	if (!mib->current && !mib->agent_event)
		mib->current = gm_queue_pop(mib->queue);
	if (!mib->current && !mib->agent_event)
		return;
	netsnmp_pdu *pdu = mib->current ? transition_pdu(mib) : agent_pdu(mib);
	if (pdu)
		mib->in_flight = snmp_async_send(mib->session, pdu, on_answer, mib);
	if (!mib->in_flight) {
		snmp_free_pdu(pdu);
		mib->notify_at = now + RETRY;
	}
}

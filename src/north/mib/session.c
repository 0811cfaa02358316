/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AgentX session. The library opens it, tells of its loss and opens it anew every second; this file
 * keeps track of it and registers our subtree itself, for the library does not tell whether the master
 * took a registration, and after a restart of the master it may be lost (field experience with 5.9.3).
 *
 * The library finds nothing of ours to register on its own: our handler is put into its local tree
 * after it has connected and taken out again before it connects anew.
 *
 * Its pings are switched off: a ping that a frozen master does not answer would close the session, and
 * a notification that the master holds already would be sent again. A master that died is seen by the
 * end of the stream.
 */
#include <net-snmp/agent/agent_callbacks.h>

#include "north/mib/agent.h"
#include "north/mib/notify.h"

static const int64_t RETRY = GM_SECOND;
static const long FOREVER = 10L * 365 * 86400 * 1000000; /* µs */
enum { DUPLICATE_REGISTRATION = 263 };                   /* RFC 2741, section 6.2.16: res.error */

static int on_start(int major, int minor, void *session, void *user)
{
	struct gm_mib *mib = user;
	(void)major;
	(void)minor;
	mib->session = session;
	mib->registration = GM_MIB_UNREGISTERED;
	mib->register_at = 0;
	mib->notify_at = 0;
	mib->status.connects++;
	mib->status.connected = true;
	mib->status_changed = true;
	gm_log(GM_LOG_NOTICE, "mib: connected to the master agent at %s",
	       mib->options.agentx_socket);
	return SNMPERR_SUCCESS;
}

static int on_stop(int major, int minor, void *session, void *user)
{
	struct gm_mib *mib = user;
	(void)major;
	(void)minor;
	(void)session;
	mib->session = NULL;
	mib->registration = GM_MIB_UNREGISTERED;
	mib->status.connected = false;
	gm_mib_trap_lost_session(mib);
	gm_mib_report(mib, "the master agent has closed the session");
	return SNMPERR_SUCCESS;
}

/* Open and close wait for the master: by default six times a second long. */
static int on_session_init(int major, int minor, void *session, void *user)
{
	const struct gm_mib *mib = user;
	netsnmp_session *opened = session;
	(void)major;
	(void)minor;
	opened->timeout = mib->options.timeout / GM_MICROSECOND;
	opened->retries = 0;
	return SNMPERR_SUCCESS;
}

static const struct hook {
	int major, minor;
	SNMPCallback *call;
} hooks[] = {
	{SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START, on_start},
	{SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_STOP, on_stop},
	{SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_SESSION_INIT, on_session_init},
};

void gm_mib_session_init(struct gm_mib *mib)
{
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		snmp_register_callback(hooks[i].major, hooks[i].minor, hooks[i].call, mib);
}

void gm_mib_session_exit(struct gm_mib *mib)
{
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		snmp_unregister_callback(hooks[i].major, hooks[i].minor, hooks[i].call, mib, 1);
}

static int on_registered(int operation, netsnmp_session *session, int id, netsnmp_pdu *pdu,
			 void *user)
{
	struct gm_mib *mib = user;
	(void)id;
	if (session != mib->session || mib->registration != GM_MIB_ASKED)
		return 1;
	mib->registration = GM_MIB_UNREGISTERED;
	mib->register_at = gm_clock_monotonic() + RETRY;
	if (operation != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE)
		return 1;
	if (pdu->errstat == SNMP_ERR_NOERROR) {
		mib->registration = GM_MIB_REGISTERED;
		gm_mib_report(mib, NULL);
		return 1;
	}
	char error[sizeof(mib->status.error)];
	snprintf(error, sizeof(error), "the master agent refuses the registration: %s (%ld)",
		 pdu->errstat == DUPLICATE_REGISTRATION ? "another subagent has it" : "error",
		 pdu->errstat);
	gm_mib_report(mib, error);
	return 1;
}

/* Waits as long as it takes: what a frozen master has not read yet must not be sent twice. */
static int send_patiently(struct gm_mib *mib, netsnmp_pdu *pdu)
{
	long timeout = mib->session->timeout;
	mib->session->timeout = FOREVER;
	int sent = snmp_async_send(mib->session, pdu, on_registered, mib);
	mib->session->timeout = timeout;
	return sent;
}

static void ask(struct gm_mib *mib, int64_t now)
{
	oid root[MAX_OID_LEN];
	size_t length = gm_mib_root(root);
	mib->register_at = now + RETRY;
	netsnmp_pdu *pdu = snmp_pdu_create(GM_AGENTX_REGISTER);
	if (!pdu)
		return;
	pdu->time = 0; /* the master's default timeout */
	pdu->priority = DEFAULT_MIB_PRIORITY;
	pdu->sessid = mib->session->sessid;
	pdu->range_subid = 0;
	snmp_add_null_var(pdu, root, length);
	mib->registration = GM_MIB_ASKED;
	if (!send_patiently(mib, pdu)) {
		snmp_free_pdu(pdu);
		mib->registration = GM_MIB_UNREGISTERED;
	}
}

static void put_into_tree(struct gm_mib *mib)
{
	oid root[MAX_OID_LEN];
	size_t length = gm_mib_root(root);
	netsnmp_handler_registration *local = netsnmp_create_handler_registration(
		"guestmon", gm_mib_handle, root, length, HANDLER_CAN_RONLY);
	if (!local)
		return;
	local->handler->myvoid = mib;
	/* What fails is freed by the library. */
	if (netsnmp_register_handler_nocallback(local) == MIB_REGISTERED_OK)
		mib->local = local;
}

/* The library keeps the number of a session's ping alarm in the field for the security model. */
static void stop_pings(netsnmp_session *session)
{
	if (session->securityModel == SNMP_DEFAULT_SECMODEL)
		return;
	snmp_alarm_unregister((unsigned)session->securityModel);
	session->securityModel = SNMP_DEFAULT_SECMODEL;
}

void gm_mib_session_tick(struct gm_mib *mib, int64_t now)
{
	if (!mib->session) {
		if (mib->local)
			netsnmp_unregister_handler(mib->local);
		mib->local = NULL;
		return;
	}
	stop_pings(mib->session);
	if (!mib->local)
		put_into_tree(mib);
	if (now < mib->register_at)
		return;
	if (mib->registration == GM_MIB_ASKED)
		gm_mib_report(mib, "the master agent does not answer");
	if (mib->registration == GM_MIB_UNREGISTERED && mib->local)
		ask(mib, now);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AgentX session. The library opens it, tells of its loss and opens it anew every second; this file
 * keeps track of it. What is registered in it is registry.c's.
 *
 * Its pings are switched off: a ping that a frozen master does not answer would close the session, and
 * a notification that the master holds already would be sent again. A master that died is seen by the
 * end of the stream.
 */
#include <net-snmp/agent/agent_callbacks.h>

#include "north/mib/agent.h"
#include "north/mib/notify.h"

/* What a master of 5.9.3 can read; it closes the session some seconds after a longer one. */
enum { PACKET_MAX = 65535 };

static int on_start(int major, int minor, void *session, void *user)
{
	struct gm_mib *mib = user;
	(void)major;
	(void)minor;
	mib->session = session;
	mib->library = mib->session->callback;
	mib->session->sndMsgMaxSize = PACKET_MAX;
	mib->session->callback = gm_mib_on_pdu;
	mib->session->callback_magic = mib;
	mib->set_count = 0; /* of a master that is gone: its transactions are void */
	gm_mib_registry_reset(mib);
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
	gm_mib_registry_reset(mib);
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

/* The library keeps the number of a session's ping alarm in the field for the security model. */
static void stop_pings(netsnmp_session *session)
{
	if (session->securityModel == SNMP_DEFAULT_SECMODEL)
		return;
	snmp_alarm_unregister((unsigned)session->securityModel);
	session->securityModel = SNMP_DEFAULT_SECMODEL;
}

void gm_mib_session_tick(struct gm_mib *mib)
{
	if (mib->session)
		stop_pings(mib->session);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Get and GetNext, which are all that a polling master sends, answered on the AgentX session itself: the
 * PDU's own variables become those of the Response. The library would copy the PDU four times and send it
 * to itself and back through two pipes, which takes four times as long as the rest. Everything else is
 * left to the library: SET (which comes to handler.c), GetBulk (which no net-snmp master sends), responses,
 * the session's end; and what arrives while the library waits for the answer to something.
 */
#include "north/mib/agent.h"

/* The modules in the order of their roots. */
static const unsigned order[GM_MIB_MODULES] = {GM_MIB_ALARM, GM_MIB_ITU_ALARM, GM_MIB_VM,
					       GM_MIB_GUESTMON};

enum { NETWORK_BYTE_ORDER = 1 << 4 }; /* RFC 2741, section 6.1: h.flags */

static const struct gm_mib_context *context_of(const struct gm_mib *mib, const netsnmp_pdu *pdu)
{
	for (size_t c = 0; c < GM_MIB_CONTEXTS; c++) {
		const struct gm_mib_context *context = &mib->contexts[c];
		if (context->used && strlen(context->name) == pdu->community_len &&
		    (pdu->community_len == 0 ||
		     memcmp(context->name, pdu->community, pdu->community_len) == 0))
			return context;
	}
	return NULL;
}

/* Where `name` stands towards a module: before its root or at it (-1), below (0), or after all of it (1). */
static int place(const struct gm_mib_module *module, const oid *name, size_t length)
{
	for (size_t i = 0; i < module->root_length; i++) {
		if (i == length || name[i] < module->root[i])
			return -1;
		if (name[i] > module->root[i])
			return 1;
	}
	return length == module->root_length ? -1 : 0;
}

static int get(const struct gm_mib_context *context, const struct gm_mib_view *view,
	       netsnmp_variable_list *variable)
{
	int found = GM_MIB_NO_OBJECT;
	for (size_t m = 0; context && m < GM_MIB_MODULES; m++) {
		const struct gm_mib_module *module = context->registrations[m].module;
		if (place(module, variable->name, variable->name_length) == 0)
			found = gm_mib_get_variable(module, view, variable);
	}
	return found;
}

/* The first instance after the variable's name: true, and the variable is that. */
static bool next(const struct gm_mib_context *context, const struct gm_mib_view *view,
		 netsnmp_variable_list *variable)
{
	for (size_t m = 0; context && m < GM_MIB_MODULES; m++) {
		const struct gm_mib_module *module = context->registrations[order[m]].module;
		if (place(module, variable->name, variable->name_length) <= 0 &&
		    gm_mib_next_variable(module, view, variable))
			return true;
	}
	return false;
}

/*
 * A search range: from the variable's name, which itself counts where the type says so, to the identifier
 * that is its value, which does not count; that one null ({0 0} by the library's account): to the end.
 */
static void get_next(const struct gm_mib_context *context, const struct gm_mib_view *view,
		     netsnmp_variable_list *variable)
{
	oid start[MAX_OID_LEN], end[MAX_OID_LEN] = {0};
	size_t start_length = variable->name_length;
	size_t end_length = variable->val_len / sizeof(oid);
	bool fits = start_length <= MAX_OID_LEN && end_length <= MAX_OID_LEN;
	if (fits)
		memcpy(start, variable->name, start_length * sizeof(oid));
	if (fits && end_length > 0)
		memcpy(end, variable->val.objid, end_length * sizeof(oid));
	bool included = variable->type == ASN_PRIV_INCL_RANGE &&
			get(context, view, variable) == GM_MIB_FOUND;
	if (included || (fits && next(context, view, variable) &&
			 (end[0] == 0 || snmp_oid_compare(variable->name, variable->name_length,
							  end, end_length) < 0)))
		return;
	if (fits)
		snmp_set_var_objid(variable, start, start_length);
	snmp_set_var_typed_value(variable, SNMP_ENDOFMIBVIEW, NULL, 0);
}

static void answer(const struct gm_mib_context *context, const struct gm_mib_view *view,
		   int command, netsnmp_variable_list *variable)
{
	if (command == GM_AGENTX_GETNEXT) {
		get_next(context, view, variable);
		return;
	}
	int found = get(context, view, variable);
	if (found != GM_MIB_FOUND)
		snmp_set_var_typed_value(variable,
					 found == GM_MIB_NO_OBJECT ? SNMP_NOSUCHOBJECT
								   : SNMP_NOSUCHINSTANCE,
					 NULL, 0);
}

netsnmp_pdu *gm_mib_response(struct gm_mib *mib, netsnmp_pdu *pdu)
{
	netsnmp_pdu *response = snmp_pdu_create(GM_AGENTX_RESPONSE);
	const struct gm_mib_context *context = context_of(mib, pdu);
	struct gm_mib_view shown;
	if (!response)
		return NULL;
	bool any = context && gm_mib_view(mib, context, pdu->transid, &shown);
	mib->status.requests++;
	response->version = pdu->version;
	response->errstat = response->errindex = 0;
	response->time = 0;
	response->flags =
		(response->flags & ~(u_long)NETWORK_BYTE_ORDER) | (pdu->flags & NETWORK_BYTE_ORDER);
	response->sessid = pdu->sessid;
	response->transid = pdu->transid;
	response->reqid = pdu->reqid;
	response->variables = pdu->variables;
	pdu->variables = NULL;
	netsnmp_variable_list *variable = response->variables;
	for (; variable; variable = variable->next_variable)
		answer(context, any ? &shown : NULL, pdu->command, variable);
	return response;
}

/* The library frees what it could send. What is too long for a packet is answered with that. */
static void send_response(netsnmp_session *session, netsnmp_pdu *response)
{
	for (int attempt = 0; !snmp_send(session, response); attempt++) {
		bool too_long = session->s_snmp_errno == SNMPERR_TOO_LONG;
		if (attempt > 0 || !too_long) {
			snmp_free_pdu(response);
			return;
		}
		snmp_free_varbind(response->variables);
		response->variables = NULL;
		response->errstat = SNMP_ERR_TOOBIG;
		response->errindex = 1;
	}
}

int gm_mib_on_pdu(int operation, netsnmp_session *session, int id, netsnmp_pdu *pdu, void *user)
{
	struct gm_mib *mib = user;
	if (operation != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE ||
	    (pdu->command != GM_AGENTX_GET && pdu->command != GM_AGENTX_GETNEXT))
		return mib->library(operation, session, id, pdu, NULL);
	netsnmp_pdu *response = gm_mib_response(mib, pdu);
	if (response)
		send_response(session, response);
	return 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes the variables of a request to the resolver and back: what request.c answers with, and the one
 * handler behind every registration in the library's tree, for what request.c leaves to the library. On
 * the agent thread; does no I/O and waits for nobody.
 *
 * All variables of an SNMP request see one snapshot. The master splits a GETBULK into a chain of
 * AgentX requests that share the transaction id, so the snapshot is held from one to the next.
 */
#include "north/mib/agent.h"
#include "north/mib/scope.h"

/* A chain takes milliseconds; ids could come back after a restart of the master. */
static const int64_t HOLD = GM_SECOND;

static size_t encode_name(const struct gm_mib_value *value, oid *name)
{
	size_t length = 0;
	uint32_t id;
	for (; length < MAX_OID_LEN && (length + 1) * sizeof(id) <= value->length; length++) {
		memcpy(&id, value->octets + length * sizeof(id), sizeof(id));
		name[length] = id;
	}
	return length * sizeof(*name);
}

u_char gm_mib_encode(const struct gm_mib_value *value, union gm_mib_room *room,
		     const void **ret_data, size_t *ret_length)
{
	static const u_char types[] = {
		[GM_MIB_INTEGER] = ASN_INTEGER,     [GM_MIB_UNSIGNED] = ASN_UNSIGNED,
		[GM_MIB_COUNTER64] = ASN_COUNTER64, [GM_MIB_OCTETS] = ASN_OCTET_STR,
		[GM_MIB_TIME] = ASN_OCTET_STR,      [GM_MIB_TICKS] = ASN_TIMETICKS,
		[GM_MIB_COUNTER32] = ASN_COUNTER,   [GM_MIB_OBJECT] = ASN_OBJECT_ID,
	};
	switch (types[value->type]) {
	case ASN_OCTET_STR:
		*ret_data = value->octets;
		*ret_length = value->length;
		break;
	case ASN_COUNTER64:
		room->wide = (struct counter64){.high = (u_long)(value->number >> 32),
						.low = (u_long)(value->number & UINT32_MAX)};
		*ret_data = &room->wide;
		*ret_length = sizeof(room->wide);
		break;
	case ASN_OBJECT_ID:
		*ret_data = room->name;
		*ret_length = encode_name(value, room->name);
		break;
	default:
		*ret_data = &value->number; /* a long on every 64-bit Linux */
		*ret_length = sizeof(value->number);
	}
	return types[value->type];
}

void gm_mib_release_scope(struct gm_mib *mib)
{
	if (mib->scope)
		gm_snapshot_destroy(mib->scope);
	mib->scope = NULL;
	mib->scope_of = NULL;
}

void gm_mib_release(struct gm_mib *mib)
{
	gm_mib_release_scope(mib);
	if (mib->view.snapshot)
		gm_snapshot_release(mib->slot, mib->view.snapshot);
	mib->view.snapshot = NULL;
}

/* The present snapshot, or that of the same PDU's earlier requests. */
static void hold_snapshot(struct gm_mib *mib, long transaction)
{
	int64_t now = gm_clock_monotonic();
	if (mib->view.snapshot && mib->transaction == transaction && now - mib->held_at < HOLD)
		return;
	const struct gm_snapshot *present = gm_snapshot_acquire(mib->slot);
	if (present != mib->view.snapshot)
		gm_mib_release_scope(mib);
	if (mib->view.snapshot)
		gm_snapshot_release(mib->slot, mib->view.snapshot);
	mib->view.snapshot = present;
	mib->view.last = &mib->last_row;
	if (present)
		gm_mib_row_shown(mib, present);
	mib->view.now = gm_clock_now();
	mib->view.master_started = mib->master_started;
	mib->view.vm_notifications = mib->options.vm_notifications;
	mib->view.vm_bulk_notifications = mib->options.vm_bulk_notifications;
	mib->transaction = transaction;
	mib->held_at = now;
}

bool gm_mib_view(struct gm_mib *mib, const struct gm_mib_context *context, long transaction,
		 struct gm_mib_view *ret_view)
{
	hold_snapshot(mib, transaction);
	*ret_view = mib->view;
	if (!mib->view.snapshot || (!context->name[0] && mib->pending_count == 0))
		return mib->view.snapshot;
	if (mib->scope_of != context) {
		gm_mib_release_scope(mib);
		mib->scope = context->name[0] ? gm_mib_scope(mib->view.snapshot, context->name)
					      : gm_mib_row_overlay(mib, mib->view.snapshot);
		mib->scope_of = mib->scope ? context : NULL;
	}
	ret_view->snapshot = mib->scope;
	return mib->scope;
}

static void answer(netsnmp_variable_list *variable, const struct gm_mib_value *value)
{
	union gm_mib_room room;
	const void *data;
	size_t length;
	u_char type = gm_mib_encode(value, &room, &data, &length);
	snmp_set_var_typed_value(variable, type, data, length);
}

size_t gm_mib_below_root(const netsnmp_variable_list *variable, size_t root_length,
			 uint32_t ret_id[MAX_OID_LEN])
{
	size_t length = 0;
	for (size_t i = root_length; i < variable->name_length && i < MAX_OID_LEN; i++)
		ret_id[length++] = (uint32_t)variable->name[i];
	return length;
}

int gm_mib_get_variable(const struct gm_mib_module *module, const struct gm_mib_view *view,
			netsnmp_variable_list *variable)
{
	uint32_t id[MAX_OID_LEN];
	size_t length = gm_mib_below_root(variable, module->root_length, id);
	struct gm_mib_value value;
	int found = view ? gm_mib_get(module, view, id, length, &value) : GM_MIB_NO_INSTANCE;
	if (found == GM_MIB_FOUND)
		answer(variable, &value);
	return found;
}

bool gm_mib_next_variable(const struct gm_mib_module *module, const struct gm_mib_view *view,
			  netsnmp_variable_list *variable)
{
	oid name[MAX_OID_LEN];
	uint32_t id[MAX_OID_LEN];
	size_t length = 0, name_length = gm_mib_root(module, name);
	if (snmp_oid_compare(variable->name, variable->name_length, name, name_length) > 0)
		length = gm_mib_below_root(variable, name_length, id);

	struct gm_mib_oid next;
	struct gm_mib_value value;
	if (!view || !gm_mib_next(module, view, id, length, &next, &value))
		return false;
	for (size_t i = 0; i < next.length; i++)
		name[name_length++] = next.id[i];
	snmp_set_var_objid(variable, name, name_length);
	answer(variable, &value);
	return true;
}

static void get(const struct gm_mib_module *module, const struct gm_mib_view *view,
		netsnmp_agent_request_info *info, netsnmp_request_info *request)
{
	int found = gm_mib_get_variable(module, view, request->requestvb);
	if (found != GM_MIB_FOUND)
		netsnmp_set_request_error(info, request,
					  found == GM_MIB_NO_OBJECT ? SNMP_NOSUCHOBJECT
								    : SNMP_NOSUCHINSTANCE);
}

int gm_mib_handle(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
		  netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
	const struct gm_mib_registration *one = handler->myvoid;
	struct gm_mib *mib = one->mib;
	(void)registration;
	struct gm_mib_view shown;
	bool any = gm_mib_view(mib, one->context, info->asp->pdu->transid, &shown);
	const struct gm_mib_view *view = any ? &shown : NULL;
	mib->status.requests++;
	if (info->mode != MODE_GET && info->mode != MODE_GETNEXT)
		return gm_mib_set(one, view, info, requests);
	for (netsnmp_request_info *request = requests; request; request = request->next) {
		if (request->processed)
			continue;
		/* Left as it is, a GETNEXT goes on to what comes after our subtree. */
		if (info->mode == MODE_GETNEXT)
			gm_mib_next_variable(one->module, view, request->requestvb);
		else
			get(one->module, view, info, request);
	}
	return SNMP_ERR_NOERROR;
}

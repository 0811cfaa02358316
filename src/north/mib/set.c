/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SET: what a manager may change, where the operator allows it (option `writable`). All of a request is
 * checked first; its changes wait until the master agent says that every part of it, those of other
 * subagents too, is in order, and are handed to the main thread then. Before that they are dropped without
 * a trace, so there is nothing to undo. Called by handler.c on the agent thread.
 */
#include <string.h>

#include "base/text.h"
#include "north/mib/agent.h"

/* A transaction that nobody ended, because the master died in it, is forgotten after this. */
static const int64_t PATIENCE = 60 * GM_SECOND;
enum { PATH = 4, FIRST_VALUE = 1, SECOND_VALUE = 2 };

/*
 * The objects, by their identifier; `always` is a column that every row has. A number takes one of two
 * values, which are `kinds`; a text is one kind.
 */
static const struct writable {
	uint32_t path[PATH];
	uint32_t always;
	bool text;
	enum gm_mib_change_kind kinds[2];
} writables[] = {
	{{1, 8, 1, 24}, 9, true, {GM_MIB_COMMENT}},
	{{1, 8, 1, 30}, 9, false, {GM_MIB_UNACKNOWLEDGE, GM_MIB_ACKNOWLEDGE}},
	{{1, 31, 1, 16}, 3, false, {GM_MIB_RESUME, GM_MIB_PAUSE}},
};
enum { WRITABLES = sizeof(writables) / sizeof(writables[0]) };

static const struct writable *find(const uint32_t *id, size_t length)
{
	for (size_t i = 0; i < WRITABLES && length > PATH; i++)
		if (memcmp(id, writables[i].path, sizeof(writables[i].path)) == 0)
			return &writables[i];
	return NULL;
}

static int take_text(const netsnmp_variable_list *variable, char *ret_text)
{
	if (variable->type != ASN_OCTET_STR)
		return SNMP_ERR_WRONGTYPE;
	if (variable->val_len == 0 || variable->val_len >= GM_COMMENT)
		return SNMP_ERR_WRONGLENGTH;
	memcpy(ret_text, variable->val.string, variable->val_len);
	ret_text[variable->val_len] = '\0';
	if (strlen(ret_text) != variable->val_len || !gm_text_is_utf8(ret_text))
		return SNMP_ERR_WRONGVALUE;
	return SNMP_ERR_NOERROR;
}

static int take_number(const netsnmp_variable_list *variable, const struct writable *object,
		       enum gm_mib_change_kind *ret_kind)
{
	if (variable->type != ASN_INTEGER)
		return SNMP_ERR_WRONGTYPE;
	if (variable->val_len != sizeof(*variable->val.integer))
		return SNMP_ERR_WRONGLENGTH;
	long value = *variable->val.integer;
	if (value != FIRST_VALUE && value != SECOND_VALUE)
		return SNMP_ERR_WRONGVALUE;
	*ret_kind = object->kinds[value - FIRST_VALUE];
	return SNMP_ERR_NOERROR;
}

/* Whose it is: an alarm by its number, an output by the letters of its name. */
static bool take_index(const uint32_t *index, size_t length, struct gm_mib_change *change)
{
	bool output = change->kind == GM_MIB_PAUSE || change->kind == GM_MIB_RESUME;
	change->alarm = index[0];
	for (size_t i = 0; output && i < length && i < sizeof(change->text) - 1; i++)
		change->text[i] = (char)index[i];
	return output || length == 1;
}

/* The change that a variable asks for: SNMP_ERR_NOERROR, or what is wrong with it (RFC 3416, 4.2.5). */
static int parse(const struct gm_mib_registration *one, const struct gm_mib_view *view,
		 const netsnmp_variable_list *variable, struct gm_mib_change *ret_change)
{
	uint32_t id[MAX_OID_LEN];
	size_t length = gm_mib_below_root(variable, one->module->root_length, id);
	struct gm_mib_value present;
	const struct writable *object = find(id, length);
	bool ours = one->module == &gm_mib_modules[GM_MIB_GUESTMON] && !one->context->name[0];
	bool row = gm_mib_is_row(id, length);
	if (!(object || row) || !ours || !one->mib->options.writable)
		return SNMP_ERR_NOTWRITABLE;
	if (row)
		return gm_mib_row_read(view, id, length, variable, ret_change);
	memset(ret_change, 0, sizeof(*ret_change));
	ret_change->kind = object->kinds[0];
	int error = object->text ? take_text(variable, ret_change->text)
				 : take_number(variable, object, &ret_change->kind);
	if (error != SNMP_ERR_NOERROR)
		return error;
	id[PATH - 1] = object->always;
	if (!take_index(id + PATH, length - PATH, ret_change) || !view ||
	    gm_mib_get(one->module, view, id, length, &present) != GM_MIB_FOUND)
		return SNMP_ERR_NOCREATION;
	return SNMP_ERR_NOERROR;
}

/* Ends what belongs to the transaction, and what is too old; with `apply` it comes true. */
static void finish(struct gm_mib *mib, long transaction, bool apply)
{
	int64_t now = gm_clock_monotonic();
	size_t kept = 0;
	for (size_t i = 0; i < mib->set_count; i++) {
		struct gm_mib_set *set = &mib->sets[i];
		if (set->transaction != transaction && now - set->at < PATIENCE) {
			mib->sets[kept++] = *set;
		} else if (set->transaction == transaction && apply && mib->host.change) {
			gm_mib_row_commit(mib, &set->change);
			mib->host.change(mib->host.user, &set->change);
		}
	}
	if (apply)
		gm_mib_release_scope(mib); /* it may have what was laid over it before */
	mib->set_count = kept;
}

static int keep(const struct gm_mib_registration *one, const struct gm_mib_view *view,
		long transaction, const netsnmp_variable_list *variable,
		const struct gm_mib_change *change)
{
	struct gm_mib *mib = one->mib;
	uint32_t id[MAX_OID_LEN];
	size_t length = gm_mib_below_root(variable, one->module->root_length, id);
	if (gm_mib_is_row(id, length))
		return gm_mib_row_keep(mib, view, transaction, id, variable, change);
	if (mib->set_count == GM_MIB_SETS)
		return SNMP_ERR_RESOURCEUNAVAILABLE;
	mib->sets[mib->set_count++] = (struct gm_mib_set){
		.transaction = transaction, .at = gm_clock_monotonic(), .change = *change};
	return SNMP_ERR_NOERROR;
}

/* Rows are judged when all variables are in. */
static void settle(const struct gm_mib_registration *one, const struct gm_mib_view *view,
		   netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
	for (netsnmp_request_info *request = requests; request; request = request->next) {
		struct gm_mib_change change;
		if (request->processed ||
		    parse(one, view, request->requestvb, &change) != SNMP_ERR_NOERROR)
			continue;
		int error = gm_mib_row_settle(one->mib, view, info->asp->pdu->transid, &change);
		if (error != SNMP_ERR_NOERROR)
			netsnmp_set_request_error(info, request, error);
	}
}

int gm_mib_set(const struct gm_mib_registration *one, const struct gm_mib_view *view,
	       netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
	struct gm_mib *mib = one->mib;
	long transaction = info->asp->pdu->transid;
	struct gm_mib_change change;
	bool failed = false;
	if (info->mode == MODE_SET_COMMIT || info->mode == MODE_SET_FREE ||
	    info->mode == MODE_SET_UNDO) {
		finish(mib, transaction, info->mode == MODE_SET_COMMIT);
		return SNMP_ERR_NOERROR;
	}
	for (netsnmp_request_info *request = requests; request; request = request->next) {
		if (request->processed || info->mode == MODE_SET_ACTION)
			continue;
		int error = parse(one, view, request->requestvb, &change);
		if (error == SNMP_ERR_NOERROR && info->mode == MODE_SET_RESERVE2)
			error = keep(one, view, transaction, request->requestvb, &change);
		if (error != SNMP_ERR_NOERROR)
			netsnmp_set_request_error(info, request, error);
		failed |= error != SNMP_ERR_NOERROR;
	}
	if (info->mode == MODE_SET_RESERVE2 && !failed)
		settle(one, view, info, requests);
	return SNMP_ERR_NOERROR;
}

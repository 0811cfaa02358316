/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is registered with the master agent: each MIB in each context, and what the master said to it.
 *
 * Nothing of this is left to the library, which does not tell whether the master took a registration and
 * which, after a restart of the master, brings back one context of several (field experience with 5.9.3).
 * Here a registration counts when the master has acknowledged it in the session of now, and is asked for
 * again until then.
 *
 * The library finds nothing of ours to register on its own: our handlers are put into its local tree
 * after it has connected and taken out again before it connects anew.
 */
#include <string.h>

#include "north/mib/agent.h"

static const int64_t RETRY = GM_SECOND;
static const int64_t TENANTS_INTERVAL = GM_SECOND / 2;
static const int64_t TENANT_GRACE = 10 * GM_SECOND;
static const long FOREVER = 10L * 365 * 86400 * 1000000; /* µs */
enum {
	DUPLICATE_REGISTRATION = 263, /* RFC 2741, section 6.2.16: res.error */
	NON_DEFAULT_CONTEXT = 1 << 3, /* section 6.1.1: h.flags */
	TICK = GM_SECOND / 100,       /* of sysUpTime */
};

static void use_context(struct gm_mib *mib, struct gm_mib_context *context)
{
	context->used = true;
	for (size_t m = 0; m < GM_MIB_MODULES; m++)
		context->registrations[m] = (struct gm_mib_registration){
			.mib = mib,
			.module = context->name[0] ? &gm_mib_tenant_modules[m] : &gm_mib_modules[m],
			.context = context,
		};
}

void gm_mib_registry_init(struct gm_mib *mib)
{
	use_context(mib, &mib->contexts[0]);
}

void gm_mib_registry_reset(struct gm_mib *mib)
{
	for (size_t c = 0; c < GM_MIB_CONTEXTS; c++)
		for (size_t m = 0; m < GM_MIB_MODULES; m++) {
			struct gm_mib_registration *one = &mib->contexts[c].registrations[m];
			one->state = GM_MIB_UNREGISTERED;
			one->request = 0;
			one->ask_at = 0;
		}
}

static void count(struct gm_mib *mib)
{
	mib->status.wanted = mib->status.registered = 0;
	for (size_t c = 0; c < GM_MIB_CONTEXTS; c++)
		for (size_t m = 0; m < GM_MIB_MODULES && mib->contexts[c].used; m++) {
			mib->status.wanted++;
			mib->status.registered +=
				mib->contexts[c].registrations[m].state == GM_MIB_REGISTERED;
		}
	mib->status_changed = true;
	if (mib->session && mib->status.registered == mib->status.wanted)
		gm_mib_report(mib, NULL);
}

static void report_refusal(const struct gm_mib_registration *one, long code)
{
	char error[sizeof(one->mib->status.error)];
	snprintf(error, sizeof(error), "the master agent refuses %s%s%s: %s (%ld)",
		 one->module->name, one->context->name[0] ? " in the context " : "",
		 one->context->name,
		 code == DUPLICATE_REGISTRATION ? "another subagent has it" : "error", code);
	gm_mib_report(one->mib, error);
}

static int on_registered(int operation, netsnmp_session *session, int id, netsnmp_pdu *pdu,
			 void *user)
{
	struct gm_mib_registration *one = user;
	struct gm_mib *mib = one->mib;
	if (session != mib->session || one->state != GM_MIB_ASKED || one->request != id)
		return 1;
	one->state = GM_MIB_UNREGISTERED;
	one->request = 0;
	one->ask_at = gm_clock_monotonic() + RETRY;
	if (operation != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE)
		return 1;
	if (pdu->errstat != SNMP_ERR_NOERROR) {
		report_refusal(one, pdu->errstat);
		return 1;
	}
	one->state = GM_MIB_REGISTERED;
	mib->master_started = gm_clock_now() - (int64_t)pdu->time * TICK;
	count(mib);
	return 1;
}

/* Waits as long as it takes: what a frozen master has not read yet must not be sent twice. */
static int send_patiently(struct gm_mib_registration *one, netsnmp_pdu *pdu)
{
	netsnmp_session *session = one->mib->session;
	long timeout = session->timeout;
	session->timeout = FOREVER;
	int sent = snmp_async_send(session, pdu, on_registered, one);
	session->timeout = timeout;
	return sent;
}

static void ask(struct gm_mib_registration *one, int64_t now)
{
	oid root[MAX_OID_LEN];
	size_t length = gm_mib_root(one->module, root);
	const char *context = one->context->name;
	one->ask_at = now + RETRY;
	netsnmp_pdu *pdu = snmp_pdu_create(GM_AGENTX_REGISTER);
	if (!pdu)
		return;
	pdu->time = 0; /* the master's default timeout */
	pdu->priority = DEFAULT_MIB_PRIORITY;
	pdu->sessid = one->mib->session->sessid;
	pdu->range_subid = 0;
	if (context[0]) {
		pdu->flags |= NON_DEFAULT_CONTEXT;
		pdu->community = (u_char *)strdup(context);
		pdu->community_len = strlen(context);
	}
	snmp_add_null_var(pdu, root, length);
	one->request = send_patiently(one, pdu);
	if (one->request)
		one->state = GM_MIB_ASKED;
	else
		snmp_free_pdu(pdu);
}

static void put_into_tree(struct gm_mib_registration *one)
{
	oid root[MAX_OID_LEN];
	size_t length = gm_mib_root(one->module, root);
	netsnmp_handler_registration *local = netsnmp_create_handler_registration(
		"guestmon", gm_mib_handle, root, length,
		one->mib->options.writable ? HANDLER_CAN_RWRITE : HANDLER_CAN_RONLY);
	if (!local)
		return;
	local->handler->myvoid = one;
	if (one->context->name[0])
		local->contextName = strdup(one->context->name);
	/* What fails is freed by the library. */
	if (netsnmp_register_handler_nocallback(local) == MIB_REGISTERED_OK)
		one->local = local;
}

/*
 * netsnmp_unregister_handler() hands on the context's name of the registration that it frees meanwhile: hence
 * by names of our own.
 */
static void take_out_of_tree(struct gm_mib_registration *one)
{
	oid root[MAX_OID_LEN];
	size_t length = gm_mib_root(one->module, root);
	char context[GM_TENANT_SIZE];
	if (!one->local)
		return;
	snprintf(context, sizeof(context), "%s", one->context->name);
	unregister_mib_context(root, length, DEFAULT_MIB_PRIORITY, 0, 0,
			       context[0] ? context : NULL);
	one->local = NULL;
}

static void tick(struct gm_mib_registration *one, int64_t now)
{
	struct gm_mib *mib = one->mib;
	if (!mib->session) {
		take_out_of_tree(one);
		return;
	}
	if (!one->local)
		put_into_tree(one);
	if (now < one->ask_at)
		return;
	if (one->state == GM_MIB_ASKED)
		gm_mib_report(mib, "the master agent does not answer");
	if (one->state == GM_MIB_UNREGISTERED && one->local)
		ask(one, now);
}

/* The context of a tenant, made when it has none; NULL: all are in use. */
static struct gm_mib_context *context_of(struct gm_mib *mib, const char *tenant)
{
	struct gm_mib_context *unused = NULL;
	for (size_t c = 1; c < GM_MIB_CONTEXTS; c++) {
		struct gm_mib_context *context = &mib->contexts[c];
		if (context->used && strcmp(context->name, tenant) == 0)
			return context;
		if (!context->used && !unused)
			unused = context;
	}
	if (unused) {
		snprintf(unused->name, sizeof(unused->name), "%s", tenant);
		use_context(mib, unused);
	}
	return unused;
}

static bool is_asking(const struct gm_mib_context *context)
{
	for (size_t m = 0; m < GM_MIB_MODULES; m++)
		if (context->registrations[m].state == GM_MIB_ASKED)
			return true;
	return false;
}

/*
 * Out of the library's tree, which tells the master, and waits for it no longer than a timeout. What the
 * master has not answered yet is waited for first, so that the two do not cross.
 */
static void leave(struct gm_mib *mib, struct gm_mib_context *context)
{
	if (is_asking(context))
		return;
	for (size_t m = 0; m < GM_MIB_MODULES; m++)
		take_out_of_tree(&context->registrations[m]);
	context->used = false;
	gm_mib_release(mib);
	count(mib);
}

/* A tenant whose last guest goes keeps its context for a while: it may only be moved or started anew. */
static void follow_tenants(struct gm_mib *mib, int64_t now)
{
	const struct gm_snapshot *snapshot = gm_snapshot_acquire(mib->slot);
	bool left_out = false;
	mib->tenants_at = now + TENANTS_INTERVAL;
	if (!snapshot)
		return;
	for (size_t i = 0; i < snapshot->tenant_count; i++) {
		struct gm_mib_context *context = context_of(mib, snapshot->tenants[i].name);
		if (context)
			context->seen_at = now;
		left_out |= !context;
	}
	gm_snapshot_release(mib->slot, snapshot);
	for (size_t c = 1; c < GM_MIB_CONTEXTS; c++)
		if (mib->contexts[c].used && now - mib->contexts[c].seen_at > TENANT_GRACE)
			leave(mib, &mib->contexts[c]);
	if (left_out && !mib->tenants_left_out)
		gm_log(GM_LOG_WARNING, "mib: more tenants than the %d contexts that are served",
		       GM_MIB_CONTEXTS - 1);
	mib->tenants_left_out = left_out;
}

void gm_mib_registry_tick(struct gm_mib *mib, int64_t now)
{
	if (now >= mib->tenants_at)
		follow_tenants(mib, now);
	for (size_t c = 0; c < GM_MIB_CONTEXTS; c++)
		for (size_t m = 0; m < GM_MIB_MODULES && mib->contexts[c].used; m++)
			tick(&mib->contexts[c].registrations[m], now);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent thread's end of `snmp-inform`: a net-snmp session for each output, within the agent's own
 * loop; see inform.h. Nothing here waits: the library would ask an SNMPv3 receiver for its engine when a
 * session is opened, and wait for the answer; here that question is a request like any other, and the
 * session is opened once the engine is known. A session is never closed within its own callback.
 */
#include <utlist.h>

#include "base/text.h"
#include "north/mib/agent.h"
#include "north/mib/inform.h"
#include "north/mib/notify.h"

enum { ENGINE_MAX = 32 }; /* RFC 3411: SnmpEngineID */

struct gm_inform_target {
	struct gm_mib *mib;
	struct gm_inform_link *link;
	struct gm_inform_settings settings;
	netsnmp_session *session; /* the library's; NULL: none */
	bool asking;              /* the session is for asking for the engine */
	bool stale;               /* close the session at the next turn */
	u_char engine[ENGINE_MAX];
	size_t engine_length; /* 0: not known */
	bool busy;            /* there is a transition to be sent, or on its way */
	bool sent;
	int request; /* id of what was sent last */
	struct gm_transition transition;
	uint64_t ticket;
	struct gm_inform_target *next;
};

static void answer(struct gm_inform_target *target, enum gm_verdict_kind kind, const char *reason)
{
	struct gm_inform_answer given = {.ticket = target->ticket, .kind = kind};
	/* Ours or the library's: nothing of it is the receiver's. */
	gm_text_shorten(given.reason, sizeof(given.reason), reason);
	target->busy = target->sent = false;
	gm_inform_link_answer(target->link, &given);
}

/* What was told about a receiver may be wrong by now: the next attempt begins at the beginning. */
static void begin_anew(struct gm_inform_target *target, const char *reason)
{
	target->stale = true;
	target->engine_length = 0;
	answer(target, GM_VERDICT_RETRY, reason);
}

static int on_engine(struct gm_inform_target *target, int operation, netsnmp_pdu *pdu)
{
	if (operation == NETSNMP_CALLBACK_OP_TIMED_OUT) {
		begin_anew(target, "the receiver does not answer");
	} else if (operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE &&
		   pdu->securityEngineIDLen > 0 && pdu->securityEngineIDLen <= ENGINE_MAX) {
		memcpy(target->engine, pdu->securityEngineID, pdu->securityEngineIDLen);
		target->engine_length = pdu->securityEngineIDLen;
		target->stale = true; /* the next one is for the informs */
	} else {
		begin_anew(target, "the receiver does not tell its engine");
	}
	return 1;
}

/*
 * Whether it is about what was sent last: the output may have given up waiting for the message before. A
 * report may not know the request's id, and delivers nothing.
 */
static bool is_awaited(const struct gm_inform_target *target, int id, const netsnmp_pdu *pdu)
{
	return id == target->request || (pdu && pdu->command == SNMP_MSG_REPORT);
}

/* A security error is told twice: by itself, and as the report that it came with. */
static int on_answer(int operation, netsnmp_session *session, int id, netsnmp_pdu *pdu, void *user)
{
	struct gm_inform_target *target = user;
	if (!is_awaited(target, id, pdu))
		return 1;
	if (session != target->session || target->stale || !target->busy ||
	    operation == NETSNMP_CALLBACK_OP_SEC_ERROR)
		return 1;
	if (target->asking)
		return on_engine(target, operation, pdu);
	/* An engine that is another one now may not say so: snmptrapd does not. */
	if (operation == NETSNMP_CALLBACK_OP_TIMED_OUT)
		begin_anew(target, "the receiver does not acknowledge");
	else if (operation != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE)
		begin_anew(target, "the inform could not be sent");
	else if (pdu->command == SNMP_MSG_REPORT)
		begin_anew(target, snmp_api_errstring(snmpv3_get_report_type(pdu)));
	else if (pdu->errstat != SNMP_ERR_NOERROR)
		answer(target, GM_VERDICT_REFUSED, snmp_errstring((int)pdu->errstat));
	else
		answer(target, GM_VERDICT_DELIVERED, "");
	return 1;
}

/* ---- sessions ---- */

/* The key of a password, which stays the same for every engine (RFC 3414, A.2). */
static int make_key(const netsnmp_session *session, const char *secret, u_char *key, size_t *length)
{
	return generate_Ku(session->securityAuthProto, (u_int)session->securityAuthProtoLen,
			   (const u_char *)secret, strlen(secret), key, length);
}

/* What the session's members point to lives as long as `settings`, or is constant. */
static int set_user(netsnmp_session *session, struct gm_inform_settings *settings)
{
	static const int levels[] = {SNMP_SEC_LEVEL_NOAUTH, SNMP_SEC_LEVEL_AUTHNOPRIV,
				     SNMP_SEC_LEVEL_AUTHPRIV};
	session->version = SNMP_VERSION_3;
	session->flags |= SNMP_FLAGS_DONT_PROBE;
	session->securityModel = SNMP_SEC_MODEL_USM;
	session->securityName = settings->name;
	session->securityNameLen = strlen(settings->name);
	session->securityLevel = levels[settings->level];
	if (settings->level == GM_INFORM_NO_AUTH)
		return 0;
	session->securityAuthProto = sc_get_auth_oid(usm_lookup_auth_type(settings->auth_protocol),
						     &session->securityAuthProtoLen);
	session->securityAuthKeyLen = sizeof(session->securityAuthKey);
	if (make_key(session, settings->auth_secret, session->securityAuthKey,
		     &session->securityAuthKeyLen) != SNMPERR_SUCCESS)
		return -1;
	if (settings->level == GM_INFORM_AUTH)
		return 0;
	session->securityPrivProto = sc_get_priv_oid(usm_lookup_priv_type(settings->priv_protocol),
						     &session->securityPrivProtoLen);
	session->securityPrivKeyLen = sizeof(session->securityPrivKey);
	return make_key(session, settings->priv_secret, session->securityPrivKey,
			&session->securityPrivKeyLen) == SNMPERR_SUCCESS
		       ? 0
		       : -1;
}

static bool open_session(struct gm_inform_target *target)
{
	struct gm_inform_settings *settings = &target->settings;
	netsnmp_session wanted;
	snmp_sess_init(&wanted);
	wanted.peername = settings->peer;
	wanted.retries = 0; /* the outbox tries again */
	wanted.timeout = settings->timeout / GM_MICROSECOND;
	target->asking = settings->v3 && target->engine_length == 0;
	if (!settings->v3) {
		wanted.version = SNMP_VERSION_2c;
		wanted.community = (u_char *)settings->name;
		wanted.community_len = strlen(settings->name);
	} else if (set_user(&wanted, settings) < 0) {
		return false;
	}
	if (target->engine_length > 0) {
		wanted.securityEngineID = wanted.contextEngineID = target->engine;
		wanted.securityEngineIDLen = wanted.contextEngineIDLen = target->engine_length;
	}
	target->session = snmp_open(&wanted); /* copies */
	gm_secret_forget((char *)wanted.securityAuthKey, sizeof(wanted.securityAuthKey));
	gm_secret_forget((char *)wanted.securityPrivKey, sizeof(wanted.securityPrivKey));
	return target->session;
}

/* With what the library keeps of the user: a password that is changed must not meet the key of the old. */
static void close_session(struct gm_inform_target *target)
{
	target->stale = false;
	if (!target->session)
		return;
	netsnmp_session *session = target->session;
	target->session = NULL;
	if (target->settings.v3 && session->securityEngineIDLen > 0) {
		struct usmUser *user =
			usm_get_user(session->securityEngineID, session->securityEngineIDLen,
				     target->settings.name);
		if (user) {
			usm_remove_user(user);
			usm_free_user(user);
		}
	}
	snmp_close(session);
}

/* ---- sending ---- */

/* RFC 3414, section 4: a request without a user, which the receiver answers with a report. */
static netsnmp_pdu *engine_pdu(struct gm_inform_target *target)
{
	netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GET);
	if (!pdu)
		return NULL;
	target->session->flags |= SNMP_FLAGS_DONT_PROBE;
	pdu->version = SNMP_VERSION_3;
	pdu->securityName = strdup("");
	pdu->securityLevel = SNMP_SEC_LEVEL_NOAUTH;
	pdu->securityModel = SNMP_SEC_MODEL_USM;
	return pdu;
}

static netsnmp_pdu *inform_pdu(const struct gm_inform_target *target)
{
	static const oid up_time[] = {1, 3, 6, 1, 2, 1, 1, 3, 0};
	static const oid trap_oid[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};
	oid name[MAX_OID_LEN];
	size_t length = gm_mib_notification(GM_MIB_GUESTMON,
					    gm_mib_notification_of(&target->transition), name);
	u_long ticks =
		(u_long)((gm_clock_monotonic() - target->mib->started) / (10 * GM_MILLISECOND));
	netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_INFORM);
	if (!pdu)
		return NULL;
	ticks &= UINT32_MAX;
	snmp_pdu_add_variable(pdu, up_time, OID_LENGTH(up_time), ASN_TIMETICKS, &ticks,
			      sizeof(ticks));
	snmp_pdu_add_variable(pdu, trap_oid, OID_LENGTH(trap_oid), ASN_OBJECT_ID, name,
			      length * sizeof(oid));
	gm_mib_notify_transition(&target->transition,
				 &(struct gm_mib_notify_sink){gm_mib_trap_add, pdu});
	return pdu;
}

static void send_next(struct gm_inform_target *target)
{
	if (!target->session && !open_session(target)) {
		answer(target, GM_VERDICT_RETRY, snmp_api_errstring(snmp_errno));
		return;
	}
	netsnmp_pdu *pdu = target->asking ? engine_pdu(target) : inform_pdu(target);
	target->request = pdu ? snmp_async_send(target->session, pdu, on_answer, target) : 0;
	target->sent = target->request != 0;
	if (target->sent)
		return;
	int error = target->session->s_snmp_errno;
	snmp_free_pdu(pdu);
	begin_anew(target, error ? snmp_api_errstring(error) : "it could not be sent");
}

/* ---- jobs ---- */

static void end(struct gm_mib *mib, struct gm_inform_target *target)
{
	close_session(target);
	LL_DELETE(mib->targets, target);
	gm_inform_link_release(target->link);
	gm_secret_forget((char *)&target->settings, sizeof(target->settings));
	free(target);
}

static void take(struct gm_mib *mib, struct gm_inform_job *job)
{
	struct gm_inform_target *target;
	if (job->kind == GM_INFORM_OPEN) {
		target = calloc(1, sizeof(*target));
		if (!target)
			return; /* with the link, in the job */
		target->mib = mib;
		target->link = job->link;
		target->settings = job->settings;
		LL_PREPEND(mib->targets, target);
		job->kind = GM_INFORM_SEND; /* the reference is the target's now */
		return;
	}
	LL_SEARCH_SCALAR(mib->targets, target, link, job->link);
	if (target && job->kind == GM_INFORM_CLOSE) {
		end(mib, target);
	} else if (target) {
		target->transition = job->transition;
		target->ticket = job->ticket;
		target->busy = true;
		target->sent = false;
	}
}

void gm_inform_tick(struct gm_mib *mib)
{
	struct gm_inform_job *job;
	struct gm_inform_target *target;
	while ((job = gm_queue_pop(mib->jobs))) {
		take(mib, job);
		gm_inform_job_free(job);
	}
	LL_FOREACH (mib->targets, target) {
		if (target->stale) {
			close_session(target);
			target->sent = false;
		}
		if (target->busy && !target->sent)
			send_next(target);
	}
}

void gm_inform_exit(struct gm_mib *mib)
{
	while (mib->targets)
		end(mib, mib->targets);
}

void gm_mib_inform(struct gm_mib *mib, struct gm_inform_job *job)
{
	gm_queue_push(mib->jobs, job);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the agent thread share: agent.c (thread and loop), session.c (the AgentX session),
 * registry.c (what is registered in it), trap.c (notifications), request.c and handler.c (requests). Private to this
 * folder; nothing here but the queue and the event descriptors is touched by another thread.
 */
#ifndef GM_NORTH_MIB_AGENT_H
#define GM_NORTH_MIB_AGENT_H

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <net-snmp/library/large_fd_set.h>

#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/queue.h"
#include "north/mib/mib.h"
#include "north/mib/tree.h"

enum { /* RFC 2741, section 6.1: h.type */
       GM_AGENTX_REGISTER = 3,
       GM_AGENTX_GET = 5,
       GM_AGENTX_GETNEXT = 6,
       GM_AGENTX_NOTIFY = 12,
       GM_AGENTX_RESPONSE = 18,
};

enum gm_mib_registration_state {
	GM_MIB_UNREGISTERED,
	GM_MIB_ASKED, /* the master has not answered yet */
	GM_MIB_REGISTERED,
};

/* One MIB in one context: what the master was asked, and what it said. */
struct gm_mib_registration {
	struct gm_mib *mib;
	const struct gm_mib_module *module;
	const struct gm_mib_context *context;
	netsnmp_handler_registration *local; /* in the library's own tree */
	enum gm_mib_registration_state state;
	int request; /* id of the Register that was not answered, or 0 */
	int64_t ask_at;
};

/* A context of SNMP: the whole node ("") or a tenant, whose name fits (RFC 3415: at most 32 octets). */
struct gm_mib_context {
	char name[GM_TENANT_SIZE];
	bool used;
	int64_t seen_at; /* a tenant: when it last had a guest */
	struct gm_mib_registration registrations[GM_MIB_MODULES];
};

enum { GM_MIB_SETS = 64 };

/* set.c: a change that waits for its transaction's end. */
struct gm_mib_set {
	long transaction;
	int64_t at;
	bool settled; /* set_rows.c: judged with all its variables */
	int error;    /* what that gave */
	int adds;     /* to what managers have made: 1, 0, -1 */
	struct gm_mib_change change;
};

struct gm_mib {
	struct gm_mib_options options;
	struct gm_mib_host host;
	struct gm_snapshot_slot *slot;
	struct gm_queue *queue; /* of struct gm_transition, in order */
	struct gm_queue *jobs;  /* of struct gm_inform_job */
	int64_t started;        /* monotonic */
	int wake, test, stop;   /* eventfd: look at the queue; send a test; end */
	pthread_t thread;

	/* Of the agent thread alone. */
	struct gm_mib_status status;
	bool status_changed;
	int64_t status_at; /* monotonic, as all below */
	struct gm_log_limit log_limit;

	/* session.c */
	netsnmp_session *session; /* the library's; NULL while the master is away */
	snmp_callback library;    /* the session's callback before it was ours */
	int64_t master_started;   /* when its sysUpTime was 0, in node's time; 0: not known */

	/* registry.c */
	struct gm_mib_context contexts[GM_MIB_CONTEXTS];
	int64_t tenants_at;
	bool tenants_left_out; /* there are more than contexts */

	/* trap.c */
	struct gm_transition *current; /* taken from the queue, not acknowledged */
	uint32_t agent_events;         /* bits 1 << GM_MIB_START, …: to be sent */
	unsigned agent_event;          /* the one of them whose turn it is, or 0 */
	int64_t heartbeat_at;
	int in_flight; /* request id of the Notify that the master has not answered, or 0 */
	unsigned refusals;
	int64_t notify_at;

	struct gm_vm_trap *vm_trap; /* vm_trap.c; NULL: such notifications are not asked for */
	/* inform.c */
	struct gm_inform_target *targets;

	/* set.c */
	size_t set_count;
	struct gm_mib_set sets[GM_MIB_SETS];
	/* set_rows.c: committed, and not in a snapshot yet */
	size_t pending_count;
	struct gm_mib_set pending[GM_MIB_SETS]; /* `at`: when it was committed */
	uint64_t changes;                       /* the number of the newest */
	struct gm_log_limit set_limit;

	/* handler.c: the snapshot of the PDU that is being answered, and a tenant's part of it */
	struct gm_mib_view view;
	size_t last_row;
	struct gm_snapshot *scope;
	const struct gm_mib_context *scope_of;
	long transaction;
	int64_t held_at;
};

/* Writes a module's root into `name` (MAX_OID_LEN long); its length. */
size_t gm_mib_root(const struct gm_mib_module *module, oid *name);

/* Encodes for net-snmp: the ASN.1 type, and where the data is (in `value` or in `room`). */
union gm_mib_room {
	struct counter64 wide;
	oid name[MAX_OID_LEN];
};
u_char gm_mib_encode(const struct gm_mib_value *value, union gm_mib_room *room,
		     const void **ret_data, size_t *ret_length);

/* Says what is wrong, once per state; NULL: all is well. */
void gm_mib_report(struct gm_mib *mib, const char *error);

/*
 * session.c: hooks into the library; out of it again before it is shut down, when it frees whatever was
 * given to a callback; what is due now.
 */
void gm_mib_session_init(struct gm_mib *mib);
void gm_mib_session_exit(struct gm_mib *mib);
void gm_mib_session_tick(struct gm_mib *mib);

/*
 * registry.c: the default context from the start; a session has begun or ended, with everything that was
 * registered; what is due now; nothing in the library's tree is ours any more.
 */
void gm_mib_registry_init(struct gm_mib *mib);
void gm_mib_registry_reset(struct gm_mib *mib);
void gm_mib_registry_tick(struct gm_mib *mib, int64_t now);

/* trap.c */
void gm_mib_trap_tick(struct gm_mib *mib, int64_t now);
void gm_mib_trap_lost_session(struct gm_mib *mib);
/*
 * The name of a module's (GM_MIB_VM, …) notification, of MAX_OID_LEN; returns its length. A Notify to the
 * master agent that begins with it; NULL: no memory. A sink's add() to a PDU.
 */
size_t gm_mib_notification(unsigned module, unsigned number, oid *name);
netsnmp_pdu *gm_mib_notify_pdu(const netsnmp_session *session, unsigned module, unsigned number);
void gm_mib_trap_add(void *pdu, const struct gm_mib_oid *id, const struct gm_mib_value *value);

/* set.c: a phase of a SET (RFC 2741, 7.2.4), called by the handler. */
int gm_mib_set(const struct gm_mib_registration *one, const struct gm_mib_view *view,
	       netsnmp_agent_request_info *info, netsnmp_request_info *requests);

/*
 * set_rows.c: tables whose rows are made or changed. A variable alone; into the draft of its row; that, once
 * all variables are in (both SNMP_ERR_…). Then what was committed, what a snapshot shows of that, and a
 * snapshot that shows all of it (over `whole`, which outlives it; NULL: no memory).
 */
bool gm_mib_is_row(const uint32_t *id, size_t length);
int gm_mib_row_read(const struct gm_mib_view *view, const uint32_t *id, size_t length,
		    const netsnmp_variable_list *variable, struct gm_mib_change *ret_change);
int gm_mib_row_keep(struct gm_mib *mib, const struct gm_mib_view *view, long transaction,
		    const uint32_t *id, const netsnmp_variable_list *variable,
		    const struct gm_mib_change *change);
int gm_mib_row_settle(struct gm_mib *mib, const struct gm_mib_view *view, long transaction,
		      const struct gm_mib_change *change);
void gm_mib_row_commit(struct gm_mib *mib, struct gm_mib_change *change);
void gm_mib_row_shown(struct gm_mib *mib, const struct gm_snapshot *snapshot);
struct gm_snapshot *gm_mib_row_overlay(const struct gm_mib *mib, const struct gm_snapshot *whole);

/* inform.c: what is due; closes all sessions. */
void gm_inform_tick(struct gm_mib *mib);
void gm_inform_exit(struct gm_mib *mib);

/* vm_trap.c: 0 or -ENOMEM. */
int gm_mib_vm_trap_create(struct gm_mib *mib);
void gm_mib_vm_trap_free(struct gm_mib *mib);
void gm_mib_vm_trap_tick(struct gm_mib *mib, int64_t now);

/*
 * handler.c: what a context shows to all of a transaction (false: nothing yet); GET of a variable (NULL view:
 * no such instance), and GETNEXT, which is false when the module has nothing after it.
 */
bool gm_mib_view(struct gm_mib *mib, const struct gm_mib_context *context, long transaction,
		 struct gm_mib_view *ret_view);
/* The part of the variable's name below our root: its length; nothing when it is before the root. */
size_t gm_mib_below_root(const netsnmp_variable_list *variable, size_t root_length,
			 uint32_t ret_id[MAX_OID_LEN]);
int gm_mib_get_variable(const struct gm_mib_module *module, const struct gm_mib_view *view,
			netsnmp_variable_list *variable);
bool gm_mib_next_variable(const struct gm_mib_module *module, const struct gm_mib_view *view,
			  netsnmp_variable_list *variable);
/* The handler of every registration, and letting go of a snapshot that is held for nobody. */
int gm_mib_handle(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
		  netsnmp_agent_request_info *info, netsnmp_request_info *requests);
void gm_mib_release(struct gm_mib *mib);
void gm_mib_release_scope(struct gm_mib *mib);

/* request.c: the session's callback; the Response to a Get or GetNext, made of its variables; NULL: no memory. */
int gm_mib_on_pdu(int operation, netsnmp_session *session, int id, netsnmp_pdu *pdu, void *user);
netsnmp_pdu *gm_mib_response(struct gm_mib *mib, netsnmp_pdu *pdu);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SNMP face: our MIBs by an AgentX subagent, and the notifications. One thread, `agent`,
 * makes every call to net-snmp's agent library; it reads snapshots and waits for nobody.
 *
 * Notifications are handed over in order of their sequence numbers. Each is reported back through
 * `delivered` once the master has acknowledged it; while the master is away they wait here. The owner
 * hands over at most GM_MIB_SPOOL ahead of the last one delivered.
 */
#ifndef GM_NORTH_MIB_MIB_H
#define GM_NORTH_MIB_MIB_H

#include "base/error.h"
#include "base/option.h"
#include "model/alarm.h"
#include "model/snapshot.h"

struct gm_mib;

struct gm_mib_options {
	bool enabled;
	char agentx_socket[256]; /* "/var/agentx/master", "tcp:127.0.0.1:705" */
	int64_t timeout;         /* ns that a synchronous AgentX exchange may take */
	bool vm_notifications, vm_bulk_notifications; /* VM-MIB's, of each machine and of many */
	int64_t heartbeat; /* ns between two guestmonHeartbeat; 0: none */
	/* Whether managers may SET what the MIB calls read-write. */
	bool writable;
};
extern const struct gm_option gm_mib_option_table[];

enum {
	GM_MIB_SPOOL = 256,
	GM_MIB_CONTEXTS = 65, /* the whole node, and as many tenants */
};

struct gm_mib_status {
	bool connected;
	uint64_t connects;      /* sessions opened since the start */
	uint32_t wanted;        /* registrations: one for each MIB and context */
	uint32_t registered;    /* those that the master agent has */
	uint64_t requests;      /* AgentX requests served */
	uint64_t notifications; /* acknowledged */
	uint64_t spooled;       /* waiting for the master */
	uint64_t tests;         /* guestmonTest: acknowledged */
	char error[384];
};

enum gm_mib_change_kind {
	GM_MIB_ACKNOWLEDGE,
	GM_MIB_UNACKNOWLEDGE,
	GM_MIB_COMMENT,
	GM_MIB_PAUSE,
	GM_MIB_RESUME,
	GM_MIB_THRESHOLD,
	GM_MIB_DETECTOR_INHERIT, /* as the configuration has it */
	GM_MIB_DETECTOR_ON,
	GM_MIB_DETECTOR_OFF,
};

/* What a manager wants to be changed. */
struct gm_mib_change {
	enum gm_mib_change_kind kind;
	uint32_t alarm;        /* its id */
	char text[GM_COMMENT]; /* the comment, or the output's or detector's name */
	uint8_t guest[GM_UUID_SIZE];
	struct gm_threshold_row threshold; /* as it is to be */
	uint64_t number; /* of a threshold or detector: to be the snapshot's `changes` then */
};

struct gm_mib_host {
	/* From the agent thread: a change that was checked, and committed by the master agent. */
	void (*change)(void *user, const struct gm_mib_change *change);
	/* From the agent thread: notification `sequence` and all before it are with the master. */
	void (*delivered)(void *user, uint64_t sequence);
	/* From the agent thread, on change and once a second. */
	void (*status)(void *user, const struct gm_mib_status *status);
	/* Pure: a new threshold's values; whether one is whole, -EINVAL with what is wrong. */
	void (*threshold_defaults)(struct gm_threshold_row *row);
	int (*threshold_check)(const struct gm_threshold_row *row, struct gm_error *err);
	void *user;
};

/* Starts the thread. `slot` and `host` outlive it. 0 or a negative errno. */
int gm_mib_start(const struct gm_mib_options *options, struct gm_snapshot_slot *slot,
		 const struct gm_mib_host *host, struct gm_mib **ret_mib, struct gm_error *err);

/* Gives a transition to be notified; copied. Never blocks. Main thread. -ENOSPC: the spool is full. */
int gm_mib_notify(struct gm_mib *mib, const struct gm_transition *transition);

/* Has a guestmonTest sent; the status counts those that the master has. Main thread. */
void gm_mib_test(struct gm_mib *mib);

/* The master agent's socket, as configured. */
const char *gm_mib_socket(const struct gm_mib *mib);

/* Whether it names one: a path, or tcp:HOST:PORT (tcp6:[HOST]:PORT). Pure. */
bool gm_mib_socket_is_good(const char *agentx_socket);

/*
 * Whether the master agent's socket lets this process in, tried without waiting: 0, or -ENOENT (nobody has
 * made it), -EACCES (not for this user), -ECONNREFUSED (its owner is gone), -EAGAIN (its owner does not take
 * connections); a sentence of what to do in `err`. An address that is no path is not tried: -ENOTSUP.
 */
int gm_mib_probe(const char *agentx_socket, struct gm_error *err);

/* Ends the thread; what was not delivered stays with the owner (its position tells). */
void gm_mib_stop(struct gm_mib *mib);

#endif

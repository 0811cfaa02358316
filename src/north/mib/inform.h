/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Informs that guestmond sends itself, as the output `snmp-inform` (inform_output.c, main thread) has them
 * sent by the agent thread (inform.c): net-snmp is not thread-safe, and what it knows of SNMPv3's users and
 * engines is one per process. The two ends share a link; jobs go one way through the agent's queue, one
 * answer at a time comes back. Private to this folder.
 */
#ifndef GM_NORTH_MIB_INFORM_H
#define GM_NORTH_MIB_INFORM_H

#include "model/alarm.h"
#include "north/mib/mib.h"
#include "north/output.h"
#include "north/secret.h"

extern const struct gm_output_ops gm_inform_output_ops;

enum gm_inform_level { GM_INFORM_NO_AUTH, GM_INFORM_AUTH, GM_INFORM_PRIV };

struct gm_inform_settings {
	char peer[96]; /* "udp:192.0.2.1:162" */
	bool v3;
	char name[GM_SECRET]; /* the community, or the user */
	enum gm_inform_level level;
	char auth_protocol[16], priv_protocol[16]; /* "SHA-256", "AES" */
	char auth_secret[GM_SECRET], priv_secret[GM_SECRET];
	int64_t timeout; /* ns */
};

struct gm_inform_answer {
	uint64_t ticket;
	enum gm_verdict_kind kind;
	char reason[160];
};

struct gm_inform_link;

/* With a reference for each end. `wake` is called on the agent thread when there is an answer. */
struct gm_inform_link *gm_inform_link_create(void (*wake)(void *user), void *user);
/* Main's end: there is no `wake` after this. */
void gm_inform_link_close(struct gm_inform_link *link);
bool gm_inform_link_take(struct gm_inform_link *link, struct gm_inform_answer *ret_answer);
/* The agent's end. */
void gm_inform_link_answer(struct gm_inform_link *link, const struct gm_inform_answer *answer);
void gm_inform_link_release(struct gm_inform_link *link);

enum gm_inform_kind { GM_INFORM_OPEN, GM_INFORM_SEND, GM_INFORM_CLOSE };

struct gm_inform_job {
	enum gm_inform_kind kind;
	struct gm_inform_link *link; /* whose; in GM_INFORM_OPEN with the agent's reference */
	struct gm_inform_settings settings;
	struct gm_transition transition;
	uint64_t ticket;
};
void gm_inform_job_free(void *job);

/* Takes the job to the agent thread. Main thread. */
void gm_mib_inform(struct gm_mib *mib, struct gm_inform_job *job);

#endif

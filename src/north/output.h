/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An output tells one system outside what the alarm engine has decided: a webhook, Aodh, a syslog
 * server. A driver is a const struct of functions in gm_output_types[]; each file in the directory of
 * outputs makes one instance of a driver, with a name of its own.
 *
 * A driver sends one message and says what became of it. Everything else is the outbox's
 * (daemon/outbox.h): the durable position, order, retries and their back-off, expiry, bounds. So a
 * driver keeps no queue, and it never tries again by itself.
 *
 * All functions are called on the main thread and never wait: work is done by the loop, by the shared
 * HTTP client, or on a thread of the driver's own that reports back by a uv_async_t.
 */
#ifndef GM_NORTH_OUTPUT_H
#define GM_NORTH_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"
#include "base/option.h"
#include "model/alarm.h"
#include "model/snapshot.h"
#include "north/http/http.h"

struct gm_output; /* each driver's own */
struct gm_output_options;
struct gm_mib;
struct gm_state;

/* What is to be told. Valid during send() only: copy what is needed later. */
struct gm_message {
	const struct gm_transition *transition;
	const char *node;
	const char *
		key; /* for receivers that tell repeats: "NODE/SEQUENCE", the same in every attempt */
	int64_t sent_at;  /* node's time of this attempt; found and journalled: in the transition */
	unsigned attempt; /* 1, 2, … since the daemon's start */
};

enum gm_verdict_kind {
	GM_VERDICT_DELIVERED, /* it has arrived, for good */
	GM_VERDICT_RETRY, /* the receiver is away or overloaded: all of the output's messages wait */
	GM_VERDICT_REFUSED, /* the receiver does not want this message: it alone is tried a few times more */
};

struct gm_verdict {
	enum gm_verdict_kind kind;
	bool doubt; /* RETRY: it may have arrived all the same; where telling twice is worse than not at all */
	int64_t retry_after; /* ns, the receiver's own wish; 0: the back-off decides */
	const char *reason;  /* one sentence, quoted, without secrets; NULL when delivered */
};

/* Handed to create(); all outlive the output. */
struct gm_output_host {
	uv_loop_t *loop;
	struct gm_http *http;
	struct gm_mib *const *mib; /* the SNMP agent; NULL behind it while none runs */
	struct gm_state *state;    /* for the journal of actions (state/action.h) alone */
	const char *name;          /* of the instance */
	const char *node;
	/* Which transitions it is given. During create() only; NULL: all. */
	const struct gm_output_options *options;
	/* To be called exactly once for each send(), also from within it, until close(). */
	void (*done)(void *user, uint64_t ticket, const struct gm_verdict *verdict);
	void *user;
};

struct gm_output_ops {
	const char *type, *help;
	const struct gm_option *options; /* beyond gm_output_option_table */
	size_t options_size;             /* of the struct that they describe */
	unsigned
		in_flight; /* messages at a time; about the same there is never more than one, but: */
	bool in_order;     /* the driver itself keeps the order of all that it is given */

	/* What concerns more than one option, or a file. May be NULL. The sentence names the option. */
	int (*check)(const void *options, struct gm_error *err);
	/* `options` is the caller's. Makes no connection yet. 0, -ENOMEM or what check() would say. */
	int (*create)(const void *options, const struct gm_output_host *host,
		      struct gm_output **ret_output, struct gm_error *err);
	void (*send)(struct gm_output *output, const struct gm_message *message, uint64_t ticket);
	/* About once a second; may be NULL. `snapshot` is valid during the call. */
	void (*tick)(struct gm_output *output, const struct gm_snapshot *snapshot, int64_t now);
	/* Ends what is in flight without a verdict and frees the output once its handles are closed. */
	void (*close)(struct gm_output *output);
};

/* The drivers, NULL at the end. */
extern const struct gm_output_ops *const gm_output_types[];
const struct gm_output_ops *gm_output_type(const char *name); /* NULL: there is none */

enum { GM_OUTPUT_NAME = 48, GM_OUTPUT_PATTERNS = 256 };

/* In the order of importance, NULL at the end: indexes of options called `severity`. */
extern const char *const gm_output_severities[];

/* What every output has: which transitions it tells, and how long it insists. */
struct gm_output_options {
	bool enabled;
	int severity; /* index of the least severe that is told; see the table */
	char detectors[GM_OUTPUT_PATTERNS]; /* gm_text_match() patterns */
	char guests
		[GM_OUTPUT_PATTERNS]; /* of names; what is no guest's is told where "*" or "-" match */
	char projects[GM_OUTPUT_PATTERNS]; /* of projects; likewise */
	bool changes;                      /* tell changes, too, not only raise and clear */
	int64_t retry_min, retry_max;      /* ns: the back-off's first and longest pause */
	int64_t refusals;                  /* attempts before a refused message is given up */
	int64_t expiry;                    /* ns: what is older is given up */
	int64_t backlog; /* transitions that may wait: what is over is given up, oldest first */
};
extern const struct gm_option gm_output_option_table[];

/* Whether a severity is at least that of the option `severity`, whose index is `least`. */
bool gm_output_is_severe(int least, enum gm_severity severity);

/* Whether the output tells of this alarm: it is judged by the worst that was told of it so far. */
bool gm_output_covers(const struct gm_output_options *options, const struct gm_alarm *alarm);

/*
 * Whether the output tells this transition, of an alarm that it covers. A change by which the alarm becomes
 * severe enough is told whatever `changes` says.
 */
bool gm_output_wants(const struct gm_output_options *options,
		     const struct gm_transition *transition);

/*
 * Under which severities it may have told the alarm before this transition, bits 1 << severity, as far as the
 * record says. 0: it has not, or nothing is known.
 */
unsigned gm_output_told_before(const struct gm_output_options *options,
			       const struct gm_alarm *alarm);

#endif

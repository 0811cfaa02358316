/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all outputs have in common that do something instead of telling it: nothing before dry-run is
 * switched off, at most so many in a time, and on one guest only so often, nothing for an alarm that is
 * no longer new, once for an alarm; each decision and what became of it is in the journal of actions
 * (state/action.h) before it is sent. The limits are counted in that journal: a restart forgets none, and a
 * message that the outbox gives twice is not done twice.
 *
 * An output type of this kind is a `gm_action_ops` (how it is done), an option struct that begins with its
 * gm_action_options, and a gm_output_ops with GM_ACTION_OUTPUT_OPS whose create() calls gm_action_create().
 */
#ifndef GM_NORTH_ACTION_H
#define GM_NORTH_ACTION_H

#include "north/output.h"

struct gm_action; /* each kind's own */

struct gm_action_options {
	bool dry_run;
	char rules[GM_OUTPUT_PATTERNS];
	int64_t limit, interval, again_after, max_age;
};
enum { GM_ACTION_LIMIT = 1000 };
/* clang-format off */
#define GM_ACTION_OPTIONS(structure, at)                                                          \
	{.key = "dry-run", .type = GM_OPTION_BOOL, GM_OPTION_AT(structure, at.dry_run),           \
	 .fallback = "yes", .help = "Only journal and log what would be done."},                  \
	{.key = "rules", .type = GM_OPTION_TEXT, GM_OPTION_AT(structure, at.rules), .fallback = "", \
	 .help = "Patterns of the policies and rules for whose alarms it is done, separated by commas; !x " \
		 "excludes x. Empty: for all, where nothing says that they have to be named."},   \
	{.key = "limit", .type = GM_OPTION_INT, GM_OPTION_AT(structure, at.limit),                \
	 .min = 1, .max = GM_ACTION_LIMIT, .fallback = "1",                                       \
	 .help = "Actions within limit-interval, on all guests of the node together; what is over is " \
		 "not done."},                                                                    \
	{.key = "limit-interval", .type = GM_OPTION_DURATION, GM_OPTION_AT(structure, at.interval), \
	 .min = 1e9, .max = 30 * 86400e9, .fallback = "1h", .help = "The time of limit."},        \
	{.key = "again-after", .type = GM_OPTION_DURATION, GM_OPTION_AT(structure, at.again_after), \
	 .min = 1e9, .max = 30 * 86400e9, .fallback = "1h",                                       \
	 .help = "How long after an action nothing more is done to the same guest, or node."},    \
	{.key = "max-age", .type = GM_OPTION_DURATION, GM_OPTION_AT(structure, at.max_age),       \
	 .min = 1e9, .max = 86400e9, .fallback = "1m",                                            \
	 .help = "Nothing is done for an alarm that is older, because the service was away, say."}
/* clang-format on */

enum gm_action_outcome {
	GM_ACTION_TAKEN,
	GM_ACTION_TRY_AGAIN, /* certainly not taken; the receiver is away or busy */
	GM_ACTION_NOT_TAKEN, /* the receiver does not want it: tried a few times more, as outputs do */
	GM_ACTION_IN_VAIN,   /* nor will it ever */
	GM_ACTION_NOT_KNOWN, /* it may have been taken: not done again, unless `repeatable` */
};
struct gm_action_answer {
	enum gm_action_outcome outcome;
	const char *text; /* for the journal: a sentence, or what the receiver calls it; or NULL */
	int64_t retry_after;
};

struct gm_action_host {
	struct gm_output_host output; /* its done() is not for the kind */
	/* Once for each perform(), also from within it, until close(). */
	void (*done)(void *user, const struct gm_action_answer *answer);
	void *user;
};

struct gm_action_ops {
	bool repeatable; /* the receiver knows the same action again by its key */
	/* `ops` is this struct: it may be the beginning of a larger one. */
	int (*create)(const struct gm_action_ops *ops, const void *options,
		      const struct gm_action_host *host, struct gm_action **ret_action,
		      struct gm_error *err);
	/* What is done for such an alarm, in a word or three, into `name`; false: nothing is. */
	bool (*name)(const struct gm_action *action, const struct gm_alarm *alarm, char *name,
		     size_t size);
	void (*perform)(struct gm_action *action, const struct gm_message *message);
	void (*tick)(struct gm_action *action, int64_t now); /* not while dry-run is on; or NULL */
	void (*close)(struct gm_action *action);
};

/* `options` begins with a struct gm_action_options. The rest of gm_output_ops: */
int gm_action_create(const struct gm_action_ops *ops, const void *options,
		     const struct gm_output_host *host, struct gm_output **ret_output,
		     struct gm_error *err);
void gm_action_send(struct gm_output *output, const struct gm_message *message, uint64_t ticket);
void gm_action_tick(struct gm_output *output, const struct gm_snapshot *snapshot, int64_t now);
void gm_action_close(struct gm_output *output);
#define GM_ACTION_OUTPUT_OPS \
	.in_flight = 1, .send = gm_action_send, .tick = gm_action_tick, .close = gm_action_close

/* For check(): -EINVAL unless `rules` says for which; `what` is what must not be done for any alarm. */
int gm_action_check_rules(const struct gm_action_options *options, const char *what,
			  struct gm_error *err);

/* Whether it is an alarm of the node as such: no guest's, and not the daemon's about itself. */
bool gm_action_is_of_node(const struct gm_alarm *alarm);

#endif

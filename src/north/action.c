/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether an action is done, and what the journal says of it; see action.h. How it is done is the
 * business of its kind. One action at a time: the outbox gives the next message after the verdict.
 */
#include "north/action.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "north/message.h"
#include "state/action.h"

/* What counts against the limits: done, or it would have been, or it may have been. */
#define COUNTED                                                                  \
	(1U << GM_ACTION_DRY | 1U << GM_ACTION_SENT | 1U << GM_ACTION_ACCEPTED | \
	 1U << GM_ACTION_UNSURE)

#define SETTLE_INTERVAL (60 * GM_SECOND)

struct gm_output {
	const struct gm_action_ops *ops;
	struct gm_action_options options;
	struct gm_output_host host;
	struct gm_action *action;
	struct gm_action_row row; /* of the action under way */
	bool doubt;               /* an earlier attempt at it may have been taken */
	/* What the journal could not be told yet, and is before anything else is done. */
	struct gm_action_row late;
	bool is_late, unsettled; /* there is such a row; those of before are still "sent" */
	uint64_t ticket;
	int64_t settled_at; /* monotonic */
};

static void tell(struct gm_output *output, enum gm_verdict_kind kind, const char *reason,
		 int64_t retry_after)
{
	const struct gm_verdict verdict = {
		.kind = kind, .reason = reason, .retry_after = retry_after};
	output->host.done(output->host.user, output->ticket, &verdict);
}

/* The state is durable when 0 is returned. */
static int note(struct gm_output *output, enum gm_action_state state, const char *answer,
		struct gm_error *err)
{
	struct gm_action_row *row = &output->row;
	row->state = state;
	row->changed_at = gm_clock_now();
	gm_text_copy(row->answer, sizeof(row->answer), answer);
	return gm_state_action_put(output->host.state, row, err);
}

/* What is so already: where it cannot be written now it is later. */
static void note_fact(struct gm_output *output, enum gm_action_state state, const char *answer)
{
	struct gm_error err;
	if (note(output, state, answer, &err) == 0)
		return;
	output->late = output->row;
	output->is_late = true;
	gm_log(GM_LOG_ERROR, "output %s: %s", output->host.name, err.text);
}

static void say(const struct gm_output *output, enum gm_log_level level, const char *what,
		const char *text)
{
	const struct gm_action_row *row = &output->row;
	char quoted[2 * GM_ACTION_ANSWER];
	gm_text_quote(quoted, sizeof(quoted), text);
	gm_log(level, "output %s: %s of %s for alarm %" PRIu32 ": %s%s%s", output->host.name,
	       row->action, row->target, row->alarm, what, text[0] != '\0' ? ": " : "",
	       text[0] != '\0' ? quoted : "");
}

/* ---- what became of it ---- */

/* Of each outcome: what the journal says, and what the outbox is told. */
static const struct {
	enum gm_action_state state;
	enum gm_verdict_kind verdict;
	enum gm_log_level level;
	const char *what;
} outcomes[] = {
	[GM_ACTION_TAKEN] = {GM_ACTION_ACCEPTED, GM_VERDICT_DELIVERED, GM_LOG_NOTICE, "accepted"},
	[GM_ACTION_TRY_AGAIN] = {GM_ACTION_DECIDED, GM_VERDICT_RETRY, GM_LOG_INFO, "later again"},
	[GM_ACTION_NOT_TAKEN] = {GM_ACTION_REFUSED, GM_VERDICT_REFUSED, GM_LOG_WARNING, "refused"},
	[GM_ACTION_IN_VAIN] = {GM_ACTION_REFUSED, GM_VERDICT_DELIVERED, GM_LOG_WARNING, "refused"},
	[GM_ACTION_NOT_KNOWN] = {GM_ACTION_UNSURE, GM_VERDICT_DELIVERED, GM_LOG_WARNING,
				 "it may have been taken"},
};

static void on_done(void *user, const struct gm_action_answer *answer)
{
	struct gm_output *output = user;
	const char *text = answer->text ? answer->text : "";
	enum gm_action_outcome outcome = answer->outcome;
	output->doubt |= outcome == GM_ACTION_NOT_KNOWN;
	if (outcome == GM_ACTION_NOT_KNOWN && output->ops->repeatable)
		outcome = GM_ACTION_TRY_AGAIN;
	enum gm_action_state state = outcomes[outcome].state;
	/* That this attempt was not taken says nothing of the one before it, which counts. */
	if (output->doubt && state != GM_ACTION_ACCEPTED)
		state = GM_ACTION_UNSURE;
	say(output, outcomes[outcome].level, outcomes[outcome].what, text);
	note_fact(output, state, text);
	enum gm_verdict_kind verdict = outcomes[outcome].verdict;
	tell(output, verdict, verdict == GM_VERDICT_DELIVERED ? NULL : text, answer->retry_after);
}

/* ---- whether it is done ---- */

static bool is_occasion(const struct gm_output *output, const struct gm_transition *transition)
{
	const char *rules = output->options.rules;
	return gm_transition_is_occasion(transition) &&
	       (rules[0] == '\0' || gm_text_match(rules, transition->alarm.rule));
}

static int64_t count(const struct gm_output *output, struct gm_action_query query)
{
	return gm_state_actions_count(output->host.state, &output->row, &query);
}

/* Why it is not to be done now; NULL: it is. -EIO: a journal that cannot be read allows nothing. */
static int find_obstacle(const struct gm_output *output, const struct gm_message *message,
			 const char **ret_why)
{
	const struct gm_action_options *options = &output->options;
	int64_t now = message->sent_at;
	*ret_why = "the alarm is older than max-age";
	if (now - message->transition->time > options->max_age)
		return 0;
	int64_t same = count(output, (struct gm_action_query){.since = now - options->again_after,
							      .states = COUNTED,
							      .target = true});
	int64_t all = count(output, (struct gm_action_query){.since = now - options->interval,
							     .states = COUNTED});
	if (same < 0 || all < 0)
		return -EIO;
	*ret_why = same > 0                ? "again-after is not over"
		   : all >= options->limit ? "there were as many as limit allows"
					   : NULL;
	return 0;
}

/* How many of its alarm; -EIO. Once for an alarm, however often it changes; and once said that it is withheld. */
static int64_t count_of_alarm(const struct gm_output *output, unsigned states)
{
	return count(output, (struct gm_action_query){.states = states, .alarm = true});
}

static void withhold(struct gm_output *output, const char *why)
{
	enum gm_action_state state = output->row.state;
	char text[GM_ACTION_ANSWER];
	/* What it was told before is why it comes too late. */
	bool tried = output->row.attempts > 0 && output->row.answer[0] != '\0';
	snprintf(text, sizeof(text), "%s%s%s", why, tried ? "; last: " : "",
		 tried ? output->row.answer : "");
	/* What may have been done stays so, and counts. What was tried is not left as if it still were. */
	bool unsure = state == GM_ACTION_SENT || state == GM_ACTION_UNSURE;
	if (!unsure &&
	    (output->row.attempts > 0 || count_of_alarm(output, 1U << GM_ACTION_WITHHELD) <= 0)) {
		say(output, GM_LOG_NOTICE, "withheld", text);
		note_fact(output, GM_ACTION_WITHHELD, text);
	}
	tell(output, GM_VERDICT_DELIVERED, NULL, 0);
}

static void begin(struct gm_output *output, const struct gm_message *message)
{
	bool dry = output->options.dry_run;
	struct gm_error err;
	output->doubt =
		output->row.state == GM_ACTION_SENT || output->row.state == GM_ACTION_UNSURE;
	output->row.attempts++;
	/* First the journal: what it does not know of is not done. */
	if (note(output, dry ? GM_ACTION_DRY : GM_ACTION_SENT, "", &err) < 0) {
		tell(output, GM_VERDICT_RETRY, err.text, 0);
		return;
	}
	if (dry || output->row.attempts == 1)
		say(output, GM_LOG_NOTICE, dry ? "dry-run, it would be done" : "begins", "");
	if (dry)
		tell(output, GM_VERDICT_DELIVERED, NULL, 0);
	else
		output->ops->perform(output->action, message);
}

/* The row of this transition: the one that the journal has, or a new one. -EIO: it cannot be read. */
static int find_row(struct gm_output *output, const struct gm_message *message, const char *name)
{
	const struct gm_alarm *alarm = &message->transition->alarm;
	struct gm_action_row *row = &output->row;
	uint64_t sequence = message->transition->sequence;
	int result = gm_state_action_get(output->host.state, output->host.name, sequence, row);
	if (result != -ENOENT)
		return result;
	*row = (struct gm_action_row){
		.alarm = alarm->id,
		.sequence = sequence,
		.state = GM_ACTION_DECIDED,
		.made_at = message->sent_at,
	};
	gm_text_copy(row->output, sizeof(row->output), output->host.name);
	gm_text_copy(row->action, sizeof(row->action), name);
	gm_text_copy(row->detector, sizeof(row->detector), alarm->detector);
	gm_text_copy(row->rule, sizeof(row->rule), alarm->rule);
	if (gm_alarm_has_guest(alarm)) {
		gm_uuid_text(alarm->guest, row->target);
		gm_text_copy(row->name, sizeof(row->name), alarm->guest_name);
	} else {
		gm_text_copy(row->target, sizeof(row->target), message->node);
	}
	return 0;
}

/* Whether this very transition was done before; the outbox gives a message at least once. */
static bool is_done(const struct gm_output *output)
{
	switch (output->row.state) {
	case GM_ACTION_ACCEPTED:
		return true;
	case GM_ACTION_DRY:
		return output->options.dry_run;
	case GM_ACTION_SENT:
	case GM_ACTION_UNSURE:
		return !output->ops->repeatable || output->options.dry_run;
	default:
		return false;
	}
}

/* 1: it is to be done, or withheld for `ret_obstacle`; 0: it was dealt with; -EIO. */
static int decide(struct gm_output *output, const struct gm_message *message, const char *name,
		  const char **ret_obstacle)
{
	if (find_row(output, message, name) < 0)
		return -EIO;
	int64_t others = is_done(output) ? 1 : count_of_alarm(output, COUNTED);
	if (others != 0)
		return others < 0 ? -EIO : 0;
	return find_obstacle(output, message, ret_obstacle) < 0 ? -EIO : 1;
}

/* ---- what the journal is behind with ---- */

static int settle_old(struct gm_output *output)
{
	int result =
		gm_state_actions_interrupted(output->host.state, output->host.name, gm_clock_now(),
					     "the output ended before the answer came");
	output->unsettled = result < 0;
	return result;
}

/*
 * The journal as it would be if it could always be written. Negative: it is not, and what it says of an action
 * may be wrong; none is begun then, which it would have to be told of first anyhow.
 */
static int catch_up(struct gm_output *output)
{
	if (output->is_late) {
		int result = gm_state_action_put(output->host.state, &output->late, NULL);
		output->is_late = result < 0;
		if (result < 0)
			return result;
	}
	return output->unsettled ? settle_old(output) : 0;
}

void gm_action_send(struct gm_output *output, const struct gm_message *message, uint64_t ticket)
{
	char name[sizeof(output->row.action)];
	const char *obstacle = NULL;
	output->ticket = ticket;
	if (!is_occasion(output, message->transition) ||
	    !output->ops->name(output->action, &message->transition->alarm, name, sizeof(name))) {
		tell(output, GM_VERDICT_DELIVERED, NULL, 0);
		return;
	}
	if (catch_up(output) < 0) {
		tell(output, GM_VERDICT_RETRY, "the journal of actions cannot be written", 0);
		return;
	}
	int decision = decide(output, message, name, &obstacle);
	if (decision < 0)
		tell(output, GM_VERDICT_RETRY, "the journal of actions cannot be read", 0);
	else if (decision == 0)
		tell(output, GM_VERDICT_DELIVERED, NULL, 0);
	else if (obstacle)
		withhold(output, obstacle);
	else
		begin(output, message);
}

/* ---- life ---- */

static void check_settled(const struct gm_output_host *host, int result)
{
	if (result < 0)
		gm_log(GM_LOG_ERROR, "output %s: the journal of actions cannot be written",
		       host->name);
}

/* What the outbox gave up, by its expiry or backlog, nobody tells of here. */
static void settle_outdated(struct gm_output *output)
{
	int64_t now = gm_clock_now(), monotonic = gm_clock_monotonic();
	if (monotonic - output->settled_at < SETTLE_INTERVAL)
		return;
	output->settled_at = monotonic;
	check_settled(&output->host,
		      gm_state_actions_outdated(output->host.state, output->host.name,
						now - output->options.max_age - SETTLE_INTERVAL,
						now, "it could not be done within max-age"));
}

int gm_action_create(const struct gm_action_ops *ops, const void *options,
		     const struct gm_output_host *host, struct gm_output **ret_output,
		     struct gm_error *err)
{
	struct gm_output *output = calloc(1, sizeof(*output));
	if (!output)
		return gm_error_set(err, -ENOMEM, "out of memory");
	output->ops = ops;
	output->options = *(const struct gm_action_options *)options;
	output->host = *host;
	const struct gm_action_host inner = {.output = *host, .done = on_done, .user = output};
	int result = ops->create(ops, options, &inner, &output->action, err);
	if (result < 0) {
		free(output);
		return result;
	}
	check_settled(host, settle_old(output));
	*ret_output = output;
	return 0;
}

void gm_action_tick(struct gm_output *output, const struct gm_snapshot *snapshot, int64_t now)
{
	(void)snapshot;
	if (catch_up(output) == 0)
		settle_outdated(output);
	if (output->ops->tick && !output->options.dry_run)
		output->ops->tick(output->action, now);
}

void gm_action_close(struct gm_output *output)
{
	output->ops->close(output->action);
	output->unsettled = true;
	check_settled(&output->host, catch_up(output));
	free(output);
}

int gm_action_check_rules(const struct gm_action_options *options, const char *what,
			  struct gm_error *err)
{
	if (options->rules[0] != '\0')
		return 0;
	return gm_error_set(err, -EINVAL,
			    "rules: name the policies whose alarms are faults so hard that %s",
			    what);
}

bool gm_action_is_of_node(const struct gm_alarm *alarm)
{
	return !gm_alarm_has_guest(alarm) && strcmp(alarm->detector, GM_SELF_DETECTOR) != 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program as an action: north/action.c decides, the output type `program` runs it; see program.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "north/action.h"
#include "north/program/program.h"

struct options {
	struct gm_action_options action;
	struct gm_program_options program;
};

static const struct gm_option option_table[] = {
	GM_PROGRAM_OPTIONS(struct options, program.),
	GM_ACTION_OPTIONS(struct options, action),
	GM_OPTION_END,
};

struct gm_action {
	struct gm_action_host host;
	struct gm_output *program;
	char path[GM_PROGRAM_PATH];
};

/* One that was ended may have acted. One that could not be run, or says so itself by EX_TEMPFAIL, has not. */
static void on_verdict(void *user, uint64_t ticket, const struct gm_verdict *verdict)
{
	static const enum gm_action_outcome outcomes[] = {
		[GM_VERDICT_DELIVERED] = GM_ACTION_TAKEN,
		[GM_VERDICT_RETRY] = GM_ACTION_TRY_AGAIN,
		[GM_VERDICT_REFUSED] = GM_ACTION_NOT_TAKEN,
	};
	const struct gm_action *action = user;
	const struct gm_action_answer answer = {
		.outcome = verdict->doubt ? GM_ACTION_NOT_KNOWN : outcomes[verdict->kind],
		.text = verdict->kind == GM_VERDICT_DELIVERED ? "status 0" : verdict->reason,
	};

	(void)ticket;
	action->host.done(action->host.user, &answer);
}

static int create_action(const struct gm_action_ops *ops, const void *all,
			 const struct gm_action_host *host, struct gm_action **ret_action,
			 struct gm_error *err)
{
	const struct options *options = all;
	struct gm_action *action = calloc(1, sizeof(*action));
	struct gm_output_host inner = host->output;

	(void)ops;
	if (!action)
		return gm_error_set(err, -ENOMEM, "out of memory");
	action->host = *host;
	gm_text_copy(action->path, sizeof(action->path), options->program.program);
	inner.done = on_verdict;
	inner.user = action;
	int rc = gm_program_ops.create(&options->program, &inner, &action->program, err);
	if (rc < 0)
		free(action);
	else
		*ret_action = action;
	return rc;
}

static bool name_action(const struct gm_action *action, const struct gm_alarm *alarm, char *name,
			size_t size)
{
	(void)alarm;
	snprintf(name, size, "run %.80s", action->path);
	return true;
}

static void perform(struct gm_action *action, const struct gm_message *message)
{
	gm_program_ops.send(action->program, message, 0);
}

static void close_action(struct gm_action *action)
{
	gm_program_ops.close(action->program);
	free(action);
}

static const struct gm_action_ops action_ops = {
	.create = create_action,
	.name = name_action,
	.perform = perform,
	.close = close_action,
};

static int check(const void *all, struct gm_error *err)
{
	const struct options *options = all;

	return gm_program_ops.check(&options->program, err);
}

static int create(const void *options, const struct gm_output_host *host,
		  struct gm_output **ret_output, struct gm_error *err)
{
	return gm_action_create(&action_ops, options, host, ret_output, err);
}

const struct gm_output_ops gm_program_action_ops = {
	.type = "program-action",
	.help = "A program of the operator's as an action, with the alarm on its standard input: "
		"never "
		"more than a line in the journal of actions while dry-run is on.",
	.options = option_table,
	.options_size = sizeof(struct options),
	.check = check,
	.create = create,
	GM_ACTION_OUTPUT_OPS,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SNMP agent as an output; see mib_output.h. Made by outputs.c once the agent runs.
 */
#include "daemon/mib_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct gm_output {
	struct gm_mib *mib;
	struct gm_output_host host;
};

static int create(const void *options, const struct gm_output_host *host,
		  struct gm_output **ret_output, struct gm_error *err)
{
	struct gm_output *output = calloc(1, sizeof(*output));
	if (!output)
		return gm_error_set(err, -ENOMEM, "out of memory");
	memcpy(&output->mib, options, sizeof(output->mib));
	output->host = *host;
	*ret_output = output;
	return 0;
}

static void send_message(struct gm_output *output, const struct gm_message *message,
			 uint64_t ticket)
{
	if (gm_mib_notify(output->mib, message->transition) == 0)
		return;
	/* After a replay its queue may still hold what was handed over before. */
	const struct gm_verdict full = {.kind = GM_VERDICT_RETRY,
					.reason = "the agent's queue is full"};
	output->host.done(output->host.user, ticket, &full);
}

static void close_output(struct gm_output *output)
{
	free(output);
}

const struct gm_output_ops gm_mib_output_ops = {
	.type = "agentx",
	.help = "Notifications through the SNMP master agent.",
	.options_size = sizeof(struct gm_mib *),
	.in_flight = GM_MIB_SPOOL,
	.in_order = true,
	.create = create,
	.send = send_message,
	.close = close_output,
};

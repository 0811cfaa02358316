/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer to `snmp`: how far the way to the master agent is open, as the daemon sees it. What a
 * manager sees through the master agent is tried by guestmonctl (cli/check_command.c).
 */
#include "daemon/commands_private.h"

#include <errno.h>

struct gm_json *gm_answer_snmp(const struct gm_query *query)
{
	struct gm_pipeline *pipeline = query->commands->pipeline;
	struct gm_pipeline_status status;
	gm_pipeline_status(pipeline, &status);
	struct gm_mib *mib = status.agent;

	struct gm_json *reply = gm_json_object();
	gm_json_set_text(reply, "node", query->snapshot->agent.node);
	gm_json_set_integer(reply, "boots", query->snapshot->agent.boots);
	gm_json_set_bool(reply, "enabled", mib);
	if (!mib)
		return reply;
	const char *socket = gm_mib_socket(mib);
	if (gm_json_get_bool(query->request, "test"))
		gm_mib_test(mib);

	/* While there is a session the way is open; otherwise what is in the way. */
	struct gm_error err;
	int probe = status.mib.connected ? 0 : gm_mib_probe(socket, &err);
	gm_json_set_text(reply, "socket", socket);
	gm_json_set_bool(reply, "reachable", probe == 0 || probe == -ENOTSUP);
	if (probe < 0)
		gm_json_set_text(reply, "socket_error", err.text);
	gm_json_set_bool(reply, "connected", status.mib.connected);
	gm_json_set_text(reply, "error", status.mib.error);
	gm_json_set_integer(reply, "tests", (int64_t)status.mib.tests);
	gm_json_set_integer(reply, "waiting", (int64_t)status.mib.spooled);
	return reply;
}

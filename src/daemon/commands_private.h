/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that answer control commands share. An answer is NULL with a message in query->err, or
 * an object that the caller owns; or NULL after gm_control_defer().
 */
#ifndef GM_DAEMON_COMMANDS_PRIVATE_H
#define GM_DAEMON_COMMANDS_PRIVATE_H

#include "daemon/commands.h"

struct gm_query {
	const struct gm_commands *commands;
	const struct gm_snapshot *snapshot;
	const struct gm_json *request;
	struct gm_control_asker *asker;
	struct gm_error *err;
};

/* A guest by UUID, libvirt's name or Nova's; NULL with a message. */
const struct gm_guest_row *gm_query_guest(const struct gm_query *query, const char *wanted);

/* A member that is a number, or, as it comes from the command line, a word; -1 where there is none. False: another word. */
bool gm_query_integer(const struct gm_query *query, const char *key, int64_t *ret_number);

/* Left out where it is 0. */
void gm_reply_set_time(struct gm_json *object, const char *key, int64_t time);

/*
 * Who asks: the user at the other end of the socket, and in brackets whom the request names beside it, where that
 * is another (who has become root, say). Returns `author`.
 */
char *gm_query_author(const struct gm_query *query, char author[GM_AUTHOR]);

/* commands_alarms.c */
struct gm_json *gm_answer_alarms(const struct gm_query *query);
struct gm_json *gm_answer_ack(const struct gm_query *query);
struct gm_json *gm_answer_unack(const struct gm_query *query);
struct gm_json *gm_answer_comment(const struct gm_query *query);
struct gm_json *gm_answer_comments(const struct gm_query *query);
struct gm_json *gm_answer_maintenance(const struct gm_query *query); /* commands_maintenance.c */
/* The request's "id"; -EINVAL with a message. */
int gm_query_number(const struct gm_query *query, const char *what, int64_t *ret_number);

/* commands_windows.c */
struct gm_json *gm_answer_windows(const struct gm_query *query);

/* commands_outputs.c */
struct gm_json *gm_answer_outputs(const struct gm_query *query);

/* commands_actions.c */
struct gm_json *gm_answer_actions(const struct gm_query *query);

/* commands_managed.c; the second: the detectors of a guest */
struct gm_json *gm_answer_thresholds(const struct gm_query *query);
struct gm_json *gm_reply_detectors(const struct gm_snapshot *snapshot,
				   const struct gm_guest_row *guest);

/* commands_snmp.c */
struct gm_json *gm_answer_snmp(const struct gm_query *query);

/* commands_learn.c */
struct gm_json *gm_answer_learn(const struct gm_query *query);
struct gm_json *gm_answer_lessons(const struct gm_query *query);
struct gm_json *gm_answer_unlearn(const struct gm_query *query);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said before the first frame: who we are, which schema the keys have, and a write that shows
 * whether writes are taken at all (memory, replica, access list, a disk error that stops writes).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "store/redis/private.h"

enum { PASSWORD_SIZE = 512 };

int gm_redis_password(const struct gm_redis_options *options, char password[PASSWORD_SIZE],
		      struct gm_error *err)
{
	int fd = open(options->password_file, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return gm_error_set(err, -errno, "password file %s: %s", options->password_file,
				    strerror(errno));
	length = read(fd, password, PASSWORD_SIZE - 1);
	int code = length < 0 ? -errno : 0;
	close(fd);
	if (code < 0)
		return gm_error_set(err, code, "password file %s: %s", options->password_file,
				    strerror(-code));
	password[length] = '\0';
	password[strcspn(password, "\r\n")] = '\0';
	return 0;
}

static bool send_auth(struct gm_redis *redis)
{
	const struct gm_redis_options *options = &redis->options;
	char password[PASSWORD_SIZE];
	struct gm_error err;

	if (gm_redis_password(options, password, &err) < 0) {
		gm_redis_fail(redis, GM_REDIS_REFUSED, "%s", err.text);
		return false;
	}
	gm_redis_array(&redis->command, options->username[0] ? 3 : 2);
	gm_redis_text(&redis->command, "AUTH");
	if (options->username[0])
		gm_redis_text(&redis->command, options->username);
	gm_redis_text(&redis->command, password);
	gm_redis_send(redis, GM_REDIS_AUTH, NULL);
	explicit_bzero(password, sizeof(password));
	return true;
}

static void send_schema(struct gm_redis *redis, enum gm_redis_purpose purpose)
{
	gm_redis_array(&redis->command, 3);
	gm_redis_text(&redis->command, "SETNX");
	gm_redis_key(&redis->command, redis->node, "schema", NULL);
	gm_redis_integer(&redis->command, GM_REDIS_SCHEMA);
	gm_redis_send(redis, purpose, NULL);
}

/* Shows that the server answers, and that it has not been emptied in the meantime. */
void gm_redis_heartbeat(struct gm_redis *redis)
{
	send_schema(redis, GM_REDIS_HEARTBEAT);
}

void gm_redis_greet(struct gm_redis *redis)
{
	struct gm_buffer *command = &redis->command;

	if (gm_redis_route_asks(&redis->route)) {
		gm_redis_route_ask(command, &redis->options);
		gm_redis_send(redis, GM_REDIS_MASTER, NULL);
		return;
	}
	if (redis->options.password_file[0] != '\0' && !send_auth(redis))
		return;
	if (redis->options.database != 0) {
		gm_redis_array(command, 2);
		gm_redis_text(command, "SELECT");
		gm_redis_integer(command, (uint64_t)redis->options.database);
		gm_redis_send(redis, GM_REDIS_SELECT, NULL);
	}
	send_schema(redis, GM_REDIS_SCHEMA_SET);
	gm_redis_array(command, 2);
	gm_redis_text(command, "GET");
	gm_redis_key(command, redis->node, "schema", NULL);
	gm_redis_send(redis, GM_REDIS_SCHEMA_GET, NULL);
}

/* Where another version has written, ours must not; so this comes after the schema. */
static void send_probe(struct gm_redis *redis)
{
	struct gm_buffer *command = &redis->command;

	gm_redis_array(command, 5);
	gm_redis_text(command, "XADD");
	gm_redis_key(command, redis->node, "probe", NULL);
	gm_redis_text(command, "1-1");
	gm_redis_text(command, "probe");
	gm_redis_text(command, "1");
	gm_redis_send(redis, GM_REDIS_PROBE, NULL);
	gm_redis_array(command, 2);
	gm_redis_text(command, "DEL");
	gm_redis_key(command, redis->node, "probe", NULL);
	gm_redis_send(redis, GM_REDIS_PROBE_DELETE, NULL);
}

int gm_redis_check_schema(const redisReply *reply, struct gm_error *err)
{
	char quoted[64];
	char expected[16];

	if (reply->type == REDIS_REPLY_NIL)
		return 1;
	if (reply->type != REDIS_REPLY_STRING)
		return gm_error_set(err, -EPROTO, "unexpected reply to GET");
	snprintf(expected, sizeof(expected), "%d", GM_REDIS_SCHEMA);
	if (strcmp(reply->str, expected) == 0)
		return 0;
	gm_text_quote(quoted, sizeof(quoted), reply->str);
	return gm_error_set(err, -EPROTO,
			    "its keys are of schema %s, this guestmon knows %s: not touched",
			    quoted, expected);
}

void gm_redis_refused(struct gm_redis *redis, const redisReply *reply)
{
	static const struct {
		const char *code, *meaning;
	} codes[] = {
		{"NOAUTH", "it asks for a password (password-file): "},
		{"WRONGPASS", "the password or the user is wrong: "},
		{"NOPERM", "the user may not do that: "},
		{"OOM", "its memory is full: "},
		{"READONLY", "it is a replica: "},
		{"LOADING", "it is starting: "},
		{"MISCONF", "it cannot write to its disk: "},
	};
	const char *meaning = "";
	char text[160];

	gm_redis_error_text(reply, text, sizeof(text));
	if (gm_redis_route_moved(&redis->route, text)) {
		gm_redis_redirect(redis);
		return;
	}
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (strncmp(text, codes[i].code, strlen(codes[i].code)) == 0)
			meaning = codes[i].meaning;
	}
	gm_redis_leave(redis, GM_REDIS_REFUSED, "%s%s", meaning, text);
}

void gm_redis_take_schema(struct gm_redis *redis, enum gm_redis_purpose purpose,
			  const redisReply *reply)
{
	bool asked = purpose == GM_REDIS_SCHEMA_SET || purpose == GM_REDIS_HEARTBEAT;

	if (asked && reply->type == REDIS_REPLY_INTEGER && reply->integer == 1)
		gm_redis_emptied(redis);
}

void gm_redis_take_greeting(struct gm_redis *redis, enum gm_redis_purpose purpose,
			    const redisReply *reply)
{
	struct gm_error err;

	if (purpose == GM_REDIS_CONFIG || purpose == GM_REDIS_INFO) {
		gm_redis_take_settings(redis, purpose, reply);
		return;
	}
	if (reply->type == REDIS_REPLY_ERROR) {
		gm_redis_refused(redis, reply);
		return;
	}
	switch (purpose) {
	case GM_REDIS_MASTER:
		if (gm_redis_route_master(&redis->route, reply, &err) == 0)
			gm_redis_redirect(redis);
		else
			gm_redis_fail(redis, GM_REDIS_AWAY, "%s", err.text);
		break;
	case GM_REDIS_SCHEMA_GET:
		if (gm_redis_check_schema(reply, &err) == 0)
			send_probe(redis);
		else
			gm_redis_fail(redis, GM_REDIS_REFUSED, "%s",
				      reply->type == REDIS_REPLY_NIL ? "it does not keep its keys"
								     : err.text);
		break;
	case GM_REDIS_PROBE:
		if (reply->type != REDIS_REPLY_STRING)
			gm_redis_fail(redis, GM_REDIS_REFUSED, "unexpected reply to XADD");
		break;
	case GM_REDIS_PROBE_DELETE:
		gm_redis_up(redis);
		gm_redis_ask_settings(redis);
		break;
	default:
		gm_redis_take_schema(redis, purpose, reply);
		break;
	}
}

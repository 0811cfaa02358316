/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's settings, looked at once per connection for one warning: what may take the node's memory,
 * throw windows away or write them to disk. CONFIG may be forbidden; INFO tells nearly the same then, and
 * where that is forbidden, too, nothing is said. Called by handshake.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/redis/private.h"

static void ask(struct gm_redis *redis, enum gm_redis_purpose purpose, const char *command,
		const char *what, const char *of)
{
	gm_redis_array(&redis->command, of ? 3 : 2);
	gm_redis_text(&redis->command, command);
	gm_redis_text(&redis->command, what);
	if (of)
		gm_redis_text(&redis->command, of);
	if (gm_redis_send(redis, purpose, NULL))
		redis->settings_awaited++;
}

void gm_redis_ask_settings(struct gm_redis *redis)
{
	redis->warning_length = 0;
	redis->settings_awaited = 0;
	ask(redis, GM_REDIS_CONFIG, "CONFIG", "GET", "maxmemory*");
	ask(redis, GM_REDIS_CONFIG, "CONFIG", "GET", "appendonly");
	ask(redis, GM_REDIS_CONFIG, "CONFIG", "GET", "save");
}

/* Settings that endanger the windows or the server, and what to say of them. */
static const struct {
	const char *name, *value; /* value NULL: anything that begins with "allkeys" */
	const char *warning;
} bad_settings[] = {
	{"maxmemory", "0", "maxmemory is not set, so that it may take all memory of the node"},
	{"maxmemory-policy", NULL, "maxmemory-policy lets it throw away whole windows"},
	{"appendonly", "yes", "appendonly writes every sample to disk"},
};

static bool is_bad(size_t index, const char *name, const char *value)
{
	if (strcmp(bad_settings[index].name, name) != 0)
		return false;
	if (!bad_settings[index].value)
		return strncmp(value, "allkeys", strlen("allkeys")) == 0;
	return strcmp(bad_settings[index].value, value) == 0;
}

static void add_warning(struct gm_redis *redis, const char *text)
{
	size_t length = redis->warning_length;
	int added = snprintf(redis->warning + length, sizeof(redis->warning) - length, "%s%s",
			     length ? "; " : "", text);

	if (added > 0 && length + (size_t)added < sizeof(redis->warning))
		redis->warning_length += (size_t)added;
}

static void judge_setting(struct gm_redis *redis, const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(bad_settings) / sizeof(bad_settings[0]); i++) {
		if (is_bad(i, name, value))
			add_warning(redis, bad_settings[i].warning);
	}
	if (strcmp(name, "maxmemory") == 0)
		redis->budget.allowed = strtod(value, NULL);
	if (strcmp(name, "save") == 0 && value[0] != '\0')
		add_warning(redis, "save writes the windows to disk now and then");
}

static void take_config(struct gm_redis *redis, const redisReply *reply)
{
	for (size_t i = 0; i + 1 < reply->elements; i += 2) {
		const redisReply *name = reply->element[i], *value = reply->element[i + 1];

		if (name && value && name->type == REDIS_REPLY_STRING &&
		    value->type == REDIS_REPLY_STRING)
			judge_setting(redis, name->str, value->str);
	}
}

/* Lines "name:value"; the names are not those of CONFIG. */
static void take_info(struct gm_redis *redis, const redisReply *reply)
{
	static const struct {
		const char *line, *name, *value; /* value NULL: the line's own */
	} lines[] = {
		{"\nmaxmemory:", "maxmemory", NULL},
		{"\nmaxmemory_policy:", "maxmemory-policy", NULL},
		{"\naof_enabled:1", "appendonly", "yes"},
	};
	char value[64];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *at = strstr(reply->str, lines[i].line);

		if (!at)
			continue;
		at += strlen(lines[i].line);
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r\n"), at);
		judge_setting(redis, lines[i].name, lines[i].value ? lines[i].value : value);
	}
}

void gm_redis_take_settings(struct gm_redis *redis, enum gm_redis_purpose purpose,
			    const redisReply *reply)
{
	if (redis->settings_awaited == 0)
		return;
	if (purpose == GM_REDIS_CONFIG && reply->type == REDIS_REPLY_ARRAY)
		take_config(redis, reply);
	else if (purpose == GM_REDIS_INFO && reply->type == REDIS_REPLY_STRING)
		take_info(redis, reply);
	/* One of three is enough to know that it is forbidden. */
	if (purpose == GM_REDIS_CONFIG && reply->type == REDIS_REPLY_ERROR &&
	    redis->settings_awaited == 1) {
		ask(redis, GM_REDIS_INFO, "INFO", "memory", NULL);
		ask(redis, GM_REDIS_INFO, "INFO", "persistence", NULL);
	}
	if (--redis->settings_awaited > 0 || redis->warning_length == 0 || redis->warned)
		return;
	redis->warned = true; /* once: a server that comes and goes has not changed its settings */
	gm_log(GM_LOG_WARNING, "redis at %s: %s", redis->where, redis->warning);
}

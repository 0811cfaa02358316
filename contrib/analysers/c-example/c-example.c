/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An analyser for guestmon in C, to begin from: reads the newest value of one metric of one entity from
 * Redis and tells guestmond whether it is above a limit. The keys and fields are those of
 * guestmon-redis(7). All that it knows of guestmon is in this file.
 *
 *   GUESTMON_PASSWORD=... c-example [-s SOCKET] [-n NODE] [-u USER] [-1] ENTITY METRIC LIMIT
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

enum { NEWEST = 100, EXIT_USAGE = 2, PERIOD_S = 10, TTL_S = 60 };

struct settings {
	const char *socket, *node, *user; /* user NULL: the server's default */
	const char *entity, *metric;
	double limit;
	int once;
};

/* A reply, or NULL with a line on standard error. */
static redisReply *checked(redisContext *redis, redisReply *reply)
{
	if (reply && reply->type != REDIS_REPLY_ERROR)
		return reply;
	fprintf(stderr, "c-example: %s\n", reply ? reply->str : redis->errstr);
	freeReplyObject(reply);
	return NULL;
}

static redisContext *log_in(const struct settings *settings)
{
	redisContext *redis = redisConnectUnix(settings->socket);
	const char *password = getenv("GUESTMON_PASSWORD");
	if (!redis || redis->err) {
		fprintf(stderr, "c-example: %s: %s\n", settings->socket,
			redis ? redis->errstr : "out of memory");
		if (redis)
			redisFree(redis);
		return NULL;
	}
	if (!settings->user)
		return redis;
	redisReply *reply = checked(
		redis, redisCommand(redis, "AUTH %s %s", settings->user, password ? password : ""));
	if (!reply) {
		redisFree(redis);
		return NULL;
	}
	freeReplyObject(reply);
	return redis;
}

/* The field of an entry: [id, [name, value, name, value, ...]]. */
static const char *field(const redisReply *entry, const char *name)
{
	const redisReply *fields = entry->element[1];
	for (size_t i = 0; i + 1 < fields->elements; i += 2)
		if (strcmp(fields->element[i]->str, name) == 0)
			return fields->element[i + 1]->str;
	return NULL;
}

/* 1: found. An entry holds what was measured together, so not every one has every metric. */
static int newest(redisContext *redis, const struct settings *settings, double *ret_value)
{
	redisReply *reply =
		checked(redis, redisCommand(redis, "XREVRANGE guestmon:{%s}:%s + - COUNT %d",
					    settings->node, settings->entity, NEWEST));
	if (!reply)
		return -EIO;
	const char *text = NULL;
	for (size_t i = 0; i < reply->elements && !text; i++)
		text = field(reply->element[i], settings->metric);
	if (text)
		*ret_value = strtod(text, NULL);
	int found = text != NULL;
	freeReplyObject(reply);
	return found;
}

/*
 * A finding is a level: it is said again and again while it holds. Should this program end, guestmond
 * takes the finding back after `ttl` seconds.
 */
static int tell(redisContext *redis, const struct settings *settings, double value)
{
	redisReply *reply = checked(
		redis, redisCommand(redis,
				    "XADD guestmon:{%s}:findings MAXLEN ~ 10000 * entity %s "
				    "detector c-example metric %s state %s severity warning "
				    "value %.17g limit %.17g ttl %d",
				    settings->node, settings->entity, settings->metric,
				    value > settings->limit ? "active" : "ok", value,
				    settings->limit, TTL_S));
	if (!reply)
		return -EIO;
	printf("%s %s %s: %.6g, limit %.6g\n", reply->str, settings->entity, settings->metric,
	       value, settings->limit);
	freeReplyObject(reply);
	return fflush(stdout) == 0 ? 0 : -EIO;
}

static int usage(void)
{
	fputs("usage: GUESTMON_PASSWORD=... c-example [-s SOCKET] [-n NODE] [-u USER] [-1] "
	      "ENTITY METRIC LIMIT\n",
	      stderr);
	return EXIT_USAGE;
}

static int run(const struct settings *settings)
{
	redisContext *redis = log_in(settings);
	int result = redis ? 0 : -EIO;
	while (result == 0) {
		double value;
		result = newest(redis, settings, &value);
		if (result > 0)
			result = tell(redis, settings, value);
		if (settings->once)
			break;
		sleep(PERIOD_S);
	}
	if (redis)
		redisFree(redis);
	return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	char node[256] = "";
	gethostname(node, sizeof(node) - 1);
	struct settings settings = {.socket = "/run/redis/redis-server.sock", .node = node};
	char *end;
	int letter;
	while ((letter = getopt(argc, argv, "s:n:u:1")) != -1) {
		if (letter == 's')
			settings.socket = optarg;
		else if (letter == 'n')
			settings.node = optarg;
		else if (letter == 'u')
			settings.user = optarg;
		else if (letter == '1')
			settings.once = 1;
		else
			return usage();
	}
	if (argc - optind != 3)
		return usage();
	settings.entity = argv[optind];
	settings.metric = argv[optind + 1];
	settings.limit = strtod(argv[optind + 2], &end);
	if (end == argv[optind + 2] || *end != '\0')
		return usage();
	return run(&settings);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which server is next: the addresses of the configuration in turn; where they are Sentinels, the master
 * that one of them names; where they are nodes of a cluster, the one that a node points to. No I/O:
 * connection.c and link.c connect. Addresses are numeric, because looking a name up would block.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/redis/private.h"

static int set_tcp(struct gm_redis_address *address, const char *host, size_t length,
		   const char *port)
{
	char *end;
	long number = strtol(port, &end, 10);

	if (length >= sizeof(address->host) || *end != '\0' || port[0] < '0' || port[0] > '9' ||
	    number < 1 || number > 65535)
		return -EINVAL;
	*address = (struct gm_redis_address){.port = (int)number};
	memcpy(address->host, host, length);
	return gm_address_parse(address->host, NULL) ? 0 : -EINVAL;
}

int gm_redis_address_parse(const char *text, struct gm_redis_address *ret_address)
{
	struct gm_redis_address address = {0};
	const char *colon = strrchr(text, ':');
	int rc;

	if (text[0] == '/') {
		if (strlen(text) >= sizeof(address.host))
			return -EINVAL;
		gm_text_copy(address.host, sizeof(address.host), text);
		rc = 0;
	} else if (!colon) {
		rc = set_tcp(&address, text, strlen(text), "6379");
	} else if (text[0] == '[' && colon > text && colon[-1] == ']') {
		rc = set_tcp(&address, text + 1, (size_t)(colon - text) - 2, colon + 1);
	} else {
		rc = set_tcp(&address, text, (size_t)(colon - text), colon + 1);
	}
	if (rc == 0)
		*ret_address = address;
	return rc;
}

char *gm_redis_address_text(const struct gm_redis_address *address, char *text, size_t size)
{
	bool v6 = strchr(address->host, ':') != NULL;

	if (address->port == 0)
		snprintf(text, size, "unix:%s", address->host);
	else
		snprintf(text, size, "tcp:%s%s%s:%d", v6 ? "[" : "", address->host, v6 ? "]" : "",
			 address->port);
	return text;
}

static int parse_list(struct gm_redis_route *route, const char *list, struct gm_error *err)
{
	char word[GM_REDIS_HOST];

	for (;;) {
		list += strspn(list, ", ");
		size_t length = strcspn(list, ", ");
		if (length == 0)
			return 0;
		if (route->count == GM_REDIS_ADDRESSES)
			return gm_error_set(err, -E2BIG, "redis.addresses: more than %d",
					    GM_REDIS_ADDRESSES);
		snprintf(word, sizeof(word), "%.*s", (int)length, list);
		if (length >= sizeof(word) ||
		    gm_redis_address_parse(word, &route->list[route->count]) < 0)
			return gm_error_set(err, -EINVAL,
					    "redis.addresses: \"%s\" is neither a path nor a "
					    "numeric address with a port",
					    word);
		route->count++;
		list += length;
	}
}

int gm_redis_route_init(struct gm_redis_route *route, const struct gm_redis_options *options,
			struct gm_error *err)
{
	*route = (struct gm_redis_route){.sentinels = options->sentinel_master[0] != '\0'};
	int rc = parse_list(route, options->addresses, err);

	if (rc < 0 || route->count > 0)
		return rc;
	if (options->socket[0] == '\0' && !gm_address_parse(options->host, NULL))
		return gm_error_set(err, -EINVAL, "redis.host: not a numeric address");
	route->count = 1;
	if (options->socket[0] == '\0')
		route->list[0].port = (int)options->port;
	gm_text_copy(route->list[0].host, sizeof(route->list[0].host),
		     options->socket[0] ? options->socket : options->host);
	return 0;
}

int gm_redis_check(const struct gm_redis_options *options, struct gm_error *err)
{
	struct gm_redis_route route;

	return gm_redis_route_init(&route, options, err);
}

const struct gm_redis_address *gm_redis_route_now(const struct gm_redis_route *route)
{
	return route->pointed ? &route->target : &route->list[route->at];
}

bool gm_redis_route_asks(const struct gm_redis_route *route)
{
	return route->sentinels && !route->pointed;
}

bool gm_redis_route_has_others(const struct gm_redis_route *route)
{
	return route->count > 1 || route->sentinels || route->pointed;
}

bool gm_redis_route_failed(struct gm_redis_route *route)
{
	route->hops = 0;
	/* What a Sentinel named may have been wrong: the next one may know better. */
	route->pointed = false;
	route->at = (route->at + 1) % route->count;
	return route->at == 0;
}

static int point(struct gm_redis_route *route, const struct gm_redis_address *address)
{
	if (++route->hops > GM_REDIS_HOPS)
		return -ELOOP;
	route->target = *address;
	route->pointed = true;
	return 0;
}

int gm_redis_route_master(struct gm_redis_route *route, const redisReply *reply,
			  struct gm_error *err)
{
	struct gm_redis_address address;
	const redisReply *host, *port;

	if (reply->type == REDIS_REPLY_NIL ||
	    (reply->type == REDIS_REPLY_ARRAY && reply->elements == 0))
		return gm_error_set(err, -ENOENT, "the Sentinel knows no master of that name");
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
		return gm_error_set(err, -EPROTO, "unexpected reply to SENTINEL");
	host = reply->element[0];
	port = reply->element[1];
	if (!host || !port || host->type != REDIS_REPLY_STRING ||
	    port->type != REDIS_REPLY_STRING || strlen(host->str) != host->len ||
	    set_tcp(&address, host->str, host->len, port->str) < 0)
		return gm_error_set(err, -EPROTO,
				    "the Sentinel names a master without a numeric address");
	if (point(route, &address) < 0)
		return gm_error_set(err, -ELOOP, "sent from one server to the other");
	return 0;
}

bool gm_redis_route_moved(struct gm_redis_route *route, const char *text)
{
	struct gm_redis_address address;

	/* "MOVED 3999 127.0.0.1:6381"; an address of IPv6 stands without brackets. */
	if (strncmp(text, "MOVED ", strlen("MOVED ")) != 0)
		return false;
	const char *last = strrchr(text, ' ');
	return gm_redis_address_parse(last + 1, &address) == 0 && point(route, &address) == 0;
}

void gm_redis_route_ask(struct gm_buffer *command, const struct gm_redis_options *options)
{
	gm_redis_array(command, 3);
	gm_redis_text(command, "SENTINEL");
	gm_redis_text(command, "get-master-addr-by-name");
	gm_redis_text(command, options->sentinel_master);
}

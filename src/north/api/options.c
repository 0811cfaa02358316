/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The section `api` of guestmon.yaml; see api.h. Read by daemon/config.c.
 */
#include <stdio.h>
#include <string.h>

#include "north/api/api.h"
#include "north/api/users.h"

static const char *const namings[] = {"uuid", "name", "project", NULL};

const struct gm_option gm_api_option_table[] = {
	{.key = "enabled",
	 .type = GM_OPTION_BOOL,
	 GM_OPTION_AT(struct gm_api_options, enabled),
	 .fallback = "no",
	 .help = "Serve HTTP: ETSI's fault management for orchestrators, and what guestmonctl(1) "
		 "shows."},
	{.key = "address",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_api_options, address),
	 .fallback = "127.0.0.1",
	 .help = "Address to listen at, numeric."},
	{.key = "port",
	 .type = GM_OPTION_INT,
	 GM_OPTION_AT(struct gm_api_options, port),
	 .min = 1,
	 .max = 65535,
	 .fallback = "7666",
	 .help = "Port to listen at."},
	{.key = "certificate",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_api_options, certificate),
	 .fallback = "",
	 .help = "PEM file of the server's certificate, with what signed it; empty: no TLS."},
	{.key = "key",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_api_options, key),
	 .fallback = "",
	 .help = "PEM file of the certificate's key."},
	{.key = "users",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_api_options, users),
	 .fallback = "/etc/guestmon/api-users",
	 .help = "File of those who may ask, which only its owner may read: lines of NAME, read or "
		 "write, and SECRET. A change holds within seconds."},
	{.key = "url",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_api_options, url),
	 .fallback = "",
	 .help = "What links begin with, where others reach this server by another name; empty: "
		 "made of address and port."},
	{.key = "vnf-instance",
	 .type = GM_OPTION_CHOICE,
	 GM_OPTION_AT(struct gm_api_options, naming),
	 .choices = namings,
	 .fallback = "uuid",
	 .help = "What stands for the VNF instance that a guest belongs to (managedObjectId): the "
		 "guest's UUID, its name, or its project."},
	{.key = "callbacks",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_api_options, callbacks.allowed),
	 .fallback = "*",
	 .help = "Patterns of the URLs to which notifications may be subscribed, separated by "
		 "commas; !x excludes x. A subscription that is kept from before and has another "
		 "one is told "
		 "nothing."},
	{.key = "callback-test",
	 .type = GM_OPTION_BOOL,
	 GM_OPTION_AT(struct gm_api_options, callbacks.test),
	 .fallback = "yes",
	 .help = "Ask a subscriber's URL by GET before the subscription is made."},
	{.key = "callback-timeout",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_api_options, callbacks.transport.timeout),
	 .min = 100e6,
	 .max = 15e9,
	 .fallback = "5s",
	 .help = "How long a notification may take, the answer included."},
	{.key = "callback-ca-file",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_api_options, callbacks.transport.ca_file),
	 .fallback = "",
	 .help = "PEM file of the authorities that subscribers' certificates are held against; "
		 "empty: the system's."},
	{.key = "callback-certificate",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_api_options, callbacks.transport.certificate),
	 .fallback = "",
	 .help = "PEM file of the certificate that is shown to subscribers; empty: none."},
	{.key = "callback-key",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_api_options, callbacks.transport.key),
	 .fallback = "",
	 .help = "PEM file of that certificate's key; empty: in the same file."},
	{.key = "callback-proxy",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_api_options, callbacks.transport.proxy),
	 .fallback = "",
	 .help = "A proxy to subscribers, http://ADDRESS:PORT; empty: none."},
	{.key = "connections",
	 .type = GM_OPTION_INT,
	 GM_OPTION_AT(struct gm_api_options, connections),
	 .min = 1,
	 .max = 1024,
	 .fallback = "64",
	 .help = "Connections at a time."},
	{.key = "connections-per-address",
	 .type = GM_OPTION_INT,
	 GM_OPTION_AT(struct gm_api_options, per_address),
	 .min = 1,
	 .max = 1024,
	 .fallback = "32",
	 .help = "How many of them one address may have, so that it cannot have all."},
	{.key = "timeout",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_api_options, timeout),
	 .min = 1e9,
	 .max = 300e9,
	 .fallback = "30s",
	 .help = "How long a connection may take for a request and its answer."},
	GM_OPTION_END,
};

static bool is_url(const char *text)
{
	bool scheme = strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
	return scheme && text[strcspn(text, " \t\"<>\\")] == '\0' && text[strlen(text) - 1] != '/';
}

const char *gm_api_breach(const struct gm_api_options *options)
{
	if (!gm_address_parse(options->address, NULL))
		return "address";
	if (options->certificate[0] == '\0' && options->key[0] != '\0')
		return "certificate";
	if (options->certificate[0] != '\0' && options->key[0] == '\0')
		return "key";
	return options->url[0] == '\0' || is_url(options->url) ? NULL : "url";
}

char *gm_api_url(const struct gm_api_options *options, char text[GM_API_PATH])
{
	bool six = strchr(options->address, ':') != NULL;
	if (options->url[0] != '\0')
		snprintf(text, GM_API_PATH, "%s", options->url);
	else
		snprintf(text, GM_API_PATH, "%s://%s%s%s:%d",
			 options->certificate[0] != '\0' ? "https" : "http", six ? "[" : "",
			 options->address, six ? "]" : "", (int)options->port);
	return text;
}

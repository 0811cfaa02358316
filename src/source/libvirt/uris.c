/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which connections there are; see uris.h. Called when a source is made, and by whoever names a
 * guest's interface.
 */
#include "source/libvirt/uris.h"

#include <stdio.h>
#include <string.h>

static const char blanks[] = " \t\r\n";

/* The next word of *at: its length, and *at behind the blanks before it. 0: there is none. */
static size_t next_word(const char **at)
{
	*at += strspn(*at, blanks);
	return strcspn(*at, blanks);
}

static bool is_before(const char *list, const char *word, size_t length)
{
	for (size_t n; list < word; list += n) {
		n = next_word(&list);
		if (list < word && n == length && memcmp(list, word, n) == 0)
			return true;
	}
	return false;
}

size_t gm_lv_uris_count(const char *list)
{
	size_t count = 0, length;

	for (const char *at = list; (length = next_word(&at)) > 0; at += length) {
		if (++count > GM_LIBVIRT_URIS || length >= GM_LV_URI_SIZE ||
		    is_before(list, at, length))
			return 0;
	}
	return count;
}

void gm_lv_uris_get(const char *list, size_t index, char ret_uri[GM_LV_URI_SIZE])
{
	size_t length;

	ret_uri[0] = '\0';
	for (const char *at = list; (length = next_word(&at)) > 0; at += length) {
		if (index-- > 0)
			continue;
		if (length < GM_LV_URI_SIZE)
			snprintf(ret_uri, GM_LV_URI_SIZE, "%.*s", (int)length, at);
		return;
	}
}

bool gm_lv_uri_is_remote(const char *uri)
{
	static const char *const here[] = {"", "localhost", "127.0.0.1", "[::1]"};
	const char *host = strstr(uri, "://");

	if (!host)
		return false;
	host += strlen("://");
	size_t length = strcspn(host, "/?#");
	const char *user = memchr(host, '@', length);
	if (user) {
		length -= (size_t)(user + 1 - host);
		host = user + 1;
	}
	if (*host == '[')
		length = strcspn(host, "]") + 1;
	else if (memchr(host, ':', length))
		length = strcspn(host, ":");
	for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++) {
		if (strlen(here[i]) == length && memcmp(host, here[i], length) == 0)
			return false;
	}
	return true;
}

struct gm_entity_key gm_lv_interface_key(const char *prefix, const char *device)
{
	char name[2 * GM_DEVICE_NAME];

	if (!prefix)
		return gm_entity_interface(device);
	snprintf(name, sizeof(name), "%s/%.*s", prefix, GM_DEVICE_NAME, device);
	return gm_entity_interface(name);
}

const char *gm_lv_interface_device(const struct gm_entity_key *key)
{
	const char *slash = strrchr(key->name, '/');

	return slash ? slash + 1 : key->name;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See lookup.h: a ring of what was left behind, counted when the next one is to begin.
 */
#include "north/http/lookup.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/hash.h"

uint64_t gm_lookup_name(const char *url)
{
	const char *scheme = strstr(url, "://"), *host = scheme ? scheme + 3 : url;
	size_t length = strcspn(host, "/?#");
	const char *at = memrchr(host, '@', length);
	char name[256];
	struct in_addr address;

	if (at) {
		length -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	if (host[0] == '[')
		return 0;
	length = strcspn(host, ":/?#");
	if (length >= sizeof(name)) /* no name is that long: it is refused without a question */
		return 0;
	memcpy(name, host, length);
	name[length] = '\0';
	return inet_pton(AF_INET, name, &address) == 1 ? 0 : gm_hash(GM_HASH_FIRST, name, length);
}

bool gm_lookups_may_begin(const struct gm_lookups *lookups, uint64_t name, size_t waiting,
			  int64_t monotonic)
{
	size_t all = 0, same = 0;
	int64_t newest = 0;

	for (size_t i = 0; i < GM_LOOKUPS_KEPT; i++) {
		if (lookups->left[i].at == 0 || monotonic - lookups->left[i].at >= GM_LOOKUP_ENDS)
			continue;
		all++;
		if (lookups->left[i].name != name)
			continue;
		same++;
		if (lookups->left[i].at > newest)
			newest = lookups->left[i].at;
	}
	size_t most = all >= GM_LOOKUPS_MANY ? 1 : GM_LOOKUPS_OF_NAME;
	bool probes = waiting == 0 && monotonic - newest >= GM_LOOKUP_PROBE;

	return name == 0 || same == 0 || same + waiting < most || probes;
}

void gm_lookups_leave(struct gm_lookups *lookups, uint64_t name, int64_t monotonic)
{
	lookups->left[lookups->next].name = name;
	lookups->left[lookups->next].at = monotonic;
	lookups->next = (lookups->next + 1) % GM_LOOKUPS_KEPT;
}

void gm_lookups_forget(struct gm_lookups *lookups, uint64_t name)
{
	for (size_t i = 0; i < GM_LOOKUPS_KEPT; i++)
		if (lookups->left[i].name == name)
			lookups->left[i].at = 0;
}

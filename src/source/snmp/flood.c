/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who sends too much; see flood.h. Counted as Misra and Gries find frequent items ("Finding repeated
 * elements", 1982): few counters, each no more than what its address has sent. Called by endpoint.c.
 */
#include "source/snmp/flood.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"

#define WINDOW  GM_SECOND
#define BLOCKED (10 * GM_SECOND)

enum { V4_SOURCE = 12, V6_SOURCE = 8, WORDS_MAX = 4 }; /* in the header of IP */

/* The address without its port, as words of the network's order. Returns how many. */
static size_t words_of(const struct sockaddr_storage *address, uint32_t words[WORDS_MAX])
{
	if (address->ss_family == AF_INET) {
		memcpy(words, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
		return 1;
	}
	memcpy(words, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
	return 4;
}

static bool is_same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	uint32_t one[WORDS_MAX], other[WORDS_MAX];
	size_t count = words_of(a, one);

	return a->ss_family == b->ss_family && words_of(b, other) == count &&
	       memcmp(one, other, count * sizeof(one[0])) == 0;
}

static void block(struct gm_snmp_flood *flood, const struct sockaddr_storage *from, int64_t now)
{
	if (flood->blocked_count == GM_SNMP_FLOOD_BLOCKED) {
		memmove(flood->blocked, flood->blocked + 1,
			(GM_SNMP_FLOOD_BLOCKED - 1) * sizeof(flood->blocked[0]));
		flood->blocked_count--;
	}
	flood->blocked[flood->blocked_count++] =
		(struct gm_snmp_talker){.address = *from, .until = now + BLOCKED};
}

static bool is_blocked(const struct gm_snmp_flood *flood, const struct sockaddr_storage *from)
{
	for (size_t i = 0; i < flood->blocked_count; i++) {
		if (is_same_host(&flood->blocked[i].address, from)) {
			return true;
		}
	}
	return false;
}

/* The counter of an address; NULL when there is none, for which all others pay. */
static struct gm_snmp_talker *talker_of(struct gm_snmp_flood *flood,
					const struct sockaddr_storage *from)
{
	struct gm_snmp_talker *free_one = NULL;

	for (size_t i = 0; i < GM_SNMP_FLOOD_TALKERS; i++) {
		struct gm_snmp_talker *talker = &flood->talkers[i];

		if (talker->count == 0) {
			free_one = talker;
		} else if (is_same_host(&talker->address, from)) {
			return talker;
		}
	}
	if (free_one) {
		free_one->address = *from;
		return free_one;
	}
	for (size_t i = 0; i < GM_SNMP_FLOOD_TALKERS; i++) {
		flood->talkers[i].count--;
	}
	return NULL;
}

bool gm_snmp_flood_note(struct gm_snmp_flood *flood, const struct sockaddr_storage *from,
			int64_t now)
{
	struct gm_snmp_talker *talker;

	if (now - flood->window >= WINDOW) {
		memset(flood->talkers, 0, sizeof(flood->talkers));
		flood->window = now;
	}
	talker = talker_of(flood, from);
	if (talker == NULL || ++talker->count <= GM_SNMP_FLOOD_RATE) {
		return false;
	}
	talker->count = 0;
	/* What it had sent before the filter was there still comes in. */
	if (is_blocked(flood, from)) {
		return false;
	}
	block(flood, from, now);
	return true;
}

bool gm_snmp_flood_expire(struct gm_snmp_flood *flood, int64_t now)
{
	size_t count = 0, before = flood->blocked_count;

	for (size_t i = 0; i < before; i++) {
		if (flood->blocked[i].until > now) {
			flood->blocked[count++] = flood->blocked[i];
		}
	}
	flood->blocked_count = count;
	return count < before;
}

void gm_snmp_flood_filter(const struct gm_snmp_flood *flood, int family, int fd)
{
	/* Per address: a load and a comparison for each word, and the verdict. */
	struct sock_filter code[GM_SNMP_FLOOD_BLOCKED * (2 * WORDS_MAX + 1) + 1];
	uint32_t source = (uint32_t)SKF_NET_OFF + (family == AF_INET ? V4_SOURCE : V6_SOURCE);
	unsigned short at = 0;
	int none = 0;

	for (size_t i = 0; i < flood->blocked_count; i++) {
		uint32_t words[WORDS_MAX];
		size_t count = words_of(&flood->blocked[i].address, words);

		if (flood->blocked[i].address.ss_family != family) {
			continue;
		}
		for (size_t k = 0; k < count; k++) {
			/* Past this address when a word differs. */
			uint8_t rest = (uint8_t)(2 * (count - k - 1) + 1);

			code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
								  source + 4 * (uint32_t)k);
			code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
								  ntohl(words[k]), 0, rest);
		}
		code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	}
	if (at == 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none));
		return;
	}
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	struct sock_fprog program = {.len = at, .filter = code};

	(void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

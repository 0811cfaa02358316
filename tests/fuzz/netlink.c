/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams for the parser of rtnetlink messages (source/tap/netlink.h). What it tells of links is kept
 * within its bounds, and what is told twice of the same bytes is the same.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "source/tap/netlink.h"

struct seen {
	uint64_t sum;
	unsigned calls;
};

static void on_stats(void *user, const struct gm_link_stats *stats)
{
	struct seen *seen = user;

	seen->sum += stats->index + stats->rx_bytes + stats->tx_dropped + stats->hardware;
	seen->calls++;
}

static void on_link(void *user, const struct gm_link *link)
{
	struct seen *seen = user;

	if (memchr(link->name, '\0', sizeof(link->name)) == NULL ||
	    memchr(link->kind, '\0', sizeof(link->kind)) == NULL ||
	    memchr(link->mac, '\0', sizeof(link->mac)) == NULL || link->name[0] == '\0' ||
	    link->index == 0) {
		abort();
	}
	seen->sum += link->index + strlen(link->name) + strlen(link->kind) + strlen(link->mac);
	seen->calls++;
}

static void on_link_gone(void *user, uint32_t index)
{
	struct seen *seen = user;

	seen->sum += index;
	seen->calls++;
}

static struct seen look(const uint8_t *data, size_t size, uint32_t sequence)
{
	struct seen seen = {0};
	const struct gm_netlink_visitor visitor = {
		.stats = on_stats, .link = on_link, .link_gone = on_link_gone, .user = &seen};
	struct gm_netlink_result result;

	(void)gm_netlink_parse(data, size, sequence, &visitor, &result);
	return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen all = look(data, size, 0), again = look(data, size, 0);

	if (all.sum != again.sum || all.calls != again.calls) {
		abort();
	}
	/* Other messages are skipped then, those that end the parsing among them. */
	(void)look(data, size, 1);
	return 0;
}

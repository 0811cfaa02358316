/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See ranks.h: what entities.h calls `told_by`, as far as libvirt's connections are concerned.
 */
#include "daemon/ranks.h"

/* The connections of places [first, end), as bits 1 << enum gm_source_id. */
static unsigned places(int first, int end)
{
	unsigned bits = 0;

	for (int uri = first; uri < end; uri++)
		bits |= 1U << gm_source_libvirt((unsigned)uri, false);
	return bits;
}

bool gm_ranks_outranked(const struct gm_tracked *tracked, enum gm_source_id source)
{
	return (tracked->told_by & places(0, gm_source_uri(source))) != 0;
}

bool gm_ranks_anothers(const struct gm_tracked *tracked, enum gm_source_id source)
{
	return gm_source_uri(source) >= 0 && !(tracked->told_by >> source & 1) &&
	       (tracked->told_by & places(0, GM_LIBVIRT_URIS)) != 0;
}

void gm_ranks_note(struct gm_tracked *tracked, enum gm_source_id source)
{
	int uri = gm_source_uri(source);

	if (uri >= 0)
		tracked->told_by &= ~places(uri + 1, GM_LIBVIRT_URIS);
	tracked->told_by |= 1U << source;
}

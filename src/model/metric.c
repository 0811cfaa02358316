/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metric catalogue; see metric.h and metric.def.
 */
#include "model/metric.h"

#include <string.h>

#include "model/entity.h"

enum {
	N = 1 << GM_ENTITY_NODE,
	G = 1 << GM_ENTITY_GUEST,
	I = 1 << GM_ENTITY_INTERFACE,
	D = 1 << GM_ENTITY_DISK,
	P = 1 << GM_ENTITY_PROCESS,
	C = 1 << GM_ENTITY_CORE,
	M = 1 << GM_ENTITY_NUMA,
};

#define GAUGE   GM_KIND_GAUGE
#define COUNTER GM_KIND_COUNTER

static const struct gm_metric catalogue[GM_METRIC_COUNT] = {
#define GM_METRIC(id, name, kind, unit, entities, ceilometer, help) \
	[GM_METRIC_##id] = {name, kind, unit, entities, ceilometer, help},
#include "model/metric.def"
#undef GM_METRIC
};

const struct gm_metric *gm_metric_get(unsigned id)
{
	return id < GM_METRIC_COUNT ? &catalogue[id] : NULL;
}

enum gm_metric_kind gm_metric_kind(unsigned id)
{
	return id < GM_METRIC_COUNT ? catalogue[id].kind : GM_KIND_GAUGE;
}

unsigned gm_metric_find(const char *name)
{
	for (unsigned id = 0; id < GM_METRIC_COUNT; id++)
		if (strcmp(catalogue[id].name, name) == 0)
			return id;
	return GM_METRIC_NONE;
}

unsigned gm_metric_mirrored(unsigned id)
{
	static const unsigned pairs[][2] = {
		{GM_METRIC_NET_RX_BYTES, GM_METRIC_NET_TX_BYTES},
		{GM_METRIC_NET_RX_PACKETS, GM_METRIC_NET_TX_PACKETS},
		{GM_METRIC_NET_RX_ERRORS, GM_METRIC_NET_TX_ERRORS},
		{GM_METRIC_NET_RX_DROPPED, GM_METRIC_NET_TX_DROPPED},
		{GM_METRIC_NET_RX_PEAK, GM_METRIC_NET_TX_PEAK},
		{GM_METRIC_NET_RX_LIMIT, GM_METRIC_NET_TX_LIMIT},
	};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (id == pairs[i][0])
			return pairs[i][1];
		if (id == pairs[i][1])
			return pairs[i][0];
	}
	return id;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metric catalogue as a table; metric.def holds its lines. Constant data: any thread.
 */
#ifndef GM_MODEL_METRIC_H
#define GM_MODEL_METRIC_H

#include <stddef.h>

enum gm_metric_id {
#define GM_METRIC(id, ...) GM_METRIC_##id,
#include "model/metric.def"
#undef GM_METRIC
	GM_METRIC_COUNT,
	/*
	 * Names that the catalogue does not know (a recording's own columns) get ids from here on, given
	 * by whoever reads them; they are gauges.
	 */
	GM_METRIC_EXTRA = 256,
	GM_METRIC_NONE = 65535
};

enum gm_metric_kind { GM_KIND_GAUGE, GM_KIND_COUNTER };

struct gm_metric {
	const char *name;
	enum gm_metric_kind kind;
	const char *unit;
	unsigned entities; /* bits 1 << enum gm_entity_kind */
	const char *ceilometer;
	const char *help;
};

/* The line of a catalogue metric; NULL for ids that are not in the catalogue. */
const struct gm_metric *gm_metric_get(unsigned id);

/* GAUGE for ids that are not in the catalogue. */
enum gm_metric_kind gm_metric_kind(unsigned id);

/* The id for a catalogue name, or GM_METRIC_NONE. */
unsigned gm_metric_find(const char *name);

/*
 * The same metric seen from the other end of the cable: net.rx.X for net.tx.X and back; any other id
 * unchanged. A tap's transmit counter is the guest's receive counter.
 */
unsigned gm_metric_mirrored(unsigned id);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a threshold rule says (analysis/threshold.h judges by it), and a rule as readers are shown it and as
 * managers may make it: a row as RFC 2579 has them, with its status and its storage.
 */
#ifndef GM_MODEL_THRESHOLD_H
#define GM_MODEL_THRESHOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "model/alarm.h"

enum gm_threshold_edge { GM_EDGE_RISING, GM_EDGE_FALLING };

struct gm_threshold_options {
	bool enabled;
	char metric[GM_METRIC_NAME];                               /* empty: nothing is judged */
	double warning_max, warning_min, failure_max, failure_min; /* NaN: none */
	int64_t hits;
	double hysteresis; /* NaN: none */
	bool invert, persist;
	double rising, falling; /* NaN: none; in place of the four limits */
	int raise_on;           /* enum gm_threshold_edge: which of the two raises */
	int function;           /* enum gm_function */
	int64_t window;         /* of every function but `value` */
	double percentile;
	int64_t duration; /* ns that another state must be asked for; 0: none */
	int64_t missing;  /* ns without a value that are told; 0: never */
	int severity;     /* of `rising` and `missing`: index into warning … critical */
};

/* Numbered as StorageType and RowStatus of RFC 2579. */
enum gm_storage { GM_STORAGE_VOLATILE = 2, GM_STORAGE_KEPT = 3, GM_STORAGE_READ_ONLY = 5 };
enum gm_row_status {
	GM_ROW_ABSENT,
	GM_ROW_ACTIVE,
	GM_ROW_NOT_IN_SERVICE,
	GM_ROW_NOT_READY, /* it lacks something */
	GM_ROW_CREATE_AND_GO,
	GM_ROW_CREATE_AND_WAIT,
	GM_ROW_DESTROY,
};

enum {
	GM_THRESHOLDS_MAX = 64, /* that managers can make; those of files come beside them */
	GM_SWITCHES_MAX = 1024, /* detectors of guests that managers can switch on or off */
	GM_ROW_PATTERN = 256,
};

struct gm_threshold_row {
	char name[GM_RULE_NAME]; /* empty: the configuration's own, which has none */
	enum gm_storage storage; /* read only: it comes from a file */
	enum gm_row_status status;
	char owner[GM_AUTHOR]; /* as who made it says */
	int64_t changed_at;    /* 0: not known */
	uint32_t alarms;       /* active ones that it has raised */
	/* For whom: as struct gm_match of analysis/rules.h. */
	uint32_t entities;
	char guest[GM_ROW_PATTERN], uuid[GM_ROW_PATTERN], project[GM_ROW_PATTERN],
		flavor[GM_ROW_PATTERN];
	struct gm_threshold_options options;
};

/* The order of the names as indexes of a table: the shorter first. Negative, 0 or positive. */
int gm_threshold_compare(const char *a, const char *b);

/* What a row can be called: letters and digits of ASCII, and "._-"; not nothing, and short enough. */
bool gm_threshold_is_name(const char *name);

#endif

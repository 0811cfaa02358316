/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attribute-based filters of ETSI GS NFV-SOL 013, clause 5.2: "(eq,perceivedSeverity,CRITICAL);(cont,
 * probableCause,memory)". An expression in brackets is an operator, the name of an attribute (its parts
 * separated by '/', "~1" and "~0" as in RFC 6901) and values; those joined by ';' hold all. A value with
 * ',' or brackets in it stands in single quotes, which are doubled inside. Any thread.
 */
#ifndef GM_NORTH_API_FILTER_H
#define GM_NORTH_API_FILTER_H

#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"

enum { GM_FILTER_TEXT = 2048, GM_FILTER_TERMS = 16, GM_FILTER_VALUES = 64 };

struct gm_filter;

/*
 * -EINVAL: not a filter (the sentence says where), or longer than GM_FILTER_TEXT, of more terms or more
 * values than there is room for.
 */
int gm_filter_parse(const char *text, struct gm_filter **ret_filter, struct gm_error *err);
void gm_filter_free(struct gm_filter *filter); /* NULL-safe */

/*
 * Whether `object` is selected. eq and in: one value is the attribute's; neq and nin: none is; gt, gte, lt,
 * lte: as numbers where both are, else as text (times sort as text); cont and ncont: one value, none, is
 * part of it. Of an array some element has to fit (no element, for what is negative). An attribute that is
 * absent fits only what is negative.
 */
bool gm_filter_matches(const struct gm_filter *filter, const struct gm_json *object);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest is as a part of a VNF, as far as it is known: the descriptor that it was made of, and the product; and
 * the filters that select by it: vnfdIds and vnfProductsFromProviders of SOL 003's VnfInstanceSubscriptionFilter
 * (ETSI GS NFV-SOL 003 V3.3.1, clause 4.4.1.5). Pure.
 */
#ifndef GM_NORTH_API_VNF_H
#define GM_NORTH_API_VNF_H

#include <stdbool.h>

#include "base/json.h"
#include "base/option.h"

enum { GM_VNF_TEXT = 256 };

/* What is empty is not known. */
struct gm_vnf {
	char vnfd_id[GM_VNF_TEXT];
	char provider[GM_VNF_TEXT];
	char product[GM_VNF_TEXT];
	char software_version[GM_VNF_TEXT];
	char vnfd_version[GM_VNF_TEXT];
};

extern const struct gm_option gm_vnf_option_table[];

/* A sentence on what is wrong with it; NULL: nothing. */
const char *gm_vnf_breach(const struct gm_vnf *vnf);

/* Whether both attributes of a VnfInstanceSubscriptionFilter are as the specification has them. -EINVAL. */
int gm_vnf_check_filter(const struct gm_json *instances, struct gm_error *err);

/* Of a filter from before they were checked, and told all: takes both out if they are not. */
void gm_vnf_mend_filter(struct gm_json *instances);

/* Whether the filter asks for what only a gm_vnf tells. */
bool gm_vnf_is_asked_for(const struct gm_json *instances);

/*
 * Whether both attributes of a filter that was checked select it: one that is absent or empty selects all; what is
 * not known is never selected.
 */
bool gm_vnf_is_selected(const struct gm_json *instances, const struct gm_vnf *vnf);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an HTTP answer to a verdict; see verdict.h.
 */
#include "north/verdict.h"

#include <stdio.h>

#include "base/text.h"

enum { EXCERPT = 80 };

static bool is_passing(int status)
{
	switch (status) {
	case 0: /* no answer */
	case 401:
	case 403:
	case 407:
	case 408:
	case 425:
	case 429:
		return true;
	default:
		return status >= 500;
	}
}

struct gm_verdict gm_verdict_of(const struct gm_http_response *response,
				char reason[GM_VERDICT_REASON])
{
	char excerpt[EXCERPT + 1], quoted[2 * EXCERPT];

	if (response->status >= 200 && response->status < 300)
		return (struct gm_verdict){.kind = GM_VERDICT_DELIVERED};
	if (response->status == 0) {
		gm_text_copy(reason, GM_VERDICT_REASON, response->error);
	} else if (response->length > 0) {
		gm_text_copy(excerpt, sizeof(excerpt), response->body);
		gm_text_quote(quoted, sizeof(quoted), excerpt);
		snprintf(reason, GM_VERDICT_REASON, "the answer is %d: %s", response->status,
			 quoted);
	} else {
		snprintf(reason, GM_VERDICT_REASON, "the answer is %d", response->status);
	}
	return (struct gm_verdict){
		.kind = is_passing(response->status) ? GM_VERDICT_RETRY : GM_VERDICT_REFUSED,
		.retry_after = response->retry_after,
		.reason = reason,
	};
}

struct gm_verdict gm_verdict_of_status(const struct gm_http_response *response,
				       char reason[GM_VERDICT_REASON])
{
	struct gm_http_response silent = *response;

	silent.body = "";
	silent.length = 0;
	return gm_verdict_of(&silent, reason);
}

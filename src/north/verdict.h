/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an HTTP answer means for the message that was sent; for drivers that have no better idea.
 */
#ifndef GM_NORTH_VERDICT_H
#define GM_NORTH_VERDICT_H

#include "north/output.h"

enum { GM_VERDICT_REASON = 256 };

/*
 * 2xx: delivered. None, 401, 403, 407, 408, 425, 429, 5xx: retry. All else, a redirect among it: refused.
 * `reason` gets the sentence, with the beginning of the answer's body, quoted. Whoever
 * sends a secret sees to it that the answer does not repeat it.
 */
struct gm_verdict gm_verdict_of(const struct gm_http_response *response,
				char reason[GM_VERDICT_REASON]);

/* The same without the answer's text: for requests with a secret, which an answer may repeat. */
struct gm_verdict gm_verdict_of_status(const struct gm_http_response *response,
				       char reason[GM_VERDICT_REASON]);

#endif

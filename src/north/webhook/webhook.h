/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output type `webhook`: each transition as one HTTP request, in the form that the receiver takes
 * (format.h), with its headers from a file, a signature over the body, and a key by which a receiver
 * tells a repeat. To Alertmanager, which forgets what it is not told again, active alarms are repeated.
 */
#ifndef GM_NORTH_WEBHOOK_WEBHOOK_H
#define GM_NORTH_WEBHOOK_WEBHOOK_H

#include "north/output.h"

extern const struct gm_output_ops gm_webhook_ops;

#endif

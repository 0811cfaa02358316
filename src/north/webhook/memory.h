/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Alertmanager has been told: under which severity it knows each alarm, and what must not be repeated
 * to it now (a message on its way, a clear). One entry per alarm that is active or was so a moment ago.
 */
#ifndef GM_NORTH_WEBHOOK_MEMORY_H
#define GM_NORTH_WEBHOOK_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/alarm.h"
#include "model/snapshot.h"

struct gm_webhook_memory;

int gm_webhook_memory_create(struct gm_webhook_memory **ret_memory);
void gm_webhook_memory_free(struct gm_webhook_memory *memory); /* NULL-safe */

/* The severity it was told last; CLEARED: it does not know the alarm, or as one that is over. */
enum gm_severity gm_webhook_memory_told(const struct gm_webhook_memory *memory, uint32_t id);

/* Whether that is what it is repeated as, and a daemon before this one may have told it otherwise; or nothing is known. */
bool gm_webhook_memory_is_guess(const struct gm_webhook_memory *memory, uint32_t id);

/* A transition goes on its way; each begin has one end. -ENOMEM: then there is no end either. */
int gm_webhook_memory_begin(struct gm_webhook_memory *memory, uint32_t id, int64_t now);
/* `told`: the severity that has arrived; CLEARED: that it is over. NULL: nothing has arrived. */
void gm_webhook_memory_end(struct gm_webhook_memory *memory, uint32_t id,
			   const enum gm_severity *told, int64_t now);

/*
 * Whether an alarm that is active may be repeated, and under which severity: that which was told, else
 * its own. `wanted`: whether the output tells such alarms, for those told before this start.
 */
bool gm_webhook_memory_repeats(struct gm_webhook_memory *memory, const struct gm_alarm *alarm,
			       bool wanted, int64_t now, enum gm_severity *ret_severity);

/* A repeat is on its way that holds the alarm; until all of them end, its other messages wait. */
void gm_webhook_memory_repeat_begin(struct gm_webhook_memory *memory, uint32_t id);
void gm_webhook_memory_repeat_end(struct gm_webhook_memory *memory);
bool gm_webhook_memory_is_repeating(const struct gm_webhook_memory *memory, uint32_t id);

/* Forgets what was neither active in a snapshot nor told of for some minutes. */
void gm_webhook_memory_tidy(struct gm_webhook_memory *memory, const struct gm_snapshot *snapshot,
			    int64_t now);

#endif

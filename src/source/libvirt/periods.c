/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See periods.h. Called by patient.c.
 */
#include "source/libvirt/periods.h"

#include <pthread.h>
#include <string.h>

struct debt {
	uint8_t uuid[GM_UUID_SIZE];
	uint32_t period;
	unsigned looks; /* that have not restored it; 0: a free place */
	uint64_t order;
};

static struct {
	pthread_mutex_t lock; /* guards all */
	uint64_t order;
	struct debt list[GM_LV_PERIODS_OWED];
} debts = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Under the lock. */
static struct debt *find(const uint8_t *uuid)
{
	for (size_t i = 0; i < GM_LV_PERIODS_OWED; i++) {
		struct debt *debt = &debts.list[i];

		if (debt->looks > 0 && memcmp(debt->uuid, uuid, GM_UUID_SIZE) == 0)
			return debt;
	}
	return NULL;
}

/* Under the lock: a free place, or that of the oldest. */
static struct debt *find_place(void)
{
	struct debt *place = &debts.list[0];

	for (size_t i = 0; i < GM_LV_PERIODS_OWED && place->looks > 0; i++) {
		if (debts.list[i].looks == 0 || debts.list[i].order < place->order)
			place = &debts.list[i];
	}
	return place;
}

uint32_t gm_lv_periods_own(const uint8_t uuid[GM_UUID_SIZE], uint32_t seen)
{
	if (seen > GM_LV_PERIOD_LOOK) /* no look sets it so */
		return seen;
	pthread_mutex_lock(&debts.lock);
	const struct debt *debt = find(uuid);
	uint32_t period = debt ? debt->period : seen;
	pthread_mutex_unlock(&debts.lock);
	return period;
}

void gm_lv_periods_touch(const uint8_t uuid[GM_UUID_SIZE], uint32_t period)
{
	pthread_mutex_lock(&debts.lock);
	struct debt *debt = find(uuid);
	if (!debt) {
		debt = find_place();
		*debt = (struct debt){.order = ++debts.order};
		memcpy(debt->uuid, uuid, GM_UUID_SIZE);
	}
	debt->period = period;
	debt->looks++;
	pthread_mutex_unlock(&debts.lock);
}

void gm_lv_periods_restored(const uint8_t uuid[GM_UUID_SIZE])
{
	pthread_mutex_lock(&debts.lock);
	struct debt *debt = find(uuid);
	if (debt)
		debt->looks--;
	pthread_mutex_unlock(&debts.lock);
}

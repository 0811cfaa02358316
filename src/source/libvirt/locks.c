/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See locks.h. Called by those that have threads of their own: crew.c, fresh.c.
 */
#include "source/libvirt/locks.h"

#include <time.h>

int gm_lv_locks_init(pthread_mutex_t *lock, pthread_cond_t *changed)
{
	pthread_condattr_t attributes;
	int rc = pthread_condattr_init(&attributes);

	if (rc != 0)
		return -rc;
	rc = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	if (rc == 0)
		rc = pthread_cond_init(changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (rc != 0)
		return -rc;
	rc = pthread_mutex_init(lock, NULL);
	if (rc != 0)
		pthread_cond_destroy(changed);
	return -rc;
}

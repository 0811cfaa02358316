/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See thread.h. The MIB's agent starts its thread itself, for one signal is meant for it (north/mib/agent.c).
 */
#include "base/thread.h"

#include <signal.h>

#include "base/clock.h"

int gm_thread_start(pthread_t *ret_thread, void *(*run)(void *user), void *user)
{
	sigset_t all, before;

	sigfillset(&all);
	int rc = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (rc != 0)
		return -rc;
	rc = pthread_create(ret_thread, NULL, run, user);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

int gm_thread_locks(pthread_mutex_t *lock, pthread_cond_t *changed)
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

struct timespec gm_thread_until(int64_t monotonic)
{
	return (struct timespec){.tv_sec = monotonic / GM_SECOND, .tv_nsec = monotonic % GM_SECOND};
}

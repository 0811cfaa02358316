/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all threads of ours have in common: signals are not theirs, and they wait until a moment of the
 * monotonic clock, so that a step of the wall clock changes no deadline. Any thread.
 */
#ifndef GM_BASE_THREAD_H
#define GM_BASE_THREAD_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* A thread with all signals blocked: they are the main thread's business. 0, or a negative errno. */
int gm_thread_start(pthread_t *ret_thread, void *(*run)(void *user), void *user);

/* A mutex, and a condition to wait for until gm_thread_until(). Both or, with a negative errno, none. */
int gm_thread_locks(pthread_mutex_t *lock, pthread_cond_t *changed);

/* That moment of gm_clock_monotonic(), for pthread_cond_timedwait(). */
struct timespec gm_thread_until(int64_t monotonic);

#endif

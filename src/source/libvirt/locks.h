/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mutex and a condition that is waited for until a moment of the monotonic clock, so that a step of
 * the wall clock changes no deadline.
 */
#ifndef GM_SOURCE_LIBVIRT_LOCKS_H
#define GM_SOURCE_LIBVIRT_LOCKS_H

#include <pthread.h>

/* Both or, with a negative errno, none. */
int gm_lv_locks_init(pthread_mutex_t *lock, pthread_cond_t *changed);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See left.h. Called by runner.c and by the threads that libvirt's lanes have of their own.
 */
#include "source/left.h"

#include <stdatomic.h>

static atomic_uint threads_left;

void gm_left_add(unsigned count)
{
	atomic_fetch_add(&threads_left, count);
}

void gm_left_end(void)
{
	atomic_fetch_sub(&threads_left, 1);
}

unsigned gm_left_count(void)
{
	return atomic_load(&threads_left);
}

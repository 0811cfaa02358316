/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many threads of sources are left behind: they hang in a call, nobody waits for them, and they free what
 * they have when it returns. One number for the process, since what they wait for is. Any thread.
 */
#ifndef GM_SOURCE_LEFT_H
#define GM_SOURCE_LEFT_H

/* Where they are detached. */
void gm_left_add(unsigned count);

/* The last that such a thread does. */
void gm_left_end(void);

unsigned gm_left_count(void);

#endif

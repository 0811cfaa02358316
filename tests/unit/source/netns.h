/* SPDX-License-Identifier: Apache-2.0 */
/* A network namespace of the test's own, and real taps in it. */
#ifndef GM_TEST_NETNS_H
#define GM_TEST_NETNS_H

#include <stddef.h>

enum { NETNS_SKIP = 77 };

/* Moves the calling thread into a fresh network namespace. 0, or a negative errno: not permitted. */
int netns_enter(void);

/* Runs `ip` with the words of `arguments` (no quoting). Its exit status, or a negative errno. */
int netns_ip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Makes a tap and sets it up. What is written to the descriptor, the device receives. Or an errno. */
int netns_tap(const char *name);

/* A socket: what is written to it leaves the device that there is already. Or a negative errno. */
int netns_port(const char *name);

/* Writes `count` frames of `size` octets. */
void netns_write(int fd, int count, size_t size);

#endif

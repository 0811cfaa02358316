/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one line per event on standard error, with the syslog level prefix that journald reads
 * when standard error is the journal. Any thread may log; lines never interleave.
 *
 * Text that comes from outside (a guest's name, a server's answer) goes through gm_text_quote()
 * before it gets here.
 */
#ifndef GM_BASE_LOG_H
#define GM_BASE_LOG_H

#include <stdint.h>

enum gm_log_level { GM_LOG_ERROR, GM_LOG_WARNING, GM_LOG_NOTICE, GM_LOG_INFO, GM_LOG_DEBUG };

/* Names in the order of the levels, NULL at the end: the choices of the option `log.level`. */
extern const char *const gm_log_level_names[];

void gm_log_set_level(enum gm_log_level level);

void gm_log(enum gm_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Limits a line that a fault could repeat. Zero-initialise one per call site and owner; not shared
 * between threads. True when the line may be written (at most one in `interval` ns);
 * `ret_suppressed`, which may be NULL, gets how many were held back since the last.
 */
struct gm_log_limit {
	int64_t last;
	uint64_t suppressed;
};
int gm_log_allowed(struct gm_log_limit *limit, int64_t now, int64_t interval,
		   uint64_t *ret_suppressed);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log; see log.h. A line is formatted on the stack and written with one write(2), so lines of
 * several threads stay whole without a lock. Called from every thread.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

const char *const gm_log_level_names[] = {"error", "warning", "notice", "info", "debug", NULL};

/* The syslog priority that sd-daemon(3) reads in front of a line. */
static const int priorities[] = {3, 4, 5, 6, 7};

static atomic_int log_level = GM_LOG_INFO;

void gm_log_set_level(enum gm_log_level level)
{
	atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
}

void gm_log(enum gm_log_level level, const char *format, ...)
{
	if ((int)level > atomic_load_explicit(&log_level, memory_order_relaxed))
		return;

	char line[1024];
	size_t used;
	if (getenv("JOURNAL_STREAM")) {
		used = (size_t)snprintf(line, sizeof(line), "<%d>", priorities[level]);
	} else {
		char stamp[GM_TIME_TEXT];
		gm_time_format(gm_clock_now(), stamp, sizeof(stamp));
		used = (size_t)snprintf(line, sizeof(line), "%s %s: ", stamp,
					gm_log_level_names[level]);
	}
	va_list args;
	va_start(args, format);
	int length = vsnprintf(line + used, sizeof(line) - used - 1, format, args);
	va_end(args);
	if (length < 0)
		return;
	used = strlen(line);
	line[used++] = '\n';
	ssize_t written = write(STDERR_FILENO, line, used);
	(void)written; /* nowhere left to tell it */
}

int gm_log_allowed(struct gm_log_limit *limit, int64_t now, int64_t interval,
		   uint64_t *ret_suppressed)
{
	if (limit->last != 0 && now >= limit->last && now - limit->last < interval) {
		limit->suppressed++;
		return false;
	}
	if (ret_suppressed)
		*ret_suppressed = limit->suppressed;
	limit->last = now;
	limit->suppressed = 0;
	return true;
}

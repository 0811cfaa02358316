/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's own figures; see selfwatch.h. Called by pipeline.c.
 */
#include "daemon/selfwatch.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "gm_version.h"

void gm_selfwatch_init(struct gm_agent_row *agent, const char *node, uint32_t boots)
{
	gm_text_copy(agent->node, sizeof(agent->node), node);
	gm_text_copy(agent->version, sizeof(agent->version), GM_VERSION);
	agent->started_at = gm_clock_now();
	agent->boots = boots;
}

static uint64_t timeval_ns(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * GM_SECOND + (uint64_t)time->tv_usec * GM_MICROSECOND;
}

void gm_selfwatch_update(struct gm_selfwatch *watch, uint64_t readings, struct gm_agent_row *agent)
{
	struct rusage usage;
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		agent->cpu_ns = timeval_ns(&usage.ru_utime) + timeval_ns(&usage.ru_stime);

	unsigned long long pages;
	FILE *statm = fopen("/proc/self/statm", "re");
	if (statm && fscanf(statm, "%*u %llu", &pages) == 1)
		agent->resident = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	if (statm)
		fclose(statm);

	int64_t now = gm_clock_monotonic();
	if (watch->time != 0 && now > watch->time) {
		double rate =
			(double)(readings - watch->readings) * 1e9 / (double)(now - watch->time);
		/* Smoothed over about five seconds; the first value as it is. */
		agent->sample_rate +=
			(rate - agent->sample_rate) * (agent->sample_rate > 0 ? 0.2 : 1);
	}
	watch->time = now;
	watch->readings = readings;
}

void gm_selfwatch_store(struct gm_store *store, struct gm_agent_row *agent)
{
	struct gm_store_status status;
	store->ops->status(store, &status);
	agent->store_connected = status.connected;
	memcpy(agent->store_state, status.state, sizeof(status.state));
	agent->store_written = status.written;
	agent->store_dropped = status.dropped;
	agent->store_filled = status.filled;
}

int64_t gm_selfwatch_clock(void)
{
	int64_t step = gm_clock_discipline();
	if (step != 0)
		gm_log(GM_LOG_WARNING,
		       "the system's clock was set by %.3f s: nothing is measured over that",
		       (double)step / 1e9);
	return step;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generated memory series for the tests of the leak detector, and a fixture that feeds them: a guest's
 * clock, its detector, and what it found. Included by those tests only.
 */
#ifndef GM_TEST_LEAK_SERIES_H
#define GM_TEST_LEAK_SERIES_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/leak.h"
#include "base/clock.h"

#define START INT64_C(1700006400) /* seconds; midnight */
#define MIB   1048576.0

struct guest {
	struct gm_leak_options options;
	struct gm_detector *detector;
	struct gm_finding_sink sink;
	uint64_t random;
	double total, noise; /* bytes */
	double now;          /* seconds since START */
	double evaluated;

	unsigned findings, raises, clears, reports;
	double raised_at, cleared_at; /* the last; seconds since START */
	bool active;
	struct gm_finding last;
	double hash; /* of all that was found */
};

/* Bytes in use at a time, in seconds since START. */
typedef double series(const struct guest *guest, double time);

static inline void take_finding(void *user, const struct gm_finding *finding)
{
	struct guest *guest = user;

	guest->findings++;
	if (finding->active && !guest->active) {
		guest->raises++;
		guest->raised_at = guest->now;
	} else if (!finding->active && guest->active) {
		guest->clears++;
		guest->cleared_at = guest->now;
	}
	guest->reports += finding->report;
	guest->active = finding->active;
	guest->last = *finding;
	guest->hash = fmod(guest->hash * 31 + finding->active +
				   finding->evidence.number[GM_EVIDENCE_SLOPE] +
				   finding->evidence.number[GM_EVIDENCE_EXHAUSTION],
			   1e9);
}

static inline struct guest *new_entity(struct gm_entity_key key, double total, double noise)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	assert_non_null(guest);
	gm_option_defaults(gm_leak_ops.options, &guest->options);
	guest->sink = (struct gm_finding_sink){.emit = take_finding, .user = guest};
	guest->total = total;
	guest->noise = noise;
	guest->random = 1;
	guest->evaluated = -1;
	assert_int_equal(gm_leak_ops.create(&guest->options, &key, &guest->detector), 0);
	return guest;
}

static inline struct guest *new_guest(double total, double noise)
{
	return new_entity(gm_entity_node(), total, noise);
}

static inline void free_guest(struct guest *guest)
{
	gm_leak_ops.destroy(guest->detector);
	free(guest);
}

/* Uniform in -1 to 1, the same in every run (Knuth's MMIX generator). */
static inline double random_number(struct guest *guest)
{
	guest->random =
		guest->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(guest->random >> 11) / 4503599627370496.0 - 1;
}

static inline int64_t at(double time)
{
	return START * GM_SECOND + (int64_t)llround(time * 1e9);
}

static inline void tell(struct guest *guest, unsigned metric, double time, double value)
{
	struct gm_point point = {.metric = metric, .time = at(time), .value = value};

	gm_leak_ops.observe(guest->detector, &point, &guest->sink);
}

static inline void evaluate(struct guest *guest)
{
	guest->evaluated = guest->now;
	gm_leak_ops.evaluate(guest->detector, at(guest->now), &guest->sink);
}

/* Samples from the guest's present to `until`, every `step`, evaluated at most once a second. */
static inline void sample(struct guest *guest, series *used, double until, double step)
{
	for (; guest->now < until; guest->now += step) {
		double bytes = used(guest, guest->now) + guest->noise * random_number(guest);

		tell(guest, GM_METRIC_MEMORY_TOTAL, guest->now, guest->total);
		tell(guest, GM_METRIC_MEMORY_USED, guest->now, fmin(fmax(bytes, 0), guest->total));
		if (guest->now - guest->evaluated >= 0.999)
			evaluate(guest);
	}
}

static inline double told(const struct guest *guest, enum gm_evidence_id id)
{
	assert_true(gm_evidence_has(&guest->last.evidence, id));
	return guest->last.evidence.number[id];
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which analyser may say what, and until when it holds; see external.h. What an entry's fields mean is
 * in external_parse.c. Called by daemon/external.c.
 */
#include "analysis/external.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "analysis/detector.h"
#include "base/clock.h"
#include "base/text.h"
#include "model/metric.h"

/* How far ahead of ours an analyser's clock may be. */
#define AHEAD_MAX (10 * GM_SECOND)

/* The rate holds over so long; and who has said nothing for so long gives up its place. */
enum { RATE_SECONDS = 10 };
#define PLACE_KEPT (600 * GM_SECOND)

#define ORIGIN "external "

const struct gm_option gm_external_option_table[] = {
	{.key = "enabled",
	 .type = GM_OPTION_BOOL,
	 GM_OPTION_AT(struct gm_external_options, enabled),
	 .fallback = "true",
	 .help = "Take findings of other programs from the stream of findings in Redis, where "
		 "redis.enabled is set; see guestmon-redis(7)."},
	{.key = "analysers",
	 .type = GM_OPTION_TEXT,
	 GM_OPTION_AT(struct gm_external_options, analysers),
	 .fallback = "*",
	 .help = "Names that they may use: patterns with '*' and '?', separated by commas; one "
		 "that "
		 "begins with '!' excludes."},
	{.key = "ttl",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_external_options, ttl),
	 .min = 1e9,
	 .max = 86400e9,
	 .fallback = "5m",
	 .help = "How long a finding holds that is neither repeated nor ended, where it does not "
		 "say "
		 "so itself."},
	{.key = "max-age",
	 .type = GM_OPTION_DURATION,
	 GM_OPTION_AT(struct gm_external_options, max_age),
	 .min = 1e9,
	 .max = 86400e9,
	 .fallback = "10m",
	 .help = "How far back the time of a finding may lie."},
	{.key = "rate",
	 .type = GM_OPTION_INT,
	 GM_OPTION_AT(struct gm_external_options, rate),
	 .min = 1,
	 .max = 1000,
	 .fallback = "50",
	 .help = "Entries a second that one analyser may write, over ten seconds; what is more is "
		 "rejected."},
	GM_OPTION_END,
};

/* Text without padding, so that it can be hashed as bytes. */
struct identity {
	struct gm_entity_key key;
	char detector[GM_DETECTOR_NAME];
	char metric[GM_METRIC_NAME];
};

/* What was last said of one thing; kept for its ttl, so that a late entry is known to be late. */
struct held {
	struct identity identity;
	bool active;
	int64_t time; /* that it spoke of */
	int64_t ends;
	UT_hash_handle hh;
};

/* A bucket of entries: filled at the rate, emptied by each that is taken. */
struct analyser {
	char name[GM_DETECTOR_NAME];
	int64_t seen; /* 0: a free place */
	double left;
};

struct gm_external {
	struct gm_external_options options;
	struct gm_external_host host;
	struct held *held;
	struct analyser analysers[GM_EXTERNAL_ANALYSERS];
	struct gm_external_status status;
};

int gm_external_create(const struct gm_external_options *options,
		       const struct gm_external_host *host, struct gm_external **ret_external)
{
	struct gm_external *external = calloc(1, sizeof(*external));

	if (!external)
		return -ENOMEM;
	external->options = *options;
	external->host = *host;
	*ret_external = external;
	return 0;
}

static void drop(struct gm_external *external, struct held *held)
{
	HASH_DEL(external->held, held);
	free(held);
}

void gm_external_free(struct gm_external *external)
{
	struct held *held, *next;

	if (!external)
		return;
	HASH_ITER (hh, external->held, held, next)
		drop(external, held);
	free(external);
}

static struct held *find(const struct gm_external *external, const struct gm_entity_key *key,
			 const char *detector, const char *metric)
{
	struct identity identity;
	struct held *held;

	memset(&identity, 0, sizeof(identity));
	identity.key = *key;
	gm_text_copy(identity.detector, sizeof(identity.detector), detector);
	gm_text_copy(identity.metric, sizeof(identity.metric), metric);
	HASH_FIND(hh, external->held, &identity, sizeof(identity), held);
	return held;
}

static struct held *add(struct gm_external *external, const struct gm_entity_key *key,
			const char *detector, const char *metric)
{
	struct held *held = calloc(1, sizeof(*held));

	if (!held)
		return NULL;
	held->identity.key = *key;
	gm_text_copy(held->identity.detector, sizeof(held->identity.detector), detector);
	gm_text_copy(held->identity.metric, sizeof(held->identity.metric), metric);
	HASH_ADD(hh, external->held, identity, sizeof(held->identity), held);
	if (!held->hh.tbl) {
		free(held);
		return NULL;
	}
	return held;
}

/* The analyser's place, a new one where there is room; NULL: there is none. */
static struct analyser *place_of(struct gm_external *external, const char *name, int64_t now)
{
	struct analyser *oldest = &external->analysers[0];

	for (size_t i = 0; i < GM_EXTERNAL_ANALYSERS; i++) {
		struct analyser *analyser = &external->analysers[i];

		if (analyser->seen != 0 && strcmp(analyser->name, name) == 0)
			return analyser;
		if (analyser->seen < oldest->seen)
			oldest = analyser;
	}
	if (oldest->seen != 0 && now - oldest->seen < PLACE_KEPT)
		return NULL;
	*oldest = (struct analyser){.seen = now,
				    .left = (double)external->options.rate * RATE_SECONDS};
	gm_text_copy(oldest->name, sizeof(oldest->name), name);
	return oldest;
}

/* Takes one from the bucket; false when it is empty. */
static bool within_rate(const struct gm_external *external, struct analyser *analyser, int64_t now)
{
	double rate = (double)external->options.rate;
	double passed = now > analyser->seen ? (double)(now - analyser->seen) / 1e9 : 0;

	analyser->left += passed * rate;
	if (analyser->left > rate * RATE_SECONDS)
		analyser->left = rate * RATE_SECONDS;
	analyser->seen = now;
	if (analyser->left < 1)
		return false;
	analyser->left--;
	return true;
}

static int check_name(struct gm_external *external, const char *name, int64_t now,
		      struct gm_error *err)
{
	if (gm_detector_find(name) || strcmp(name, GM_SELF_DETECTOR) == 0 ||
	    strcmp(name, GM_EVENT_DETECTOR) == 0)
		return gm_error_set(err, -EPERM, "%s is a detector of the daemon itself", name);
	if (!gm_text_match(external->options.analysers, name))
		return gm_error_set(err, -EPERM, "external.analysers does not allow %s", name);
	struct analyser *analyser = place_of(external, name, now);
	if (!analyser)
		return gm_error_set(err, -EDQUOT, "more than %d analysers", GM_EXTERNAL_ANALYSERS);
	if (within_rate(external, analyser, now))
		return 0;
	external->status.limited++;
	return gm_error_set(err, -EDQUOT, "more than %" PRId64 " entries a second",
			    external->options.rate);
}

static int check_time(const struct gm_external *external, const struct gm_finding *finding,
		      const struct held *held, int64_t now, struct gm_error *err)
{
	if (finding->time > now + AHEAD_MAX)
		return gm_error_set(err, -ERANGE, "its time is %.3f s ahead",
				    (double)(finding->time - now) / 1e9);
	if (now - finding->time > external->options.max_age)
		return gm_error_set(err, -ERANGE, "its time is %.0f s back",
				    (double)(now - finding->time) / 1e9);
	if (held && finding->time < held->time)
		return gm_error_set(err, -ERANGE, "older than what was said before");
	return 0;
}

/* Whose turn it is next is not known: room is made by whatever has ended anyway. */
static struct held *room_for(struct gm_external *external, const struct gm_finding *finding)
{
	struct held *held, *next;

	if (HASH_COUNT(external->held) >= GM_EXTERNAL_FINDINGS) {
		HASH_ITER (hh, external->held, held, next)
			if (!held->active)
				drop(external, held);
	}
	if (HASH_COUNT(external->held) >= GM_EXTERNAL_FINDINGS)
		return NULL;
	return add(external, &finding->key, finding->detector, finding->metric);
}

static int take(struct gm_external *external, const struct gm_entry *entry, int64_t now,
		struct gm_error *err)
{
	struct gm_external_claim claim;
	struct gm_finding *finding = &claim.finding;
	int rc = gm_external_parse(entry, &claim, err);

	if (rc == 0)
		rc = check_name(external, finding->detector, now, err);
	if (rc < 0)
		return rc;
	if (!external->host.knows(external->host.user, &finding->key))
		return gm_error_set(err, -ENOENT, "no such entity on this node");
	struct held *held = find(external, &finding->key, finding->detector, finding->metric);
	if (!claim.dated && finding->time > now)
		finding->time = now;
	rc = check_time(external, finding, held, now, err);
	if (rc < 0)
		return rc;
	if (!held)
		held = room_for(external, finding);
	if (!held)
		return gm_error_set(err, -EDQUOT, "more than %d findings are held, or no memory",
				    GM_EXTERNAL_FINDINGS);
	external->status.active += (size_t)finding->active - (size_t)held->active;
	held->active = finding->active;
	held->time = finding->time;
	held->ends = now + (claim.ttl ? claim.ttl : external->options.ttl);
	snprintf(finding->evidence.origin, sizeof(finding->evidence.origin),
		 ORIGIN "%" PRIu64 "-%" PRIu64, entry->ms, entry->sequence);
	/* A clock that is ahead would put the raise after the clear that a silence brings. */
	if (finding->time > now)
		finding->time = now;
	external->host.emit(external->host.user, finding);
	return 0;
}

int gm_external_take(struct gm_external *external, const struct gm_entry *entry, int64_t now,
		     struct gm_error *err)
{
	int rc = take(external, entry, now, err);

	if (rc < 0)
		external->status.rejected++;
	else
		external->status.accepted++;
	return rc;
}

void gm_external_adopt(struct gm_external *external, const struct gm_alarm *alarm, int64_t now)
{
	uint64_t ms, sequence;

	if (!gm_external_origin(alarm, &ms, &sequence) ||
	    find(external, &alarm->key, alarm->detector, alarm->metric) ||
	    HASH_COUNT(external->held) >= GM_EXTERNAL_FINDINGS)
		return;
	struct held *held = add(external, &alarm->key, alarm->detector, alarm->metric);
	if (!held)
		return;
	held->active = true;
	held->ends = now + external->options.ttl;
	external->status.active++;
}

bool gm_external_owns(const struct gm_external *external, const struct gm_alarm *alarm)
{
	return find(external, &alarm->key, alarm->detector, alarm->metric) != NULL;
}

static void end(struct gm_external *external, struct held *held, int64_t now)
{
	struct gm_finding ok = {.key = held->identity.key, .time = now};

	memcpy(ok.detector, held->identity.detector, sizeof(ok.detector));
	memcpy(ok.metric, held->identity.metric, sizeof(ok.metric));
	external->status.active--;
	external->status.silenced++;
	external->host.emit(external->host.user, &ok);
}

void gm_external_expire(struct gm_external *external, int64_t now)
{
	struct held *held, *next;

	HASH_ITER (hh, external->held, held, next) {
		if (now < held->ends)
			continue;
		if (held->active)
			end(external, held, now);
		drop(external, held);
	}
}

void gm_external_status(const struct gm_external *external, struct gm_external_status *ret_status)
{
	*ret_status = external->status;
}

bool gm_external_origin(const struct gm_alarm *alarm, uint64_t *ret_ms, uint64_t *ret_sequence)
{
	return sscanf(alarm->evidence.origin, ORIGIN "%" SCNu64 "-%" SCNu64, ret_ms,
		      ret_sequence) == 2;
}

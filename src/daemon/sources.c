/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of sources; see sources.h. A new source is one line here.
 */
#include "daemon/sources.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "source/left.h"

/*
 * Main waits for all sources together no longer than this. Most end within a tick; what hangs in a
 * call is left to itself. While the daemon goes on there is no hurry, and the loop is wanted.
 */
#define STOP_PATIENCE   GM_SECOND
#define RELOAD_PATIENCE (300 * GM_MILLISECOND)

/* A call of a source that lasts so long is no slow answer any more. */
#define STUCK_AFTER (10 * GM_SECOND)

/* Threads that may be left behind when libvirt's lanes are stopped once more: two or three reloads' of one URI. */
enum { LEFT_MAX = 16 };

/* Guests that are asked for in a second whether they still move: no more than a lane can ask for at once. */
enum { FOLLOWED_MAX = 64 };

static int create_libvirt(const struct gm_sources *sources, const struct gm_config *config,
			  unsigned uri, struct gm_source **ret_source)
{
	(void)sources;
	return gm_libvirt_create(&config->libvirt, uri, ret_source);
}

static int create_libvirt_slow(const struct gm_sources *sources, const struct gm_config *config,
			       unsigned uri, struct gm_source **ret_source)
{
	(void)sources;
	return gm_libvirt_slow_create(&config->libvirt, uri, ret_source);
}

static int create_tap(const struct gm_sources *sources, const struct gm_config *config,
		      unsigned uri, struct gm_source **ret_source)
{
	(void)sources;
	(void)uri;
	return gm_tap_create(&config->tap, ret_source);
}

static int create_host(const struct gm_sources *sources, const struct gm_config *config,
		       unsigned uri, struct gm_source **ret_source)
{
	(void)sources;
	(void)uri;
	return gm_host_create(&config->host, ret_source);
}

static int create_snmp(const struct gm_sources *sources, const struct gm_config *config,
		       unsigned uri, struct gm_source **ret_source)
{
	(void)uri;
	return gm_snmp_create(&config->snmp_guests, &sources->snmp_start, ret_source);
}

struct line {
	int (*create)(const struct gm_sources *sources, const struct gm_config *config,
		      unsigned uri, struct gm_source **ret_source);
	size_t enabled;  /* offset of its switch in struct gm_config */
	size_t interval; /* offset of its interval, ns */
	size_t section, section_size;
	int64_t phase; /* so that sources do not tick at the same moment */
	unsigned uri;  /* libvirt's lanes: the place of theirs in the list */
};

#define SECTION(member)                                          \
	.section = offsetof(struct gm_config, member),           \
	.section_size = sizeof(((struct gm_config *)0)->member), \
	.enabled = offsetof(struct gm_config, member.enabled)

#define FAST_LANE(place)                                                              \
	{                                                                             \
		create_libvirt, SECTION(libvirt),                                     \
			.interval = offsetof(struct gm_config, libvirt.interval),     \
			.phase = (20 + 10 * (place)) * GM_MILLISECOND, .uri = (place) \
	}
#define SLOW_LANE(place)                                                               \
	{                                                                              \
		create_libvirt_slow, SECTION(libvirt),                                 \
			.interval = offsetof(struct gm_config, libvirt.slow_interval), \
			.phase = (50 + 100 * (place)) * GM_MILLISECOND, .uri = (place) \
	}

static const struct line lines[GM_SOURCE_COUNT] = {
	[GM_SOURCE_LIBVIRT] = FAST_LANE(0),
	[GM_SOURCE_LIBVIRT_SLOW] = SLOW_LANE(0),
	[GM_SOURCE_LIBVIRT_2] = FAST_LANE(1),
	[GM_SOURCE_LIBVIRT_2_SLOW] = SLOW_LANE(1),
	[GM_SOURCE_LIBVIRT_3] = FAST_LANE(2),
	[GM_SOURCE_LIBVIRT_3_SLOW] = SLOW_LANE(2),
	[GM_SOURCE_LIBVIRT_4] = FAST_LANE(3),
	[GM_SOURCE_LIBVIRT_4_SLOW] = SLOW_LANE(3),
	[GM_SOURCE_TAP] = {create_tap, SECTION(tap), .phase = 0,
			   .interval = offsetof(struct gm_config, tap.interval)},
	[GM_SOURCE_HOST] = {create_host, SECTION(host), .phase = 70 * GM_MILLISECOND,
			    .interval = offsetof(struct gm_config, host.interval)},
	[GM_SOURCE_SNMP] = {create_snmp, SECTION(snmp_guests), .phase = 5 * GM_MILLISECOND,
			    .interval = offsetof(struct gm_config, snmp_guests.resolution)},
};

static bool is_enabled(const struct gm_config *config, enum gm_source_id id)
{
	bool enabled;
	memcpy(&enabled, (const char *)config + lines[id].enabled, sizeof(enabled));
	if (gm_source_uri(id) >= 0)
		enabled = enabled && lines[id].uri < gm_libvirt_uris(&config->libvirt);
	return enabled;
}

static int start_one(struct gm_sources *sources, const struct gm_config *config,
		     enum gm_source_id id, struct gm_error *err)
{
	const struct line *line = &lines[id];
	if (!is_enabled(config, id))
		return 0;

	if (gm_source_uri(id) >= 0) {
		bool remote = gm_libvirt_is_remote(&config->libvirt, line->uri);
		sources->remote = (sources->remote & ~(1U << id)) | (unsigned)remote << id;
	}
	struct gm_runner_options options = {.phase = line->phase};
	memcpy(&options.interval, (const char *)config + line->interval, sizeof(options.interval));
	options.phase %= options.interval;
	struct gm_source *source;
	int result = line->create(sources, config, line->uri, &source);
	if (result == 0) {
		result = gm_runner_start(source, &options, sources->sink, &sources->runners[id]);
		if (result < 0)
			source->ops->destroy(source);
		else
			sources->running[id] = source;
	}
	if (result < 0)
		return gm_error_set(err, result, "source %s cannot start: %s", gm_source_name(id),
				    strerror(-result));
	return 0;
}

/* Stops those of a set (bits 1 << enum gm_source_id): all are asked before one is waited for. */
static void stop_set(struct gm_sources *sources, unsigned set, int64_t patience)
{
	int64_t deadline = gm_clock_monotonic() + patience;
	sources->taps = sources->taps && !(set >> GM_SOURCE_TAP & 1);
	for (int id = 0; id < GM_SOURCE_COUNT; id++)
		if (set >> id & 1)
			gm_runner_quit(sources->runners[id]);
	for (int id = 0; id < GM_SOURCE_COUNT; id++) {
		if (!(set >> id & 1))
			continue;
		int64_t left = deadline - gm_clock_monotonic();
		if (gm_runner_stop(sources->runners[id], left > 0 ? left : 0) < 0)
			gm_log(GM_LOG_NOTICE,
			       "source %s waits for an answer: it is left to end by itself",
			       gm_source_name((enum gm_source_id)id));
		sources->runners[id] = NULL;
		sources->running[id] = NULL;
	}
}

void gm_sources_identify(struct gm_sources *sources, const struct gm_state *state)
{
	sources->snmp_start = (struct gm_snmp_start){.engine = gm_state_engine(state),
						     .boots = gm_state_boots(state),
						     .at = gm_clock_monotonic()};
}

int gm_sources_start(struct gm_sources *sources, const struct gm_config *config,
		     const struct gm_source_sink *sink, struct gm_error *err)
{
	sources->sink = sink;
	gm_libvirt_prepare();
	int result = 0;
	for (int id = 0; id < GM_SOURCE_COUNT && result == 0; id++)
		result = start_one(sources, config, (enum gm_source_id)id, err);
	return result;
}

void gm_sources_stop(struct gm_sources *sources)
{
	stop_set(sources, (1U << GM_SOURCE_COUNT) - 1, STOP_PATIENCE);
}

/* A device that has its kernel's index is the tap sampler's, for libvirt's lanes. */
static void tell_untapped(struct gm_sources *sources, const struct gm_entity_info *info)
{
	struct gm_entity_info untapped = *info;
	untapped.interface.if_index = 0;
	for (unsigned uri = 0; uri < GM_LIBVIRT_URIS; uri++) {
		struct gm_runner *runner = sources->runners[gm_source_libvirt(uri, false)];
		if (runner)
			gm_runner_hear(runner, &untapped, true);
	}
}

void gm_sources_tell(struct gm_sources *sources, const struct gm_tracked *tracked)
{
	const struct gm_entity_info *info = &tracked->info;
	bool is_untapped = info->key.kind == GM_ENTITY_INTERFACE && !sources->taps;
	bool is_elsewhere =
		info->key.kind == GM_ENTITY_GUEST && (tracked->told_by & sources->remote) != 0;
	for (int id = 0; id < GM_SOURCE_COUNT; id++) {
		bool is_fast = gm_source_uri((enum gm_source_id)id) >= 0;
		if (sources->runners[id] && !(is_untapped && is_fast))
			gm_runner_hear(sources->runners[id], info,
				       !(is_elsewhere && id == GM_SOURCE_HOST));
	}
	if (is_untapped)
		tell_untapped(sources, info);
}

void gm_sources_forget(struct gm_sources *sources, const struct gm_entity_key *key)
{
	const struct gm_entity_info info = {.key = *key};
	gm_suspicion_forget(&sources->suspicion, key);
	for (int id = 0; id < GM_SOURCE_COUNT; id++)
		if (sources->runners[id])
			gm_runner_hear(sources->runners[id], &info, false);
}

void gm_sources_judge(struct gm_sources *sources, const struct gm_finding *finding)
{
	if (!gm_suspicion_take(&sources->suspicion, finding))
		return;
	for (int id = 0; id < GM_SOURCE_COUNT; id++) {
		struct gm_source *source = sources->running[id];
		if (source && source->ops->suspect)
			source->ops->suspect(source, &finding->key);
	}
}

static void follow(struct gm_sources *sources, const struct gm_entity_key *key)
{
	for (int id = 0; id < GM_SOURCE_COUNT; id++) {
		struct gm_source *source = sources->running[id];
		if (source && source->ops->follow)
			source->ops->follow(source, key);
	}
}

/* In a circle; NULL: there is none. */
static const struct gm_tracked *after(const struct gm_entities *entities,
				      const struct gm_tracked *tracked)
{
	const struct gm_tracked *next = tracked ? gm_entities_next(tracked) : NULL;
	return next ? next : gm_entities_first(entities);
}

void gm_sources_follow(struct gm_sources *sources, const struct gm_entities *entities, int64_t now)
{
	const struct gm_tracked *first =
		after(entities, gm_entities_find(entities, &sources->followed));
	const struct gm_tracked *tracked = first;
	unsigned told = 0;
	while (tracked && told < FOLLOWED_MAX) {
		if (gm_tracked_is_leaving(tracked, now)) {
			follow(sources, &tracked->info.key);
			sources->followed = tracked->info.key;
			told++;
		}
		tracked = after(entities, tracked);
		if (tracked == first)
			break;
	}
}

static void write_log(const struct gm_source_status *before, const struct gm_source_status *after)
{
	char reason[2 * sizeof(after->error)];
	gm_text_quote(reason, sizeof(reason), after->error);
	if (after->connected && !before->connected)
		gm_log(GM_LOG_INFO, "source %s: connected", gm_source_name(after->id));
	else if (after->error[0] != '\0' && strcmp(before->error, after->error) != 0)
		gm_log(GM_LOG_WARNING, "source %s: %s", gm_source_name(after->id), reason);
}

void gm_sources_note(struct gm_sources *sources, const struct gm_entities *entities,
		     const struct gm_source_status *before, const struct gm_source_status *after)
{
	write_log(before, after);
	if (after->id != GM_SOURCE_TAP || after->connected == sources->taps)
		return;
	sources->taps = after->connected;
	for (const struct gm_tracked *tracked = gm_entities_first(entities); tracked;
	     tracked = gm_entities_next(tracked))
		if (tracked->told_by && tracked->info.key.kind == GM_ENTITY_INTERFACE)
			gm_sources_tell(sources, tracked);
}

/* A poll of libvirt's slow lane waits for its workers, and for one that is overdue, up to a deadline each. */
static int64_t patience(const struct gm_config *config, enum gm_source_id id)
{
	bool slow = gm_source_uri(id) >= 0 &&
		    id == gm_source_libvirt((unsigned)gm_source_uri(id), true);

	return STUCK_AFTER + (slow ? 2 * config->libvirt.slow_deadline : 0);
}

bool gm_sources_stuck(const struct gm_sources *sources, const struct gm_config *config,
		      enum gm_source_id id, int64_t monotonic, struct gm_source_status *status)
{
	int64_t after = patience(config, id);
	struct gm_runner *runner = sources->runners[id];
	int64_t busy = runner ? gm_runner_busy(runner, monotonic) : 0;

	if (busy < after)
		return false;
	status->connected = false;
	status->lag_max = busy;
	snprintf(status->error, sizeof(status->error), "no answer for more than %.0f s",
		 (double)after / GM_SECOND);
	return true;
}

bool gm_sources_libvirt_connected(const struct gm_sources *sources,
				  const struct gm_source_status status[GM_SOURCE_COUNT])
{
	for (unsigned uri = 0; uri < GM_LIBVIRT_URIS; uri++) {
		enum gm_source_id id = gm_source_libvirt(uri, false);
		if (sources->runners[id] && !status[id].connected)
			return false;
	}
	return sources->runners[GM_SOURCE_LIBVIRT] != NULL;
}

void gm_sources_tell_again(struct gm_sources *sources, const struct gm_entities *entities)
{
	for (struct gm_tracked *tracked = gm_entities_first(entities); tracked;
	     tracked = gm_entities_next(tracked))
		if (tracked->told_by)
			gm_sources_tell(sources, tracked);
}

/* Those that run and must not go on as they are, as bits. */
static unsigned find_changed(const struct gm_sources *sources, const struct gm_config *before,
			     const struct gm_config *after)
{
	unsigned changed = 0;
	for (int id = 0; id < GM_SOURCE_COUNT; id++) {
		const struct line *line = &lines[id];
		bool same = memcmp((const char *)before + line->section,
				   (const char *)after + line->section, line->section_size) == 0;
		bool stays = same && is_enabled(after, (enum gm_source_id)id);
		changed |= (unsigned)(sources->runners[id] && !stays) << id;
	}
	return changed;
}

int gm_sources_may_change(const struct gm_sources *sources, const struct gm_config *before,
			  const struct gm_config *after, struct gm_error *err)
{
	unsigned changed = find_changed(sources, before, after), left = gm_left_count();
	if (left <= LEFT_MAX)
		return 0;
	for (int id = 0; id < GM_SOURCE_COUNT; id++)
		if ((changed >> id & 1) && gm_source_uri((enum gm_source_id)id) >= 0)
			return gm_error_set(
				err, -EBUSY,
				"section libvirt cannot change yet: earlier connections "
				"still wait for libvirtd (%u threads)",
				left);
	return 0;
}

unsigned gm_sources_stop_changed(struct gm_sources *sources, const struct gm_config *before,
				 const struct gm_config *after)
{
	unsigned changed = find_changed(sources, before, after);
	stop_set(sources, changed, RELOAD_PATIENCE);
	return changed;
}

int gm_sources_start_missing(struct gm_sources *sources, const struct gm_config *after,
			     struct gm_error *err)
{
	int result = 0;
	for (int id = 0; id < GM_SOURCE_COUNT; id++) {
		int one = sources->runners[id]
				  ? 0
				  : start_one(sources, after, (enum gm_source_id)id, err);
		if (one < 0)
			result = one;
	}
	return result;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sources that run: one line per source, what makes it from the configuration and how often it
 * ticks. Main thread only.
 */
#ifndef GM_DAEMON_SOURCES_H
#define GM_DAEMON_SOURCES_H

#include "daemon/config.h"
#include "daemon/entities.h"
#include "daemon/suspicion.h"
#include "source/runner.h"
#include "state/state.h"

struct gm_sources {
	struct gm_runner *runners[GM_SOURCE_COUNT]; /* NULL: not enabled */
	struct gm_source *running[GM_SOURCE_COUNT]; /* what they run */
	const struct gm_source_sink *sink;
	struct gm_snmp_start snmp_start;
	struct gm_suspicion suspicion; /* whoever frees the rest clears it */
	unsigned remote; /* those that tell of other nodes' guests: bits 1 << enum gm_source_id */
	bool taps;       /* what the tap sampler tells of is being read */
	struct gm_entity_key followed; /* the guest that was told of last as one to be moved */
};

/* Before the first start: which start of the daemon this is, and as whom it takes informs. */
void gm_sources_identify(struct gm_sources *sources, const struct gm_state *state);

/* Starts every enabled source. `sink` outlives them. 0 or a negative errno (those started go on). */
int gm_sources_start(struct gm_sources *sources, const struct gm_config *config,
		     const struct gm_source_sink *sink, struct gm_error *err);

/* Stops them; one that is stuck in a call is left behind. */
void gm_sources_stop(struct gm_sources *sources);

/*
 * Tells all of them what one has told: who an entity is, or that it is gone. The host source is told of this
 * node's guests alone, and libvirt's lanes of what the tap sampler reads while it does.
 */
void gm_sources_tell(struct gm_sources *sources, const struct gm_tracked *tracked);
void gm_sources_forget(struct gm_sources *sources, const struct gm_entity_key *key);

/* Tells all of them what is known of every entity: those that were started anew know nothing. */
void gm_sources_tell_again(struct gm_sources *sources, const struct gm_entities *entities);

/* Tells those that can look closer of an entity that deserves it by what is found of it. */
void gm_sources_judge(struct gm_sources *sources, const struct gm_finding *finding);

/*
 * Once a second: tells those that can ask of guests that are being moved elsewhere, for a migration that is
 * given up ends without a word; of many, others each time.
 */
void gm_sources_follow(struct gm_sources *sources, const struct gm_entities *entities, int64_t now);

/*
 * Takes note of a source's account: what of it is new goes into the log; and where the tap sampler reads no more, or
 * again, the others are told.
 */
void gm_sources_note(struct gm_sources *sources, const struct gm_entities *entities,
		     const struct gm_source_status *before, const struct gm_source_status *after);

/*
 * Whether a source is stuck in a call, and so tells nothing of itself. Then `status`, its last account, becomes the one
 * that stands for its own: it is not connected. The ticks that it misses are counted when the call returns.
 */
bool gm_sources_stuck(const struct gm_sources *sources, const struct gm_config *config,
		      enum gm_source_id id, int64_t monotonic, struct gm_source_status *status);

/* Whether all of libvirt's connections stand (and there is one): only then nobody is missing. */
bool gm_sources_libvirt_connected(const struct gm_sources *sources,
				  const struct gm_source_status status[GM_SOURCE_COUNT]);

/*
 * Whether one configuration can follow the other now. -EBUSY with `err`: connections to libvirt would be
 * stopped while too many threads that were left behind still wait for it.
 */
int gm_sources_may_change(const struct gm_sources *sources, const struct gm_config *before,
			  const struct gm_config *after, struct gm_error *err);

/*
 * Stops those whose section differs between the two, or that are to run no more. Which, as bits
 * 1 << enum gm_source_id.
 */
unsigned gm_sources_stop_changed(struct gm_sources *sources, const struct gm_config *before,
				 const struct gm_config *after);

/* Starts those that do not run and should. 0, or the last failure: the others run. */
int gm_sources_start_missing(struct gm_sources *sources, const struct gm_config *after,
			     struct gm_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entities that are known now, each with its window, its detectors and what they last said. Main
 * thread only.
 */
#ifndef GM_DAEMON_ENTITIES_H
#define GM_DAEMON_ENTITIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "analysis/detector.h"
#include "analysis/rules.h"
#include "daemon/disk_faults.h"
#include "daemon/precedence.h"
#include "model/alarm.h"
#include "model/entity.h"
#include "model/event.h"
#include "model/finding.h"
#include "window/peaks.h"
#include "window/window.h"

enum {
	GM_ENTITIES_MAX = 65536,
	GM_TRACKED_FINDINGS = 10, /* latest findings kept per entity: one per detector and metric */
};

/* What finding one and feeding it touches stands together, around the hash's handle and the key. */
struct gm_tracked {
	unsigned told_by;     /* `info` was filled by these sources: bits 1 << enum gm_source_id */
	uint32_t guest_index; /* a guest's own, or its guest's; 0: none */
	uint32_t ordinal;     /* interface: stable number within its guest */
	bool restored;        /* its window came from a store, nothing live has been added yet */
	int64_t first_at;     /* measured_at of its first live frame; 0: none */
	/* When its detectors' state is kept next (see recall.h), and until when they saw stored samples. */
	int64_t keep_at, learned_until;
	void *kept; /* what a store had kept of it, while it may be asked for again; NULL: nothing */
	size_t kept_size;
	struct gm_peer
		*peer; /* guests: its place among those of its flavor (analysis/peers.h), or NULL */
	uint64_t taught;      /* the lessons that `detectors` have; see learning.h */
	int64_t started_at;   /* guests: when its process was started; 0: not known */
	int64_t moved_at;     /* guests: a migration's last event; 0: none */
	bool leaving;         /* it was told of one from here */
	int64_t disturbed_at; /* guests: what belongs to it is to be told (happenings.h); 0: no */
	bool refit_due;       /* guests: what belongs to it is to have other detectors (refits.h) */
	struct gm_faults *faults; /* guests: what libvirt told of it (faults.h); NULL: nothing */
	struct gm_vcpu *vcpus;    /* guests: of numbers 0 to vcpu_count - 1 */
	size_t vcpu_count;
	struct gm_disk_faults *disk_faults; /* guests: NULL: none yet */
	size_t finding_count;
	struct gm_finding *findings;     /* as many as there were ever: most entities have none */
	struct gm_precedence precedence; /* guests: whose word on shared metrics is taken */
	int64_t newest
		[GM_SOURCE_COUNT]; /* measured_at of the newest frame of each source; 0: none */
	struct gm_window *window;
	struct gm_peaks *peaks; /* interfaces: of what went into `window`; NULL: others */
	struct gm_detector_set *detectors; /* NULL: no detector judges this kind */
	UT_hash_handle hh;
	struct gm_entity_info info; /* its key is the hash's key */
};

struct gm_entities;

int gm_entities_create(struct gm_entities **ret_entities);
void gm_entities_free(struct gm_entities *entities);

struct gm_tracked *gm_entities_find(const struct gm_entities *entities,
				    const struct gm_entity_key *key);

/* Who it is, as far as rules ask for that; valid while the table is not changed. */
struct gm_subject gm_entities_subject(const struct gm_entities *entities,
				      const struct gm_tracked *tracked);

/* Adds an entity that is not there yet. -ENOMEM; -ENOSPC: GM_ENTITIES_MAX are there. */
int gm_entities_add(struct gm_entities *entities, const struct gm_entity_key *key,
		    const struct gm_window_options *window, struct gm_detector_settings *detectors,
		    struct gm_tracked **ret_tracked);
void gm_entities_remove(struct gm_entities *entities, struct gm_tracked *tracked);

/* Gives one entity an empty window and new detectors. -ENOMEM: it keeps what it has. */
int gm_entities_renew(struct gm_entities *entities, struct gm_tracked *tracked,
		      const struct gm_window_options *window,
		      struct gm_detector_settings *detectors);

/*
 * Gives one entity, or every one, the detectors that `detectors` has for it, now that more is known of its
 * guest or the settings are others. Those whose options stay the same stay. -ENOMEM: all keep what
 * they have.
 */
int gm_entities_refit(struct gm_entities *entities, struct gm_tracked *tracked,
		      struct gm_detector_settings *detectors);
int gm_entities_renew_detectors(struct gm_entities *entities,
				struct gm_detector_settings *detectors);

/* Fills in whose the alarm is: the guest of its entity, where that is known. */
void gm_entities_describe(const struct gm_entities *entities, struct gm_alarm *alarm);

/* Keeps what a source told of a guest beside its samples; of one that is not known: nothing. */
void gm_entities_note(struct gm_entities *entities, const struct gm_note *note);

/* When a guest came or went last, as the intake says; 0: not yet. */
void gm_entities_guests_changed(struct gm_entities *entities, int64_t time);
int64_t gm_entities_guests_changed_at(const struct gm_entities *entities);

/* The guest that it is, or belongs to, where that is known; NULL: none. */
struct gm_tracked *gm_entities_guest_of(const struct gm_entities *entities,
					const struct gm_tracked *tracked);

/* Walks all of them; take the next before removing one. */
struct gm_tracked *gm_entities_first(const struct gm_entities *entities);
struct gm_tracked *gm_entities_next(const struct gm_tracked *tracked);
size_t gm_entities_count(const struct gm_entities *entities);

/* Whether it is a guest that is being moved elsewhere; for some minutes also where nobody can tell any more. */
bool gm_tracked_is_leaving(const struct gm_tracked *tracked, int64_t now);

/* Keeps `finding` as the latest of its detector and metric; none of an operator's rules: they may be many. */
void gm_tracked_remember(struct gm_tracked *tracked, const struct gm_finding *finding);

#endif

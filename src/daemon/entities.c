/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of known entities; see entities.h. Used by intake.c (which fills it) and view.c (which
 * shows it).
 */
#define HASH_NONFATAL_OOM 1
#include "daemon/entities.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/learned.h"
#include "analysis/rules.h"
#include "base/clock.h"
#include "base/text.h"
#include "daemon/faults.h"

#define LEAVING_MAX (600 * GM_SECOND) /* without a word of a migration that began */

struct gm_entities {
	struct gm_tracked *table;
	int64_t guests_changed_at;
};

int gm_entities_create(struct gm_entities **ret_entities)
{
	struct gm_entities *entities = calloc(1, sizeof(*entities));
	if (!entities)
		return -ENOMEM;
	*ret_entities = entities;
	return 0;
}

static void free_tracked(struct gm_tracked *tracked)
{
	gm_detector_set_free(tracked->detectors);
	gm_window_free(tracked->window);
	gm_peaks_free(tracked->peaks);
	free(tracked->findings);
	free(tracked->kept);
	free(tracked->vcpus);
	gm_disk_faults_free(tracked->disk_faults);
	gm_faults_free(tracked->faults);
	free(tracked);
}

void gm_entities_free(struct gm_entities *entities)
{
	if (!entities)
		return;
	struct gm_tracked *tracked, *next;
	HASH_ITER (hh, entities->table, tracked, next)
		gm_entities_remove(entities, tracked);
	free(entities);
}

struct gm_tracked *gm_entities_find(const struct gm_entities *entities,
				    const struct gm_entity_key *key)
{
	struct gm_tracked *tracked;
	HASH_FIND(hh, entities->table, key, sizeof(*key), tracked);
	return tracked;
}

struct gm_tracked *gm_entities_guest_of(const struct gm_entities *entities,
					const struct gm_tracked *tracked)
{
	const uint8_t *owner = gm_entity_owner(&tracked->info);
	if (!owner)
		return NULL;
	const struct gm_entity_key key = gm_entity_guest(owner);
	return gm_entities_find(entities, &key);
}

struct gm_subject gm_entities_subject(const struct gm_entities *entities,
				      const struct gm_tracked *tracked)
{
	struct gm_subject subject = {.key = &tracked->info.key,
				     .owner = gm_entity_owner(&tracked->info)};
	if (!subject.owner)
		return subject;
	struct gm_entity_key key = gm_entity_guest(subject.owner);
	const struct gm_tracked *guest =
		gm_entity_equal(&key, subject.key) ? tracked : gm_entities_find(entities, &key);
	if (guest && guest->told_by)
		subject.guest = &guest->info.guest;
	return subject;
}

int gm_entities_add(struct gm_entities *entities, const struct gm_entity_key *key,
		    const struct gm_window_options *window, struct gm_detector_settings *detectors,
		    struct gm_tracked **ret_tracked)
{
	if (HASH_COUNT(entities->table) >= GM_ENTITIES_MAX)
		return -ENOSPC;
	struct gm_tracked *tracked = calloc(1, sizeof(*tracked));
	if (!tracked)
		return -ENOMEM;
	tracked->info.key = *key;
	int result = gm_window_create(window, &tracked->window);
	if (result == 0 && key->kind == GM_ENTITY_INTERFACE)
		result = gm_peaks_create(&tracked->peaks);
	if (result == 0) {
		struct gm_subject subject = gm_entities_subject(entities, tracked);
		result = gm_detector_set_prepare(detectors, &subject, NULL, &tracked->detectors);
	}
	if (result < 0) {
		free_tracked(tracked);
		return result;
	}
	HASH_ADD(hh, entities->table, info.key, sizeof(tracked->info.key), tracked);
	if (!tracked->hh.tbl) {
		free_tracked(tracked);
		return -ENOMEM;
	}
	*ret_tracked = tracked;
	return 0;
}

void gm_entities_remove(struct gm_entities *entities, struct gm_tracked *tracked)
{
	HASH_DEL(entities->table, tracked);
	free_tracked(tracked);
}

int gm_entities_renew(struct gm_entities *entities, struct gm_tracked *tracked,
		      const struct gm_window_options *window,
		      struct gm_detector_settings *detectors)
{
	struct gm_window *empty = NULL;
	struct gm_detector_set *set = NULL;
	struct gm_subject subject = gm_entities_subject(entities, tracked);
	int result = gm_window_create(window, &empty);
	if (result == 0)
		result = gm_detector_set_prepare(detectors, &subject, NULL, &set);
	if (result < 0) {
		gm_window_free(empty);
		return result;
	}
	gm_window_free(tracked->window);
	gm_detector_set_free(tracked->detectors);
	if (tracked->peaks)
		gm_peaks_clear(tracked->peaks);
	tracked->window = empty;
	tracked->detectors = set;
	tracked->finding_count = 0;
	tracked->taught = 0;
	free(tracked->kept); /* it was another's */
	tracked->kept = NULL;
	tracked->kept_size = 0;
	return 0;
}

static const struct gm_detector *learned_of(const struct gm_tracked *tracked)
{
	return tracked->detectors ? gm_detector_set_find(tracked->detectors, &gm_learned_ops)
				  : NULL;
}

/* The prepared set takes the place of the old one; what detectors that are gone have said is gone, too. */
static void adopt(struct gm_tracked *tracked, struct gm_detector_set *set)
{
	const struct gm_detector *pupil = learned_of(tracked);
	if (gm_detector_set_differs(set, tracked->detectors))
		tracked->finding_count = 0;
	gm_detector_set_adopt(set, tracked->detectors);
	tracked->detectors = set;
	if (learned_of(tracked) != pupil)
		tracked->taught = 0;
}

int gm_entities_refit(struct gm_entities *entities, struct gm_tracked *tracked,
		      struct gm_detector_settings *detectors)
{
	struct gm_subject subject = gm_entities_subject(entities, tracked);
	struct gm_detector_set *set;
	int result = gm_detector_set_prepare(detectors, &subject, tracked->detectors, &set);
	if (result == 0)
		adopt(tracked, set);
	return result;
}

int gm_entities_renew_detectors(struct gm_entities *entities,
				struct gm_detector_settings *detectors)
{
	size_t total = HASH_COUNT(entities->table), count = 0;
	struct gm_detector_set **sets = calloc(total ? total : 1, sizeof(*sets));
	struct gm_tracked *tracked = entities->table;
	int result = sets ? 0 : -ENOMEM;

	for (; tracked && result == 0; tracked = tracked->hh.next) {
		struct gm_subject subject = gm_entities_subject(entities, tracked);
		result = gm_detector_set_prepare(detectors, &subject, tracked->detectors,
						 &sets[count]);
		count += result == 0;
	}
	/* All are there: they change places with the old ones. */
	size_t at = 0;
	for (tracked = entities->table; tracked && result == 0; tracked = tracked->hh.next)
		adopt(tracked, sets[at++]);
	while (result < 0 && count > 0)
		gm_detector_set_free(sets[--count]);
	free(sets);
	return result;
}

struct gm_tracked *gm_entities_first(const struct gm_entities *entities)
{
	return entities->table;
}

struct gm_tracked *gm_entities_next(const struct gm_tracked *tracked)
{
	return tracked->hh.next;
}

size_t gm_entities_count(const struct gm_entities *entities)
{
	return HASH_COUNT(entities->table);
}

void gm_tracked_remember(struct gm_tracked *tracked, const struct gm_finding *finding)
{
	size_t at = 0;
	if (finding->rule[0] != '\0')
		return;
	while (at < tracked->finding_count &&
	       (strcmp(tracked->findings[at].detector, finding->detector) != 0 ||
		strcmp(tracked->findings[at].metric, finding->metric) != 0))
		at++;
	if (at == GM_TRACKED_FINDINGS)
		return;
	if (at == tracked->finding_count) {
		struct gm_finding *findings =
			realloc(tracked->findings, (at + 1) * sizeof(*findings));
		if (!findings)
			return;
		tracked->findings = findings;
		tracked->finding_count++;
	}
	tracked->findings[at] = *finding;
}

void gm_entities_describe(const struct gm_entities *entities, struct gm_alarm *alarm)
{
	const struct gm_tracked *tracked = gm_entities_find(entities, &alarm->key);
	if (!tracked)
		return;
	const uint8_t *uuid = alarm->key.uuid;
	if (alarm->key.kind == GM_ENTITY_INTERFACE)
		uuid = tracked->info.interface.guest;
	struct gm_entity_key guest_key = gm_entity_guest(uuid);
	const struct gm_tracked *guest = gm_entities_find(entities, &guest_key);
	if (!guest)
		return;
	const struct gm_guest_info *info = &guest->info.guest;
	alarm->guest_index = guest->guest_index;
	memcpy(alarm->guest, uuid, GM_UUID_SIZE);
	gm_text_copy(alarm->guest_name, sizeof(alarm->guest_name), gm_guest_label(info));
	gm_text_copy(alarm->project, sizeof(alarm->project), info->project);
	gm_text_copy(alarm->project_uuid, sizeof(alarm->project_uuid), info->project_uuid);
}

static struct gm_vcpu *vcpu_of(struct gm_tracked *guest, uint32_t number)
{
	if (number >= GM_VCPUS_MAX)
		return NULL;
	if (number >= guest->vcpu_count) {
		struct gm_vcpu *grown = realloc(guest->vcpus, (number + 1) * sizeof(*grown));
		if (!grown)
			return NULL;
		memset(grown + guest->vcpu_count, 0,
		       (number + 1 - guest->vcpu_count) * sizeof(*grown));
		guest->vcpus = grown;
		guest->vcpu_count = number + 1;
	}
	return &guest->vcpus[number];
}

/* A time that went back began anew: no rate can be had of it. */
static void take_times(struct gm_vcpu *vcpu, const struct gm_note *note)
{
	int64_t span = vcpu->told_at ? note->time - vcpu->told_at : 0;
	uint8_t has_rate = 0;
	for (unsigned i = 0; i < GM_VCPU_TIMES; i++) {
		uint8_t bit = (uint8_t)(1U << i);
		if (span <= 0 || (vcpu->known & note->known & bit) == 0 ||
		    note->times[i] < vcpu->times[i])
			continue;
		vcpu->rates[i] = (double)(note->times[i] - vcpu->times[i]) * (double)GM_SECOND /
				 (double)span;
		has_rate |= bit;
	}
	memcpy(vcpu->times, note->times, sizeof(vcpu->times));
	vcpu->known = note->known;
	vcpu->has_rate = has_rate;
	vcpu->state = note->state;
	vcpu->told_at = note->time;
}

void gm_entities_note(struct gm_entities *entities, const struct gm_note *note)
{
	struct gm_entity_key key = gm_entity_guest(note->guest);
	struct gm_tracked *guest = gm_entities_find(entities, &key);
	if (!guest)
		return;
	if (note->kind == GM_NOTE_STARTED) {
		guest->started_at = (int64_t)note->value;
		return;
	}
	struct gm_vcpu *vcpu = vcpu_of(guest, note->number);
	if (!vcpu)
		return;
	if (note->kind == GM_NOTE_VCPU) {
		take_times(vcpu, note);
	} else {
		vcpu->cpu_count = note->cpu_count;
		memcpy(vcpu->cpus, note->cpus, sizeof(vcpu->cpus));
	}
}

void gm_entities_guests_changed(struct gm_entities *entities, int64_t time)
{
	entities->guests_changed_at = time;
}

int64_t gm_entities_guests_changed_at(const struct gm_entities *entities)
{
	return entities->guests_changed_at;
}

bool gm_tracked_is_leaving(const struct gm_tracked *tracked, int64_t now)
{
	return tracked->leaving && llabs(now - tracked->moved_at) < LEAVING_MAX;
}

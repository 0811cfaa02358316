/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages in, windows and findings out; see intake.h. Called by pipeline.c alone.
 */
#include "daemon/intake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/anomaly.h"
#include "analysis/burst.h"
#include "analysis/contention.h"
#include "analysis/leak.h"
#include "analysis/peers.h"
#include "analysis/rules.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/clockstep.h"
#include "daemon/faults.h"
#include "daemon/happenings.h"
#include "daemon/managed.h"
#include "daemon/numbers.h"
#include "daemon/ranks.h"
#include "daemon/recall.h"
#include "daemon/refits.h"

/* An interface that the tap sampler has told of so lately needs no other source's counters. */
#define TAP_FRESH (2 * GM_SECOND)

/* How long a device may wait for libvirt to say whose it is. */
#define OWNER_GRACE (2 * GM_SECOND)

enum { MIRROR_MAX = 64 };

static const uint8_t no_guest[GM_UUID_SIZE];

struct gm_intake {
	struct gm_intake_options options;
	struct gm_intake_sink sink;
	struct gm_entities *entities;
	struct gm_contention *contention; /* who bursts at the same time */
	struct gm_peers *peers;           /* what others of a guest's flavor do */
	struct gm_managed *managed;       /* what managers have set */
	struct gm_tracked *current;       /* whose points are being observed */
	struct gm_tracked *whole; /* the guest (or node) that `current` is a part of, or NULL */
	bool restoring, libvirt_connected;
	uint64_t readings;
	struct gm_log_limit full_limit, rank_limit;
	struct gm_numbers numbers;
	struct gm_happenings happenings;
	struct gm_refits refits;
	struct gm_clockstep clockstep;
};

int gm_intake_create(const struct gm_intake_options *options, struct gm_state *state,
		     const struct gm_intake_sink *sink, struct gm_intake **ret_intake)
{
	struct gm_intake *intake = calloc(1, sizeof(*intake));
	if (!intake)
		return -ENOMEM;
	intake->options = *options;
	intake->numbers.state = state;
	intake->sink = *sink;
	int result = gm_entities_create(&intake->entities);
	if (result == 0)
		result = gm_contention_create(&intake->contention);
	if (result == 0)
		result = gm_peers_create(&intake->peers);
	if (result == 0)
		result = gm_managed_create(state, &intake->managed);
	if (result == 0)
		result = gm_managed_install(intake->managed, options->detectors);
	if (result < 0) {
		gm_intake_free(intake);
		return result;
	}
	*ret_intake = intake;
	return 0;
}

void gm_intake_free(struct gm_intake *intake)
{
	if (!intake)
		return;
	gm_numbers_close(&intake->numbers);
	gm_entities_free(intake->entities);
	gm_contention_free(intake->contention);
	gm_peers_free(intake->peers);
	gm_managed_free(intake->managed);
	free(intake);
}

/* What judges the guest (or the node) as a whole sees its parts, too; NULL for what is no part. */
static struct gm_tracked *whole_of(const struct gm_intake *intake, const struct gm_tracked *part)
{
	if (!gm_entity_is_part(&part->info.key))
		return NULL;
	const uint8_t *owner = gm_entity_owner(&part->info);
	struct gm_entity_key key = owner ? gm_entity_guest(owner) : gm_entity_node();
	struct gm_tracked *whole = gm_entities_find(intake->entities, &key);
	return whole && whole->detectors ? whole : NULL;
}

static struct gm_detector *leak_of(const struct gm_tracked *tracked)
{
	return tracked->detectors ? gm_detector_set_find(tracked->detectors, &gm_leak_ops) : NULL;
}

/* One cause, one alarm: the guest's names the process. */
static bool explained_by_whole(const struct gm_intake *intake, const struct gm_finding *finding)
{
	if (finding->key.kind != GM_ENTITY_PROCESS ||
	    strcmp(finding->detector, gm_leak_ops.name) != 0)
		return false;
	const struct gm_tracked *whole = whole_of(intake, intake->current);
	return whole && gm_leak_blames(leak_of(whole), &finding->key);
}

static void on_finding(void *user, const struct gm_finding *finding)
{
	struct gm_intake *intake = user;
	if (intake->restoring)
		return;
	struct gm_finding known = *finding;
	if (gm_learning_overrules(intake->current, finding) || explained_by_whole(intake, finding))
		known.active = false;
	if (strcmp(known.detector, gm_burst_ops.name) == 0)
		gm_contention_take(intake->contention, &known);
	if (strcmp(known.detector, gm_anomaly_ops.name) == 0)
		gm_peers_explain(intake->peers, intake->current->peer, &known);
	gm_tracked_remember(intake->current, &known);
	intake->sink.finding(intake->sink.user, &known);
}

static bool owned_by_guest(const struct gm_tracked *tracked)
{
	return tracked->info.key.kind == GM_ENTITY_INTERFACE &&
	       memcmp(tracked->info.interface.guest, no_guest, GM_UUID_SIZE) != 0;
}

/*
 * Ports are judged as guests'. The bridge and the NIC that carry the same traffic would tell every burst
 * again; where nobody tells whose a device is, all of them are judged.
 */
static bool judged(const struct gm_intake *intake, const struct gm_tracked *tracked)
{
	return tracked->detectors && (tracked->info.key.kind != GM_ENTITY_INTERFACE ||
				      owned_by_guest(tracked) || !intake->options.libvirt);
}

/* A stored sample that the detectors had seen before the restart: they remember. */
static bool seen_before(const struct gm_intake *intake, const struct gm_tracked *tracked,
			const struct gm_point *point)
{
	return intake->restoring && point->time <= tracked->learned_until;
}

/* A guest's level is its own and that of its ports and disks; what its processes do is in it already. */
static void compare_with_peers(struct gm_intake *intake, const struct gm_point *point)
{
	const struct gm_tracked *guest = intake->whole ? intake->whole : intake->current;
	if (!intake->restoring && intake->current->info.key.kind != GM_ENTITY_PROCESS)
		gm_peers_take(intake->peers, guest->peer, point, intake->whole != NULL);
}

static void on_point(void *user, const struct gm_point *point)
{
	struct gm_intake *intake = user;
	struct gm_finding_sink sink = {on_finding, intake};
	if (intake->current->peaks)
		gm_peaks_take(intake->current->peaks, point);
	/*
	 * A burst is judged on bins finer than a store keeps: shown the coarse ones, the detector would
	 * tell other figures for a burst than those that were told when it was seen.
	 */
	if (intake->restoring && intake->current->info.key.kind == GM_ENTITY_INTERFACE)
		return;
	if (intake->whole && intake->current->info.key.kind == GM_ENTITY_PROCESS)
		gm_leak_hand_down(leak_of(intake->whole), leak_of(intake->current));
	if (judged(intake, intake->current) && !seen_before(intake, intake->current, point))
		gm_detector_set_observe(intake->current->detectors, point, &sink);
	compare_with_peers(intake, point);
	if (intake->whole && !seen_before(intake, intake->whole, point)) {
		struct gm_tracked *part = intake->current;
		intake->current = intake->whole;
		gm_detector_set_observe_part(intake->whole->detectors, &part->info.key, point,
					     &sink);
		intake->current = part;
	}
}

static struct gm_tracked *add_entity(struct gm_intake *intake, const struct gm_entity_key *key)
{
	struct gm_tracked *tracked;
	int result = gm_entities_add(intake->entities, key, &intake->options.window,
				     intake->options.detectors, &tracked);
	if (result < 0) {
		char text[GM_KEY_TEXT], quoted[2 * GM_KEY_TEXT];
		gm_text_quote(quoted, sizeof(quoted), gm_entity_text(key, text));
		if (gm_log_allowed(&intake->full_limit, gm_clock_monotonic(), 60 * GM_SECOND, NULL))
			gm_log(GM_LOG_ERROR, "cannot follow %s: %s", quoted,
			       result == -ENOSPC ? "too many entities" : "out of memory");
		return NULL;
	}
	if (key->kind == GM_ENTITY_GUEST)
		tracked->guest_index = gm_numbers_guest(&intake->numbers, key->uuid);
	return tracked;
}

static struct gm_tracked *find_or_add(struct gm_intake *intake, const struct gm_entity_key *key)
{
	struct gm_tracked *tracked = gm_entities_find(intake->entities, key);
	return tracked ? tracked : add_entity(intake, key);
}

/* The index of the guest with that UUID; 0 while it is not known. */
static uint32_t guest_index(const struct gm_intake *intake, const uint8_t uuid[GM_UUID_SIZE])
{
	struct gm_entity_key key = gm_entity_guest(uuid);
	const struct gm_tracked *guest = gm_entities_find(intake->entities, &key);
	return guest ? guest->guest_index : 0;
}

/*
 * The entity of a frame. Samples make known only what no source tells of: those that are still under way
 * when a device or guest is told to be gone must not bring it back, for nobody would remove it again.
 */
static struct gm_tracked *entity_of(struct gm_intake *intake, const struct gm_entity_key *key)
{
	bool told_of = key->kind != GM_ENTITY_NODE &&
		       (key->kind != GM_ENTITY_GUEST || intake->options.libvirt);
	return told_of ? gm_entities_find(intake->entities, key) : find_or_add(intake, key);
}

/* Interface counters of libvirt are the kernel's own, read later: one source is enough. */
static bool superseded(const struct gm_tracked *tracked, enum gm_source_id source,
		       int64_t measured_at)
{
	return tracked->info.key.kind == GM_ENTITY_INTERFACE && source != GM_SOURCE_TAP &&
	       tracked->newest[GM_SOURCE_TAP] != 0 &&
	       measured_at - tracked->newest[GM_SOURCE_TAP] < TAP_FRESH;
}

static void renew(struct gm_intake *intake, struct gm_tracked *tracked)
{
	if (gm_entities_renew(intake->entities, tracked, &intake->options.window,
			      intake->options.detectors) < 0 &&
	    gm_log_allowed(&intake->full_limit, gm_clock_monotonic(), 60 * GM_SECOND, NULL))
		gm_log(GM_LOG_ERROR, "out of memory: an old window is kept");
}

/* Whether it is known, as far as it can be, which end of the cable a frame is seen from. */
static bool settled(struct gm_intake *intake, struct gm_tracked *tracked,
		    const struct gm_frame *frame)
{
	/* Where the clock was set back, the first frame is not in the future. */
	if (tracked->first_at == 0 || frame->measured_at < tracked->first_at)
		tracked->first_at = frame->measured_at;
	if (!(frame->flags & GM_FRAME_HOST_VIEW) || !intake->options.libvirt ||
	    owned_by_guest(tracked))
		return true;
	if (frame->measured_at - tracked->first_at < OWNER_GRACE)
		return false;
	/* What was restored may have been a guest's view of it. */
	if (tracked->restored && !intake->libvirt_connected)
		renew(intake, tracked);
	return true;
}

/* Into the window, and its points to the detectors. */
static void feed(struct gm_intake *intake, struct gm_tracked *tracked, const struct gm_frame *frame,
		 const struct gm_reading *readings)
{
	intake->current = tracked;
	intake->whole = frame->flags & GM_FRAME_FINE ? NULL : whole_of(intake, tracked);
	gm_window_append(tracked->window, frame, readings, on_point, intake);
	intake->current = intake->whole = NULL;
}

static void take_frame(struct gm_intake *intake, enum gm_source_id source,
		       const struct gm_frame *frame, const struct gm_reading *readings)
{
	struct gm_tracked *tracked = entity_of(intake, &frame->key);
	if (!tracked || gm_ranks_outranked(tracked, source) ||
	    superseded(tracked, source, frame->measured_at) || !settled(intake, tracked, frame))
		return;

	struct gm_reading mirrored[MIRROR_MAX];
	if ((frame->flags & GM_FRAME_HOST_VIEW) && !(frame->flags & GM_FRAME_SAME_VIEW) &&
	    owned_by_guest(tracked) && frame->count <= MIRROR_MAX) {
		for (size_t i = 0; i < frame->count; i++)
			mirrored[i] = (struct gm_reading){gm_metric_mirrored(readings[i].metric),
							  readings[i].value};
		readings = mirrored;
	}
	struct gm_frame own = *frame;
	if (frame->key.kind == GM_ENTITY_GUEST && frame->count <= MIRROR_MAX) {
		own.count = gm_precedence_keep(&tracked->precedence, source, gm_clock_now(), frame,
					       readings, mirrored);
		readings = mirrored;
		frame = &own;
	}
	tracked->newest[source] = frame->measured_at;
	tracked->restored = false;
	intake->readings += frame->count;
	if (frame->count == 0)
		return;
	feed(intake, tracked, frame, readings);
	if (!(frame->flags & GM_FRAME_FINE))
		intake->sink.frame(intake->sink.user, frame, readings);
}

void gm_intake_libvirt_connected(struct gm_intake *intake, bool connected)
{
	intake->libvirt_connected = connected;
}

void gm_intake_batch(struct gm_intake *intake, const struct gm_batch *batch)
{
	gm_intake_settle(intake);
	for (size_t i = 0; i < batch->frame_count; i++) {
		const struct gm_frame *frame = &batch->frames[i];
		if (!gm_clockstep_is_before(&intake->clockstep, frame->measured_at))
			take_frame(intake, (enum gm_source_id)batch->source, frame,
				   gm_batch_readings(batch, frame));
	}
	for (size_t i = 0; i < batch->note_count; i++)
		if (!gm_clockstep_is_before(&intake->clockstep, batch->notes[i].time))
			gm_entities_note(intake->entities, &batch->notes[i]);
}

void gm_intake_stepped(struct gm_intake *intake, int64_t step, int64_t now)
{
	gm_clockstep_take(&intake->clockstep, intake->entities, step, now);
}

struct gm_tracked *gm_intake_recall(struct gm_intake *intake, const struct gm_entity_key *key)
{
	struct gm_tracked *tracked = find_or_add(intake, key);
	if (tracked)
		tracked->restored = true;
	return tracked;
}

void gm_intake_restore(struct gm_intake *intake, const struct gm_frame *frame,
		       const struct gm_reading *readings)
{
	struct gm_tracked *tracked = gm_intake_recall(intake, &frame->key);
	if (!tracked)
		return;
	intake->restoring = true;
	feed(intake, tracked, frame, readings);
	intake->restoring = false;
}

/* What two sources know of one interface: libvirt whose it is, the tap sampler its kernel index. */
static void merge_interface(struct gm_intake *intake, struct gm_tracked *tracked,
			    enum gm_source_id source, const struct gm_interface_info *info)
{
	struct gm_interface_info *known = &tracked->info.interface;
	if (source == GM_SOURCE_TAP) {
		known->if_index = info->if_index;
		known->master = info->master;
		if (memcmp(known->guest, no_guest, GM_UUID_SIZE) == 0)
			memcpy(known->mac, info->mac, sizeof(known->mac));
		return;
	}
	uint32_t if_index = info->if_index ? info->if_index : known->if_index;
	uint32_t master = info->master ? info->master : known->master;
	bool moved = memcmp(known->guest, info->guest, GM_UUID_SIZE) != 0;
	*known = *info;
	known->if_index = if_index;
	known->master = master;

	tracked->guest_index = guest_index(intake, info->guest);
	if (moved || tracked->ordinal == 0)
		tracked->ordinal =
			gm_numbers_interface(&intake->numbers, tracked->info.key.name, info);
	if (moved && !tracked->restored)
		renew(intake, tracked);
}

/* It, or the guest that it belongs to, is told by another connection to libvirt (ranks.h). */
static bool left_out(struct gm_intake *intake, enum gm_source_id source,
		     const struct gm_entity_info *info)
{
	const uint8_t *owner = gm_entity_owner(info);
	struct gm_entity_key key = owner ? gm_entity_guest(owner) : info->key;
	const struct gm_tracked *tracked = gm_entities_find(intake->entities, &key);
	if (!tracked || !gm_ranks_outranked(tracked, source))
		return false;
	if (info->key.kind == GM_ENTITY_GUEST &&
	    gm_log_allowed(&intake->rank_limit, gm_clock_monotonic(), 60 * GM_SECOND, NULL)) {
		char uuid[GM_UUID_TEXT];
		gm_log(GM_LOG_WARNING,
		       "guest %s is told by two libvirt URIs: what source %s tells of it is left "
		       "out",
		       gm_uuid_text(key.uuid, uuid), gm_source_name(source));
	}
	return true;
}

void gm_intake_foresee(struct gm_intake *intake, const enum gm_source_id *sources,
		       const struct gm_entity_info *const *infos, size_t count)
{
	gm_numbers_foresee(&intake->numbers, intake->entities, sources, infos, count);
}

void gm_intake_seen(struct gm_intake *intake, enum gm_source_id source,
		    const struct gm_entity_info *info)
{
	if (left_out(intake, source, info))
		return;
	struct gm_tracked *tracked = find_or_add(intake, &info->key);
	if (!tracked)
		return;
	bool known = tracked->told_by != 0;
	struct gm_entity_info before = tracked->info;
	gm_ranks_note(tracked, source);
	if (info->key.kind == GM_ENTITY_INTERFACE) {
		merge_interface(intake, tracked, source, &info->interface);
	} else {
		tracked->info = *info;
		if (info->key.kind == GM_ENTITY_GUEST)
			gm_peers_join(intake->peers, info->guest.flavor, &tracked->peer);
		if (info->key.kind == GM_ENTITY_GUEST && !known)
			gm_entities_guests_changed(intake->entities, gm_clock_now());
		const uint8_t *owner = gm_entity_owner(info);
		if (owner && info->key.kind != GM_ENTITY_GUEST)
			tracked->guest_index = guest_index(intake, owner);
	}
	if (!known || memcmp(&before, &tracked->info, sizeof(before)) != 0)
		gm_refits_take(&intake->refits, intake->entities, tracked,
			       intake->options.detectors);
	intake->sink.identified(intake->sink.user, &tracked->info);
}

void gm_intake_gone(struct gm_intake *intake, enum gm_source_id source,
		    const struct gm_entity_key *key, int64_t time)
{
	struct gm_tracked *tracked = gm_entities_find(intake->entities, key);
	if (!tracked || gm_ranks_anothers(tracked, source))
		return;
	/* libvirt lets go of a device that the tap sampler still sees: it is the host's again. */
	if (key->kind == GM_ENTITY_INTERFACE && source != GM_SOURCE_TAP &&
	    tracked->newest[GM_SOURCE_TAP] != 0) {
		memset(tracked->info.interface.guest, 0, GM_UUID_SIZE);
		tracked->guest_index = tracked->ordinal = 0;
		tracked->info.interface.rx_limit = tracked->info.interface.tx_limit = 0;
		tracked->first_at = 0;
		renew(intake, tracked);
		intake->sink.identified(intake->sink.user, &tracked->info);
		return;
	}
	if (key->kind == GM_ENTITY_GUEST) {
		gm_numbers_retire(&intake->numbers, key->uuid, time);
		gm_entities_guests_changed(intake->entities, time);
	}
	struct gm_entity_key copy = *key;
	gm_peers_leave(intake->peers, tracked->peer);
	if (key->kind == GM_ENTITY_INTERFACE)
		gm_contention_gone(intake->contention, key->name);
	gm_entities_remove(intake->entities, tracked);
	intake->sink.gone(intake->sink.user, &copy, time);
}

void gm_intake_source_ended(struct gm_intake *intake, enum gm_source_id source)
{
	for (struct gm_tracked *tracked = gm_entities_first(intake->entities); tracked;
	     tracked = gm_entities_next(tracked)) {
		tracked->told_by &= ~(1U << source);
		tracked->newest[source] = 0;
	}
}

static bool is_orphan(const struct gm_tracked *tracked)
{
	static const int64_t never[GM_SOURCE_COUNT];
	return tracked->told_by == 0 && memcmp(tracked->newest, never, sizeof(never)) == 0;
}

void gm_intake_sweep(struct gm_intake *intake, int64_t now)
{
	static const unsigned tellers_of_guests =
		1U << GM_SOURCE_LIBVIRT | 1U << GM_SOURCE_LIBVIRT_2 | 1U << GM_SOURCE_LIBVIRT_3 |
		1U << GM_SOURCE_LIBVIRT_4 | 1U << GM_SOURCE_SNMP;
	struct gm_tracked *tracked = gm_entities_first(intake->entities), *next;
	for (; tracked; tracked = next) {
		next = gm_entities_next(tracked);
		gm_recall_forget(tracked);
		struct gm_entity_key key = tracked->info.key;
		if (is_orphan(tracked))
			gm_intake_gone(intake, GM_SOURCE_TAP, &key, now);
		else if (owned_by_guest(tracked) && !(tracked->told_by & tellers_of_guests))
			gm_intake_gone(intake, GM_SOURCE_LIBVIRT, &key, now);
	}
	gm_intake_settle(intake);
}

void gm_intake_settle(struct gm_intake *intake)
{
	gm_happenings_settle(&intake->happenings, intake->entities);
	gm_numbers_settle(&intake->numbers);
	gm_refits_settle(&intake->refits, intake->entities, intake->options.detectors);
}

void gm_intake_event(struct gm_intake *intake, const struct gm_guest_event *event)
{
	struct gm_finding_sink sink = {intake->sink.finding, intake->sink.user};
	struct gm_tracked *guest = gm_entities_find(intake->entities, &event->key);
	gm_happenings_take(&intake->happenings, intake->entities, event);
	if (guest)
		gm_faults_take(guest, event, &sink);
	else
		gm_faults_take_absent(event, &sink);
}

bool gm_intake_evaluate(struct gm_intake *intake, int64_t now)
{
	struct gm_finding_sink sink = {on_finding, intake};
	gm_intake_settle(intake);
	gm_numbers_again(&intake->numbers, intake->entities);
	bool changed = gm_managed_adopt(intake->managed, intake->entities);
	struct gm_finding_sink told = {intake->sink.finding, intake->sink.user};
	for (struct gm_tracked *tracked = gm_entities_first(intake->entities); tracked;
	     tracked = gm_entities_next(tracked)) {
		gm_faults_evaluate(tracked, now, &told);
		if (!judged(intake, tracked))
			continue;
		intake->current = tracked;
		if (intake->options.learning)
			gm_learning_teach(intake->options.learning, tracked);
		gm_detector_set_evaluate(tracked->detectors, now, &sink);
	}
	intake->current = NULL;
	return changed;
}

int gm_intake_reconfigure(struct gm_intake *intake, struct gm_detector_settings *detectors,
			  bool libvirt)
{
	if (detectors != intake->options.detectors) {
		int result = gm_managed_move(intake->managed, detectors, intake->entities);
		if (result < 0)
			return result;
	}
	intake->options.detectors = detectors;
	intake->options.libvirt = libvirt;
	return 0;
}

struct gm_entities *gm_intake_entities(struct gm_intake *intake)
{
	return intake->entities;
}

struct gm_managed *gm_intake_managed(struct gm_intake *intake)
{
	return intake->managed;
}

uint64_t gm_intake_readings(const struct gm_intake *intake)
{
	return intake->readings;
}

const struct gm_contention *gm_intake_contention(const struct gm_intake *intake)
{
	return intake->contention;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a guest is asked for what, and what its silence means; see target.h. The requests themselves are
 * in round.c and walk.c.
 */
#include "source/snmp/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "source/snmp/target_private.h"

enum { SILENT_AFTER = 3 }; /* timeouts in a row */
enum { TUNE_MEMORY, TUNE_PROCESSES, TUNINGS };

/* 1.3.6.1.4.1.8072.1.5.3.1.2 */
#define NS_CACHE_TIMEOUT "\x2b\x06\x01\x04\x01\xbf\x08\x01\x05\x03\x01\x02"

/* Knuth's MMIX generator, seeded by the kernel: ids that a stranger cannot count. */
static uint32_t draw(struct gm_snmp_target *target)
{
	target->random =
		target->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(target->random >> 33);
}

bool target_encode(struct gm_snmp_target *target, const struct gm_snmp_request *request,
		   const char *community)
{
	int version = target->options.credential->version;
	size_t size = sizeof(target->buffer);

	target->pdu = gm_snmp_encode_pdu(request, target->buffer, size, &target->id_at);
	target->packet = target->pdu;
	if (target->pdu && version != GM_SNMP_V3) {
		target->packet = gm_snmp_encode_community(version, community, target->buffer, size,
							  target->pdu);
	}
	return target->packet != NULL;
}

bool target_falls_back(const struct gm_snmp_target *target)
{
	return target->options.intervals[GM_SNMP_MEMORY] != 0 &&
	       (target->scalars[GM_SNMP_MEM_TOTAL].dropped ||
		target->scalars[GM_SNMP_MEM_FREE].dropped);
}

bool target_wants(const struct gm_snmp_target *target, enum gm_snmp_group group)
{
	return target->options.intervals[group] != 0 ||
	       (group == GM_SNMP_STORAGE && target_falls_back(target));
}

static int64_t interval_of(const struct gm_snmp_target *target, enum gm_snmp_group group)
{
	const int64_t *intervals = target->options.intervals;
	bool instead = group == GM_SNMP_STORAGE && target_falls_back(target) &&
		       (intervals[group] == 0 || intervals[group] > intervals[GM_SNMP_MEMORY]);

	return instead ? intervals[GM_SNMP_MEMORY] : intervals[group];
}

/* Phases that are far apart whatever the number of slots: multiples of the golden section. */
static int64_t phase_of(uint32_t slot, int64_t interval)
{
	uint32_t part = slot * UINT32_C(2654435769);

	return (int64_t)((double)interval * ((double)part / 4294967296.0));
}

/*
 * When each group is due first. The slower ones are whole steps of the fastest after it, so that groups
 * whose intervals are multiples go in the same packet, again and again.
 */
static void set_phases(struct gm_snmp_target *target, int64_t start)
{
	const struct gm_snmp_target_options *options = &target->options;
	int64_t step = INT64_MAX;

	for (int i = 0; i < GM_SNMP_GROUPS; i++) {
		if (options->intervals[i] != 0 && options->intervals[i] < step) {
			step = options->intervals[i];
		}
	}
	if (step == INT64_MAX) {
		return; /* nothing is asked for */
	}
	for (int i = 0; i < GM_SNMP_GROUPS; i++) {
		int64_t phase = phase_of(options->slot, options->intervals[i]);

		target->groups[i].due = start + phase_of(options->slot, step) + phase / step * step;
	}
	for (int i = 0; i < GM_SNMP_TABLES; i++) {
		target->walk_due[i] = target->groups[GM_SNMP_STORAGE + i].due;
	}
}

/* From the beginning; nothing where it is not asked for or has no access. */
static void start_tuning(struct gm_snmp_target *target)
{
	bool wanted = target->options.tune_caches && target->options.credential->write[0] != '\0';

	memset(target->live, 0, sizeof(target->live));
	target->tune_next = wanted ? TUNE_MEMORY : TUNINGS;
}

int gm_snmp_target_create(const struct gm_snmp_target_options *options, int64_t start,
			  struct gm_snmp_target **ret_target)
{
	struct gm_snmp_target *target = calloc(1, sizeof(*target));
	int rc = 0;

	if (target == NULL) {
		return -ENOMEM;
	}
	target->options = *options;
	target->walk.table = -1;
	target->limit = CHUNK_MAX;
	target->revalidate_at = start + REVALIDATE;
	start_tuning(target);
	if (target->options.processes > GM_SNMP_PROCESSES_MAX) {
		target->options.processes = GM_SNMP_PROCESSES_MAX;
	}
	set_phases(target, start);
	if (getrandom(&target->random, sizeof(target->random), 0) != sizeof(target->random)) {
		rc = -EIO;
	}
	if (rc == 0 && options->credential->version == GM_SNMP_V3) {
		rc = gm_snmp_usm_create(options->credential, &target->usm);
	}
	if (rc < 0) {
		gm_snmp_target_free(target);
		return rc;
	}
	*ret_target = target;
	return 0;
}

void gm_snmp_target_free(struct gm_snmp_target *target)
{
	if (target == NULL) {
		return;
	}
	gm_snmp_usm_free(target->usm);
	rows_free(&target->walk.fresh);
	for (int i = 0; i < GM_SNMP_TABLES; i++) {
		rows_free(&target->tables[i]);
	}
	free(target->processes.list);
	gm_snmp_recent_clear(&target->recent);
	free(target);
}

/* A table is read by rows once they are known; until then, and if nothing is kept, it is walked. */
static bool is_read(const struct gm_snmp_target *target, int group)
{
	return group < GM_SNMP_STORAGE || (!table_of(group - GM_SNMP_STORAGE)->walk_always &&
					   target->tables[group - GM_SNMP_STORAGE].count > 0);
}

int64_t gm_snmp_target_wake(const struct gm_snmp_target *target)
{
	int64_t wake = INT64_MAX;

	if (target->in_flight != NOTHING) {
		return target->deadline;
	}
	if (target->item_count > 0 || target->walk.table >= 0) {
		return target->not_before;
	}
	for (int i = 0; i < GM_SNMP_GROUPS; i++) {
		int table = i - GM_SNMP_STORAGE;

		if (!target_wants(target, (enum gm_snmp_group)i)) {
			continue;
		}
		if (is_read(target, i) && target->groups[i].due < wake) {
			wake = target->groups[i].due;
		}
		if (table >= 0 && target->walk_due[table] < wake) {
			wake = target->walk_due[table];
		}
	}
	return wake > target->not_before ? wake : target->not_before;
}

/* The point of the group's grid after `now`: those that have passed are not caught up. */
static int64_t next_due(int64_t due, int64_t interval, int64_t now)
{
	return due > now ? due : due + ((now - due) / interval + 1) * interval;
}

static unsigned take_due_groups(struct gm_snmp_target *target, int64_t now)
{
	unsigned mask = 0;

	for (int i = 0; i < GM_SNMP_GROUPS; i++) {
		struct group_state *group = &target->groups[i];

		if (target_wants(target, (enum gm_snmp_group)i) && is_read(target, i) &&
		    group->due <= now) {
			mask |= 1U << i;
			group->due = next_due(group->due,
					      interval_of(target, (enum gm_snmp_group)i), now);
		}
	}
	return mask;
}

static int due_walk(struct gm_snmp_target *target, int64_t now)
{
	for (int i = 0; i < GM_SNMP_TABLES; i++) {
		enum gm_snmp_group group = (enum gm_snmp_group)(GM_SNMP_STORAGE + i);

		if (target_wants(target, group) && target->walk_due[i] <= now) {
			int64_t interval =
				table_of(i)->walk_always ? interval_of(target, group) : REVALIDATE;

			target->walk_due[i] = next_due(target->walk_due[i], interval, now);
			return i;
		}
	}
	return -1;
}

/* What was left out may be there now: after ten minutes, and when snmpd has been started anew. */
static void revalidate(struct gm_snmp_target *target, int64_t now)
{
	for (int i = 0; i < GM_SNMP_SCALARS; i++) {
		target->scalars[i].dropped = false;
	}
	for (size_t i = 0; i < GM_SNMP_OIDS_MAX; i++) {
		target->operator[i].dropped = false;
	}
	target->revalidate_at = now + REVALIDATE;
	target->generation++;
	target->limit = CHUNK_MAX;
}

void target_restarted(struct gm_snmp_target *target, int64_t now)
{
	revalidate(target, now);
	for (int i = 0; i < GM_SNMP_SCALARS; i++) {
		target->scalars[i].high = target->scalars[i].last = 0;
	}
	for (size_t i = 0; i < GM_SNMP_OIDS_MAX; i++) {
		target->operator[i].high = target->operator[i].last = 0;
	}
	for (int i = 0; i < GM_SNMP_TABLES; i++) {
		target->walk_due[i] = now;
	}
	start_tuning(target);
}

static void expire(struct gm_snmp_target *target, const struct gm_snmp_moment *now,
		   const struct gm_snmp_out *out)
{
	target->counts.timeouts++;
	target->failures++;
	target->previous_id = target->id;
	if (target->in_flight == WALK) {
		walk_abort(target);
	}
	target->in_flight = NOTHING;
	target->item_count = 0;
	if (target->usm) {
		gm_snmp_usm_silence(target->usm);
	}
	if (target->failures < SILENT_AFTER) {
		return;
	}
	unsigned doublings = target->failures - SILENT_AFTER;
	int64_t wait = target->options.timeout << (doublings < 16 ? doublings : 16);

	if (wait > target->options.backoff_max) {
		wait = target->options.backoff_max;
	}
	/* A quarter more or less: guests that fell silent together do not come back together. */
	wait += (int64_t)((double)wait * ((double)draw(target) / 4294967296.0 - 0.25));
	target->not_before = now->monotonic + wait;
	if (target->reachable) {
		target->reachable = false;
		processes_end(target, now->node, out);
	}
	report_up(target, now, out);
}

/*
 * nsCacheTimeout of net-snmp's caches (NET-SNMP-AGENT-MIB), indexed by the cache's name: that of memory,
 * which storage shares, and that of processes.
 */
static bool build_tuning(struct gm_snmp_target *target)
{
	static const char memory[] = NS_CACHE_TIMEOUT "\x01\x03\x06\x01\x04\x01\xbf\x08\x01\x1f";
	static const char processes[] = NS_CACHE_TIMEOUT "\x01\x03\x06\x01\x02\x01\x19\x04\x02";
	struct gm_snmp_slice oids[TUNINGS] = {
		[TUNE_MEMORY] = {(const uint8_t *)memory, sizeof(memory) - 1},
		[TUNE_PROCESSES] = {(const uint8_t *)processes, sizeof(processes) - 1}};
	/* Processes cost the guest a walk through its /proc: no more of them than are asked for. */
	int64_t seconds = target->options.intervals[GM_SNMP_PROCESSES] / GM_SECOND;
	int64_t values[TUNINGS] = {[TUNE_MEMORY] = 0, [TUNE_PROCESSES] = seconds < 1 ? 1 : seconds};
	unsigned what = target->tune_next++;
	struct gm_snmp_request request = {
		.type = GM_SNMP_SET, .oids = &oids[what], .count = 1, .values = &values[what]};

	target->template_chunk = 0;
	return target_encode(target, &request, target->options.credential->write);
}

static void take_tuning(struct gm_snmp_target *target, const struct gm_snmp_pdu *pdu)
{
	bool done = pdu->error_status == 0;

	if (target->tune_next == TUNE_MEMORY + 1) {
		target->live[GM_SNMP_MEMORY] = target->live[GM_SNMP_STORAGE] = done;
	} else {
		target->live[GM_SNMP_PROCESSES] = done;
	}
}

static bool tuning_is_due(struct gm_snmp_target *target)
{
	int64_t processes = target->options.intervals[GM_SNMP_PROCESSES];

	if (target->tune_next == TUNE_PROCESSES &&
	    (processes == 0 || processes >= gm_snmp_cache_age(GM_SNMP_PROCESSES))) {
		target->tune_next = TUNINGS; /* its cache is good enough */
	}
	return target->reachable && target->tune_next < TUNINGS;
}

/* Decides what comes next and makes its template. */
static enum in_flight choose(struct gm_snmp_target *target, int64_t now)
{
	if (now >= target->revalidate_at) {
		revalidate(target, now);
	}
	if (target->item_count == 0) {
		unsigned mask = take_due_groups(target, now);

		if (mask != 0) {
			round_begin(target, mask);
		}
	}
	if (target->item_count > 0) {
		return round_build(target) ? ROUND : NOTHING;
	}
	if (tuning_is_due(target)) {
		return build_tuning(target) ? TUNING : NOTHING;
	}
	if (target->walk.table < 0) {
		int table = due_walk(target, now);

		if (table < 0) {
			return NOTHING;
		}
		walk_begin(target, table);
	}
	return walk_build(target) ? WALK : NOTHING;
}

static size_t dispatch(struct gm_snmp_target *target, int64_t now, const uint8_t **ret_packet)
{
	target->previous_id = target->id;
	target->id = (int32_t)(GM_SNMP_ID_BASE | ((draw(target) << 12) & 0x3ffff000) |
			       target->options.slot);
	gm_snmp_patch_id(target->id_at, target->id);
	if (target->usm == NULL) {
		*ret_packet = target->packet;
		return (size_t)(target->buffer + sizeof(target->buffer) - target->packet);
	}
	return gm_snmp_usm_seal(target->usm, target->pdu,
				(size_t)(target->buffer + sizeof(target->buffer) - target->pdu),
				target->id, now, target->sealed, sizeof(target->sealed),
				ret_packet);
}

size_t gm_snmp_target_ask(struct gm_snmp_target *target, const struct gm_snmp_moment *now,
			  const uint8_t **ret_packet, const struct gm_snmp_out *out)
{
	size_t length;

	if (target->in_flight != NOTHING) {
		if (now->monotonic < target->deadline) {
			return 0;
		}
		expire(target, now, out);
	}
	if (now->monotonic < target->not_before) {
		return 0;
	}
	target->in_flight = choose(target, now->monotonic);
	if (target->in_flight == NOTHING) {
		return 0;
	}
	length = dispatch(target, now->monotonic, ret_packet);
	if (length == 0) {
		target->in_flight = NOTHING;
		return 0;
	}
	target->sent_at = now->monotonic;
	target->deadline = now->monotonic + target->options.timeout;
	target->counts.sent++;
	return length;
}

/* A message of the present request, opened; NULL: it is not. */
static const struct gm_snmp_pdu *open_answer(struct gm_snmp_target *target, const void *data,
					     size_t length, int64_t now,
					     struct gm_snmp_message *message)
{
	const struct gm_snmp_credential *credential = target->options.credential;
	const char *community =
		target->in_flight == TUNING ? credential->write : credential->community;
	int rc = message->version == credential->version ? 0 : -EBADMSG;

	if (rc == 0 && target->usm) {
		rc = gm_snmp_usm_open(target->usm, data, length, now, message);
		if (rc == -EAGAIN) { /* it told how to ask: at once, and as the same request */
			target->in_flight = NOTHING;
			target->not_before = 0;
			return NULL;
		}
	} else if (rc == 0 &&
		   (message->community.length != strlen(community) ||
		    memcmp(message->community.data, community, strlen(community)) != 0)) {
		rc = -EBADMSG;
	}
	if (rc == 0 && message->pdu.type == GM_SNMP_RESPONSE && target->in_flight != NOTHING &&
	    message->pdu.request_id == target->id) {
		return &message->pdu;
	}
	if (rc == 0 && message->pdu.request_id == target->previous_id) {
		target->counts.late++;
	} else {
		target->counts.rejected++;
	}
	return NULL;
}

void gm_snmp_target_answer(struct gm_snmp_target *target, struct gm_snmp_message *message,
			   const void *data, size_t length, const struct gm_snmp_moment *now,
			   const struct gm_snmp_out *out)
{
	const struct gm_snmp_pdu *pdu = open_answer(target, data, length, now->monotonic, message);
	enum in_flight what = target->in_flight;

	if (pdu == NULL) {
		return;
	}
	target->counts.answered++;
	target->previous_id = target->id;
	target->in_flight = NOTHING;
	target->not_before = 0;
	target->failures = 0;
	target->reachable = true;
	/* The age of a datagram is one of the wall clock, which may be set. */
	target->latency = now->monotonic > target->sent_at ? now->monotonic - target->sent_at : 0;
	report_up(target, now, out);
	if (what == ROUND) {
		round_answer(target, pdu, now, out);
	} else if (what == WALK) {
		walk_answer(target, pdu, now, out);
	} else {
		take_tuning(target, pdu);
	}
}

void gm_snmp_target_refuse(struct gm_snmp_target *target, bool cut)
{
	target->counts.rejected++;
	/* As if it had said tooBig. */
	if (cut && target->in_flight != NOTHING && target->limit > 1) {
		target->limit /= 2;
		target->generation++;
	}
}

void gm_snmp_target_end(struct gm_snmp_target *target, int64_t time, const struct gm_snmp_out *out)
{
	struct rows none = {0};

	processes_end(target, time, out);
	for (int i = 0; i < GM_SNMP_TABLES; i++) {
		rows_replace(target, i, &none, time, out);
	}
}

const uint8_t *gm_snmp_target_uuid(const struct gm_snmp_target *target)
{
	return target->options.uuid;
}

const struct gm_snmp_credential *gm_snmp_target_credential(const struct gm_snmp_target *target)
{
	return target->options.credential;
}

bool gm_snmp_target_reachable(const struct gm_snmp_target *target)
{
	return target->reachable;
}

struct gm_snmp_counts gm_snmp_target_counts(const struct gm_snmp_target *target)
{
	return target->counts;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See numbers.h. Called by intake.c.
 */
#include "daemon/numbers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/ranks.h"

/* What a number is given to: of a guest its UUID, of an interface its address, or its device's name. */
struct label {
	char scope[GM_UUID_TEXT + 3];
	char name[GM_UUID_TEXT > GM_DEVICE_NAME ? GM_UUID_TEXT : GM_DEVICE_NAME];
};

struct gm_numbers_gone {
	struct label label;
	int64_t time;
};

enum {
	FIRST_ROOM = 32,
	GONE_MOST = 1024,            /* in one transaction */
	KEPT_MOST = GM_ENTITIES_MAX, /* while they cannot be written */
};

static struct label guest_label(const uint8_t uuid[GM_UUID_SIZE])
{
	struct label label = {.scope = "guest"};

	gm_uuid_text(uuid, label.name);
	return label;
}

static struct label interface_label(const char *device, const struct gm_interface_info *info)
{
	struct label label;
	char uuid[GM_UUID_TEXT];

	snprintf(label.scope, sizeof(label.scope), "if:%s", gm_uuid_text(info->guest, uuid));
	snprintf(label.name, sizeof(label.name), "%s", info->mac[0] ? info->mac : device);
	return label;
}

/* Who is here again does not go: retired late, the number would be another's while it is in use. */
static void keep(struct gm_numbers *numbers, const struct label *label)
{
	for (size_t i = 0; i < numbers->gone_count; i++) {
		struct gm_numbers_gone *gone = &numbers->gone[i];

		if (strcmp(gone->label.name, label->name) != 0 ||
		    strcmp(gone->label.scope, label->scope) != 0)
			continue;
		*gone = numbers->gone[--numbers->gone_count];
		return;
	}
}

static uint32_t number_of(struct gm_numbers *numbers, const struct label *label)
{
	uint32_t index = 0;
	struct gm_error err;

	keep(numbers, label);
	gm_numbers_settle(numbers);
	if (gm_state_index(numbers->state, label->scope, label->name, &index, &err) == 0)
		return index;
	numbers->missing = true;
	if (gm_log_allowed(&numbers->limit, gm_clock_monotonic(), 60 * GM_SECOND, NULL))
		gm_log(GM_LOG_ERROR, "no index for %s in %s: %s", label->name, label->scope,
		       err.text);
	return 0;
}

uint32_t gm_numbers_guest(struct gm_numbers *numbers, const uint8_t uuid[GM_UUID_SIZE])
{
	const struct label label = guest_label(uuid);

	return number_of(numbers, &label);
}

uint32_t gm_numbers_interface(struct gm_numbers *numbers, const char *device,
			      const struct gm_interface_info *info)
{
	const struct label label = interface_label(device, info);

	return number_of(numbers, &label);
}

/* Whether it is left out (intake.c): a better connection to libvirt tells of its guest. */
static bool is_anothers(const struct gm_entities *entities, enum gm_source_id source,
			const struct gm_entity_info *info)
{
	const uint8_t *owner = gm_entity_owner(info);
	struct gm_entity_key key = owner ? gm_entity_guest(owner) : info->key;
	const struct gm_tracked *tracked = gm_entities_find(entities, &key);

	return tracked && gm_ranks_outranked(tracked, source);
}

/* Whether it will be asked for a number that it has not yet. */
static bool needs_one(const struct gm_entities *entities, const struct gm_entity_info *info)
{
	static const uint8_t no_guest[GM_UUID_SIZE];
	const struct gm_tracked *known = gm_entities_find(entities, &info->key);

	if (info->key.kind == GM_ENTITY_GUEST)
		return !known || known->guest_index == 0;
	return info->key.kind == GM_ENTITY_INTERFACE &&
	       memcmp(info->interface.guest, no_guest, GM_UUID_SIZE) != 0 &&
	       (!known || known->ordinal == 0);
}

/* At most `most` of them. */
static void foresee(struct gm_numbers *numbers, const struct gm_entities *entities,
		    const enum gm_source_id *sources, const struct gm_entity_info *const *infos,
		    size_t count, size_t most)
{
	struct label *labels = calloc(count, sizeof(*labels));
	struct gm_state_name *names = calloc(count, sizeof(*names));
	size_t needed = 0;

	for (size_t i = 0; labels && names && i < count && needed < most; i++) {
		if (!needs_one(entities, infos[i]) || is_anothers(entities, sources[i], infos[i]))
			continue;
		struct label *label = &labels[needed];

		*label = infos[i]->key.kind == GM_ENTITY_GUEST
				 ? guest_label(infos[i]->key.uuid)
				 : interface_label(infos[i]->key.name, &infos[i]->interface);
		names[needed++] = (struct gm_state_name){label->scope, label->name};
	}
	if (needed > 0)
		gm_numbers_settle(numbers);
	/* One is no crowd. */
	if (needed > 1)
		(void)gm_state_index_batch(numbers->state, names, needed, NULL);
	free(names);
	free(labels);
}

void gm_numbers_foresee(struct gm_numbers *numbers, const struct gm_entities *entities,
			const enum gm_source_id *sources, const struct gm_entity_info *const *infos,
			size_t count)
{
	foresee(numbers, entities, sources, infos, count,
		GM_ENTITIES_MAX - gm_entities_count(entities));
}

/* ---- those that are missing ---- */

/* Those that have one missing are foreseen, so that they are one transaction; they have their place already. */
static void foresee_again(struct gm_numbers *numbers, const struct gm_entities *entities)
{
	size_t room = gm_entities_count(entities), count = 0;
	const struct gm_entity_info **infos = calloc(room, sizeof(*infos));
	enum gm_source_id *sources = calloc(room, sizeof(*sources));

	for (const struct gm_tracked *tracked = gm_entities_first(entities);
	     infos && sources && tracked; tracked = gm_entities_next(tracked)) {
		unsigned source = 0;

		if (!needs_one(entities, &tracked->info))
			continue;
		while (source + 1 < GM_SOURCE_COUNT && !(tracked->told_by >> source & 1))
			source++;
		sources[count] = (enum gm_source_id)source;
		infos[count++] = &tracked->info;
	}
	if (count > 0)
		foresee(numbers, entities, sources, infos, count, count);
	free(sources);
	free(infos);
}

/* What belongs to a guest stands beside its number. */
static void number_part(struct gm_numbers *numbers, struct gm_entities *entities,
			struct gm_tracked *part)
{
	const struct gm_tracked *guest = gm_entities_guest_of(entities, part);

	if (!gm_entity_owner(&part->info) || part->info.key.kind == GM_ENTITY_GUEST)
		return;
	if (part->guest_index == 0 && guest)
		part->guest_index = guest->guest_index;
	if (part->info.key.kind == GM_ENTITY_INTERFACE && part->ordinal == 0)
		part->ordinal =
			gm_numbers_interface(numbers, part->info.key.name, &part->info.interface);
}

void gm_numbers_again(struct gm_numbers *numbers, struct gm_entities *entities)
{
	struct gm_tracked *tracked;

	if (numbers->refused) {
		numbers->refused = false;
		gm_numbers_settle(numbers);
	}
	if (!numbers->missing)
		return;
	numbers->missing = false;
	foresee_again(numbers, entities);
	for (tracked = gm_entities_first(entities); tracked && !numbers->missing;
	     tracked = gm_entities_next(tracked)) {
		if (tracked->info.key.kind == GM_ENTITY_GUEST && tracked->guest_index == 0)
			tracked->guest_index = gm_numbers_guest(numbers, tracked->info.key.uuid);
	}
	for (tracked = gm_entities_first(entities); tracked && !numbers->missing;
	     tracked = gm_entities_next(tracked))
		number_part(numbers, entities, tracked);
}

/* ---- those that go ---- */

static bool make_room(struct gm_numbers *numbers)
{
	size_t room = numbers->gone_room > 0 ? 2 * numbers->gone_room : FIRST_ROOM;

	if (numbers->gone_count < numbers->gone_room)
		return true;
	struct gm_numbers_gone *gone =
		room <= KEPT_MOST ? realloc(numbers->gone, room * sizeof(*gone)) : NULL;
	if (!gone)
		return false;
	numbers->gone = gone;
	numbers->gone_room = room;
	return true;
}

static void say_lost(size_t count)
{
	gm_log(GM_LOG_ERROR,
	       "the state cannot be written: %zu numbers of guests that are gone stay theirs",
	       count);
}

void gm_numbers_retire(struct gm_numbers *numbers, const uint8_t uuid[GM_UUID_SIZE], int64_t time)
{
	const struct gm_numbers_gone gone = {guest_label(uuid), time};

	if (numbers->gone_count >= GONE_MOST)
		gm_numbers_settle(numbers);
	if (make_room(numbers)) {
		numbers->gone[numbers->gone_count++] = gone;
		return;
	}
	if (gm_state_index_retire(numbers->state, gone.label.scope, gone.label.name, time) < 0 &&
	    gm_log_allowed(&numbers->lost_limit, gm_clock_monotonic(), 60 * GM_SECOND, NULL))
		say_lost(1);
}

/* The last `count` of them. False: none of these is. */
static bool settle_some(struct gm_numbers *numbers, size_t count)
{
	const struct gm_numbers_gone *gone = &numbers->gone[numbers->gone_count - count];
	struct gm_state_retired *retired = calloc(count, sizeof(*retired));

	for (size_t i = 0; retired && i < count; i++)
		retired[i] = (struct gm_state_retired){gone[i].label.scope, gone[i].label.name,
						       gone[i].time};
	bool settled = retired && gm_state_index_retire_batch(numbers->state, retired, count) == 0;
	free(retired);
	return settled;
}

void gm_numbers_settle(struct gm_numbers *numbers)
{
	while (numbers->gone_count > 0 && !numbers->refused) {
		size_t count = numbers->gone_count < GONE_MOST ? numbers->gone_count : GONE_MOST;

		if (settle_some(numbers, count))
			numbers->gone_count -= count;
		else
			numbers->refused = true;
	}
}

void gm_numbers_close(struct gm_numbers *numbers)
{
	numbers->refused = false;
	gm_numbers_settle(numbers);
	if (numbers->gone_count > 0)
		say_lost(numbers->gone_count);
	free(numbers->gone);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries of the engine: by identity, and in the list that their state has. Decides nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alarm/private.h"
#include "base/text.h"

struct gm_alarm_identity gm_alarm_identity(const struct gm_entity_key *key, const char *detector,
					   const char *metric, const char *rule)
{
	struct gm_alarm_identity identity;

	memset(&identity, 0, sizeof(identity));
	identity.key = *key;
	gm_text_copy(identity.detector, sizeof(identity.detector), detector);
	gm_text_copy(identity.metric, sizeof(identity.metric), metric);
	gm_text_copy(identity.rule, sizeof(identity.rule), rule);
	return identity;
}

struct gm_alarm_entry *gm_alarm_find_entry(const struct gm_alarms *alarms,
					   const struct gm_alarm_identity *identity)
{
	struct gm_alarm_entry *entry;

	HASH_FIND(hh, alarms->entries, identity, sizeof(*identity), entry);
	return entry;
}

static struct gm_alarm_owner *find_owner(const struct gm_alarms *alarms,
					 const struct gm_entity_key *key)
{
	struct gm_alarm_owner *owner;

	HASH_FIND(hh, alarms->owners, key, sizeof(*key), owner);
	return owner;
}

/* NULL: out of memory. */
static struct gm_alarm_owner *provide_owner(struct gm_alarms *alarms,
					    const struct gm_entity_key *key)
{
	struct gm_alarm_owner *owner = find_owner(alarms, key);

	if (owner)
		return owner;
	owner = calloc(1, sizeof(*owner));
	if (!owner)
		return NULL;
	owner->key = *key;
	HASH_ADD(hh, alarms->owners, key, sizeof(owner->key), owner);
	if (!owner->hh.tbl) {
		free(owner);
		return NULL;
	}
	return owner;
}

static void drop_owner(struct gm_alarms *alarms, struct gm_alarm_owner *owner)
{
	if (owner->entries)
		return;
	HASH_DEL(alarms->owners, owner);
	free(owner);
}

struct gm_alarm_entry *gm_alarm_first_of(const struct gm_alarms *alarms,
					 const struct gm_entity_key *key)
{
	const struct gm_alarm_owner *owner = find_owner(alarms, key);

	return owner ? owner->entries : NULL;
}

int gm_alarm_add_entry(struct gm_alarms *alarms, const struct gm_alarm_identity *identity,
		       struct gm_alarm_entry **ret_entry)
{
	/* What is only remembered gives place. */
	if (HASH_COUNT(alarms->entries) >= GM_ALARMS_MAX && alarms->idle)
		gm_alarm_remove_entry(alarms, alarms->idle);
	if (HASH_COUNT(alarms->entries) >= GM_ALARMS_MAX) {
		alarms->counts.refused++;
		return -ENOSPC;
	}
	struct gm_alarm_owner *owner = provide_owner(alarms, &identity->key);
	struct gm_alarm_entry *entry = owner ? calloc(1, sizeof(*entry)) : NULL;
	if (entry) {
		entry->identity = *identity;
		HASH_ADD(hh, alarms->entries, identity, sizeof(entry->identity), entry);
	}
	if (!entry || !entry->hh.tbl) {
		free(entry);
		if (owner)
			drop_owner(alarms, owner);
		return -ENOMEM;
	}
	entry->owner = owner;
	DL_APPEND2(owner->entries, entry, owner_prev, owner_next);
	entry->alarm.key = identity->key;
	memcpy(entry->alarm.detector, identity->detector, sizeof(identity->detector));
	memcpy(entry->alarm.metric, identity->metric, sizeof(identity->metric));
	memcpy(entry->alarm.rule, identity->rule, sizeof(identity->rule));
	DL_APPEND(alarms->idle, entry);
	alarms->in_state[GM_ALARM_NONE]++;
	*ret_entry = entry;
	return 0;
}

bool gm_alarm_is_raised(enum gm_alarm_state state)
{
	return state >= GM_ALARM_ACTIVE;
}

static struct gm_alarm_entry **list_of(struct gm_alarms *alarms, enum gm_alarm_state state)
{
	switch (state) {
	case GM_ALARM_NONE:
		return &alarms->idle;
	case GM_ALARM_WAITING:
		return &alarms->waiting;
	case GM_ALARM_CROWDED:
		return &alarms->crowded;
	default:
		return &alarms->raised;
	}
}

/* The node's own, but for what the daemon says of itself: these may explain others. */
static bool may_explain(const struct gm_alarm_entry *entry)
{
	return entry->identity.key.kind == GM_ENTITY_NODE &&
	       strcmp(entry->identity.detector, GM_SELF_DETECTOR) != 0;
}

static void take_out(struct gm_alarms *alarms, struct gm_alarm_entry *entry)
{
	struct gm_alarm_entry **list = list_of(alarms, entry->state);

	DL_DELETE(*list, entry);
	if (gm_alarm_is_raised(entry->state) && may_explain(entry))
		DL_DELETE2(alarms->node, entry, node_prev, node_next);
}

/* From the end: restored alarms come by id, too. */
static void put_by_id(struct gm_alarms *alarms, struct gm_alarm_entry *entry)
{
	struct gm_alarm_entry *at = alarms->raised ? alarms->raised->prev : NULL;

	while (at && at->alarm.id > entry->alarm.id)
		at = at == alarms->raised ? NULL : at->prev;
	if (at)
		DL_APPEND_ELEM(alarms->raised, at, entry);
	else
		DL_PREPEND(alarms->raised, entry);
	if (may_explain(entry))
		DL_APPEND2(alarms->node, entry, node_prev, node_next);
}

void gm_alarm_move(struct gm_alarms *alarms, struct gm_alarm_entry *entry, enum gm_alarm_state to)
{
	struct gm_alarm_entry **list = list_of(alarms, to);

	alarms->in_state[entry->state]--;
	alarms->in_state[to]++;
	if (list != list_of(alarms, entry->state)) {
		take_out(alarms, entry);
		if (gm_alarm_is_raised(to))
			put_by_id(alarms, entry);
		else
			DL_APPEND(*list, entry);
	}
	entry->state = to;
}

void gm_alarm_remove_entry(struct gm_alarms *alarms, struct gm_alarm_entry *entry)
{
	take_out(alarms, entry);
	alarms->in_state[entry->state]--;
	HASH_DEL(alarms->entries, entry);
	DL_DELETE2(entry->owner->entries, entry, owner_prev, owner_next);
	drop_owner(alarms, entry->owner);
	free(entry);
}

void gm_alarm_settle(struct gm_alarms *alarms, struct gm_alarm_entry *entry)
{
	entry->options = alarms->options;
	if (alarms->judge.settle)
		alarms->judge.settle(alarms->judge.user, &entry->alarm, &entry->options);
	entry->options.raise_limit = alarms->options.raise_limit;
	entry->options.correlate = alarms->options.correlate;
}

bool gm_alarm_worth_keeping(const struct gm_alarm_entry *entry, int64_t now)
{
	const struct gm_alarm_options *options = &entry->options;
	size_t newest = (entry->raise_count + GM_ALARM_FLAP_RAISES - 1) % GM_ALARM_FLAP_RAISES;

	if (!options->damping)
		return false;
	if (options->flap_raises > 0 && entry->raise_count > 0 &&
	    llabs(now - entry->raises[newest]) < options->flap_window)
		return true;
	return options->hold_off > 0 && entry->cleared_at != 0 &&
	       llabs(now - entry->cleared_at) < options->hold_off;
}

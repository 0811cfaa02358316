/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SET of the tables whose rows managers make or change: thresholds, and a guest's detectors. All variables of
 * a request that are of one row make one draft of it, which is judged when all of them are in. What was
 * committed shows at once, laid over the snapshots until there is one that has it. Called by set.c and
 * handler.c on the agent thread.
 */
#include <string.h>

#include "base/text.h"
#include "north/mib/agent.h"
#include "north/mib/tables.h"
#include "north/mib/threshold.h"

static const int64_t PENDING_MAX = 10 * GM_SECOND;
enum { ENTRY = 3, INDEX = ENTRY + 1 /* of {1 table 1 column …} */ };

static bool is_in(const uint32_t *id, size_t length, uint32_t table)
{
	return length > INDEX && id[0] == 1 && id[1] == table && id[2] == 1;
}

bool gm_mib_is_row(const uint32_t *id, size_t length)
{
	return is_in(id, length, GM_THRESHOLD_ENTRY) || is_in(id, length, GM_DETECTOR_ENTRY);
}

static const struct gm_threshold_row *find_row(const struct gm_snapshot *snapshot, const char *name)
{
	for (size_t i = 0; i < snapshot->threshold_count; i++)
		if (strcmp(snapshot->thresholds[i].name, name) == 0)
			return &snapshot->thresholds[i];
	return NULL;
}

/* ---- a variable alone ---- */

static const struct gm_guest_row *find_guest(const struct gm_snapshot *snapshot, uint32_t index)
{
	for (size_t i = 0; i < snapshot->guest_count; i++)
		if (snapshot->guests[i].index == index)
			return &snapshot->guests[i];
	return NULL;
}

/* Into a kind of change: SNMP_ERR_NOERROR, or what is wrong with the value alone. */
static int take_switch(uint32_t column, const netsnmp_variable_list *variable,
		       enum gm_mib_change_kind *ret_kind)
{
	if (column != GM_DETECTOR_ENABLED && column != GM_DETECTOR_ORIGIN)
		return SNMP_ERR_NOTWRITABLE;
	if (variable->type != ASN_INTEGER)
		return SNMP_ERR_WRONGTYPE;
	if (variable->val_len != sizeof(*variable->val.integer))
		return SNMP_ERR_WRONGLENGTH;
	long value = *variable->val.integer;
	if (value != 1 && !(value == 2 && column == GM_DETECTOR_ENABLED))
		return SNMP_ERR_WRONGVALUE;
	*ret_kind = column == GM_DETECTOR_ORIGIN ? GM_MIB_DETECTOR_INHERIT
		    : value == 1                 ? GM_MIB_DETECTOR_ON
						 : GM_MIB_DETECTOR_OFF;
	return SNMP_ERR_NOERROR;
}

static int read_detector(const struct gm_snapshot *snapshot, const uint32_t *id, size_t length,
			 const netsnmp_variable_list *variable, struct gm_mib_change *ret_change)
{
	const uint32_t *index = id + INDEX;
	int error = take_switch(id[ENTRY], variable, &ret_change->kind);

	if (error != SNMP_ERR_NOERROR)
		return error;
	const struct gm_guest_row *guest = find_guest(snapshot, index[0]);
	if (length != INDEX + 2 || !guest || index[1] == 0 || index[1] > snapshot->detector_count)
		return SNMP_ERR_NOCREATION;
	memcpy(ret_change->guest, guest->uuid, GM_UUID_SIZE);
	gm_text_copy(ret_change->text, sizeof(ret_change->text), snapshot->detectors[index[1] - 1]);
	return SNMP_ERR_NOERROR;
}

int gm_mib_row_read(const struct gm_mib_view *view, const uint32_t *id, size_t length,
		    const netsnmp_variable_list *variable, struct gm_mib_change *ret_change)
{
	struct gm_threshold_row *row = &ret_change->threshold;

	memset(ret_change, 0, sizeof(*ret_change));
	if (!view)
		return SNMP_ERR_RESOURCEUNAVAILABLE;
	if (is_in(id, length, GM_DETECTOR_ENTRY))
		return read_detector(view->snapshot, id, length, variable, ret_change);
	ret_change->kind = GM_MIB_THRESHOLD;
	int error = gm_mib_threshold_take(id[ENTRY], variable, row);
	if (error != SNMP_ERR_NOERROR)
		return error;
	return gm_mib_threshold_name(id + INDEX, length - INDEX, row->name) ? SNMP_ERR_NOERROR
									    : SNMP_ERR_NOCREATION;
}

/* ---- the draft that it belongs to ---- */

static bool is_detector(const struct gm_mib_change *change)
{
	return change->kind == GM_MIB_DETECTOR_INHERIT || change->kind == GM_MIB_DETECTOR_ON ||
	       change->kind == GM_MIB_DETECTOR_OFF;
}

static bool same_row(const struct gm_mib_change *a, const struct gm_mib_change *b)
{
	if (a->kind == GM_MIB_THRESHOLD)
		return b->kind == GM_MIB_THRESHOLD &&
		       strcmp(a->threshold.name, b->threshold.name) == 0;
	return is_detector(b) && strcmp(a->text, b->text) == 0 &&
	       memcmp(a->guest, b->guest, GM_UUID_SIZE) == 0;
}

/* What the drafts before add, of rows or of switches: the main thread makes them one after the other. */
static int added(const struct gm_mib *mib, long transaction, bool of_detectors)
{
	int sum = 0;

	for (size_t i = 0; i < mib->set_count; i++)
		if (mib->sets[i].transaction == transaction &&
		    is_detector(&mib->sets[i].change) == of_detectors)
			sum += mib->sets[i].adds;
	return sum;
}

static uint32_t bit_of(const struct gm_snapshot *snapshot, const char *detector)
{
	uint32_t bit = 1;

	for (size_t i = 0; i < snapshot->detector_count; i++, bit <<= 1)
		if (strcmp(snapshot->detectors[i], detector) == 0)
			return bit;
	return 0;
}

/* Switches that there will be more: 1, 0, -1. */
static int switch_adds(const struct gm_snapshot *snapshot, const struct gm_mib_change *change)
{
	uint32_t bit = bit_of(snapshot, change->text);
	bool present = false;

	for (size_t i = 0; i < snapshot->guest_count; i++)
		if (memcmp(snapshot->guests[i].uuid, change->guest, GM_UUID_SIZE) == 0)
			present = snapshot->guests[i].switched_detectors & bit;
	return (change->kind != GM_MIB_DETECTOR_INHERIT) - present;
}

static struct gm_mib_set *find_draft(struct gm_mib *mib, long transaction,
				     const struct gm_mib_change *change)
{
	for (size_t i = 0; i < mib->set_count; i++)
		if (mib->sets[i].transaction == transaction &&
		    same_row(change, &mib->sets[i].change))
			return &mib->sets[i];
	return NULL;
}

/* The row as it is, or a new one; nothing is asked of its status yet. */
static void begin_row(const struct gm_mib *mib, const struct gm_mib_view *view,
		      struct gm_threshold_row *row)
{
	const struct gm_threshold_row *present = find_row(view->snapshot, row->name);
	struct gm_threshold_row fresh;

	if (!present) {
		mib->host.threshold_defaults(&fresh);
		memcpy(fresh.name, row->name, sizeof(fresh.name));
		present = &fresh;
	}
	*row = *present;
	row->status = GM_ROW_ABSENT;
}

/* A draft for the change, with what is there: RESOURCEUNAVAILABLE where there is no room for it. */
static int begin_draft(struct gm_mib *mib, const struct gm_mib_view *view, long transaction,
		       const struct gm_mib_change *change, struct gm_mib_set **ret_draft)
{
	int adds = is_detector(change) ? switch_adds(view->snapshot, change) : 0;

	if (mib->set_count + mib->pending_count >= GM_MIB_SETS ||
	    (adds > 0 && (int64_t)view->snapshot->switch_count + added(mib, transaction, true) >=
				 GM_SWITCHES_MAX))
		return SNMP_ERR_RESOURCEUNAVAILABLE;
	struct gm_mib_set *draft = &mib->sets[mib->set_count++];
	*draft = (struct gm_mib_set){.transaction = transaction,
				     .at = gm_clock_monotonic(),
				     .adds = adds,
				     .change = *change};
	if (change->kind == GM_MIB_THRESHOLD)
		begin_row(mib, view, &draft->change.threshold);
	*ret_draft = draft;
	return SNMP_ERR_NOERROR;
}

int gm_mib_row_keep(struct gm_mib *mib, const struct gm_mib_view *view, long transaction,
		    const uint32_t *id, const netsnmp_variable_list *variable,
		    const struct gm_mib_change *change)
{
	struct gm_mib_set *draft = find_draft(mib, transaction, change);
	int error = SNMP_ERR_NOERROR;

	if (draft && change->kind != GM_MIB_THRESHOLD)
		return SNMP_ERR_INCONSISTENTVALUE;
	if (!draft)
		error = begin_draft(mib, view, transaction, change, &draft);
	if (error == SNMP_ERR_NOERROR && change->kind == GM_MIB_THRESHOLD)
		error = gm_mib_threshold_take(id[ENTRY], variable, &draft->change.threshold);
	return error;
}

static int settle(struct gm_mib *mib, const struct gm_mib_view *view, struct gm_mib_set *draft)
{
	struct gm_threshold_row *row = &draft->change.threshold;
	const struct gm_threshold_row *present = find_row(view->snapshot, row->name);
	struct gm_error why;
	bool whole = mib->host.threshold_check(row, &why) == 0;
	int adds = (row->status != GM_ROW_DESTROY) - (present != NULL);
	int error = gm_mib_threshold_settle(present, whole, row);

	if (error == SNMP_ERR_NOERROR && adds > 0 &&
	    (int64_t)view->snapshot->managed_count + added(mib, draft->transaction, false) >=
		    GM_THRESHOLDS_MAX)
		error = SNMP_ERR_RESOURCEUNAVAILABLE;
	draft->adds = error == SNMP_ERR_NOERROR ? adds : 0;
	if (error == SNMP_ERR_INCONSISTENTVALUE && !whole &&
	    gm_log_allowed(&mib->set_limit, gm_clock_monotonic(), GM_SECOND, NULL))
		gm_log(GM_LOG_NOTICE, "mib: threshold \"%s\" of a manager is refused: %s",
		       row->name, why.text);
	return error;
}

int gm_mib_row_settle(struct gm_mib *mib, const struct gm_mib_view *view, long transaction,
		      const struct gm_mib_change *change)
{
	struct gm_mib_set *draft = find_draft(mib, transaction, change);

	if (!draft || change->kind != GM_MIB_THRESHOLD)
		return SNMP_ERR_NOERROR;
	if (!draft->settled)
		draft->error = settle(mib, view, draft);
	draft->settled = true;
	return draft->error;
}

/* ---- what was committed ---- */

void gm_mib_row_commit(struct gm_mib *mib, struct gm_mib_change *change)
{
	if (change->kind != GM_MIB_THRESHOLD && !is_detector(change))
		return;
	change->threshold.changed_at = gm_clock_now();
	change->number = ++mib->changes;
	if (mib->pending_count < GM_MIB_SETS)
		mib->pending[mib->pending_count++] =
			(struct gm_mib_set){.at = gm_clock_monotonic(), .change = *change};
}

/* What no snapshot has after so long was lost on its way: it is shown no longer, and takes no room. */
void gm_mib_row_shown(struct gm_mib *mib, const struct gm_snapshot *snapshot)
{
	int64_t now = gm_clock_monotonic();
	size_t kept = 0;

	for (size_t i = 0; i < mib->pending_count; i++)
		if (mib->pending[i].change.number > snapshot->changes &&
		    now - mib->pending[i].at < PENDING_MAX)
			mib->pending[kept++] = mib->pending[i];
	mib->pending_count = kept;
}

static void lay_threshold(struct gm_snapshot *snapshot, const struct gm_threshold_row *row)
{
	struct gm_threshold_row *rows = snapshot->thresholds;
	size_t at = 0, count = snapshot->threshold_count;

	while (at < count && gm_threshold_compare(rows[at].name, row->name) < 0)
		at++;
	bool present = at < count && strcmp(rows[at].name, row->name) == 0;
	size_t after = count - at - present;
	if (row->status == GM_ROW_DESTROY) {
		memmove(rows + at, rows + at + present, after * sizeof(*rows));
		snapshot->threshold_count -= present;
		snapshot->managed_count -= present && snapshot->managed_count > 0;
		return;
	}
	memmove(rows + at + 1, rows + at + present, after * sizeof(*rows));
	rows[at] = *row;
	snapshot->threshold_count += !present;
	snapshot->managed_count += !present;
}

static void lay_detector(struct gm_snapshot *snapshot, const struct gm_mib_change *change)
{
	uint32_t bit = bit_of(snapshot, change->text);

	snapshot->switch_count += (size_t)switch_adds(snapshot, change);
	for (size_t i = 0; i < snapshot->guest_count; i++) {
		struct gm_guest_row *guest = &snapshot->guests[i];

		if (memcmp(guest->uuid, change->guest, GM_UUID_SIZE) != 0)
			continue;
		guest->switched_detectors |= bit;
		if (change->kind == GM_MIB_DETECTOR_ON)
			guest->detectors |= bit;
		else if (change->kind == GM_MIB_DETECTOR_OFF)
			guest->detectors &= ~bit;
		else
			guest->switched_detectors &= ~bit;
	}
}

/* Arrays of its own where something is laid over them; false: no memory. */
static bool make_room(struct gm_snapshot *snapshot, size_t more)
{
	struct gm_threshold_row *rows =
		gm_snapshot_alloc(snapshot, snapshot->threshold_count + more, sizeof(*rows));
	struct gm_guest_row *guests =
		gm_snapshot_alloc(snapshot, snapshot->guest_count + 1, sizeof(*guests));

	if (!rows || !guests)
		return false;
	if (snapshot->threshold_count > 0)
		memcpy(rows, snapshot->thresholds, snapshot->threshold_count * sizeof(*rows));
	if (snapshot->guest_count > 0)
		memcpy(guests, snapshot->guests, snapshot->guest_count * sizeof(*guests));
	snapshot->thresholds = rows;
	snapshot->guests = guests;
	return true;
}

struct gm_snapshot *gm_mib_row_overlay(const struct gm_mib *mib, const struct gm_snapshot *whole)
{
	struct gm_snapshot *shadow = gm_snapshot_shadow(whole);

	if (!shadow || !make_room(shadow, mib->pending_count)) {
		if (shadow)
			gm_snapshot_destroy(shadow);
		return NULL;
	}
	for (size_t i = 0; i < mib->pending_count; i++) {
		const struct gm_mib_change *change = &mib->pending[i].change;

		if (change->kind == GM_MIB_THRESHOLD)
			lay_threshold(shadow, &change->threshold);
		else
			lay_detector(shadow, change);
	}
	return shadow;
}

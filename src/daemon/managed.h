/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What managers have asked for by SET: threshold rules of their own, and detectors that are on or off for a
 * guest. Kept in state/ (rules of volatile storage are not), given to the settings after all that files say.
 * What is changed takes effect when the detectors judge next. Main thread, but for what says otherwise.
 */
#ifndef GM_DAEMON_MANAGED_H
#define GM_DAEMON_MANAGED_H

#include "analysis/rules.h"
#include "daemon/entities.h"
#include "model/threshold.h"
#include "state/state.h"

struct gm_managed;

/* What is stored; a record that cannot be used is told in the log and stays where it is. -ENOMEM. */
int gm_managed_create(struct gm_state *state, struct gm_managed **ret_managed);
void gm_managed_free(struct gm_managed *managed);

/*
 * Gives all of it to `settings`, which outlive the managed or its next install(). A rule whose name a file has,
 * too, is left out, with a line in the log. -ENOMEM: some may be missing.
 */
int gm_managed_install(struct gm_managed *managed, struct gm_detector_settings *settings);

/*
 * adopt(): where something was changed since the last time, the entities get the detectors that hold now; true.
 * move(): the same for other settings. -ENOMEM: nothing is changed.
 */
bool gm_managed_adopt(struct gm_managed *managed, struct gm_entities *entities);
int gm_managed_move(struct gm_managed *managed, struct gm_detector_settings *settings,
		    struct gm_entities *entities);

/*
 * Makes or replaces the row of that name, or removes it where its status says so. Durable when it returns 0,
 * unless the row is volatile. -ENOSPC: GM_THRESHOLDS_MAX are there; else as the state says.
 */
int gm_managed_threshold(struct gm_managed *managed, const struct gm_threshold_row *row,
			 struct gm_error *err);

/*
 * Switches a detector on or off for a guest, or takes that back. Where GM_SWITCHES_MAX are there, that of a guest
 * which is not among `entities` makes room, with a line in the log. -ENOENT: no detector of that name; -ENOSPC:
 * all guests are known; else as the state says.
 */
enum gm_detector_choice { GM_DETECTOR_INHERIT, GM_DETECTOR_ON, GM_DETECTOR_OFF };
int gm_managed_switch(struct gm_managed *managed, const struct gm_entities *entities,
		      const uint8_t guest[GM_UUID_SIZE], const char *detector,
		      enum gm_detector_choice choice, struct gm_error *err);

/* The number of the newest change that was tried, as the agent counts them. */
void gm_managed_count(struct gm_managed *managed, uint64_t number);
uint64_t gm_managed_changes(const struct gm_managed *managed);

/*
 * The thresholds of files and those of managers by gm_threshold_compare(): fills at most `max`, returns how
 * many there are.
 */
size_t gm_managed_rows(const struct gm_managed *managed, struct gm_threshold_row *rows, size_t max);

size_t gm_managed_made(const struct gm_managed *managed); /* those of managers, shown or not */

/* What managers said of the guest's detectors: bits 1 << place in gm_detectors; those of them that are on. */
unsigned gm_managed_switched(const struct gm_managed *managed, const uint8_t guest[GM_UUID_SIZE],
			     unsigned *ret_on);
/* How many of them are of guests that are known. */
size_t gm_managed_switches(const struct gm_managed *managed, const struct gm_entities *entities);

/* managed_record.c, pure and for any thread. A new row's values; 0 or -EINVAL with what is wrong with a row. */
void gm_managed_defaults(struct gm_threshold_row *row);
int gm_managed_check(const struct gm_threshold_row *row, struct gm_error *err);
/* A row as JSON, and back: what the record leaves out has its default. -EINVAL, -ENOMEM. */
int gm_managed_to_record(const struct gm_threshold_row *row, struct gm_buffer *ret_record);
int gm_managed_from_record(const char *record, struct gm_threshold_row *ret_row,
			   struct gm_error *err);
/* What of a row is not the default, for people: "metric \"memory.used\", rising 5e+08". Returns `text`. */
char *gm_managed_describe(const struct gm_threshold_row *row, char *text, size_t size);

#endif

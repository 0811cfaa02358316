/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A closer look at a few guests: their memory statistics ten times a second instead of once.
 *
 * A guest refreshes them once per period, which is whole seconds. Setting the period to 0 and back
 * makes qemu ask the guest at once; what it answered is read a tick later and is as old as the
 * asking. That costs libvirtd some milliseconds and a job that changes the guest, so it is
 * budgeted: so many guests at a time, so long at most, then a rest twice as long. The period that
 * a guest had is restored afterwards, after an error too, for as long as that takes.
 *
 * It has a thread (`libvirt-fresh`) and a connection of its own that may write: a guest that hangs
 * holds up nothing but this. Any thread may call; nothing blocks but the end.
 */
#ifndef GM_SOURCE_LIBVIRT_FRESH_H
#define GM_SOURCE_LIBVIRT_FRESH_H

#include "source/libvirt/libvirt.h"

struct gm_lv_fresh;

/* Starts the thread; samples are emitted in the name of `id`. 0 or a negative errno. */
int gm_lv_fresh_create(const struct gm_libvirt_options *options, enum gm_source_id id,
		       struct gm_lv_fresh **ret_fresh);

/* The end is wanted: periods are restored now. Any thread, before the free. NULL-safe. */
void gm_lv_fresh_quit(struct gm_lv_fresh *fresh);

/*
 * Ends it: samples are not emitted any more. A thread that is stuck in a call at `deadline`
 * (gm_clock_monotonic()) is left behind; it restores and frees when it returns. NULL-safe.
 */
void gm_lv_fresh_free(struct gm_lv_fresh *fresh, int64_t deadline);

/* Where samples go: `sink` is valid until the end. */
void gm_lv_fresh_attach(struct gm_lv_fresh *fresh, const struct gm_source_sink *sink);

/* Looks at the guest for some seconds from now, if the budget allows; NULL-safe. */
void gm_lv_fresh_suspect(struct gm_lv_fresh *fresh, const uint8_t uuid[GM_UUID_SIZE]);

/* Whether the guest's memory has been told from here lately: nobody else needs to. NULL-safe. */
bool gm_lv_fresh_covers(struct gm_lv_fresh *fresh, const uint8_t uuid[GM_UUID_SIZE]);

#endif

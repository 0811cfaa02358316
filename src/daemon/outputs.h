/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All outputs of the node, each with its outbox: those of the files, and `snmp`, whose driver is the
 * SNMP agent. Main thread only, on the given loop.
 */
#ifndef GM_DAEMON_OUTPUTS_H
#define GM_DAEMON_OUTPUTS_H

#include <uv.h>

#include "daemon/output_files.h"
#include "model/snapshot.h"
#include "north/mib/mib.h"
#include "state/state.h"

#define GM_OUTPUT_SNMP "snmp" /* the name of the agent's */

struct gm_outputs;

/* `state` outlives the outputs. */
int gm_outputs_create(uv_loop_t *loop, struct gm_state *state, const char *node,
		      struct gm_outputs **ret_outputs, struct gm_error *err);

/*
 * Goes over to these outputs: those that have not changed go on, others end and begin. An output that
 * cannot be made is shown absent with its reason, and is tried again every second; what it has to tell
 * waits. `files` outlives the outputs or is replaced by the next call.
 */
void gm_outputs_configure(struct gm_outputs *outputs, const struct gm_output_files *files);

/*
 * An output that no file describes, of a registration that was made at run time: its name has a '/'. Those
 * of before a restart are added before the first configure(), which forgets the positions of all others.
 * `file` outlives it.
 */
int gm_outputs_add(struct gm_outputs *outputs, const struct gm_output_file *file);

/* Ends it and forgets its position. */
void gm_outputs_remove(struct gm_outputs *outputs, const char *name);

/* The client that all outputs share. */
struct gm_http *gm_outputs_http(struct gm_outputs *outputs);

/* Notifications go to that agent from now on; NULL: it has ended, they wait. */
void gm_outputs_attach_mib(struct gm_outputs *outputs, struct gm_mib *mib);

/* No agent runs on this node: the journal need not keep anything for one. Before the first configure(). */
void gm_outputs_without_mib(struct gm_outputs *outputs);

/* What the agent says of itself: while it has no master agent, its output is shown as one that waits. */
void gm_outputs_mib_status(struct gm_outputs *outputs, const struct gm_mib_status *status);

/* The agent has handed over the notifications up to that sequence number. */
void gm_outputs_mib_delivered(struct gm_outputs *outputs, uint64_t sequence);

/* Something was journalled: every output sends what it may. */
void gm_outputs_pump(struct gm_outputs *outputs);

/* Every 100 ms, and once a second with the snapshot that readers see. */
void gm_outputs_tick(struct gm_outputs *outputs);
void gm_outputs_second(struct gm_outputs *outputs, struct gm_snapshot_slot *slot);

/* Fills at most `max` rows, by name; returns how many there are. */
size_t gm_outputs_rows(const struct gm_outputs *outputs, struct gm_output_row *rows, size_t max);

/* What an operator may do with one. -ENOENT: there is none of that name. */
int gm_outputs_pause(struct gm_outputs *outputs, const char *name, bool paused,
		     struct gm_error *err);
int gm_outputs_replay(struct gm_outputs *outputs, const char *name, uint64_t sequence,
		      struct gm_error *err);

/* Ends all; free once the loop has run dry. NULL-safe. */
void gm_outputs_close(struct gm_outputs *outputs);
void gm_outputs_free(struct gm_outputs *outputs);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operators teach (`guestmonctl learn`): makes lessons of the windows, keeps them in the state, hands
 * them to the detectors of the guest they are about, and lets a range that was marked as normal overrule an
 * anomaly that looks like it. Main thread only.
 */
#ifndef GM_DAEMON_LEARNING_H
#define GM_DAEMON_LEARNING_H

#include "analysis/learned.h"
#include "daemon/entities.h"
#include "state/state.h"

struct gm_learning;

/* `state` outlives it. 0 or -ENOMEM. */
int gm_learning_create(struct gm_state *state, struct gm_learning **ret_learning);
void gm_learning_free(struct gm_learning *learning);

struct gm_learning_range {
	struct gm_entity_key key; /* a guest or the node */
	bool faulty;
	char label[GM_LESSON_LABEL]; /* of the fault; empty when normal */
	char author[64];
	int64_t begin, end; /* ns since the epoch */
};

/*
 * Makes a lesson of what the windows hold of that range (of a faulty one also of the rest, for contrast), and
 * keeps it; `range` becomes the part that they hold. -EINVAL: the range or the label is wrong; -ENODATA: the
 * windows hold less than three bins of it (the message says what they hold); -ENOSPC: GM_LESSONS_MAX are kept
 * for that entity.
 */
int gm_learning_learn(struct gm_learning *learning, const struct gm_entities *entities,
		      struct gm_learning_range *range, int64_t now, int64_t *ret_id,
		      struct gm_error *err);
int gm_learning_unlearn(struct gm_learning *learning, int64_t id, struct gm_error *err);

/* As gm_state_lessons(). */
int gm_learning_list(struct gm_learning *learning, const char *entity,
		     void (*each)(void *user, const struct gm_lesson_row *row), void *user,
		     struct gm_error *err);

/* Hands `tracked` its lessons if it does not have the present ones. Cheap when it has. */
void gm_learning_teach(struct gm_learning *learning, struct gm_tracked *tracked);

/* Whether an operator has marked what the entity does now as normal, so that `finding` is no news. */
bool gm_learning_overrules(const struct gm_tracked *tracked, const struct gm_finding *finding);

#endif

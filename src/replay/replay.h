/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shipped windows, detectors and alarm engine over one entity's recording, on a virtual
 * clock: what `guestmonctl replay` runs and what accuracy is measured by. The contract of input
 * and output is in guestmonctl(1).
 */
#ifndef GM_REPLAY_REPLAY_H
#define GM_REPLAY_REPLAY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

struct gm_replay_options {
	const char *detector;
	const char *const
		*settings; /* "key=value", NULL at the end: the detector's options, `damping`, … */
	const char *entity; /* what to call it in the output; NULL: "replay" */
	int64_t link_speed; /* bit/s; 0: not known */
	FILE *input;
	const char *input_name; /* for messages */
	FILE *output;
	FILE *scores;     /* NULL: none */
	FILE *statistics; /* NULL: none */
	FILE *remarks;    /* what of the input was left out; NULL: not told */
	/* One recording of several: a metric of the catalogue that it lacks is in another. */
	bool one_of_many;
};

/* The option without which a detector judges nothing: "metric", "condition"; NULL: it needs none. */
const char *gm_replay_needs(const char *detector);

/* 0; -EINVAL for bad options or input (message with file and line); -EIO when writing fails. */
int gm_replay(const struct gm_replay_options *options, struct gm_error *err);

#endif

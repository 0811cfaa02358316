/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests around an intake share: one with a state of its own and the detectors' defaults, on a node
 * with libvirt. For cmocka tests; include after <cmocka.h>.
 */
#ifndef GM_TEST_INTAKE_FIXTURE_H
#define GM_TEST_INTAKE_FIXTURE_H

#include "base/log.h"
#include "daemon/intake.h"
#include "support/state_directory.h"

struct intake_fixture {
	char directory[STATE_DIRECTORY];
	struct gm_state *state;
	struct gm_detector_settings
		*settings; /* a test may change them before it tells of entities */
	struct gm_intake *intake;
};

/* Windows of 100 samples, of `length` ns. */
static inline void open_intake(struct intake_fixture *on, int64_t length,
			       const struct gm_intake_sink *sink)
{
	struct gm_error err = {.text = ""};
	gm_log_set_level(GM_LOG_ERROR);
	state_directory_make(on->directory);
	assert_int_equal(gm_state_open(on->directory, &on->state, &err), 0);
	assert_int_equal(gm_detector_settings_create(&on->settings), 0);
	struct gm_intake_options options = {
		.window = {.samples = 100, .length = length},
		.detectors = on->settings,
		.libvirt = true,
	};
	assert_int_equal(gm_intake_create(&options, on->state, sink, &on->intake), 0);
}

static inline void close_intake(struct intake_fixture *on)
{
	gm_intake_free(on->intake);
	gm_detector_settings_free(on->settings);
	gm_state_close(on->state);
	state_directory_remove(on->directory);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An output to Aodh on a loop of its own, as tests need it: options that lead to a port of the loopback, and a
 * file with a password.
 */
#ifndef GM_TEST_AODH_RIG_H
#define GM_TEST_AODH_RIG_H

#include <uv.h>

#include "north/openstack/aodh.h"
#include "north/openstack/aodh_private.h"

struct gm_test_aodh_rig {
	uv_loop_t loop;
	struct gm_http *http;
	struct gm_output *output;
	char secret[32];
};

void gm_test_aodh_rig_start(struct gm_test_aodh_rig *rig);

/* Defaults, with Keystone at that port. */
struct gm_aodh_options gm_test_aodh_options(const struct gm_test_aodh_rig *rig, unsigned port);
void gm_test_aodh_create(struct gm_test_aodh_rig *rig, const struct gm_aodh_options *options,
			 void (*done)(void *user, uint64_t ticket,
				      const struct gm_verdict *verdict),
			 void *user);

/* With what is left on the loop. */
void gm_test_aodh_rig_stop(struct gm_test_aodh_rig *rig);

#endif

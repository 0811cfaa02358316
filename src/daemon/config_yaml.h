/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two halves of the configuration, config.c and config_yaml.c, need of each other. Nobody
 * else includes this.
 */
#ifndef GM_DAEMON_CONFIG_YAML_H
#define GM_DAEMON_CONFIG_YAML_H

#include "daemon/config.h"

/* A rule over several options that a configuration breaks. */
struct gm_config_breach {
	const char *section, *key;
	const char *allowed;
};

/* Fills in what depends on the machine, then checks the rules: true when all hold. */
bool gm_config_check(struct gm_config *config, struct gm_config_breach *ret_breach);

#endif

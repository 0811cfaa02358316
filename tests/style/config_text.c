/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints what the option tables say: `config_text sample` (conf/guestmon.yaml), `config_text manual`
 * (the options in
 * guestmon.yaml.5), `config_text outputs` (those in guestmon-outputs.5). For the check that keeps both in step, and for making them anew.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/config.h"

int main(int argc, char **argv)
{
	struct gm_config *defaults;

	if (argc != 2 || gm_config_create(&defaults) < 0)
		return 2;
	if (strcmp(argv[1], "sample") == 0)
		gm_config_sample(defaults, stdout);
	else if (strcmp(argv[1], "manual") == 0)
		gm_config_manual(defaults, stdout);
	else if (strcmp(argv[1], "outputs") == 0)
		gm_config_outputs_manual(stdout);
	gm_config_free(defaults);
	return ferror(stdout) || fflush(stdout) != 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output to Aodh that aodh_rig.h describes, and its end.
 */
#include "aodh_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

void gm_test_aodh_rig_start(struct gm_test_aodh_rig *rig)
{
	gm_log_set_level((enum gm_log_level) - 1);
	snprintf(rig->secret, sizeof(rig->secret), "/tmp/gm-aodh-XXXXXX");
	int fd = mkstemp(rig->secret);
	assert_int_equal(write(fd, "word\n", 5), 5);
	close(fd);
	uv_loop_init(&rig->loop);
	assert_int_equal(gm_http_create(&rig->loop, &rig->http), 0);
}

struct gm_aodh_options gm_test_aodh_options(const struct gm_test_aodh_rig *rig, unsigned port)
{
	struct gm_aodh_options options;

	memset(&options, 0, sizeof(options));
	gm_option_defaults(gm_aodh_output.options, &options);
	snprintf(options.cloud.auth_url, sizeof(options.cloud.auth_url), "http://127.0.0.1:%u/v3",
		 port);
	snprintf(options.cloud.credential, sizeof(options.cloud.credential), "id");
	snprintf(options.cloud.secret_file, sizeof(options.cloud.secret_file), "%s", rig->secret);
	return options;
}

void gm_test_aodh_create(struct gm_test_aodh_rig *rig, const struct gm_aodh_options *options,
			 void (*done)(void *user, uint64_t ticket,
				      const struct gm_verdict *verdict),
			 void *user)
{
	const struct gm_output_host host = {.loop = &rig->loop,
					    .http = rig->http,
					    .name = "cloud",
					    .node = "n1",
					    .done = done,
					    .user = user};
	struct gm_error err = {.text = ""};

	if (gm_aodh_output.create(options, &host, &rig->output, &err) < 0)
		fail_msg("%s", err.text);
}

void gm_test_aodh_rig_stop(struct gm_test_aodh_rig *rig)
{
	gm_aodh_output.close(rig->output);
	gm_http_close(rig->http);
	uv_run(&rig->loop, UV_RUN_DEFAULT);
	gm_http_free(rig->http);
	assert_int_equal(uv_loop_close(&rig->loop), 0);
	unlink(rig->secret);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change of the configuration while libvirt answers nobody: what would leave ever more threads behind is
 * refused before anything is stopped, and what does not concern libvirt is not.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/sources.h"
#include "source/left.h"

static void leave(unsigned count)
{
	while (gm_left_count() > 0)
		gm_left_end();
	gm_left_add(count);
}

static void too_many_left_behind_hold_libvirt_back(void **state)
{
	(void)state;
	struct gm_sources sources = {.sink = NULL};
	struct gm_config *before, *after;
	struct gm_error err = {.text = ""};
	int some;
	assert_int_equal(gm_config_create(&before), 0);
	assert_int_equal(gm_config_create(&after), 0);
	before->libvirt.enabled = after->libvirt.enabled = true;
	sources.runners[GM_SOURCE_LIBVIRT] = (struct gm_runner *)&some; /* nobody looks into it */
	after->libvirt.interval *= 2;
	leave(16);
	assert_int_equal(gm_sources_may_change(&sources, before, after, &err), 0);
	leave(17);
	assert_int_equal(gm_sources_may_change(&sources, before, after, &err), -EBUSY);
	assert_non_null(strstr(err.text, "earlier connections still wait for libvirtd"));
	assert_non_null(strstr(err.text, "17"));
	after->libvirt.interval = before->libvirt.interval;
	after->host.interval *= 2;
	assert_int_equal(gm_sources_may_change(&sources, before, after, &err), 0);
	after->libvirt.enabled = false;
	assert_int_equal(gm_sources_may_change(&sources, before, after, &err), -EBUSY);
	leave(0);
	assert_int_equal(gm_sources_may_change(&sources, before, after, &err), 0);
	gm_config_free(before);
	gm_config_free(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_many_left_behind_hold_libvirt_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Input for the self-test of the style checks: nothing is wrong here. */
#include <jansson.h>
#include <string.h>

#include "base/a.h"

/* strcpy( in a comment, and below in a text, is no call; nor is a member of that name. */
struct gm_ops {
	int (*select)(int value);
};

static const char *const names[] = {"strcpy(", "atoi("};

int gm_a(int value)
{
	const struct gm_ops ops = {.select = gm_a};

	return value > 0 ? ops.select(value - 1) : (int)strlen(names[0]);
}

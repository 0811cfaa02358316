/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of threshold rows; see threshold.h. Snapshots are sorted by it.
 */
#include "model/threshold.h"

#include <string.h>

int gm_threshold_compare(const char *a, const char *b)
{
	size_t a_length = strlen(a), b_length = strlen(b);

	if (a_length != b_length)
		return a_length < b_length ? -1 : 1;
	return memcmp(a, b, a_length);
}

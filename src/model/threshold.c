/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of threshold rows, and their order; see threshold.h. Snapshots are sorted by it.
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

bool gm_threshold_is_name(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";
	size_t length = strspn(name, letters);

	return length > 0 && length < GM_RULE_NAME && name[length] == '\0';
}

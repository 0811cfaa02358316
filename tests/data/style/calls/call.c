/* SPDX-License-Identifier: Apache-2.0 */
/* Input for the self-test of the style checks: banned calls. */
#include <stdlib.h>

int gm_number(const char *text)
{
	return atoi(text);
}

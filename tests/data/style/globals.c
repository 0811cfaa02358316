/* SPDX-License-Identifier: Apache-2.0 */
/* Input for the self-test of the style checks: mutable variables of the file and of a function. */
int gm_count(void);

static const int limit = 5;
static const char *names[] = {"not", "const"};

int gm_count(void)
{
	static int calls;

	names[0] = names[1];
	return ++calls < limit;
}

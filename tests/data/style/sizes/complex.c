/* SPDX-License-Identifier: Apache-2.0 */
/* Input for the self-test of the style checks: a function of complexity 16. */
int gm_many(int value)
{
	switch (value) {
	case 1:
		return 3;
	case 2:
		return 6;
	case 3:
		return 2;
	case 4:
		return 5;
	case 5:
		return 1;
	case 6:
		return 4;
	case 7:
		return 0;
	case 8:
		return 3;
	case 9:
		return 6;
	case 10:
		return 2;
	case 11:
		return 5;
	case 12:
		return 1;
	case 13:
		return 4;
	case 14:
		return 0;
	case 15:
		return 3;
	}
	return 0;
}

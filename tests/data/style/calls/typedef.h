/* SPDX-License-Identifier: Apache-2.0 */
/* Input for the self-test of the style checks: a struct hidden behind a typedef. */
typedef struct gm_x {
	int member;
} gm_x_t;

/* SPDX-License-Identifier: Apache-2.0 */
/* Input for the self-test of the style checks: nothing is wrong here. */
int gm_b(void);

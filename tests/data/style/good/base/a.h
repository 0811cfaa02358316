/* SPDX-License-Identifier: Apache-2.0 */
/* Input for the self-test of the style checks: nothing is wrong here. */
#ifndef GM_BASE_A_H
#define GM_BASE_A_H

int gm_a(int value);

#endif

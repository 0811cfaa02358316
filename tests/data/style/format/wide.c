/* SPDX-License-Identifier: Apache-2.0 */
/* Input for the self-test of the style checks: not as clang-format lays it out. */
int   gm_wide ( void ) ;

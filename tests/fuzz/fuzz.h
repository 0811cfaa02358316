/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every file here defines and libFuzzer (or replay.c) calls: one input, any bytes. Returns 0.
 */
#ifndef GM_TEST_FUZZ_H
#define GM_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif

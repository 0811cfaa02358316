/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FNV-1a with 64 bits (RFC 9923): tells things apart that nobody chose so that they are alike. Pure. A chain
 * of pieces hashes as one piece of all of them would.
 */
#ifndef GM_BASE_HASH_H
#define GM_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define GM_HASH_FIRST UINT64_C(14695981039346656037) /* of nothing */

/* Of what `hash` is of, with `size` octets behind it. */
uint64_t gm_hash(uint64_t hash, const void *data, size_t size);

#endif

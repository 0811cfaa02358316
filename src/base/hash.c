/* SPDX-License-Identifier: Apache-2.0 */
/* FNV-1a; see hash.h. Called by whoever compares or names by a digest. */
#include "base/hash.h"

uint64_t gm_hash(uint64_t hash, const void *data, size_t size)
{
	const uint8_t *octets = data;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ octets[i]) * UINT64_C(1099511628211);
	return hash;
}

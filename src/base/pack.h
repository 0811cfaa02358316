/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes made smaller and back (zlib, RFC 1950), a thin face over the library, which no other folder
 * includes. Pure.
 */
#ifndef GM_BASE_PACK_H
#define GM_BASE_PACK_H

#include <stddef.h>

#include "base/buffer.h"

/* Appends `size` bytes, packed. 0; -ENOMEM: no memory, or `out` is full (then it has failed). */
int gm_pack(const void *bytes, size_t size, struct gm_buffer *out);

/*
 * Appends what was packed: all of `bytes` has to be one whole packed piece. -EINVAL: it is not, or is damaged;
 * -EFBIG: it would not fit into `out`, however little was packed; -ENOMEM.
 */
int gm_unpack(const void *bytes, size_t size, struct gm_buffer *out);

#endif

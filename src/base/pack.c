/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zlib over bounded buffers; see pack.h.
 */
#include "base/pack.h"

#include <errno.h>
#include <zlib.h>

enum { PIECE = 16384 };

int gm_pack(const void *bytes, size_t size, struct gm_buffer *out)
{
	Bytef piece[PIECE];
	z_stream stream = {.next_in = (Bytef *)bytes, .avail_in = (uInt)size};
	int result;

	/* The fastest: what learned state saves is runs of zeros, which every level finds. */
	if (deflateInit(&stream, Z_BEST_SPEED) != Z_OK)
		return -ENOMEM;
	do {
		stream.next_out = piece;
		stream.avail_out = PIECE;
		result = deflate(&stream, Z_FINISH);
		gm_buffer_append(out, piece, PIECE - stream.avail_out);
	} while (result == Z_OK && !out->failed);
	deflateEnd(&stream);
	return result == Z_STREAM_END && !out->failed ? 0 : -ENOMEM;
}

int gm_unpack(const void *bytes, size_t size, struct gm_buffer *out)
{
	Bytef piece[PIECE];
	z_stream stream = {.next_in = (Bytef *)bytes, .avail_in = (uInt)size};
	int result, code = 0;

	if (inflateInit(&stream) != Z_OK)
		return -ENOMEM;
	do {
		stream.next_out = piece;
		stream.avail_out = PIECE;
		result = inflate(&stream, Z_NO_FLUSH);
		size_t length = PIECE - stream.avail_out;
		if (length > out->max - out->length)
			code = -EFBIG;
		else
			gm_buffer_append(out, piece, length);
	} while (result == Z_OK && code == 0 && !out->failed);
	if (code == 0 && out->failed)
		code = -ENOMEM;
	if (code == 0 && (result != Z_STREAM_END || stream.avail_in > 0))
		code = result == Z_MEM_ERROR ? -ENOMEM : -EINVAL;
	inflateEnd(&stream);
	return code;
}

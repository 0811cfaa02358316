/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer with a ceiling; see buffer.h.
 */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for `extra` bytes and a NUL; sets `failed` where there is none. */
static bool reserve(struct gm_buffer *buffer, size_t extra)
{
	if (buffer->failed || buffer->max == SIZE_MAX || extra > buffer->max - buffer->length) {
		buffer->failed = true;
		return false;
	}
	size_t needed = buffer->length + extra + 1;
	if (needed <= buffer->capacity)
		return true;
	size_t capacity = buffer->capacity ? buffer->capacity * 2 : 256;
	if (capacity < needed)
		capacity = needed;
	if (capacity > buffer->max + 1)
		capacity = buffer->max + 1;
	char *data = realloc(buffer->data, capacity);
	if (!data) {
		buffer->failed = true;
		return false;
	}
	buffer->data = data;
	buffer->capacity = capacity;
	return true;
}

void gm_buffer_append(struct gm_buffer *buffer, const void *data, size_t length)
{
	if (!reserve(buffer, length))
		return;
	if (length > 0)
		memcpy(buffer->data + buffer->length, data, length);
	buffer->length += length;
	buffer->data[buffer->length] = '\0';
}

void gm_buffer_printf(struct gm_buffer *buffer, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	va_list again;
	va_copy(again, args);
	int length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0) {
		buffer->failed = true;
	} else if (reserve(buffer, (size_t)length)) {
		vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, again);
		buffer->length += (size_t)length;
	}
	va_end(again);
}

void gm_buffer_consume(struct gm_buffer *buffer, size_t length)
{
	if (!buffer->data)
		return;
	if (length > buffer->length)
		length = buffer->length;
	memmove(buffer->data, buffer->data + length, buffer->length - length + 1);
	buffer->length -= length;
}

void gm_buffer_free(struct gm_buffer *buffer)
{
	if (!buffer)
		return;
	free(buffer->data);
	*buffer = GM_BUFFER_INIT(buffer->max);
}

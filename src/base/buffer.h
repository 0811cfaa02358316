/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer with a ceiling. Writing past the ceiling (or out of memory) sets `failed`
 * and drops that write and all later ones: the caller checks once, at the end. One thread.
 */
#ifndef GM_BASE_BUFFER_H
#define GM_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct gm_buffer {
	char *data; /* terminated by a NUL that `length` does not count; NULL while empty */
	size_t length;
	size_t capacity;
	size_t max; /* less than SIZE_MAX: a ceiling that means something */
	bool failed;
};

#define GM_BUFFER_INIT(max_bytes) ((struct gm_buffer){.max = (max_bytes)})

void gm_buffer_append(struct gm_buffer *buffer, const void *data, size_t length);
void gm_buffer_printf(struct gm_buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Removes the first `length` bytes (all of them when there are fewer). */
void gm_buffer_consume(struct gm_buffer *buffer, size_t length);

/* Frees the data and makes the buffer empty and usable again. NULL-safe. */
void gm_buffer_free(struct gm_buffer *buffer);

#endif

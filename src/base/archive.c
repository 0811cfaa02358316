/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members to bytes and back; see archive.h. Knows no struct of ours. Called by whoever keeps what was
 * learned over a restart.
 */
#include "base/archive.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

struct gm_archive gm_archive_writer(struct gm_buffer *out)
{
	return (struct gm_archive){.out = out};
}

struct gm_archive gm_archive_reader(const void *bytes, size_t size)
{
	return (struct gm_archive){.in = bytes, .left = size};
}

/* `size` bytes of the input, or NULL and a failed archive. */
static const uint8_t *take(struct gm_archive *archive, size_t size)
{
	if (archive->failed || archive->left < size) {
		archive->failed = true;
		return NULL;
	}
	const uint8_t *at = archive->in;
	archive->in += size;
	archive->left -= size;
	return at;
}

static void put_u64(struct gm_archive *archive, uint64_t value, size_t size)
{
	uint8_t bytes[sizeof(value)];
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
	gm_buffer_append(archive->out, bytes, size);
}

/* An unsigned of `size` bytes, either way; whoever calls checks what was read. False: keep the old. */
static bool exchange(struct gm_archive *archive, uint64_t *value, size_t size)
{
	if (archive->out) {
		put_u64(archive, *value, size);
		return false;
	}
	const uint8_t *bytes = take(archive, size);
	if (!bytes)
		return false;
	uint64_t read = 0;
	for (size_t i = 0; i < size; i++)
		read |= (uint64_t)bytes[i] << 8 * i;
	*value = read;
	return true;
}

/* As exchange(), of 0 to `max`. */
static bool exchange_up_to(struct gm_archive *archive, uint64_t *value, size_t size, uint64_t max)
{
	if (!exchange(archive, value, size))
		return false;
	archive->failed |= *value > max;
	return !archive->failed;
}

void gm_archive_tag(struct gm_archive *archive, const char *tag)
{
	size_t length = strlen(tag) + 1;
	if (archive->out) {
		gm_buffer_append(archive->out, tag, length);
		return;
	}
	const uint8_t *bytes = take(archive, length);
	if (bytes && memcmp(bytes, tag, length) != 0)
		archive->failed = true;
}

bool gm_archive_is_next(const struct gm_archive *archive, const char *tag)
{
	size_t length = strlen(tag) + 1;
	return !archive->out && !archive->failed && archive->left >= length &&
	       memcmp(archive->in, tag, length) == 0;
}

void gm_archive_bool(struct gm_archive *archive, bool *value)
{
	uint64_t wide = *value;
	if (exchange_up_to(archive, &wide, 1, 1))
		*value = wide;
}

void gm_archive_int(struct gm_archive *archive, int64_t *value, int64_t min, int64_t max)
{
	uint64_t wide = (uint64_t)*value;
	if (!exchange(archive, &wide, sizeof(wide)))
		return;
	int64_t read;
	memcpy(&read, &wide, sizeof(read));
	if (read < min || read > max)
		archive->failed = true;
	else
		*value = read;
}

void gm_archive_counter(struct gm_archive *archive, uint64_t *value)
{
	exchange(archive, value, sizeof(*value));
}

void gm_archive_size(struct gm_archive *archive, size_t *value, size_t max)
{
	uint64_t wide = *value;
	if (exchange_up_to(archive, &wide, sizeof(wide), max))
		*value = (size_t)wide;
}

void gm_archive_u32(struct gm_archive *archive, uint32_t *value, uint32_t max)
{
	uint64_t wide = *value;
	if (exchange_up_to(archive, &wide, sizeof(*value), max))
		*value = (uint32_t)wide;
}

void gm_archive_u16(struct gm_archive *archive, uint16_t *value, uint16_t max)
{
	uint64_t wide = *value;
	if (exchange_up_to(archive, &wide, sizeof(*value), max))
		*value = (uint16_t)wide;
}

void gm_archive_any_number(struct gm_archive *archive, double *value)
{
	uint64_t bits;
	memcpy(&bits, value, sizeof(bits));
	if (exchange(archive, &bits, sizeof(bits)))
		memcpy(value, &bits, sizeof(bits));
}

void gm_archive_number(struct gm_archive *archive, double *value)
{
	double read = *value;
	gm_archive_any_number(archive, &read);
	if (!isfinite(read))
		archive->failed = true;
	else if (!archive->failed)
		*value = read;
}

void gm_archive_float(struct gm_archive *archive, float *value)
{
	uint32_t bits;
	memcpy(&bits, value, sizeof(bits));
	uint64_t wide = bits;
	float read = *value;
	if (exchange(archive, &wide, sizeof(bits))) {
		bits = (uint32_t)wide;
		memcpy(&read, &bits, sizeof(read));
	}
	if (!isfinite(read))
		archive->failed = true;
	else
		*value = read;
}

void gm_archive_numbers(struct gm_archive *archive, double *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		gm_archive_number(archive, &values[i]);
}

void gm_archive_text(struct gm_archive *archive, char *text, size_t size)
{
	if (archive->out) {
		size_t length = strnlen(text, size - 1);
		put_u64(archive, length, 4);
		gm_buffer_append(archive->out, text, length);
		return;
	}
	uint64_t length = 0;
	if (!exchange(archive, &length, 4))
		return;
	const uint8_t *bytes = length < size ? take(archive, (size_t)length) : NULL;
	if (!bytes || memchr(bytes, '\0', (size_t)length)) {
		archive->failed = true;
		return;
	}
	memcpy(text, bytes, (size_t)length);
	text[length] = '\0';
	if (gm_text_is_utf8(text))
		return;
	text[0] = '\0';
	archive->failed = true;
}

bool gm_archive_done(const struct gm_archive *archive)
{
	if (archive->out)
		return !archive->failed && !archive->out->failed;
	return !archive->failed && archive->left == 0;
}

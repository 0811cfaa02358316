/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was learned, as bytes and back. One function per struct names its members once and serves both
 * ways, so that saving and restoring cannot drift apart:
 *
 *   static void exchange(struct gm_archive *archive, struct trend *trend)
 *   {
 *           gm_archive_number(archive, &trend->slope);
 *           gm_archive_size(archive, &trend->count, TREND_MAX);
 *   }
 *
 * Bytes that are read back may be cut, changed or somebody else's: every member has its limits, and the
 * first that breaks them fails the archive; members after that are left as they are. Whoever restores
 * does so into a fresh struct, asks once at the end and throws the struct away on failure. Numbers are
 * little-endian. One thread.
 */
#ifndef GM_BASE_ARCHIVE_H
#define GM_BASE_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

struct gm_archive {
	struct gm_buffer *out; /* writing; NULL: reading */
	const uint8_t *in;
	size_t left;
	bool failed;
};

struct gm_archive gm_archive_writer(struct gm_buffer *out);
struct gm_archive gm_archive_reader(const void *bytes, size_t size);

/* Fails unless the bytes read are just this tag: a struct's name and version, "leak 3". */
void gm_archive_tag(struct gm_archive *archive, const char *tag);
/* Reading: whether that tag comes next, an older layout's for instance; nothing is taken. Writing: false. */
bool gm_archive_is_next(const struct gm_archive *archive, const char *tag);

void gm_archive_bool(struct gm_archive *archive, bool *value);
void gm_archive_int(struct gm_archive *archive, int64_t *value, int64_t min, int64_t max);
void gm_archive_counter(struct gm_archive *archive, uint64_t *value);
void gm_archive_size(struct gm_archive *archive, size_t *value, size_t max);
void gm_archive_u32(struct gm_archive *archive, uint32_t *value, uint32_t max);
void gm_archive_u16(struct gm_archive *archive, uint16_t *value, uint16_t max);
void gm_archive_number(struct gm_archive *archive, double *value);     /* finite */
void gm_archive_any_number(struct gm_archive *archive, double *value); /* NaN and infinities, too */
void gm_archive_float(struct gm_archive *archive, float *value);       /* finite */
void gm_archive_numbers(struct gm_archive *archive, double *values, size_t count); /* finite */

/* UTF-8 of at most size - 1 bytes into an array of `size`. */
void gm_archive_text(struct gm_archive *archive, char *text, size_t size);

/* False when anything failed, or when reading left bytes over. */
bool gm_archive_done(const struct gm_archive *archive);

#endif

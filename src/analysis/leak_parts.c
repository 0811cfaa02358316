/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of processes of the leak detector. See leak_parts.h.
 */
#include "analysis/leak_parts.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

/* A process that was not told of for so long has ended. */
#define STALE (600 * GM_SECOND)

/* The least part of the whole's slope that explains something, and the most that are named. */
#define PART_LEAST 0.3
enum { NAMED_MAX = 3 };

/* What must be known of a process: this part of the time since the whole's onset. */
#define KNOWN_LEAST 0.3

#define BYTES_MAX 1e18f
#define TIME_MAX  (INT64_MAX / 4)

/* Together they reach back 64 hours. */
static const int64_t widths[GM_LEAK_PART_SCALES] = {
	4 * GM_SECOND,
	60 * GM_SECOND,
	1200 * GM_SECOND,
	14400 * GM_SECOND,
};

static void start(struct gm_leak_part *part, const char *name, int64_t time)
{
	memset(part, 0, sizeof(*part));
	gm_text_copy(part->name, sizeof(part->name), name);
	part->first = time;
	for (size_t i = 0; i < GM_LEAK_PART_SCALES; i++) {
		part->number[i] = time / widths[i] - 1;
		for (size_t j = 0; j < GM_LEAK_PART_BINS; j++)
			part->values[i][j] = NAN;
	}
}

/* The place of `name`; for a new one a free place, an ended one's, or that of a smaller one. */
static struct gm_leak_part *place_for(struct gm_leak_parts *parts, const char *name, int64_t time,
				      float value)
{
	struct gm_leak_part *smallest = NULL;

	for (size_t i = 0; i < parts->count; i++) {
		struct gm_leak_part *part = &parts->parts[i];

		if (strncmp(part->name, name, sizeof(part->name)) == 0)
			return part;
		if (time - part->time > STALE)
			part->value = 0;
		if (!smallest || part->value < smallest->value)
			smallest = part;
	}
	if (parts->count < GM_LEAK_PARTS)
		smallest = &parts->parts[parts->count++];
	else if (!(smallest->value < value))
		return NULL;
	parts->blamed &= ~(1U << (smallest - parts->parts));
	start(smallest, name, time);
	return smallest;
}

static void put(struct gm_leak_part *part, size_t scale, int64_t number, float value)
{
	float *values = part->values[scale];

	if (number <= part->number[scale])
		return;
	if (number - part->number[scale] > GM_LEAK_PART_BINS)
		part->number[scale] = number - GM_LEAK_PART_BINS;
	while (++part->number[scale] < number)
		values[part->number[scale] % GM_LEAK_PART_BINS] = NAN;
	values[number % GM_LEAK_PART_BINS] = value;
}

void gm_leak_parts_add(struct gm_leak_parts *parts, const char *name, int64_t time, double bytes)
{
	struct gm_leak_part *part;

	if (!(bytes >= 0 && bytes < (double)BYTES_MAX) || time <= 0 || time >= TIME_MAX)
		return;
	part = place_for(parts, name, time, (float)bytes);
	if (!part || time < part->time)
		return;
	part->time = time;
	part->value = (float)bytes;
	for (size_t i = 0; i < GM_LEAK_PART_SCALES; i++)
		put(part, i, time / widths[i], part->value);
}

/* The earliest value at `from` or after it that is still known, from the finest scale that reaches. */
static bool value_from(const struct gm_leak_part *part, int64_t from, int64_t *ret_time,
		       float *ret_value)
{
	for (size_t i = 0; i < GM_LEAK_PART_SCALES; i++) {
		int64_t oldest = part->number[i] - GM_LEAK_PART_BINS + 1;
		int64_t number = (from + widths[i] - 1) / widths[i];

		if (number < oldest && i + 1 < GM_LEAK_PART_SCALES)
			continue;
		for (number = number > oldest ? number : oldest; number <= part->number[i];
		     number++) {
			float value =
				number >= 0 ? part->values[i][number % GM_LEAK_PART_BINS] : NAN;

			if (isnan(value))
				continue;
			*ret_time = number * widths[i];
			*ret_value = value;
			return true;
		}
	}
	return false;
}

/* Bytes per second since `onset`, or since it is known; 0 when that is too short. */
static double slope_since(const struct gm_leak_part *part, int64_t onset, int64_t now)
{
	int64_t from;
	float value;

	if (now - part->time > STALE || !value_from(part, onset, &from, &value))
		return 0;
	if (from < part->first)
		from = part->first;
	if (part->time <= from || (double)(part->time - from) < KNOWN_LEAST * (double)(now - onset))
		return 0;
	return (double)(part->value - value) * (double)GM_SECOND / (double)(part->time - from);
}

/* A name within a list: nothing in it that ends an item or a line. */
static void append(char *text, size_t size, const char *name)
{
	size_t length = strlen(text), needed = strlen(name) + (length > 0);

	if (length + needed >= size)
		return;
	if (length > 0)
		text[length++] = ',';
	for (; *name; name++)
		text[length++] =
			*name == ',' || (unsigned char)*name < ' ' || *name == 0x7f ? '_' : *name;
	text[length] = '\0';
}

void gm_leak_parts_blame(struct gm_leak_parts *parts, int64_t onset, int64_t now, double slope,
			 char *text, size_t size)
{
	double slopes[GM_LEAK_PARTS];

	text[0] = '\0';
	parts->blamed = 0;
	for (size_t i = 0; i < parts->count; i++)
		slopes[i] = slope_since(&parts->parts[i], onset, now);
	for (size_t named = 0; named < NAMED_MAX; named++) {
		size_t steepest = parts->count;

		for (size_t i = 0; i < parts->count; i++) {
			if (slopes[i] >= PART_LEAST * slope && !(parts->blamed & 1U << i) &&
			    (steepest == parts->count || slopes[i] > slopes[steepest]))
				steepest = i;
		}
		if (steepest == parts->count)
			return;
		parts->blamed |= 1U << steepest;
		append(text, size, parts->parts[steepest].name);
	}
}

bool gm_leak_parts_blames(const struct gm_leak_parts *parts, const char *name)
{
	for (size_t i = 0; i < parts->count; i++) {
		if (strncmp(parts->parts[i].name, name, sizeof(parts->parts[i].name)) == 0)
			return parts->blamed & 1U << i;
	}
	return false;
}

static void exchange_value(struct gm_archive *archive, float *value)
{
	bool known = !isnan(*value);

	gm_archive_bool(archive, &known);
	if (known && isnan(*value))
		*value = 0; /* about to be read */
	if (known)
		gm_archive_float(archive, value);
	else
		*value = NAN;
	if (!isnan(*value) && !(*value >= 0 && *value < BYTES_MAX))
		archive->failed = true;
}

static void exchange_part(struct gm_archive *archive, struct gm_leak_part *part)
{
	gm_archive_text(archive, part->name, sizeof(part->name));
	gm_archive_int(archive, &part->first, 0, TIME_MAX);
	gm_archive_int(archive, &part->time, 0, TIME_MAX);
	exchange_value(archive, &part->value);
	for (size_t i = 0; i < GM_LEAK_PART_SCALES; i++) {
		gm_archive_int(archive, &part->number[i], -1, TIME_MAX / widths[i]);
		for (size_t j = 0; j < GM_LEAK_PART_BINS && !archive->failed; j++)
			exchange_value(archive, &part->values[i][j]);
	}
}

void gm_leak_parts_exchange(struct gm_archive *archive, struct gm_leak_parts *parts)
{
	size_t count = parts->count;

	gm_archive_size(archive, &count, GM_LEAK_PARTS);
	gm_archive_u32(archive, &parts->blamed, (1U << GM_LEAK_PARTS) - 1);
	for (size_t i = 0; i < count && !archive->failed; i++)
		exchange_part(archive, &parts->parts[i]);
	if (!archive->failed)
		parts->count = count;
}

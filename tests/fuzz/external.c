/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of the findings' stream for the validation (analysis/external.h): lines of NAME=VALUE, with any
 * bytes in them. What is accepted has to be within its bounds, what is refused has to say why in a line of
 * UTF-8.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/external.h"
#include "base/clock.h"
#include "base/text.h"
#include "fuzz.h"
#include "model/metric.h"

#define NOW (1700000000 * GM_SECOND)

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool knows(void *user, const struct gm_entity_key *key)
{
	(void)user;
	return key->kind != GM_ENTITY_DISK;
}

static void emit(void *user, const struct gm_finding *finding)
{
	char text[GM_KEY_TEXT];
	struct gm_entity_key again;

	(void)user;
	require(finding->detector[0] != '\0' && gm_text_is_utf8(finding->detector));
	require(gm_metric_find(finding->metric) != GM_METRIC_NONE);
	require(finding->time > 0 && finding->time <= NOW);
	require(finding->severity >= GM_SEVERITY_INDETERMINATE &&
		finding->severity <= GM_SEVERITY_WARNING);
	require(gm_entity_parse(gm_entity_text(&finding->key, text), &again) == 0);
	require(gm_entity_equal(&finding->key, &again));
	require(gm_text_is_utf8(finding->evidence.contributors));
	for (int id = 0; id < GM_EVIDENCE_COUNT; id++)
		require(!gm_evidence_has(&finding->evidence, (enum gm_evidence_id)id) ||
			isfinite(finding->evidence.number[id]));
}

/* The fields of an entry as they stand in the bytes, which outlive it. */
static struct gm_entry entry_of(const uint8_t *data, size_t size)
{
	struct gm_entry entry = {.ms = NOW / GM_MILLISECOND};
	const char *at = (const char *)data, *end = at + size;

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t length = (size_t)((stop ? stop : end) - at);
		const char *equals = memchr(at, '=', length);
		size_t name = equals ? (size_t)(equals - at) : length;
		size_t value = equals ? length - name - 1 : 0;

		if (entry.count < GM_ENTRY_FIELDS)
			entry.fields[entry.count] =
				(struct gm_entry_field){at, equals ? equals + 1 : "", name, value};
		entry.count++;
		at += length + 1;
	}
	return entry;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gm_external_options options;
	struct gm_external_host host = {.knows = knows, .emit = emit};
	struct gm_external *external;
	struct gm_error err;
	struct gm_entry entry = entry_of(data, size);

	gm_option_defaults(gm_external_option_table, &options);
	if (gm_external_create(&options, &host, &external) < 0)
		return 0;
	for (int i = 0; i < 2; i++) {
		if (gm_external_take(external, &entry, NOW, &err) < 0) {
			require(err.text[0] != '\0' && gm_text_is_utf8(err.text));
			require(!strpbrk(err.text, "\r\n\x1b"));
		}
	}
	gm_external_expire(external, NOW);
	gm_external_free(external);
	return 0;
}

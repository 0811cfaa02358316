/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of analysers outside the daemon: which become findings and which are refused, and why; the
 * rate, the order, what silence does, and what a restart finds again.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/external.h"
#include "base/clock.h"
#include "base/text.h"

#define NOW  (1700000000 * GM_SECOND)
#define UUID "11111111-2222-3333-4444-555555555555"

struct rig {
	struct gm_external *external;
	struct gm_finding last;
	unsigned emitted;
};

static bool knows(void *user, const struct gm_entity_key *key)
{
	char text[GM_KEY_TEXT];

	(void)user;
	gm_entity_text(key, text);
	return strcmp(text, "guest:" UUID) == 0 || strncmp(text, "if:tap", 6) == 0;
}

static void emit(void *user, const struct gm_finding *finding)
{
	struct rig *rig = user;

	rig->last = *finding;
	rig->emitted++;
}

static void open_rig(struct rig *rig, const char *key, const char *value)
{
	struct gm_external_options options;
	struct gm_external_host host = {knows, emit, rig};
	struct gm_error err;

	*rig = (struct rig){0};
	gm_option_defaults(gm_external_option_table, &options);
	if (key)
		assert_int_equal(
			gm_option_set(gm_external_option_table, &options, key, value, &err), 0);
	assert_int_equal(gm_external_create(&options, &host, &rig->external), 0);
}

/* An entry of "name=value" strings, NULL at the end. */
static struct gm_entry entry_of(const char *const *fields)
{
	struct gm_entry entry = {.ms = NOW / GM_MILLISECOND, .sequence = 7};

	for (; *fields; fields++) {
		const char *equals = strchr(*fields, '=');
		struct gm_entry_field *field = &entry.fields[entry.count++];

		field->name = *fields;
		field->name_length = (size_t)(equals - *fields);
		field->value = equals + 1;
		field->value_length = strlen(equals + 1);
	}
	return entry;
}

#define GOOD "entity=guest:" UUID, "detector=forest", "metric=memory.used", "state=active"

static int take(struct rig *rig, int64_t now, struct gm_error *err, const char *const *fields)
{
	struct gm_entry entry = entry_of(fields);

	return gm_external_take(rig->external, &entry, now, err);
}
#define TAKE(rig, now, err, ...) take(rig, now, err, (const char *const[]){__VA_ARGS__, NULL})

static void test_becomes_a_finding(void **state)
{
	struct rig rig;
	struct gm_error err;
	struct gm_external_status status;
	uint64_t ms, sequence;
	struct gm_alarm alarm = {0};

	(void)state;
	open_rig(&rig, NULL, NULL);
	assert_int_equal(TAKE(&rig, NOW, &err, GOOD, "severity=major", "slope_bytes_per_s=1e6",
			      "confidence=0.75", "contributors=memory.used,cpu.time"),
			 0);
	assert_int_equal(rig.emitted, 1);
	assert_true(rig.last.active);
	assert_string_equal(rig.last.detector, "forest");
	assert_string_equal(rig.last.metric, "memory.used");
	assert_int_equal(rig.last.severity, GM_SEVERITY_MAJOR);
	assert_int_equal(rig.last.cause, GM_CAUSE_RESOURCE_NEARING_CAPACITY);
	assert_int_equal(rig.last.event_type, GM_EVENT_QUALITY_OF_SERVICE);
	assert_int_equal(rig.last.time, NOW);
	assert_true(rig.last.evidence.number[GM_EVIDENCE_SLOPE] == 1e6);
	assert_true(rig.last.evidence.number[GM_EVIDENCE_CONFIDENCE] == 0.75);
	assert_false(gm_evidence_has(&rig.last.evidence, GM_EVIDENCE_PEAK));
	assert_string_equal(rig.last.evidence.contributors, "memory.used,cpu.time");
	assert_string_equal(rig.last.evidence.origin, "external 1700000000000-7");
	assert_string_equal(rig.last.evidence.unit, ""); /* of nothing that is there */
	alarm.evidence = rig.last.evidence;
	assert_true(gm_external_origin(&alarm, &ms, &sequence));
	assert_true(ms == NOW / GM_MILLISECOND && sequence == 7);

	assert_int_equal(TAKE(&rig, NOW + 1, &err, "entity=if:tap0", "detector=c", "state=active",
			      "metric=net.rx.bytes", "direction=rx", "time=1699999999.5",
			      "value=5"),
			 0);
	assert_string_equal(rig.last.evidence.unit, "B/s");
	assert_int_equal(rig.last.time, NOW - GM_SECOND / 2);
	assert_int_equal(rig.last.severity, GM_SEVERITY_WARNING);
	assert_int_equal(rig.last.cause, GM_CAUSE_CONGESTION);
	gm_external_status(rig.external, &status);
	assert_int_equal(status.accepted, 2);
	assert_int_equal(status.active, 2);
	gm_external_free(rig.external);
}

static const struct refusal {
	int code;
	const char *word;
	const char *fields[8];
} refusals[] = {
	{-EINVAL, "entity is missing", {"detector=f", "metric=memory.used", "state=ok"}},
	{-EINVAL, "detector is missing", {"entity=node", "metric=memory.used", "state=ok"}},
	{-EINVAL, "metric is missing", {"entity=node", "detector=f", "state=ok"}},
	{-EINVAL, "state is missing", {"entity=node", "detector=f", "metric=memory.used"}},
	{-EINVAL, "entity", {"entity=guest:1", "detector=f", "metric=memory.used", "state=ok"}},
	{-EINVAL, "entity: \"node \"", {"entity=node "}},
	{-EINVAL,
	 "no metric disk.capacity",
	 {"entity=node", "detector=f", "metric=disk.capacity", "state=ok"}},
	{-EINVAL, "unknown field \"slope\"", {GOOD, "slope=1"}},
	{-EINVAL, "unknown field \"\"", {GOOD, "=1"}},
	{-EINVAL, "unknown field \"a\\nb\"", {GOOD, "a\nb=1"}},
	{-EINVAL, "state is given twice", {GOOD, "state=ok"}},
	{-EINVAL, "detector", {"detector=Forest"}},
	{-EINVAL, "detector", {"detector="}},
	{-EINVAL, "detector", {"detector=sixteen-letters-"}},
	{-EINVAL, "metric", {"metric=memory.useless"}},
	{-EINVAL, "state: \"raise\"", {"state=raise"}},
	{-EINVAL, "severity: \"cleared\"", {"severity=cleared"}},
	{-EINVAL, "time: \"soon\"", {"time=soon"}},
	{-EINVAL, "time", {"time=-5"}},
	{-EINVAL, "ttl", {"ttl=0.5"}},
	{-EINVAL, "ttl", {"ttl=86401"}},
	{-EINVAL, "ttl", {"ttl=nan"}},
	{-EINVAL, "direction", {"direction=up"}},
	{-EINVAL, "contributors", {"contributors="}},
	{-EINVAL, "contributors", {"contributors=cpu.time,"}},
	{-EINVAL, "contributors", {"contributors=cpu.time,who"}},
	{-EINVAL, "confidence: \"inf\"", {"confidence=inf"}},
	{-EINVAL, "confidence", {"confidence=1e999"}},
	{-EINVAL, "confidence", {"confidence=0x10"}},
	{-EINVAL, "confidence", {"confidence=1 "}},
	{-EINVAL, "confidence", {"confidence="}},
	{-EINVAL, "confidence is no UTF-8", {"confidence=\xff"}},
	{-ENOENT,
	 "no such entity",
	 {"entity=node", "detector=f", "metric=memory.used", "state=ok"}},
	{-EPERM,
	 "self is a detector of the daemon",
	 {"entity=node", "detector=self", "metric=memory.used", "state=ok"}},
	{-EPERM,
	 "leak is a detector of the daemon",
	 {"entity=guest:" UUID, "detector=leak", "metric=memory.used", "state=active"}},
	{-ERANGE, "ahead", {GOOD, "time=1700000011"}},
	{-ERANGE, "back", {GOOD, "time=1699999399"}},
};

static void test_refusals(void **state)
{
	struct rig rig;
	struct gm_external_status status;

	(void)state;
	open_rig(&rig, NULL, NULL);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct gm_error err;
		int rc = take(&rig, NOW, &err, refusals[i].fields);

		if (rc != refusals[i].code || !strstr(err.text, refusals[i].word))
			fail_msg("refusal %zu: %d, %s", i, rc, rc < 0 ? err.text : "taken");
		assert_true(gm_text_is_utf8(err.text));
		assert_null(strpbrk(err.text, "\r\n\x1b"));
	}
	assert_int_equal(rig.emitted, 0);
	gm_external_status(rig.external, &status);
	assert_int_equal(status.rejected, sizeof(refusals) / sizeof(refusals[0]));
	assert_int_equal(status.accepted, 0);
	gm_external_free(rig.external);
}

static void test_sizes(void **state)
{
	struct rig rig;
	struct gm_error err;
	char value[300];
	struct gm_entry entry = entry_of((const char *const[]){GOOD, "confidence=0.5", NULL});

	(void)state;
	open_rig(&rig, NULL, NULL);
	entry.count = GM_ENTRY_FIELDS + 1;
	assert_int_equal(gm_external_take(rig.external, &entry, NOW, &err), -EINVAL);
	assert_non_null(strstr(err.text, "33 fields"));
	entry.count = 5;
	memset(value, '0', sizeof(value));
	entry.fields[4].value = value;
	entry.fields[4].value_length = 256;
	assert_int_equal(gm_external_take(rig.external, &entry, NOW, &err), -EINVAL);
	entry.fields[4].value_length = 255;
	assert_int_equal(gm_external_take(rig.external, &entry, NOW, &err), 0);
	entry.fields[4].value = "1\0002";
	entry.fields[4].value_length = 3;
	assert_int_equal(gm_external_take(rig.external, &entry, NOW, &err), -EINVAL);
	entry.fields[4].name = value;
	entry.fields[4].name_length = sizeof(value);
	assert_int_equal(gm_external_take(rig.external, &entry, NOW, &err), -EINVAL);
	entry = (struct gm_entry){.ms = 1};
	assert_int_equal(gm_external_take(rig.external, &entry, NOW, &err), -EINVAL);
	entry = entry_of((const char *const[]){GOOD, NULL});
	entry.ms = UINT64_MAX;
	assert_int_equal(gm_external_take(rig.external, &entry, NOW, &err), -EINVAL);
	gm_external_free(rig.external);
}

static void test_allowed_names(void **state)
{
	struct rig rig;
	struct gm_error err;

	(void)state;
	open_rig(&rig, "analysers", "sklearn-*,!sklearn-x");
	assert_int_equal(TAKE(&rig, NOW, &err, GOOD), -EPERM);
	assert_int_equal(TAKE(&rig, NOW, &err, "entity=if:tap0", "detector=sklearn-leak",
			      "metric=net.rx.bytes", "state=ok"),
			 0);
	assert_int_equal(TAKE(&rig, NOW, &err, "entity=if:tap0", "detector=sklearn-x",
			      "metric=net.rx.bytes", "state=ok"),
			 -EPERM);
	gm_external_free(rig.external);
}

static void test_silence_ends_it(void **state)
{
	struct rig rig;
	struct gm_error err;
	struct gm_external_status status;

	(void)state;
	open_rig(&rig, "ttl", "60s");
	assert_int_equal(TAKE(&rig, NOW, &err, GOOD), 0);
	gm_external_expire(rig.external, NOW + 59 * GM_SECOND);
	assert_int_equal(rig.emitted, 1);
	assert_int_equal(TAKE(&rig, NOW + 59 * GM_SECOND, &err, GOOD, "ttl=2.5"), 0);
	gm_external_expire(rig.external, NOW + 61 * GM_SECOND);
	assert_int_equal(rig.emitted, 2);
	gm_external_expire(rig.external, NOW + 62 * GM_SECOND);
	assert_int_equal(rig.emitted, 3);
	assert_false(rig.last.active);
	assert_string_equal(rig.last.detector, "forest");
	assert_string_equal(rig.last.metric, "memory.used");
	assert_int_equal(rig.last.time, NOW + 62 * GM_SECOND);
	gm_external_expire(rig.external, NOW + 1000 * GM_SECOND);
	assert_int_equal(rig.emitted, 3);
	gm_external_status(rig.external, &status);
	assert_int_equal(status.silenced, 1);
	assert_int_equal(status.active, 0);
	gm_external_free(rig.external);
}

static void test_order(void **state)
{
	struct rig rig;
	struct gm_error err;

	(void)state;
	open_rig(&rig, NULL, NULL);
	assert_int_equal(TAKE(&rig, NOW, &err, "entity=guest:" UUID, "detector=forest",
			      "metric=memory.used", "state=ok", "time=1699999990"),
			 0);
	assert_false(rig.last.active);
	assert_int_equal(TAKE(&rig, NOW, &err, GOOD, "time=1699999989"), -ERANGE);
	assert_int_equal(TAKE(&rig, NOW, &err, GOOD, "time=1699999990"), 0);
	/* A clock that is a little ahead is ours by then. */
	assert_int_equal(TAKE(&rig, NOW, &err, GOOD, "time=1700000009"), 0);
	assert_int_equal(rig.last.time, NOW);
	gm_external_free(rig.external);
}

/* After an id that is far ahead the server gives no others, and findings are as good as before. */
static void test_ids_ahead(void **state)
{
	struct rig rig;
	struct gm_error err;
	struct gm_entry entry = entry_of((const char *const[]){GOOD, NULL});

	(void)state;
	open_rig(&rig, NULL, NULL);
	entry.ms = 9000000000000; /* in the year 2255 */
	assert_int_equal(gm_external_take(rig.external, &entry, NOW, &err), 0);
	assert_int_equal(rig.last.time, NOW);
	entry.sequence++;
	assert_int_equal(gm_external_take(rig.external, &entry, NOW + GM_SECOND, &err), 0);
	assert_int_equal(rig.last.time, NOW + GM_SECOND);
	gm_external_free(rig.external);
}

static void test_rate(void **state)
{
	struct rig rig;
	struct gm_error err;
	struct gm_external_status status;
	unsigned taken = 0;

	(void)state;
	open_rig(&rig, "rate", "2");
	for (int i = 0; i < 100; i++)
		taken += TAKE(&rig, NOW, &err, GOOD) == 0;
	assert_int_equal(taken, 20);
	assert_non_null(strstr(err.text, "more than 2 entries a second"));
	for (int i = 0; i < 10; i++) /* three seconds later: six more */
		taken += TAKE(&rig, NOW + 3 * GM_SECOND, &err, GOOD) == 0;
	assert_int_equal(taken, 26);
	/* Another one has its own. */
	assert_int_equal(TAKE(&rig, NOW, &err, "entity=if:tap0", "detector=b",
			      "metric=net.rx.bytes", "state=ok"),
			 0);
	gm_external_status(rig.external, &status);
	assert_int_equal(status.limited, 84);
	gm_external_free(rig.external);
}

static void test_bounds(void **state)
{
	struct rig rig;
	struct gm_error err;
	char name[32], entity[48];
	size_t taken = 0;

	(void)state;
	open_rig(&rig, "rate", "1000");
	for (int i = 0; i <= GM_EXTERNAL_ANALYSERS; i++) {
		snprintf(name, sizeof(name), "detector=a%d", i);
		int rc = TAKE(&rig, NOW, &err, "entity=if:tap0", name, "metric=net.rx.bytes",
			      "state=active", "ttl=3600");
		assert_int_equal(rc, i < GM_EXTERNAL_ANALYSERS ? 0 : -EDQUOT);
	}
	/* The first that has been silent for long gives up its place. */
	assert_int_equal(TAKE(&rig, NOW + 601 * GM_SECOND, &err, "entity=if:tap0", name,
			      "metric=net.rx.bytes", "state=active", "time=1700000601"),
			 0);
	for (size_t i = 0; i < 2 * GM_EXTERNAL_FINDINGS; i++) {
		snprintf(entity, sizeof(entity), "entity=if:tap%zu", i + 1);
		taken += TAKE(&rig, NOW + 601 * GM_SECOND, &err, entity, name,
			      "metric=net.rx.bytes", "state=active", "time=1700000601") == 0;
	}
	assert_int_equal(taken, GM_EXTERNAL_FINDINGS - GM_EXTERNAL_ANALYSERS - 1);
	gm_external_free(rig.external);
}

static void test_adopted_after_a_restart(void **state)
{
	struct rig rig;
	struct gm_error err;
	struct gm_alarm alarm = {.detector = "forest", .metric = "memory.used"};

	(void)state;
	gm_entity_parse("guest:" UUID, &alarm.key);
	open_rig(&rig, "ttl", "60s");
	gm_external_adopt(rig.external, &alarm, NOW); /* of no analyser */
	assert_false(gm_external_owns(rig.external, &alarm));
	snprintf(alarm.evidence.origin, sizeof(alarm.evidence.origin), "external 1699999990000-0");
	gm_external_adopt(rig.external, &alarm, NOW);
	gm_external_adopt(rig.external, &alarm, NOW);
	assert_true(gm_external_owns(rig.external, &alarm));
	gm_external_expire(rig.external, NOW + 59 * GM_SECOND);
	assert_int_equal(rig.emitted, 0);
	gm_external_expire(rig.external, NOW + 60 * GM_SECOND);
	assert_int_equal(rig.emitted, 1);
	assert_false(rig.last.active);
	assert_false(gm_external_owns(rig.external, &alarm));

	gm_external_adopt(rig.external, &alarm, NOW);
	assert_int_equal(TAKE(&rig, NOW, &err, "entity=guest:" UUID, "detector=forest",
			      "metric=memory.used", "state=ok"),
			 0);
	gm_external_free(rig.external);
	gm_external_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_becomes_a_finding),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_allowed_names),
		cmocka_unit_test(test_silence_ends_it),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_ids_ahead),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_adopted_after_a_restart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

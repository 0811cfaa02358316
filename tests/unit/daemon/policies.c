/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy files as an operator writes them: what is refused and how that is said. What good ones do is in
 * policies_live.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "analysis/policy.h"
#include "analysis/rules.h"
#include "base/buffer.h"
#include "daemon/policies.h"
#include "model/entity.h"

struct place {
	char directory[64];
	struct gm_detector_settings *settings;
	struct gm_handling *handling;
	struct gm_error err;
};

static char *path_of(const struct place *place, const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", place->directory, name);
	return path;
}

static void put(const struct place *place, const char *name, const char *text)
{
	char path[128];
	FILE *file = fopen(path_of(place, name, path), "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	snprintf(place->directory, sizeof(place->directory), "/tmp/gm-policies-XXXXXX");
	*state = place;
	return mkdtemp(place->directory) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = {"a.yaml", "b.yaml", ".hidden.yaml", "notes.txt",
					    "yaml"};
	struct place *place = *state;
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		unlink(path_of(place, names[i], path));
		rmdir(path);
	}
	assert_int_equal(rmdir(place->directory), 0);
	gm_detector_settings_free(place->settings);
	gm_handling_free(place->handling);
	free(place);
	return 0;
}

static int load(struct place *place)
{
	gm_detector_settings_free(place->settings);
	gm_handling_free(place->handling);
	place->settings = NULL;
	place->handling = NULL;
	assert_int_equal(gm_detector_settings_create(&place->settings), 0);
	assert_int_equal(gm_handling_create(&place->handling), 0);
	place->err.text[0] = '\0';
	return gm_policies_load(place->directory, place->settings, place->handling, &place->err);
}

/* The whole message, but for the directory. */
static void assert_refused(struct place *place, const char *text, const char *message)
{
	put(place, "a.yaml", text);
	assert_int_equal(load(place), -EINVAL);
	size_t prefix = strlen(place->directory) + 1;
	assert_memory_equal(place->err.text, place->directory, prefix - 1);
	size_t star = strcspn(message, "*"); /* what follows there is another's business */
	size_t compared = message[star] == '\0' ? star + 1 : star;
	if (strncmp(place->err.text + prefix, message, compared) != 0)
		fail_msg("%s\nis told as\n%s\nnot\n%s", text, place->err.text + prefix, message);
}

/* The detectors of a guest of that name, as text: "threshold/low policy/full ". */
static const char *instances(struct place *place, const char *name, char text[256])
{
	static const char *const rules[] = {"low", "full", "quiet", "port"};
	struct gm_guest_info guest = {.flavor = "m1.small"};
	struct gm_entity_key key = gm_entity_guest((const uint8_t[GM_UUID_SIZE]){1});
	struct gm_subject subject = {.key = &key, .owner = key.uuid, .guest = &guest};
	struct gm_detector_set *set;
	size_t used = 0;

	snprintf(guest.name, sizeof(guest.name), "%s", name);
	assert_int_equal(gm_detector_set_prepare(place->settings, &subject, NULL, &set), 0);
	text[0] = '\0';
	for (size_t i = 0; gm_detectors[i]; i++) {
		for (size_t j = 0; j < sizeof(rules) / sizeof(rules[0]); j++) {
			if (gm_detector_set_has(set, gm_detectors[i]->name, rules[j]))
				used += (size_t)snprintf(text + used, 256 - used, "%s/%s ",
							 gm_detectors[i]->name, rules[j]);
		}
	}
	gm_detector_set_free(set);
	return text;
}

static void no_directory_and_nothing_in_it_are_fine(void **state)
{
	struct place *place = *state;

	assert_int_equal(load(place), 0);
	put(place, "a.yaml", "");
	put(place, "b.yaml", "# nothing\n\nthresholds:\npolicies:\n");
	put(place, "notes.txt", "what: [is this");
	put(place, ".hidden.yaml", "what: [is this");
	assert_int_equal(load(place), 0);
	assert_int_equal(gm_policies_load("/nonexistent/policy.d", place->settings, place->handling,
					  &place->err),
			 0);
}

static const char good[] = "thresholds:\n"
			   "  - name: low\n"
			   "    metric: vm.memory-usable\n"
			   "    warning-min: 100Mi\n"
			   "    hits: 3\n"
			   "  - {name: port, metric: net.rx.dropped, failure-max: 100}\n"
			   "policies:\n"
			   "  - name: full\n"
			   "    group: memory\n"
			   "    match: {name: \"web-*, !web-2\", entity: guest}\n"
			   "    condition: >-\n"
			   "      avg(memory.used, 30s) / memory.total > 90%\n"
			   "      and rate(vm.if_dropped.rx, 1s) > 100\n"
			   "    for: 5s\n"
			   "    interval: 100ms\n"
			   "    severity: major\n"
			   "    message: \"{guest} is full ({value})\"\n"
			   "  - name: quiet\n"
			   "    enabled: false\n"
			   "    condition: load.1 > 1\n";

static void rules_hold_for_whom_they_match(void **state)
{
	struct place *place = *state;
	char text[256];

	put(place, "a.yaml", good);
	if (load(place) < 0)
		fail_msg("%s", place->err.text);
	/* The port's rule is for interfaces, which carry its metric. */
	assert_string_equal(instances(place, "web-1", text), "threshold/low policy/full ");
	assert_string_equal(instances(place, "web-2", text), "threshold/low ");
	/* A group is switched by whichever file says so. */
	put(place, "b.yaml", "groups: {memory: off}\n");
	assert_int_equal(load(place), 0);
	assert_string_equal(instances(place, "web-1", text), "threshold/low ");
	put(place, "b.yaml", "overrides: [{match: {flavor: m1.*}, threshold: {enabled: no}}]\n");
	assert_int_equal(load(place), 0);
	assert_string_equal(instances(place, "web-1", text), "policy/full ");
}

#define POLICY(rest) "policies:\n  - name: p\n    " rest "\n"

static const struct {
	const char *text, *message;
} mistakes[] = {
	{"rules: []\n", "a.yaml:1:1: unknown key \"rules\"; allowed: groups, thresholds, "
			"policies, overrides, alarms, maintenance, vnfs"},
	{"- a\n", "a.yaml:1:1: a policy file holds groups, thresholds, policies, overrides, "
		  "alarms, maintenance and vnfs"},
	{"alarms:\n  - [soak]\n",
	 "a.yaml:2:5: options of the section alarm are expected, and for whom"},
	{"alarms:\n  - {soak: long}\n", "a.yaml:2:12: *"},
	{"alarms:\n  - {raise-limit: 7}\n",
	 "a.yaml:2:6: unknown key \"raise-limit\"; allowed: match, detector, rule, damping, *"},
	{"alarms:\n  - {detector: \"\"}\n",
	 "a.yaml:2:16: a pattern of at most 255 bytes is expected, such as burst or cpu-*"},
	{"alarms:\n  - {match: {colour: red}}\n",
	 "a.yaml:2:14: unknown key \"colour\"; allowed: *"},
	{"maintenance:\n  - {name: a, from: \"02:00\"}\n",
	 "a.yaml:2:5: a maintenance needs name, from and to"},
	{"maintenance:\n  - {name: a, from: \"2:00\"}\n",
	 "a.yaml:2:21: a time of the day is expected, such as 02:30"},
	{"maintenance:\n  - {name: a, days: someday}\n", "a.yaml:2:21: days: daily, or of mon *"},
	{"maintenance:\n  - {name: a, zone: mars}\n", "a.yaml:2:21: zone: local or utc"},
	{"maintenance:\n  - {name: a, soak: 3s}\n",
	 "a.yaml:2:15: unknown key \"soak\"; allowed: name, match, detector, rule, days, *"},
	{"maintenance:\n  - {name: a, from: \"02:00\", to: \"03:00\"}\n"
	 "  - {name: a, from: \"02:00\", to: \"03:00\"}\n",
	 "a.yaml:3:5: there is a rule of that name already"},
	{"vnfs:\n  - web\n", "a.yaml:2:5: a VNF holds keys: `match` and what its guests are"},
	{"vnfs:\n  - {vnfd-id: a}\n", "a.yaml:2:5: a VNF needs a match"},
	{"vnfs:\n  - {match: {name: a}}\n", "a.yaml:2:5: vnfd-id or provider is missing"},
	{"vnfs:\n  - {match: {name: a}, vnfd-id: \"\"}\n", "a.yaml:2:33: a text is expected"},
	{"vnfs:\n  - {match: {name: a}, vnfd-id: [a]}\n", "a.yaml:2:33: a text is expected"},
	{"vnfs:\n  - {match: {flavor: a}, vnfd-id: a}\n",
	 "a.yaml:2:6: a guest is found by name, uuid and project here: of one that is gone no more "
	 "is "
	 "known"},
	{"vnfs:\n  - {match: {name: a}, vnfd: a}\n",
	 "a.yaml:2:24: unknown key \"vnfd\"; allowed: match, vnfd-id, provider, product, "
	 "software-version, vnfd-version"},
	{"vnfs:\n  - {match: {name: a}, product: a}\n",
	 "a.yaml:2:5: vnfd-id or provider is missing"},
	{"vnfs:\n  - {match: {name: a}, vnfd-id: a, product: a}\n",
	 "a.yaml:2:5: a product needs its provider"},
	{"vnfs:\n  - {match: {name: a}, vnfd-id: a, software-version: a}\n",
	 "a.yaml:2:5: a software-version needs its product"},
	{"policies: {a: b}\n", "a.yaml:1:11: a list is expected: items that begin with a '-'"},
	{"policies:\n  - just text\n", "a.yaml:2:5: a rule holds keys, the first of them `name`"},
	{"policies:\n  - condition: load.1 > 1\n", "a.yaml:2:5: a rule needs a name"},
	{"policies:\n  - name: two words\n",
	 "a.yaml:2:11: a name is a word of at most 47 letters, digits, '.', '_' and '-'"},
	{POLICY("for: 1s"), "a.yaml:2:5: condition: the policy has none"},
	{POLICY("condition: load.9 > 1"), "a.yaml:3:16: condition: there is no metric \"load.9\""},
	{POLICY("condition: load.1 > 1 &&"), "a.yaml:3:27: condition: \"&\" stands where "
					     "`and`, `or` or the end of the condition is "
					     "expected"},
	{POLICY("condition: \"load.1 > \\x31 !\""),
	 "a.yaml:3:31: condition: \"!\" stands where `and`, `or` or the end of the "
	 "condition is "
	 "expected"},
	{POLICY("condition: 'load.1 >   x'"), "a.yaml:3:28: condition: there is no metric \"x\""},
	{POLICY("condition: |\n      load.1 > 1 and\n        load.5 > oops"),
	 "a.yaml:5:18: condition: there is no metric \"oops\""},
	{POLICY("condition: > # folded\n      load.1 > 1\n\n      and (load.5 > 2"),
	 "a.yaml:6:22: condition: the condition ends where a closing parenthesis is "
	 "expected"},
	{POLICY("condition: load.1 > 1\n      and\n      load.7 > 2"),
	 "a.yaml:5:7: condition: there is no metric \"load.7\""},
	{"# \xC3\xBC\xC3\xBC\n" POLICY("condition: oops > 2"),
	 "a.yaml:4:16: condition: there is no metric \"oops\""},
	{POLICY("condition: load.1 > 1\n    message: \"a {gast}\""),
	 "a.yaml:4:17: message: there is nothing called \"gast\" to put in; there are "
	 "{guest}, "
	 "{project}, {entity}, {metric}, {rule}, {severity}, {value}, {limit}"},
	{POLICY("severity: grave"), "a.yaml:3:15: severity: \"grave\" is not known; "
				    "allowed: one of warning, minor, "
				    "major, critical"},
	{POLICY("interval: 1ms"), "a.yaml:3:15: interval: \"1ms\" is out of range; "
				  "allowed: a duration from 10ms to 1h"},
	{POLICY("colour: red"),
	 "a.yaml:3:5: unknown key \"colour\"; allowed: name, group, match, enabled, condition, "
	 "for, interval, severity, message"},
	{"thresholds:\n  - {name: t, colour: red}\n",
	 "a.yaml:2:15: unknown key \"colour\"; allowed: name, group, match, enabled, metric, *"},
	{POLICY("condition: memory.used = 3"),
	 "a.yaml:3:28: condition: `=` compares nothing; `==` compares two numbers"},
	{POLICY("condition: p100(load.1, 1m) > 3"),
	 "a.yaml:3:16: condition: there is no function \"p100\"; there are avg, min, max, rate, "
	 "p1 … p99 and percentile"},
	{POLICY("condition: [1]"), "a.yaml:3:16: a key has one value here"},
	{POLICY("match: {color: red}"), "a.yaml:3:13: unknown key \"color\"; allowed: "
					"entity, name, uuid, project, flavor"},
	{POLICY("match: {entity: vm}"), "a.yaml:3:21: allowed: node, guest, interface, "
					"disk, process, core, numa, or some of them "
					"with commas between"},
	{POLICY("match: web-1"),
	 "a.yaml:3:12: a match holds entity, name, uuid, project or flavor"},
	{"thresholds:\n  - name: t\n    metric: memory.usd\n",
	 "a.yaml:3:13: metric: there is no metric of that name"},
	{"thresholds:\n  - name: t\n    warning-max: 5\n",
	 "a.yaml:2:5: metric: a threshold needs one"},
	{"thresholds:\n  - name: t\n    metric: load.1\n    warning-max: high\n",
	 "a.yaml:4:18: warning-max: \"high\" is not understood; allowed: a number or none"},
	{"thresholds:\n  - {name: t, metric: load.1}\n",
	 "a.yaml:2:5: metric: the rule has no limit: give warning-max, warning-min, "
	 "failure-max, failure-min, rising or missing"},
	{"thresholds:\n  - {name: t, metric: load.1, warning-min: 1, failure-min: 2}\n",
	 "a.yaml:2:5: failure-min: above warning-min"},
	{"groups: {a: maybe}\n", "a.yaml:1:13: true or false is expected"},
	{"overrides:\n  - leak: {enabled: false}\n", "a.yaml:2:5: an override needs a match"},
	{"overrides:\n  - match: {name: a}\n    leak: {horizont: 1d}\n",
	 "a.yaml:3:12: unknown key \"horizont\"; allowed: enabled, *"},
	{"overrides:\n  - match: {name: a}\n    policy: {for: 1s}\n",
	 "a.yaml:3:14: unknown key \"for\"; allowed: enabled"},
	{"groups: &x {a: on}\n", "a.yaml:1:9: anchors, aliases and tags are not allowed"},
	{"groups: {a: on}\n---\ngroups: {b: on}\n", "a.yaml:2:1: a second document is not allowed"},
	{"groups: {}\ngroups: {}\n", "a.yaml:2:1: \"groups\" is given twice; first in line 1"},
	{"policies: [[[[[[[[[[[[[[[[[[[[\n", "a.yaml:1:26: nested too deeply"},
};

static void mistakes_are_told_with_file_line_and_column(void **state)
{
	struct place *place = *state;

	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
		assert_refused(place, mistakes[i].text, mistakes[i].message);
}

#define WHOLE                "; a policy is about guests and the node, with their interfaces, disks and processes"
#define LACKS(place, metric) "a.yaml:" place ": no entity that the match leaves has " metric

/* Kinds carry the metrics that the catalogue says. */
static const struct {
	const char *match, *condition, *message; /* NULL: it can be judged */
} wholes[] = {
	{"{}", "core.busy > 0", LACKS("2:22", "core.busy" WHOLE)},
	{"{entity: core}", "core.busy > 0", LACKS("2:22", "core.busy" WHOLE)},
	{"{entity: core}", "memory.used > 0", LACKS("2:22", "memory.used" WHOLE)},
	{"{entity: interface}", "net.rx.bytes > 0", LACKS("2:22", "net.rx.bytes" WHOLE)},
	{"{entity: \"disk, numa\"}", "disk.capacity > 0", LACKS("2:22", "disk.capacity" WHOLE)},
	{"{entity: node, name: a}", "load.1 > 0", LACKS("2:22", "load.1" WHOLE)},
	{"{entity: node}", "load.1 > 0 and snmp.up > 0", LACKS("2:22", "snmp.up" WHOLE)},
	{"{name: a}", "cpu.idle > 0", LACKS("2:22", "cpu.idle" WHOLE)},
	{"{entity: guest}", "not (load.1 > 0 or load.5 > cpu.idle)",
	 LACKS("2:22", "cpu.idle" WHOLE)},
	{"{}", "cpu.idle + guest.state > 0",
	 LACKS("2:22", "cpu.idle and the condition's other metrics at once")},
	{"{}", "cpu.idle > 0 or guest.state > 0", NULL},
	{"{entity: guest}", "cpu.idle > 0 or -guest.state < 0", NULL},
	{"{entity: guest}", "not (cpu.idle > 0 and guest.state > 0)", NULL},
	{"{entity: node}", "memory.used > 0 and net.rx.bytes > 0 and disk.capacity > 0", NULL},
	{"{entity: \"interface, node\"}", "net.rx.bytes > 0", NULL},
	{"{name: a, project: b}", "fs.used / fs.size > 90% and memory.resident > 0", NULL},
};

/* Thresholds, by whom a match leaves and what is judged of it. */
static const struct {
	const char *match, *metric, *message;
} alone[] = {
	{"{entity: disk}", "memory.used", LACKS("2:22", "memory.used")},
	{"{name: \"x*\"}", "core.busy", LACKS("2:22", "core.busy")},
	{"{uuid: \"*\"}", "numa.memory.free", LACKS("2:22", "numa.memory.free")},
	{"{flavor: a, entity: \"node, guest\"}", "cpu.idle", LACKS("2:22", "cpu.idle")},
	{"{entity: guest}", "vm.if_dropped.rx", LACKS("2:22", "net.rx.dropped")},
	{"{}", "core.busy", NULL},
	{"{entity: core}", "core.busy", NULL},
	{"{entity: \"disk, guest\"}", "memory.used", NULL},
	{"{project: x}", "net.rx.dropped", NULL},
	{"{name: x}", "cpu.time", NULL},
	{"{entity: process, name: x}", "cpu.time", NULL},
};

static void assert_rule(struct place *place, const char *text, const char *message)
{
	if (message) {
		assert_refused(place, text, message);
		return;
	}
	put(place, "a.yaml", text);
	if (load(place) < 0)
		fail_msg("%s\nis refused: %s", text, place->err.text);
}

static void a_rule_that_nobody_can_be_judged_by_is_refused(void **state)
{
	char text[256];

	for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++) {
		snprintf(text, sizeof(text),
			 "policies:\n  - {name: p, match: %s, condition: \"%s\"}\n",
			 wholes[i].match, wholes[i].condition);
		assert_rule(*state, text, wholes[i].message);
	}
	for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
		snprintf(text, sizeof(text),
			 "thresholds:\n  - {name: t, match: %s, metric: %s, failure-max: 1}\n",
			 alone[i].match, alone[i].metric);
		assert_rule(*state, text, alone[i].message);
	}
	/* Without a match it is the metric's, or the condition's, place. */
	assert_rule(*state, "policies: [{name: p, condition: core.busy > 0}]\n",
		    LACKS("1:33", "core.busy" WHOLE));
}

static void one_too_many_is_told(void **state)
{
	enum { ALLOWED = 256 };
	struct place *place = *state;
	struct gm_buffer text = GM_BUFFER_INIT(64 << 10);

	gm_buffer_printf(&text, "vnfs:\n");
	for (int i = 0; i <= ALLOWED; i++)
		gm_buffer_printf(&text, "  - {match: {name: a%d}, vnfd-id: a}\n", i);
	assert_false(text.failed);
	assert_refused(place, text.data,
		       "a.yaml:258:5: more than the 256 entries that are allowed");
	gm_buffer_free(&text);
}

static void names_are_unique_over_all_files(void **state)
{
	struct place *place = *state;
	char expected[256];

	put(place, "a.yaml", good);
	put(place, "b.yaml", "policies:\n  - condition: load.1 > 1\n    name: full\n");
	assert_int_equal(load(place), -EINVAL);
	snprintf(expected, sizeof(expected), "%s/b.yaml:3:11: there is a rule of that name already",
		 place->directory);
	assert_string_equal(place->err.text, expected);
	/* A threshold and a policy may have the same name: they are of different detectors. */
	put(place, "b.yaml", "policies: [{name: low, condition: load.1 > 1}]\n");
	assert_int_equal(load(place), 0);
}

static void what_is_no_text_file_is_refused(void **state)
{
	struct place *place = *state;
	char path[128];

	put(place, "a.yaml", "groups: \xff\n");
	assert_int_equal(load(place), -EINVAL);
	assert_non_null(strstr(place->err.text, "a.yaml:1: not a text in UTF-8"));
	unlink(path_of(place, "a.yaml", path));
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(load(place), -EINVAL);
	assert_non_null(strstr(place->err.text, "a.yaml: not a regular file"));
}

/* The shipped example, with its lines of YAML uncommented. */
static void the_shipped_example_is_read(void **state)
{
	struct place *place = *state;
	FILE *file = fopen(GM_POLICY_EXAMPLE, "r");
	char line[256], text[8192];
	size_t used = 0;
	bool any = false;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (line[0] == '#' && line[1] != '#') {
			any = true;
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", line + 1);
		}
	}
	fclose(file);
	assert_true(any && used < sizeof(text));
	put(place, "a.yaml", text);
	if (load(place) < 0)
		fail_msg("%s", place->err.text);
	put(place, "b.yaml", "overrides: [{match: {name: x}, leak: {enabled: false}}]");
	assert_int_equal(load(place), 0);
	assert_true(gm_detector_settings_depend_on_guest(place->settings));
}

/* A file that was cut or changed anywhere is read or refused, and never more than that. */
static void damaged_files_are_survived(void **state)
{
	struct place *place = *state;
	char text[sizeof(good)];
	uint32_t noise = 3;

	for (size_t cut = 0; cut < sizeof(good) - 1; cut += 3) {
		memcpy(text, good, sizeof(good));
		text[cut] = '\0';
		put(place, "a.yaml", text);
		load(place);
	}
	for (int run = 0; run < 500; run++) {
		memcpy(text, good, sizeof(good));
		for (int i = 0; i < 4; i++) {
			noise = noise * 1664525u + 1013904223u;
			text[(noise >> 8) % (sizeof(good) - 1)] =
				"'\"{}[]:>|- \n&#%\\"[noise >> 28];
		}
		put(place, "a.yaml", text);
		load(place);
	}
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(no_directory_and_nothing_in_it_are_fine),
		TEST(rules_hold_for_whom_they_match),
		TEST(mistakes_are_told_with_file_line_and_column),
		TEST(a_rule_that_nobody_can_be_judged_by_is_refused),
		TEST(one_too_many_is_told),
		TEST(names_are_unique_over_all_files),
		TEST(what_is_no_text_file_is_refused),
		TEST(the_shipped_example_is_read),
		TEST(damaged_files_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of outputs: what each holds is read, and what is wrong is told with its place.
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

#include "base/clock.h"
#include "daemon/output_files.h"

enum { NAMES = 4 };

struct fixture {
	char directory[32];
	char paths[NAMES][128];
	size_t count;
	struct gm_output_files *files;
	struct gm_error err;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/gm-outputs-XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	for (size_t i = 0; i < fixture->count; i++)
		unlink(fixture->paths[i]);
	assert_int_equal(rmdir(fixture->directory), 0);
	gm_output_files_free(fixture->files);
	free(fixture);
	return 0;
}

static void put(struct fixture *fixture, const char *name, const char *text)
{
	char path[sizeof(fixture->paths[0])];
	snprintf(path, sizeof(path), "%s/%s", fixture->directory, name);
	memcpy(fixture->paths[fixture->count++], path, sizeof(path));
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int load(struct fixture *fixture)
{
	gm_output_files_free(fixture->files);
	return gm_output_files_load(fixture->directory, &fixture->files, &fixture->err);
}

static void assert_refused(struct fixture *fixture, const char *says)
{
	assert_true(load(fixture) < 0);
	assert_null(fixture->files);
	const char *after = fixture->err.text + strlen(fixture->directory) + 1;
	if (!strstr(after, says))
		fail_msg("\"%s\" does not say \"%s\"", after, says);
}

static void test_no_directory_is_no_output(void **state)
{
	struct fixture *fixture = *state;
	assert_int_equal(gm_output_files_load("/nonexistent", &fixture->files, &fixture->err), 0);
	assert_int_equal(fixture->files->count, 0);
}

static void test_what_a_file_says(void **state)
{
	struct fixture *fixture = *state;
	put(fixture, "b.yaml",
	    "type: webhook\nurl: http://127.0.0.1/\nseverity: major\nretry-min: 500ms\n");
	put(fixture, "a.yaml", "guests: 'db-*'\ntype: webhook\nurl: http://127.0.0.1/\n");
	put(fixture, "off.yaml", "type: webhook\nurl: http://127.0.0.1/\nenabled: no\n");
	put(fixture, "no.txt", "nonsense");
	assert_int_equal(load(fixture), 0);
	assert_int_equal(fixture->files->count, 2);
	const struct gm_output_file *a = &fixture->files->files[0];
	const struct gm_output_file *b = &fixture->files->files[1];
	assert_string_equal(a->name, "a");
	assert_string_equal(a->common.guests, "db-*");
	assert_string_equal(b->name, "b");
	assert_string_equal(b->ops->type, "webhook");
	assert_int_equal(b->common.severity, 1);
	assert_int_equal(b->common.retry_min, 500 * GM_MILLISECOND);
	assert_int_equal(b->common.retry_max, 60 * GM_SECOND);
	assert_false(gm_output_file_equal(a, b));

	struct gm_output_files *again;
	assert_int_equal(gm_output_files_load(fixture->directory, &again, &fixture->err), 0);
	assert_true(gm_output_file_equal(a, &again->files[0]));
	again->files[0].common.expiry++;
	assert_false(gm_output_file_equal(a, &again->files[0]));
	gm_output_files_free(again);
}

static void test_what_is_wrong_is_told_with_its_place(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"", "options are expected"},
		{"- type: webhook\n", "options are expected"},
		{"severity: major\n", "wrong.yaml:1:1: type is missing; allowed: "},
		{"type: pigeon\n", "wrong.yaml:1:7: type: allowed: "},
		{"type: webhook\ncolour: red\nurl: http://127.0.0.1/\n",
		 "wrong.yaml:2:1: unknown key \"colour\"; allowed: type, "},
		{"type: webhook\nseverity: loud\nurl: http://127.0.0.1/\n",
		 "wrong.yaml:2:11: severity: "},
		{"type: webhook\nretry-min: 1y\nurl: http://127.0.0.1/\n",
		 "wrong.yaml:2:12: retry-min: "},
		{"type: webhook\nretry-min: [1, 2]\nurl: http://127.0.0.1/\n",
		 "wrong.yaml:2:12: a key has one value here"},
		{"type: webhook\ntype: gnocchi\nurl: http://127.0.0.1/\n", "wrong.yaml:2:"},
		{"type: webhook\nretry-min: 5m\nurl: http://127.0.0.1/\n",
		 "wrong.yaml:2:12: retry-min is longer than retry-max"},
		{"type: webhook\nurl: http://127.0.0.1/\nretry-max: 100ms\n",
		 "wrong.yaml:3:12: retry-min is longer than retry-max"},
		{"type: webhook\nurl: ftp://127.0.0.1/\n",
		 "wrong.yaml:2:6: url: begins with neither"},
		{"type: webhook\n", "wrong.yaml:1:1: url: missing"},
		{"type: webhook\nurl: http://127.0.0.1/\nca-file: /nonexistent/ca\n",
		 "wrong.yaml:3:10: ca-file: "},
		{"type: webhook\nurl: http://127.0.0.1/\nheaders-file: /nonexistent/h\n",
		 "wrong.yaml:3:15: headers-file: "},
		{"url: http://127.0.0.1/\nformat: template\ntemplate: /nonexistent/t\ntype: "
		 "webhook\n",
		 "wrong.yaml:3:11: template: "},
		{"type: program\nprogram: /bin/true\nuser: nobody-at-all\n",
		 "wrong.yaml:3:7: user: "},
		{"type: snmp-inform\nreceiver: nowhere\n", "wrong.yaml:2:11: receiver: "},
		{"type: mistral\nworkflow: heal\ninputs: \"{\"\n", "wrong.yaml:3:9: inputs: "},
		{"type: &x gnocchi\n", "wrong.yaml:1:"},
		{"type: webhook\n\x80\n", "wrong.yaml:2"},
	};
	struct fixture *fixture = *state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fixture->count = 0;
		put(fixture, "wrong.yaml", cases[i].text);
		assert_refused(fixture, cases[i].says);
	}
}

static void test_names_that_cannot_be(void **state)
{
	static const char *const names[] = {
		"snmp.yaml", "a b.yaml",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.yaml"};
	struct fixture *fixture = *state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		fixture->count = 0;
		put(fixture, names[i], "type: webhook\nurl: http://127.0.0.1/\n");
		assert_refused(fixture, "the name of an output is a word");
		unlink(fixture->paths[0]);
	}
	fixture->count = 0;
}

static struct gm_output_file load_one(struct fixture *fixture, struct gm_output_files **ret_files)
{
	assert_int_equal(gm_output_files_load(fixture->directory, ret_files, &fixture->err), 0);
	assert_int_equal((*ret_files)->count, 1);
	return (*ret_files)->files[0];
}

/* Of a file that nobody but its owner may read, and that an output names. */
static void put_secret(struct fixture *fixture, const char *name, const char *text)
{
	mode_t mask = umask(077);
	put(fixture, name, text);
	umask(mask);
}

/* The one output is the same until the file `name` has other contents. */
static void assert_is_another_with(struct fixture *fixture, const char *name, const char *text)
{
	struct gm_output_files *before, *same, *after;
	struct gm_output_file a = load_one(fixture, &before), b = load_one(fixture, &same);
	assert_true(gm_output_file_equal(&a, &b));
	put_secret(fixture, name, text);
	struct gm_output_file c = load_one(fixture, &after);
	assert_false(gm_output_file_equal(&a, &c));
	gm_output_files_free(before);
	gm_output_files_free(same);
	gm_output_files_free(after);
}

/* The option is the same, and so is the secret's length. */
static void test_another_secret_is_another_output(void **state)
{
	struct fixture *fixture = *state;
	char text[512];
	put_secret(fixture, "key", "one\n");
	snprintf(text, sizeof(text), "type: webhook\nurl: http://127.0.0.1/\nhmac-file: %s/key\n",
		 fixture->directory);
	put(fixture, "a.yaml", text);
	assert_is_another_with(fixture, "key", "two\n");
}

/* Where the environment says. */
static void use_clouds(struct fixture *fixture, const char *clouds)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/clouds.yml", fixture->directory);
	setenv("OS_CLIENT_CONFIG_FILE", path, 1);
	put_secret(fixture, "clouds.yml", clouds);
}

/* The cloud's password is in a file that no option has to name. */
static void test_another_clouds_file_is_another_output(void **state)
{
	static const char cloud[] =
		"clouds: {red: {auth: {auth_url: http://127.0.0.1/, username: u, "
		"password: %s, project_name: p}}}\n";
	struct fixture *fixture = *state;
	char text[512];
	snprintf(text, sizeof(text), cloud, "one");
	use_clouds(fixture, text);
	put(fixture, "a.yaml", "type: gnocchi\ncloud: red\n");
	snprintf(text, sizeof(text), cloud, "two");
	assert_is_another_with(fixture, "clouds.yml", text);
	unsetenv("OS_CLIENT_CONFIG_FILE");
}

/* So are the authorities that it names: by another file's contents under the same name. */
static void test_another_authority_of_a_cloud_is_another_output(void **state)
{
	static const char cloud[] =
		"clouds: {red: {auth: {auth_url: https://127.0.0.1/, username: u, password: p, "
		"project_name: p}, cacert: %s/ca.pem}}\n";
	struct fixture *fixture = *state;
	char text[512];
	snprintf(text, sizeof(text), cloud, fixture->directory);
	use_clouds(fixture, text);
	put_secret(fixture, "ca.pem", "one\n");
	put(fixture, "a.yaml", "type: aodh\ncloud: red\n");
	assert_is_another_with(fixture, "ca.pem", "two\n");
	unsetenv("OS_CLIENT_CONFIG_FILE");
}

/* An option that names a file counts by its contents: who adds one says so in its table. */
static void test_options_of_files_say_so(void **state)
{
	(void)state;
	for (size_t t = 0; gm_output_types[t]; t++) {
		for (const struct gm_option *option = gm_output_types[t]->options;
		     option && option->key; option++) {
			const char *end = strstr(option->key, "-file");
			bool named =
				end && end[5] == '\0' && strcmp(option->key, "clouds-file") != 0;
			if (named && !option->is_file)
				fail_msg("%s: %s", gm_output_types[t]->type, option->key);
		}
	}
}

int main(void)
{
#define WITH_FILES(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_FILES(test_no_directory_is_no_output),
		WITH_FILES(test_what_a_file_says),
		WITH_FILES(test_what_is_wrong_is_told_with_its_place),
		WITH_FILES(test_names_that_cannot_be),
		WITH_FILES(test_another_secret_is_another_output),
		WITH_FILES(test_another_clouds_file_is_another_output),
		WITH_FILES(test_another_authority_of_a_cloud_is_another_output),
		cmocka_unit_test(test_options_of_files_say_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

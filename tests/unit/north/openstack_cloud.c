/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which cloud and as whom: clouds.yaml with what such files hold, the environment, options over both, and
 * the sentences about what is missing, which never hold a secret.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <errno.h>
#include <setjmp.h>

#include <cmocka.h>

#include "north/openstack/cloud.h"

#define SECRET "hush-hush"

static const char sample[] = "defaults: &defaults\n"
			     "  region_name: RegionOne\n"
			     "  interface: internal\n"
			     "clouds:\n"
			     "  one:\n"
			     "    <<: *defaults\n"
			     "    cacert: /ca.pem\n"
			     "    auth:\n"
			     "      auth_url: https://keystone:5000/\n"
			     "      username: agent\n"
			     "      password: '" SECRET "'\n"
			     "      project_name: telco\n"
			     "      project_domain_name: Default\n"
			     "  two:\n"
			     "    auth_type: v3applicationcredential\n"
			     "    auth: {auth_url: http://k/v3, application_credential_id: abc,\n"
			     "           application_credential_secret: " SECRET "}\n";

static int parse(const char *text, const char *name, struct gm_cloud *cloud, struct gm_error *err)
{
	*cloud = (struct gm_cloud){0};
	return gm_clouds_parse("c.yaml", text, strlen(text), name, cloud, err);
}

static void test_clouds_yaml(void **state)
{
	(void)state;
	struct gm_cloud cloud;
	struct gm_error err;

	assert_int_equal(parse(sample, "one", &cloud, &err), 0);
	assert_string_equal(cloud.auth_url, "https://keystone:5000/");
	assert_string_equal(cloud.user_name, "agent");
	assert_string_equal(cloud.password, SECRET);
	assert_string_equal(cloud.region, "RegionOne");
	assert_string_equal(cloud.interface, "internal");
	assert_string_equal(cloud.ca_file, "/ca.pem");
	assert_int_equal(parse(sample, "two", &cloud, &err), 0);
	assert_string_equal(cloud.credential_id, "abc");
	assert_string_equal(cloud.credential_secret, SECRET);
	assert_int_equal(parse(sample, "three", &cloud, &err), -ENOENT);
}

static void test_hostile_clouds_yaml(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{"", -ENOENT},
		{"[]", -ENOENT},
		{"clouds: 7", -ENOENT},
		{"clouds: {a: 7}", -EINVAL},
		{"clouds: {a: {auth: [" SECRET "]}}", -EINVAL},
		{"clouds: {a: {auth: {password: [" SECRET "]}}}", -EINVAL},
		{"clouds: {a: {auth: {password: {x: " SECRET "}}}}", -EINVAL},
		{"clouds: {a: {auth: {password: \"" SECRET "\\n\"}}}", -EINVAL},
		{"clouds: {a: {verify: false}}", -EINVAL},
		{"clouds: {a: &x {<<: *x}}", 0},
		{"clouds: {a: {auth: {password: ~, username: null, auth_url: ''}}}", 0},
		{"clouds: {a: {auth: " SECRET, -EINVAL},
		{"clouds: {a: {auth: \xff\xfe}}", -EINVAL},
		{"\t", -EINVAL},
	};
	struct gm_cloud cloud;
	struct gm_error err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		err.text[0] = '\0';
		assert_int_equal(parse(cases[i].text, "a", &cloud, &err), cases[i].code);
		assert_null(strstr(err.text, SECRET));
		assert_true(cases[i].code == 0 || strncmp(err.text, "c.yaml", 6) == 0);
	}
}

static void put(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	chmod(path, mode);
}

static void test_files_and_options(void **state)
{
	char *directory = *state, path[256], secure[256], secret[256];
	struct gm_cloud_options options = {.cloud = "one"};
	struct gm_cloud cloud;
	struct gm_error err;

	snprintf(path, sizeof(path), "%s/clouds.yaml", directory);
	snprintf(secure, sizeof(secure), "%s/secure.yaml", directory);
	snprintf(secret, sizeof(secret), "%s/secret", directory);
	snprintf(options.clouds_file, sizeof(options.clouds_file), "%s", path);
	assert_int_equal(gm_cloud_resolve(&options, &cloud, &err), -ENOENT);
	put(path, sample, 0644);
	assert_int_equal(gm_cloud_resolve(&options, &cloud, &err), -EACCES);
	chmod(path, 0640);
	assert_int_equal(gm_cloud_resolve(&options, &cloud, &err), 0);
	assert_string_equal(cloud.auth_url, "https://keystone:5000/v3");
	assert_string_equal(cloud.password, SECRET);
	put(secure, "clouds: {one: {auth: {password: stronger}}}", 0600);
	put(secret, "strongest\nsecond line\n", 0600);
	assert_int_equal(gm_cloud_resolve(&options, &cloud, &err), 0);
	assert_string_equal(cloud.password, "stronger");
	snprintf(options.password_file, sizeof(options.password_file), "%s", secret);
	options.interface = 3;
	assert_int_equal(gm_cloud_resolve(&options, &cloud, &err), 0);
	assert_string_equal(cloud.password, "strongest");
	assert_string_equal(cloud.interface, "admin");
	chmod(secret, 0644);
	assert_int_equal(gm_cloud_resolve(&options, &cloud, &err), -EACCES);
	assert_non_null(strstr(err.text, "password-file: "));
	assert_string_equal(cloud.password, "");
	unlink(path);
	unlink(secure);
	unlink(secret);
}

static void test_environment(void **state)
{
	(void)state;
	static const char *const missing[] = {
		"OS_AUTH_URL",
		"http://k:5000",
		"no Keystone is named: say cloud, auth-url or OS_AUTH_URL",
		"OS_USERNAME",
		"agent",
		"no user is named: say user or application-credential",
		"OS_PASSWORD",
		SECRET,
		"the user has no password: say password-file",
		"OS_PROJECT_NAME",
		"telco",
		"no project is named: say project",
	};
	struct gm_cloud_options options = {0};
	struct gm_cloud cloud;
	struct gm_error err;

	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i += 3) {
		assert_int_equal(gm_cloud_resolve(&options, &cloud, &err), -EINVAL);
		assert_string_equal(err.text, missing[i + 2]);
		setenv(missing[i], missing[i + 1], 1);
	}
	assert_int_equal(gm_cloud_resolve(&options, &cloud, &err), 0);
	assert_string_equal(cloud.auth_url, "http://k:5000/v3");
	assert_string_equal(cloud.interface, "public");
	setenv("OS_INTERFACE", "internalURL", 1);
	assert_int_equal(gm_cloud_resolve(&options, &cloud, &err), 0);
	assert_string_equal(cloud.interface, "internal");
	setenv("OS_INTERFACE", "outside", 1);
	assert_int_equal(gm_cloud_resolve(&options, &cloud, &err), -EINVAL);
	unsetenv("OS_INTERFACE");
	setenv("OS_AUTH_URL", "http://user:" SECRET "@k", 1);
	assert_int_equal(gm_cloud_resolve(&options, &cloud, &err), -EINVAL);
	assert_null(strstr(err.text, SECRET));
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i += 3)
		unsetenv(missing[i]);
}

static void expect_auth(const struct gm_cloud *cloud, const char *expected)
{
	struct gm_buffer text = GM_BUFFER_INIT(4096);
	struct gm_json *auth = gm_cloud_auth(cloud);

	assert_int_equal(gm_json_write(auth, 0, &text), 0);
	assert_string_equal(text.data, expected);
	gm_buffer_free(&text);
	gm_json_free(auth);
}

static void test_auth(void **state)
{
	(void)state;
	struct gm_cloud password = {.user_name = "a\"b", .password = "p", .project_name = "t"};
	struct gm_cloud ids = {.user_id = "U", .password = "p", .project_id = "P"};
	struct gm_cloud credential = {.credential_id = "C", .credential_secret = "s"};
	struct gm_cloud named = {.credential_name = "n",
				 .credential_secret = "s",
				 .user_name = "a",
				 .user_domain_name = "D"};

	expect_auth(&password, "{\"auth\":{\"scope\":{\"project\":{\"name\":\"t\",\"domain\":{"
			       "\"id\":\"default\"}}},"
			       "\"identity\":{\"methods\":[\"password\"],\"password\":{\"user\":{"
			       "\"name\":\"a\\\"b\","
			       "\"domain\":{\"id\":\"default\"},\"password\":\"p\"}}}}}");
	expect_auth(&ids,
		    "{\"auth\":{\"scope\":{\"project\":{\"id\":\"P\"}},\"identity\":{\"methods\":"
		    "[\"password\"],\"password\":{\"user\":{\"id\":\"U\",\"password\":\"p\"}}}}}");
	expect_auth(&credential,
		    "{\"auth\":{\"identity\":{\"methods\":[\"application_credential\"],"
		    "\"application_credential\":{\"id\":\"C\",\"secret\":\"s\"}}}}");
	expect_auth(
		&named,
		"{\"auth\":{\"identity\":{\"methods\":[\"application_credential\"],"
		"\"application_credential\":{\"name\":\"n\",\"user\":{\"name\":\"a\",\"domain\":"
		"{\"name\":\"D\"}},\"secret\":\"s\"}}}}");
}

static int make_directory(void **state)
{
	static const char *const variables[] = {"OS_CLOUD",    "OS_CLIENT_CONFIG_FILE",
						"OS_AUTH_URL", "OS_USERNAME",
						"OS_PASSWORD", "OS_PROJECT_NAME"};
	char template[] = "/tmp/gm-cloud-XXXXXX";

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		unsetenv(variables[i]);
	*state = mkdtemp(template) ? strdup(template) : NULL;
	return *state ? 0 : -1;
}

static int remove_directory(void **state)
{
	int rc = rmdir(*state);

	free(*state);
	return rc;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clouds_yaml),
		cmocka_unit_test(test_hostile_clouds_yaml),
		cmocka_unit_test_setup_teardown(test_files_and_options, make_directory,
						remove_directory),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_auth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the configuration: what a file gives, and that each kind of bad file is refused with its
 * line, its key and what is allowed.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/config.h"

/* A directory of the test's own and the file in it. */
struct place {
	char directory[64], path[96];
};

static int setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	*state = place;
	snprintf(place->directory, sizeof(place->directory), "/tmp/gm-config-XXXXXX");
	if (!mkdtemp(place->directory))
		return -1;
	snprintf(place->path, sizeof(place->path), "%s/g.yaml", place->directory);
	return 0;
}

static int teardown(void **state)
{
	struct place *place = *state;

	unlink(place->path);
	rmdir(place->directory);
	free(place);
	return 0;
}

static void put(const struct place *place, const char *text, size_t length)
{
	FILE *file = fopen(place->path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static struct gm_config *load(const struct place *place, const char *text)
{
	struct gm_config *config = NULL;
	struct gm_error err = {.text = ""};

	put(place, text, strlen(text));
	if (gm_config_load(place->path, &config, &err) < 0)
		fail_msg("refused: %s", err.text);
	return config;
}

/* The file is refused with `code`, and its message is "PATH" and then `message`. */
static void refused_bytes(const struct place *place, const char *text, size_t length, int code,
			  const char *message)
{
	struct gm_config *config = NULL;
	struct gm_error err = {.text = ""};
	size_t name = strlen(place->path);

	put(place, text, length);
	assert_int_equal(gm_config_load(place->path, &config, &err), code);
	assert_null(config);
	assert_memory_equal(err.text, place->path, name);
	if (strncmp(err.text + name, message, strlen(message)) != 0)
		fail_msg("expected \"%s…\", got \"%s\"", message, err.text + name);
	assert_true(gm_text_is_utf8(err.text));
}

static void refused(const struct place *place, const char *text, const char *message)
{
	refused_bytes(place, text, strlen(text), -EINVAL, message);
}

static void an_empty_file_gives_the_defaults(void **state)
{
	static const char *const files[] = {"", "# nothing\n", "---\n", "window:\nredis: ~\n"};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct gm_config *config = load(*state, files[i]);

		assert_int_equal(config->window.length, 60 * GM_SECOND);
		assert_int_equal(config->log.level, GM_LOG_NOTICE);
		assert_string_equal(config->state.directory, "/var/lib/guestmon");
		assert_string_equal(config->control.socket, "/run/guestmon/control.sock");
		gm_config_free(config);
	}
}

static void values_arrive_in_their_structs(void **state)
{
	struct gm_config *config = load(*state, "node: {name: cn-1.example}\n"
						"log:\n"
						"  level: 'debug'\n"
						"window:\n"
						"  length: 2m\n"
						"  samples: 5000\n"
						"tap:\n"
						"  enabled: no\n"
						"  interval: 20ms\n"
						"  fold: 200ms\n");

	assert_string_equal(config->node.name, "cn-1.example");
	assert_int_equal(config->log.level, GM_LOG_DEBUG);
	assert_int_equal(config->window.length, 120 * GM_SECOND);
	assert_false(config->tap.enabled);
	assert_int_equal(config->tap.interval, 20 * GM_MILLISECOND);
	assert_int_equal(config->tap.fold, 200 * GM_MILLISECOND);
	assert_int_equal(gm_config_window(config).samples, 5000);
	gm_config_free(config);
}

static void a_node_without_a_name_has_the_hosts(void **state)
{
	struct gm_config *config = load(*state, "node:\n  name: \"\"\n");
	char name[64] = "";

	assert_int_equal(gethostname(name, sizeof(name) - 1), 0);
	assert_string_equal(config->node.name, name);
	gm_config_free(config);
}

static void a_windows_samples_follow_the_shortest_interval(void **state)
{
	struct gm_config *config = load(*state, "window:\n  length: 60s\n"
						"libvirt:\n  interval: 1s\n"
						"host:\n  interval: 500ms\n"
						"tap:\n  interval: 10ms\n  fold: 100ms\n");

	assert_int_equal(gm_config_window(config).samples, 661);
	assert_int_equal(gm_config_window(config).length, 60 * GM_SECOND);
	gm_config_free(config);
}

/* Every option of every section is reached by its own key: the table cannot hold a dead line. */
static void every_option_can_be_set(void **state)
{
	struct gm_config_section section;

	for (size_t i = 0; gm_config_section(NULL, i, &section); i++) {
		for (const struct gm_option *option = section.options; option->key; option++) {
			char text[512];

			snprintf(text, sizeof(text), "%s:\n  %s: \"%s\"\n", section.name,
				 option->key, option->fallback);
			gm_config_free(load(*state, text));
			snprintf(text, sizeof(text), "%s.%s", section.name, option->key);
			assert_non_null(option->help);
			assert_true(strlen(option->help) > 10);
		}
	}
	assert_true(gm_config_section(NULL, 0, &section));
}

static void an_unknown_section_is_refused(void **state)
{
	refused(*state, "log:\n  level: info\n\nwindows:\n  length: 60s\n",
		":4: unknown section \"windows\"; allowed: node, log, state, control, ");
	refused(*state, "\"a\\nb\":\n", ":1: unknown section \"a\\nb\"; allowed: ");
}

static void an_unknown_key_is_refused(void **state)
{
	refused(*state, "log:\n  level: info\nwindow:\n  # comment\n  lenght: 60s\n",
		":5: window: unknown key \"lenght\"; allowed: length, samples");
	refused(*state, "window: {length: 60s,\n  <<: 5}\n", ":2: window: unknown key \"<<\"");
}

static void a_wrong_type_is_refused(void **state)
{
	refused(*state, "window:\n  length: sixty\n",
		":2: window.length: \"sixty\" is not understood; allowed: a duration from 1s to "
		"1d");
	refused(*state, "window:\n  samples: 1.5\n", ":2: window.samples: \"1.5\" is not");
	refused(*state, "window:\n  samples:\n", ":2: window.samples: \"\" is not understood");
	refused(*state, "\n\ntap:\n  enabled: maybe\n", ":4: tap.enabled: \"maybe\" is not");
	refused(*state, "log:\n  level: loud\n",
		":2: log.level: \"loud\" is not known; allowed: one of error, warning, ");
}

static void a_wrong_range_is_refused(void **state)
{
	char text[512];

	refused(*state, "window:\n  samples: 10\n  length: 10ms\n",
		":3: window.length: \"10ms\" is out of range; allowed: a duration from 1s to 1d");
	refused(*state, "window:\n  samples: -1\n", ":2: window.samples: \"-1\" is out of range");
	refused(*state, "window:\n  length: 1e400\n", ":2: window.length: \"1e400\" is not");
	snprintf(text, sizeof(text), "state:\n  directory: /%0300d\n", 0);
	refused(*state, text, ":2: state.directory: \"/0");
}

static void what_cannot_be_reached_is_refused(void **state)
{
	static const char *const wrong[] = {"udp:127.0.0.1:705", "relative",    "tcp:localhost",
					    "tcp::705",          "tcp:[::1]:0", "",
					    "tcp:a:b",           "tcp:a b:1",   "unix:/a"};
	static const char *const right[] = {"/run/agentx", "tcp:127.0.0.1:705", "tcp:localhost:705",
					    "tcp6:[::1]:705"};
	char text[512];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), "snmp:\n  agentx-socket: \"%s\"\n", wrong[i]);
		refused(*state, text, ":2: snmp.agentx-socket: allowed: a path that begins with");
	}
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		snprintf(text, sizeof(text), "snmp:\n  agentx-socket: \"%s\"\n", right[i]);
		gm_config_free(load(*state, text));
	}
	snprintf(text, sizeof(text), "snmp:\n  agentx-socket: /%0107d\n", 0);
	refused(*state, text, ":2: snmp.agentx-socket: allowed: a path that begins with");
	refused(*state, "redis:\n  sentinel-master: windows\n",
		":2: redis.sentinel-master: allowed: a name, where redis.addresses tells");
	gm_config_free(load(*state, "redis: {sentinel-master: windows, addresses: \"[::1]:1\"}\n"));
}

static void a_server_needs_its_users(void **state)
{
	const struct place *place = *state;
	char users[128], text[512], message[512];
	static const char line[] = "nfvo read 0123456789\n";

	refused(place, "server-notifier: {enabled: true}\n",
		":1: server-notifier.enabled: allowed: true where api.enabled is");
	snprintf(users, sizeof(users), "%s/users", place->directory);
	snprintf(text, sizeof(text), "api:\n  enabled: true\n  users: %s\n", users);
	snprintf(message, sizeof(message), ":3: api.users: %s: No such file", users);
	refused(place, text, message);

	int fd = open(users, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, line, sizeof(line) - 1), sizeof(line) - 1);
	assert_int_equal(fchmod(fd, 0644), 0);
	snprintf(message, sizeof(message), ":3: api.users: %s: others than its owner", users);
	refused(place, text, message);
	assert_int_equal(fchmod(fd, 0600), 0);
	close(fd);
	gm_config_free(load(place, text));
	snprintf(text, sizeof(text),
		 "server-notifier: {enabled: true}\napi:\n  enabled: true\n  users: %s\n", users);
	gm_config_free(load(place, text));
	unlink(users);
	gm_config_free(load(place, "api: {enabled: false, users: /nowhere}\n"));
}

static void a_wrong_shape_is_refused(void **state)
{
	refused(*state, "- log\n", ":1: the file holds sections");
	refused(*state, "just words\n", ":1: the file holds sections");
	refused(*state, "log: info\n", ":1: \"log\" stands where a section is expected");
	refused(*state, "log:\n  - level\n", ":2: \"log\" stands where a section is expected");
	refused(*state, "log:\n  level:\n    - info\n", ":3: a key has one value");
	refused(*state, "log:\n  level: {a: b}\n", ":2: a key has one value");
	refused(*state, "log:\n  ? [a]\n  : b\n", ":2: a key is a word");
	refused(*state, "[a]: b\n", ":1: a section is a word");
	refused(*state, "log:\n  level: \"in\\0fo\"\n", ":2: a value may not hold a NUL");
	refused(*state, "log:\n---\nlog:\n", ":2: a second document");
}

static void a_duplicate_is_refused(void **state)
{
	refused(*state, "window:\n  length: 1m\n  length: 2m\n",
		":3: \"length\" is given twice; first in line 2");
	refused(*state, "log:\nwindow:\nlog:\n", ":3: \"log\" is given twice; first in line 1");
}

static void anchors_aliases_and_tags_are_refused(void **state)
{
	refused(*state, "log: &a\n  level: info\n", ":1: anchors, aliases and tags");
	refused(*state, "log:\n  level: &a info\n", ":2: anchors, aliases and tags");
	refused(*state, "log:\n  level: !!int 5\n", ":2: anchors, aliases and tags");
	refused(*state,
		"a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\n"
		"c: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n",
		":1: anchors, aliases and tags");
}

static void broken_yaml_is_refused(void **state)
{
	refused(*state, "log:\n  level: info\n bad\n", ":3: not YAML: ");
	refused(*state, "log:\n  level: \"info\n", ":3: not YAML: ");
	refused(*state, "log: {level: info\n", ":2: not YAML: ");
	refused(*state, "log:\n\tlevel: info\n", ":2: not YAML: ");
	refused(*state, "log:\n  level: *nobody\n", ":2: anchors, aliases and tags");
	refused(*state, "log:\n\n  level: \x01\n", ":3: not YAML: control characters");
}

static void a_text_of_another_kind_is_refused(void **state)
{
	static const char utf16[] = "\xff\xfel\0o\0g\0:\0";

	refused(*state, "log:\n  level: \xc3\x28\n", ":2: not a text in UTF-8");
	refused(*state, "log:\n\n\n# caf\xe9", ":4: not a text in UTF-8");
	refused_bytes(*state, utf16, sizeof(utf16), -EINVAL, ":1: not a text in UTF-8");
	refused_bytes(*state, "log:\n\0\n", 7, -EINVAL, ":2: not a text in UTF-8");
}

static void a_file_that_is_too_large_is_refused(void **state)
{
	size_t length = GM_CONFIG_BYTES + 1;
	char *text = malloc(length + 1);

	assert_non_null(text);
	memset(text, '#', length);
	text[length] = '\0';
	refused_bytes(*state, text, length, -EFBIG, ": larger than 1 MiB");
	text[length - 1] = '\0'; /* one byte less is read: a comment */
	gm_config_free(load(*state, text));
	for (size_t i = 0; i < length; i++)
		text[i] = '[';
	text[4000] = '\0';
	refused(*state, text, ":1: ");
	free(text);
}

static void too_many_keys_are_refused(void **state)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	for (int i = 0; i < 1100; i++)
		fprintf(out, "s%d:\n", i);
	fclose(out);
	refused(*state, text, ":1001: more sections and keys than there are options");
	free(text);
}

static void what_is_no_readable_file_is_refused(void **state)
{
	const struct place *place = *state;
	struct gm_config *config = NULL;
	struct gm_error err;

	assert_int_equal(gm_config_load(place->path, &config, &err), -ENOENT);
	assert_non_null(strstr(err.text, "g.yaml: No such file"));
	assert_int_equal(gm_config_load(place->directory, &config, &err), -EINVAL);
	assert_non_null(strstr(err.text, "not a regular file"));
	assert_int_equal(mkfifo(place->path, 0600), 0);
	assert_int_equal(gm_config_load(place->path, &config, &err), -EINVAL);
	assert_non_null(strstr(err.text, "not a regular file"));
	assert_null(config);
}

static void what_is_no_directory_is_told_with_its_key(void **state)
{
	static const char *const sections[] = {"policy", "outputs"};
	const struct place *place = *state;
	char text[512], message[512];

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		snprintf(text, sizeof(text), "%s:\n  directory: %s\n", sections[i], place->path);
		snprintf(message, sizeof(message), ":2: %s.directory: %s: Not a directory",
			 sections[i], place->path);
		refused_bytes(place, text, strlen(text), -ENOTDIR, message);
	}
}

static void rules_between_options_are_checked(void **state)
{
	refused(*state, "leak:\n  horizon: 1d\n  critical-within: 2h\n",
		":3: leak.critical-within: longer than major-within");
	refused(*state, "leak:\n  major-within: 0\n  critical-within: 2d\n",
		":3: leak.critical-within: longer than minor-within");
	refused(*state, "leak:\n  major-within: 2d\n",
		":2: leak.major-within: longer than minor-within");
	gm_config_free(load(*state, "leak: {minor-within: 0, major-within: 0}\n"));
	gm_config_free(load(*state, "leak: {critical-within: 1h, minor-within: 0}\n"));
	refused(*state, "threshold:\n  metric: load.1\n\n  warning-max: 5\n  failure-max: 4\n",
		":5: threshold.failure-max: below warning-max");
	/* Of what the file leaves out it is the section's line. */
	refused(*state, "log: {}\napi: {certificate: /a}\n", ":2: api.key: allowed: a file");
	refused(*state, "node:\n  name: a b\n", ":2: node.name: allowed: letters");
	refused(*state, "node:\n  name: a{b}\n", ":2: node.name: allowed: letters");
	refused(*state, "state:\n  directory: here\n", ":2: state.directory: allowed: a path");
	refused(*state, "control:\n  socket: \"\"\n", ":2: control.socket: allowed: a path");
	refused(*state, "libvirt:\n  balloon-period: 1500ms\n",
		":2: libvirt.balloon-period: allowed: whole seconds");
	refused(*state, "redis:\n  socket: \"\"\n  host: redis.example\n",
		":3: redis.host: allowed: a numeric address");
	gm_config_free(load(*state, "redis:\n  socket: \"\"\n  host: \"::1\"\n"));
	static const char *const lists[] = {"redis.example:6379",
					    "127.0.0.1:0",
					    "127.0.0.1:65536",
					    "/run/a, relative",
					    "[::1]:x",
					    "127.0.0.1:6379x",
					    ", ,redis",
					    "1.1.1.1:1,1.1.1.1:1,1.1.1.1:1,1.1.1.1:1,1.1.1.1:1,1.1."
					    "1.1:1,1.1.1.1:1,1.1.1.1:1,/9"};
	char text[512];
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		snprintf(text, sizeof(text), "redis:\n  addresses: \"%s\"\n", lists[i]);
		refused(*state, text, ":2: redis.addresses: allowed: up to 8 paths");
	}
	/* Then what it takes the place of is not looked at. */
	gm_config_free(load(*state, "redis:\n  socket: \"\"\n  host: redis.example\n"
				    "  addresses: \"/run/a, 127.0.0.1:6379, [::1]:7000\"\n"));
}

static char *text_of(void (*write)(struct gm_config *config, FILE *out), struct gm_config *config)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	write(config, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static char *sample_text(void)
{
	struct gm_config *defaults;
	char *text;

	assert_int_equal(gm_config_create(&defaults), 0);
	text = text_of(gm_config_sample, defaults);
	gm_config_free(defaults);
	return text;
}

static void what_is_printed_is_read_back(void **state)
{
	struct gm_config *first = load(*state, "state:\n  directory: \"/a \\\"b\\\\ \\tc\\u00e9\"\n"
					       "window:\n  length: 90s\n"
					       "log:\n  level: error\n");
	char *printed = text_of(gm_config_print, first);
	struct gm_config *second = load(*state, printed);
	char *again = text_of(gm_config_print, second);

	assert_string_equal(second->state.directory, "/a \"b\\ \tc\xc3\xa9");
	assert_string_equal(printed, again);
	gm_config_free(first);
	gm_config_free(second);
	free(printed);
	free(again);
}

/* The sample changes nothing, and with the '#' before its keys removed it changes nothing either. */
static void the_sample_holds_the_defaults(void **state)
{
	struct gm_config *config = load(*state, "");
	char *defaults = text_of(gm_config_print, config);
	char *sample = sample_text();

	for (int round = 0; round < 2; round++) {
		struct gm_config *loaded = load(*state, sample);
		char *printed = text_of(gm_config_print, loaded);

		assert_string_equal(printed, defaults);
		gm_config_free(loaded);
		free(printed);
		for (char *mark = sample; (mark = strstr(mark, "\n  #")) != NULL; mark += 4)
			if (mark[4] != ' ')
				mark[3] = ' ';
		for (char *mark = sample; (mark = strstr(mark, "\n   ")) != NULL; mark += 4)
			memmove(mark + 3, mark + 4, strlen(mark + 4) + 1);
	}
	assert_non_null(strstr(sample, "\n  length: 1m\n"));
	gm_config_free(config);
	free(defaults);
	free(sample);
}

/* xorshift64 (Marsaglia 2003), so that every run mutates alike. */
static uint64_t next_random(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

/* A damaged file is read or refused with a message that names it; the sanitizers watch. */
static void damaged_files_are_read_or_refused(void **state)
{
	static const char alphabet[] = "\0\n\t :#-?[]{}&*!|>'\"%@`~,0a\x80\xc3\xff";
	const struct place *place = *state;
	char *sample = sample_text();
	size_t length = strlen(sample);
	uint64_t random = 42;
	int refusals = 0;

	for (char *mark = sample; (mark = strstr(mark, "\n  #")) != NULL; mark += 4)
		if (mark[4] != ' ')
			mark[3] = ' ';
	for (int round = 0; round < 2000; round++) {
		char *text = malloc(length);
		struct gm_config *config = NULL;
		struct gm_error err = {.text = ""};

		assert_non_null(text);
		memcpy(text, sample, length);
		for (uint64_t i = next_random(&random) % 4; i < 4; i++)
			text[next_random(&random) % length] =
				alphabet[next_random(&random) % sizeof(alphabet)];
		put(place, text, length - next_random(&random) % 100);
		if (gm_config_load(place->path, &config, &err) < 0) {
			assert_memory_equal(err.text, place->path, strlen(place->path));
			assert_true(gm_text_is_utf8(err.text));
			refusals++;
		}
		gm_config_free(config);
		free(text);
	}
	assert_in_range(refusals, 100, 1999);
	free(sample);
}

static void assert_sentence(const char *key, const char *help)
{
	size_t length = strlen(help);

	if (length < 2 || help[0] < 'A' || help[0] > 'Z' || !strchr(".)", help[length - 1]))
		fail_msg("%s: \"%s\" is no sentence", key, help);
}

/* They stand in the sample and the manual, one after the other. */
static void help_is_in_sentences(void **state)
{
	struct gm_config_section section, other;

	(void)state;
	for (size_t i = 0; gm_config_section(NULL, i, &section); i++) {
		assert_sentence(section.name, section.help);
		for (const struct gm_option *option = section.options; option->key; option++)
			assert_sentence(option->key, option->help);
		for (size_t k = 0; k < i && gm_config_section(NULL, k, &other); k++)
			assert_string_not_equal(section.help, other.help);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_empty_file_gives_the_defaults),
		TEST(values_arrive_in_their_structs),
		TEST(a_node_without_a_name_has_the_hosts),
		TEST(a_windows_samples_follow_the_shortest_interval),
		TEST(every_option_can_be_set),
		TEST(an_unknown_section_is_refused),
		TEST(an_unknown_key_is_refused),
		TEST(a_wrong_type_is_refused),
		TEST(a_wrong_range_is_refused),
		TEST(what_cannot_be_reached_is_refused),
		TEST(a_server_needs_its_users),
		TEST(a_wrong_shape_is_refused),
		TEST(a_duplicate_is_refused),
		TEST(anchors_aliases_and_tags_are_refused),
		TEST(broken_yaml_is_refused),
		TEST(a_text_of_another_kind_is_refused),
		TEST(a_file_that_is_too_large_is_refused),
		TEST(too_many_keys_are_refused),
		TEST(what_is_no_readable_file_is_refused),
		TEST(what_is_no_directory_is_told_with_its_key),
		TEST(rules_between_options_are_checked),
		TEST(what_is_printed_is_read_back),
		TEST(the_sample_holds_the_defaults),
		TEST(help_is_in_sentences),
		TEST(damaged_files_are_read_or_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

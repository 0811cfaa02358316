/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of targets and credentials; see list.h. Read when the source opens.
 */
#include "source/snmp/list.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/option.h"
#include "base/text.h"
#include "source/snmp/lines.h"
#include "source/snmp/secure.h"

enum { SNMP_PORT = 161 };

struct reader {
	struct gm_snmp_list *list;
	size_t capacity;
	struct gm_error *err; /* of the present line */
};

/* Room for one more in a list that grows; NULL: out of memory. Zeroed. */
static void *grow(void **list, size_t count, size_t *capacity, size_t size)
{
	if (count == *capacity) {
		size_t wanted = *capacity ? 2 * *capacity : 16;
		void *larger = calloc(wanted, size);

		if (larger == NULL) {
			return NULL;
		}
		if (count > 0) {
			memcpy(larger, *list, count * size);
			explicit_bzero(*list, count * size);
		}
		free(*list);
		*list = larger;
		*capacity = wanted;
	}
	return (char *)*list + count * size;
}

static bool copy_word(char *target, size_t size, const char *word)
{
	if (strlen(word) >= size) {
		return false;
	}
	gm_text_copy(target, size, word);
	return true;
}

static bool copy_passphrase(char target[GM_SNMP_SECRET], const char *word)
{
	return strlen(word) >= 8 && copy_word(target, GM_SNMP_SECRET, word);
}

static int find_version(const char *word)
{
	static const struct {
		const char *word;
		int version;
	} versions[] = {{"v1", GM_SNMP_V1}, {"v2c", GM_SNMP_V2C}, {"v3", GM_SNMP_V3}};

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		if (strcmp(word, versions[i].word) == 0) {
			return versions[i].version;
		}
	}
	return -1;
}

/* NAME v3 USER DIGEST PASSPHRASE [AES PASSPHRASE] */
static int take_v3(struct reader *reader, struct gm_snmp_credential *credential, char **words,
		   size_t count)
{
	static const char *const digests[][2] = {{"SHA", "SHA1"},
						 {"SHA-224", "SHA224"},
						 {"SHA-256", "SHA256"},
						 {"SHA-384", "SHA384"},
						 {"SHA-512", "SHA512"}};

	bool whole = count == 5 || (count == 7 && strcmp(words[5], "AES") == 0);

	for (size_t i = 0; whole && i < sizeof(digests) / sizeof(digests[0]); i++) {
		if (strcmp(words[3], digests[i][0]) == 0) {
			gm_text_copy(credential->digest, sizeof(credential->digest), digests[i][1]);
		}
	}
	if (credential->digest[0] == '\0') {
		return gm_error_set(reader->err, -EINVAL,
				    "v3 takes USER SHA|SHA-224|SHA-256|SHA-384|SHA-512 PASSPHRASE "
				    "[AES PASSPHRASE]");
	}
	if (!copy_passphrase(credential->authentication, words[4]) ||
	    (count == 7 && !copy_passphrase(credential->privacy, words[6]))) {
		return gm_error_set(reader->err, -EINVAL, "a passphrase has 8 to %d characters",
				    GM_SNMP_SECRET - 1);
	}
	if (gm_snmp_keys_master(credential) < 0) {
		return gm_error_set(reader->err, -ENOMEM, "no keys can be made");
	}
	return 0;
}

static int take_write(struct reader *reader, struct gm_snmp_credential *credential, char **words,
		      size_t count)
{
	if (count == 3) {
		return 0;
	}
	if (count != 4 || strncmp(words[3], "write=", 6) != 0 ||
	    !copy_word(credential->write, GM_SNMP_SECRET, words[3] + 6)) {
		return gm_error_set(reader->err, -EINVAL,
				    "v1 and v2c take a community and write=COMMUNITY");
	}
	return 0;
}

static int take_credential(void *user, unsigned number, char **words, size_t count,
			   struct gm_error *err)
{
	struct reader *reader = user;
	struct gm_snmp_list *list = reader->list;
	struct gm_snmp_credential *credential =
		grow((void **)&list->credentials, list->credential_count, &reader->capacity,
		     sizeof(*credential));
	int version = count >= 3 ? find_version(words[1]) : -1;

	(void)number; /* nobody has to find the line later */
	reader->err = err;
	if (credential == NULL) {
		return gm_error_set(reader->err, -ENOMEM, "out of memory");
	}
	if (version < 0 || !copy_word(credential->name, GM_SNMP_SECRET, words[0]) ||
	    !copy_word(credential->community, GM_SNMP_SECRET, words[2])) {
		return gm_error_set(reader->err, -EINVAL,
				    "expected NAME v1|v2c|v3 and a community or user of at most %d "
				    "characters",
				    GM_SNMP_SECRET - 1);
	}
	credential->version = version;
	list->credential_count++;
	return version == GM_SNMP_V3 ? take_v3(reader, credential, words, count)
				     : take_write(reader, credential, words, count);
}

static bool parse_port(const char *text, in_port_t *ret_port)
{
	char *end;
	long port = strtol(text, &end, 10);

	*ret_port = htons((uint16_t)port);
	return *text != '\0' && *end == '\0' && port > 0 && port < 65536;
}

/*
 * Cuts 10.0.0.1, 10.0.0.1:161, fe80::1, [fe80::1] or [fe80::1]:161 in two. *ret_port is NULL where none
 * is named.
 */
static bool split_address(const char *text, char *host, size_t size, const char **ret_port)
{
	const char *colon = strchr(text, ':'), *end;

	if (*text == '[') {
		end = strchr(++text, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':')) {
			return false;
		}
		*ret_port = end[1] == ':' ? end + 2 : NULL;
	} else if (colon && strchr(colon + 1, ':') == NULL) {
		end = colon;
		*ret_port = colon + 1;
	} else {
		end = text + strlen(text);
		*ret_port = NULL;
	}
	if ((size_t)(end - text) >= size) {
		return false;
	}
	memcpy(host, text, (size_t)(end - text));
	host[end - text] = '\0';
	return true;
}

bool gm_snmp_list_address(const char *text, struct sockaddr_storage *ret_address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret_address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_address;
	in_port_t port_number = htons(SNMP_PORT);
	const char *port;
	char host[64];

	if (!split_address(text, host, sizeof(host), &port) ||
	    (port && !parse_port(port, &port_number))) {
		return false;
	}
	memset(ret_address, 0, sizeof(*ret_address));
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = port_number;
		return true;
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = port_number;
	return inet_pton(AF_INET6, host, &v6->sin6_addr) == 1;
}

static bool find_credential(const struct gm_snmp_list *list, const char *name, size_t *ret_index)
{
	for (size_t i = 0; i < list->credential_count; i++) {
		if (strcmp(list->credentials[i].name, name) == 0) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

static int take_netns(struct reader *reader, struct gm_snmp_line *line, const char *value)
{
	return copy_word(line->netns, sizeof(line->netns), value)
		       ? 0
		       : gm_error_set(reader->err, -EINVAL, "the path is too long");
}

static int take_project(struct reader *reader, struct gm_snmp_line *line, const char *value)
{
	return *value != '\0' && copy_word(line->project, sizeof(line->project), value)
		       ? 0
		       : gm_error_set(reader->err, -EINVAL,
				      "a project's pattern has 1 to %zu octets",
				      sizeof(line->project) - 1);
}

static int take_within(struct reader *reader, struct gm_snmp_line *line, const char *value)
{
	return line->nova ? gm_snmp_networks_parse(value, &line->within, reader->err)
			  : gm_error_set(reader->err, -EINVAL, "within= is for the word nova");
}

static int take_extra(struct reader *reader, struct gm_snmp_line *line, const char *word)
{
	static const struct gm_option table[] = {{.key = "interval",
						  .type = GM_OPTION_DURATION,
						  GM_OPTION_AT(struct gm_snmp_line, interval),
						  .min = 10e6,
						  .max = 86400e9,
						  .fallback = "1s",
						  .help = "interval"},
						 GM_OPTION_END};
	static const struct {
		const char *key;
		int (*take)(struct reader *reader, struct gm_snmp_line *line, const char *value);
	} extras[] = {{"netns=", take_netns}, {"project=", take_project}, {"within=", take_within}};

	for (size_t i = 0; i < sizeof(extras) / sizeof(extras[0]); i++) {
		size_t length = strlen(extras[i].key);

		if (strncmp(word, extras[i].key, length) == 0) {
			return extras[i].take(reader, line, word + length);
		}
	}
	return gm_option_set(table, line, "interval", word, reader->err);
}

/* A numeric address, or the word nova; with :PORT or not. */
static bool take_address(struct gm_snmp_line *line, const char *word)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&line->address;

	if (strcmp(word, "nova") != 0 && strncmp(word, "nova:", 5) != 0) {
		return gm_snmp_list_address(word, &line->address);
	}
	line->nova = true;
	v4->sin_port = htons(SNMP_PORT);
	return word[4] == '\0' || parse_port(word + 5, &v4->sin_port);
}

static int take_target(void *user, unsigned number, char **words, size_t count,
		       struct gm_error *err)
{
	struct reader *reader = user;
	struct gm_snmp_list *list = reader->list;
	struct gm_snmp_line *line;
	int rc = 0;

	reader->err = err;
	if (count < 3 || count > 7) {
		return gm_error_set(reader->err, -EINVAL,
				    "expected GUEST ADDRESS[:PORT] CREDENTIAL [INTERVAL] "
				    "[netns=PATH] [project=PATTERN] [within=NETWORK,...]");
	}
	if (list->line_count == GM_SNMP_LINES_MAX) {
		return gm_error_set(reader->err, -EFBIG, "more than %d targets", GM_SNMP_LINES_MAX);
	}
	line = grow((void **)&list->lines, list->line_count, &reader->capacity, sizeof(*line));
	if (line == NULL) {
		return gm_error_set(reader->err, -ENOMEM, "out of memory");
	}
	list->line_count++;
	line->number = number;
	line->is_uuid = gm_uuid_parse(words[0], line->uuid) == 0;
	if (!copy_word(line->guest, sizeof(line->guest), words[0])) {
		return gm_error_set(reader->err, -EINVAL, "the guest's name is too long");
	}
	if (!take_address(line, words[1])) {
		return gm_error_set(reader->err, -EINVAL,
				    "the second word is a numeric address or nova, with :PORT or "
				    "not");
	}
	if (!find_credential(list, words[2], &line->credential)) {
		return gm_error_set(reader->err, -EINVAL, "no credential has that name");
	}
	for (size_t i = 3; i < count && rc == 0; i++) {
		rc = take_extra(reader, line, words[i]);
	}
	if (rc == 0 && line->nova && line->within.count == 0) {
		rc = gm_error_set(reader->err, -EINVAL,
				  "nova takes within=NETWORK,...: addresses are taken from there "
				  "only");
	}
	return rc;
}

int gm_snmp_list_read(const char *targets, const char *credentials, struct gm_snmp_list *ret_list,
		      struct gm_error *err)
{
	struct gm_snmp_list list = {0};
	struct reader reader = {.list = &list};
	struct gm_snmp_lines lines = {.secret = true, .take = take_credential, .user = &reader};
	int rc = gm_snmp_lines_read(credentials, &lines, err);

	if (rc == 0) {
		reader.capacity = 0;
		lines = (struct gm_snmp_lines){.take = take_target, .user = &reader};
		rc = gm_snmp_lines_read(targets, &lines, err);
	}
	if (rc < 0) {
		gm_snmp_list_free(&list);
		return rc;
	}
	*ret_list = list;
	return 0;
}

void gm_snmp_list_free(struct gm_snmp_list *list)
{
	if (list->credentials) {
		explicit_bzero(list->credentials,
			       list->credential_count * sizeof(*list->credentials));
	}
	free(list->credentials);
	free(list->lines);
	*list = (struct gm_snmp_list){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of users and the Authorization header; see users.h. Called by server.c.
 */
#include "north/api/users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

enum { LINE = 512, CREDENTIALS = GM_API_NAME + GM_API_SECRET };

struct gm_api_users {
	size_t count;
	struct gm_api_user users[GM_API_USERS];
};

/* A word of `line` cut off in place; empty at the end. */
static char *take_word(char **line)
{
	char *word = *line + strspn(*line, " \t\r\n");
	size_t length = strcspn(word, " \t\r\n");
	*line = word + length;
	if (**line != '\0')
		*(*line)++ = '\0';
	return word;
}

static int parse_line(char *line, struct gm_api_users *users)
{
	char *name = take_word(&line);
	if (name[0] == '\0' || name[0] == '#')
		return 0;
	char *role = take_word(&line), *secret = take_word(&line);
	bool writes = strcmp(role, "write") == 0;
	if ((!writes && strcmp(role, "read") != 0) || strlen(name) >= GM_API_NAME ||
	    strchr(name, ':') || !gm_text_is_utf8(name) || strlen(secret) < GM_API_SECRET_MIN ||
	    strlen(secret) >= GM_API_SECRET || take_word(&line)[0] != '\0' ||
	    users->count == GM_API_USERS)
		return -EINVAL;
	struct gm_api_user *user = &users->users[users->count++];
	user->role = writes ? GM_API_WRITE : GM_API_READ;
	gm_text_copy(user->name, sizeof(user->name), name);
	memcpy(user->secret, secret, strlen(secret));
	return 0;
}

static int parse(FILE *file, const char *path, struct gm_api_users *users, struct gm_error *err)
{
	char line[LINE];
	int number = 0, result = 0;
	while (result == 0 && fgets(line, sizeof(line), file)) {
		number++;
		size_t length = strlen(line);
		bool whole = (length > 0 && line[length - 1] == '\n') || feof(file);
		if (!whole || parse_line(line, users) < 0)
			result = gm_error_set(err, -EINVAL,
					      "%s:%d: not \"NAME read|write SECRET\" with a secret "
					      "of %d to %d characters, at most %d users",
					      path, number, GM_API_SECRET_MIN, GM_API_SECRET - 1,
					      GM_API_USERS);
	}
	explicit_bzero(line, sizeof(line));
	if (result == 0 && ferror(file))
		return gm_error_set(err, -EIO, "%s: it cannot be read", path);
	if (result == 0 && users->count == 0)
		return gm_error_set(err, -EINVAL, "%s: there is no user in it", path);
	return result;
}

int gm_api_users_read(const char *path, struct gm_api_users **ret_users, struct gm_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	if (fd < 0 || fstat(fd, &status) < 0) {
		int code = -errno;
		if (fd >= 0)
			close(fd);
		return gm_error_set(err, code, "%s: %s", path, strerror(-code));
	}
	FILE *file = NULL;
	struct gm_api_users *users = NULL;
	int result = -ENOMEM;
	if (!S_ISREG(status.st_mode))
		result = gm_error_set(err, -EINVAL, "%s: not a file", path);
	else if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		result = gm_error_set(err, -EACCES,
				      "%s: others than its owner may use it: chmod 600 %s", path,
				      path);
	else if (!(users = calloc(1, sizeof(*users))) || !(file = fdopen(fd, "r")))
		gm_error_set(err, result, "out of memory");
	else
		result = parse(file, path, users, err);
	if (file)
		fclose(file);
	else
		close(fd);
	if (result < 0)
		gm_api_users_free(users);
	else
		*ret_users = users;
	return result;
}

void gm_api_users_free(struct gm_api_users *users)
{
	if (!users)
		return;
	explicit_bzero(users, sizeof(*users));
	free(users);
}

/* RFC 4648, section 4. The length, or -1. */
static int decode_base64(const char *text, char *bytes, size_t size)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	unsigned count = 0;
	size_t length = 0, digits = 0;
	for (; *text != '\0' && *text != '='; text++, digits++) {
		const char *found = strchr(letters, *text);
		if (!found)
			return -1;
		bits = bits << 6 | (uint32_t)(found - letters);
		count += 6;
		if (count < 8)
			continue;
		count -= 8;
		if (length + 1 >= size)
			return -1;
		bytes[length++] = (char)(bits >> count & 0xFF);
	}
	digits += strspn(text, "=");
	bytes[length] = '\0';
	return digits % 4 == 0 && text[strspn(text, "=")] == '\0' ? (int)length : -1;
}

/* 1 when equal; looks at every byte of both, whatever they hold. */
static unsigned same_secret(const char secret[GM_API_SECRET], const char given[GM_API_SECRET])
{
	unsigned difference = 0;
	for (size_t i = 0; i < GM_API_SECRET; i++)
		difference |= (unsigned char)secret[i] ^ (unsigned char)given[i];
	return difference == 0;
}

/* `name` NULL: any. */
static const struct gm_api_user *find(const struct gm_api_users *users, const char *name,
				      const char *secret)
{
	char given[GM_API_SECRET] = {0};
	const struct gm_api_user *found = NULL;
	size_t length = strlen(secret);
	if (length < GM_API_SECRET_MIN || length >= sizeof(given))
		return NULL;
	memcpy(given, secret, length);
	for (size_t i = 0; i < users->count; i++) {
		bool named = !name || strcmp(users->users[i].name, name) == 0;
		if (same_secret(users->users[i].secret, given) && named)
			found = &users->users[i];
	}
	explicit_bzero(given, sizeof(given));
	return found;
}

const struct gm_api_user *gm_api_users_find(const struct gm_api_users *users,
					    const char *authorization)
{
	static const char bearer[] = "Bearer ", basic[] = "Basic ";
	const struct gm_api_user *user = NULL;
	char credentials[CREDENTIALS];
	if (!authorization)
		return NULL;
	if (strncasecmp(authorization, bearer, sizeof(bearer) - 1) == 0)
		return find(users, NULL, authorization + sizeof(bearer) - 1);
	if (strncasecmp(authorization, basic, sizeof(basic) - 1) != 0)
		return NULL;
	int length =
		decode_base64(authorization + sizeof(basic) - 1, credentials, sizeof(credentials));
	char *colon = length > 0 ? memchr(credentials, ':', (size_t)length) : NULL;
	if (colon && strlen(credentials) == (size_t)length) {
		*colon = '\0';
		user = find(users, credentials, colon + 1);
	}
	explicit_bzero(credentials, sizeof(credentials));
	return user;
}

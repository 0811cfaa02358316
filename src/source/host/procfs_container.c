/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc tells of containers taken apart; see procfs_container.h. Called by host/processes.c. */
#include "source/host/procfs_container.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* The argument at *at, which the kernel ends with a NUL; one that is cut is none. */
static const char *next_argument(const char **at, const char *end)
{
	const char *argument = *at;
	const char *nul = argument < end ? memchr(argument, '\0', (size_t)(end - argument)) : NULL;

	if (nul == NULL) {
		return NULL;
	}
	*at = nul + 1;
	return argument;
}

int gm_procfs_parse_container(const char *text, size_t length, char name[GM_NAME_SIZE])
{
	const char *at = text, *end = text + length;
	const char *argument = next_argument(&at, end);

	if (argument == NULL) {
		return -ENOENT;
	}
	const char *slash = strrchr(argument, '/');
	if (strcmp(slash != NULL ? slash + 1 : argument, "libvirt_lxc") != 0) {
		return -ENOENT;
	}
	while ((argument = next_argument(&at, end)) != NULL) {
		if (strcmp(argument, "--name") != 0) {
			continue;
		}
		argument = next_argument(&at, end);
		if (argument == NULL || *argument == '\0') {
			return -ENOENT;
		}
		gm_text_copy(name, GM_NAME_SIZE, argument);
		return 0;
	}
	return -ENOENT;
}

/* What follows `name` in its line, in *ret_value up to the result; NULL: there is no such finished line. */
static const char *find_line(const char *text, size_t length, const char *name,
			     const char **ret_value)
{
	const char *end = text + length, *next;
	size_t size = strlen(name);

	for (const char *line = text; line < end; line = next + 1) {
		next = memchr(line, '\n', (size_t)(end - line));
		if (next == NULL) {
			return NULL;
		}
		if ((size_t)(next - line) > size && memcmp(line, name, size) == 0) {
			*ret_value = line + size;
			return next;
		}
	}
	return NULL;
}

/* Numbers between blanks, which are counted; false where one is not zero, or is none. */
static unsigned count_numbers(const char *at, const char *end, bool *ret_zeros)
{
	unsigned count = 0;

	*ret_zeros = true;
	while (at < end) {
		const char *first = at;

		while (at < end && *at != '\t' && *at != ' ') {
			*ret_zeros = *ret_zeros && *at == '0';
			at++;
		}
		count += at > first;
		at += at < end;
	}
	return count;
}

bool gm_procfs_is_trusted(const char *text, size_t length)
{
	const char *value, *end;
	bool zeros;

	/* The name, which comes first, holds no line's end: the kernel writes it as \n. */
	end = find_line(text, length, "Uid:", &value);
	if (end == NULL || count_numbers(value, end, &zeros) == 0 || !zeros) {
		return false;
	}
	end = find_line(text, length, "NSpid:", &value);
	return end != NULL && count_numbers(value, end, &zeros) == 1;
}

static bool begins(const char *at, const char *end, const char *with)
{
	size_t size = strlen(with);

	return (size_t)(end - at) >= size && memcmp(at, with, size) == 0;
}

/* One part of a path: "lxc-12-name.libvirt-lxc", or as systemd writes it. */
static bool is_of_container(const char *at, const char *end)
{
	static const char tail[] = ".libvirt-lxc";
	size_t size = sizeof(tail) - 1;

	return begins(at, end, "machine-lxc\\x2d") ||
	       (begins(at, end, "lxc-") && (size_t)(end - at) > size &&
		memcmp(end - size, tail, size) == 0);
}

bool gm_procfs_in_container(const char *text, size_t length)
{
	const char *end = text + length;
	const char *part = text;

	for (const char *at = text; at < end; at++) {
		if (*at != '/' && *at != '\n') {
			continue;
		}
		if (is_of_container(part, at)) {
			return true;
		}
		part = at + 1;
	}
	return false;
}

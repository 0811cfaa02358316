/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs snmpget in a directory of its own; see snmpget.h.
 */
#include "cli/snmpget.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

enum { NAMES_MAX = 8, PROGRAM_MISSING = 127, PLACE = sizeof("/tmp/guestmonctl-XXXXXX") + 16 };

/* A directory that holds nothing but the credentials, under the name that the library looks for. */
static int make_place(char place[PLACE], const char *credentials, struct gm_error *err)
{
	char real[PATH_MAX], link[PLACE + 16];
	if (!realpath(credentials, real) || access(real, R_OK) < 0)
		return gm_error_set(err, -errno, "%s: %s", credentials, strerror(errno));
	snprintf(place, PLACE, "/tmp/guestmonctl-XXXXXX");
	if (!mkdtemp(place))
		return gm_error_set(err, -errno, "/tmp: %s", strerror(errno));
	snprintf(link, sizeof(link), "%s/snmp.conf", place);
	if (symlink(real, link) < 0)
		return gm_error_set(err, -errno, "%s: %s", link, strerror(errno));
	snprintf(link, sizeof(link), "%s/cert_indexes", place); /* it would tell that it makes it */
	mkdir(link, 0700);
	return 0;
}

/* With what the library makes in its directory, whatever is asked of it. */
static void remove_place(const char *place)
{
	static const char *const inside[] = {"/snmp.conf", "/cert_indexes", "/mib_indexes", ""};
	char path[PLACE + 16];
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", place, inside[i]);
		remove(path);
	}
}

/* Both of its outputs go to `output`, whose text ends with a zero. */
static int read_all(int fd, struct gm_buffer *output)
{
	char piece[4096];
	ssize_t n;
	while ((n = read(fd, piece, sizeof(piece))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			gm_buffer_append(output, piece, (size_t)n);
	return output->failed ? -ENOMEM : 0;
}

static int start(char *const *arguments, char *const *environment, int output, pid_t *ret_child)
{
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	int error = posix_spawnp(ret_child, arguments[0], &actions, NULL, arguments, environment);
	posix_spawn_file_actions_destroy(&actions);
	return -error;
}

static int run(char *const *arguments, char *const *environment, struct gm_buffer *output,
	       int *ret_status)
{
	int ends[2];
	pid_t child;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	int result = start(arguments, environment, ends[1], &child);
	close(ends[1]);
	if (result == 0) {
		result = read_all(ends[0], output);
		while (waitpid(child, ret_status, 0) < 0 && errno == EINTR)
			;
	}
	close(ends[0]);
	return result;
}

/* The last line that says something, without what snmpget says of its directories. */
static int failed(const struct gm_buffer *output, struct gm_error *err)
{
	const char *text = output->length > 0 ? output->data : "";
	size_t end = output->length, begin;
	char line[256], quoted[256];
	while (end > 0 && text[end - 1] == '\n')
		end--;
	for (begin = end; begin > 0 && text[begin - 1] != '\n';)
		begin--;
	snprintf(line, sizeof(line), "%.*s", (int)(end - begin), text + begin);
	gm_text_quote(quoted, sizeof(quoted), line);
	return gm_error_set(err, -EREMOTEIO, "%s", line[0] ? quoted : "it says nothing");
}

int gm_snmpget(const char *credentials, const char *agent, const char *const *names,
	       struct gm_buffer *ret_output, struct gm_error *err)
{
	char place[PLACE], configuration[PLACE + 32], state[PLACE + 32], path[4096];
	const char *inherited = getenv("PATH");
	int result = make_place(place, credentials, err);
	if (result < 0)
		return result;
	snprintf(configuration, sizeof(configuration), "SNMPCONFPATH=%s", place);
	snprintf(state, sizeof(state), "SNMP_PERSISTENT_DIR=%s", place);
	snprintf(path, sizeof(path), "PATH=%s", inherited ? inherited : "/usr/bin:/bin");
	const char *environment[] = {configuration, state, path, "MIBS=", "LC_ALL=C", NULL};
	const char *arguments[10 + NAMES_MAX] = {"snmpget", "-Oqv", "-t", "2", "-r", "1", agent};
	for (size_t i = 0, at = 7; names[i] && i < NAMES_MAX; i++)
		arguments[at++] = names[i];

	int status = 0;
	result = run((char *const *)arguments, (char *const *)environment, ret_output, &status);
	remove_place(place);
	if (result == -ENOENT || (WIFEXITED(status) && WEXITSTATUS(status) == PROGRAM_MISSING))
		return gm_error_set(err, -ENOENT, "snmpget is not installed: package snmp");
	if (result < 0)
		return gm_error_set(err, result, "snmpget: %s", strerror(-result));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : failed(ret_output, err);
}

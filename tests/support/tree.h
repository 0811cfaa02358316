/* SPDX-License-Identifier: Apache-2.0 */
/* Files and folders of the test's own, and their removal. For cmocka tests; include after <cmocka.h>. */
#ifndef GM_TEST_TREE_H
#define GM_TEST_TREE_H

#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Writes the file `name` below `root` anew and makes its folders. */
static inline void put_file(const char *root, const char *name, const char *text, size_t length)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, length), (ssize_t)length);
	close(fd);
}

static inline void put_text(const char *root, const char *name, const char *text)
{
	put_file(root, name, text, strlen(text));
}

static inline void drop_tree(const char *path)
{
	char *words[] = {(char[]){"rm"}, (char[]){"-r"}, (char *)(uintptr_t)path, NULL};
	pid_t pid;

	assert_int_equal(posix_spawnp(&pid, "rm", NULL, NULL, words, environ), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

#endif

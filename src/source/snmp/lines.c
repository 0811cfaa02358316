/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines and words; see lines.h. Used by list.c and oids.c.
 */
#include "source/snmp/lines.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { LINE_BYTES = 1024, WORDS = 8 };

/* Cuts a line into words; returns how many, WORDS + 1 when there are more. */
static size_t cut(char *line, char *words[WORDS])
{
	size_t count = 0;
	char *rest = NULL;

	for (char *word = strtok_r(line, " \t\r\n", &rest); word;
	     word = strtok_r(NULL, " \t\r\n", &rest)) {
		if (count == WORDS) {
			return WORDS + 1;
		}
		words[count++] = word;
	}
	return count;
}

static int read_lines(const struct gm_snmp_lines *lines, FILE *file, const char *path,
		      struct gm_error *err)
{
	char text[LINE_BYTES], *words[WORDS];
	unsigned number = 0;
	int rc = 0;

	while (rc == 0 && fgets(text, sizeof(text), file)) {
		number++;
		if (strchr(text, '\n') == NULL && !feof(file)) {
			rc = gm_error_set(err, -EINVAL, "the line is too long");
			break;
		}
		size_t count = cut(text, words);

		if (count > WORDS) {
			rc = gm_error_set(err, -EINVAL, "too many words");
		} else if (count > 0 && words[0][0] != '#') {
			rc = lines->take(lines->user, number, words, count, err);
		}
	}
	explicit_bzero(text, sizeof(text));
	return rc < 0 ? gm_error_prefix(err, rc, "%s:%u", path, number) : 0;
}

int gm_snmp_lines_read(const char *path, const struct gm_snmp_lines *lines, struct gm_error *err)
{
	FILE *file = fopen(path, "re");
	struct stat status;
	int rc;

	if (file == NULL) {
		rc = -errno;
		return gm_error_set(err, rc, "%s: %s", path, strerror(-rc));
	}
	if (lines->secret && (fstat(fileno(file), &status) < 0 || status.st_mode & 077)) {
		rc = gm_error_set(err, -EACCES, "%s: others than its owner may use it; chmod 0600",
				  path);
	} else {
		rc = read_lines(lines, file, path, err);
	}
	fclose(file);
	return rc;
}

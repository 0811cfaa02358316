/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/cgroup taken apart; see procfs.h. Its fields are separated by colons, and a path may hold
 * anything, so that it shares nothing with the other files of /proc. Called by host/cgroup.c.
 */
#include <string.h>

#include "source/host/procfs.h"

struct span {
	const char *at, *end;
};

/* The next finished line of `rest`, which then begins behind it. */
static bool next_line(struct span *rest, struct span *ret_line)
{
	const char *end = memchr(rest->at, '\n', (size_t)(rest->end - rest->at));

	if (end == NULL) {
		return false;
	}
	*ret_line = (struct span){rest->at, end};
	rest->at = end + 1;
	return true;
}

/* Whether `list` has `name` between its commas. */
static bool list_has(struct span list, const char *name)
{
	size_t length = strlen(name);

	while (list.at < list.end) {
		const char *comma = memchr(list.at, ',', (size_t)(list.end - list.at));
		const char *end = comma != NULL ? comma : list.end;

		if ((size_t)(end - list.at) == length && memcmp(list.at, name, length) == 0) {
			return true;
		}
		list.at = comma != NULL ? comma + 1 : list.end;
	}
	return false;
}

/* Cuts what stands before the next colon off the line; false when there is none. */
static bool cut_field(struct span *line, struct span *ret_field)
{
	const char *colon = memchr(line->at, ':', (size_t)(line->end - line->at));

	if (colon == NULL) {
		return false;
	}
	*ret_field = (struct span){line->at, colon};
	line->at = colon + 1;
	return true;
}

static bool is_meant(struct span id, struct span controllers, const char *controller)
{
	if (controller != NULL) {
		return list_has(controllers, controller);
	}
	return id.end - id.at == 1 && *id.at == '0' && controllers.at == controllers.end;
}

/* Whether a part of it is "..", as where the group is not below that of the reader's namespace. */
static bool leads_out(struct span path)
{
	static const char up[] = "/..";

	while ((size_t)(path.end - path.at) >= sizeof(up) - 1) {
		const char *found =
			memmem(path.at, (size_t)(path.end - path.at), up, sizeof(up) - 1);

		if (found == NULL) {
			return false;
		}
		path.at = found + sizeof(up) - 1;
		if (path.at == path.end || *path.at == '/') {
			return true;
		}
	}
	return false;
}

static bool copy_path(struct span line, char path[GM_PROCFS_CGROUP_PATH])
{
	size_t size = (size_t)(line.end - line.at);

	if (size == 0 || size >= GM_PROCFS_CGROUP_PATH || *line.at != '/' ||
	    memchr(line.at, '\0', size) != NULL || leads_out(line)) {
		return false;
	}
	memcpy(path, line.at, size);
	path[size] = '\0';
	return true;
}

bool gm_procfs_parse_cgroup(const char *text, size_t length, const char *controller,
			    char path[GM_PROCFS_CGROUP_PATH])
{
	struct span rest = {text, text + length};
	struct span line, id, controllers;

	while (length > 0 && next_line(&rest, &line)) {
		if (cut_field(&line, &id) && cut_field(&line, &controllers) &&
		    is_meant(id, controllers, controller)) {
			return copy_path(line, path);
		}
	}
	return false;
}

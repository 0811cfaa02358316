/* SPDX-License-Identifier: Apache-2.0 */
/* The processes below one; see family.h. Called by host/container.c. */
#include "source/host/family.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/host/files.h"
#include "source/host/procfs.h"
#include "source/host/procfs_container.h"

struct member {
	int pid;
	bool known; /* the two below hold */
	uint64_t start_time, cpu_ticks;
};

struct gm_host_family {
	const char *proc;
	struct member members[GM_HOST_FAMILY_MAX]; /* the eldest first */
	size_t count;
	unsigned threads; /* looked at in a search */
	bool crowded;
	bool failed; /* a search: somebody may be missing */
	uint64_t cpu_ticks;
	bool searched;
	/* In clock ticks: the last two searches (0: not known), and the start of the youngest ever read. */
	uint64_t searched_at, searched_before, newest;
};

struct gm_host_family *gm_host_family_create(const char *proc, int pid)
{
	struct gm_host_family *family = calloc(1, sizeof(*family));

	if (family != NULL) {
		family->proc = proc;
		family->members[0].pid = pid;
		family->count = 1;
	}
	return family;
}

void gm_host_family_free(struct gm_host_family *family)
{
	free(family);
}

static const struct member *find(const struct gm_host_family *family, int pid)
{
	for (size_t i = 0; i < family->count; i++) {
		if (family->members[i].pid == pid) {
			return &family->members[i];
		}
	}
	return NULL;
}

/*
 * Takes one that is found: with what is known of it, if it was there before. One whose parent has ended
 * may be found below two.
 */
static void take(struct gm_host_family *found, const struct gm_host_family *before, int pid)
{
	if (find(found, pid) != NULL) {
		return;
	}
	if (found->count == GM_HOST_FAMILY_MAX) {
		found->crowded = true;
		return;
	}
	const struct member *known = find(before, pid);

	found->members[found->count++] = known != NULL ? *known : (struct member){.pid = pid};
}

/* "12 345 6 ": the children of one thread. */
static void take_list(struct gm_host_family *found, const struct gm_host_family *before,
		      const char *text, size_t length)
{
	const char *end = text + length;

	while (text < end) {
		const char *blank = memchr(text, ' ', (size_t)(end - text));
		char word[16] = {0};

		if (blank == NULL) { /* cut */
			return;
		}
		if ((size_t)(blank - text) < sizeof(word)) {
			memcpy(word, text, (size_t)(blank - text));
			int pid = gm_procfs_pid(word);
			if (pid > 0) {
				take(found, before, pid);
			}
		}
		text = blank + 1;
	}
}

/* That it has ended meanwhile is no failure. */
static bool is_failure(int error)
{
	return error != ENOENT && error != ESRCH;
}

static void search_below(struct gm_host_family *found, const struct gm_host_family *before, int pid,
			 char *buffer, size_t size)
{
	char path[PATH_MAX], name[64];
	const struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "%s/%d/task", found->proc, pid);
	folder = opendir(path);
	if (folder == NULL) {
		found->failed |= is_failure(errno);
		return;
	}
	while (!found->crowded && (entry = readdir(folder)) != NULL) {
		int thread = gm_procfs_pid(entry->d_name);
		ssize_t length;

		if (thread < 0) {
			continue;
		}
		found->crowded = ++found->threads > GM_HOST_FAMILY_THREADS;
		snprintf(name, sizeof(name), "task/%d/children", thread);
		length = gm_host_read_process(found->proc, pid, name, buffer, size);
		found->failed |= length < 0 && is_failure((int)-length);
		take_list(found, before, buffer, length > 0 ? (size_t)length : 0);
	}
	closedir(folder);
}

/*
 * In clock ticks, as processes' starts are counted; 0: it cannot be had. "12345.67 89.01": always two decimals
 * (proc(5)).
 */
static uint64_t read_uptime(const char *proc, char *buffer, size_t size)
{
	ssize_t length = gm_host_read_once(proc, "uptime", buffer, size);
	uint64_t hundredths = 0;

	for (ssize_t i = 0; i < length && buffer[i] != ' '; i++) {
		if (buffer[i] >= '0' && buffer[i] <= '9') {
			hundredths = hundredths * 10 + (uint64_t)(buffer[i] - '0');
		}
	}
	return hundredths * (uint64_t)sysconf(_SC_CLK_TCK) / 100;
}

void gm_host_family_search(struct gm_host_family *family, char *buffer, size_t size)
{
	struct gm_host_family *found = gm_host_family_create(family->proc, family->members[0].pid);

	if (found == NULL) {
		return; /* as before, then */
	}
	found->searched_at = read_uptime(family->proc, buffer, size);
	found->members[0] = family->members[0];
	/* Those that are found are searched in their turn. */
	for (size_t i = 0; i < found->count && !found->crowded && !found->failed; i++) {
		search_below(found, family, found->members[i].pid, buffer, size);
	}
	/* Who was left out would be a new one when it is found again, and count twice. */
	if (found->crowded) {
		family->crowded = true;
	} else if (!found->failed) {
		memcpy(family->members, found->members, sizeof(family->members));
		family->count = found->count;
		family->crowded = false;
		family->searched = true;
		family->searched_before = family->searched_at;
		family->searched_at = found->searched_at;
	}
	free(found);
}

/*
 * The ticks that one has used since it was counted last. Of one that nobody knew, all, unless it was there at
 * the search before, or is as old as somebody who was read before: then it may have been counted already, or
 * what it has used is of long ago.
 */
static uint64_t ticks_since(const struct gm_host_family *family, const struct member *member,
			    const struct gm_procfs_process *seen)
{
	uint64_t before = 0;

	if (member->known && member->start_time == seen->start_time) {
		before = member->cpu_ticks;
	} else if (seen->start_time < family->searched_before ||
		   (family->newest > 0 && seen->start_time <= family->newest)) {
		return 0;
	}
	return seen->cpu_ticks > before ? seen->cpu_ticks - before : 0;
}

static void read_member(struct gm_host_family *family, struct member *member, char *buffer,
			size_t size, struct gm_host_family_sum *sum)
{
	struct gm_procfs_process seen;
	ssize_t length = gm_host_read_process(family->proc, member->pid, "stat", buffer, size);

	if (length <= 0 || gm_procfs_parse_process(buffer, (size_t)length, &seen) < 0) {
		return;
	}
	family->cpu_ticks += ticks_since(family, member, &seen);
	*member = (struct member){member->pid, true, seen.start_time, seen.cpu_ticks};
	if (seen.state != 'Z' && seen.state != 'X') {
		uint64_t anonymous;

		sum->threads += seen.threads;
		length = gm_host_read_process(family->proc, member->pid, "statm", buffer, size);
		if (length > 0 && gm_procfs_parse_anonymous(buffer, (size_t)length, &anonymous)) {
			sum->anonymous += anonymous;
		}
	}
}

void gm_host_family_read(struct gm_host_family *family, char *buffer, size_t size,
			 struct gm_host_family_sum *ret_sum)
{
	*ret_sum = (struct gm_host_family_sum){.whole = family->searched && !family->crowded};
	for (size_t i = 0; i < family->count && ret_sum->whole; i++) {
		read_member(family, &family->members[i], buffer, size, ret_sum);
	}
	for (size_t i = 0; i < family->count; i++) {
		if (family->members[i].known && family->members[i].start_time > family->newest) {
			family->newest = family->members[i].start_time;
		}
	}
	ret_sum->cpu_ticks = family->cpu_ticks;
}

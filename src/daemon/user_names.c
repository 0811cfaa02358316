/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See user_names.h. A question is shared by main and its thread; who leaves it last frees it.
 */
#include "daemon/user_names.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/thread.h"
#include "model/alarm.h"

#define KEPT (600 * GM_SECOND)
#define WAIT (300 * GM_MILLISECOND)

enum { SPACE = 4 << 10, SPACE_MAX = 1 << 20 };

struct question {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	gm_user_names_fn *ask;
	uid_t uid;
	char name[GM_AUTHOR];
	bool over, left; /* the thread has the answer; main has gone */
};

struct known {
	uid_t uid;
	int64_t until; /* monotonic; 0: nobody */
	char name[GM_AUTHOR];
};

struct gm_user_names {
	gm_user_names_fn *ask;
	struct known known[GM_USER_NAMES];
	size_t next; /* the oldest */
	struct question *question;
};

bool gm_user_names_ask_system(uid_t uid, char *name, size_t size)
{
	struct passwd entry, *found = NULL;
	char *space = NULL;
	int result = ERANGE;
	for (size_t room = SPACE; result == ERANGE && room <= SPACE_MAX; room *= 2) {
		char *larger = realloc(space, room);
		if (!larger)
			break;
		space = larger;
		result = getpwuid_r(uid, &entry, space, room, &found);
	}
	bool good = result == 0 && found;
	if (good)
		gm_text_copy(name, size, found->pw_name);
	free(space);
	return good;
}

/* ---- a question ---- */

static void free_question(struct question *question)
{
	pthread_cond_destroy(&question->answered);
	pthread_mutex_destroy(&question->lock);
	free(question);
}

static void write_number(uid_t uid, char *name, size_t size)
{
	snprintf(name, size, "uid %lu", (unsigned long)uid);
}

static void *answer(void *user)
{
	struct question *question = user;
	char name[GM_AUTHOR];
	if (!question->ask(question->uid, name, sizeof(name)))
		write_number(question->uid, name, sizeof(name));
	pthread_mutex_lock(&question->lock);
	gm_text_copy(question->name, sizeof(question->name), name);
	question->over = true;
	bool left = question->left;
	pthread_cond_signal(&question->answered);
	pthread_mutex_unlock(&question->lock);
	if (left)
		free_question(question);
	return NULL;
}

static struct question *begin(gm_user_names_fn *ask, uid_t uid)
{
	struct question *question = calloc(1, sizeof(*question));
	pthread_t thread;
	if (!question)
		return NULL;
	question->ask = ask;
	question->uid = uid;
	if (gm_thread_locks(&question->lock, &question->answered) < 0) {
		free(question);
		return NULL;
	}
	if (gm_thread_start(&thread, answer, question) < 0) {
		free_question(question);
		return NULL;
	}
	pthread_detach(thread);
	return question;
}

static bool wait_for(struct question *question, int64_t patience)
{
	struct timespec until = gm_thread_until(gm_clock_monotonic() + patience);
	int result = 0;
	pthread_mutex_lock(&question->lock);
	while (!question->over && result == 0)
		result = pthread_cond_timedwait(&question->answered, &question->lock, &until);
	bool over = question->over;
	pthread_mutex_unlock(&question->lock);
	return over;
}

/* ---- what is known ---- */

static const struct known *find(const struct gm_user_names *names, uid_t uid, int64_t now)
{
	for (size_t i = 0; i < GM_USER_NAMES; i++)
		if (names->known[i].until > now && names->known[i].uid == uid)
			return &names->known[i];
	return NULL;
}

/* Whether the question under way, if there is one, has its answer within `patience`. */
static bool collect(struct gm_user_names *names, int64_t now, int64_t patience)
{
	struct question *question = names->question;
	if (!question || !wait_for(question, patience))
		return question == NULL;
	struct known *known = &names->known[names->next++ % GM_USER_NAMES];
	known->uid = question->uid;
	known->until = now + KEPT;
	gm_text_copy(known->name, sizeof(known->name), question->name);
	names->question = NULL;
	free_question(question);
	return true;
}

char *gm_user_names_get(struct gm_user_names *names, uid_t uid, int64_t now, char *name,
			size_t size)
{
	const struct known *known = NULL;
	if (names) {
		bool idle = collect(names, now, 0);
		known = find(names, uid, now);
		if (!known && idle)
			names->question = begin(names->ask, uid);
		if (!known && idle && collect(names, now, WAIT))
			known = find(names, uid, now);
	}
	if (known)
		gm_text_copy(name, size, known->name);
	else
		write_number(uid, name, size);
	return name;
}

/* ---- life ---- */

struct gm_user_names *gm_user_names_create(gm_user_names_fn *ask)
{
	struct gm_user_names *names = calloc(1, sizeof(*names));
	if (names)
		names->ask = ask;
	return names;
}

void gm_user_names_free(struct gm_user_names *names)
{
	if (!names)
		return;
	if (names->question) {
		struct question *question = names->question;
		pthread_mutex_lock(&question->lock);
		question->left = true;
		bool over = question->over;
		pthread_mutex_unlock(&question->lock);
		if (over)
			free_question(question);
	}
	free(names);
}

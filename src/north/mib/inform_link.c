/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hand-over point between an output `snmp-inform` and the agent thread; see inform.h. It is the only
 * thing that both ends touch, and the last of them frees it.
 */
#include <pthread.h>
#include <stdlib.h>

#include "north/mib/inform.h"

struct gm_inform_link {
	pthread_mutex_t lock;
	unsigned references;
	void (*wake)(void *user); /* NULL: main's end is closed */
	void *user;
	bool answered;
	struct gm_inform_answer answer; /* the newest: there is one message in flight */
};

struct gm_inform_link *gm_inform_link_create(void (*wake)(void *user), void *user)
{
	struct gm_inform_link *link = calloc(1, sizeof(*link));
	if (!link)
		return NULL;
	pthread_mutex_init(&link->lock, NULL);
	link->references = 2;
	link->wake = wake;
	link->user = user;
	return link;
}

void gm_inform_link_release(struct gm_inform_link *link)
{
	pthread_mutex_lock(&link->lock);
	bool last = --link->references == 0;
	pthread_mutex_unlock(&link->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&link->lock);
	free(link);
}

void gm_inform_link_close(struct gm_inform_link *link)
{
	pthread_mutex_lock(&link->lock);
	link->wake = NULL;
	pthread_mutex_unlock(&link->lock);
	gm_inform_link_release(link);
}

bool gm_inform_link_take(struct gm_inform_link *link, struct gm_inform_answer *ret_answer)
{
	pthread_mutex_lock(&link->lock);
	bool answered = link->answered;
	*ret_answer = link->answer;
	link->answered = false;
	pthread_mutex_unlock(&link->lock);
	return answered;
}

void gm_inform_link_answer(struct gm_inform_link *link, const struct gm_inform_answer *answer)
{
	pthread_mutex_lock(&link->lock);
	link->answer = *answer;
	link->answered = true;
	if (link->wake)
		link->wake(link->user);
	pthread_mutex_unlock(&link->lock);
}

void gm_inform_job_free(void *item)
{
	struct gm_inform_job *job = item;
	if (job->kind == GM_INFORM_OPEN)
		gm_inform_link_release(job->link);
	gm_secret_forget((char *)&job->settings, sizeof(job->settings));
	free(job);
}

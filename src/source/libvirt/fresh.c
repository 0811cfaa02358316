/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The closer look at suspected guests; see fresh.h. Who is looked at and for how long is decided
 * here, what is done to a guest is in patient.h. Called by the slow lane.
 */
#include "source/libvirt/fresh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "source/left.h"
#include "source/libvirt/connection.h"
#include "source/libvirt/patient.h"

enum {
	PATIENTS_MAX = 8,
	RESTS_MAX = 64,  /* more guests at rest: the one that has rested longest may be looked at */
	REST_FACTOR = 2, /* of the time that a guest may be looked at */
};

#define HOLD       (5 * GM_SECOND) /* a look goes on so long after it was last asked for */
#define COVERED    (2 * GM_SECOND)
#define RETRY_WAIT GM_SECOND
#define RETRIES    60 /* to restore a period */

struct look {
	bool used;
	uint8_t uuid[GM_UUID_SIZE];
	int64_t begun_at, until;      /* monotonic */
	int64_t told_at;              /* monotonic, when samples were last emitted; 0: never */
	struct gm_lv_patient patient; /* the thread's own */
};

struct gm_lv_fresh {
	struct gm_libvirt_options options;
	enum gm_source_id id;
	pthread_t thread;

	pthread_mutex_t lock; /* guards all below but the patients and the connection */
	pthread_cond_t changed;
	bool quit, ended;
	bool abandoned; /* the owner is gone: the thread frees, and nothing is emitted */
	const struct gm_source_sink *sink;
	size_t count;
	struct look looks[PATIENTS_MAX];
	size_t next_rest;
	struct {
		uint8_t uuid[GM_UUID_SIZE];
		int64_t until; /* monotonic */
	} rests[RESTS_MAX];

	/* The thread's own. */
	virConnectPtr conn;
	int64_t connect_after;
	struct gm_log_limit limit;
};

/* Under the lock. */
static struct look *find_look(struct gm_lv_fresh *fresh, const uint8_t *uuid)
{
	for (size_t i = 0; i < fresh->count; i++) {
		if (fresh->looks[i].used && memcmp(fresh->looks[i].uuid, uuid, GM_UUID_SIZE) == 0)
			return &fresh->looks[i];
	}
	return NULL;
}

/* Under the lock. */
static bool rests(const struct gm_lv_fresh *fresh, const uint8_t *uuid, int64_t now)
{
	for (size_t i = 0; i < RESTS_MAX; i++) {
		if (fresh->rests[i].until > now &&
		    memcmp(fresh->rests[i].uuid, uuid, GM_UUID_SIZE) == 0)
			return true;
	}
	return false;
}

void gm_lv_fresh_suspect(struct gm_lv_fresh *fresh, const uint8_t uuid[GM_UUID_SIZE])
{
	int64_t now = gm_clock_monotonic();

	if (!fresh)
		return;
	pthread_mutex_lock(&fresh->lock);
	struct look *look = find_look(fresh, uuid);
	for (size_t i = 0; !look && i < fresh->count; i++) {
		if (fresh->looks[i].used || rests(fresh, uuid, now))
			continue;
		look = &fresh->looks[i];
		*look = (struct look){.used = true, .begun_at = now};
		memcpy(look->uuid, uuid, GM_UUID_SIZE);
		pthread_cond_broadcast(&fresh->changed);
	}
	if (look) {
		int64_t most = look->begun_at + fresh->options.fresh_time;
		look->until = now + HOLD < most ? now + HOLD : most;
	}
	pthread_mutex_unlock(&fresh->lock);
}

bool gm_lv_fresh_covers(struct gm_lv_fresh *fresh, const uint8_t uuid[GM_UUID_SIZE])
{
	if (!fresh)
		return false;
	pthread_mutex_lock(&fresh->lock);
	const struct look *look = find_look(fresh, uuid);
	bool covers = look && look->told_at != 0 && gm_clock_monotonic() - look->told_at < COVERED;
	pthread_mutex_unlock(&fresh->lock);
	return covers;
}

void gm_lv_fresh_attach(struct gm_lv_fresh *fresh, const struct gm_source_sink *sink)
{
	if (!fresh)
		return;
	pthread_mutex_lock(&fresh->lock);
	fresh->sink = sink;
	pthread_mutex_unlock(&fresh->lock);
}

/* The sink never blocks, so it may be called under the lock. Takes the batch. */
static void emit(struct gm_lv_fresh *fresh, struct look *look, struct gm_batch *batch)
{
	pthread_mutex_lock(&fresh->lock);
	if (batch->frame_count > 0 && !fresh->abandoned && fresh->sink) {
		look->told_at = gm_clock_monotonic();
		fresh->sink->samples(fresh->sink->user, batch);
	} else {
		gm_batch_free(batch);
	}
	pthread_mutex_unlock(&fresh->lock);
}

static void complain(struct gm_lv_fresh *fresh, const struct look *look, const struct gm_error *err)
{
	char text[GM_UUID_TEXT];

	if (gm_log_allowed(&fresh->limit, gm_clock_monotonic(), 60 * GM_SECOND, NULL))
		gm_log(GM_LOG_WARNING, "guest %s: no closer look at its memory: %s",
		       gm_uuid_text(look->uuid, text), err->text);
}

/* Ends a look; the guest may rest from it. */
static void end_look(struct gm_lv_fresh *fresh, struct look *look, bool rest)
{
	int64_t now = gm_clock_monotonic();

	gm_lv_patient_release(&look->patient);
	pthread_mutex_lock(&fresh->lock);
	if (rest) {
		memcpy(fresh->rests[fresh->next_rest].uuid, look->uuid, GM_UUID_SIZE);
		fresh->rests[fresh->next_rest].until =
			now + REST_FACTOR * fresh->options.fresh_time;
		fresh->next_rest = (fresh->next_rest + 1) % RESTS_MAX;
	}
	look->used = false;
	pthread_mutex_unlock(&fresh->lock);
}

/*
 * The period again as it was, tried for a while where it cannot be set, once if it is for the last
 * time. True: the look is over.
 */
static bool restore(struct gm_lv_fresh *fresh, struct look *look, int64_t now, bool last)
{
	struct gm_error err = {.text = ""};

	if (look->patient.retry_at > now && !last)
		return false;
	int rc = fresh->conn ? gm_lv_patient_restore(&look->patient, fresh->conn, look->uuid, &err)
			     : -ENOTCONN;
	look->patient.retry_at = now + RETRY_WAIT;
	if (rc == 0)
		return true;
	if (++look->patient.retries < RETRIES && !last)
		return false;
	complain(fresh, look, &err);
	return true;
}

/* One tick of one guest. */
static void attend(struct gm_lv_fresh *fresh, struct look *look)
{
	int64_t now = gm_clock_monotonic();
	struct gm_error err = {.text = ""};

	pthread_mutex_lock(&fresh->lock);
	bool quit = fresh->quit;
	bool over = now >= look->until || quit;
	bool spent = now - look->begun_at >= fresh->options.fresh_time;
	pthread_mutex_unlock(&fresh->lock);
	if (!over && !look->patient.failed && fresh->conn) {
		struct gm_batch *batch = gm_batch_create();

		if (!batch)
			return;
		batch->source = (uint8_t)fresh->id;
		int rc = gm_lv_patient_ask(&look->patient, fresh->conn, look->uuid, batch, &err);
		emit(fresh, look, batch);
		if (rc == 0)
			return;
		look->patient.failed = true;
		complain(fresh, look, &err);
	}
	if ((over || look->patient.failed) && restore(fresh, look, now, quit))
		end_look(fresh, look, spent || look->patient.failed);
}

static void see_to_connection(struct gm_lv_fresh *fresh)
{
	int64_t now = gm_clock_monotonic();

	if (fresh->conn && virConnectIsAlive(fresh->conn) != 1) {
		virConnectClose(fresh->conn);
		fresh->conn = NULL;
	}
	if (fresh->conn || fresh->connect_after > now)
		return;
	fresh->connect_after = now + RETRY_WAIT;
	gm_lv_connect(fresh->options.uri, false, &fresh->conn, NULL);
}

/* Under the lock: whether somebody is looked at, and not for ever after the end. */
static bool has_work(const struct gm_lv_fresh *fresh)
{
	for (size_t i = 0; i < fresh->count; i++) {
		if (fresh->looks[i].used)
			return true;
	}
	return false;
}

static bool is_attending(struct gm_lv_fresh *fresh)
{
	pthread_mutex_lock(&fresh->lock);
	bool attending = has_work(fresh);
	pthread_mutex_unlock(&fresh->lock);
	return attending;
}

/* Waits for work, then for the next tick. False: the end. */
static bool wait_for_tick(struct gm_lv_fresh *fresh)
{
	int64_t interval = fresh->options.fresh_interval;
	int64_t now = gm_clock_monotonic();
	struct timespec next = gm_thread_until(now - now % interval + interval);
	int rc = 0;

	pthread_mutex_lock(&fresh->lock);
	while (!fresh->quit && !has_work(fresh))
		pthread_cond_wait(&fresh->changed, &fresh->lock);
	while (!fresh->quit && rc == 0)
		rc = pthread_cond_timedwait(&fresh->changed, &fresh->lock, &next);
	bool go_on = !fresh->quit;
	pthread_mutex_unlock(&fresh->lock);
	return go_on;
}

static void attend_all(struct gm_lv_fresh *fresh)
{
	see_to_connection(fresh);
	for (size_t i = 0; i < fresh->count; i++) {
		pthread_mutex_lock(&fresh->lock);
		bool used = fresh->looks[i].used;
		pthread_mutex_unlock(&fresh->lock);
		if (used)
			attend(fresh, &fresh->looks[i]);
	}
}

/* Asks libvirtd, which may hang: on the thread alone. */
static void disconnect(struct gm_lv_fresh *fresh)
{
	for (size_t i = 0; i < fresh->count; i++)
		gm_lv_patient_release(&fresh->looks[i].patient);
	if (fresh->conn)
		virConnectClose(fresh->conn);
	fresh->conn = NULL;
}

static void destroy(struct gm_lv_fresh *fresh)
{
	pthread_cond_destroy(&fresh->changed);
	pthread_mutex_destroy(&fresh->lock);
	free(fresh);
}

static void *run(void *user)
{
	struct gm_lv_fresh *fresh = user;

	pthread_setname_np(pthread_self(), "libvirt-fresh");
	while (wait_for_tick(fresh))
		attend_all(fresh);
	fresh->connect_after = 0; /* there is no later */
	if (is_attending(fresh))
		attend_all(fresh); /* restores */
	disconnect(fresh);
	pthread_mutex_lock(&fresh->lock);
	fresh->ended = true;
	bool abandoned = fresh->abandoned;
	pthread_cond_broadcast(&fresh->changed);
	pthread_mutex_unlock(&fresh->lock);
	if (abandoned) {
		destroy(fresh);
		gm_left_end();
	}
	return NULL;
}

int gm_lv_fresh_create(const struct gm_libvirt_options *options, enum gm_source_id id,
		       struct gm_lv_fresh **ret_fresh)
{
	struct gm_lv_fresh *fresh = calloc(1, sizeof(*fresh));

	if (!fresh)
		return -ENOMEM;
	fresh->options = *options;
	fresh->id = id;
	fresh->count = (size_t)options->fresh_guests;
	if (fresh->count > PATIENTS_MAX)
		fresh->count = PATIENTS_MAX;
	int rc = gm_thread_locks(&fresh->lock, &fresh->changed);
	if (rc < 0) {
		free(fresh);
		return rc;
	}
	rc = gm_thread_start(&fresh->thread, run, fresh);
	if (rc < 0) {
		destroy(fresh);
		return rc;
	}
	*ret_fresh = fresh;
	return 0;
}

void gm_lv_fresh_quit(struct gm_lv_fresh *fresh)
{
	if (!fresh)
		return;
	pthread_mutex_lock(&fresh->lock);
	fresh->quit = true;
	pthread_cond_broadcast(&fresh->changed);
	pthread_mutex_unlock(&fresh->lock);
}

void gm_lv_fresh_free(struct gm_lv_fresh *fresh, int64_t deadline)
{
	struct timespec until = gm_thread_until(deadline);
	int rc = 0;

	if (!fresh)
		return;
	gm_lv_fresh_quit(fresh);
	pthread_mutex_lock(&fresh->lock);
	fresh->sink = NULL;
	while (!fresh->ended && rc == 0)
		rc = pthread_cond_timedwait(&fresh->changed, &fresh->lock, &until);
	bool ended = fresh->ended;
	pthread_t thread = fresh->thread;
	fresh->abandoned = !ended;
	if (!ended) {
		pthread_detach(thread);
		gm_left_add(1);
	}
	pthread_mutex_unlock(&fresh->lock);
	if (ended) {
		pthread_join(thread, NULL);
		destroy(fresh);
	}
}

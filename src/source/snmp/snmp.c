/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source: who is asked, on which socket, and which answer is whose; see snmp.h. Run by
 * source/runner.c at the schedule's resolution; what is due then goes out, what has come is taken in.
 */
#include "source/snmp/snmp.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/queue.h"
#include "base/text.h"
#include "source/snmp/listener.h"
#include "source/snmp/peers.h"

enum {
	DATAGRAMS_MAX = 8192, /* of one turn: a flood does not keep the others waiting */
	STRAYS_MAX = 64,      /* of one turn whose sender is looked for */
	HEARD_MAX = 65536,
	FILES = 3, /* targets, credentials, objects */
};

#define COUNT_INTERVAL (200 * GM_MILLISECOND)
#define WATCH_INTERVAL GM_SECOND
#define RETRY_INTERVAL (5 * GM_SECOND)

struct snmp {
	struct gm_source base;
	struct gm_snmp_options options;
	struct gm_queue *heard; /* struct heard, from other threads */
	struct gm_snmp_peers peers;
	struct gm_snmp_identity identity;
	struct gm_snmp_listener *listener; /* NULL: none is wanted */
	int home; /* the network namespace of the thread; -1: not known yet */

	struct timespec list_times[FILES];
	int64_t watch_due, retry_due, count_due; /* monotonic */
	uint32_t reachable, all;

	/* Of the present turn. */
	struct gm_batch *batch;
	struct gm_snmp_out out;
	struct gm_snmp_moment now;
	size_t place; /* of the namespace that is read */
	size_t strays;
	uint64_t unknown; /* datagrams of nobody that is asked */
	struct gm_snmp_message message;
	char complaint[GM_ERROR_TEXT]; /* of the files */
};

struct heard {
	struct gm_entity_info info;
	bool here;
};

static struct snmp *to_snmp(struct gm_source *source)
{
	return (struct snmp *)source;
}

/* ---- what others tell of guests ---- */

static void snmp_hear(struct gm_source *source, const struct gm_entity_info *info, bool here)
{
	struct snmp *snmp = to_snmp(source);
	struct heard *heard = info->key.kind == GM_ENTITY_GUEST ? malloc(sizeof(*heard)) : NULL;

	if (heard) {
		*heard = (struct heard){*info, here};
		gm_queue_push(snmp->heard, heard);
	}
}

/* ---- datagrams ---- */

/* Whether it is this one that answers: namespaces may use the same addresses for different guests. */
static bool is_from(const struct snmp *snmp, const struct gm_snmp_peer *peer,
		    const struct sockaddr_storage *from)
{
	return peer->target && peer->place == snmp->place &&
	       gm_snmp_same_address(&peer->address, from);
}

/* Of whom it is that is asked, when the datagram itself does not tell it. */
static struct gm_snmp_target *find_sender(struct snmp *snmp, const struct sockaddr_storage *from)
{
	if (++snmp->strays > STRAYS_MAX) {
		return NULL;
	}
	for (size_t i = 0; i < snmp->peers.count; i++) {
		if (is_from(snmp, &snmp->peers.slots[i], from)) {
			return snmp->peers.slots[i].target;
		}
	}
	return NULL;
}

static void take_stray(struct snmp *snmp, const struct gm_snmp_datagram *datagram)
{
	struct gm_snmp_target *target = find_sender(snmp, datagram->from);

	if (target) {
		gm_snmp_target_refuse(target, datagram->cut);
	} else {
		snmp->unknown++;
	}
}

static void take_datagram(void *user, const struct gm_snmp_datagram *datagram)
{
	struct snmp *snmp = user;
	struct gm_snmp_message *message = &snmp->message;
	int32_t id;

	if (datagram->cut || gm_snmp_decode(datagram->data, datagram->length, message) < 0) {
		take_stray(snmp, datagram);
		return;
	}
	id = message->version == GM_SNMP_V3 ? message->v3.id : message->pdu.request_id;
	size_t slot = (size_t)((uint32_t)id % GM_SNMP_SLOTS);
	struct gm_snmp_peer *peer = &snmp->peers.slots[slot];

	/* Who answers is who was asked: else anybody could speak for a guest. */
	if (!is_from(snmp, peer, datagram->from)) {
		take_stray(snmp, datagram);
		return;
	}
	struct gm_snmp_moment when = {snmp->now.monotonic - datagram->age,
				      snmp->now.node - datagram->age};

	gm_snmp_target_answer(peer->target, message, datagram->data, datagram->length, &when,
			      &snmp->out);
	snmp->peers.wakes[slot] = gm_snmp_target_wake(peer->target);
}

static void ask_due(struct snmp *snmp)
{
	for (size_t i = 0; i < snmp->peers.count; i++) {
		struct gm_snmp_peer *peer = &snmp->peers.slots[i];
		const uint8_t *packet;
		size_t length;

		if (snmp->peers.wakes[i] > snmp->now.monotonic || peer->target == NULL) {
			continue;
		}
		length = gm_snmp_target_ask(peer->target, &snmp->now, &packet, &snmp->out);
		if (length > 0) {
			gm_snmp_endpoint_send(snmp->peers.namespaces.list[peer->place].endpoint,
					      &peer->address, packet, length);
		}
		snmp->peers.wakes[i] = gm_snmp_target_wake(peer->target);
	}
	for (size_t i = 0; i < snmp->peers.namespaces.count; i++) {
		gm_snmp_endpoint_flush(snmp->peers.namespaces.list[i].endpoint);
	}
}

/* ---- the source ---- */

static void stat_files(const struct snmp *snmp, struct timespec times[FILES])
{
	const char *paths[FILES] = {snmp->options.targets, snmp->options.credentials,
				    snmp->options.oids};
	struct stat status;

	for (int i = 0; i < FILES; i++) {
		times[i] = stat(paths[i], &status) == 0 ? status.st_mtim : (struct timespec){0};
	}
}

static int load(struct snmp *snmp, struct gm_error *err)
{
	struct gm_snmp_list list;
	struct gm_snmp_oids oids;
	int rc;

	stat_files(snmp, snmp->list_times);
	rc = gm_snmp_oids_read(snmp->options.oids, &oids, err);
	if (rc == 0) {
		rc = gm_snmp_list_read(snmp->options.targets, snmp->options.credentials, &list,
				       err);
	}
	if (rc < 0) {
		return rc;
	}
	return gm_snmp_peers_replace(&snmp->peers, &list, &oids, &snmp->out, err);
}

static int retry(struct snmp *snmp, struct gm_error *err)
{
	if (snmp->peers.lacking[0] == '\0' || snmp->now.monotonic < snmp->retry_due) {
		return 0;
	}
	snmp->retry_due = snmp->now.monotonic + RETRY_INTERVAL;
	return gm_snmp_peers_retry(&snmp->peers, &snmp->out, err);
}

/*
 * Files that have changed are read again, and so they are when a namespace was made anew; what cannot be
 * understood leaves everything as it is. Negative only when the source cannot go on.
 */
static int watch(struct snmp *snmp, struct gm_error *err)
{
	struct timespec times[FILES];
	struct gm_error reason = {.text = ""};
	int rc;

	if (snmp->now.monotonic < snmp->watch_due) {
		return 0;
	}
	snmp->watch_due = snmp->now.monotonic + WATCH_INTERVAL;
	stat_files(snmp, times);
	if (memcmp(times, snmp->list_times, sizeof(times)) == 0 &&
	    !gm_snmp_namespaces_changed(&snmp->peers.namespaces)) {
		gm_snmp_peers_review(&snmp->peers, &snmp->out);
		return retry(snmp, err);
	}
	rc = load(snmp, &reason);
	gm_text_copy(snmp->complaint, sizeof(snmp->complaint), rc < 0 ? reason.text : "");
	return rc == -ENOTRECOVERABLE ? gm_error_set(err, rc, "%s", reason.text) : 0;
}

/* Now and then only: hundreds of targets are not in any cache. */
static void count_reachable(struct snmp *snmp)
{
	if (snmp->now.monotonic < snmp->count_due) {
		return;
	}
	snmp->count_due = snmp->now.monotonic + COUNT_INTERVAL;
	snmp->reachable = snmp->all = 0;
	for (size_t i = 0; i < snmp->peers.count; i++) {
		if (snmp->peers.slots[i].target) {
			snmp->all++;
			snmp->reachable += gm_snmp_target_reachable(snmp->peers.slots[i].target);
		}
	}
}

static void emit(struct snmp *snmp)
{
	if (snmp->batch->frame_count > 0) {
		snmp->out.sink->samples(snmp->out.sink->user, snmp->batch);
		snmp->batch = NULL;
	}
}

/* What people should know of, the gravest first. */
static void complain(const struct snmp *snmp, struct gm_error *err)
{
	size_t blocked = 0;

	for (size_t i = 0; i < snmp->peers.namespaces.count; i++) {
		blocked += gm_snmp_endpoint_blocked(snmp->peers.namespaces.list[i].endpoint);
	}
	if (snmp->complaint[0] != '\0') {
		gm_error_set(err, 0, "%s", snmp->complaint);
	} else if (snmp->peers.lacking[0] != '\0') {
		gm_error_set(err, 0, "%s", snmp->peers.lacking);
	} else if (snmp->listener && *gm_snmp_listener_lacking(snmp->listener) != '\0') {
		gm_error_set(err, 0, "%s", gm_snmp_listener_lacking(snmp->listener));
	} else if (blocked > 0) {
		gm_error_set(err, 0, "%zu addresses are not listened to: they send too much",
			     blocked);
	} else if (snmp->reachable < snmp->all) {
		gm_error_set(err, 0, "%u of %u guests do not answer", snmp->all - snmp->reachable,
			     snmp->all);
	}
}

static int snmp_poll(struct gm_source *source, int64_t now, const struct gm_source_sink *sink,
		     uint32_t *ret_entities, struct gm_error *err)
{
	struct snmp *snmp = to_snmp(source);
	struct heard *heard;
	int rc;

	if (snmp->batch == NULL) {
		snmp->batch = gm_batch_create();
	}
	if (snmp->batch == NULL) {
		return gm_error_set(err, -ENOMEM, "out of memory");
	}
	snmp->batch->source = GM_SOURCE_SNMP;
	snmp->out = (struct gm_snmp_out){snmp->batch, sink};
	snmp->now = (struct gm_snmp_moment){gm_clock_monotonic(), now};
	snmp->strays = 0;
	rc = watch(snmp, err);
	while (rc == 0 && (heard = gm_queue_pop(snmp->heard)) != NULL) {
		rc = gm_snmp_peers_hear(&snmp->peers, &heard->info, heard->here, &snmp->out, err);
		free(heard);
	}
	if (rc < 0) {
		return rc;
	}
	for (size_t i = 0; i < snmp->peers.namespaces.count; i++) {
		snmp->place = i;
		gm_snmp_endpoint_receive(snmp->peers.namespaces.list[i].endpoint, DATAGRAMS_MAX,
					 take_datagram, snmp);
	}
	if (snmp->listener) {
		rc = gm_snmp_listener_turn(snmp->listener, &snmp->peers, &snmp->now, &snmp->out,
					   err);
	}
	if (rc < 0) {
		return rc;
	}
	ask_due(snmp);
	emit(snmp);
	count_reachable(snmp);
	*ret_entities = snmp->reachable;
	complain(snmp, err);
	return 0;
}

static int snmp_open(struct gm_source *source, struct gm_error *err)
{
	struct snmp *snmp = to_snmp(source);
	int rc;

	snmp->complaint[0] = '\0';
	rc = gm_snmp_home_enter(&snmp->home, err);
	if (rc == 0) {
		rc = load(snmp, err);
	}
	if (rc == 0 && snmp->options.listen[0] != '\0') {
		struct gm_snmp_listener_options listener = {.address = snmp->options.listen,
							    .namespaces =
								    snmp->options.listen_namespaces,
							    .identity = &snmp->identity};

		rc = gm_snmp_listener_open(&listener, &snmp->listener, err);
	}
	if (rc < 0) {
		gm_snmp_peers_clear(&snmp->peers, &snmp->out);
	}
	snmp->watch_due = gm_clock_monotonic() + GM_SECOND;
	return rc;
}

static void snmp_close(struct gm_source *source)
{
	struct snmp *snmp = to_snmp(source);

	gm_snmp_peers_clear(&snmp->peers, &snmp->out);
	gm_snmp_listener_close(snmp->listener);
	snmp->listener = NULL;
}

static void snmp_destroy(struct gm_source *source)
{
	struct snmp *snmp = to_snmp(source);

	gm_snmp_peers_destroy(&snmp->peers);
	gm_batch_free(snmp->batch);
	gm_queue_free(snmp->heard);
	if (snmp->home >= 0) {
		close(snmp->home);
	}
	free(snmp);
}

static const struct gm_source_ops snmp_ops = {
	.id = GM_SOURCE_SNMP,
	.open = snmp_open,
	.poll = snmp_poll,
	.close = snmp_close,
	.destroy = snmp_destroy,
	.hear = snmp_hear,
};

int gm_snmp_engine_check(const char *engine)
{
	struct gm_snmp_identity identity;

	return *engine == '\0' ? 0 : gm_snmp_identity_parse(engine, &identity);
}

int gm_snmp_create(const struct gm_snmp_options *options, const struct gm_snmp_start *start,
		   struct gm_source **ret_source)
{
	struct snmp *snmp = calloc(1, sizeof(*snmp));
	struct gm_queue_options heard = {.capacity = HEARD_MAX, .free_item = free};

	if (snmp == NULL) {
		return -ENOMEM;
	}
	snmp->base.ops = &snmp_ops;
	snmp->options = *options;
	snmp->home = -1;
	snmp->identity.boots = start->boots;
	snmp->identity.started = start->at;
	gm_snmp_identity_make(&snmp->identity, start->engine);
	if (options->engine_id[0] != '\0') {
		(void)gm_snmp_identity_parse(options->engine_id, &snmp->identity);
	}
	if (gm_snmp_peers_init(&snmp->peers, &snmp->options) < 0 ||
	    gm_queue_create(&heard, &snmp->heard) < 0) {
		gm_snmp_peers_destroy(&snmp->peers);
		free(snmp);
		return -ENOMEM;
	}
	*ret_source = &snmp->base;
	return 0;
}

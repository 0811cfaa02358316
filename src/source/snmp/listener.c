/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets at which notifications arrive, and who is answered what; see listener.h. What one means is
 * target's (notice.c). Used by snmp.c alone.
 */
#include "source/snmp/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "source/snmp/list.h"

enum {
	NOTICES_MAX = 256,            /* of one turn, by all ears: the rest waits in the sockets */
	OWN = GM_SNMP_NAMESPACES_MAX, /* the ear in the daemon's own namespace */
	EARS
};

#define RETRY_INTERVAL (5 * GM_SECOND)

/*
 * The socket in the namespace of the same place in the list of them; of several paths to one namespace the
 * first has it.
 */
struct ear {
	struct gm_snmp_endpoint *endpoint; /* NULL: none */
	dev_t device;
	ino_t inode;
	char path[128];
};

/*
 * Who may have sent a datagram: of the guests at its host one for each credential. They may share an address (they
 * have ports), and what is sent tells a credential but no port: `shared` are those of whom any may be it.
 */
struct claimant {
	struct gm_snmp_target *target;
	bool shared;
};

struct gm_snmp_listener {
	struct sockaddr_storage at;
	bool namespaces;
	struct gm_snmp_engine *engine;
	struct ear ears[EARS];
	size_t first;      /* the ear whose turn it is */
	int64_t retry_due; /* monotonic */
	char lacking[GM_ERROR_TEXT];

	/* Of the present turn, and of the ear that is read. */
	const struct ear *ear;
	const struct gm_snmp_peers *peers;
	const struct gm_snmp_moment *now;
	const struct gm_snmp_out *out;
	struct gm_snmp_message message;
	struct claimant claimants[GM_SNMP_SLOTS]; /* of the datagram that is read */
	size_t claimant_count;
	size_t answers; /* in `answer` */
	uint8_t answer[GM_SNMP_BATCH][GM_SNMP_PACKET_MAX];
	struct sockaddr_storage to[GM_SNMP_BATCH];
};

int gm_snmp_listener_check(const char *address, struct gm_error *err)
{
	struct sockaddr_storage parsed;

	return *address == '\0' || gm_snmp_list_address(address, &parsed)
		       ? 0
		       : gm_error_set(err, -EINVAL, "\"%s\" is no numeric address with a port",
				      address);
}

int gm_snmp_listener_open(const struct gm_snmp_listener_options *options,
			  struct gm_snmp_listener **ret_listener, struct gm_error *err)
{
	struct gm_snmp_listener *listener;
	struct gm_error reason = {.text = ""};
	struct stat own;
	int rc = gm_snmp_listener_check(options->address, err);

	if (rc < 0) {
		return rc;
	}
	listener = calloc(1, sizeof(*listener));
	if (listener == NULL) {
		return gm_error_set(err, -ENOMEM, "out of memory");
	}
	listener->namespaces = options->namespaces;
	(void)gm_snmp_list_address(options->address, &listener->at);
	rc = gm_snmp_engine_create(options->identity, &listener->engine);
	if (rc < 0) {
		gm_error_set(err, rc, "no engine for informs: %s", strerror(-rc));
		goto out;
	}
	rc = gm_snmp_endpoint_bind("", &listener->at, &listener->ears[OWN].endpoint, &reason);
	if (rc < 0) {
		gm_error_set(err, rc, "cannot listen at %s: %s", options->address, reason.text);
		goto out;
	}
	gm_snmp_namespaces_own(&own);
	listener->ears[OWN].device = own.st_dev;
	listener->ears[OWN].inode = own.st_ino;
	*ret_listener = listener;
	return 0;
out:
	gm_snmp_listener_close(listener);
	return rc;
}

static void close_ear(struct ear *ear)
{
	if (ear->endpoint) {
		gm_snmp_endpoint_close(ear->endpoint);
	}
	*ear = (struct ear){0};
}

void gm_snmp_listener_close(struct gm_snmp_listener *listener)
{
	if (listener == NULL) {
		return;
	}
	for (size_t i = 0; i < EARS; i++) {
		close_ear(&listener->ears[i]);
	}
	gm_snmp_engine_free(listener->engine);
	free(listener);
}

const char *gm_snmp_listener_lacking(const struct gm_snmp_listener *listener)
{
	return listener->lacking;
}

/* ---- namespaces ---- */

static bool is_that(const struct ear *ear, const struct gm_snmp_namespaces *namespaces, size_t i)
{
	return i < namespaces->count && ear->device == namespaces->list[i].device &&
	       ear->inode == namespaces->list[i].inode &&
	       strcmp(ear->path, namespaces->list[i].path) == 0;
}

/* Whether it is listened there already: a namespace may be named by several paths. */
static bool is_heard(const struct gm_snmp_listener *listener, size_t place)
{
	const struct gm_snmp_namespaces *namespaces = &listener->peers->namespaces;

	for (size_t i = 0; i < EARS; i++) {
		const struct ear *ear = &listener->ears[i];

		if (ear->endpoint && ear->device == namespaces->list[place].device &&
		    ear->inode == namespaces->list[place].inode) {
			return true;
		}
	}
	return false;
}

static int open_ear(struct gm_snmp_listener *listener, size_t i, struct gm_error *err)
{
	const struct gm_snmp_namespaces *namespaces = &listener->peers->namespaces;
	const char *path = namespaces->list[i].path;
	struct ear *ear = &listener->ears[i];
	struct gm_error reason = {.text = ""};
	int rc = gm_snmp_endpoint_bind(path, &listener->at, &ear->endpoint, &reason);

	if (rc == -ENOTRECOVERABLE) {
		return gm_error_set(err, rc, "%s", reason.text);
	}
	if (rc < 0) {
		struct gm_error sentence;

		gm_error_set(&sentence, rc, "cannot listen in network namespace %s: %s", path,
			     reason.text);
		gm_text_copy(listener->lacking, sizeof(listener->lacking), sentence.text);
		listener->retry_due = listener->now->monotonic + RETRY_INTERVAL;
		return 0;
	}
	ear->device = namespaces->list[i].device;
	ear->inode = namespaces->list[i].inode;
	gm_text_copy(ear->path, sizeof(ear->path), path);
	return 0;
}

/* Those that are no more are closed before others are opened: they may have changed places. */
static int follow(struct gm_snmp_listener *listener, struct gm_error *err)
{
	const struct gm_snmp_namespaces *namespaces = &listener->peers->namespaces;
	int rc = 0;

	for (size_t i = 0; i < GM_SNMP_NAMESPACES_MAX; i++) {
		if (listener->ears[i].endpoint && !is_that(&listener->ears[i], namespaces, i)) {
			close_ear(&listener->ears[i]);
			listener->retry_due = 0;
		}
	}
	if (listener->now->monotonic < listener->retry_due) {
		return 0;
	}
	listener->lacking[0] = '\0';
	for (size_t i = 0; i < namespaces->count && rc == 0; i++) {
		if (!is_heard(listener, i)) {
			rc = open_ear(listener, i, err);
		}
	}
	return rc;
}

/* ---- answers ---- */

static void flush(struct gm_snmp_listener *listener)
{
	gm_snmp_endpoint_flush(listener->ear->endpoint);
	listener->answers = 0;
}

/* Where the next answer is written; sent by send_answer(). */
static uint8_t *next_answer(struct gm_snmp_listener *listener)
{
	if (listener->answers == GM_SNMP_BATCH) {
		flush(listener);
	}
	return listener->answer[listener->answers];
}

static void send_answer(struct gm_snmp_listener *listener, const struct sockaddr_storage *to,
			const uint8_t *data, size_t length)
{
	if (length > 0) {
		listener->to[listener->answers] = *to;
		gm_snmp_endpoint_send(listener->ear->endpoint, &listener->to[listener->answers],
				      data, length);
		listener->answers++;
	}
}

/*
 * RFC 3416 section 4.2.7: the answer has the same id and the same variables, and no error, which an
 * inform has in the same places. So it is the inform, called an answer.
 */
static void answer_inform(struct gm_snmp_listener *listener,
			  const struct gm_snmp_datagram *datagram)
{
	size_t at = (size_t)(listener->message.pdu.raw.data - datagram->data);
	uint8_t *answer = next_answer(listener);

	memcpy(answer, datagram->data, datagram->length);
	answer[at] = GM_SNMP_RESPONSE;
	send_answer(listener, datagram->from, answer, datagram->length);
}

/* Its answer would be too big. */
static void answer_alternate(struct gm_snmp_listener *listener,
			     const struct gm_snmp_datagram *datagram)
{
	const struct gm_snmp_slice *community = &listener->message.community;
	uint8_t *answer = next_answer(listener), *end = answer + GM_SNMP_PACKET_MAX;
	struct gm_snmp_writer writer = {answer, end, false};

	gm_snmp_put_alternate(&writer, listener->message.pdu.request_id);
	gm_snmp_put_octets(&writer, GM_SNMP_OCTETS, community->data, community->length);
	gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, listener->message.version);
	gm_snmp_put_head(&writer, GM_SNMP_SEQUENCE, end);
	send_answer(listener, datagram->from, writer.at, (size_t)(end - writer.at));
}

/* ---- who it is ---- */

/* Guests in other namespaces cannot reach this socket: whoever has their address here is another. */
static bool is_at(const struct gm_snmp_listener *listener, const struct gm_snmp_peer *peer,
		  const struct sockaddr_storage *from)
{
	const struct gm_snmp_namespaces *namespaces = &listener->peers->namespaces;

	return peer->target && gm_snmp_same_host(&peer->address, from) &&
	       namespaces->list[peer->place].device == listener->ear->device &&
	       namespaces->list[peer->place].inode == listener->ear->inode;
}

/* Whether who knows one of them can speak as the other: privacy and versions without keys add nothing. */
static bool is_equal(const struct gm_snmp_credential *a, const struct gm_snmp_credential *b)
{
	bool keyed = a->version == GM_SNMP_V3;

	return a == b ||
	       (keyed == (b->version == GM_SNMP_V3) && strcmp(a->community, b->community) == 0 &&
		(!keyed || (strcmp(a->digest, b->digest) == 0 &&
			    strcmp(a->authentication, b->authentication) == 0)));
}

static void add_claimant(struct gm_snmp_listener *listener, struct gm_snmp_target *target)
{
	const struct gm_snmp_credential *credential = gm_snmp_target_credential(target);

	for (size_t i = 0; i < listener->claimant_count; i++) {
		struct claimant *claimant = &listener->claimants[i];

		if (is_equal(gm_snmp_target_credential(claimant->target), credential)) {
			claimant->shared = true;
			return;
		}
	}
	listener->claimants[listener->claimant_count++] = (struct claimant){target, false};
}

static void find_claimants(struct gm_snmp_listener *listener, const struct sockaddr_storage *from)
{
	listener->claimant_count = 0;
	for (size_t i = 0; i < listener->peers->count; i++) {
		if (is_at(listener, &listener->peers->slots[i], from)) {
			add_claimant(listener, listener->peers->slots[i].target);
		}
	}
}

/* ---- version 3, for this node's engine ---- */

/*
 * That one is meant whose user opens it. Otherwise the one that came nearest, with what is wrong then; NULL: nobody
 * there is asked by version 3 with a user of his own.
 */
static const struct claimant *find_user(struct gm_snmp_listener *listener,
					const struct gm_snmp_datagram *datagram,
					enum gm_snmp_fault *ret_fault)
{
	const struct claimant *found = NULL;

	for (size_t i = 0; i < listener->claimant_count; i++) {
		const struct claimant *claimant = &listener->claimants[i];
		const struct gm_snmp_credential *credential =
			gm_snmp_target_credential(claimant->target);
		enum gm_snmp_fault fault;

		if (credential->version != GM_SNMP_V3 || claimant->shared) {
			continue;
		}
		fault = gm_snmp_engine_open(listener->engine, credential, datagram->data,
					    datagram->length, listener->now->monotonic,
					    &listener->message);
		if (fault == GM_SNMP_FINE || found == NULL || *ret_fault == GM_SNMP_UNKNOWN_USER) {
			found = claimant;
			*ret_fault = fault;
		}
		if (fault == GM_SNMP_FINE) {
			break;
		}
	}
	return found;
}

/* The two questions with which every sender begins: for the engine, and for its clock. */
static bool is_question(enum gm_snmp_fault fault, const struct gm_snmp_v3 *v3)
{
	return (fault == GM_SNMP_UNKNOWN_ENGINE && v3->engine.length == 0) ||
	       (fault == GM_SNMP_NOT_IN_TIME && v3->boots == 0 && v3->time == 0);
}

/* RFC 3412 section 7.1: what wants an answer, as far as one can read; the flag is for what one cannot. */
static bool may_be_reported(const struct gm_snmp_message *message)
{
	uint8_t flags = message->v3.flags, type = message->pdu.type;

	return (flags & GM_SNMP_REPORTABLE) != 0 &&
	       ((flags & GM_SNMP_ENCRYPTED) != 0 ||
		(type != GM_SNMP_RESPONSE && type != GM_SNMP_REPORT && type != GM_SNMP_TRAP));
}

static void report(struct gm_snmp_listener *listener, struct gm_snmp_target *target,
		   enum gm_snmp_fault fault, const struct gm_snmp_datagram *datagram)
{
	const struct gm_snmp_v3 *v3 = &listener->message.v3;
	const uint8_t *message = NULL;
	size_t length;

	if (!is_question(fault, v3)) {
		gm_snmp_target_refuse(target, false);
	}
	if (!may_be_reported(&listener->message) ||
	    !gm_snmp_target_may_report(target, listener->now->monotonic)) {
		return;
	}
	length = gm_snmp_engine_report(listener->engine, fault, gm_snmp_target_credential(target),
				       &listener->message, listener->now->monotonic,
				       next_answer(listener), GM_SNMP_PACKET_MAX, &message);
	send_answer(listener, datagram->from, message, length);
}

/* False: nobody at its host is asked by version 3, with a user of his own. */
static bool take_sealed(struct gm_snmp_listener *listener, const struct gm_snmp_datagram *datagram,
			const struct gm_snmp_moment *when)
{
	enum gm_snmp_fault fault = GM_SNMP_FINE;
	const struct claimant *claimant = find_user(listener, datagram, &fault);
	const uint8_t *message = NULL;
	struct gm_snmp_target *target;
	size_t length;
	int rc;

	if (claimant == NULL) {
		return false;
	}
	target = claimant->target;
	if (fault != GM_SNMP_FINE) {
		report(listener, target, fault, datagram);
		return true;
	}
	rc = gm_snmp_target_inform(target, &listener->message, datagram->length, when,
				   listener->out);
	if (rc < 0 && rc != -EMSGSIZE) {
		return true;
	}
	length = gm_snmp_engine_answer(
		listener->engine, gm_snmp_target_credential(target), &listener->message,
		rc == 0 ? GM_SNMP_WHOLE : GM_SNMP_ALTERNATE, listener->now->monotonic,
		next_answer(listener), GM_SNMP_PACKET_MAX, &message);
	send_answer(listener, datagram->from, message, length);
	return true;
}

/* ---- all of them ---- */

/* A trap has the sender's engine and asks for no report (RFC 3412 section 6.4). */
static bool is_for_us(const struct gm_snmp_listener *listener)
{
	const struct gm_snmp_v3 *v3 = &listener->message.v3;

	return listener->message.version == GM_SNMP_V3 &&
	       ((v3->flags & GM_SNMP_REPORTABLE) != 0 ||
		gm_snmp_engine_is_meant(listener->engine, v3));
}

/* To the guest whose word it is; what is nobody's is counted by those who could have sent it. */
static void take_open(struct gm_snmp_listener *listener, const struct gm_snmp_datagram *datagram,
		      const struct gm_snmp_moment *when)
{
	for (size_t i = 0; i < listener->claimant_count; i++) {
		struct gm_snmp_target *target = listener->claimants[i].target;
		int rc = -EBADMSG;

		if (listener->claimants[i].shared) {
			gm_snmp_target_refuse(target, false);
		} else {
			rc = gm_snmp_target_notice(target, &listener->message, datagram->data,
						   datagram->length, when, listener->out);
		}
		if (rc == 0 && listener->message.pdu.type == GM_SNMP_INFORM) {
			answer_inform(listener, datagram);
		} else if (rc == -EMSGSIZE) {
			answer_alternate(listener, datagram);
		}
		if (rc != -EBADMSG) {
			return; /* its own, and perhaps more than it may tell */
		}
	}
}

static void take(void *user, const struct gm_snmp_datagram *datagram)
{
	struct gm_snmp_listener *listener = user;
	struct gm_snmp_moment when = {listener->now->monotonic - datagram->age,
				      listener->now->node - datagram->age};

	find_claimants(listener, datagram->from);
	if (listener->claimant_count == 0) {
		return;
	}
	if (datagram->cut ||
	    gm_snmp_decode(datagram->data, datagram->length, &listener->message) < 0) {
		gm_snmp_target_refuse(listener->claimants[0].target, false);
	} else if (!is_for_us(listener) || !take_sealed(listener, datagram, &when)) {
		take_open(listener, datagram, &when);
	}
}

/* All ears share what is taken in one turn: where it ended, the next ear is the first of the next turn. */
static void hear_all(struct gm_snmp_listener *listener)
{
	size_t left = NOTICES_MAX;

	for (size_t n = 0; n < EARS; n++) {
		size_t i = (listener->first + n) % EARS, taken;

		if (listener->ears[i].endpoint == NULL) {
			continue;
		}
		listener->ear = &listener->ears[i];
		taken = gm_snmp_endpoint_receive(listener->ear->endpoint, left, take, listener);
		flush(listener);
		if (taken >= left) {
			listener->first = (i + 1) % EARS;
			return;
		}
		left -= taken;
	}
}

int gm_snmp_listener_turn(struct gm_snmp_listener *listener, const struct gm_snmp_peers *peers,
			  const struct gm_snmp_moment *now, const struct gm_snmp_out *out,
			  struct gm_error *err)
{
	int rc;

	listener->peers = peers;
	listener->now = now;
	listener->out = out;
	rc = listener->namespaces ? follow(listener, err) : 0;
	if (rc == 0) {
		hear_all(listener);
	}
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authoritative side of the user-based security model; see engine.h. Used by listener.c. Keys are made
 * of the credential for each message: two digests of a few octets, and nothing to keep in step.
 */
#include "source/snmp/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

enum {
	BOOTS_MAX = 2147483647, /* from there on no message is in time: RFC 3414 section 2.2.3 */
	FORMAT = 5,             /* octets that an administration chose */
};

struct gm_snmp_engine {
	struct gm_snmp_identity identity;
	uint64_t salt;
	uint32_t faults[GM_SNMP_FAULTS];
	uint8_t scoped[GM_SNMP_SEALED_MAX]; /* what was opened last */
};

void gm_snmp_identity_make(struct gm_snmp_identity *identity, uint64_t number)
{
	/* The number of net-snmp's enterprise, under whose arc for experiments the MIB is. */
	static const uint8_t head[] = {0x80, 0x00, 0x1f, 0x88, FORMAT, 'g', 'm'};

	memcpy(identity->id, head, sizeof(head));
	identity->length = sizeof(head) + sizeof(number);
	for (size_t i = identity->length; i-- > sizeof(head); number >>= 8) {
		identity->id[i] = (uint8_t)number;
	}
}

/* RFC 3411: neither all zeros nor all ones. */
static bool is_id(const uint8_t *id, size_t length)
{
	bool zeros = true, ones = true;

	for (size_t i = 0; i < length; i++) {
		zeros &= id[i] == 0;
		ones &= id[i] == 0xff;
	}
	return length >= GM_SNMP_ENGINE_MIN && !zeros && !ones;
}

int gm_snmp_identity_parse(const char *text, struct gm_snmp_identity *ret_identity)
{
	uint8_t id[GM_SNMP_ENGINE_MAX];
	size_t length = 0;

	if (text[0] == '0' && (text[1] | 0x20) == 'x') {
		text += 2;
	}
	for (; *text != '\0'; text += 2) {
		int high = gm_text_hex(text[0]), low = high < 0 ? -1 : gm_text_hex(text[1]);

		if (low < 0 || length == sizeof(id)) {
			return -EINVAL;
		}
		id[length++] = (uint8_t)(high << 4 | low);
	}
	if (!is_id(id, length)) {
		return -EINVAL;
	}
	memcpy(ret_identity->id, id, length);
	ret_identity->length = length;
	return 0;
}

int gm_snmp_engine_create(const struct gm_snmp_identity *identity,
			  struct gm_snmp_engine **ret_engine)
{
	struct gm_snmp_engine *engine = calloc(1, sizeof(*engine));

	if (engine == NULL) {
		return -ENOMEM;
	}
	engine->identity = *identity;
	if (engine->identity.boots > BOOTS_MAX) {
		engine->identity.boots = BOOTS_MAX;
	}
	if (!is_id(identity->id, identity->length) || !gm_snmp_salt(&engine->salt)) {
		free(engine);
		return -EINVAL;
	}
	*ret_engine = engine;
	return 0;
}

void gm_snmp_engine_free(struct gm_snmp_engine *engine)
{
	if (engine) {
		explicit_bzero(engine->scoped, sizeof(engine->scoped));
		free(engine);
	}
}

static struct gm_snmp_slice id_of(const struct gm_snmp_engine *engine)
{
	return (struct gm_snmp_slice){engine->identity.id, engine->identity.length};
}

static int64_t time_of(const struct gm_snmp_engine *engine, int64_t now)
{
	return (now - engine->identity.started) / GM_SECOND;
}

static bool is_text(struct gm_snmp_slice slice, const char *text)
{
	return slice.length == strlen(text) && memcmp(slice.data, text, slice.length) == 0;
}

bool gm_snmp_engine_is_meant(const struct gm_snmp_engine *engine, const struct gm_snmp_v3 *v3)
{
	return v3->engine.length == engine->identity.length &&
	       memcmp(v3->engine.data, engine->identity.id, v3->engine.length) == 0;
}

/* RFC 3414 section 3.2 (7a). */
static bool is_in_time(const struct gm_snmp_engine *engine, const struct gm_snmp_v3 *v3,
		       int64_t now)
{
	int64_t apart = (int64_t)v3->time - time_of(engine, now);

	return engine->identity.boots < BOOTS_MAX && v3->boots == engine->identity.boots &&
	       apart >= -GM_SNMP_WINDOW && apart <= GM_SNMP_WINDOW;
}

static bool make_keys(const struct gm_snmp_engine *engine,
		      const struct gm_snmp_credential *credential, struct gm_snmp_keys *keys)
{
	return gm_snmp_keys_init(keys, credential) == 0 &&
	       gm_snmp_keys_localise(keys, credential, id_of(engine));
}

/* What is encrypted is decrypted, what is not is copied: the caller's octets stay as they are. */
static bool take_scoped(struct gm_snmp_engine *engine, const struct gm_snmp_keys *keys,
			struct gm_snmp_message *message)
{
	struct gm_snmp_slice context;

	if (message->v3.flags & GM_SNMP_ENCRYPTED) {
		return gm_snmp_decrypt(keys, message, engine->scoped);
	}
	if (message->v3.data.length > sizeof(engine->scoped)) {
		return false;
	}
	memcpy(engine->scoped, message->v3.data.data, message->v3.data.length);
	return gm_snmp_decode_scoped(engine->scoped, message->v3.data.length, &context,
				     &message->pdu) == 0;
}

/* The order is that of RFC 3414 section 3.2, steps 3 to 8. */
static enum gm_snmp_fault judge(struct gm_snmp_engine *engine, const struct gm_snmp_keys *keys,
				const void *data, size_t length, int64_t now,
				struct gm_snmp_message *message)
{
	const struct gm_snmp_v3 *v3 = &message->v3;

	if ((v3->flags & GM_SNMP_LEVEL) != keys->level) {
		return GM_SNMP_UNSUPPORTED_LEVEL;
	}
	if (!gm_snmp_is_authentic(keys, data, length, v3)) {
		return GM_SNMP_WRONG_DIGEST;
	}
	if (!is_in_time(engine, v3, now)) {
		return GM_SNMP_NOT_IN_TIME;
	}
	return take_scoped(engine, keys, message) ? GM_SNMP_FINE : GM_SNMP_NOT_DECRYPTED;
}

enum gm_snmp_fault gm_snmp_engine_open(struct gm_snmp_engine *engine,
				       const struct gm_snmp_credential *credential,
				       const void *data, size_t length, int64_t now,
				       struct gm_snmp_message *message)
{
	struct gm_snmp_keys keys;
	enum gm_snmp_fault fault;

	if (!gm_snmp_engine_is_meant(engine, &message->v3)) {
		return GM_SNMP_UNKNOWN_ENGINE;
	}
	if (!is_text(message->v3.user, credential->community)) {
		return GM_SNMP_UNKNOWN_USER;
	}
	fault = make_keys(engine, credential, &keys)
			? judge(engine, &keys, data, length, now, message)
			: GM_SNMP_WRONG_DIGEST;
	gm_snmp_keys_wipe(&keys);
	return fault;
}

/* The message around what stands at writer->at, in `id`'s exchange. */
static size_t send_sealed(struct gm_snmp_engine *engine,
			  const struct gm_snmp_credential *credential, uint8_t level,
			  const struct gm_snmp_v3 *asked, int64_t now,
			  struct gm_snmp_writer *writer, const uint8_t *end)
{
	struct gm_snmp_envelope envelope = {.id = asked->id,
					    .flags = level,
					    .engine = id_of(engine),
					    .user = asked->user,
					    .boots = engine->identity.boots,
					    .time = (uint32_t)time_of(engine, now),
					    .salt = ++engine->salt};
	struct gm_snmp_keys keys = {0};
	bool done = (level == 0 || make_keys(engine, credential, &keys)) &&
		    gm_snmp_seal(&keys, &envelope, writer, end);

	gm_snmp_keys_wipe(&keys);
	return done ? (size_t)(end - writer->at) : 0;
}

/* usmStats and the number of the fault, an instance: 1.3.6.1.6.3.15.1.1.N.0. */
static void put_report(const struct gm_snmp_engine *engine, enum gm_snmp_fault fault,
		       int32_t request_id, struct gm_snmp_writer *writer)
{
	uint8_t name[] = {0x2b, 6, 1, 6, 3, 15, 1, 1, (uint8_t)fault, 0};
	const uint8_t *end = writer->at;

	gm_snmp_put_integer(writer, GM_SNMP_COUNTER32, engine->faults[fault]);
	gm_snmp_put_octets(writer, GM_SNMP_OID, name, sizeof(name));
	gm_snmp_put_head(writer, GM_SNMP_SEQUENCE, end);
	gm_snmp_put_head(writer, GM_SNMP_SEQUENCE, end);
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, 0);
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, 0);
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, request_id);
	gm_snmp_put_head(writer, GM_SNMP_REPORT, end);
	gm_snmp_put_octets(writer, GM_SNMP_OCTETS, "", 0);
	gm_snmp_put_octets(writer, GM_SNMP_OCTETS, engine->identity.id, engine->identity.length);
	gm_snmp_put_head(writer, GM_SNMP_SEQUENCE, end);
}

size_t gm_snmp_engine_report(struct gm_snmp_engine *engine, enum gm_snmp_fault fault,
			     const struct gm_snmp_credential *credential,
			     const struct gm_snmp_message *asked, int64_t now, uint8_t *out,
			     size_t size, const uint8_t **ret_message)
{
	struct gm_snmp_writer writer = {out, out + size, false};
	/* RFC 3412 section 7.1: its id, unless that is encrypted. */
	bool legible = (asked->v3.flags & GM_SNMP_ENCRYPTED) == 0;
	/* RFC 3414 section 3.2 (7): who asks learns the clock from an authentic report alone. */
	uint8_t level = fault == GM_SNMP_NOT_IN_TIME ? GM_SNMP_AUTHENTICATED : 0;
	size_t length;

	engine->faults[fault]++;
	put_report(engine, fault, legible ? asked->pdu.request_id : 0, &writer);
	length = send_sealed(engine, credential, level, &asked->v3, now, &writer, out + size);
	*ret_message = writer.at;
	return length;
}

/* In the context of the opened one: what stands between the head of its scoped PDU and its PDU. */
static void put_alternate(const struct gm_snmp_engine *engine, const struct gm_snmp_pdu *pdu,
			  struct gm_snmp_writer *writer)
{
	size_t head = 2 + (engine->scoped[1] > 0x80 ? engine->scoped[1] & 0x7fU : 0);
	const uint8_t *end = writer->at, *context = engine->scoped + head;

	gm_snmp_put_alternate(writer, pdu->request_id);
	gm_snmp_put(writer, context, (size_t)(pdu->raw.data - context));
	gm_snmp_put_head(writer, GM_SNMP_SEQUENCE, end);
}

static void put_whole(struct gm_snmp_engine *engine, const struct gm_snmp_pdu *pdu,
		      struct gm_snmp_writer *writer)
{
	size_t type = (size_t)(pdu->raw.data - engine->scoped);

	engine->scoped[type] = GM_SNMP_RESPONSE;
	gm_snmp_put(writer, engine->scoped, type + pdu->raw.length);
}

size_t gm_snmp_engine_answer(struct gm_snmp_engine *engine,
			     const struct gm_snmp_credential *credential,
			     const struct gm_snmp_message *message, enum gm_snmp_answer kind,
			     int64_t now, uint8_t *out, size_t size, const uint8_t **ret_message)
{
	struct gm_snmp_writer writer = {out, out + size, false};
	size_t length;

	if (kind == GM_SNMP_WHOLE) {
		put_whole(engine, &message->pdu, &writer);
	} else {
		put_alternate(engine, &message->pdu, &writer);
	}
	length = send_sealed(engine, credential, message->v3.flags & GM_SNMP_LEVEL, &message->v3,
			     now, &writer, out + size);
	*ret_message = writer.at;
	return length;
}

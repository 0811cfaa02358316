/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a guest's engine is and what its clock says; see usm.h. Used by target.c.
 */
#include "source/snmp/usm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "source/snmp/secure.h"

enum {
	AGAIN_MAX = 3, /* reports in a row that are followed */
	SILENT_MAX = 3,
};

struct gm_snmp_usm {
	const struct gm_snmp_credential *credential;
	struct gm_snmp_keys keys;
	uint8_t engine[GM_SNMP_ENGINE_MAX];
	size_t engine_length; /* 0: not known */
	uint32_t boots, time;
	int64_t time_at; /* monotonic */
	int32_t id;
	uint64_t salt;
	unsigned again, silent;
	uint8_t plain[GM_SNMP_SEALED_MAX];
};

int gm_snmp_usm_create(const struct gm_snmp_credential *credential, struct gm_snmp_usm **ret_usm)
{
	struct gm_snmp_usm *usm = calloc(1, sizeof(*usm));

	if (usm == NULL) {
		return -ENOMEM;
	}
	usm->credential = credential;
	if (gm_snmp_keys_init(&usm->keys, credential) < 0 || !gm_snmp_salt(&usm->salt)) {
		free(usm);
		return -EINVAL;
	}
	*ret_usm = usm;
	return 0;
}

void gm_snmp_usm_free(struct gm_snmp_usm *usm)
{
	if (usm) {
		gm_snmp_keys_wipe(&usm->keys);
		explicit_bzero(usm->plain, sizeof(usm->plain));
		free(usm);
	}
}

static struct gm_snmp_slice engine_of(const struct gm_snmp_usm *usm)
{
	return (struct gm_snmp_slice){usm->engine, usm->engine_length};
}

static struct gm_snmp_slice user_of(const struct gm_snmp_usm *usm)
{
	const char *user = usm->credential->community;

	return (struct gm_snmp_slice){(const uint8_t *)user, strlen(user)};
}

static bool is_same(struct gm_snmp_slice a, struct gm_snmp_slice b)
{
	return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

static bool learn_engine(struct gm_snmp_usm *usm, struct gm_snmp_slice engine)
{
	if (engine.length < GM_SNMP_ENGINE_MIN || engine.length > GM_SNMP_ENGINE_MAX) {
		return false;
	}
	memcpy(usm->engine, engine.data, engine.length);
	usm->engine_length = engine.length;
	usm->boots = usm->time = 0;
	usm->time_at = 0;
	return gm_snmp_keys_localise(&usm->keys, usm->credential, engine_of(usm));
}

static void put_scoped(const struct gm_snmp_usm *usm, const uint8_t *pdu, size_t length,
		       struct gm_snmp_writer *writer)
{
	const uint8_t *end = writer->at;

	gm_snmp_put(writer, pdu, length);
	gm_snmp_put_octets(writer, GM_SNMP_OCTETS, "", 0);
	gm_snmp_put_octets(writer, GM_SNMP_OCTETS, usm->engine, usm->engine_length);
	gm_snmp_put_head(writer, GM_SNMP_SEQUENCE, end);
}

/* RFC 3414 section 4: a request without an engine, a user or names is answered by a report. */
static size_t discover(struct gm_snmp_usm *usm, int32_t id, uint8_t *out, size_t size,
		       const uint8_t **ret_message)
{
	struct gm_snmp_request none = {.type = GM_SNMP_GET};
	struct gm_snmp_envelope envelope = {.id = id, .flags = GM_SNMP_REPORTABLE};
	struct gm_snmp_writer writer = {out, out + size, false};
	uint8_t pdu[64], *id_at, *at = gm_snmp_encode_pdu(&none, pdu, sizeof(pdu), &id_at);

	gm_snmp_patch_id(id_at, id);
	put_scoped(usm, at, (size_t)(pdu + sizeof(pdu) - at), &writer);
	if (!gm_snmp_seal(NULL, &envelope, &writer, out + size)) {
		return 0;
	}
	*ret_message = writer.at;
	return (size_t)(out + size - writer.at);
}

static uint32_t engine_time(const struct gm_snmp_usm *usm, int64_t now)
{
	return usm->time_at == 0 ? 0 : usm->time + (uint32_t)((now - usm->time_at) / GM_SECOND);
}

size_t gm_snmp_usm_seal(struct gm_snmp_usm *usm, const uint8_t *pdu, size_t length, int32_t id,
			int64_t now, uint8_t *out, size_t size, const uint8_t **ret_message)
{
	struct gm_snmp_envelope envelope = {.id = id,
					    .flags = GM_SNMP_REPORTABLE | usm->keys.level,
					    .engine = engine_of(usm),
					    .user = user_of(usm),
					    .boots = usm->boots,
					    .time = engine_time(usm, now),
					    .salt = ++usm->salt};
	struct gm_snmp_writer writer = {out, out + size, false};

	usm->id = id;
	if (usm->engine_length == 0) {
		return discover(usm, id, out, size, ret_message);
	}
	put_scoped(usm, pdu, length, &writer);
	if (!gm_snmp_seal(&usm->keys, &envelope, &writer, out + size)) {
		return 0;
	}
	*ret_message = writer.at;
	return (size_t)(out + size - writer.at);
}

static bool is_authentic(const struct gm_snmp_usm *usm, const void *data, size_t length,
			 const struct gm_snmp_v3 *v3)
{
	return is_same(v3->engine, engine_of(usm)) && is_same(v3->user, user_of(usm)) &&
	       gm_snmp_is_authentic(&usm->keys, data, length, v3);
}

static int take_report(struct gm_snmp_usm *usm, const struct gm_snmp_v3 *v3, bool authentic)
{
	/* Only what is authentic, or what introduces an engine, changes how one asks. */
	if (++usm->again > AGAIN_MAX || (!authentic && usm->engine_length != 0)) {
		return -EBADMSG;
	}
	if (!authentic && !learn_engine(usm, v3->engine)) {
		usm->engine_length = 0;
		return -EBADMSG;
	}
	return -EAGAIN;
}

/* RFC 3414 section 3.2 (7b): the engine's clock goes forward only. */
static bool take_time(struct gm_snmp_usm *usm, const struct gm_snmp_v3 *v3, int64_t now)
{
	uint32_t expected = engine_time(usm, now);

	if (usm->time_at != 0 &&
	    (v3->boots < usm->boots ||
	     (v3->boots == usm->boots && v3->time + GM_SNMP_WINDOW < expected))) {
		return false;
	}
	if (usm->time_at == 0 || v3->boots > usm->boots || v3->time >= expected) {
		usm->boots = v3->boots;
		usm->time = v3->time;
		usm->time_at = now;
	}
	return true;
}

/* Checks what is said to be authentic and decrypts what is encrypted, into message->pdu. */
static bool unseal(struct gm_snmp_usm *usm, const void *data, size_t length, int64_t now,
		   struct gm_snmp_message *message)
{
	const struct gm_snmp_v3 *v3 = &message->v3;
	bool authentic = (v3->flags & GM_SNMP_AUTHENTICATED) != 0;

	if (authentic && (usm->engine_length == 0 || !is_authentic(usm, data, length, v3) ||
			  !take_time(usm, v3, now))) {
		return false;
	}
	return (v3->flags & GM_SNMP_ENCRYPTED) == 0 ||
	       (authentic && gm_snmp_decrypt(&usm->keys, message, usm->plain));
}

int gm_snmp_usm_open(struct gm_snmp_usm *usm, const void *data, size_t length, int64_t now,
		     struct gm_snmp_message *message)
{
	const struct gm_snmp_v3 *v3 = &message->v3;

	if (v3->id != usm->id || !unseal(usm, data, length, now, message)) {
		return -EBADMSG;
	}
	if (message->pdu.type == GM_SNMP_REPORT) {
		return take_report(usm, v3, (v3->flags & GM_SNMP_AUTHENTICATED) != 0);
	}
	/* What was asked for in secret is not taken in the clear. */
	if ((v3->flags & GM_SNMP_LEVEL) != usm->keys.level) {
		return -EBADMSG;
	}
	usm->again = usm->silent = 0;
	return 0;
}

int gm_snmp_usm_open_notice(struct gm_snmp_usm *usm, const void *data, size_t length, int64_t now,
			    struct gm_snmp_message *message)
{
	return (message->v3.flags & GM_SNMP_LEVEL) == usm->keys.level &&
			       unseal(usm, data, length, now, message)
		       ? 0
		       : -EBADMSG;
}

void gm_snmp_usm_silence(struct gm_snmp_usm *usm)
{
	usm->again = 0;
	if (++usm->silent >= SILENT_MAX) {
		usm->silent = 0;
		usm->engine_length = 0;
	}
}

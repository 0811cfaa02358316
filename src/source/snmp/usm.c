/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Version 3 around a PDU; see usm.h. The ciphers are OpenSSL's; what is here is which octets they are
 * applied to. Used by target.c; list.c makes the master keys.
 */
#include "source/snmp/usm.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"

enum {
	REPORTABLE = 4,
	AUTH_PRIV = 3,
	ENGINE_MAX = 32, /* RFC 3411: 5 to 32 octets */
	KEY_MAX = 64,
	AES_KEY = 16,
	SALT = 8,
	DIGEST_MAX = 48,
	PLAIN_MAX = 4096,
	EXPANDED = 1048576, /* RFC 3414 section A.2 */
	AGAIN_MAX = 3,      /* reports in a row that are followed */
	SILENT_MAX = 3,
};

struct gm_snmp_usm {
	const struct gm_snmp_credential *credential;
	const EVP_MD *digest;
	size_t key_length, digest_length;
	uint8_t engine[ENGINE_MAX];
	size_t engine_length; /* 0: not known */
	uint8_t authentication[KEY_MAX], privacy[KEY_MAX];
	uint32_t boots, time;
	int64_t time_at; /* monotonic */
	int32_t id;
	uint64_t salt;
	unsigned again, silent;
	uint8_t plain[PLAIN_MAX];
};

static bool hash_parts(const EVP_MD *digest, const struct gm_snmp_slice *parts, size_t count,
		       uint8_t key[KEY_MAX])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool done = context && EVP_DigestInit_ex(context, digest, NULL) == 1;

	for (size_t i = 0; i < count && done; i++) {
		done = EVP_DigestUpdate(context, parts[i].data, parts[i].length) == 1;
	}
	done = done && EVP_DigestFinal_ex(context, key, NULL) == 1;
	EVP_MD_CTX_free(context);
	return done;
}

static bool expand(const EVP_MD *digest, const char *passphrase, uint8_t key[KEY_MAX])
{
	size_t length = strlen(passphrase);
	uint8_t *text = malloc(EXPANDED);
	struct gm_snmp_slice part = {text, EXPANDED};
	bool done;

	if (text == NULL || length == 0) {
		free(text);
		return false;
	}
	for (size_t i = 0; i < EXPANDED; i++) {
		text[i] = (uint8_t)passphrase[i % length];
	}
	done = hash_parts(digest, &part, 1, key);
	OPENSSL_cleanse(text, EXPANDED);
	free(text);
	return done;
}

int gm_snmp_usm_master(struct gm_snmp_credential *credential)
{
	const EVP_MD *digest = EVP_get_digestbyname(credential->digest);

	if (digest == NULL) {
		return -EINVAL;
	}
	return expand(digest, credential->authentication, credential->authentication_key) &&
			       expand(digest, credential->privacy, credential->privacy_key)
		       ? 0
		       : -ENOMEM;
}

/* How much of a digest is sent: RFC 3414 section 6, RFC 7860 section 4.2.1. */
static size_t truncated(size_t key_length)
{
	static const struct {
		size_t key, digest;
	} lengths[] = {{20, 12}, {28, 16}, {32, 24}, {48, 32}, {64, 48}};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		if (lengths[i].key == key_length) {
			return lengths[i].digest;
		}
	}
	return 0;
}

int gm_snmp_usm_create(const struct gm_snmp_credential *credential, struct gm_snmp_usm **ret_usm)
{
	struct gm_snmp_usm *usm = calloc(1, sizeof(*usm));

	if (usm == NULL) {
		return -ENOMEM;
	}
	usm->credential = credential;
	usm->digest = EVP_get_digestbyname(credential->digest);
	if (usm->digest) {
		usm->key_length = (size_t)EVP_MD_get_size(usm->digest);
	}
	usm->digest_length = truncated(usm->key_length);
	if (usm->digest_length == 0 ||
	    getrandom(&usm->salt, sizeof(usm->salt), 0) != sizeof(usm->salt)) {
		free(usm);
		return -EINVAL;
	}
	*ret_usm = usm;
	return 0;
}

void gm_snmp_usm_free(struct gm_snmp_usm *usm)
{
	if (usm) {
		OPENSSL_cleanse(usm, sizeof(*usm));
		free(usm);
	}
}

static bool localise(struct gm_snmp_usm *usm, const uint8_t *master, uint8_t key[KEY_MAX])
{
	struct gm_snmp_slice parts[] = {{master, usm->key_length},
					{usm->engine, usm->engine_length},
					{master, usm->key_length}};

	return hash_parts(usm->digest, parts, 3, key);
}

static bool learn_engine(struct gm_snmp_usm *usm, struct gm_snmp_slice engine)
{
	if (engine.length < 5 || engine.length > ENGINE_MAX) {
		return false;
	}
	memcpy(usm->engine, engine.data, engine.length);
	usm->engine_length = engine.length;
	usm->boots = usm->time = 0;
	usm->time_at = 0;
	return localise(usm, usm->credential->authentication_key, usm->authentication) &&
	       localise(usm, usm->credential->privacy_key, usm->privacy);
}

/* AES-128 in CFB mode both ways; the IV is boots, time and salt (RFC 3826 section 3.1.2.1). */
static bool cipher(const struct gm_snmp_usm *usm, bool encrypt, uint32_t boots, uint32_t time,
		   const uint8_t salt[SALT], struct gm_snmp_slice from, uint8_t *to)
{
	uint8_t iv[16] = {boots >> 24, boots >> 16, boots >> 8, boots,
			  time >> 24,  time >> 16,  time >> 8,  time};
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int length;
	bool done;

	memcpy(iv + 8, salt, SALT);
	done = context &&
	       EVP_CipherInit_ex(context, EVP_aes_128_cfb128(), NULL, usm->privacy, iv, encrypt) ==
		       1 &&
	       EVP_CipherUpdate(context, to, &length, from.data, (int)from.length) == 1;
	EVP_CIPHER_CTX_free(context);
	return done;
}

static bool sign(const struct gm_snmp_usm *usm, const uint8_t *message, size_t length,
		 uint8_t digest[KEY_MAX])
{
	return HMAC(usm->digest, usm->authentication, (int)usm->key_length, message, length, digest,
		    NULL) != NULL;
}

struct security {
	uint32_t boots, time;
	uint8_t salt[SALT];
	bool secure;
};

/* The head of a message: all but its data, which stands at writer->at already. */
static uint8_t *put_message(const struct gm_snmp_usm *usm, const struct security *security,
			    int32_t id, struct gm_snmp_writer *writer, const uint8_t *end)
{
	static const uint8_t zeros[DIGEST_MAX];
	bool secure = security->secure;
	const char *user = secure ? usm->credential->community : "";
	uint8_t flags = REPORTABLE | (secure ? AUTH_PRIV : 0);
	uint8_t *mark = writer->at, *digest;

	gm_snmp_put_octets(writer, GM_SNMP_OCTETS, security->salt, secure ? SALT : 0);
	gm_snmp_put(writer, zeros, secure ? usm->digest_length : 0);
	digest = writer->at;
	gm_snmp_put_head(writer, GM_SNMP_OCTETS, digest + (secure ? usm->digest_length : 0));
	gm_snmp_put_octets(writer, GM_SNMP_OCTETS, user, strlen(user));
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, security->time);
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, security->boots);
	gm_snmp_put_octets(writer, GM_SNMP_OCTETS, usm->engine, secure ? usm->engine_length : 0);
	gm_snmp_put_head(writer, GM_SNMP_SEQUENCE, mark);
	gm_snmp_put_head(writer, GM_SNMP_OCTETS, mark);
	mark = writer->at;
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, 3); /* the user-based model */
	gm_snmp_put_octets(writer, GM_SNMP_OCTETS, &flags, 1);
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, PLAIN_MAX);
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, id);
	gm_snmp_put_head(writer, GM_SNMP_SEQUENCE, mark);
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, GM_SNMP_V3);
	gm_snmp_put_head(writer, GM_SNMP_SEQUENCE, end);
	return digest;
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
	struct security security = {0};
	struct gm_snmp_writer writer = {out, out + size, false};
	uint8_t pdu[64], *id_at, *at = gm_snmp_encode_pdu(&none, pdu, sizeof(pdu), &id_at);

	gm_snmp_patch_id(id_at, id);
	put_scoped(usm, at, (size_t)(pdu + sizeof(pdu) - at), &writer);
	put_message(usm, &security, id, &writer, out + size);
	*ret_message = writer.at;
	return writer.failed ? 0 : (size_t)(out + size - writer.at);
}

static uint32_t engine_time(const struct gm_snmp_usm *usm, int64_t now)
{
	return usm->time_at == 0 ? 0 : usm->time + (uint32_t)((now - usm->time_at) / GM_SECOND);
}

size_t gm_snmp_usm_seal(struct gm_snmp_usm *usm, const uint8_t *pdu, size_t length, int32_t id,
			int64_t now, uint8_t *out, size_t size, const uint8_t **ret_message)
{
	struct security security = {
		.boots = usm->boots, .time = engine_time(usm, now), .secure = true};
	struct gm_snmp_writer writer = {out, out + size, false};
	uint8_t digest[KEY_MAX], *digest_at;
	struct gm_snmp_slice plain;

	usm->id = id;
	if (usm->engine_length == 0) {
		return discover(usm, id, out, size, ret_message);
	}
	usm->salt++;
	memcpy(security.salt, &usm->salt, SALT);
	put_scoped(usm, pdu, length, &writer);
	plain = (struct gm_snmp_slice){writer.at, (size_t)(out + size - writer.at)};
	if (writer.failed ||
	    !cipher(usm, true, security.boots, security.time, security.salt, plain, writer.at)) {
		return 0;
	}
	gm_snmp_put_head(&writer, GM_SNMP_OCTETS, out + size);
	digest_at = put_message(usm, &security, id, &writer, out + size);
	if (writer.failed || !sign(usm, writer.at, (size_t)(out + size - writer.at), digest)) {
		return 0;
	}
	memcpy(digest_at, digest, usm->digest_length);
	*ret_message = writer.at;
	return (size_t)(out + size - writer.at);
}

/* The digest is over the message with zeros in its own place (RFC 3414 section 6.3.2). */
static bool is_authentic(struct gm_snmp_usm *usm, const uint8_t *data, size_t length,
			 const struct gm_snmp_v3 *v3)
{
	const char *user = usm->credential->community;
	uint8_t digest[KEY_MAX];

	if (length > sizeof(usm->plain) || v3->digest.length != usm->digest_length ||
	    v3->engine.length != usm->engine_length ||
	    memcmp(v3->engine.data, usm->engine, usm->engine_length) != 0 ||
	    v3->user.length != strlen(user) || memcmp(v3->user.data, user, strlen(user)) != 0) {
		return false;
	}
	memcpy(usm->plain, data, length);
	memset(usm->plain + (v3->digest.data - data), 0, usm->digest_length);
	return sign(usm, usm->plain, length, digest) &&
	       CRYPTO_memcmp(digest, v3->digest.data, usm->digest_length) == 0;
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
	    (v3->boots < usm->boots || (v3->boots == usm->boots && v3->time + 150 < expected))) {
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
	struct gm_snmp_slice engine;
	bool authentic = (v3->flags & 1) != 0;

	if (authentic && (usm->engine_length == 0 || !is_authentic(usm, data, length, v3) ||
			  !take_time(usm, v3, now))) {
		return false;
	}
	return (v3->flags & 2) == 0 ||
	       (authentic && v3->salt.length == SALT && v3->data.length <= sizeof(usm->plain) &&
		cipher(usm, false, v3->boots, v3->time, v3->salt.data, v3->data, usm->plain) &&
		gm_snmp_decode_scoped(usm->plain, v3->data.length, &engine, &message->pdu) == 0);
}

int gm_snmp_usm_open(struct gm_snmp_usm *usm, const void *data, size_t length, int64_t now,
		     struct gm_snmp_message *message)
{
	const struct gm_snmp_v3 *v3 = &message->v3;

	if (v3->id != usm->id || !unseal(usm, data, length, now, message)) {
		return -EBADMSG;
	}
	if (message->pdu.type == GM_SNMP_REPORT) {
		return take_report(usm, v3, (v3->flags & 1) != 0);
	}
	/* What was asked for in secret is not taken in the clear. */
	if ((v3->flags & AUTH_PRIV) != AUTH_PRIV) {
		return -EBADMSG;
	}
	usm->again = usm->silent = 0;
	return 0;
}

int gm_snmp_usm_open_notice(struct gm_snmp_usm *usm, const void *data, size_t length, int64_t now,
			    struct gm_snmp_message *message)
{
	return (message->v3.flags & AUTH_PRIV) == AUTH_PRIV &&
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

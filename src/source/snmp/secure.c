/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys, digests, encryption; see secure.h. The ciphers are OpenSSL's; what is here is which octets they
 * are applied to. Used by usm.c and engine.c; list.c makes the master keys.
 */
#include "source/snmp/secure.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
	KEY_MAX = 64,
	DIGEST_MAX = 48,
	EXPANDED = 1048576, /* RFC 3414 section A.2 */
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

static bool is_private(const struct gm_snmp_credential *credential)
{
	return credential->privacy[0] != '\0';
}

int gm_snmp_keys_master(struct gm_snmp_credential *credential)
{
	const EVP_MD *digest = EVP_get_digestbyname(credential->digest);

	if (digest == NULL) {
		return -EINVAL;
	}
	return expand(digest, credential->authentication, credential->authentication_key) &&
			       (!is_private(credential) ||
				expand(digest, credential->privacy, credential->privacy_key))
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

int gm_snmp_keys_init(struct gm_snmp_keys *keys, const struct gm_snmp_credential *credential)
{
	*keys = (struct gm_snmp_keys){.digest = EVP_get_digestbyname(credential->digest),
				      .level = GM_SNMP_AUTHENTICATED};
	if (is_private(credential)) {
		keys->level |= GM_SNMP_ENCRYPTED;
	}
	if (keys->digest) {
		keys->length = (size_t)EVP_MD_get_size(keys->digest);
	}
	keys->digest_length = truncated(keys->length);
	return keys->digest_length > 0 ? 0 : -EINVAL;
}

static bool localise(const struct gm_snmp_keys *keys, const uint8_t *master,
		     struct gm_snmp_slice engine, uint8_t key[KEY_MAX])
{
	struct gm_snmp_slice parts[] = {{master, keys->length}, engine, {master, keys->length}};

	return hash_parts(keys->digest, parts, 3, key);
}

bool gm_snmp_keys_localise(struct gm_snmp_keys *keys, const struct gm_snmp_credential *credential,
			   struct gm_snmp_slice engine)
{
	return localise(keys, credential->authentication_key, engine, keys->authentication) &&
	       (!is_private(credential) ||
		localise(keys, credential->privacy_key, engine, keys->privacy));
}

void gm_snmp_keys_wipe(struct gm_snmp_keys *keys)
{
	OPENSSL_cleanse(keys, sizeof(*keys));
}

/* AES-128 in CFB mode both ways; the IV is boots, time and salt (RFC 3826 section 3.1.2.1). */
static bool cipher(const struct gm_snmp_keys *keys, bool encrypt, const uint32_t clock[2],
		   const uint8_t *salt, struct gm_snmp_slice from, uint8_t *to)
{
	uint32_t boots = clock[0], time = clock[1];
	uint8_t iv[16] = {boots >> 24, boots >> 16, boots >> 8, boots,
			  time >> 24,  time >> 16,  time >> 8,  time};
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int length;
	bool done;

	memcpy(iv + 8, salt, GM_SNMP_SALT);
	done = context &&
	       EVP_CipherInit_ex(context, EVP_aes_128_cfb128(), NULL, keys->privacy, iv, encrypt) ==
		       1 &&
	       EVP_CipherUpdate(context, to, &length, from.data, (int)from.length) == 1;
	EVP_CIPHER_CTX_free(context);
	return done;
}

static bool sign(const struct gm_snmp_keys *keys, const uint8_t *message, size_t length,
		 uint8_t digest[KEY_MAX])
{
	return HMAC(keys->digest, keys->authentication, (int)keys->length, message, length, digest,
		    NULL) != NULL;
}

/* The head of a message: all but its data, which stands at writer->at already. Where the digest goes. */
static uint8_t *put_message(size_t digest_length, const struct gm_snmp_envelope *envelope,
			    const uint8_t *salt, struct gm_snmp_writer *writer, const uint8_t *end)
{
	static const uint8_t zeros[DIGEST_MAX];
	uint8_t *mark = writer->at, *digest;

	gm_snmp_put_octets(writer, GM_SNMP_OCTETS, salt,
			   envelope->flags & GM_SNMP_ENCRYPTED ? GM_SNMP_SALT : 0);
	gm_snmp_put(writer, zeros, digest_length);
	digest = writer->at;
	gm_snmp_put_head(writer, GM_SNMP_OCTETS, digest + digest_length);
	gm_snmp_put_octets(writer, GM_SNMP_OCTETS, envelope->user.data, envelope->user.length);
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, envelope->time);
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, envelope->boots);
	gm_snmp_put_octets(writer, GM_SNMP_OCTETS, envelope->engine.data, envelope->engine.length);
	gm_snmp_put_head(writer, GM_SNMP_SEQUENCE, mark);
	gm_snmp_put_head(writer, GM_SNMP_OCTETS, mark);
	mark = writer->at;
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, 3); /* the user-based model */
	gm_snmp_put_octets(writer, GM_SNMP_OCTETS, &envelope->flags, 1);
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, GM_SNMP_SEALED_MAX);
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, envelope->id);
	gm_snmp_put_head(writer, GM_SNMP_SEQUENCE, mark);
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, GM_SNMP_V3);
	gm_snmp_put_head(writer, GM_SNMP_SEQUENCE, end);
	return digest;
}

static bool encrypt(const struct gm_snmp_keys *keys, const struct gm_snmp_envelope *envelope,
		    const uint8_t *salt, struct gm_snmp_writer *writer, const uint8_t *end)
{
	struct gm_snmp_slice plain = {writer->at, (size_t)(end - writer->at)};
	uint32_t clock[] = {envelope->boots, envelope->time};

	if (!cipher(keys, true, clock, salt, plain, writer->at)) {
		return false;
	}
	gm_snmp_put_head(writer, GM_SNMP_OCTETS, end);
	return true;
}

bool gm_snmp_seal(const struct gm_snmp_keys *keys, const struct gm_snmp_envelope *envelope,
		  struct gm_snmp_writer *writer, const uint8_t *end)
{
	bool authentic = (envelope->flags & GM_SNMP_AUTHENTICATED) != 0;
	uint8_t salt[GM_SNMP_SALT], digest[KEY_MAX], *digest_at;
	size_t digest_length = authentic ? keys->digest_length : 0;

	memcpy(salt, &envelope->salt, sizeof(salt));
	if (writer->failed || ((envelope->flags & GM_SNMP_ENCRYPTED) &&
			       !encrypt(keys, envelope, salt, writer, end))) {
		return false;
	}
	digest_at = put_message(digest_length, envelope, salt, writer, end);
	if (writer->failed ||
	    (authentic && !sign(keys, writer->at, (size_t)(end - writer->at), digest))) {
		return false;
	}
	memcpy(digest_at, digest, digest_length);
	return true;
}

/* The digest is over the message with zeros in its own place (RFC 3414 section 6.3.2). */
bool gm_snmp_is_authentic(const struct gm_snmp_keys *keys, const void *data, size_t length,
			  const struct gm_snmp_v3 *v3)
{
	uint8_t copy[GM_SNMP_SEALED_MAX], digest[KEY_MAX];

	if (length > sizeof(copy) || v3->digest.length != keys->digest_length) {
		return false;
	}
	memcpy(copy, data, length);
	memset(copy + (v3->digest.data - (const uint8_t *)data), 0, keys->digest_length);
	return sign(keys, copy, length, digest) &&
	       CRYPTO_memcmp(digest, v3->digest.data, keys->digest_length) == 0;
}

bool gm_snmp_decrypt(const struct gm_snmp_keys *keys, struct gm_snmp_message *message,
		     uint8_t *plain)
{
	const struct gm_snmp_v3 *v3 = &message->v3;
	uint32_t clock[] = {v3->boots, v3->time};
	struct gm_snmp_slice engine;

	return (keys->level & GM_SNMP_ENCRYPTED) != 0 && v3->salt.length == GM_SNMP_SALT &&
	       v3->data.length <= GM_SNMP_SEALED_MAX &&
	       cipher(keys, false, clock, v3->salt.data, v3->data, plain) &&
	       gm_snmp_decode_scoped(plain, v3->data.length, &engine, &message->pdu) == 0;
}

bool gm_snmp_salt(uint64_t *ret_salt)
{
	return getrandom(ret_salt, sizeof(*ret_salt), 0) == sizeof(*ret_salt);
}

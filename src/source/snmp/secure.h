/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The octets of the user-based security model (RFC 3414; SHA-2 of RFC 7860, AES of RFC 3826): keys of one
 * engine, digests, encryption, the message around a scoped PDU. Who is authoritative is the caller's
 * business: usm.c asks guests, engine.c is asked by them. Pure but for the kernel's random numbers. Any thread.
 */
#ifndef GM_SOURCE_SNMP_SECURE_H
#define GM_SOURCE_SNMP_SECURE_H

#include "source/snmp/ber.h"
#include "source/snmp/list.h"

enum {
	/* Of a message's flags (RFC 3412 section 6.4). */
	GM_SNMP_AUTHENTICATED = 1,
	GM_SNMP_ENCRYPTED = 2,
	GM_SNMP_REPORTABLE = 4,
	GM_SNMP_LEVEL = GM_SNMP_AUTHENTICATED | GM_SNMP_ENCRYPTED,

	GM_SNMP_ENGINE_MIN = 5, /* RFC 3411: octets of an engine's id */
	GM_SNMP_ENGINE_MAX = 32,
	GM_SNMP_SALT = 8,
	GM_SNMP_SEALED_MAX = 4096, /* octets of a message that can be opened */
	GM_SNMP_WINDOW = 150,      /* seconds between two clocks: RFC 3414 section 2.2.3 */
};

struct evp_md_st;

/* A credential's keys for one engine. Wiped by gm_snmp_keys_wipe(). */
struct gm_snmp_keys {
	const struct evp_md_st *digest;
	size_t length, digest_length; /* of a key, and of what is sent of a digest */
	uint8_t level;                /* GM_SNMP_AUTHENTICATED, with GM_SNMP_ENCRYPTED or without */
	uint8_t authentication[64], privacy[64];
};

/* The keys of a passphrase before they are made an engine's (RFC 3414 section A.2): slow, once per credential. */
int gm_snmp_keys_master(struct gm_snmp_credential *credential);

/* What the credential says of digest and level; no keys yet. 0 or -EINVAL. */
int gm_snmp_keys_init(struct gm_snmp_keys *keys, const struct gm_snmp_credential *credential);
bool gm_snmp_keys_localise(struct gm_snmp_keys *keys, const struct gm_snmp_credential *credential,
			   struct gm_snmp_slice engine);
void gm_snmp_keys_wipe(struct gm_snmp_keys *keys);

/* What a message says around its scoped PDU. */
struct gm_snmp_envelope {
	int32_t id;
	uint8_t flags;
	struct gm_snmp_slice engine, user;
	uint32_t boots, time;
	uint64_t salt; /* of encryption: never the same twice with the same keys */
};

/*
 * The scoped PDU stands from writer->at to `end`: encrypts it there, puts the message around it, signs it,
 * as envelope->flags says. False: it does not fit.
 */
bool gm_snmp_seal(const struct gm_snmp_keys *keys, const struct gm_snmp_envelope *envelope,
		  struct gm_snmp_writer *writer, const uint8_t *end);

/* Whether the digest in `data`, of which `v3` was read, is that of these keys. */
bool gm_snmp_is_authentic(const struct gm_snmp_keys *keys, const void *data, size_t length,
			  const struct gm_snmp_v3 *v3);

/* Decrypts into `plain` (GM_SNMP_SEALED_MAX octets) and decodes it, into message->pdu. */
bool gm_snmp_decrypt(const struct gm_snmp_keys *keys, struct gm_snmp_message *message,
		     uint8_t *plain);

bool gm_snmp_salt(uint64_t *ret_salt);

#endif

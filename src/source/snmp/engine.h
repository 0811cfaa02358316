/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This node as an SNMP engine of its own: of an inform of version 3 the receiver is the authoritative one
 * (RFC 3414 section 1.5.1). Who sends one asks for the engine's id, its number of starts and its clock, and seals
 * with keys of this engine; what does not fit is answered by a report that says why. Knows neither
 * sockets nor who may send: bytes, a credential and a time go in. One thread.
 */
#ifndef GM_SOURCE_SNMP_ENGINE_H
#define GM_SOURCE_SNMP_ENGINE_H

#include "source/snmp/secure.h"

struct gm_snmp_engine;

/* What has to outlive the process: id and starts are a pair that must never be there twice. */
struct gm_snmp_identity {
	uint8_t id[GM_SNMP_ENGINE_MAX];
	size_t length;
	uint32_t boots;
	int64_t started; /* monotonic: when this start was counted */
};

/* An id of this project's form out of a number that is kept: RFC 3411's SnmpEngineID, format 5. */
void gm_snmp_identity_make(struct gm_snmp_identity *identity, uint64_t number);

/* One in hexadecimal, with 0x or not; 5 to 32 octets. 0 or -EINVAL, `ret` is then as it was. */
int gm_snmp_identity_parse(const char *text, struct gm_snmp_identity *ret_identity);

/* 0, -ENOMEM or -EINVAL. */
int gm_snmp_engine_create(const struct gm_snmp_identity *identity,
			  struct gm_snmp_engine **ret_engine);
void gm_snmp_engine_free(struct gm_snmp_engine *engine);

/* What is wrong with a message: the last number of usmStats' object (RFC 3414 section 5). */
enum gm_snmp_fault {
	GM_SNMP_FINE,
	GM_SNMP_UNSUPPORTED_LEVEL,
	GM_SNMP_NOT_IN_TIME,
	GM_SNMP_UNKNOWN_USER,
	GM_SNMP_UNKNOWN_ENGINE,
	GM_SNMP_WRONG_DIGEST,
	GM_SNMP_NOT_DECRYPTED,
	GM_SNMP_FAULTS
};

/* Whether it is sealed for this engine. */
bool gm_snmp_engine_is_meant(const struct gm_snmp_engine *engine, const struct gm_snmp_v3 *v3);

/*
 * Checks what gm_snmp_decode() read from `data` against a credential of version 3 and decrypts it;
 * message->pdu then points into `data` or into `engine`, until the next call. `now`: monotonic.
 */
enum gm_snmp_fault gm_snmp_engine_open(struct gm_snmp_engine *engine,
				       const struct gm_snmp_credential *credential,
				       const void *data, size_t length, int64_t now,
				       struct gm_snmp_message *message);

/* Both write into the end of `out`: the length, 0 when it does not fit. */

/*
 * The report of a fault, which is counted; of GM_SNMP_NOT_IN_TIME it is sealed with the credential. Others need none.
 */
size_t gm_snmp_engine_report(struct gm_snmp_engine *engine, enum gm_snmp_fault fault,
			     const struct gm_snmp_credential *credential,
			     const struct gm_snmp_message *asked, int64_t now, uint8_t *out,
			     size_t size, const uint8_t **ret_message);

/*
 * The answer to the inform that was opened last, of RFC 3416 section 4.2.7: its id and variables, and no error; or
 * the alternate one, which tells that that would be too big. The opened PDU is an answer from then on.
 */
enum gm_snmp_answer { GM_SNMP_WHOLE, GM_SNMP_ALTERNATE };
size_t gm_snmp_engine_answer(struct gm_snmp_engine *engine,
			     const struct gm_snmp_credential *credential,
			     const struct gm_snmp_message *message, enum gm_snmp_answer kind,
			     int64_t now, uint8_t *out, size_t size, const uint8_t **ret_message);

#endif

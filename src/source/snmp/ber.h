/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SNMP messages as bytes (BER, X.690; RFC 1157, 3416, 3412, 3414): one pure decoder, one encoder.
 * Nothing here knows sockets, targets or times. What is decoded comes from guests and is hostile: every
 * length is checked against what is there, depth and count are bounded, nothing is allocated, and the
 * result points into the caller's bytes.
 */
#ifndef GM_SOURCE_SNMP_BER_H
#define GM_SOURCE_SNMP_BER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	GM_SNMP_V1 = 0,
	GM_SNMP_V2C = 1,
	GM_SNMP_V3 = 3,

	GM_SNMP_GET = 0xa0,
	GM_SNMP_GETNEXT = 0xa1,
	GM_SNMP_RESPONSE = 0xa2,
	GM_SNMP_SET = 0xa3,
	GM_SNMP_GETBULK = 0xa5,
	GM_SNMP_INFORM = 0xa6,
	GM_SNMP_TRAP = 0xa7, /* of version 2 */
	GM_SNMP_REPORT = 0xa8,

	GM_SNMP_INTEGER = 0x02,
	GM_SNMP_OCTETS = 0x04,
	GM_SNMP_NULL = 0x05,
	GM_SNMP_OID = 0x06,
	GM_SNMP_SEQUENCE = 0x30,
	GM_SNMP_COUNTER32 = 0x41,
	GM_SNMP_GAUGE32 = 0x42,
	GM_SNMP_TIMETICKS = 0x43,
	GM_SNMP_COUNTER64 = 0x46,
	GM_SNMP_NO_OBJECT = 0x80,
	GM_SNMP_NO_INSTANCE = 0x81,
	GM_SNMP_END_OF_VIEW = 0x82,

	GM_SNMP_TOO_BIG = 1,
	GM_SNMP_NO_SUCH_NAME = 2,

	GM_SNMP_VARBINDS_MAX = 128, /* of one message; more is refused */
	GM_SNMP_PACKET_MAX = 1472,  /* of what is sent: an Ethernet frame less IP and UDP */
	GM_SNMP_OID_MAX = 64,       /* bytes of an encoded name */
};

/* Bytes that belong to somebody else. */
struct gm_snmp_slice {
	const uint8_t *data;
	size_t length;
};

struct gm_snmp_varbind {
	struct gm_snmp_slice oid; /* the contents octets, sub-identifiers well formed */
	uint8_t type;
	uint64_t number;           /* INTEGER (sign-extended) and the unsigned types */
	struct gm_snmp_slice text; /* OCTETS, OID and every other type: the contents octets */
};

struct gm_snmp_pdu {
	uint8_t type;
	struct gm_snmp_slice raw; /* all of it, from the octet of its type on */
	int32_t request_id;
	int64_t error_status, error_index;
	size_t count;
	struct gm_snmp_varbind varbinds[GM_SNMP_VARBINDS_MAX];
};

/* A message of version 3 before it is decrypted: RFC 3412 section 6, RFC 3414 section 2.4. */
struct gm_snmp_v3 {
	int32_t id;
	uint8_t flags; /* 1 authenticated, 2 encrypted, 4 reportable */
	struct gm_snmp_slice engine, user, digest, salt;
	uint32_t boots, time;
	struct gm_snmp_slice data; /* a scoped PDU; its ciphertext when flags has 2 */
};

struct gm_snmp_message {
	int version;
	struct gm_snmp_slice community; /* versions 1 and 2c */
	struct gm_snmp_v3 v3;
	struct gm_snmp_pdu pdu; /* not of an encrypted message: see gm_snmp_decode_scoped() */
};

/* 0, or -EBADMSG for whatever is not a whole, well-formed message. */
int gm_snmp_decode(const void *data, size_t length, struct gm_snmp_message *ret_message);

/* A scoped PDU (RFC 3412 section 6.8); what follows it (padding) is ignored. As above. */
int gm_snmp_decode_scoped(const void *data, size_t length, struct gm_snmp_slice *ret_engine,
			  struct gm_snmp_pdu *ret_pdu);

/* The order of names (RFC 3416 section 2): negative, 0, positive. Both well formed. */
int gm_snmp_oid_compare(struct gm_snmp_slice a, struct gm_snmp_slice b);
bool gm_snmp_oid_under(struct gm_snmp_slice oid, struct gm_snmp_slice root);
/* The first sub-identifier of `oid`; false when it is empty. */
bool gm_snmp_oid_first(struct gm_snmp_slice oid, uint32_t *ret_number);
/* Appends a sub-identifier at `out`; returns its length (at most 5). */
size_t gm_snmp_oid_append(uint8_t *out, uint32_t number);

/* Writes backwards, from the end of a buffer: lengths are known when they are written. */
struct gm_snmp_writer {
	uint8_t *start, *at;
	bool failed; /* it did not fit */
};

void gm_snmp_put(struct gm_snmp_writer *writer, const void *data, size_t length);
/* Head of everything that was written since `end`. */
void gm_snmp_put_head(struct gm_snmp_writer *writer, uint8_t type, const uint8_t *end);
void gm_snmp_put_octets(struct gm_snmp_writer *writer, uint8_t type, const void *data,
			size_t length);
void gm_snmp_put_integer(struct gm_snmp_writer *writer, uint8_t type, int64_t value);

/* The response to an inform whose own would be too big (RFC 3416 section 4.2.7). */
void gm_snmp_put_alternate(struct gm_snmp_writer *writer, int32_t request_id);

/* What is asked. Request ids are patched in: always four octets, so that a template fits them all. */
struct gm_snmp_request {
	uint8_t type;                     /* GM_SNMP_GET, GETNEXT, GETBULK, SET */
	uint8_t repetitions;              /* GETBULK: of all names */
	const struct gm_snmp_slice *oids; /* count of them */
	size_t count;
	const int64_t *values; /* SET: INTEGERs; NULL otherwise */
};

enum { GM_SNMP_ID_BASE = 0x40000000 }; /* ids from here to INT32_MAX take four octets */

/*
 * The PDU into the end of `buffer`: returns its first byte or NULL when it does not fit. *ret_id is where
 * the four octets of the request id stand.
 */
uint8_t *gm_snmp_encode_pdu(const struct gm_snmp_request *request, uint8_t *buffer, size_t size,
			    uint8_t **ret_id);

/* Puts version and community before what stands from `pdu` to the end of `buffer`. As above. */
uint8_t *gm_snmp_encode_community(int version, const char *community, uint8_t *buffer, size_t size,
				  uint8_t *pdu);

void gm_snmp_patch_id(uint8_t *at, int32_t id);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writing half of ber.h, from the end of a buffer towards its beginning. Called when a request's
 * template is made, not for every request; by usm.c for every message of version 3.
 */
#include <string.h>

#include "source/snmp/ber.h"

void gm_snmp_put(struct gm_snmp_writer *writer, const void *data, size_t length)
{
	if (writer->failed || (size_t)(writer->at - writer->start) < length) {
		writer->failed = true;
		return;
	}
	writer->at -= length;
	if (length > 0) { /* nothing may be at NULL */
		memcpy(writer->at, data, length);
	}
}

static void put_byte(struct gm_snmp_writer *writer, uint8_t byte)
{
	gm_snmp_put(writer, &byte, 1);
}

void gm_snmp_put_head(struct gm_snmp_writer *writer, uint8_t type, const uint8_t *end)
{
	size_t length = (size_t)(end - writer->at);

	put_byte(writer, (uint8_t)length);
	if (length > 255) {
		put_byte(writer, (uint8_t)(length >> 8));
		put_byte(writer, 0x82);
	} else if (length > 127) {
		put_byte(writer, 0x81);
	}
	put_byte(writer, type);
}

void gm_snmp_put_octets(struct gm_snmp_writer *writer, uint8_t type, const void *data,
			size_t length)
{
	const uint8_t *end = writer->at;

	gm_snmp_put(writer, data, length);
	gm_snmp_put_head(writer, type, end);
}

void gm_snmp_put_integer(struct gm_snmp_writer *writer, uint8_t type, int64_t value)
{
	const uint8_t *end = writer->at;
	uint8_t octet;

	do {
		octet = (uint8_t)value;
		put_byte(writer, octet);
		value >>= 8;
		/* Done when the sign bit of the last octet says what is left. */
	} while (value != (octet & 0x80 ? -1 : 0));
	gm_snmp_put_head(writer, type, end);
}

size_t gm_snmp_oid_append(uint8_t *out, uint32_t number)
{
	size_t length = 1;

	for (uint32_t rest = number >> 7; rest != 0; rest >>= 7) {
		length++;
	}
	for (size_t i = length; i-- > 0; number >>= 7) {
		out[i] = (uint8_t)((number & 0x7f) | (i + 1 < length ? 0x80 : 0));
	}
	return length;
}

void gm_snmp_put_alternate(struct gm_snmp_writer *writer, int32_t request_id)
{
	const uint8_t *end = writer->at;

	gm_snmp_put_head(writer, GM_SNMP_SEQUENCE, end);
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, 0);
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, GM_SNMP_TOO_BIG);
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, request_id);
	gm_snmp_put_head(writer, GM_SNMP_RESPONSE, end);
}

static void put_varbinds(struct gm_snmp_writer *writer, const struct gm_snmp_request *request)
{
	const uint8_t *end = writer->at;

	for (size_t i = request->count; i-- > 0;) {
		const uint8_t *pair = writer->at;

		if (request->values) {
			gm_snmp_put_integer(writer, GM_SNMP_INTEGER, request->values[i]);
		} else {
			gm_snmp_put_octets(writer, GM_SNMP_NULL, "", 0);
		}
		gm_snmp_put_octets(writer, GM_SNMP_OID, request->oids[i].data,
				   request->oids[i].length);
		gm_snmp_put_head(writer, GM_SNMP_SEQUENCE, pair);
	}
	gm_snmp_put_head(writer, GM_SNMP_SEQUENCE, end);
}

uint8_t *gm_snmp_encode_pdu(const struct gm_snmp_request *request, uint8_t *buffer, size_t size,
			    uint8_t **ret_id)
{
	struct gm_snmp_writer writer = {buffer, buffer + size, false};
	const uint8_t *end = writer.at;
	bool bulk = request->type == GM_SNMP_GETBULK;
	static const uint8_t id[4] = {GM_SNMP_ID_BASE >> 24};

	put_varbinds(&writer, request);
	/* error-status and error-index; in GETBULK's place non-repeaters and max-repetitions. */
	gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, bulk ? request->repetitions : 0);
	gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, 0);
	gm_snmp_put(&writer, id, sizeof(id));
	*ret_id = writer.at;
	gm_snmp_put_head(&writer, GM_SNMP_INTEGER, writer.at + sizeof(id));
	gm_snmp_put_head(&writer, request->type, end);
	return writer.failed ? NULL : writer.at;
}

uint8_t *gm_snmp_encode_community(int version, const char *community, uint8_t *buffer, size_t size,
				  uint8_t *pdu)
{
	struct gm_snmp_writer writer = {buffer, pdu, false};

	gm_snmp_put_octets(&writer, GM_SNMP_OCTETS, community, strlen(community));
	gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, version);
	gm_snmp_put_head(&writer, GM_SNMP_SEQUENCE, buffer + size);
	return writer.failed ? NULL : writer.at;
}

void gm_snmp_patch_id(uint8_t *at, int32_t id)
{
	uint32_t bits = (uint32_t)id;

	for (int i = 3; i >= 0; i--, bits >>= 8) {
		at[i] = (uint8_t)bits;
	}
}

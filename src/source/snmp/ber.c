/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reading half of ber.h: a cursor that only ever gets smaller. Called for every datagram that
 * arrives; the fuzzer's target.
 */
#include "source/snmp/ber.h"

#include <errno.h>
#include <string.h>

struct cursor {
	const uint8_t *at, *end;
};

/* The next element: its type and contents; the cursor goes past it. Definite lengths only. */
static bool take(struct cursor *cursor, uint8_t *type, struct cursor *contents)
{
	size_t left = (size_t)(cursor->end - cursor->at), length, head = 2;

	if (left < 2) {
		return false;
	}
	*type = cursor->at[0];
	length = cursor->at[1];
	if (length > 0x80) {
		size_t octets = length & 0x7f;

		head += octets;
		if (octets > 4 || left < head) {
			return false;
		}
		length = 0;
		for (size_t i = 2; i < head; i++) {
			length = length << 8 | cursor->at[i];
		}
	} else if (length == 0x80) {
		return false; /* the indefinite form: SNMP forbids it (RFC 3417 section 8) */
	}
	if (length > left - head) {
		return false;
	}
	contents->at = cursor->at + head;
	contents->end = contents->at + length;
	cursor->at = contents->end;
	return true;
}

static bool take_of(struct cursor *cursor, uint8_t wanted, struct cursor *contents)
{
	uint8_t type;

	return take(cursor, &type, contents) && type == wanted;
}

static bool take_slice(struct cursor *cursor, uint8_t wanted, struct gm_snmp_slice *slice)
{
	struct cursor contents;

	if (!take_of(cursor, wanted, &contents)) {
		return false;
	}
	*slice = (struct gm_snmp_slice){contents.at, (size_t)(contents.end - contents.at)};
	return true;
}

/* Up to eight octets of an INTEGER, sign-extended, or nine of an unsigned type (a leading zero). */
static bool number_of(uint8_t type, const struct cursor *contents, uint64_t *number)
{
	size_t length = (size_t)(contents->end - contents->at);
	bool is_signed = type == GM_SNMP_INTEGER;
	uint64_t value = is_signed && length > 0 && contents->at[0] & 0x80 ? UINT64_MAX : 0;

	if (length == 0 || length > 9 || (length == 9 && (is_signed || contents->at[0] != 0))) {
		return false;
	}
	for (const uint8_t *at = contents->at; at < contents->end; at++) {
		value = value << 8 | *at;
	}
	*number = value;
	return true;
}

static bool take_integer(struct cursor *cursor, int64_t min, int64_t max, int64_t *ret_value)
{
	struct cursor contents;
	uint64_t number;

	if (!take_of(cursor, GM_SNMP_INTEGER, &contents) ||
	    !number_of(GM_SNMP_INTEGER, &contents, &number) || (int64_t)number < min ||
	    (int64_t)number > max) {
		return false;
	}
	*ret_value = (int64_t)number;
	return true;
}

/* Whole sub-identifiers of at most 32 bits in their shortest form (X.690 section 8.19). */
static bool oid_is_sound(const struct cursor *contents)
{
	uint64_t number = 0;
	bool inside = false;

	for (const uint8_t *at = contents->at; at < contents->end; at++) {
		if (!inside && *at == 0x80) {
			return false;
		}
		number = (inside ? number << 7 : 0) | (*at & 0x7f);
		inside = (*at & 0x80) != 0;
		if (number > UINT32_MAX) {
			return false;
		}
	}
	return !inside && contents->end > contents->at;
}

static bool is_unsigned(uint8_t type)
{
	return type == GM_SNMP_COUNTER32 || type == GM_SNMP_GAUGE32 || type == GM_SNMP_TIMETICKS ||
	       type == GM_SNMP_COUNTER64;
}

static bool take_varbind(struct cursor *list, struct gm_snmp_varbind *varbind)
{
	struct cursor pair, contents;
	uint8_t type;

	if (!take_of(list, GM_SNMP_SEQUENCE, &pair) || !take_of(&pair, GM_SNMP_OID, &contents) ||
	    !oid_is_sound(&contents)) {
		return false;
	}
	varbind->oid = (struct gm_snmp_slice){contents.at, (size_t)(contents.end - contents.at)};
	if (!take(&pair, &type, &contents) || pair.at != pair.end) {
		return false;
	}
	varbind->type = type;
	varbind->number = 0;
	varbind->text = (struct gm_snmp_slice){contents.at, (size_t)(contents.end - contents.at)};
	if (type == GM_SNMP_INTEGER || is_unsigned(type)) {
		if (!number_of(type, &contents, &varbind->number)) {
			return false;
		}
		/* A 32-bit type is 32 bits wide, whatever is sent. */
		return !is_unsigned(type) || type == GM_SNMP_COUNTER64 ||
		       varbind->number <= UINT32_MAX;
	}
	return type != GM_SNMP_OID || oid_is_sound(&contents);
}

static bool take_pdu(struct cursor *cursor, struct gm_snmp_pdu *pdu)
{
	const uint8_t *start = cursor->at;
	struct cursor contents, list;
	int64_t id;

	if (!take(cursor, &pdu->type, &contents) ||
	    !take_integer(&contents, INT32_MIN, INT32_MAX, &id) ||
	    !take_integer(&contents, INT32_MIN, INT32_MAX, &pdu->error_status) ||
	    !take_integer(&contents, INT32_MIN, INT32_MAX, &pdu->error_index) ||
	    !take_of(&contents, GM_SNMP_SEQUENCE, &list)) {
		return false;
	}
	pdu->raw = (struct gm_snmp_slice){start, (size_t)(contents.end - start)};
	pdu->request_id = (int32_t)id;
	pdu->count = 0;
	while (list.at < list.end) {
		if (pdu->count == GM_SNMP_VARBINDS_MAX ||
		    !take_varbind(&list, &pdu->varbinds[pdu->count])) {
			return false;
		}
		pdu->count++;
	}
	return contents.at == contents.end;
}

static bool take_security(struct cursor *message, struct gm_snmp_v3 *v3)
{
	struct cursor wrapped, security;
	int64_t boots, time;

	if (!take_of(message, GM_SNMP_OCTETS, &wrapped) ||
	    !take_of(&wrapped, GM_SNMP_SEQUENCE, &security) ||
	    !take_slice(&security, GM_SNMP_OCTETS, &v3->engine) ||
	    !take_integer(&security, 0, INT32_MAX, &boots) ||
	    !take_integer(&security, 0, INT32_MAX, &time) ||
	    !take_slice(&security, GM_SNMP_OCTETS, &v3->user) ||
	    !take_slice(&security, GM_SNMP_OCTETS, &v3->digest) ||
	    !take_slice(&security, GM_SNMP_OCTETS, &v3->salt)) {
		return false;
	}
	v3->boots = (uint32_t)boots;
	v3->time = (uint32_t)time;
	return true;
}

static bool take_v3(struct cursor *message, struct gm_snmp_message *ret)
{
	struct gm_snmp_v3 *v3 = &ret->v3;
	struct gm_snmp_slice flags, engine;
	struct cursor header;
	int64_t id, size, model;

	if (!take_of(message, GM_SNMP_SEQUENCE, &header) ||
	    !take_integer(&header, 0, INT32_MAX, &id) ||
	    !take_integer(&header, 0, INT32_MAX, &size) ||
	    !take_slice(&header, GM_SNMP_OCTETS, &flags) || flags.length != 1 ||
	    !take_integer(&header, 3, 3, &model) || !take_security(message, v3)) {
		return false;
	}
	v3->id = (int32_t)id;
	v3->flags = flags.data[0];
	if ((v3->flags & 3) == 2) {
		return false; /* encrypted by nobody: RFC 3412 section 7.2, 5d */
	}
	if (v3->flags & 2) {
		return take_slice(message, GM_SNMP_OCTETS, &v3->data);
	}
	v3->data = (struct gm_snmp_slice){message->at, (size_t)(message->end - message->at)};
	return gm_snmp_decode_scoped(v3->data.data, v3->data.length, &engine, &ret->pdu) == 0;
}

int gm_snmp_decode(const void *data, size_t length, struct gm_snmp_message *ret_message)
{
	struct cursor cursor = {data, (const uint8_t *)data + length}, message;
	int64_t version;
	bool sound;

	if (!take_of(&cursor, GM_SNMP_SEQUENCE, &message) || cursor.at != cursor.end ||
	    !take_integer(&message, GM_SNMP_V1, GM_SNMP_V3, &version)) {
		return -EBADMSG;
	}
	ret_message->version = (int)version;
	if (version == GM_SNMP_V3) {
		return take_v3(&message, ret_message) ? 0 : -EBADMSG;
	}
	sound = version <= GM_SNMP_V2C &&
		take_slice(&message, GM_SNMP_OCTETS, &ret_message->community) &&
		take_pdu(&message, &ret_message->pdu) && message.at == message.end;
	return sound ? 0 : -EBADMSG;
}

int gm_snmp_decode_scoped(const void *data, size_t length, struct gm_snmp_slice *ret_engine,
			  struct gm_snmp_pdu *ret_pdu)
{
	struct cursor cursor = {data, (const uint8_t *)data + length}, scoped;
	struct gm_snmp_slice context;

	return take_of(&cursor, GM_SNMP_SEQUENCE, &scoped) &&
			       take_slice(&scoped, GM_SNMP_OCTETS, ret_engine) &&
			       take_slice(&scoped, GM_SNMP_OCTETS, &context) &&
			       take_pdu(&scoped, ret_pdu) && scoped.at == scoped.end
		       ? 0
		       : -EBADMSG;
}

/* The next sub-identifier; `at` is inside. */
static const uint8_t *next_number(const uint8_t *at, const uint8_t *end, uint32_t *number)
{
	*number = 0;
	while (at < end && *at & 0x80) {
		*number = *number << 7 | (*at++ & 0x7f);
	}
	if (at < end) {
		*number = *number << 7 | *at++;
	}
	return at;
}

int gm_snmp_oid_compare(struct gm_snmp_slice a, struct gm_snmp_slice b)
{
	const uint8_t *one = a.data, *one_end = a.data + a.length;
	const uint8_t *other = b.data, *other_end = b.data + b.length;

	while (one < one_end && other < other_end) {
		uint32_t left, right;

		one = next_number(one, one_end, &left);
		other = next_number(other, other_end, &right);
		if (left != right) {
			return left < right ? -1 : 1;
		}
	}
	return (one < one_end) - (other < other_end);
}

bool gm_snmp_oid_under(struct gm_snmp_slice oid, struct gm_snmp_slice root)
{
	return oid.length > root.length && memcmp(oid.data, root.data, root.length) == 0;
}

bool gm_snmp_oid_first(struct gm_snmp_slice oid, uint32_t *ret_number)
{
	if (oid.length == 0) {
		return false;
	}
	next_number(oid.data, oid.data + oid.length, ret_number);
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SNMP messages as bytes: what is written is read back, numbers keep their value, and whatever is cut,
 * changed or made up is either a sound message or refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "source/snmp/ber.h"

static struct gm_snmp_message message;

/* A GetRequest for sysUpTime.0, community "public", as net-snmp's snmpget sends it. */
static const uint8_t request_bytes[] = {
	0x30, 0x26, 0x02, 0x01, 0x01, 0x04, 0x06, 'p',  'u',  'b',  'l',  'i',  'c',  0xa0,
	0x19, 0x02, 0x01, 0x2a, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00, 0x30, 0x0e, 0x30, 0x0c,
	0x06, 0x08, 0x2b, 0x06, 0x01, 0x02, 0x01, 0x01, 0x03, 0x00, 0x05, 0x00,
};
static const uint8_t uptime[] = {0x2b, 0x06, 0x01, 0x02, 0x01, 0x01, 0x03, 0x00};

static void reads_a_message(void **state)
{
	(void)state;
	assert_int_equal(gm_snmp_decode(request_bytes, sizeof(request_bytes), &message), 0);
	assert_int_equal(message.version, GM_SNMP_V2C);
	assert_int_equal(message.community.length, 6);
	assert_memory_equal(message.community.data, "public", 6);
	assert_int_equal(message.pdu.type, GM_SNMP_GET);
	assert_int_equal(message.pdu.request_id, 42);
	assert_int_equal(message.pdu.count, 1);
	assert_int_equal(message.pdu.varbinds[0].type, GM_SNMP_NULL);
	assert_int_equal(message.pdu.varbinds[0].oid.length, sizeof(uptime));
	assert_memory_equal(message.pdu.varbinds[0].oid.data, uptime, sizeof(uptime));
}

static void writes_what_it_reads(void **state)
{
	struct gm_snmp_slice oids[60];
	struct gm_snmp_request request = {.type = GM_SNMP_GETBULK, .repetitions = 25, .oids = oids};
	uint8_t buffer[GM_SNMP_PACKET_MAX], *id, *start;

	(void)state;
	for (size_t i = 0; i < 60; i++) {
		oids[i] = (struct gm_snmp_slice){uptime, sizeof(uptime)};
	}
	/* Lengths of one, two and three octets. */
	for (request.count = 0; request.count <= 60; request.count++) {
		start = gm_snmp_encode_pdu(&request, buffer, sizeof(buffer), &id);
		assert_non_null(start);
		start = gm_snmp_encode_community(GM_SNMP_V1, "c", buffer, sizeof(buffer), start);
		assert_non_null(start);
		gm_snmp_patch_id(id, GM_SNMP_ID_BASE + 77);
		assert_int_equal(
			gm_snmp_decode(start, (size_t)(buffer + sizeof(buffer) - start), &message),
			0);
		assert_int_equal(message.version, GM_SNMP_V1);
		assert_int_equal(message.pdu.type, GM_SNMP_GETBULK);
		assert_int_equal(message.pdu.request_id, GM_SNMP_ID_BASE + 77);
		assert_int_equal(message.pdu.error_status, 0);
		assert_int_equal(message.pdu.error_index, 25);
		assert_int_equal(message.pdu.count, request.count);
	}
	request.count = 60;
	assert_null(gm_snmp_encode_pdu(&request, buffer, 300, &id));
}

/* The value as the only varbind of a message; what number is read from it. */
static int read_value(uint8_t type, const uint8_t *value, size_t length, uint64_t *ret_number)
{
	uint8_t buffer[256];
	struct gm_snmp_writer writer = {buffer, buffer + sizeof(buffer), false};
	const uint8_t *end = writer.at;

	gm_snmp_put_octets(&writer, type, value, length);
	gm_snmp_put_octets(&writer, GM_SNMP_OID, uptime, sizeof(uptime));
	gm_snmp_put_head(&writer, GM_SNMP_SEQUENCE, end);
	gm_snmp_put_head(&writer, GM_SNMP_SEQUENCE, end);
	gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, 0);
	gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, 0);
	gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, -1);
	gm_snmp_put_head(&writer, GM_SNMP_RESPONSE, end);
	gm_snmp_put_octets(&writer, GM_SNMP_OCTETS, "", 0);
	gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, GM_SNMP_V2C);
	gm_snmp_put_head(&writer, GM_SNMP_SEQUENCE, end);
	int rc = gm_snmp_decode(writer.at, (size_t)(end - writer.at), &message);

	*ret_number = rc == 0 ? message.pdu.varbinds[0].number : 0;
	return rc;
}

static void reads_numbers(void **state)
{
	static const struct {
		uint8_t type, length;
		uint8_t octets[10];
		int rc;
		uint64_t number;
	} cases[] = {
		{GM_SNMP_INTEGER, 1, {0x7f}, 0, 127},
		{GM_SNMP_INTEGER, 1, {0xff}, 0, UINT64_MAX},
		{GM_SNMP_INTEGER, 4, {0x80, 0, 0, 0}, 0, (uint64_t)INT32_MIN},
		{GM_SNMP_INTEGER, 0, {0}, -EBADMSG, 0},
		{GM_SNMP_INTEGER, 9, {0, 0, 0, 0, 0, 0, 0, 0, 1}, -EBADMSG, 0},
		{GM_SNMP_COUNTER32, 5, {0, 0xff, 0xff, 0xff, 0xff}, 0, UINT32_MAX},
		{GM_SNMP_COUNTER32, 4, {0xff, 0xff, 0xff, 0xff}, 0, UINT32_MAX},
		{GM_SNMP_COUNTER32, 5, {1, 0, 0, 0, 0}, -EBADMSG, 0},
		{GM_SNMP_GAUGE32, 1, {9}, 0, 9},
		{GM_SNMP_TIMETICKS, 2, {1, 0}, 0, 256},
		{GM_SNMP_COUNTER64, 9, {0, 255, 255, 255, 255, 255, 255, 255, 255}, 0, UINT64_MAX},
		{GM_SNMP_COUNTER64, 9, {1, 0, 0, 0, 0, 0, 0, 0, 0}, -EBADMSG, 0},
		{GM_SNMP_COUNTER64, 10, {0}, -EBADMSG, 0},
		{GM_SNMP_NO_OBJECT, 0, {0}, 0, 0},
		{GM_SNMP_OID, 2, {0x80, 1}, -EBADMSG, 0},
		{GM_SNMP_OID, 1, {0x81}, -EBADMSG, 0},
		{GM_SNMP_OID, 5, {0x8f, 0xff, 0xff, 0xff, 0x7f}, 0, 0},
		{GM_SNMP_OID, 5, {0x90, 0x80, 0x80, 0x80, 0x00}, -EBADMSG, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t number;
		int rc = read_value(cases[i].type, cases[i].octets, cases[i].length, &number);

		if (rc != cases[i].rc || number != cases[i].number) {
			fail_msg("case %zu: %d, %llu", i, rc, (unsigned long long)number);
		}
	}
}

static void writes_integers(void **state)
{
	static const int64_t values[] = {0,     1,         -1,        127,       128,
					 -128,  -129,      255,       256,       32767,
					 32768, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		uint8_t buffer[16];
		struct gm_snmp_writer writer = {buffer, buffer + sizeof(buffer), false};
		uint64_t number;

		gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, values[i]);
		assert_false(writer.failed);
		assert_int_equal(read_value(GM_SNMP_INTEGER, writer.at + 2,
					    (size_t)(buffer + sizeof(buffer) - writer.at - 2),
					    &number),
				 0);
		assert_true((int64_t)number == values[i]);
	}
}

static void orders_names(void **state)
{
	/* 1.3.16383 is before 1.3.16384, although its octets are not. */
	static const uint8_t a[] = {0x2b, 0xff, 0x7f}, b[] = {0x2b, 0x81, 0x80, 0x00};
	struct gm_snmp_slice one = {a, sizeof(a)}, other = {b, sizeof(b)}, root = {a, 1};
	uint32_t number;

	(void)state;
	assert_true(gm_snmp_oid_compare(one, other) < 0);
	assert_true(gm_snmp_oid_compare(other, one) > 0);
	assert_true(gm_snmp_oid_compare(one, one) == 0);
	assert_true(gm_snmp_oid_compare(root, one) < 0);
	assert_true(gm_snmp_oid_under(one, root));
	assert_false(gm_snmp_oid_under(root, root));
	for (uint64_t value = 0; value <= UINT32_MAX; value = value * 3 + 1) {
		uint8_t out[5];
		size_t length = gm_snmp_oid_append(out, (uint32_t)value);

		assert_true(gm_snmp_oid_first((struct gm_snmp_slice){out, length}, &number));
		assert_int_equal(number, (uint32_t)value);
	}
}

static void refuses_what_is_cut(void **state)
{
	(void)state;
	for (size_t length = 0; length < sizeof(request_bytes); length++) {
		/* On the heap: what is read beyond it is found by the sanitizer. */
		uint8_t *part = malloc(length + 1);

		memcpy(part, request_bytes, length);
		assert_int_equal(gm_snmp_decode(part, length, &message), -EBADMSG);
		free(part);
	}
}

/* Whatever is accepted points inside of what was given. */
/* A scoped PDU of version 3 around the PDU of the request above, and `more` octets within it. */
static size_t write_scoped(uint8_t *out, size_t more)
{
	static const uint8_t head[] = {0x30, 0x00, 0x04, 0x00, 0x04, 0x00};
	size_t length = sizeof(request_bytes) - 13;

	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), request_bytes + 13, length);
	memset(out + sizeof(head) + length, 0, more);
	out[1] = (uint8_t)(4 + length + more);
	return sizeof(head) + length + more;
}

static size_t write_v3(uint8_t *out, uint8_t flags, size_t more)
{
	const uint8_t head[] = {0x30, 0x00, 0x02, 0x01, 0x03, 0x30, 0x0d,  0x02, 0x01, 0x01,
				0x02, 0x02, 0x10, 0x00, 0x04, 0x01, flags, 0x02, 0x01, 0x03,
				0x04, 0x10, 0x30, 0x0e, 0x04, 0x00, 0x02,  0x01, 0x00, 0x02,
				0x01, 0x00, 0x04, 0x00, 0x04, 0x00, 0x04,  0x00};
	size_t length = sizeof(head);

	memcpy(out, head, sizeof(head));
	if (flags & 2) {
		out[length++] = 0x04;
		length += 1 + (out[length] = (uint8_t)write_scoped(out + length + 1, more));
	} else {
		length += write_scoped(out + length, more);
	}
	out[1] = (uint8_t)(length - 2);
	return length;
}

static void takes_version_3_as_it_must_be(void **state)
{
	uint8_t bytes[128];

	(void)state;
	for (uint8_t flags = 0; flags < 8; flags++) {
		bool nonsense = (flags & 3) == 2; /* private, and of nobody */
		size_t length = write_v3(bytes, flags, 0);

		assert_int_equal(gm_snmp_decode(bytes, length, &message), nonsense ? -EBADMSG : 0);
	}
	assert_int_equal(gm_snmp_decode(bytes, write_v3(bytes, 0, 2), &message), -EBADMSG);
}

static void stays_inside(const uint8_t *data, size_t length)
{
	if (gm_snmp_decode(data, length, &message) < 0 || message.version == GM_SNMP_V3) {
		return;
	}
	assert_true(message.pdu.count <= GM_SNMP_VARBINDS_MAX);
	for (size_t i = 0; i < message.pdu.count; i++) {
		const struct gm_snmp_varbind *varbind = &message.pdu.varbinds[i];

		assert_true(varbind->oid.data >= data);
		assert_true(varbind->oid.data + varbind->oid.length <= data + length);
		assert_true(varbind->text.data + varbind->text.length <= data + length);
	}
}

static void survives_changes(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		uint8_t changed[sizeof(request_bytes)];

		memcpy(changed, request_bytes, sizeof(changed));
		for (int i = 0; i <= round % 4; i++) {
			random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
			changed[(random >> 33) % sizeof(changed)] = (uint8_t)(random >> 48);
		}
		stays_inside(changed, sizeof(changed));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_message),  cmocka_unit_test(writes_what_it_reads),
		cmocka_unit_test(reads_numbers),    cmocka_unit_test(writes_integers),
		cmocka_unit_test(orders_names),     cmocka_unit_test(refuses_what_is_cut),
		cmocka_unit_test(survives_changes), cmocka_unit_test(takes_version_3_as_it_must_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

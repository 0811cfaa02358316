/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests that are silent, slow, mad or malicious, beside one that behaves: it keeps its cadence, what the
 * others say is counted, and nothing of it becomes a sample.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "snmp_rig.h"
#include "source/snmp/endpoint.h"

enum { GOOD_PORT = 12200, BAD_PORT = 12201, OTHER_PORT = 12202 };

static size_t respond_never(struct responder *responder, const struct gm_snmp_message *request,
			    uint8_t *answer, size_t size)
{
	(void)responder;
	(void)request;
	(void)answer;
	(void)size;
	return 0;
}

static size_t respond_garbage(struct responder *responder, const struct gm_snmp_message *request,
			      uint8_t *answer, size_t size)
{
	size_t length = respond_well(responder, request, answer, size);
	uint64_t random = (uint64_t)responder->value * UINT64_C(6364136223846793005) + 1;

	/* From a changed byte to nothing but noise. */
	for (size_t i = 0; i < length; i++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		if (i == 1 || random >> 60 < (uint64_t)responder->value % 16) {
			answer[i] = (uint8_t)(random >> 40);
		}
	}
	return length;
}

static size_t respond_wrong_id(struct responder *responder, const struct gm_snmp_message *request,
			       uint8_t *answer, size_t size)
{
	struct gm_snmp_message other = *request;

	other.pdu.request_id ^= 1 << 20;
	return respond_well(responder, &other, answer, size);
}

static size_t respond_huge(struct responder *responder, const struct gm_snmp_message *request,
			   uint8_t *answer, size_t size)
{
	static const uint8_t filling[500];
	struct gm_snmp_varbind varbinds[GM_SNMP_VARBINDS_MAX];
	struct answer written = {request, request->pdu.request_id, 0, 0, varbinds, 120};

	(void)responder;
	for (size_t i = 0; i < written.count; i++) {
		varbinds[i] = (struct gm_snmp_varbind){.oid = request->pdu.varbinds[0].oid,
						       .type = GM_SNMP_OCTETS,
						       .text = {filling, sizeof(filling)}};
	}
	return answer_write(&written, answer, size);
}

/* Texts where numbers are wanted, and numbers beyond every bound. */
static size_t respond_wrong_types(struct responder *responder,
				  const struct gm_snmp_message *request, uint8_t *answer,
				  size_t size)
{
	static const uint8_t text[] = "\xff\xfe"
				      "5; DROP TABLE";
	struct gm_snmp_varbind varbinds[GM_SNMP_VARBINDS_MAX];
	struct answer written = {request,  request->pdu.request_id, 0, 0,
				 varbinds, request->pdu.count};

	for (size_t i = 0; i < request->pdu.count; i++) {
		varbinds[i] = (struct gm_snmp_varbind){.oid = request->pdu.varbinds[i].oid,
						       .type = GM_SNMP_OCTETS,
						       .text = {text, sizeof(text) - 1}};
		if ((i + (size_t)responder->value) % 3 == 0) {
			varbinds[i].type = GM_SNMP_COUNTER64;
			varbinds[i].number = UINT64_MAX >> 1;
			varbinds[i].text.data = NULL;
		}
	}
	responder->value++;
	return answer_write(&written, answer, size);
}

static uint8_t oid_room[GM_SNMP_VARBINDS_MAX][GM_SNMP_OID_MAX];

/* Each name that is asked for is followed by itself. */
static size_t respond_in_circles(struct responder *responder, const struct gm_snmp_message *request,
				 uint8_t *answer, size_t size)
{
	struct gm_snmp_varbind varbinds[GM_SNMP_VARBINDS_MAX];
	struct answer written = {request,  request->pdu.request_id, 0, 0,
				 varbinds, request->pdu.count};

	if (request->pdu.type == GM_SNMP_GET) {
		return respond_well(responder, request, answer, size);
	}
	for (size_t i = 0; i < request->pdu.count; i++) {
		varbinds[i] = (struct gm_snmp_varbind){
			.oid = request->pdu.varbinds[i].oid, .type = GM_SNMP_INTEGER, .number = 1};
	}
	return answer_write(&written, answer, size);
}

/* A table without an end: name after name, for ever. */
static size_t respond_endlessly(struct responder *responder, const struct gm_snmp_message *request,
				uint8_t *answer, size_t size)
{
	struct gm_snmp_varbind varbinds[GM_SNMP_VARBINDS_MAX];
	struct answer written = {request, request->pdu.request_id, 0, 0, varbinds, 0};

	if (request->pdu.type == GM_SNMP_GET) {
		return respond_well(responder, request, answer, size);
	}
	size_t columns = request->pdu.count;

	for (size_t i = 0; i < 40 / columns * columns; i++) {
		/* Columns of hrSWRunPerfTable are 10 octets, those of hrStorageTable too. */
		struct gm_snmp_slice column = request->pdu.varbinds[i % columns].oid;
		size_t length = 10;

		memcpy(oid_room[i], column.data, length);
		length += gm_snmp_oid_append(oid_room[i] + length,
					     (uint32_t)(responder->value + (int64_t)(i / columns)));
		varbinds[written.count++] = (struct gm_snmp_varbind){
			.oid = {oid_room[i], length}, .type = GM_SNMP_INTEGER, .number = 7};
	}
	responder->value += 40;
	return answer_write(&written, answer, size);
}

/* Walks of hrStorageTable, which has one row. */
static size_t walk_storage(const struct gm_snmp_message *request, struct gm_snmp_slice type,
			   const char *name, uint8_t *answer, size_t size)
{
	struct gm_snmp_varbind varbinds[GM_SNMP_VARBINDS_MAX];
	struct answer written = {request, request->pdu.request_id, 0, 0, varbinds, 0};

	for (size_t i = 0; i < request->pdu.count; i++) {
		struct gm_snmp_slice oid = request->pdu.varbinds[i].oid;
		uint8_t column = oid.data[9];
		struct gm_snmp_varbind *varbind = &varbinds[written.count++];

		*varbind = (struct gm_snmp_varbind){
			.oid = oid, .type = GM_SNMP_END_OF_VIEW, .text = {type.data, 0}};
		if (oid.length != 10) {
			continue;
		}
		memcpy(oid_room[i], oid.data, oid.length);
		oid_room[i][10] = 1;
		varbind->oid = (struct gm_snmp_slice){oid_room[i], 11};
		varbind->type = column == 2   ? GM_SNMP_OID
				: column == 3 ? GM_SNMP_OCTETS
					      : GM_SNMP_INTEGER;
		varbind->text =
			column == 2 ? type
				    : (struct gm_snmp_slice){(const uint8_t *)name, strlen(name)};
		varbind->number = 4096;
	}
	return answer_write(&written, answer, size);
}

/* A file system with the name that the host has for the guest's first disk. */
static size_t respond_as_a_disk(struct responder *responder, const struct gm_snmp_message *request,
				uint8_t *answer, size_t size)
{
	static const uint8_t fixed[] = {0x2b, 6, 1, 2, 1, 0x19, 2, 1, 4};

	return request->pdu.type == GM_SNMP_GET
		       ? respond_well(responder, request, answer, size)
		       : walk_storage(request, (struct gm_snmp_slice){fixed, sizeof(fixed)}, "vda",
				      answer, size);
}

/* No memory of UCD's, and in its place more than 64 bits hold. */
static size_t respond_with_much_memory(struct responder *responder,
				       const struct gm_snmp_message *request, uint8_t *answer,
				       size_t size)
{
	static const uint8_t ram[] = {0x2b, 6, 1, 2, 1, 0x19, 2, 1, 2};
	struct gm_snmp_varbind varbinds[GM_SNMP_VARBINDS_MAX];
	struct answer written = {request,  request->pdu.request_id, 0, 0,
				 varbinds, request->pdu.count};

	if (request->pdu.type != GM_SNMP_GET) {
		return walk_storage(request, (struct gm_snmp_slice){ram, sizeof(ram)},
				    "Physical memory", answer, size);
	}
	for (size_t i = 0; i < request->pdu.count; i++) {
		struct gm_snmp_slice oid = request->pdu.varbinds[i].oid;
		bool storage = oid.length == 11 && oid.data[5] == 0x19;

		varbinds[i] = (struct gm_snmp_varbind){.oid = oid, .type = GM_SNMP_COUNTER64};
		if (i == 0) {
			varbinds[i].type = GM_SNMP_TIMETICKS;
			varbinds[i].number = (uint64_t)responder->value++;
		} else if (!storage) {
			varbinds[i].type = GM_SNMP_NO_OBJECT;
			varbinds[i].text = (struct gm_snmp_slice){ram, 0};
		} else {
			/* Its unit is 4096: 2^64 + 4096 octets, of which 4096 are in use. */
			varbinds[i].number = oid.data[9] == 4   ? 4096
					     : oid.data[9] == 5 ? (UINT64_C(1) << 52) + 1
								: 1;
		}
	}
	return answer_write(&written, answer, size);
}

/* tooBig for more than three names. */
static size_t respond_too_big(struct responder *responder, const struct gm_snmp_message *request,
			      uint8_t *answer, size_t size)
{
	struct answer written = {request, request->pdu.request_id, GM_SNMP_TOO_BIG, 0, NULL, 0};

	return request->pdu.count > 3 ? answer_write(&written, answer, size)
				      : respond_well(responder, request, answer, size);
}

struct chaos {
	struct rig rig;
	struct responder good, bad;
};

/* Guest 1 behaves, guest 2 does not. */
static void begin(struct chaos *chaos, respond_function *respond, int64_t delay, int other_source)
{
	*chaos = (struct chaos){.good.value = 1000};
	rig_prepare(&chaos->rig);
	chaos->bad.host = 1;
	chaos->bad.delay = delay;
	chaos->bad.other_source = other_source;
	chaos->bad.value = 1;
	responder_start(&chaos->good, GOOD_PORT, respond_well);
	responder_start(&chaos->bad, BAD_PORT, respond);
	rig_write(&chaos->rig, "credentials", 0600, "mine v2c public\n");
	rig_write(&chaos->rig, "targets", 0644,
		  "00000000-0000-0000-0000-000000000001 127.0.0.1:12200 mine 100ms\n"
		  "00000000-0000-0000-0000-000000000002 127.0.0.2:12201 mine 100ms\n");
	chaos->rig.options.process_interval = chaos->rig.options.storage_interval = GM_SECOND;
	chaos->rig.options.timeout = 300 * GM_MILLISECOND;
	assert_int_equal(rig_start(&chaos->rig), 0);
}

/* The good one's cadence while the other one misbehaves; its values change with each request. */
static void check_good(struct chaos *chaos)
{
	struct rig_series *total = rig_guest(&chaos->rig, 1, GM_METRIC_MEMORY_TOTAL);

	assert_non_null(total);
	rig_forget(&chaos->rig);
	rig_run(&chaos->rig, 3 * GM_SECOND);
	assert_in_range(total->count, 24, 31);
	assert_in_range(total->longest_gap, 0, 250 * GM_MILLISECOND);
}

static uint64_t counted(struct chaos *chaos, unsigned metric)
{
	struct rig_series *series = rig_guest(&chaos->rig, 2, metric);

	return series ? series->value.counter : 0;
}

static void end(struct chaos *chaos)
{
	responder_stop(&chaos->good);
	responder_stop(&chaos->bad);
	rig_stop(&chaos->rig);
}

static bool told_memory(struct chaos *chaos)
{
	return rig_guest(&chaos->rig, 2, GM_METRIC_MEMORY_TOTAL) != NULL;
}

static void survives_silence(void **state)
{
	struct chaos chaos;
	unsigned asked;

	(void)state;
	begin(&chaos, respond_never, 0, 0);
	rig_run(&chaos.rig, 3 * GM_SECOND);
	check_good(&chaos);
	assert_int_equal(chaos.rig.reachable, 1);
	assert_string_equal(chaos.rig.complaint.text, "1 of 2 guests do not answer");
	assert_true(counted(&chaos, GM_METRIC_SNMP_TIMEOUTS) >= 3);
	assert_true(rig_guest(&chaos.rig, 2, GM_METRIC_SNMP_UP)->value.gauge == 0);
	/* It is not hammered: three timeouts, then pauses that grow. */
	asked = chaos.bad.requests;
	assert_in_range(asked, 3, 9);
	/* And it is back as soon as it answers. */
	chaos.bad.respond = respond_well;
	rig_run(&chaos.rig, 7 * GM_SECOND);
	assert_int_equal(chaos.rig.reachable, 2);
	assert_true(told_memory(&chaos));
	end(&chaos);
}

static void survives_slowness(void **state)
{
	struct chaos chaos;

	(void)state;
	begin(&chaos, respond_well, 2 * GM_SECOND, 0);
	rig_run(&chaos.rig, 3 * GM_SECOND);
	check_good(&chaos);
	assert_false(told_memory(&chaos));
	assert_true(counted(&chaos, GM_METRIC_SNMP_TIMEOUTS) >= 3);
	end(&chaos);
}

static void survives_one(respond_function *respond, bool answers)
{
	struct chaos chaos;

	begin(&chaos, respond, 0, 0);
	rig_run(&chaos.rig, 1500 * GM_MILLISECOND);
	check_good(&chaos);
	assert_true(counted(&chaos, GM_METRIC_SNMP_REJECTED) > 0);
	if (!answers) {
		assert_false(told_memory(&chaos));
	}
	end(&chaos);
}

static void survives_garbage(void **state)
{
	(void)state;
	survives_one(respond_garbage, true); /* now and then nothing of it is changed */
}

static void survives_wrong_ids(void **state)
{
	(void)state;
	survives_one(respond_wrong_id, false);
}

static void survives_huge_answers(void **state)
{
	(void)state;
	survives_one(respond_huge, false);
}

static void survives_wrong_types(void **state)
{
	struct chaos chaos;

	(void)state;
	begin(&chaos, respond_wrong_types, 0, 0);
	rig_run(&chaos.rig, 1500 * GM_MILLISECOND);
	check_good(&chaos);
	assert_true(counted(&chaos, GM_METRIC_SNMP_REJECTED) > 0);
	assert_false(told_memory(&chaos)); /* nobody has eight exbibytes */
	end(&chaos);
}

static void survives_walks_in_circles(void **state)
{
	(void)state;
	survives_one(respond_in_circles, true);
}

static void survives_endless_tables(void **state)
{
	struct chaos chaos;

	(void)state;
	begin(&chaos, respond_endlessly, 0, 0);
	rig_run(&chaos.rig, 3 * GM_SECOND);
	check_good(&chaos);
	/* 4,096 rows, then the walk is ended: some hundred requests a walk, not thousands. */
	assert_in_range(chaos.bad.requests, 50, 700);
	end(&chaos);
}

static void refuses_memory_that_nobody_has(void **state)
{
	struct chaos chaos;

	(void)state;
	begin(&chaos, respond_with_much_memory, 0, 0);
	rig_run(&chaos.rig, 2 * GM_SECOND);
	assert_int_equal(chaos.rig.reachable, 2);
	assert_false(told_memory(&chaos));
	end(&chaos);
}

/* What it mounts is not one of the disks that the host knows, whatever it is called. */
static void keeps_file_systems_from_disks(void **state)
{
	struct chaos chaos;
	uint8_t uuid[GM_UUID_SIZE];
	struct gm_entity_key disk;

	(void)state;
	begin(&chaos, respond_as_a_disk, 0, 0);
	rig_run(&chaos.rig, 3 * GM_SECOND);
	rig_uuid(2, uuid);
	disk = gm_entity_disk(uuid, "vda");
	assert_null(rig_find(&chaos.rig, &disk, GM_METRIC_FS_SIZE));
	for (size_t i = 0; i < chaos.rig.seen_count; i++) {
		assert_false(gm_entity_equal(&chaos.rig.seen[i].key, &disk));
	}
	disk = gm_entity_disk(uuid, "/vda");
	assert_non_null(rig_find(&chaos.rig, &disk, GM_METRIC_FS_SIZE));
	end(&chaos);
}

/* One that never ends to answer: what arrives shares a buffer with the answers of others. */
static void survives_a_flood(void **state)
{
	struct chaos chaos;

	(void)state;
	begin(&chaos, respond_well, 0, 0);
	chaos.bad.copies = UINT32_MAX - 1;
	rig_run(&chaos.rig, GM_SECOND);
	check_good(&chaos);
	assert_non_null(strstr(chaos.rig.complaint.text, "not listened to"));
	/* Later it gets another chance. */
	chaos.bad.copies = 0;
	for (int i = 0; i < 20 && chaos.rig.reachable < 2; i++) {
		rig_run(&chaos.rig, GM_SECOND);
	}
	assert_int_equal(chaos.rig.reachable, 2);
	assert_string_equal(chaos.rig.complaint.text, "");
	end(&chaos);
}

static void ignores_spoofed_answers(void **state)
{
	struct chaos chaos;

	(void)state;
	begin(&chaos, respond_well, 0, OTHER_PORT);
	rig_run(&chaos.rig, 1500 * GM_MILLISECOND);
	check_good(&chaos);
	assert_int_equal(chaos.rig.reachable, 1);
	assert_false(told_memory(&chaos));
	end(&chaos);
}

static void asks_for_less_when_it_is_too_much(void **state)
{
	struct chaos chaos;

	(void)state;
	begin(&chaos, respond_too_big, 0, 0);
	rig_run(&chaos.rig, 1500 * GM_MILLISECOND);
	assert_true(told_memory(&chaos));
	chaos.bad.largest_names = 0;
	check_good(&chaos);
	assert_in_range(chaos.bad.largest_names, 2, 3);
	end(&chaos);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_silence),
		cmocka_unit_test(survives_slowness),
		cmocka_unit_test(survives_garbage),
		cmocka_unit_test(survives_wrong_ids),
		cmocka_unit_test(survives_huge_answers),
		cmocka_unit_test(survives_wrong_types),
		cmocka_unit_test(survives_walks_in_circles),
		cmocka_unit_test(survives_endless_tables),
		cmocka_unit_test(refuses_memory_that_nobody_has),
		cmocka_unit_test(keeps_file_systems_from_disks),
		cmocka_unit_test(survives_a_flood),
		cmocka_unit_test(ignores_spoofed_answers),
		cmocka_unit_test(asks_for_less_when_it_is_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traps and informs of guests: sent by the packaged snmptrap and snmpinform, and by snmpd itself when it
 * starts; and what is refused: other hosts, communities, users, versions, too many, and no notifications.
 * Skipped where those are not installed.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "snmp_sender.h"

#define LISTEN SENDER_LISTEN

#define GUEST     "00000000-0000-0000-0000-000000000001 127.0.0.1:12398 mine 100ms\n"
#define TRAP      "snmptrap -v2c -c public " LISTEN " "
#define INFORM    "snmpinform -r0 -t2 -v2c -c public " LISTEN " "
#define LINK_DOWN "1.3.6.1.6.3.1.1.5.3"

static void traps_and_informs_are_events(void **state)
{
	struct rig rig;

	(void)state;
	sender_begin(&rig, "mine v2c public\n", GUEST);
	assert_int_equal(sender_run(&rig, TRAP "7 " LINK_DOWN " 1.3.6.1.2.1.2.2.1.1.2 i 2"), 0);
	sender_expect(0, GM_GUEST_LINK_DOWN, LINK_DOWN);
	assert_int_equal(sender_run(&rig, TRAP "7 1.3.6.1.6.3.1.1.5.4"), 0);
	sender_expect(1, GM_GUEST_LINK_UP, "1.3.6.1.6.3.1.1.5.4");
	/* mteTriggerFired, as net-snmp's monitors send it; an inform is answered. */
	assert_int_equal(sender_run(&rig, INFORM "7 1.3.6.1.2.1.88.2.0.1 "
						 "1.3.6.1.2.1.88.2.1.1.0 s disk"),
			 0);
	sender_expect(2, GM_GUEST_NOTIFIED, "1.3.6.1.2.1.88.2.0.1");
	assert_int_equal(sender_run(&rig, TRAP "7 2.999.4294967295.1"), 0);
	sender_expect(3, GM_GUEST_NOTIFIED, "2.999.4294967295.1");
	assert_int_equal(sender_events.count, 4);
	rig_stop(&rig);
}

static void others_are_not_heard(void **state)
{
	struct rig rig;

	(void)state;
	sender_begin(&rig, "mine v2c public\n", GUEST);
	assert_int_equal(sender_run(&rig, "snmptrap -v2c -c wrong " LISTEN " 7 " LINK_DOWN), 0);
	assert_int_equal(
		sender_run(&rig, "snmptrap -v1 -c public " LISTEN " 1.3.6.1.4.1.1 127.0.0.1 2 0 1"),
		0);
	/* An inform that is not taken is not answered. */
	assert_int_not_equal(
		sender_run(&rig, "snmpinform -r0 -t1 -v2c -c wrong " LISTEN " 7 " LINK_DOWN), 0);
	assert_int_equal(sender_run(&rig,
				    "snmptrap -v3 -u mine -l noAuthNoPriv -e 0x8000000001 " LISTEN
				    " 7 " LINK_DOWN),
			 0);
	assert_int_equal(sender_events.count, 0);
	rig_stop(&rig);
}

static void version_3_is_taken_with_the_guests_engine(void **state)
{
	static const char configuration[] =
		"createUser monitor SHA-256 authentic-1 AES private-12\nrouser monitor priv\n"
		"engineIDType 1\nexactEngineID 0x80001f8804746573743031";
	static const char sender[] =
		"snmptrap -v3 -u monitor -l authPriv -a SHA-256 -A authentic-1 -x AES "
		"-X private-12 -e 0x%s " LISTEN " 7 " LINK_DOWN;
	struct rig rig;
	char line[512];
	pid_t snmpd;

	(void)state;
	rig_prepare(&rig);
	snmpd = snmpd_start(&rig, 12398, configuration);
	if (snmpd < 0) {
		rig_stop(&rig);
		skip();
	}
	sender_events.count = 0;
	rig.sink.event = sender_on_event;
	rig_write(&rig, "credentials", 0600,
		  "mine v3 monitor SHA-256 authentic-1 AES private-12\n");
	rig_write(&rig, "targets", 0644, GUEST);
	snprintf(rig.options.listen, sizeof(rig.options.listen), LISTEN);
	assert_int_equal(rig_start(&rig), 0);
	rig_run(&rig, GM_SECOND);
	assert_int_equal(rig.reachable, 1);
	/* Another engine has other keys. */
	snprintf(line, sizeof(line), sender, "80001f8804746573743032");
	assert_int_equal(sender_run(&rig, line), 0);
	assert_int_equal(sender_events.count, 0);
	assert_int_equal(
		sender_run(&rig,
			   "snmptrap -v3 -u monitor -l authNoPriv -a SHA-256 -A authentic-1 -e "
			   "0x80001f8804746573743031 " LISTEN " 7 " LINK_DOWN),
		0);
	assert_int_equal(sender_events.count, 0);
	/* snmpd's own, when it starts: its engine is the one that is known. */
	snmpd_stop(snmpd);
	snprintf(line, sizeof(line),
		 "%s\ntrapsess -v3 -u monitor -l authPriv -a SHA-256 -A authentic-1 -x AES "
		 "-X private-12 " LISTEN,
		 configuration);
	snmpd = snmpd_start(&rig, 12398, line);
	for (int i = 0; i < 50 && sender_events.count == 0; i++) {
		rig_run(&rig, 100 * GM_MILLISECOND);
	}
	sender_expect(0, GM_GUEST_SNMPD_STARTED, "1.3.6.1.6.3.1.1.5.1");
	snmpd_stop(snmpd);
	rig_stop(&rig);
}

/* One trap, as it goes over the wire, from a socket that is connected to the listener. */
static size_t write_trap(uint8_t *out, size_t size, uint8_t type, size_t varbinds)
{
	static const uint8_t uptime[] = "\x2b\x06\x01\x02\x01\x01\x03";
	static const uint8_t name[] = "\x2b\x06\x01\x06\x03\x01\x01\x04\x01";
	static const uint8_t value[] = "\x2b\x06\x01\x06\x03\x01\x01\x05\x03";
	static const uint8_t filler[1400];
	struct gm_snmp_writer writer = {out, out + size, false};
	const uint8_t *end = writer.at, *mark;

	if (varbinds > 2) {
		mark = writer.at;
		gm_snmp_put_octets(&writer, GM_SNMP_OCTETS, filler, sizeof(filler));
		gm_snmp_put_octets(&writer, GM_SNMP_OID, value, 9);
		gm_snmp_put_head(&writer, GM_SNMP_SEQUENCE, mark);
	}
	if (varbinds > 1) {
		mark = writer.at;
		gm_snmp_put_octets(&writer, GM_SNMP_OID, value, 9);
		gm_snmp_put_octets(&writer, GM_SNMP_OID, name, 10);
		gm_snmp_put_head(&writer, GM_SNMP_SEQUENCE, mark);
	}
	if (varbinds > 0) {
		mark = writer.at;
		gm_snmp_put_integer(&writer, GM_SNMP_TIMETICKS, 7);
		gm_snmp_put_octets(&writer, GM_SNMP_OID, uptime, 8);
		gm_snmp_put_head(&writer, GM_SNMP_SEQUENCE, mark);
	}
	gm_snmp_put_head(&writer, GM_SNMP_SEQUENCE, end);
	gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, 0);
	gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, 0);
	gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, 99);
	gm_snmp_put_head(&writer, type, end);
	gm_snmp_put_octets(&writer, GM_SNMP_OCTETS, "public", 6);
	gm_snmp_put_integer(&writer, GM_SNMP_INTEGER, GM_SNMP_V2C);
	gm_snmp_put_head(&writer, GM_SNMP_SEQUENCE, end);
	memmove(out, writer.at, (size_t)(end - writer.at));
	return (size_t)(end - writer.at);
}

static int connect_from(uint32_t host)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(12399)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	from.sin_addr.s_addr = htonl(host);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void too_many_and_too_strange_ones_are_counted(void **state)
{
	uint8_t packet[512];
	struct responder responder = {.value = 1000};
	struct rig rig;
	size_t length, taken;
	int fd;

	(void)state;
	responder_start(&responder, 12398, respond_well);
	sender_begin(&rig, "mine v2c public\n", GUEST);
	/* The right words of the wrong host. */
	length = write_trap(packet, sizeof(packet), GM_SNMP_TRAP, 2);
	fd = connect_from(INADDR_LOOPBACK + 1);
	assert_true(send(fd, packet, length, 0) > 0);
	close(fd);
	fd = connect_from(INADDR_LOOPBACK);
	for (size_t count = 0; count < 2; count++) {
		length = write_trap(packet, sizeof(packet), GM_SNMP_TRAP, count);
		assert_true(send(fd, packet, length, 0) > 0);
	}
	length = write_trap(packet, sizeof(packet), GM_SNMP_RESPONSE, 2);
	assert_true(send(fd, packet, length, 0) > 0);
	assert_true(send(fd, packet, length - 3, 0) > 0);
	rig_run(&rig, 100 * GM_MILLISECOND);
	assert_int_equal(sender_events.count, 0);
	/* A thousand in a second: fifty, and ten a second. */
	length = write_trap(packet, sizeof(packet), GM_SNMP_TRAP, 2);
	for (int i = 0; i < 1000; i++) {
		(void)send(fd, packet, length, 0);
		if (i % 10 == 0) {
			rig_run(&rig, 10 * GM_MILLISECOND);
		}
	}
	rig_run(&rig, 1200 * GM_MILLISECOND);
	taken = sender_events.count;
	assert_in_range(taken, 50, 120);
	assert_int_equal(rig_guest(&rig, 1, GM_METRIC_SNMP_NOTICES)->value.counter, taken);
	close(fd);
	responder_stop(&responder);
	rig_stop(&rig);
}

/* Two guests at one address whose communities are the same: it may be either. */
static void a_shared_community_is_nobodys(void **state)
{
	static const uint8_t types[] = {GM_SNMP_TRAP, GM_SNMP_INFORM};
	uint8_t packet[512], answer[512];
	struct responder responder = {.value = 1000};
	struct rig rig;
	int fd;

	(void)state;
	responder_start(&responder, 12398, respond_well);
	sender_begin(&rig, "mine v2c public\nother v1 public\n",
		     GUEST "00000000-0000-0000-0000-000000000002 127.0.0.1:12397 other\n");
	fd = connect_from(INADDR_LOOPBACK);
	for (size_t i = 0; i < sizeof(types); i++) {
		size_t length = write_trap(packet, sizeof(packet), types[i], 2);

		assert_true(send(fd, packet, length, 0) > 0);
		rig_run(&rig, 100 * GM_MILLISECOND);
		assert_true(recv(fd, answer, sizeof(answer), MSG_DONTWAIT) < 0);
	}
	rig_run(&rig, 1200 * GM_MILLISECOND);
	assert_int_equal(sender_events.count, 0);
	assert_int_equal(rig_guest(&rig, 1, GM_METRIC_SNMP_REJECTED)->value.counter, 2);
	close(fd);
	responder_stop(&responder);
	rig_stop(&rig);
}

/* Its answer would not fit: it is told that, and is no event. */
static void a_large_inform_is_told_that_it_is(void **state)
{
	static struct gm_snmp_message message;
	uint8_t packet[2048], answer[512];
	struct rig rig;
	size_t length = write_trap(packet, sizeof(packet), GM_SNMP_INFORM, 3);
	ssize_t got;
	int fd;

	(void)state;
	assert_true(length > GM_SNMP_PACKET_MAX);
	sender_begin(&rig, "mine v2c public\n", GUEST);
	fd = connect_from(INADDR_LOOPBACK);
	assert_true(send(fd, packet, length, 0) > 0);
	rig_run(&rig, 100 * GM_MILLISECOND);
	got = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
	assert_true(got > 0);
	assert_int_equal(gm_snmp_decode(answer, (size_t)got, &message), 0);
	assert_int_equal(message.pdu.type, GM_SNMP_RESPONSE);
	assert_int_equal(message.pdu.request_id, 99);
	assert_int_equal(message.pdu.error_status, GM_SNMP_TOO_BIG);
	assert_int_equal(message.pdu.count, 0);
	assert_int_equal(sender_events.count, 0);
	close(fd);
	rig_stop(&rig);
}

static atomic_uint walks;

static size_t count_walks(struct responder *responder, const struct gm_snmp_message *request,
			  uint8_t *answer, size_t size)
{
	atomic_fetch_add(&walks, request->pdu.type != GM_SNMP_GET);
	return respond_well(responder, request, answer, size);
}

/* Who says often that it began anew is not asked for everything as often. */
static void a_cold_start_has_it_walked_anew_once(void **state)
{
	struct responder responder = {.value = 1000};
	struct rig rig;
	unsigned before, once;

	(void)state;
	atomic_store(&walks, 0);
	responder_start(&responder, 12398, count_walks);
	sender_begin(&rig, "mine v2c public\n", GUEST);
	rig_run(&rig, GM_SECOND);
	before = atomic_load(&walks);
	assert_true(before > 0);
	assert_int_equal(sender_run(&rig, TRAP "7 1.3.6.1.6.3.1.1.5.1"), 0);
	rig_run(&rig, GM_SECOND);
	once = atomic_load(&walks);
	assert_true(once > before);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(sender_run(&rig, TRAP "7 1.3.6.1.6.3.1.1.5.1"), 0);
	}
	rig_run(&rig, GM_SECOND);
	assert_int_equal(sender_events.count, 6); /* each is told all the same */
	assert_int_equal(atomic_load(&walks), once);
	responder_stop(&responder);
	rig_stop(&rig);
}

static void a_bad_address_is_told(void **state)
{
	struct rig rig;

	(void)state;
	rig_prepare(&rig);
	rig_write(&rig, "credentials", 0600, "mine v2c public\n");
	rig_write(&rig, "targets", 0644, GUEST);
	snprintf(rig.options.listen, sizeof(rig.options.listen), "192.0.2.1:12399");
	assert_true(rig_start(&rig) < 0);
	assert_non_null(strstr(rig.complaint.text, "cannot listen at 192.0.2.1:12399"));
	rig.source->ops->destroy(rig.source);
	rig.source = NULL;
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tools[] = {
		cmocka_unit_test(traps_and_informs_are_events),
		cmocka_unit_test(others_are_not_heard),
		cmocka_unit_test(a_cold_start_has_it_walked_anew_once),
		cmocka_unit_test(version_3_is_taken_with_the_guests_engine),
	};
	const struct CMUnitTest own[] = {
		cmocka_unit_test(too_many_and_too_strange_ones_are_counted),
		cmocka_unit_test(a_shared_community_is_nobodys),
		cmocka_unit_test(a_large_inform_is_told_that_it_is),
		cmocka_unit_test(a_bad_address_is_told),
	};
	int failed = cmocka_run_group_tests(own, NULL, NULL);

	if (failed != 0 || access("/usr/bin/snmptrap", X_OK) != 0) {
		return failed;
	}
	return cmocka_run_group_tests(tools, NULL, NULL);
}

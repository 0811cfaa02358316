/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Informs of version 3, of which this node is the authoritative engine: the packaged snmpinform and an
 * snmpd's own, and messages made here, for what those never send: replays, other times, other starts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "snmp_sender.h"
#include "source/snmp/engine.h"

#define GUEST     "00000000-0000-0000-0000-000000000001 127.0.0.1:12398 mine 100ms\n"
#define SECRET    "mine v3 monitor SHA-256 authentic-1 AES private-12\n"
#define LINK_DOWN "1.3.6.1.6.3.1.1.5.3"
#define INFORM    "snmpinform -r0 -t1 -v3 "
#define PRIVATE   "-u monitor -l authPriv -a SHA-256 -A authentic-1 -x AES -X private-12 "
#define USER      "createUser monitor SHA-256 authentic-1 AES private-12\nrouser monitor priv\n"
#define REST      SENDER_LISTEN " 7 " LINK_DOWN

/* ---- the commands of net-snmp ---- */

static void informs_are_answered_and_told_once(void **state)
{
	static const struct {
		const char *credential, *options;
	} cases[] = {
		{SECRET, PRIVATE},
		{"mine v3 u SHA-512 authentic-1 AES private-12\n",
		 "-u u -l authPriv -a SHA-512 -A authentic-1 -x AES -X private-12 "},
		{"mine v3 u SHA-384 authentic-1\n",
		 "-u u -l authNoPriv -a SHA-384 -A authentic-1 "},
		{"mine v3 u SHA authentic-1\n", "-u u -l authNoPriv -a SHA -A authentic-1 "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig rig;
		char line[512];

		sender_begin(&rig, cases[i].credential, GUEST);
		snprintf(line, sizeof(line), INFORM "%s" REST, cases[i].options);
		assert_int_equal(sender_run(&rig, line), 0);
		assert_int_equal(sender_events.count, 1);
		sender_expect(0, GM_GUEST_LINK_DOWN, LINK_DOWN);
		rig_stop(&rig);
	}
}

static uint64_t rejected(struct rig *rig)
{
	struct rig_series *series;

	rig_run(rig, 1500 * GM_MILLISECOND);
	series = rig_guest(rig, 1, GM_METRIC_SNMP_REJECTED);
	assert_non_null(series);
	return series->value.counter;
}

static void the_wrong_ones_are_refused_and_counted(void **state)
{
	static const char *const wrong[] = {
		INFORM "-u other -l authPriv -a SHA-256 -A authentic-1 -x AES -X private-12 " REST,
		INFORM "-u monitor -l authPriv -a SHA-256 -A authentic-2 -x AES "
		       "-X private-12 " REST,
		INFORM "-u monitor -l authPriv -a SHA-256 -A authentic-1 -x AES "
		       "-X private-13 " REST,
		INFORM "-u monitor -l authPriv -a SHA-512 -A authentic-1 -x AES "
		       "-X private-12 " REST,
		INFORM "-u monitor -l authNoPriv -a SHA-256 -A authentic-1 " REST,
		INFORM "-u monitor -l noAuthNoPriv " REST,
		INFORM PRIVATE "-e 0x8000000001020304 " REST,
	};
	struct rig rig;
	uint64_t before;
	pid_t snmpd;

	(void)state;
	sender_begin(&rig, SECRET, GUEST);
	/* What it counts is told with what the guest answers. */
	snmpd = snmpd_start(&rig, 12398, USER);
	if (snmpd < 0) {
		rig_stop(&rig);
		skip();
	}
	before = rejected(&rig);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint64_t after;

		assert_int_not_equal(sender_run(&rig, wrong[i]), 0);
		after = rejected(&rig);
		assert_true(after > before);
		before = after;
	}
	/* Another host's is not even answered. */
	assert_int_not_equal(sender_run(&rig, INFORM PRIVATE "--clientaddr=127.0.0.2 " REST), 0);
	assert_int_equal(sender_events.count, 0);
	/* And the right one is taken after all of them. */
	assert_int_equal(sender_run(&rig, INFORM PRIVATE REST), 0);
	assert_int_equal(sender_events.count, 1);
	snmpd_stop(snmpd);
	rig_stop(&rig);
}

static void an_snmpd_sends_its_own(void **state)
{
	struct rig rig;
	char text[512];
	pid_t snmpd;

	(void)state;
	sender_begin(&rig, SECRET, GUEST);
	snprintf(text, sizeof(text), USER "trapsess -Ci -v3 " PRIVATE SENDER_LISTEN);
	snmpd = snmpd_start_beside(&rig, 12398, text);
	if (snmpd < 0) {
		rig_stop(&rig);
		skip();
	}
	for (int i = 0; i < 100 && sender_events.count == 0; i++) {
		rig_run(&rig, 100 * GM_MILLISECOND);
	}
	sender_expect(0, GM_GUEST_SNMPD_STARTED, "1.3.6.1.6.3.1.1.5.1");
	rig_run(&rig, 2 * GM_SECOND); /* it was answered: it is not sent again */
	assert_int_equal(sender_events.count, 1);
	snmpd_stop(snmpd);
	rig_stop(&rig);
}

/* ---- messages of our own ---- */

/* What a sender knows of the receiver, and how it seals. */
struct sender {
	int fd;
	struct gm_snmp_identity engine;
	struct gm_snmp_credential credential;
	int64_t apart; /* of its clock */
	size_t filler; /* octets of a third variable; 0: none */
	bool plain;    /* neither signed nor encrypted */
	struct gm_snmp_keys keys;
	struct gm_snmp_pdu answer; /* the last one */
	uint8_t out[GM_SNMP_SEALED_MAX];
	const uint8_t *packet;
	size_t length;
};

static void sender_open(struct sender *sender, const struct rig *rig)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(12399)};

	*sender = (struct sender){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(sender->fd >= 0);
	assert_int_equal(connect(sender->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	sender->engine.boots = rig->start.boots;
	sender->engine.started = rig->start.at;
	gm_snmp_identity_make(&sender->engine, rig->start.engine);
	gm_text_copy(sender->credential.community, sizeof(sender->credential.community), "monitor");
	gm_text_copy(sender->credential.digest, sizeof(sender->credential.digest), "SHA256");
	gm_text_copy(sender->credential.authentication, sizeof(sender->credential.authentication),
		     "authentic-1");
	gm_text_copy(sender->credential.privacy, sizeof(sender->credential.privacy), "private-12");
	assert_int_equal(gm_snmp_keys_master(&sender->credential), 0);
}

static void put_varbind(struct gm_snmp_writer *writer, const char *name, size_t length,
			uint8_t type, const char *value, size_t value_length)
{
	const uint8_t *end = writer->at;

	gm_snmp_put_octets(writer, type, value, value_length);
	gm_snmp_put_octets(writer, GM_SNMP_OID, name, length);
	gm_snmp_put_head(writer, GM_SNMP_SEQUENCE, end);
}

static void put_inform(struct gm_snmp_writer *writer, const struct sender *sender, uint8_t type,
		       int32_t request)
{
	static const char filler[GM_SNMP_SEALED_MAX];
	const uint8_t *end = writer->at;

	if (sender->filler > 0) {
		put_varbind(writer, "\x2b\x06\x01\x02\x01\x01\x01\x00", 8, GM_SNMP_OCTETS, filler,
			    sender->filler);
	}
	put_varbind(writer, "\x2b\x06\x01\x06\x03\x01\x01\x04\x01\x00", 10, GM_SNMP_OID,
		    "\x2b\x06\x01\x06\x03\x01\x01\x05\x03", 9);
	put_varbind(writer, "\x2b\x06\x01\x02\x01\x01\x03\x00", 8, GM_SNMP_TIMETICKS, "\x07", 1);
	gm_snmp_put_head(writer, GM_SNMP_SEQUENCE, end);
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, 0);
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, 0);
	gm_snmp_put_integer(writer, GM_SNMP_INTEGER, request);
	gm_snmp_put_head(writer, type, end);
	gm_snmp_put_octets(writer, GM_SNMP_OCTETS, "", 0);
	gm_snmp_put_octets(writer, GM_SNMP_OCTETS, sender->engine.id, sender->engine.length);
	gm_snmp_put_head(writer, GM_SNMP_SEQUENCE, end);
}

static void make_inform(struct sender *sender, int32_t id, uint8_t type, int32_t request)
{
	uint8_t *end = sender->out + sizeof(sender->out);
	int64_t now = (gm_clock_monotonic() - sender->engine.started) / GM_SECOND;
	struct gm_snmp_writer writer = {sender->out, end, false};
	struct gm_snmp_envelope envelope = {
		.id = id,
		.flags = GM_SNMP_LEVEL | GM_SNMP_REPORTABLE,
		.engine = {sender->engine.id, sender->engine.length},
		.user = {(const uint8_t *)sender->credential.community,
			 strlen(sender->credential.community)},
		.boots = sender->engine.boots,
		.time = (uint32_t)(now + sender->apart),
		.salt = (uint64_t)id << 32 | (uint32_t)request,
	};

	if (sender->plain) {
		envelope.flags = GM_SNMP_REPORTABLE;
	}
	assert_int_equal(gm_snmp_keys_init(&sender->keys, &sender->credential), 0);
	assert_true(gm_snmp_keys_localise(&sender->keys, &sender->credential, envelope.engine));
	put_inform(&writer, sender, type, request);
	assert_true(gm_snmp_seal(&sender->keys, &envelope, &writer, end));
	sender->packet = writer.at;
	sender->length = (size_t)(end - writer.at);
}

enum answer_kind { SILENCE, ANSWERED, TOLD_THE_TIME, REPORTED };

/* Sends it, and says what came back. */
static enum answer_kind exchange(struct rig *rig, struct sender *sender)
{
	static struct gm_snmp_message message;
	static uint8_t plain[GM_SNMP_SEALED_MAX];
	uint8_t data[GM_SNMP_PACKET_MAX];
	ssize_t length;

	assert_true(send(sender->fd, sender->packet, sender->length, 0) > 0);
	rig_run(rig, 100 * GM_MILLISECOND);
	length = recv(sender->fd, data, sizeof(data), MSG_DONTWAIT);
	if (length < 0) {
		return SILENCE;
	}
	assert_true(recv(sender->fd, data, 1, MSG_DONTWAIT) < 0); /* one is enough */
	assert_int_equal(gm_snmp_decode(data, (size_t)length, &message), 0);
	assert_int_equal(message.version, GM_SNMP_V3);
	if ((message.v3.flags & GM_SNMP_LEVEL) == GM_SNMP_LEVEL) {
		assert_true(gm_snmp_is_authentic(&sender->keys, data, (size_t)length, &message.v3));
		assert_true(gm_snmp_decrypt(&sender->keys, &message, plain));
		assert_int_equal(message.pdu.type, GM_SNMP_RESPONSE);
		sender->answer = message.pdu;
		return ANSWERED;
	}
	sender->answer = message.pdu;
	assert_int_equal(message.pdu.type, GM_SNMP_REPORT);
	assert_int_equal(message.pdu.count, 1);
	return (message.v3.flags & GM_SNMP_LEVEL) == GM_SNMP_AUTHENTICATED ? TOLD_THE_TIME
									   : REPORTED;
}

static void what_comes_again_is_known(void **state)
{
	struct rig rig;
	struct sender sender;

	(void)state;
	sender_begin(&rig, SECRET, GUEST);
	sender_open(&sender, &rig);
	make_inform(&sender, 1001, GM_SNMP_INFORM, 1);
	assert_int_equal(exchange(&rig, &sender), ANSWERED);
	assert_int_equal(sender_events.count, 1);
	/* The very same octets, of somebody who recorded them or of a sender that does not count. */
	assert_int_equal(exchange(&rig, &sender), ANSWERED);
	/* The same inform, as a sender repeats it whose answer was lost: answered, and known. */
	make_inform(&sender, 1002, GM_SNMP_INFORM, 1);
	assert_int_equal(exchange(&rig, &sender), ANSWERED);
	assert_int_equal(exchange(&rig, &sender), ANSWERED);
	assert_int_equal(sender_events.count, 1);
	/* The next one is another one. */
	make_inform(&sender, 1003, GM_SNMP_INFORM, 2);
	assert_int_equal(exchange(&rig, &sender), ANSWERED);
	assert_int_equal(sender_events.count, 2);
	/* What is no inform has no business with this engine. */
	make_inform(&sender, 1004, GM_SNMP_TRAP, 3);
	assert_int_equal(exchange(&rig, &sender), SILENCE);
	make_inform(&sender, 1005, GM_SNMP_SET, 4);
	assert_int_equal(exchange(&rig, &sender), SILENCE);
	assert_int_equal(sender_events.count, 2);
	close(sender.fd);
	rig_stop(&rig);
}

static void another_time_is_not_taken(void **state)
{
	static const int64_t apart[] = {-170, 170, 100000};
	struct rig rig = {.source = NULL};
	struct sender sender;

	(void)state;
	rig_prepare(&rig);
	sender_events.count = 0;
	rig.sink.event = sender_on_event;
	rig_write(&rig, "credentials", 0600, SECRET);
	rig_write(&rig, "targets", 0644, GUEST);
	snprintf(rig.options.listen, sizeof(rig.options.listen), SENDER_LISTEN);
	/* It runs for a quarter of an hour already. */
	rig.start = (struct gm_snmp_start){5, 3, gm_clock_monotonic() - 900 * GM_SECOND};
	assert_int_equal(rig_start(&rig), 0);
	sender_open(&sender, &rig);
	for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++) {
		sender.apart = apart[i];
		make_inform(&sender, (int32_t)(2000 + i), GM_SNMP_INFORM, 1);
		assert_int_equal(exchange(&rig, &sender), TOLD_THE_TIME);
	}
	sender.apart = -140; /* within what clocks may be apart */
	sender.engine.boots = 2;
	make_inform(&sender, 2010, GM_SNMP_INFORM, 1);
	assert_int_equal(exchange(&rig, &sender), TOLD_THE_TIME);
	sender.engine.boots = 3;
	make_inform(&sender, 2011, GM_SNMP_INFORM, 1);
	assert_int_equal(exchange(&rig, &sender), ANSWERED);
	assert_int_equal(sender_events.count, 1);
	/* After the next start what was recorded before it is of no use. */
	rig.source->ops->close(rig.source);
	rig.source->ops->destroy(rig.source);
	rig.start.boots++;
	assert_int_equal(rig_start(&rig), 0);
	assert_int_equal(exchange(&rig, &sender), TOLD_THE_TIME);
	assert_int_equal(sender_events.count, 1);
	close(sender.fd);
	rig_stop(&rig);
}

/* Whatever octet is another one: nothing but the right message is an event. */
static void no_changed_octet_passes(void **state)
{
	struct rig rig;
	struct sender sender;
	uint8_t good[GM_SNMP_SEALED_MAX];

	(void)state;
	sender_begin(&rig, SECRET, GUEST);
	sender_open(&sender, &rig);
	make_inform(&sender, 3000, GM_SNMP_INFORM, 1);
	memcpy(good, sender.packet, sender.length);
	for (size_t i = 0; i < sender.length; i++) {
		uint8_t bad[GM_SNMP_PACKET_MAX];

		memcpy(bad, good, sender.length);
		bad[i] ^= (uint8_t)(1U << (i % 8));
		assert_true(send(sender.fd, bad, sender.length, 0) > 0);
		assert_true(send(sender.fd, good, i, 0) >= 0);
		if (i % 16 == 0) {
			rig_run(&rig, 20 * GM_MILLISECOND);
		}
	}
	rig_run(&rig, 100 * GM_MILLISECOND);
	assert_int_equal(sender_events.count, 0);
	close(sender.fd);
	rig_stop(&rig);
}

/* A sender's questions are not answered without end. */
static void reports_are_bounded(void **state)
{
	struct rig rig;
	struct sender sender;
	uint8_t data[GM_SNMP_PACKET_MAX];
	size_t answers = 0;

	(void)state;
	sender_begin(&rig, SECRET, GUEST);
	sender_open(&sender, &rig);
	sender.engine.boots = 1; /* each is told the time */
	for (int i = 0; i < 400; i++) {
		make_inform(&sender, 4000 + i, GM_SNMP_INFORM, 1);
		assert_true(send(sender.fd, sender.packet, sender.length, 0) > 0);
		if (i % 20 == 0) {
			rig_run(&rig, 10 * GM_MILLISECOND);
		}
	}
	rig_run(&rig, 100 * GM_MILLISECOND);
	while (recv(sender.fd, data, sizeof(data), MSG_DONTWAIT) > 0) {
		answers++;
	}
	assert_in_range(answers, 50, 120); /* fifty, and ten a second */
	assert_int_equal(sender_events.count, 0);
	close(sender.fd);
	rig_stop(&rig);
}

/* What fits in one packet is answered as it is; of what does not that is told, and nothing else. */
static void a_large_inform_is_told_that_it_is(void **state)
{
	struct rig rig;
	struct sender sender;
	size_t head;

	(void)state;
	sender_begin(&rig, SECRET, GUEST);
	sender_open(&sender, &rig);
	sender.filler = 1000;
	make_inform(&sender, 8000, GM_SNMP_INFORM, 1);
	head = sender.length - sender.filler;
	sender.filler = GM_SNMP_PACKET_MAX - 16 - head;
	make_inform(&sender, 8001, GM_SNMP_INFORM, 2);
	assert_int_equal(exchange(&rig, &sender), ANSWERED);
	assert_int_equal(sender.answer.error_status, 0);
	assert_int_equal(sender.answer.count, 3);
	assert_int_equal(sender_events.count, 1);
	for (size_t filler = sender.filler + 1; filler < 3900; filler = filler * 3 / 2) {
		sender.filler = filler;
		make_inform(&sender, (int32_t)(8002 + filler), GM_SNMP_INFORM, (int32_t)filler);
		assert_int_equal(exchange(&rig, &sender), ANSWERED);
		assert_int_equal(sender.answer.request_id, filler);
		assert_int_equal(sender.answer.error_status, GM_SNMP_TOO_BIG);
		assert_int_equal(sender.answer.error_index, 0);
		assert_int_equal(sender.answer.count, 0);
	}
	assert_int_equal(sender_events.count, 1);
	close(sender.fd);
	rig_stop(&rig);
}

/* RFC 3412 section 7.1: reports are for what wants an answer, with its id where it can be read. */
static void reports_are_for_questions(void **state)
{
	static const uint8_t others[] = {GM_SNMP_RESPONSE, GM_SNMP_REPORT, GM_SNMP_TRAP};
	struct rig rig;
	struct sender sender;

	(void)state;
	sender_begin(&rig, SECRET, GUEST);
	sender_open(&sender, &rig);
	sender.plain = true;
	make_inform(&sender, 9000, GM_SNMP_GET, 4711);
	assert_int_equal(exchange(&rig, &sender), REPORTED);
	assert_int_equal(sender.answer.request_id, 4711);
	for (size_t i = 0; i < sizeof(others); i++) {
		make_inform(&sender, (int32_t)(9001 + i), others[i], 1);
		assert_int_equal(exchange(&rig, &sender), SILENCE);
	}
	assert_int_equal(sender_events.count, 0);
	close(sender.fd);
	rig_stop(&rig);
}

/* Guests behind one address are told apart by their users, or not heard at all. */
static void nobody_speaks_for_another_at_his_address(void **state)
{
	struct rig rig;
	struct sender sender;

	(void)state;
	sender_begin(&rig,
		     SECRET "other v3 monitor SHA-256 authentic-1 AES private-13\n"
			    "third v3 third SHA-256 authentic-1 AES private-12\n",
		     GUEST "00000000-0000-0000-0000-000000000002 127.0.0.1:12397 other\n"
			   "00000000-0000-0000-0000-000000000003 127.0.0.1:12396 third\n");
	sender_open(&sender, &rig);
	make_inform(&sender, 7000, GM_SNMP_INFORM, 1);
	assert_int_equal(exchange(&rig, &sender), REPORTED);
	assert_int_equal(sender_events.count, 0);
	gm_text_copy(sender.credential.community, sizeof(sender.credential.community), "third");
	make_inform(&sender, 7001, GM_SNMP_INFORM, 2);
	assert_int_equal(exchange(&rig, &sender), ANSWERED);
	assert_int_equal(sender_events.count, 1);
	assert_int_equal(sender_events.list[0].key.uuid[GM_UUID_SIZE - 1], 3);
	close(sender.fd);
	rig_stop(&rig);

	/* All of them the same. */
	sender_begin(&rig, SECRET,
		     GUEST "00000000-0000-0000-0000-000000000002 127.0.0.1:12397 mine\n");
	sender_open(&sender, &rig);
	make_inform(&sender, 7002, GM_SNMP_INFORM, 1);
	assert_int_equal(exchange(&rig, &sender), SILENCE);
	assert_int_equal(sender_events.count, 0);
	close(sender.fd);
	rig_stop(&rig);
}

/* The engine and its clock go on when guests are asked anew: so does what is remembered. */
static void what_was_sent_outlives_the_target(void **state)
{
	struct rig rig;
	struct sender sender;

	(void)state;
	sender_begin(&rig, SECRET, GUEST);
	sender_open(&sender, &rig);
	make_inform(&sender, 6000, GM_SNMP_INFORM, 1);
	assert_int_equal(exchange(&rig, &sender), ANSWERED);
	assert_int_equal(sender_events.count, 1);
	/* The file is written anew and says the same. */
	rig_run(&rig, GM_SECOND);
	rig_write(&rig, "targets", 0644, "# again\n" GUEST);
	rig_run(&rig, 1500 * GM_MILLISECOND);
	assert_int_equal(exchange(&rig, &sender), ANSWERED);
	assert_int_equal(sender_events.count, 1);
	/* The source is opened anew. */
	rig.source->ops->close(rig.source);
	assert_int_equal(rig.source->ops->open(rig.source, &rig.complaint), 0);
	assert_int_equal(exchange(&rig, &sender), ANSWERED);
	assert_int_equal(sender_events.count, 1);
	make_inform(&sender, 6001, GM_SNMP_INFORM, 2);
	assert_int_equal(exchange(&rig, &sender), ANSWERED);
	assert_int_equal(sender_events.count, 2);
	close(sender.fd);
	rig_stop(&rig);
}

/* What somebody recorded and sends again and again leaves the guest what it may send. */
static void replays_spend_nothing_of_the_guests(void **state)
{
	struct rig rig;
	struct sender sender, victim;

	(void)state;
	sender_begin(&rig, SECRET, GUEST);
	sender_open(&sender, &rig);
	sender_open(&victim, &rig);
	make_inform(&sender, 5000, GM_SNMP_INFORM, 1);
	assert_int_equal(exchange(&rig, &sender), ANSWERED);
	for (int i = 0; i < 200; i++) {
		assert_true(send(sender.fd, sender.packet, sender.length, 0) > 0);
		if (i % 20 == 0) {
			rig_run(&rig, 10 * GM_MILLISECOND);
		}
	}
	for (int i = 0; i < 20; i++) {
		make_inform(&victim, 5001 + i, GM_SNMP_INFORM, 2 + i);
		assert_int_equal(exchange(&rig, &victim), ANSWERED);
	}
	assert_int_equal(sender_events.count, 21);
	close(sender.fd);
	close(victim.fd);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest own[] = {
		cmocka_unit_test(what_comes_again_is_known),
		cmocka_unit_test(another_time_is_not_taken),
		cmocka_unit_test(no_changed_octet_passes),
		cmocka_unit_test(reports_are_bounded),
		cmocka_unit_test(replays_spend_nothing_of_the_guests),
		cmocka_unit_test(a_large_inform_is_told_that_it_is),
		cmocka_unit_test(reports_are_for_questions),
		cmocka_unit_test(nobody_speaks_for_another_at_his_address),
		cmocka_unit_test(what_was_sent_outlives_the_target),
	};
	const struct CMUnitTest tools[] = {
		cmocka_unit_test(informs_are_answered_and_told_once),
		cmocka_unit_test(the_wrong_ones_are_refused_and_counted),
		cmocka_unit_test(an_snmpd_sends_its_own),
	};
	int failed = cmocka_run_group_tests(own, NULL, NULL);

	if (failed != 0 || access("/usr/bin/snmpinform", X_OK) != 0) {
		return failed;
	}
	return cmocka_run_group_tests(tools, NULL, NULL);
}

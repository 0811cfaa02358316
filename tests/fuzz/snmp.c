/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams for the decoder of SNMP answers (source/snmp/ber.h), and the same bytes as a decrypted
 * scoped PDU; and as what a guest has sealed for this node's engine (engine.h), who answers it. Everything
 * that is accepted is read once, so that a wrong pointer is found.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "source/snmp/engine.h"

static unsigned sum;

static void touch(struct gm_snmp_slice slice)
{
	for (size_t i = 0; i < slice.length; i++) {
		sum += slice.data[i];
	}
}

static void touch_pdu(const struct gm_snmp_pdu *pdu)
{
	touch(pdu->raw);
	if (pdu->count > GM_SNMP_VARBINDS_MAX) {
		abort();
	}
	for (size_t i = 0; i < pdu->count; i++) {
		uint32_t number;

		touch(pdu->varbinds[i].oid);
		touch(pdu->varbinds[i].text);
		gm_snmp_oid_first(pdu->varbinds[i].oid, &number);
		if (i > 0) {
			sum += (unsigned)gm_snmp_oid_compare(pdu->varbinds[i - 1].oid,
							     pdu->varbinds[i].oid);
		}
	}
}

/* A guest that knows its keys and means harm. */
static struct {
	struct gm_snmp_engine *engine;
	struct gm_snmp_identity identity;
	struct gm_snmp_credential credential;
	struct gm_snmp_keys keys;
} guest;

static void introduce(void)
{
	struct gm_snmp_slice id;

	if (guest.engine) {
		return;
	}
	gm_snmp_identity_make(&guest.identity, 1);
	guest.identity.boots = 1;
	id = (struct gm_snmp_slice){guest.identity.id, guest.identity.length};
	guest.credential = (struct gm_snmp_credential){.version = GM_SNMP_V3,
						       .community = "u",
						       .digest = "SHA1",
						       .authentication = "authentic-1",
						       .privacy = "private-12"};
	if (gm_snmp_engine_create(&guest.identity, &guest.engine) < 0 ||
	    gm_snmp_keys_master(&guest.credential) < 0 ||
	    gm_snmp_keys_init(&guest.keys, &guest.credential) < 0 ||
	    !gm_snmp_keys_localise(&guest.keys, &guest.credential, id)) {
		abort();
	}
}

static void reply(const struct gm_snmp_message *message, enum gm_snmp_fault fault)
{
	uint8_t out[GM_SNMP_PACKET_MAX];
	const uint8_t *start = out;
	size_t length;

	if (fault != GM_SNMP_FINE) {
		length = gm_snmp_engine_report(guest.engine, fault, &guest.credential, message, 0,
					       out, sizeof(out), &start);
		touch((struct gm_snmp_slice){start, length});
		return;
	}
	touch_pdu(&message->pdu);
	for (int kind = GM_SNMP_ALTERNATE; kind >= GM_SNMP_WHOLE; kind--) {
		length = gm_snmp_engine_answer(guest.engine, &guest.credential, message,
					       (enum gm_snmp_answer)kind, 0, out, sizeof(out),
					       &start);
		touch((struct gm_snmp_slice){start, length});
	}
}

/* The bytes are the scoped PDU of a message that is in order but for them. */
static void seal(const uint8_t *data, size_t size, struct gm_snmp_message *message)
{
	uint8_t sealed[GM_SNMP_SEALED_MAX], *end = sealed + sizeof(sealed);
	struct gm_snmp_writer writer = {sealed, end, false};
	struct gm_snmp_envelope envelope = {
		.id = 1,
		.flags = GM_SNMP_LEVEL | GM_SNMP_REPORTABLE,
		.engine = {guest.identity.id, guest.identity.length},
		.user = {(const uint8_t *)guest.credential.community, 1},
		.boots = 1,
	};
	enum gm_snmp_fault fault;
	size_t length;

	gm_snmp_put(&writer, data, size);
	if (!gm_snmp_seal(&guest.keys, &envelope, &writer, end)) {
		return;
	}
	length = (size_t)(end - writer.at);
	if (gm_snmp_decode(writer.at, length, message) < 0) {
		abort(); /* what we write we read */
	}
	fault = gm_snmp_engine_open(guest.engine, &guest.credential, writer.at, length, 0, message);
	if (fault != GM_SNMP_FINE && fault != GM_SNMP_NOT_DECRYPTED) {
		abort();
	}
	reply(message, fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gm_snmp_message message;
	struct gm_snmp_slice engine;

	introduce();
	if (gm_snmp_decode(data, size, &message) == 0) {
		if (message.version != GM_SNMP_V3) {
			touch(message.community);
			touch_pdu(&message.pdu);
		} else {
			touch(message.v3.engine);
			touch(message.v3.user);
			touch(message.v3.digest);
			touch(message.v3.salt);
			touch(message.v3.data);
			reply(&message, gm_snmp_engine_open(guest.engine, &guest.credential, data,
							    size, 0, &message));
		}
	}
	if (gm_snmp_decode_scoped(data, size, &engine, &message.pdu) == 0) {
		touch(engine);
		touch_pdu(&message.pdu);
	}
	if (size > 0) {
		seal(data, size, &message);
	}
	return 0;
}

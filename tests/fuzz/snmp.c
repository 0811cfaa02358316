/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams for the decoder of SNMP answers (source/snmp/ber.h), and the same bytes as a decrypted
 * scoped PDU. Everything that it accepts is read once, so that a wrong pointer is found.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "source/snmp/ber.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gm_snmp_message message;
	struct gm_snmp_slice engine;

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
		}
	}
	if (gm_snmp_decode_scoped(data, size, &engine, &message.pdu) == 0) {
		touch(engine);
		touch_pdu(&message.pdu);
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Version 3's user-based security (secure.h) towards one guest, authenticated and as the credential says
 * encrypted: seals a PDU and opens its answers. The guest's engine is discovered by an exchange of its own
 * that the caller sends like any other: nothing here waits. One thread.
 */
#ifndef GM_SOURCE_SNMP_USM_H
#define GM_SOURCE_SNMP_USM_H

#include "source/snmp/ber.h"
#include "source/snmp/list.h"

struct gm_snmp_usm;

/* 0 or -ENOMEM. `credential` outlives it. */
int gm_snmp_usm_create(const struct gm_snmp_credential *credential, struct gm_snmp_usm **ret_usm);
void gm_snmp_usm_free(struct gm_snmp_usm *usm);

/*
 * The message for `pdu` into the end of `out`: its length, 0 when it does not fit. While the engine is
 * not known it is the question for it instead. `now`: monotonic.
 */
size_t gm_snmp_usm_seal(struct gm_snmp_usm *usm, const uint8_t *pdu, size_t length, int32_t id,
			int64_t now, uint8_t *out, size_t size, const uint8_t **ret_message);

/*
 * Checks and decrypts what gm_snmp_decode() read from `data`; message->pdu then points into `usm`. 0;
 * -EAGAIN: it told how to ask, ask again; -EBADMSG: not authentic, or not an answer.
 */
int gm_snmp_usm_open(struct gm_snmp_usm *usm, const void *data, size_t length, int64_t now,
		     struct gm_snmp_message *message);

/*
 * The same for what the guest sends without being asked: its engine has to be known. 0 or -EBADMSG.
 */
int gm_snmp_usm_open_notice(struct gm_snmp_usm *usm, const void *data, size_t length, int64_t now,
			    struct gm_snmp_message *message);

/* A request was not answered: after a few the engine is discovered anew. */
void gm_snmp_usm_silence(struct gm_snmp_usm *usm);

#endif

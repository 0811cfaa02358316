/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transition as a message of RFC 5424, and as an entry of the journal. Pure: bytes out of a message.
 *
 * Structured data: `alarm` as RFC 5674 defines it (resource, probableCause, perceivedSeverity,
 * eventType), `meta` with the sequence number, `origin`, and an element of our own, named by the arc under
 * which the MIB is served: guestmon@8072.9999.9999.7666 (the part behind the @ is a private enterprise
 * number with sub-identifiers, RFC 5424, 7.2.2), and changed with it by the build option GM_OID_ROOT.
 */
#ifndef GM_NORTH_SYSLOG_MESSAGE_H
#define GM_NORTH_SYSLOG_MESSAGE_H

#include "base/buffer.h"
#include "base/clock.h"
#include "north/output.h"

enum { GM_SYSLOG_MAX = 32 << 10 }; /* bytes of a message; what a transition can hold fits */

extern const char *const gm_syslog_facility_names[]; /* by number, NULL at the end */

/* RFC 5674, table 1: critical is alert (1) … warning is warning (4), a clear is notice (5). */
int gm_syslog_severity(const struct gm_transition *transition);

/*
 * For both forms: "" where there is no time; and each number and text of the evidence, told to put(), which
 * leaves out what is empty.
 */
const char *gm_syslog_time(int64_t time, char text[GM_TIME_TEXT]);
void gm_syslog_evidence(const struct gm_evidence *evidence, struct gm_buffer *buffer,
			void (*put)(struct gm_buffer *buffer, const char *name, const char *value));

/* Appends the message without a frame. No line end stands in it. 0 or -ENOMEM. */
int gm_syslog_write(int facility, const struct gm_message *message, struct gm_buffer *buffer);

/* Appends the fields in the journal's native protocol (systemd.journal-fields(7)). 0 or -ENOMEM. */
int gm_journal_write(int facility, const struct gm_message *message, struct gm_buffer *buffer);

#endif

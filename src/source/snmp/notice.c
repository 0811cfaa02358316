/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest tells without being asked: a part of target.h. A guest may send as many as it likes: so
 * many a second are looked at, the rest is counted.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "source/snmp/target_private.h"

enum { ENVELOPE_ROOM = 16 };

/* Ten a second on the average, fifty at once. */
#define NOTICE_COST (100 * GM_MILLISECOND)
#define NOTICE_ROOM (50 * NOTICE_COST)

/*
 * A guest's word that its snmpd began anew has all that is known of it asked for again, at most so
 * often; one that did begin anew is known by its sysUpTime in any case.
 */
#define ANEW_INTERVAL (10 * GM_SECOND)

#define TRAPS    "\x2b\x06\x01\x06\x03\x01\x01\x05" /* snmpTraps, RFC 3418 */
#define TRAP_OID "\x2b\x06\x01\x06\x03\x01\x01\x04\x01\x00"
#define UPTIME   "\x2b\x06\x01\x02\x01\x01\x03\x00"
#define OID_IS(slice, text) \
	((slice).length == sizeof(text) - 1 && memcmp((slice).data, text, sizeof(text) - 1) == 0)

/* A bucket: `paid` is until when what was taken is paid for. */
static bool is_affordable(int64_t *paid, int64_t now)
{
	if (*paid < now - NOTICE_ROOM) {
		*paid = now - NOTICE_ROOM;
	}
	if (*paid > now) {
		return false;
	}
	*paid += NOTICE_COST;
	return true;
}

bool gm_snmp_target_may_report(struct gm_snmp_target *target, int64_t now)
{
	return is_affordable(&target->report_paid, now);
}

static int open_notice(struct gm_snmp_target *target, struct gm_snmp_message *message,
		       const void *data, size_t length, int64_t now)
{
	const struct gm_snmp_credential *credential = target->options.credential;

	if (message->version != credential->version || message->version == GM_SNMP_V1) {
		return -EBADMSG;
	}
	if (target->usm) {
		int rc = gm_snmp_usm_open_notice(target->usm, data, length, now, message);

		/* With the guest's engine it is a trap: see gm_snmp_target_inform(). */
		return rc == 0 && message->pdu.type == GM_SNMP_TRAP ? 0 : -EBADMSG;
	}
	return message->community.length == strlen(credential->community) &&
			       memcmp(message->community.data, credential->community,
				      message->community.length) == 0
		       ? 0
		       : -EBADMSG;
}

/* RFC 3416 section 4.2.6: first sysUpTime.0, then snmpTrapOID.0. */
static bool is_notice(const struct gm_snmp_pdu *pdu)
{
	return (pdu->type == GM_SNMP_TRAP || pdu->type == GM_SNMP_INFORM) && pdu->count >= 2 &&
	       pdu->error_status == 0 && pdu->error_index == 0 &&
	       OID_IS(pdu->varbinds[0].oid, UPTIME) && pdu->varbinds[0].type == GM_SNMP_TIMETICKS &&
	       OID_IS(pdu->varbinds[1].oid, TRAP_OID) && pdu->varbinds[1].type == GM_SNMP_OID;
}

static enum gm_guest_event_kind kind_of(struct gm_snmp_slice oid)
{
	static const enum gm_guest_event_kind generic[] = {
		[1] = GM_GUEST_SNMPD_STARTED, /* coldStart */
		[2] = GM_GUEST_SNMPD_STARTED, /* warmStart */
		[3] = GM_GUEST_LINK_DOWN,
		[4] = GM_GUEST_LINK_UP,
	};
	size_t root = sizeof(TRAPS) - 1;
	uint8_t number = 0;

	if (oid.length == root + 1 && memcmp(oid.data, TRAPS, root) == 0) {
		number = oid.data[root];
	}
	return number >= 1 && number < sizeof(generic) / sizeof(generic[0]) ? generic[number]
									    : GM_GUEST_NOTIFIED;
}

/* As dotted numbers, cut to fit: the name alone, for the rest is the guest's own text. */
static void write_name(struct gm_snmp_slice oid, char *text, size_t size)
{
	size_t written = 0;
	uint64_t number = 0;
	bool first = true;

	text[0] = '\0';
	for (size_t i = 0; i < oid.length && written < size; i++) {
		int more = 0;

		number = number << 7 | (oid.data[i] & 0x7f);
		if (oid.data[i] & 0x80) {
			continue;
		}
		if (first) {
			unsigned arc = number < 80 ? (unsigned)number / 40 : 2;

			more = snprintf(text, size, "%u.%llu", arc,
					(unsigned long long)(number - arc * 40ULL));
		} else {
			more = snprintf(text + written, size - written, ".%llu",
					(unsigned long long)number);
		}
		written += more > 0 ? (size_t)more : 0;
		first = false;
		number = 0;
	}
}

static void tell(struct gm_snmp_target *target, const struct gm_snmp_message *message,
		 const struct gm_snmp_moment *now, const struct gm_snmp_out *out)
{
	struct gm_guest_event event = {.key = gm_entity_guest(target->options.uuid),
				       .time = now->node};
	struct gm_snmp_slice oid = message->pdu.varbinds[1].text;

	target->counts.notices++;
	event.kind = kind_of(oid);
	write_name(oid, event.detail, sizeof(event.detail));
	if (event.kind == GM_GUEST_SNMPD_STARTED && now->monotonic >= target->anew_after) {
		target->anew_after = now->monotonic + ANEW_INTERVAL;
		target_restarted(target, now->monotonic);
	}
	out->sink->event(out->sink->user, &event);
}

static bool may_tell(struct gm_snmp_target *target, int64_t now)
{
	if (is_affordable(&target->notice_paid, now)) {
		return true;
	}
	target->counts.suppressed++;
	return false;
}

/* What somebody recorded must not spend what its guest may send: it is answered out of another purse. */
static int take_replay(struct gm_snmp_target *target, int64_t now)
{
	target->counts.rejected++;
	return gm_snmp_target_may_report(target, now) ? 0 : -EBUSY;
}

/* The answer has what the inform has, but for the numbers of another clock around it in version 3. */
static bool is_answerable(const struct gm_snmp_message *message, size_t length)
{
	return length + (message->version == GM_SNMP_V3 ? ENVELOPE_ROOM : 0) <= GM_SNMP_PACKET_MAX;
}

/*
 * RFC 3416 section 4.2.7 has one whose answer does not fit told so, and not taken. As long as it is not remembered
 * it is not taken: it could be told twice.
 */
static int take_inform(struct gm_snmp_target *target, const struct gm_snmp_message *message,
		       size_t length, const struct gm_snmp_moment *now,
		       const struct gm_snmp_out *out)
{
	enum gm_snmp_recent_kind kind =
		gm_snmp_recent_look(&target->recent, message, now->monotonic);

	if (kind == GM_SNMP_REPLAY) {
		return take_replay(target, now->monotonic);
	}
	if (!may_tell(target, now->monotonic)) {
		return -EBUSY;
	}
	if (!is_answerable(message, length)) {
		target->counts.rejected++;
		return -EMSGSIZE;
	}
	if ((kind == GM_SNMP_FIRST || message->version == GM_SNMP_V3) &&
	    gm_snmp_recent_add(&target->recent, message, now->monotonic) < 0) {
		target->counts.rejected++;
		return -EBUSY;
	}
	if (kind == GM_SNMP_FIRST) {
		tell(target, message, now, out);
	}
	return 0;
}

/* What was opened: an event, unless it is one that was sent again. */
static int take_notice(struct gm_snmp_target *target, const struct gm_snmp_message *message,
		       size_t length, const struct gm_snmp_moment *now,
		       const struct gm_snmp_out *out)
{
	if (!is_notice(&message->pdu)) {
		target->counts.rejected++;
		return -EBADMSG;
	}
	if (message->pdu.type == GM_SNMP_INFORM) {
		return take_inform(target, message, length, now, out);
	}
	if (!may_tell(target, now->monotonic)) {
		return -EBUSY;
	}
	tell(target, message, now, out);
	return 0;
}

int gm_snmp_target_notice(struct gm_snmp_target *target, struct gm_snmp_message *message,
			  const void *data, size_t length, const struct gm_snmp_moment *now,
			  const struct gm_snmp_out *out)
{
	if (open_notice(target, message, data, length, now->monotonic) < 0) {
		target->counts.rejected++;
		return -EBADMSG;
	}
	return take_notice(target, message, length, now, out);
}

int gm_snmp_target_inform(struct gm_snmp_target *target, const struct gm_snmp_message *message,
			  size_t length, const struct gm_snmp_moment *now,
			  const struct gm_snmp_out *out)
{
	if (message->pdu.type != GM_SNMP_INFORM) {
		target->counts.rejected++;
		return -EBADMSG;
	}
	return take_notice(target, message, length, now, out);
}

struct gm_snmp_recent *gm_snmp_target_recent(struct gm_snmp_target *target)
{
	return &target->recent;
}

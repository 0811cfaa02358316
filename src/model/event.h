/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sources tell beside samples: who is there, what happened to a guest, and how the source itself
 * is doing.
 */
#ifndef GM_MODEL_EVENT_H
#define GM_MODEL_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/entity.h"
#include "model/sample.h"

enum gm_source_id {
	GM_SOURCE_LIBVIRT,      /* state and interfaces: never waits for a guest */
	GM_SOURCE_LIBVIRT_SLOW, /* what goes through the guest's monitor */
	GM_SOURCE_TAP,
	GM_SOURCE_HOST,
	GM_SOURCE_SNMP, /* the snmpd inside of guests */
	/* The same two lanes for each further connection to libvirt. */
	GM_SOURCE_LIBVIRT_2,
	GM_SOURCE_LIBVIRT_2_SLOW,
	GM_SOURCE_LIBVIRT_3,
	GM_SOURCE_LIBVIRT_3_SLOW,
	GM_SOURCE_LIBVIRT_4,
	GM_SOURCE_LIBVIRT_4_SLOW,
	GM_SOURCE_COUNT
};
/* "libvirt", "libvirt-slow", "tap", "host", "snmp", "libvirt-2", "libvirt-2-slow", … */
const char *gm_source_name(enum gm_source_id id);

/* libvirt's connections: the place of a lane's URI in the configuration, from 0; -1: another source. */
enum { GM_LIBVIRT_URIS = 4 };
int gm_source_uri(enum gm_source_id id);
enum gm_source_id gm_source_libvirt(unsigned uri, bool slow); /* uri < GM_LIBVIRT_URIS */

enum gm_guest_event_kind {
	GM_GUEST_STARTED,
	GM_GUEST_STOPPED,
	GM_GUEST_CRASHED,
	GM_GUEST_SUSPENDED,
	GM_GUEST_RESUMED,
	GM_GUEST_REBOOTED,
	GM_GUEST_MIGRATED,
	GM_GUEST_BALLOON, /* the balloon's target changed */
	/* What the snmpd inside of it tells; it may have been told by anybody in there. */
	GM_GUEST_SNMPD_STARTED,
	GM_GUEST_LINK_DOWN,
	GM_GUEST_LINK_UP,
	GM_GUEST_NOTIFIED,
	GM_GUEST_DEVICE_ADDED,
	GM_GUEST_DEVICE_REMOVED,
	GM_GUEST_MIGRATING,      /* its memory begins to be sent elsewhere */
	GM_GUEST_WATCHDOG,       /* its watchdog has fired: the system inside hangs */
	GM_GUEST_IO_ERROR,       /* a disk of it failed */
	GM_GUEST_CONTROL_ERROR,  /* its monitor is broken */
	GM_GUEST_MEMORY_FAILURE, /* the hardware lost memory of it */
	GM_GUEST_AGENT_UP,       /* the agent inside of it is there */
	GM_GUEST_AGENT_DOWN,
	GM_GUEST_UNDEFINED, /* libvirt has no configuration of it any more */
	GM_GUEST_MOVING,    /* its memory is still being sent elsewhere */
	GM_GUEST_STAYED,    /* it was to be moved elsewhere, and goes on here */
	GM_GUEST_EVENTS
};
const char *gm_guest_event_name(enum gm_guest_event_kind kind);

struct gm_guest_event {
	struct gm_entity_key key;
	enum gm_guest_event_kind kind;
	int64_t time;    /* when it was told, ns since the epoch, the node's time */
	char detail[64]; /* which device, what was done about it, the name of a notification; as
				     the guest or its owner chose it */
};

/*
 * A source's account of itself, sent about once a second; counters since its start. `lag` is how far
 * behind its deadline a tick began.
 */
struct gm_source_status {
	enum gm_source_id id;
	bool connected;
	int64_t interval;
	uint64_t ticks, missed; /* missed: deadlines that passed without a tick */
	uint64_t late;          /* ticks that began more than a tenth of the interval late */
	uint64_t failures;      /* polls or connects that failed */
	uint64_t reconnects;
	int64_t lag_max; /* ns, over the last second */
	/* ns of a poll, over the last few hundred ticks */
	int64_t duration_p50, duration_p99, duration_max;
	uint32_t entities; /* seen in the last poll */
	char error[128];   /* the last failure's sentence; while connected: a complaint, or empty */
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of source/snmp: the source on a list of targets, driven by hand, with what it emits kept by
 * entity and metric; the packaged snmpd; and responders on loopback that behave as they are told.
 */
#ifndef GM_TEST_SNMP_RIG_H
#define GM_TEST_SNMP_RIG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "source/snmp/ber.h"
#include "source/snmp/snmp.h"

enum { RIG_SERIES = 512, RIG_TOLD = 64 };

struct rig_series {
	struct gm_entity_key key;
	unsigned metric;
	union gm_value value;
	size_t count;
	int64_t measured_at, read_at;
	int64_t longest_gap; /* ns between two measured_at */
};

struct rig {
	char folder[32];
	struct gm_snmp_options options;
	struct gm_snmp_start start; /* boots 0: the usual one */
	struct gm_source *source;
	struct gm_source_sink sink;
	struct rig_series series[RIG_SERIES];
	size_t series_count;
	struct gm_entity_info seen[RIG_TOLD];
	size_t seen_count;
	struct gm_entity_key gone[RIG_TOLD];
	size_t gone_count;
	uint32_t reachable;
	struct gm_error complaint;
};

/* A folder, default options without a source yet: then files, then the start. */
void rig_prepare(struct rig *rig);
void rig_write(const struct rig *rig, const char *name, mode_t mode, const char *text);
int rig_start(struct rig *rig); /* what open() says; the sentence in `complaint` */
/* Polls every 10 ms for so long. */
void rig_run(struct rig *rig, int64_t duration);
void rig_stop(struct rig *rig);

void rig_uuid(unsigned number,
	      uint8_t uuid[GM_UUID_SIZE]); /* 00000000-0000-0000-0000-0000000000NN */
struct rig_series *rig_find(struct rig *rig, const struct gm_entity_key *key, unsigned metric);
struct rig_series *rig_guest(struct rig *rig, unsigned number, unsigned metric);
void rig_forget(struct rig *rig); /* counts and gaps begin anew */

/* snmpd with these lines of configuration at 127.0.0.1:port; -1: there is none. */
pid_t snmpd_start(const struct rig *rig, int port, const char *configuration);
/* The same, not waiting until it answers: the source has to be run beside it. */
pid_t snmpd_start_beside(const struct rig *rig, int port, const char *configuration);
void snmpd_stop(pid_t pid);

/*
 * A responder: for each datagram it calls `respond`, which writes an answer and returns its length (0: none),
 * after so many ns. A request is decoded for it.
 */
struct responder;
typedef size_t respond_function(struct responder *responder, const struct gm_snmp_message *request,
				uint8_t *answer, size_t size);
struct responder {
	uint32_t host; /* of 127.0.0.1 and on */
	int fd, port;
	pthread_t thread;
	respond_function *respond;
	int64_t delay;
	int64_t value;    /* for respond's use */
	int other_source; /* not 0: answers come from this port */
	atomic_bool stop;
	atomic_uint requests, largest_names;
	atomic_uint copies; /* of each answer, besides the first */
};
void responder_start(struct responder *responder, int port, respond_function *respond);
void responder_stop(struct responder *responder);

/* A well-behaved answer: everything counts upwards, and of two scalars the later one is the smaller. */
size_t respond_well(struct responder *responder, const struct gm_snmp_message *request,
		    uint8_t *answer, size_t size);

/* The pieces of an answer; backwards as gm_snmp_put() is. Returns where it begins. */
struct answer {
	const struct gm_snmp_message *request;
	int32_t id;
	int64_t status, index;
	const struct gm_snmp_varbind *varbinds;
	size_t count;
};
size_t answer_write(const struct answer *answer, uint8_t *out, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that make up a target share: target.c plans and asks, walk.c finds rows, rows.c keeps
 * them, processes.c ranks processes, report.c turns values into frames. For nobody else.
 */
#ifndef GM_SOURCE_SNMP_TARGET_PRIVATE_H
#define GM_SOURCE_SNMP_TARGET_PRIVATE_H

#include "source/snmp/target.h"
#include "source/snmp/usm.h"

enum {
	SUFFIX_MAX = 12, /* bytes of a row's index: one number each in all our tables */
	NAME_MAX_BYTES = 64,
	ITEMS_MAX = 1024,
	CHUNK_MAX = 64,      /* names of one request */
	ANSWER_BYTES = 1300, /* of varbinds that an answer is let to have */
	SCALAR = 255,        /* an item's table when it is a scalar, */
	OPERATOR = 254,      /* or one of the operator's objects */
	WALK_REQUESTS_MAX = 512,
};

#define REVALIDATE (600 * GM_SECOND)

/* A value as it was last told, 32-bit counters extended. */
struct cell {
	uint64_t value, high;
	uint32_t last;
	bool present, dropped;
};

struct row {
	uint8_t suffix[SUFFIX_MAX], suffix_length;
	uint8_t storage; /* enum gm_snmp_storage */
	bool wanted;
	char name[NAME_MAX_BYTES];
	struct cell cells[GM_SNMP_COLUMNS_MAX];
};

struct rows {
	struct row *list;
	size_t count;
};

struct item {
	uint8_t table, column; /* SCALAR: enum gm_snmp_scalar; OPERATOR: place in the list */
	uint16_t row;
};

struct group_state {
	int64_t due; /* monotonic */
	uint64_t digest;
	int64_t measured_at, emitted_at; /* node's time; 0: never */
};

struct walk {
	int table; /* -1: none under way */
	uint32_t requests;
	uint8_t last[GM_SNMP_COLUMNS_MAX][GM_SNMP_OID_MAX];
	uint8_t last_length[GM_SNMP_COLUMNS_MAX];
	bool done[GM_SNMP_COLUMNS_MAX];
	struct rows fresh;
};

struct process {
	uint32_t pid;
	uint64_t memory, cpu; /* KiB, hundredths of a second */
};

struct followed {
	struct gm_entity_key key;
	struct process process;
	bool named; /* by the guest, this time */
	char command[NAME_MAX_BYTES];
};

struct processes {
	struct process *list; /* of the walk under way, by pid */
	size_t count, capacity;
	struct followed chosen[GM_SNMP_PROCESSES_MAX]; /* this time */
	size_t chosen_count;
	struct followed known[GM_SNMP_PROCESSES_MAX]; /* told to the sink */
	size_t known_count;
};

enum in_flight { NOTHING, ROUND, WALK, TUNING };

struct gm_snmp_target {
	struct gm_snmp_target_options options;
	struct gm_snmp_counts counts;
	struct gm_snmp_usm *usm; /* version 3 only */

	/* The request that is under way. */
	enum in_flight in_flight;
	int32_t id, previous_id;
	int64_t sent_at, deadline, not_before;
	unsigned failures; /* in a row */
	bool reachable, told_up;
	int64_t up_told_at, latency;
	uint64_t random;

	/* The round: items[cursor … cursor + chunk) are asked for now. */
	unsigned mask; /* groups of it */
	size_t item_count, cursor, chunk, limit;
	struct item items[ITEMS_MAX];

	/* The template, and what it asks for; good while its three numbers are the same. */
	unsigned template_mask, template_generation, generation;
	size_t template_cursor, template_chunk;
	uint8_t buffer[GM_SNMP_PACKET_MAX];
	uint8_t sealed[GM_SNMP_PACKET_MAX]; /* version 3: the message around it */
	uint8_t *pdu, *packet, *id_at;
	uint8_t names[CHUNK_MAX + 1][GM_SNMP_OID_MAX];
	struct gm_snmp_slice oids[CHUNK_MAX + 1];
	size_t oid_count;

	struct cell scalars[GM_SNMP_SCALARS];
	struct cell operator[GM_SNMP_OIDS_MAX]; /* gauges as the bits of a double */
	struct group_state groups[GM_SNMP_GROUPS];
	struct rows tables[GM_SNMP_TABLES];
	int64_t walk_due[GM_SNMP_TABLES]; /* monotonic */
	struct walk walk;
	struct processes processes;
	int64_t revalidate_at; /* monotonic */
	bool uptime_known;
	unsigned tune_next;        /* the cache that is tuned next; TUNINGS: all are done */
	bool live[GM_SNMP_GROUPS]; /* its cache was tuned: what is told is measured anew */
	uint32_t uptime;
	int64_t notice_paid; /* monotonic: until when its notices are paid for */
	int64_t report_paid; /* the same of reports to its host */
	struct gm_snmp_recent recent;
	int64_t anew_after; /* monotonic: no notice before has it asked anew */
};

static inline const struct gm_snmp_table *table_of(int table)
{
	return &gm_snmp_tables[table];
}

/* target.c */
bool target_wants(const struct gm_snmp_target *target, enum gm_snmp_group group);
/* Without UCD's memory the RAM in hrStorageTable has to do. */
bool target_falls_back(const struct gm_snmp_target *target);

/* Makes a template; version 3 seals its PDU when it is sent. False: it does not fit. */
bool target_encode(struct gm_snmp_target *target, const struct gm_snmp_request *request,
		   const char *community);

/* Its snmpd was started anew: nothing that it told before can be relied on. */
void target_restarted(struct gm_snmp_target *target, int64_t now);

/* round.c: what is asked for and what its answers are */
void round_begin(struct gm_snmp_target *target, unsigned mask);
bool round_build(struct gm_snmp_target *target);
void round_answer(struct gm_snmp_target *target, const struct gm_snmp_pdu *pdu,
		  const struct gm_snmp_moment *now, const struct gm_snmp_out *out);

/* walk.c */
void walk_begin(struct gm_snmp_target *target, int table);
bool walk_build(struct gm_snmp_target *target);
void walk_answer(struct gm_snmp_target *target, const struct gm_snmp_pdu *pdu,
		 const struct gm_snmp_moment *now, const struct gm_snmp_out *out);
void walk_abort(struct gm_snmp_target *target);

/* rows.c */
void cell_take(struct cell *cell, const struct gm_snmp_varbind *varbind);
bool rows_take(struct rows *rows, const struct gm_snmp_table *table, int column,
	       struct gm_snmp_slice suffix, const struct gm_snmp_varbind *varbind);
/* Puts the rows that a walk found in the place of the old ones, whose counters they inherit. */
void rows_replace(struct gm_snmp_target *target, int table, struct rows *fresh, int64_t time,
		  const struct gm_snmp_out *out);
void rows_free(struct rows *rows);
/* The entity of a row; false: it is none. */
bool row_entity(const struct gm_snmp_target *target, int table, const struct row *row,
		struct gm_entity_info *ret_info);

/* processes.c */
bool processes_take(struct processes *processes, int column, struct gm_snmp_slice suffix,
		    const struct gm_snmp_varbind *varbind);
void processes_choose(struct gm_snmp_target *target);
void processes_name(struct processes *processes, size_t chosen, const struct gm_snmp_varbind *name);
void processes_report(struct gm_snmp_target *target, int64_t measured_at,
		      const struct gm_snmp_moment *now, const struct gm_snmp_out *out);
void processes_end(struct gm_snmp_target *target, int64_t time, const struct gm_snmp_out *out);
uint64_t processes_digest(const struct processes *processes);

/* report.c */
uint64_t gauge_bits(double gauge);
void report_group(struct gm_snmp_target *target, enum gm_snmp_group group,
		  const struct gm_snmp_moment *now, const struct gm_snmp_out *out);
/* Whether it answers, when that changes and about once a second. */
void report_up(struct gm_snmp_target *target, const struct gm_snmp_moment *now,
	       const struct gm_snmp_out *out);
uint64_t digest_add(uint64_t digest, uint64_t value);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast the MIB answers: 10,000 interface rows, ten columns a request.
 *
 *   mib_bench resolve         the resolver in-process, and a linear search over the same rows
 *   mib_bench poll ADDRESS ours|rival SECONDS [VARIABLES]
 *                             GETBULK (ten columns, ten repetitions) of gmInterfaceTable by SNMPv2c, or of the
 *                             same table of mib_rivals, again and again, for so long or so many variables
 *   mib_bench get ADDRESS COUNT   a GET of one of its variables, so many times: how long each takes
 * Prints variables a second, or percentiles. tests/bench/mib/bench runs all of them, through a snmpd of its own.
 */
#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gm_version.h"
#include "north/mib/tree.h"
#include "support/mib/fixture.h"

enum { COLUMNS = 10, REPETITIONS = 10 };
static const uint32_t columns[COLUMNS] = {3, 4, 8, 9, 10, 11, 12, 16, 17, 18};

static double rate(size_t count, int64_t since)
{
	return (double)count * 1e9 / (double)(gm_clock_monotonic() - since);
}

/* All columns side by side, as a manager's GETNEXT does. */
static size_t walk_table(const struct gm_mib_view *view)
{
	struct gm_mib_oid at[COLUMNS];
	size_t count = 0;
	for (size_t c = 0; c < COLUMNS; c++)
		at[c] = (struct gm_mib_oid){.length = 4, .id = {1, 5, 1, columns[c]}};
	for (;; count += COLUMNS) {
		for (size_t c = 0; c < COLUMNS; c++) {
			struct gm_mib_value value;
			if (!gm_mib_next(&gm_mib_modules[GM_MIB_GUESTMON], view, at[c].id,
					 at[c].length, &at[c], &value) ||
			    at[c].id[3] != columns[c])
				return count;
		}
	}
}

/* What the resolver would cost if it looked through the rows from the first. */
static size_t walk_linear(const struct gm_snapshot *snapshot, size_t steps)
{
	size_t found = 0;
	for (size_t step = 0; step < steps; step++) {
		const struct gm_interface_row *at =
			&snapshot->interfaces[step * 7919 % snapshot->interface_count];
		uint32_t key[] = {at->guest_index, at->ordinal};
		size_t i = 0;
		for (; i < snapshot->interface_count; i++) {
			const struct gm_interface_row *row = &snapshot->interfaces[i];
			uint32_t index[] = {row->guest_index, row->ordinal};
			if (gm_mib_compare(index, 2, key, 2) > 0)
				break;
		}
		found += i > 0;
	}
	return found;
}

static int resolve(void)
{
	struct gm_snapshot *snapshot = fixture_snapshot(2500, 4, 1);
	if (!snapshot)
		return 1;
	struct gm_mib_view view = {.snapshot = snapshot, .now = FIXTURE_TIME};
	int64_t start = gm_clock_monotonic();
	size_t count = 0;
	for (int i = 0; i < 10; i++)
		count += walk_table(&view);
	printf("resolver, in-process: %.0f variables/s (%zu)\n", rate(count, start), count);
	start = gm_clock_monotonic();
	count = walk_linear(snapshot, 20000);
	printf("linear search:        %.0f variables/s (%zu)\n", rate(count, start), count);
	return 0;
}

struct columns_at {
	oid next[COLUMNS][MAX_OID_LEN];
	size_t lengths[COLUMNS];
};

/* Before the first row. */
static void rewind_columns(struct columns_at *at, bool rival)
{
	static const oid table[] = {GM_OID_ROOT, 1, 5, 1};
	for (size_t c = 0; c < COLUMNS; c++) {
		memcpy(at->next[c], table, sizeof(table));
		if (rival)
			at->next[c][9] = 7667;
		at->next[c][OID_LENGTH(table)] = columns[c];
		at->lengths[c] = OID_LENGTH(table) + 1;
	}
}

static netsnmp_session *open_session(char *address)
{
	static u_char community[] = "public";
	netsnmp_session wanted;
	init_snmp("mib_bench");
	snmp_sess_init(&wanted);
	wanted.peername = address;
	wanted.version = SNMP_VERSION_2c;
	wanted.community = community;
	wanted.community_len = sizeof(community) - 1;
	wanted.timeout = 20000000;
	return snmp_open(&wanted);
}

/* Moves on to the last row of the answer. How many variables were of the table; negative: no answer. */
static long ask(netsnmp_session *session, struct columns_at *at)
{
	netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GETBULK), *answer = NULL;
	pdu->non_repeaters = 0;
	pdu->max_repetitions = REPETITIONS;
	for (size_t c = 0; c < COLUMNS; c++)
		snmp_add_null_var(pdu, at->next[c], at->lengths[c]);
	long count = -1;
	if (snmp_synch_response(session, pdu, &answer) == STAT_SUCCESS && answer &&
	    answer->errstat == SNMP_ERR_NOERROR) {
		const netsnmp_variable_list *variable = answer->variables;
		for (count = 0; variable; variable = variable->next_variable, count++) {
			size_t c = (size_t)count % COLUMNS;
			if (variable->name_length < 14 || variable->name[13] != columns[c])
				break;
			at->lengths[c] = variable->name_length;
			memcpy(at->next[c], variable->name, at->lengths[c] * sizeof(oid));
		}
	}
	if (answer)
		snmp_free_pdu(answer);
	return count;
}

/* Walks the table again and again until the time is over, or so many variables are read. */
static int poll_table(char *address, bool rival, long seconds, long limit)
{
	netsnmp_session *session = open_session(address);
	struct columns_at at;
	long count = 0, got = 0;
	if (!session)
		return 1;
	rewind_columns(&at, rival);
	int64_t start = gm_clock_monotonic();
	while (gm_clock_monotonic() - start < seconds * GM_SECOND && count < limit &&
	       (got = ask(session, &at)) >= 0) {
		count += got;
		if (count == 0)
			break; /* an empty table */
		if (got < COLUMNS * REPETITIONS)
			rewind_columns(&at, rival);
	}
	printf("%.0f variables/s (%ld)\n", rate((size_t)count, start), count);
	snmp_close(session);
	return got < 0 || count == 0;
}

static int by_size(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;
	return (*left > *right) - (*left < *right);
}

/* One variable of the table, one GET after another. */
static int get_often(char *address, long count)
{
	static const oid name[] = {GM_OID_ROOT, 1, 5, 1, 9, 1, 1};
	netsnmp_session *session = open_session(address);
	int64_t *took = calloc((size_t)count, sizeof(*took));
	bool good = session && took;
	for (long i = 0; good && i < count; i++) {
		netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GET), *answer = NULL;
		snmp_add_null_var(pdu, name, OID_LENGTH(name));
		int64_t start = gm_clock_monotonic();
		good = snmp_synch_response(session, pdu, &answer) == STAT_SUCCESS && answer &&
		       answer->variables->type == ASN_COUNTER64;
		took[i] = gm_clock_monotonic() - start;
		if (answer)
			snmp_free_pdu(answer);
	}
	if (good) {
		qsort(took, (size_t)count, sizeof(*took), by_size);
		printf("p50 %.0f us, p99 %.0f us, longest %.0f us (%ld)\n",
		       (double)took[count / 2] / 1e3, (double)took[count * 99 / 100] / 1e3,
		       (double)took[count - 1] / 1e3, count);
	}
	free(took);
	if (session)
		snmp_close(session);
	return !good;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "resolve") == 0)
		return resolve();
	if (argc >= 5 && strcmp(argv[1], "poll") == 0)
		return poll_table(argv[2], strcmp(argv[3], "rival") == 0, strtol(argv[4], NULL, 10),
				  argc > 5 ? strtol(argv[5], NULL, 10) : LONG_MAX);
	if (argc == 4 && strcmp(argv[1], "get") == 0 && strtol(argv[3], NULL, 10) > 0)
		return get_often(argv[2], strtol(argv[3], NULL, 10));
	fprintf(stderr, "usage: mib_bench resolve | poll ADDRESS ours|rival SECONDS [VARIABLES] | "
			"get ADDRESS COUNT\n");
	return 2;
}

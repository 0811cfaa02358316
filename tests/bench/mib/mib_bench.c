/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast the MIB answers: 10,000 interface rows, ten columns a request.
 *
 *   mib_bench resolve         the resolver in-process, and a linear search over the same rows
 *   mib_bench poll ADDRESS    GETBULK (ten columns, ten repetitions) of gmInterfaceTable by SNMPv2c, for at
 *                             most five seconds; "rival" behind it: the same of mib_rivals
 * Prints variables a second. tests/bench/mib/bench runs both, the second through snmpd.
 */
#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "gm_version.h"
#include "north/mib/tree.h"
#include "support/mib/fixture.h"

enum { COLUMNS = 10, REPETITIONS = 10 };
static const uint32_t columns[COLUMNS] = {3, 4, 8, 9, 10, 11, 12, 16, 17, 18};

static const int64_t LIMIT = 5 * GM_SECOND;

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

/* Asks from `next` on; moves it to the last row of the answer. How many variables were of the table. */
static size_t ask(netsnmp_session *session, oid next[COLUMNS][MAX_OID_LEN], size_t *lengths)
{
	netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GETBULK), *answer = NULL;
	pdu->non_repeaters = 0;
	pdu->max_repetitions = REPETITIONS;
	for (size_t c = 0; c < COLUMNS; c++)
		snmp_add_null_var(pdu, next[c], lengths[c]);
	size_t count = 0;
	if (snmp_synch_response(session, pdu, &answer) == STAT_SUCCESS && answer) {
		const netsnmp_variable_list *variable = answer->variables;
		for (; variable; variable = variable->next_variable, count++) {
			size_t c = count % COLUMNS;
			if (variable->name_length < 14 || variable->name[13] != columns[c])
				break;
			lengths[c] = variable->name_length;
			memcpy(next[c], variable->name, lengths[c] * sizeof(oid));
		}
	}
	if (answer)
		snmp_free_pdu(answer);
	return count;
}

static int poll_table(char *address, bool rival)
{
	static const oid table[] = {GM_OID_ROOT, 1, 5, 1};
	static oid next[COLUMNS][MAX_OID_LEN];
	size_t lengths[COLUMNS], count = 0, got;
	u_char community[] = "public";
	netsnmp_session wanted;
	init_snmp("mib_bench");
	snmp_sess_init(&wanted);
	wanted.peername = address;
	wanted.version = SNMP_VERSION_2c;
	wanted.community = community;
	wanted.community_len = sizeof(community) - 1;
	netsnmp_session *session = snmp_open(&wanted);
	if (!session)
		return 1;
	for (size_t c = 0; c < COLUMNS; c++) {
		memcpy(next[c], table, sizeof(table));
		if (rival)
			next[c][9] = 7667;
		next[c][OID_LENGTH(table)] = columns[c];
		lengths[c] = OID_LENGTH(table) + 1;
	}
	int64_t start = gm_clock_monotonic();
	while (gm_clock_monotonic() - start < LIMIT && (got = ask(session, next, lengths)) > 0)
		count += got;
	printf("through snmpd:        %.0f variables/s (%zu)\n", rate(count, start), count);
	snmp_close(session);
	return count == 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "resolve") == 0)
		return resolve();
	if (argc >= 3 && strcmp(argv[1], "poll") == 0)
		return poll_table(argv[2], argc > 3);
	fprintf(stderr, "usage: mib_bench resolve | poll ADDRESS [rival]\n");
	return 2;
}

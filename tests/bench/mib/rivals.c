/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subagents as others write them, beside ours in tests/bench/mib/bench: the same columns of as many rows, each
 * cell the same counter. By net-snmp's table_iterator, which looks through the rows for each variable; with
 * one registration for each cell, as collectd's snmp_agent has it; and what cannot be beaten: a raw handler
 * that computes the next cell, and the same in the session's callback, with nothing of net-snmp's but its
 * coding of AgentX.
 *
 *   mib_rivals iterator|cells|raw|floor SOCKET ROWS     prints "ready" and after how long; ends with its input
 */
#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/agent/net-snmp-agent-includes.h>

#include <net-snmp/agent/agent_callbacks.h>

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ORDINALS = 4, COLUMNS = 10, LAST_COLUMN = 18 };
enum { AGENTX_GETNEXT = 6, AGENTX_RESPONSE = 18 };
static const oid columns[COLUMNS] = {3, 4, 8, 9, 10, 11, 12, 16, 17, 18};
static const oid table[] = {1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 7667, 1, 5};

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct rows {
	size_t count;
	size_t *numbers;
};

static netsnmp_variable_list *set_index(netsnmp_variable_list *index, size_t row)
{
	long guest = (long)(row / ORDINALS) + 1, ordinal = (long)(row % ORDINALS) + 1;
	snmp_set_var_value(index, &guest, sizeof(guest));
	snmp_set_var_value(index->next_variable, &ordinal, sizeof(ordinal));
	return index;
}

static netsnmp_variable_list *next_row(void **loop, void **data, netsnmp_variable_list *index,
				       netsnmp_iterator_info *info)
{
	const struct rows *rows = info->myvoid;
	size_t *at = *loop;
	if (at == rows->numbers + rows->count)
		return NULL;
	*data = at;
	*loop = at + 1;
	return set_index(index, *at);
}

static netsnmp_variable_list *first_row(void **loop, void **data, netsnmp_variable_list *index,
					netsnmp_iterator_info *info)
{
	const struct rows *rows = info->myvoid;
	*loop = rows->numbers;
	return next_row(loop, data, index, info);
}

static void answer(netsnmp_variable_list *variable)
{
	struct counter64 value = {.low = 42};
	snmp_set_var_typed_value(variable, ASN_COUNTER64, &value, sizeof(value));
}

static int handle_table(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
			netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
	(void)handler;
	(void)registration;
	for (; requests && info->mode == MODE_GET; requests = requests->next)
		if (!requests->processed && netsnmp_extract_iterator_context(requests))
			answer(requests->requestvb);
	return SNMP_ERR_NOERROR;
}

static int handle_cell(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
		       netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
	(void)handler;
	(void)registration;
	if (info->mode == MODE_GET)
		answer(requests->requestvb);
	return SNMP_ERR_NOERROR;
}

/* The cell after the variable's name becomes the variable, by arithmetic alone; false when there is none. */
static bool next_cell(netsnmp_variable_list *variable, size_t rows)
{
	enum { COLUMN = OID_LENGTH(table) + 1, GUEST, ORDINAL, LENGTH };
	oid name[LENGTH];
	const oid *at = variable->name;
	size_t length = variable->name_length, c = 0, row = 0;
	while (length > COLUMN && c < COLUMNS && columns[c] < at[COLUMN])
		c++;
	if (length > ORDINAL && c < COLUMNS && columns[c] == at[COLUMN])
		row = (at[GUEST] - 1) * ORDINALS + at[ORDINAL];
	if (row >= rows) {
		c++;
		row = 0;
	}
	if (c >= COLUMNS)
		return false;
	memcpy(name, table, sizeof(table));
	name[COLUMN - 1] = 1;
	name[COLUMN] = columns[c];
	name[GUEST] = row / ORDINALS + 1;
	name[ORDINAL] = row % ORDINALS + 1;
	snmp_set_var_objid(variable, name, LENGTH);
	answer(variable);
	return true;
}

static int handle_raw(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
		      netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
	const struct rows *rows = handler->myvoid;
	(void)registration;
	for (; requests && info->mode == MODE_GETNEXT; requests = requests->next)
		next_cell(requests->requestvb, rows->count);
	return SNMP_ERR_NOERROR;
}

/* Of the session, which is made by the library. */
struct direct {
	const struct rows *rows;
	snmp_callback library;
};

static int on_pdu(int operation, netsnmp_session *session, int id, netsnmp_pdu *pdu, void *user)
{
	struct direct *direct = user;
	if (operation != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE || pdu->command != AGENTX_GETNEXT)
		return direct->library(operation, session, id, pdu, NULL);
	netsnmp_pdu *response = snmp_pdu_create(AGENTX_RESPONSE);
	response->version = pdu->version;
	response->errstat = response->errindex = 0;
	response->sessid = pdu->sessid;
	response->transid = pdu->transid;
	response->reqid = pdu->reqid;
	response->variables = pdu->variables;
	pdu->variables = NULL;
	netsnmp_variable_list *variable = response->variables;
	for (; variable; variable = variable->next_variable)
		if (!next_cell(variable, direct->rows->count))
			snmp_set_var_typed_value(variable, SNMP_ENDOFMIBVIEW, NULL, 0);
	if (!snmp_send(session, response))
		snmp_free_pdu(response);
	return 1;
}

static int on_start(int major, int minor, void *session, void *user)
{
	netsnmp_session *opened = session;
	struct direct *direct = user;
	(void)major;
	(void)minor;
	direct->library = opened->callback;
	opened->callback = on_pdu;
	opened->callback_magic = direct;
	return SNMPERR_SUCCESS;
}

static void register_raw(struct rows *rows)
{
	netsnmp_handler_registration *registration = netsnmp_create_handler_registration(
		"rival", handle_raw, table, OID_LENGTH(table), HANDLER_CAN_RONLY);
	registration->handler->myvoid = rows;
	netsnmp_register_handler(registration);
}

static void register_table(struct rows *rows)
{
	netsnmp_table_registration_info *info =
		SNMP_MALLOC_TYPEDEF(netsnmp_table_registration_info);
	netsnmp_iterator_info *iterator = SNMP_MALLOC_TYPEDEF(netsnmp_iterator_info);
	netsnmp_table_helper_add_indexes(info, ASN_UNSIGNED, ASN_UNSIGNED, 0);
	info->min_column = 1;
	info->max_column = LAST_COLUMN;
	iterator->get_first_data_point = first_row;
	iterator->get_next_data_point = next_row;
	iterator->table_reginfo = info;
	iterator->myvoid = rows;
	netsnmp_register_table_iterator(
		netsnmp_create_handler_registration("rival", handle_table, table, OID_LENGTH(table),
						    HANDLER_CAN_RONLY),
		iterator);
}

static void register_cells(const struct rows *rows)
{
	oid name[MAX_OID_LEN];
	size_t length = OID_LENGTH(table);
	memcpy(name, table, sizeof(table));
	name[length++] = 1;
	for (size_t c = 0; c < COLUMNS; c++)
		for (size_t row = 0; row < rows->count; row++) {
			name[length] = columns[c];
			name[length + 1] = row / ORDINALS + 1;
			name[length + 2] = row % ORDINALS + 1;
			netsnmp_register_instance(netsnmp_create_handler_registration(
				"rival", handle_cell, name, length + 3, HANDLER_CAN_RONLY));
		}
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: mib_rivals iterator|cells|raw|floor SOCKET ROWS\n");
		return 2;
	}
	struct rows rows = {.count = strtoul(argv[3], NULL, 10)};
	rows.numbers = calloc(rows.count + 1, sizeof(*rows.numbers));
	for (size_t i = 0; rows.numbers && i < rows.count; i++)
		rows.numbers[i] = i;
	netsnmp_enable_subagent();
	netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, argv[2]);
	init_agent("rival");
	struct direct direct = {.rows = &rows};
	if (strcmp(argv[1], "floor") == 0)
		snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START,
				       on_start, &direct);
	init_snmp("rival");
	double start = seconds();
	if (strcmp(argv[1], "cells") == 0)
		register_cells(&rows);
	else if (strcmp(argv[1], "iterator") == 0)
		register_table(&rows);
	else
		register_raw(&rows);
	printf("ready after %.2f s\n", seconds() - start);
	fflush(stdout);
	struct pollfd input = {.fd = STDIN_FILENO};
	while (poll(&input, 1, 0) == 0 || !(input.revents & POLLHUP))
		agent_check_and_process(1);
	snmp_unregister_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START, on_start,
				 &direct, 1);
	snmp_shutdown("rival");
	free(rows.numbers);
	return 0;
}

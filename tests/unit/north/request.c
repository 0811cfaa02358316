/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Get and GetNext of AgentX on PDUs made by hand: search ranges, from one MIB to the next, contexts, the
 * header of the Response; and that everything else is left to the library.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "north/mib/agent.h"
#include "support/mib/fixture.h"

enum { SET = 8, NETWORK_BYTE_ORDER = 1 << 4, GUESTS = 4 };
#define ALARM_MIB     ".1.3.6.1.2.1.118"
#define ITU_ALARM_MIB ".1.3.6.1.2.1.121"
#define VM_MIB        ".1.3.6.1.2.1.236"
#define GUESTMON      ".1.3.6.1.4.1.8072.9999.9999.7666"
#define GUEST_NAME    GUESTMON ".1.4.1.4"

static int left; /* to the library */

static int library(int operation, netsnmp_session *session, int id, netsnmp_pdu *pdu, void *user)
{
	(void)operation;
	(void)session;
	(void)id;
	(void)pdu;
	assert_null(user); /* it would be taken for something else */
	left++;
	return 7;
}

/* The node's context and two tenants', without a session. */
static int start(void **state)
{
	struct gm_mib *mib = calloc(1, sizeof(*mib));
	struct gm_snapshot *snapshot = fixture_snapshot(GUESTS, 2, 1);
	assert_true(mib && snapshot && gm_snapshot_slot_create(&mib->slot) == 0);
	gm_snapshot_publish(mib->slot, snapshot);
	mib->library = library;
	gm_mib_registry_init(mib);
	gm_mib_registry_tick(mib, gm_clock_monotonic());
	*state = mib;
	return 0;
}

static int stop(void **state)
{
	struct gm_mib *mib = *state;
	gm_mib_release(mib);
	gm_snapshot_slot_free(mib->slot);
	free(mib);
	return 0;
}

static size_t parse(const char *text, oid *name)
{
	size_t length = 0;
	for (char *at = (char *)text; *at == '.'; length++)
		name[length] = strtoul(at + 1, &at, 10);
	return length;
}

static netsnmp_pdu *request(int command, const char *context)
{
	netsnmp_pdu *pdu = snmp_pdu_create(command);
	pdu->version = 0xc0;
	pdu->transid = 4711;
	pdu->reqid = 42;
	pdu->sessid = 3;
	pdu->flags |= NETWORK_BYTE_ORDER;
	if (context) {
		pdu->community = (u_char *)strdup(context);
		pdu->community_len = strlen(context);
	}
	return pdu;
}

/* The end NULL is what the library makes of a null identifier. */
static void add(netsnmp_pdu *pdu, bool include, const char *from, const char *to)
{
	static const oid null[] = {0, 0};
	oid name[MAX_OID_LEN], end[MAX_OID_LEN];
	size_t length = parse(from, name), end_length = to ? parse(to, end) : 0;
	snmp_pdu_add_variable(
		pdu, name, length, include ? ASN_PRIV_INCL_RANGE : ASN_PRIV_EXCL_RANGE,
		to ? (const void *)end : null, to ? end_length * sizeof(oid) : sizeof(null));
}

/* The answer to one variable: its type, and that its name is `name`. */
static u_char ask(struct gm_mib *mib, int command, const char *context, bool include,
		  const char *from, const char *to, const char *name)
{
	oid expected[MAX_OID_LEN];
	size_t length = parse(name, expected);
	netsnmp_pdu *pdu = request(command, context);
	add(pdu, include, from, to);
	netsnmp_pdu *response = gm_mib_response(mib, pdu);
	const netsnmp_variable_list *variable = response->variables;
	assert_null(pdu->variables);
	assert_non_null(variable);
	assert_null(variable->next_variable);
	assert_int_equal(snmp_oid_compare(variable->name, variable->name_length, expected, length),
			 0);
	u_char type = variable->type;
	snmp_free_pdu(pdu);
	snmp_free_pdu(response);
	return type;
}

static u_char get(struct gm_mib *mib, const char *context, const char *name)
{
	return ask(mib, GM_AGENTX_GET, context, false, name, NULL, name);
}

static u_char next(struct gm_mib *mib, const char *from, const char *to, const char *name)
{
	return ask(mib, GM_AGENTX_GETNEXT, NULL, false, from, to, name);
}

static void test_get(void **state)
{
	assert_int_equal(get(*state, NULL, GUEST_NAME ".1"), ASN_OCTET_STR);
	assert_int_equal(get(*state, NULL, GUEST_NAME ".2"), SNMP_NOSUCHINSTANCE);
	assert_int_equal(get(*state, NULL, GUESTMON ".1.4.1.200.1"), SNMP_NOSUCHOBJECT);
	assert_int_equal(get(*state, NULL, VM_MIB ".1.2.0"), ASN_INTEGER);
	assert_int_equal(get(*state, NULL, VM_MIB), SNMP_NOSUCHOBJECT);
	assert_int_equal(get(*state, NULL, ".1.3.6.1.2.1.1.1.0"), SNMP_NOSUCHOBJECT);
}

static void test_search_range(void **state)
{
	const char *first = GUEST_NAME ".1", *second = GUEST_NAME ".3";
	assert_int_equal(next(*state, GUEST_NAME, NULL, first), ASN_OCTET_STR);
	assert_int_equal(next(*state, first, NULL, second), ASN_OCTET_STR);
	assert_int_equal(next(*state, first, GUEST_NAME ".3.0", second), ASN_OCTET_STR);
	/* The end does not count; the name stays. */
	assert_int_equal(next(*state, first, second, first), SNMP_ENDOFMIBVIEW);
	assert_int_equal(next(*state, first, GUEST_NAME ".2", first), SNMP_ENDOFMIBVIEW);
	/* The start counts when it is included and there. */
	assert_int_equal(ask(*state, GM_AGENTX_GETNEXT, NULL, true, first, second, first),
			 ASN_OCTET_STR);
	assert_int_equal(ask(*state, GM_AGENTX_GETNEXT, NULL, true, GUEST_NAME ".2", NULL, second),
			 ASN_OCTET_STR);
	assert_int_equal(
		ask(*state, GM_AGENTX_GETNEXT, NULL, true, GUESTMON, NULL, GUESTMON ".1.1.1.0"),
		ASN_OCTET_STR);
}

static void test_from_one_mib_to_the_next(void **state)
{
	assert_int_equal(next(*state, ".1.3", NULL, ALARM_MIB ".1.1.1.0"), ASN_TIMETICKS);
	assert_int_equal(next(*state, ALARM_MIB ".9", ITU_ALARM_MIB, ALARM_MIB ".9"),
			 SNMP_ENDOFMIBVIEW);
	assert_int_equal(next(*state, ITU_ALARM_MIB ".9", NULL, VM_MIB ".1.1.1.0"), ASN_OCTET_STR);
	assert_int_equal(next(*state, ".1.3.6.1.2.1.200", NULL, VM_MIB ".1.1.1.0"), ASN_OCTET_STR);
	assert_int_equal(next(*state, VM_MIB ".9", NULL, GUESTMON ".1.1.1.0"), ASN_OCTET_STR);
	assert_int_equal(next(*state, GUESTMON ".9", NULL, GUESTMON ".9"), SNMP_ENDOFMIBVIEW);
	assert_int_equal(next(*state, ".2", NULL, ".2"), SNMP_ENDOFMIBVIEW);
}

static void test_contexts(void **state)
{
	const char *tenant = fixture_tenants[1], *mine = GUEST_NAME ".3", *others = GUEST_NAME ".1";
	assert_int_equal(get(*state, tenant, mine), ASN_OCTET_STR);
	assert_int_equal(get(*state, tenant, others), SNMP_NOSUCHINSTANCE);
	assert_int_equal(
		ask(*state, GM_AGENTX_GETNEXT, tenant, false, GUEST_NAME, GUEST_NAME ".4", mine),
		ASN_OCTET_STR);
	assert_int_equal(get(*state, "nobody", mine), SNMP_NOSUCHOBJECT);
	assert_int_equal(get(*state, "sho", mine), SNMP_NOSUCHOBJECT);
	assert_int_equal(
		ask(*state, GM_AGENTX_GETNEXT, "nobody", false, GUEST_NAME, NULL, GUEST_NAME),
		SNMP_ENDOFMIBVIEW);
}

/* Of all cells, column by column, with what is asked last as the next question. */
static void test_walk(void **state)
{
	oid name[MAX_OID_LEN], null[] = {0, 0};
	size_t length = parse(".1.3", name), count = 0;
	for (u_char type = ASN_NULL; type != SNMP_ENDOFMIBVIEW; count++) {
		netsnmp_pdu *pdu = request(GM_AGENTX_GETNEXT, NULL);
		snmp_pdu_add_variable(pdu, name, length, ASN_PRIV_EXCL_RANGE, null, sizeof(null));
		netsnmp_pdu *response = gm_mib_response(*state, pdu);
		const netsnmp_variable_list *variable = response->variables;
		type = variable->type;
		assert_true(type == SNMP_ENDOFMIBVIEW ||
			    snmp_oid_compare(variable->name, variable->name_length, name, length) >
				    0);
		length = variable->name_length;
		memcpy(name, variable->name, length * sizeof(oid));
		snmp_free_pdu(pdu);
		snmp_free_pdu(response);
	}
	assert_true(count > 500);
}

static void test_response(void **state)
{
	netsnmp_pdu *pdu = request(GM_AGENTX_GETNEXT, NULL);
	add(pdu, false, GUESTMON, NULL);
	add(pdu, false, GUESTMON ".9", NULL);
	netsnmp_pdu *response = gm_mib_response(*state, pdu);
	assert_int_equal(response->command, GM_AGENTX_RESPONSE);
	assert_int_equal(response->version, 0xc0);
	assert_int_equal(response->transid, 4711);
	assert_int_equal(response->reqid, 42);
	assert_int_equal(response->sessid, 3);
	assert_int_equal(response->errstat, 0);
	assert_true(response->flags & NETWORK_BYTE_ORDER);
	assert_null(response->community);
	assert_int_equal(response->variables->type, ASN_OCTET_STR);
	assert_int_equal(response->variables->next_variable->type, SNMP_ENDOFMIBVIEW);
	snmp_free_pdu(pdu);
	snmp_free_pdu(response);
}

/* Longer than the library's arrays: some peers' masters could be made to say so. */
static void test_long_name(void **state)
{
	oid name[200] = {1, 3, 6, 1, 2, 1, 236}, null[] = {0, 0};
	for (int command = GM_AGENTX_GET; command <= GM_AGENTX_GETNEXT; command++) {
		netsnmp_pdu *pdu = request(command, NULL);
		snmp_pdu_add_variable(pdu, name, 200, ASN_PRIV_INCL_RANGE, null, sizeof(null));
		netsnmp_pdu *response = gm_mib_response(*state, pdu);
		assert_int_equal(response->variables->type,
				 command == GM_AGENTX_GET ? SNMP_NOSUCHOBJECT : SNMP_ENDOFMIBVIEW);
		assert_int_equal(response->variables->name_length, 200);
		snmp_free_pdu(pdu);
		snmp_free_pdu(response);
	}
}

static void test_before_the_first_snapshot(void **state)
{
	(void)state;
	struct gm_mib *mib = calloc(1, sizeof(*mib));
	assert_true(mib && gm_snapshot_slot_create(&mib->slot) == 0);
	gm_mib_registry_init(mib);
	assert_int_equal(get(mib, NULL, GUEST_NAME ".1"), SNMP_NOSUCHINSTANCE);
	assert_int_equal(next(mib, GUESTMON, NULL, GUESTMON), SNMP_ENDOFMIBVIEW);
	gm_snapshot_slot_free(mib->slot);
	free(mib);
}

static void test_rest_is_the_librarys(void **state)
{
	netsnmp_session session = {0};
	netsnmp_pdu *pdu = request(SET, NULL);
	left = 0;
	assert_int_equal(
		gm_mib_on_pdu(NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE, &session, 1, pdu, *state), 7);
	pdu->command = GM_AGENTX_GET;
	assert_int_equal(gm_mib_on_pdu(NETSNMP_CALLBACK_OP_TIMED_OUT, &session, 1, pdu, *state), 7);
	assert_int_equal(gm_mib_on_pdu(NETSNMP_CALLBACK_OP_DISCONNECT, &session, 0, NULL, *state),
			 7);
	assert_int_equal(left, 3);
	snmp_free_pdu(pdu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_search_range),
		cmocka_unit_test(test_from_one_mib_to_the_next),
		cmocka_unit_test(test_contexts),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_before_the_first_snapshot),
		cmocka_unit_test(test_rest_is_the_librarys),
	};
	return cmocka_run_group_tests(tests, start, stop);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another vendor's subagent that is hard to please: an integer that can be set, and whose commit fails when it
 * is set to less than 0, after every subagent has agreed to the request. `stubborn SOCKET`, until it is killed;
 * says on standard output what it was told.
 */
#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/agent/net-snmp-agent-includes.h>

#include <stdio.h>

static int handle(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
		  netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
	static long value = 1;
	long asked = requests->requestvb->val.integer ? *requests->requestvb->val.integer : 0;

	(void)handler;
	(void)registration;
	switch (info->mode) {
	case MODE_GET:
		snmp_set_var_typed_value(requests->requestvb, ASN_INTEGER, &value, sizeof(value));
		break;
	case MODE_SET_ACTION:
		if (asked < 0) {
			printf("failed\n");
			netsnmp_set_request_error(info, requests, SNMP_ERR_COMMITFAILED);
		}
		break;
	case MODE_SET_COMMIT:
		printf("committed\n");
		value = asked;
		break;
	case MODE_SET_UNDO:
		printf("undone\n");
		break;
	default:
		break;
	}
	fflush(stdout);
	return SNMP_ERR_NOERROR;
}

int main(int argc, char **argv)
{
	const oid name[] = {1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 7667, 1};

	if (argc != 2)
		return 2;
	netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_ROLE, 1);
	netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, argv[1]);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
	init_agent("stubborn");
	netsnmp_register_scalar(netsnmp_create_handler_registration(
		"stubborn", handle, name, OID_LENGTH(name), HANDLER_CAN_RWRITE));
	init_snmp("stubborn");
	for (;;)
		agent_check_and_process(1);
}

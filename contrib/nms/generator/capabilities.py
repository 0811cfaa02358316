# SPDX-License-Identifier: Apache-2.0
"""GUESTMON-CAPABILITIES-MIB: which groups of which MIBs the agent serves, and what of them is different."""

_HEAD = """GUESTMON-CAPABILITIES-MIB DEFINITIONS ::= BEGIN

--
-- SPDX-License-Identifier: Apache-2.0
--
-- What guestmon serves of the MIBs that it knows. Made by
-- contrib/nms/generate of the groups in guestmonFullCompliance.
--

IMPORTS
    MODULE-IDENTITY
        FROM SNMPv2-SMI                  -- RFC 2578
    AGENT-CAPABILITIES
        FROM SNMPv2-CONF                 -- RFC 2580
    guestmonConformance
        FROM GUESTMON-MIB;

guestmonCapabilitiesMIB MODULE-IDENTITY
    LAST-UPDATED "202611300640Z"         -- 30 November 2026
    ORGANIZATION "The guestmon project"
    CONTACT-INFO
            "The issue tracker of the project that this file came with."
    DESCRIPTION
            "The capabilities of guestmon's agent."
    REVISION     "202611300640Z"         -- 30 November 2026
    DESCRIPTION
            "The first version."
    ::= { guestmonConformance 3 }

guestmonAgent AGENT-CAPABILITIES
    PRODUCT-RELEASE
            "guestmon"
    STATUS      current
    DESCRIPTION
            "guestmond as an AgentX subagent. A context of a tenant has
             what is the tenant's alone."

"""
_VM_GROUPS = ["vmHypervisorGroup", "vmVirtualMachineGroup", "vmCpuGroup", "vmCpuAffinityGroup", "vmStorageGroup",
              "vmNetworkGroup", "vmPerVMNotificationOptionalGroup", "vmBulkNotificationsVariablesGroup",
              "vmBulkNotificationOptionalGroup"]
_READ_ONLY = ["vmPerVMNotificationsEnabled", "vmBulkNotificationsEnabled"]


def _groups(names):
    return ",\n".join(f"                    {name}" for name in names)


def statement(module):
    variations = "\n".join(f"""    VARIATION   {name}
    ACCESS      read-only
    DESCRIPTION
            "It cannot be set.\"""" for name in _READ_ONLY)
    return f"""{_HEAD}    SUPPORTS    GUESTMON-MIB
    INCLUDES    {{
{_groups(module.groups)}
                }}

    SUPPORTS    VM-MIB
    INCLUDES    {{
{_groups(_VM_GROUPS)}
                }}
{variations}
    ::= {{ guestmonCapabilitiesMIB 1 }}

END
"""

# SPDX-License-Identifier: Apache-2.0
"""GUESTMON-CAPABILITIES-MIB: which groups of which MIBs the agent serves, and what of them is different."""

import textwrap

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
    LAST-UPDATED "202611301440Z"         -- 30 November 2026
    ORGANIZATION "The guestmon project"
    CONTACT-INFO
            "The issue tracker of the project that this file came with."
    DESCRIPTION
            "The capabilities of guestmon's agent."
    REVISION     "202611301440Z"         -- 30 November 2026
    DESCRIPTION
            "The sequence number of a raise that is logged."
    REVISION     "202611301020Z"         -- 30 November 2026
    DESCRIPTION
            "ALARM-MIB and ITU-ALARM-MIB."
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
_ALARM_GROUPS = ["alarmModelGroup", "alarmActiveGroup", "alarmActiveStatsGroup", "alarmClearGroup"]
_ITU_GROUPS = ["ituAlarmGroup", "ituAlarmServiceUserGroup", "ituAlarmSecurityGroup", "ituAlarmStatisticsGroup"]
_READ_ONLY = ["vmPerVMNotificationsEnabled", "vmBulkNotificationsEnabled"]
_FIXED = "The kinds of alarms are the agent's own: it cannot be set."
_HERE = "Always empty: every alarm is of this agent."
_NO_TYPE = "No variable of a notification has this type."
# Object: what of it is left, and why. Of those without an access, what is always the same.
_ALARM_VARIATIONS = {
    **{f"alarmModel{name}": ("read-only", _FIXED) for name in (
        "NotificationId", "VarbindIndex", "VarbindValue", "Description", "SpecificPointer", "VarbindSubtree",
        "ResourcePrefix", "RowStatus")},
    "alarmActiveOverflow": ("", "Always 0: the table holds every active alarm."),
    "alarmActiveEngineID": ("", _HERE),
    "alarmActiveEngineAddressType": ("", "Always unknown(0): every alarm is of this agent."),
    "alarmActiveEngineAddress": ("", _HERE),
    "alarmActiveLogPointer": ("", "Always 0.0: the log is gmAlarmLogTable, whose index notifications carry as gmNotifySequence."),
    "alarmActiveVariableID": ("", "The variables are those of the notification of the raise. Their values are those of the alarm as "
                                  "it is now; that of gmNotifySequence is the largest number, which stands for one that is not known, when the "
                                  "raise is no longer in gmAlarmLogTable."),
    "alarmActiveVariableCounter32Val": ("not-implemented", _NO_TYPE),
    "alarmActiveVariableIpAddressVal": ("not-implemented", _NO_TYPE),
    "alarmActiveVariableOpaqueVal": ("not-implemented", _NO_TYPE),
    "alarmClearMaximum": ("read-only", "It cannot be set: cleared alarms are shown as long as the log of 256 transitions has them."),
    "alarmClearEngineID": ("", _HERE),
    "alarmClearEngineAddressType": ("", "Always unknown(0): every alarm is of this agent."),
    "alarmClearEngineAddress": ("", _HERE),
    "alarmClearLogIndex": ("", "Always 0: the log is gmAlarmLogTable."),
}
_ITU_VARIATIONS = {
    **{f"ituAlarm{name}": ("read-only", _FIXED) for name in ("EventType", "ProbableCause", "AdditionalText", "GenericModel")},
    "ituAlarmActiveTrendIndication": ("", "Always noChange(2)."),
    **{f"ituAlarmActive{name}": ("", "Always 0.0: it is not known.") for name in ("Detector", "ServiceProvider", "ServiceUser")},
}


def _wrap(text):
    return textwrap.fill(f'"{text}"', 72, initial_indent=" " * 12, subsequent_indent=" " * 13)


def _variations(listed):
    return "\n".join(f"    VARIATION   {name}\n" + (f"    ACCESS      {access}\n" if access else "")
                     + f"    DESCRIPTION\n{_wrap(text)}" for name, (access, text) in listed.items())


def _supports(module, groups, listed):
    return f"""    SUPPORTS    {module}
    INCLUDES    {{
{_groups(groups)}
                }}
{_variations(listed)}
"""


def _groups(names):
    return ",\n".join(f"                    {name}" for name in names)


def statement(module):
    return f"""{_HEAD}    SUPPORTS    GUESTMON-MIB
    INCLUDES    {{
{_groups(module.groups)}
                }}

{_supports("VM-MIB", _VM_GROUPS, {name: ("read-only", "It cannot be set.") for name in _READ_ONLY})}
{_supports("ALARM-MIB", _ALARM_GROUPS, _ALARM_VARIATIONS)}
{_supports("ITU-ALARM-MIB", _ITU_GROUPS, _ITU_VARIATIONS)}    ::= {{ guestmonCapabilitiesMIB 1 }}

END
"""

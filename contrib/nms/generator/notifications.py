# SPDX-License-Identifier: Apache-2.0
"""notifications.md: what each notification is in the words of X.733, and how to get back in step."""

import re

# The family that a notification is of: event type and probable causes that the detectors give it.
_FAMILIES = {
    "Leak": ("qualityOfServiceAlarm(3)",
             "resourceAtOrNearingCapacity(541), outOfMemory(162) when nothing is left"),
    "Burst": ("qualityOfServiceAlarm(3)", "congestion(202)"),
    "Anomaly": ("qualityOfServiceAlarm(3); communicationsAlarm(2) or equipmentAlarm(5) of error counters", "performanceDegraded(532)"),
    "Threshold": ("qualityOfServiceAlarm(3), or what the rule says", "thresholdCrossed(549)"),
    "Storm": ("processingErrorAlarm(4)", "systemResourcesOverload(207)"),
    "Alarm": ("what the finding says", "what the finding says"),
}
_STATES = {"Raise": "critical(3) to warning(6), as the finding is", "Change": "critical(3) to warning(6)",
           "Clear": "cleared(1)"}

_FIELDS = [
    ("managedObjectInstance", "gmNotifyEntity; gmNotifyGuestUUID and gmNotifyServerId of the guest"),
    ("notificationIdentifier", "gmNotifySequence; of the alarm: gmNotifyAlarmId"),
    ("eventTime", "gmNotifyTime"),
    ("eventType", "gmNotifyEventType"),
    ("probableCause", "gmNotifyProbableCause"),
    ("specificProblems", "gmNotifyDetector, gmNotifyMetric, gmNotifyRule"),
    ("perceivedSeverity", "gmNotifySeverity"),
    ("correlatedNotifications", "those with the same gmNotifyAlarmId"),
    ("thresholdInfo", "gmNotifyValue, gmNotifyLimit"),
    ("additionalText", "gmNotifyText"),
    ("additionalInformation", "the evidence: all that follows gmNotifyText"),
]

_RESYNC = """## Getting back in step

Sequence numbers (gmNotifySequence) count all transitions of a node's alarms, without holes, over restarts. A receiver
keeps per node the number that it has seen last, and:

1. **A number that it has seen already**: the same notification again. Drop it.
2. **A number beyond the next one**: some are missing, or still to come, for an output may be told to leave some out. Walk
   gmAlarmLogTable from the last number seen: `snmpbulkwalk NODE GUESTMON-MIB::gmAlarmLogTable`; its index is the
   sequence number. It holds the last 256 transitions.
3. **A number, or gmAgentLastSequence in guestmonStart and guestmonHeartbeat, below the last one seen**: the node's state was
   removed and counts anew. Forget the node's alarms and go on with 4.
4. **The log does not reach back that far**: read gmAlarmTable. What is in it is active, with its gmAlarmId; what a receiver
   believes to be active and is not in it is over.
5. **At a receiver's own start**: 4, then take the highest index of gmAlarmLogTable, or gmAgentLastSequence.0, as the last
   one seen.

`snmptrapd/guestmon-traphandle` does all of this, as an example.
"""


def _evidence(notification):
    own = [name for name in notification.objects if not name.startswith("gmAgent")][16:]
    return ", ".join(own) or "-"


def _row(name, notification):
    family = re.match(r"guestmon([A-Z][a-z]+)(Raise|Change|Clear)$", name)
    number = notification.oid.rpartition(".")[2]
    if not family or family.group(1) not in _FAMILIES:
        about = "gmAgent: node, version, start, boots, last sequence" if notification.objects \
            and notification.objects[0].startswith("gmAgent") else ", ".join(notification.objects)
        return f"| {number} | {name} | {notification.sentence} | - | - | - | {about} |"
    kind, cause = _FAMILIES[family.group(1)]
    severity = _STATES[family.group(2)]
    return f"| {number} | {name} | {notification.sentence} | {kind} | {cause} | {severity} | {_evidence(notification)} |"


def table(module):
    first = next(iter(module.notifications.values()))
    rows = "\n".join(_row(name, item) for name, item in module.notifications.items())
    fields = "\n".join(f"| {name} | {where} |" for name, where in _FIELDS)
    common = ", ".join(first.objects[:16])
    return f"""# The notifications of GUESTMON-MIB

Made from the MIB by `contrib/nms/generate`.

All are below `{first.oid.rpartition(".")[0]}`. Those of an alarm carry {common}, then the evidence of their kind, then
whatever else is known: each an instance `.0`.

| number | name | meaning | eventType | probableCause | perceivedSeverity | evidence |
|---|---|---|---|---|---|---|
{rows}

| field of X.733 | where it is |
|---|---|
{fields}

{_RESYNC}"""

# SPDX-License-Identifier: Apache-2.0
"""The module `guestmon` of Prometheus' snmp_exporter (format of 0.20 to 0.22). Metrics bear the names of
their objects, as the exporter's own generator would call them."""

import json

# What is exported; text goes into labels.
COLUMNS = """
gmAgentBoots gmAgentSnapshotAge gmAgentReadings gmAgentQueueDropped gmAgentStoreConnected gmAgentStoreDropped
gmAgentCpuTime gmAgentResident gmAgentLastSequence gmAgentGuests gmAgentActiveAlarms
gmNodeCpus gmNodeCpuTime gmNodeCpuIdle gmNodeLoad1 gmNodeMemoryTotal gmNodeMemoryUsed gmNodeSwapUsed gmNodeMemoryAge
gmSourceConnected gmSourceInterval gmSourceTicks gmSourceMissed gmSourceFailures gmSourceLagMax gmSourceDurationP99
gmSourceEntities
gmGuestState gmGuestStale gmGuestActiveAlarms gmGuestCpus gmGuestCpuTime gmGuestCpuUse gmGuestMemoryTotal
gmGuestMemoryUsed gmGuestMemoryResident gmGuestMemoryAge gmGuestSnmpUp
gmInterfaceSpeed gmInterfaceRxOctets gmInterfaceRxPackets gmInterfaceRxErrors gmInterfaceRxDrops gmInterfaceRxPeak
gmInterfaceRxPeakMinute gmInterfaceRxFinePeakMinute
gmInterfaceTxOctets gmInterfaceTxPackets gmInterfaceTxErrors gmInterfaceTxDrops gmInterfaceTxPeak
gmInterfaceTxPeakMinute gmInterfaceTxFinePeakMinute
gmDiskReadOctets gmDiskReadRequests gmDiskReadTime gmDiskWrittenOctets gmDiskWriteRequests gmDiskWriteTime
gmDiskFlushRequests gmDiskFlushTime gmDiskAge gmDiskCapacity gmDiskAllocation gmDiskErrors
gmVcpuTime gmVcpuWait gmVcpuSteal gmVcpuAge
gmLeakState gmLeakSlope gmLeakTimeToExhaustion gmLeakConfidence
gmBurstState gmBurstCount gmBurstPeak gmBurstDuration
gmAlarmSeverity gmAlarmRaised
gmAnomalyState gmAnomalyScore
""".split()

# Index objects that are a guest's index or a port's number, whatever their table calls them.
_LABELS = {"gmGuestIndex": "guest_index", "gmInterfaceGuest": "guest_index", "gmLeakGuest": "guest_index",
           "gmAnomalyGuest": "guest_index", "gmDiskGuest": "guest_index", "gmDiskOrdinal": "disk_index",
           "gmVcpuGuest": "guest_index", "gmVcpuNumber": "vcpu", "gmInterfaceOrdinal": "port", "gmBurstDirection": "direction",
           "gmSourceIndex": "source_index", "gmAlarmId": "alarm_id"}
_GUEST = (("guest", "gmGuestName"), ("display_name", "gmGuestDisplayName"), ("project", "gmGuestProject"))
# Labels that are looked up in other columns: by the labels that lead there.
_LOOKUPS = {
    ("guest_index",): _GUEST,
    ("guest_index", "port"): (("device", "gmInterfaceDevice"),),
    ("guest_index", "disk_index"): (("disk", "gmDiskTarget"),),
    ("source_index",): (("source", "gmSourceName"),),
    ("alarm_id",): (("detector", "gmAlarmDetector"), ("metric", "gmAlarmMetric"), ("entity", "gmAlarmEntity"),
                    ("guest", "gmAlarmGuestName")),
}


def _quote(text):
    return json.dumps(text, ensure_ascii=False)


def labels(item):
    return [_LABELS[name] for name in item.indexes]


def all_labels(item):
    """Every label that a metric has."""
    own = labels(item)
    return own + [name for place, found in _LOOKUPS.items() if set(place) <= set(own) for name, _ in found]


def _lookups(module, item):
    own = labels(item)
    return [(place, name, module[column]) for place, found in _LOOKUPS.items() if set(place) <= set(own)
            for name, column in found]


def _metric(module, item):
    kind = {"time": "DateAndTime", "enum": "gauge"}.get(item.kind, item.kind)
    unit = f" ({item.units})" if item.units else ""
    lines = [f"  - name: {item.name}", f"    oid: {item.oid}", f"    type: {kind}",
             f"    help: {_quote(item.sentence + unit + ' - ' + item.oid)}"]
    if item.indexes:
        lines.append("    indexes:")
    for name, label in zip(item.indexes, labels(item)):
        index = module[name]
        lines += [f"    - labelname: {label}",
                  f"      type: {'EnumAsInfo' if index.kind == 'enum' else 'gauge'}"]
        lines += _enum(index, "      ")
    found = _lookups(module, item)
    if found:
        lines.append("    lookups:")
    for place, label, column in found:
        lines += [f"    - labels: [{', '.join(place)}]", f"      labelname: {label}",
                  f"      oid: {column.oid}", "      type: DisplayString"]
    return lines + _enum(item, "    ")


def _enum(item, indent):
    if not item.enum:
        return []
    return [f"{indent}enum_values:"] + [f"{indent}  {number}: {name!r}" if name in ("true", "false", "yes", "no", "on", "off")
                                        else f"{indent}  {number}: {name}" for number, name in item.enum.items()]


def _order(oid):
    return [int(part) for part in oid.split(".")]


def module(mib):
    items = [mib[name] for name in COLUMNS]
    walk = {item.oid for item in items if item.indexes}
    walk |= {column.oid for item in items for _, _, column in _lookups(mib, item)}
    get = [item.instance for item in items if not item.indexes]
    lines = ["# SPDX-License-Identifier: Apache-2.0",
             f"# GUESTMON-MIB for Prometheus' snmp_exporter, made by contrib/nms/generate.",
             "# The community is that of conf/snmpd.conf.d/guestmon.conf: write your own, or SNMPv3's members.",
             "guestmon:", "  version: 2", "  auth:", "    community: guestmon", "  max_repetitions: 50",
             "  timeout: 5s", "  walk:"]
    lines += [f"  - {oid}" for oid in sorted(walk, key=_order)]
    lines += ["  get:"] + [f"  - {oid}" for oid in sorted(get, key=_order)] + ["  metrics:"]
    for item in items:
        lines += _metric(mib, item)
    return "\n".join(lines) + "\n"

# SPDX-License-Identifier: Apache-2.0
"""A Zabbix template (6.0 and later): items of the node, and discovery of sources, guests, interfaces,
directions of ports, and alarms."""

import hashlib
import json
import uuid

NAME = "guestmon by SNMP"
_SCALARS = ["gmAgentVersion", "gmAgentBoots", "gmAgentSnapshotAge", "gmAgentReadings", "gmAgentQueueDropped",
            "gmAgentStoreConnected", "gmAgentResident", "gmAgentCpuTime", "gmAgentGuests", "gmAgentActiveAlarms",
            "gmAgentLastSequence", "gmNodeMemoryTotal", "gmNodeMemoryUsed", "gmNodeCpuIdle"]
# Discovery: name, macros from columns, columns that become items, what an item's name begins with.
_RULES = [
    ("sources", {"{#SOURCE}": "gmSourceName"}, "Source {#SOURCE}",
     ["gmSourceConnected", "gmSourceTicks", "gmSourceMissed", "gmSourceLagMax", "gmSourceDurationP99", "gmSourceError"]),
    ("guests", {"{#GUEST}": "gmGuestName", "{#DISPLAY}": "gmGuestDisplayName", "{#UUID}": "gmGuestServerId"},
     "Guest {#GUEST} ({#DISPLAY})",
     ["gmGuestState", "gmGuestStale", "gmGuestActiveAlarms", "gmGuestCpuUse", "gmGuestMemoryTotal",
      "gmGuestMemoryUsed", "gmGuestMemoryAge"]),
    ("interfaces", {"{#DEVICE}": "gmInterfaceDevice"}, "Interface {#DEVICE}",
     ["gmInterfaceRxOctets", "gmInterfaceTxOctets", "gmInterfaceRxDrops", "gmInterfaceTxDrops", "gmInterfaceRxPeakMinute",
      "gmInterfaceTxPeakMinute"]),
    ("disks", {"{#DISK}": "gmDiskTarget"}, "Disk {#DISK} of guest {#SNMPINDEX}",
     ["gmDiskReadRate", "gmDiskReadRequestRate", "gmDiskReadLatency", "gmDiskWriteRate", "gmDiskWriteRequestRate",
      "gmDiskWriteLatency", "gmDiskAllocation", "gmDiskErrors"]),
    ("virtual CPUs", {"{#STATE}": "gmVcpuState"}, "Virtual CPU {#SNMPINDEX}",
     ["gmVcpuUse", "gmVcpuWaitShare", "gmVcpuStealShare"]),
    ("leaks", {"{#STATE}": "gmLeakState"}, "Leak of guest {#SNMPINDEX}",
     ["gmLeakState", "gmLeakSlope", "gmLeakTimeToExhaustion"]),
    ("bursts", {"{#STATE}": "gmBurstState"}, "Bursts of port {#SNMPINDEX}", ["gmBurstState", "gmBurstCount", "gmBurstPeak"]),
]
# Object: expression over the item's last value, the trigger's name, its priority.
_TRIGGERS = {
    "gmAgentSnapshotAge": (">10000", "guestmon shows an old picture", "HIGH"),
    "gmAgentActiveAlarms": (">0", "guestmon has active alarms", "WARNING"),
    "gmAgentStoreConnected": ("=2", "guestmon has no store", "WARNING"),
    "gmSourceConnected": ("=2", "guestmon's source {#SOURCE} is not connected", "AVERAGE"),
    "gmLeakState": ("=2", "guest {#SNMPINDEX} has a memory leak", "HIGH"),
    "gmGuestStale": ("=1", "guest {#GUEST} does not answer", "WARNING"),
}
_UNITS = {"bytes": "B", "octets": "bps", "milliseconds": "ms", "microseconds": "us", "bits per second": "bps",
          "seconds": "s", "bytes per second": "Bps", "octets per second": "Bps", "percent": "%"}


def _id(*words):
    """The same for the same words, in the form of a random UUID, as Zabbix demands."""
    digest = bytearray(hashlib.sha256("/".join(words).encode()).digest()[:16])
    return uuid.UUID(bytes=bytes(digest), version=4).hex


def _item(item, rule="", prefix=""):
    index = ".{#SNMPINDEX}" if rule else ""
    key = f"guestmon.{item.name}" + ("[{#SNMPINDEX}]" if rule else "")
    made = {"uuid": _id("item", rule, item.name),
            "name": f"{prefix}: {item.sentence}"[:255] if prefix else item.sentence[:255],
            "type": "SNMP_AGENT", "snmp_oid": (item.oid + index) if rule else item.instance, "key": key,
            "delay": "1m", "history": "7d", "description": " ".join(item.description.split())}
    if item.kind in ("text", "octets", "time"):
        made |= {"value_type": "CHAR", "trends": "0"}
    if item.units:
        made["units"] = _UNITS.get(item.units, "!" + item.units)
    if item.enum:
        made["valuemap"] = {"name": _map_name(item)}
    if item.kind == "counter":
        made |= {"value_type": "FLOAT", "preprocessing": [{"type": "CHANGE_PER_SECOND", "parameters": [""]}]}
        if item.units == "octets":
            made["preprocessing"].append({"type": "MULTIPLIER", "parameters": ["8"]})
    if item.name in _TRIGGERS:
        condition, text, priority = _TRIGGERS[item.name]
        made["trigger_prototypes" if rule else "triggers"] = [{
            "uuid": _id("trigger", item.name), "expression": f"last(/{NAME}/{key}){condition}",
            "name": text, "priority": priority}]
    return made


def _map_name(item):
    return item.type if item.type not in ("INTEGER", "Enumeration", "") else item.name


def _rule(module, name, macros, prefix, columns):
    places = ",".join(f"{macro},{module[column].oid}" for macro, column in macros.items())
    return {"uuid": _id("rule", name), "name": f"guestmon {name}", "type": "SNMP_AGENT",
            "snmp_oid": f"discovery[{places}]", "key": f"guestmon.{name.replace(' ', '-')}.discovery", "delay": "5m",
            "lifetime": "1d", "item_prototypes": [_item(module[column], name, prefix) for column in columns]}


def template(module):
    used = [module[name] for name in _SCALARS] + [module[name] for rule in _RULES for name in rule[3]]
    maps = {_map_name(item): item.enum for item in used if item.enum}
    items = [_item(module[name]) for name in _SCALARS]
    items.append({"uuid": _id("traps"), "name": "Notifications of guestmon", "type": "SNMP_TRAP",
                  "key": 'snmptrap["GUESTMON-MIB|8072\\.9999\\.9999\\.7666"]', "delay": "0", "history": "30d", "trends": "0",
                  "value_type": "LOG", "description": "What snmptrapd hands to Zabbix of GUESTMON-MIB."})
    export = {"zabbix_export": {
        "version": "6.0",
        "groups": [{"uuid": _id("group"), "name": "Templates/Virtualization"}],
        "templates": [{
            "uuid": _id("template"), "template": NAME, "name": NAME,
            "description": "A compute node and its guests as guestmon sees them: GUESTMON-MIB through the node's snmpd.",
            "groups": [{"name": "Templates/Virtualization"}], "items": items,
            "discovery_rules": [_rule(module, *rule[:3], rule[3]) for rule in _RULES],
            "valuemaps": [{"uuid": _id("map", name), "name": name,
                           "mappings": [{"value": str(number), "newvalue": word} for number, word in enum.items()]}
                          for name, enum in maps.items()]}]}}
    head = f"# SPDX-License-Identifier: Apache-2.0\n# Made from GUESTMON-MIB by contrib/nms/generate.\n"
    return head + "\n".join(_yaml(export, 0)) + "\n"


def _scalar(value):
    return json.dumps(value, ensure_ascii=False)


def _yaml(value, depth):
    """Lines of a mapping, in block style; all scalars are quoted text."""
    indent = "  " * depth
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield f"{indent}{key}:"
            yield from _yaml(inner, depth + 1)
        elif isinstance(inner, list) and inner and isinstance(inner[0], dict):
            yield f"{indent}{key}:"
            for entry in inner:
                lines = list(_yaml(entry, depth + 2))
                yield f"{indent}  - {lines[0].lstrip()}"
                yield from lines[1:]
        elif isinstance(inner, list):
            yield f"{indent}{key}: [{', '.join(map(_scalar, inner))}]"
        else:
            yield f"{indent}{key}: {_scalar(inner)}"

# SPDX-License-Identifier: Apache-2.0
"""LibreNMS' two definitions: how a node with guestmon is known, and what is discovered on it."""

# Class of sensor: (table, value, description, what it is divided by, high limit).
_SENSORS = {
    "count": [("gmSourceTable", "gmSourceMissed", "Ticks missed by {{ $gmSourceName }}", "gmSourceName", None),
              ("gmGuestTable", "gmGuestActiveAlarms", "Alarms of {{ $gmGuestName }}", "gmGuestName", 1)],
    "runtime": [("gmLeakTable", "gmLeakTimeToExhaustion", "Exhaustion of guest {{ $index }}", None, None)],
}
_STATES = [("gmSourceTable", "gmSourceConnected", "Source {{ $gmSourceName }}", {"true": 0, "false": 2}),
           ("gmLeakTable", "gmLeakState", "Leak of guest {{ $index }}", {"none": 0, "leaking": 2}),
           ("gmBurstTable", "gmBurstState", "Bursts of port {{ $index }}", {"none": 0, "bursting": 1})]


_HEAD = ["# SPDX-License-Identifier: Apache-2.0", "# Made from GUESTMON-MIB by contrib/nms/generate."]


def _quoted(text):
    return "'" + text.replace("'", "''") + "'"


def detection(module):
    version = module["gmAgentVersion"]
    return "\n".join(_HEAD + [
        "os: guestmon", "text: guestmon", "type: server", "icon: linux", "group: unix", "snmp_bulk: true",
        "mib_dir: guestmon", "over:",
        "  - { graph: device_processor, text: 'CPU of guests' }",
        "  - { graph: device_mempool, text: 'Memory of guests' }",
        "discovery:", "  -", "    sysObjectID: .1.3.6.1.4.1.8072.3.2.10", "    snmpget:",
        f"      oid: .{version.instance}", "      op: '!='", "      value: false"]) + "\n"


def _sensor(module, table, value, description, _, limit):
    lines = ["        -", f"          oid: {table}", f"          value: {value}",
             f"          num_oid: '.{module[value].oid}.{{{{ $index }}}}'",
             f"          descr: {_quoted(description)}",
             f"          index: '{value}.{{{{ $index }}}}'", "          group: guestmon"]
    return lines + ([f"          high_limit: {limit}"] if limit else [])


def _state(module, table, value, description, meanings):
    item = module[value]
    lines = ["        -", f"          oid: {table}", f"          value: {value}",
             f"          num_oid: '.{item.oid}.{{{{ $index }}}}'", f"          descr: {_quoted(description)}",
             f"          index: '{value}.{{{{ $index }}}}'", f"          state_name: {value}", "          states:"]
    for number, name in item.enum.items():
        lines.append(f"            - {{ value: {number}, generic: {meanings[name]}, graph: 0, descr: {_quoted(name)} }}")
    return lines


def discovery(module):
    cpu, node = module["gmGuestCpuUse"], module["gmAgentNode"]
    lines = _HEAD + [
        "mib: GUESTMON-MIB", "modules:", "  os:",
        "    version: GUESTMON-MIB::gmAgentVersion.0", f"    hardware: {_quoted('GUESTMON-MIB::' + node.name + '.0')}",
        "  mempools:", "    data:", "      -", "        oid: gmGuestTable", "        used: gmGuestMemoryUsed",
        "        total: gmGuestMemoryTotal", "        type: guestmon", "        descr: '{{ $gmGuestName }}'",
        "        precision: 1", "  processors:", "    data:", "      -", "        oid: gmGuestTable",
        "        value: gmGuestCpuUse", f"        num_oid: '.{cpu.oid}.{{{{ $index }}}}'",
        "        descr: '{{ $gmGuestName }}'", "        precision: 10", "        type: guestmon", "  sensors:"]
    for kind, sensors in _SENSORS.items():
        lines += [f"    {kind}:", "      data:"]
        for sensor in sensors:
            lines += _sensor(module, *sensor)
    lines += ["    state:", "      data:"]
    for state in _STATES:
        lines += _state(module, *state)
    return "\n".join(lines) + "\n"

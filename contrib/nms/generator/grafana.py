# SPDX-License-Identifier: Apache-2.0
"""A Grafana dashboard over the metrics of the exporter's module."""

import json
import re

from . import exporter

# Title, unit (Grafana's), expression, legend, kind.
_PANELS = [
    ("Nodes without a fresh picture", "none", "sum(gmAgentSnapshotAge > 10000) or vector(0)", "", "stat"),
    ("Guests", "none", "sum(gmAgentGuests{instance=~\"$node\"})", "", "stat"),
    ("Active alarms", "none", "sum(gmAgentActiveAlarms{instance=~\"$node\"})", "", "stat"),
    ("Ticks missed in 5 min", "none", "sum(increase(gmSourceMissed{instance=~\"$node\"}[5m]))", "", "stat"),
    ("Alarms by severity (3 critical to 6 warning)", "none",
     "gmAlarmSeverity{instance=~\"$node\"}", "{{instance}} {{detector}} {{entity}} {{metric}}", "table"),
    ("Memory used by guests", "bytes", "gmGuestMemoryUsed{instance=~\"$node\", guest=~\"$guest\"}", "{{guest}}", "timeseries"),
    ("CPU used by guests", "percentunit",
     "gmGuestCpuUse{instance=~\"$node\", guest=~\"$guest\"} / 1000 / gmGuestCpus", "{{guest}}", "timeseries"),
    ("Received", "bps", "rate(gmInterfaceRxOctets{instance=~\"$node\", guest=~\"$guest\"}[2m]) * 8",
     "{{guest}} {{device}}", "timeseries"),
    ("Highest rate of 100 ms received", "bps", "gmInterfaceRxPeakMinute{instance=~\"$node\", guest=~\"$guest\"}",
     "{{guest}} {{device}}", "timeseries"),
    ("Sent", "bps", "rate(gmInterfaceTxOctets{instance=~\"$node\", guest=~\"$guest\"}[2m]) * 8",
     "{{guest}} {{device}}", "timeseries"),
    ("Highest rate of 100 ms sent", "bps", "gmInterfaceTxPeakMinute{instance=~\"$node\", guest=~\"$guest\"}",
     "{{guest}} {{device}}", "timeseries"),
    ("Bursts per minute", "none", "rate(gmBurstCount{instance=~\"$node\", guest=~\"$guest\"}[5m]) * 60",
     "{{guest}} {{device}} {{direction}}", "timeseries"),
    ("Read from disks", "Bps", "rate(gmDiskReadOctets{instance=~\"$node\", guest=~\"$guest\"}[2m])",
     "{{guest}} {{disk}}", "timeseries"),
    ("Written to disks", "Bps", "rate(gmDiskWrittenOctets{instance=~\"$node\", guest=~\"$guest\"}[2m])",
     "{{guest}} {{disk}}", "timeseries"),
    ("Mean time of a write", "µs",
     "rate(gmDiskWriteTime{instance=~\"$node\", guest=~\"$guest\"}[2m]) / rate(gmDiskWriteRequests[2m])",
     "{{guest}} {{disk}}", "timeseries"),
    ("Stolen from virtual CPUs", "percentunit",
     "rate(gmVcpuSteal{instance=~\"$node\", guest=~\"$guest\"}[2m]) / 1e6", "{{guest}} {{vcpu}}", "timeseries"),
    ("Time until a leak has taken all", "s", "gmLeakTimeToExhaustion{instance=~\"$node\", guest=~\"$guest\"}",
     "{{guest}}", "timeseries"),
    ("Anomaly score", "percentunit", "gmAnomalyScore{instance=~\"$node\"} / 1000", "{{instance}} {{guest}}", "timeseries"),
    ("Sampling: longest lag of a second", "µs", "gmSourceLagMax{instance=~\"$node\"}", "{{instance}} {{source}}", "timeseries"),
]


def metrics(expression):
    return re.findall(r"\bgm[A-Z]\w+", expression)


def _panel(number, title, unit, expression, legend, kind):
    for name in metrics(expression):
        assert name in exporter.COLUMNS, name
    small = kind == "stat"
    row = (number - 4) // 2
    place = {"h": 4, "w": 6, "x": 6 * number, "y": 0} if small else \
        {"h": 8, "w": 12, "x": 12 * (number % 2), "y": 4 + 8 * row}
    target = {"expr": expression, "legendFormat": legend, "refId": "A",
              "datasource": {"type": "prometheus", "uid": "${datasource}"}}
    if kind == "table":
        target |= {"format": "table", "instant": True}
    return {"id": number + 1, "type": kind, "title": title, "gridPos": place, "targets": [target],
            "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "fieldConfig": {"defaults": {"unit": unit}, "overrides": []}}


def _variable(name, label, query):
    return {"name": name, "label": label, "type": "query", "query": {"query": query, "refId": name},
            "datasource": {"type": "prometheus", "uid": "${datasource}"}, "refresh": 2, "multi": True,
            "includeAll": True, "allValue": ".*", "current": {"text": "All", "value": "$__all"}}


def dashboard(_module):
    board = {
        "title": "guestmon", "uid": "guestmon", "tags": ["guestmon", "snmp"], "schemaVersion": 36,
        "version": 1, "editable": True, "refresh": "30s", "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [
            {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
            _variable("node", "Node", "label_values(gmAgentBoots, instance)"),
            _variable("guest", "Guest", "label_values(gmGuestState{instance=~\"$node\"}, guest)")]},
        "panels": [_panel(number, *panel) for number, panel in enumerate(_PANELS)],
    }
    return json.dumps(board, indent=1, ensure_ascii=False) + "\n"

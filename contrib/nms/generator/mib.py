# SPDX-License-Identifier: Apache-2.0
"""GUESTMON-MIB as objects: smidump parses it; what is in comments (--#TYPE ...) is read from the text."""

import ast
import os
import re
import subprocess
from dataclasses import dataclass, field

MODULE = "GUESTMON-MIB"
_COMMENT = re.compile(r'^\s*--#(TYPE|SUMMARY|ARGUMENTS|SEVERITY)\s+(.*?)\s*$')
# Types that are numbers although they have names of their own.
_PLAIN = {"Counter64": "counter", "Counter32": "counter", "Gauge32": "gauge", "Unsigned32": "gauge",
          "Integer32": "gauge", "CounterBasedGauge64": "gauge", "GuestmonIndex": "gauge",
          "GuestmonIndexOrZero": "gauge", "InterfaceIndex": "gauge", "TimeTicks": "gauge"}


@dataclass
class Object:
    """An object or a notification; what it has not is empty."""

    name: str
    oid: str
    description: str
    units: str = ""
    type: str = ""    # "Gauge32", "SnmpAdminString", "INTEGER"
    kind: str = ""    # "counter", "gauge", "enum", "time", "text", "octets"
    enum: dict = field(default_factory=dict)  # number: name
    access: str = ""
    indexes: list = field(default_factory=list)  # names, of a column
    table: str = ""
    objects: list = field(default_factory=list)   # names, of a notification
    comments: dict = field(default_factory=dict)  # TYPE, SUMMARY, ARGUMENTS, SEVERITY

    @property
    def sentence(self):
        """The first sentence of the description, on one line."""
        text = " ".join(self.description.split())
        return re.split(r"(?<=[.;:])\s", text)[0].rstrip(".;:")

    @property
    def scalar(self):
        return not self.table

    @property
    def instance(self):
        return self.oid + ".0" if self.scalar else self.oid


class Module:
    """Objects by name, in the order of their identifiers."""

    def __init__(self, nodes, types, notifications, text, description):
        self.types, self.description, self._text = types, description, text
        comments = _comments(text)
        self._names = {node["oid"]: name for name, node in nodes.items()}
        self.objects, self.notifications = {}, {}
        rows = {name: node for name, node in nodes.items() if node["nodetype"] == "row"}
        for name, node in nodes.items():
            if node["nodetype"] not in ("scalar", "column"):
                continue
            made = Object(name, node["oid"], node.get("description", ""), node.get("units", ""),
                          access=node["access"])
            self._set_type(made, node["syntax"]["type"])
            if node["nodetype"] == "column":
                row = self._names[node["oid"].rpartition(".")[0]]
                made.table = self._names[rows[row]["oid"].rpartition(".")[0]]
                made.indexes = list(self._linkage(rows, row))
            self.objects[name] = made
        for name, node in notifications.items():
            self.notifications[name] = Object(name, node["oid"], node.get("description", ""),
                                              objects=list(node["objects"]),
                                              comments=comments.get(name, {}))

    @staticmethod
    def _linkage(rows, row):
        linkage = rows[row]["linkage"]
        return linkage if not isinstance(linkage, dict) else linkage.keys()

    def _set_type(self, made, syntax):
        made.type = syntax.get("name") or syntax.get("basetype", "")
        base = syntax
        if made.type in self.types:
            base = self.types[made.type]
        if syntax.get("parent module"):
            made.type = syntax["parent module"]["type"]
            base = {**self.types.get(made.type, {}), **syntax}
        enum = {int(item["number"]): name for name, item in base.items()
                if isinstance(item, dict) and item.get("nodetype") == "namednumber"}
        made.enum = dict(sorted(enum.items()))
        if made.enum or made.type in ("TruthValue", "ItuPerceivedSeverity", "IANAItuEventType",
                                      "IANAItuProbableCause"):
            made.kind = "enum"
            made.enum = made.enum or ENUMS.get(made.type, {})
        elif made.type == "DateAndTime":
            made.kind = "time"
        elif made.type in _PLAIN:
            made.kind = _PLAIN[made.type]
        else:
            made.kind = "octets" if made.type in ("UUID", "UUIDorZero", "MacAddress", "OctetString") \
                else "text"

    @property
    def groups(self):
        """Those that guestmonFullCompliance asks for, in its order."""
        compliance = re.search(r"^guestmonFullCompliance .*?MANDATORY-GROUPS \{(.*?)\}", self._text, re.MULTILINE | re.DOTALL)
        return re.findall(r"\w+", compliance.group(1))

    def group_of(self, item):
        """The name of the node that a scalar is below."""
        return self._names[item.oid.rpartition(".")[0]]

    def __getitem__(self, name):
        return self.objects[name]


# Of the modules that are imported.
ENUMS = {
    "TruthValue": {1: "true", 2: "false"},
    "ItuPerceivedSeverity": {1: "cleared", 2: "indeterminate", 3: "critical", 4: "major", 5: "minor",
                             6: "warning"},
}


def _comments(text):
    """{notification: {"TYPE": ..., ...}}"""
    found, name = {}, None
    for line in text.splitlines():
        head = re.match(r"^(\w+)\s+NOTIFICATION-TYPE\b", line)
        if head:
            name = head.group(1)
        comment = _COMMENT.match(line)
        if comment and name:
            found.setdefault(name, {})[comment.group(1)] = comment.group(2).strip('"')
    return found


def load(directory):
    """The module in a directory of MIB texts."""
    directory = directory.resolve()
    path = f"{directory}:{directory}/compat"
    done = subprocess.run(["smidump", "-c", "/dev/null", "-k", "-q", "-f", "python", MODULE], text=True,
                          capture_output=True, check=True,
                          env={**os.environ, "SMIPATH": path, "LC_ALL": "C"})
    tree = ast.literal_eval(done.stdout.partition("\nMIB = ")[2])
    text = (directory / f"{MODULE}.txt").read_text("utf-8")
    return Module(tree["nodes"], tree.get("typedefs", {}), tree.get("notifications", {}),
                  text, tree[MODULE]["description"])

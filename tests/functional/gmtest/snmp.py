# SPDX-License-Identifier: Apache-2.0
"""The stock SNMP tools against the lab's snmpd, and their answers as dicts."""

import re

_LINE = re.compile(r"^([A-Za-z][\w-]*\.[\w.\"'-]+|\.?[\d.]+) = ", re.MULTILINE)
_TYPE = re.compile(r"^[A-Z][A-Za-z0-9-]*: ")  # snmptable shows it whatever it is told
_ABSENT = ("No Such Instance", "No Such Object", "No more variables")


def parse(text):
    """{"gmGuestName.1": "instance-00000001", ...} of output in the format -OQs; absent ones are left out."""
    marks = list(_LINE.finditer(text))
    values = {}
    for mark, following in zip(marks, marks[1:] + [None]):
        value = text[mark.end():following.start() if following else len(text)].rstrip("\n")
        if not value.startswith(_ABSENT):
            values[mark.group(1)] = value.strip('"')
    return values


class Snmp:
    """Questions to the agent; every one starts the real tool inside the lab."""

    OPTIONS = ("-v2c", "-c", "public", "-t", "2", "-r", "0", "-OQsU")
    AGENT = "127.0.0.1:1161"

    def __init__(self, lab):
        self.lab = lab

    def run(self, tool, *arguments, options=OPTIONS):
        return self.lab.exec(tool, *options, self.AGENT, *arguments, check=False).stdout

    def get(self, *names):
        return parse(self.run("snmpget", *[_full(name) for name in names]))

    def one(self, name):
        """The value of one variable, or None."""
        return next(iter(self.get(name).values()), None)

    def number(self, name):
        value = self.one(name)
        if value is None:
            raise AssertionError(f"{name} is absent")
        return int(value.split()[0])

    def walk(self, name):
        return parse(self.run("snmpwalk", _full(name)))

    def bulkwalk(self, name, repetitions=20):
        return parse(self.run("snmpbulkwalk", f"-Cr{repetitions}", _full(name)))

    def table(self, name):
        """Rows of snmptable as dicts, with the column "index"."""
        text = self.run("snmptable", "-Ci", "-Cf", "|", _full(name),
                        options=self.OPTIONS[:-1] + ("-OQU",))
        lines = [line for line in text.splitlines() if "|" in line]
        head = lines[0].split("|") if lines else []
        return [dict(zip(head, (_TYPE.sub("", cell) for cell in line.split("|"))))
                for line in lines[1:]]


def _full(name):
    return name if "::" in name or name.startswith(".") else f"GUESTMON-MIB::{name}"

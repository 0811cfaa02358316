# SPDX-License-Identifier: Apache-2.0
"""Reads the lab's trap log: what snmptrapd received, with the names of the MIB.

A record is "TRAP <time> <from>", one indented "NAME = TYPE: VALUE" per variable, "END". Values may hold
line ends, so a line that does not begin like a variable belongs to the value before it.
"""

import re
import time
from dataclasses import dataclass, field

_RECORD = re.compile(r"^TRAP (\S+) [^\n]*\n(.*?)^END$", re.MULTILINE | re.DOTALL)
_VARIABLE = re.compile(r"^    (\S+) = (?:([A-Z][A-Za-z0-9-]*(?: STRING)?): )?", re.MULTILINE)
_TRAP_OID = re.compile(r"(?:snmpTrapOID\.0|6\.3\.1\.1\.4\.1\.0|snmpModules\.1\.1\.4\.1\.0)$")
_ENUM = re.compile(r"^(\w+)\((-?\d+)\)$")


@dataclass
class Trap:
    """One notification. `name` and the keys of `values` are without module and instance."""

    name: str
    received: str
    values: dict = field(default_factory=dict)

    def text(self, name):
        value = self.values[name]
        if value.startswith('"') and value.endswith('"') and len(value) > 1:
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        return value

    def label(self, name):
        """The name of an enumeration's value: "warning" of "warning(6)"."""
        found = _ENUM.match(self.values[name])
        return found.group(1) if found else self.values[name]

    def number(self, name):
        """The number that a value begins with (a unit may follow), or that of an enumeration."""
        value = self.values[name]
        found = _ENUM.match(value)
        return float(found.group(2) if found else value.split()[0])

    @property
    def sequence(self):
        return int(self.number("gmNotifySequence"))

    @property
    def alarm(self):
        return int(self.number("gmNotifyAlarmId"))


def plain_name(name):
    """gmNotifyTime of GUESTMON-MIB::gmNotifyTime.0"""
    return name.rpartition("::")[2].partition(".")[0] if "::" in name else name


def parse(text):
    """The traps of a log, oldest first; an unfinished record at its end is left out."""
    return [_trap(received, body) for received, body in _RECORD.findall(text)]


def _trap(received, body):
    marks = list(_VARIABLE.finditer(body))
    trap = Trap("", received)
    for mark, following in zip(marks, marks[1:] + [None]):
        value = body[mark.end():following.start() if following else len(body)].rstrip("\n")
        if _TRAP_OID.search(mark.group(1)):
            trap.name = plain_name(value)
        else:
            trap.values[plain_name(mark.group(1))] = value
    return trap


class TrapLog:
    """The growing log."""

    def __init__(self, path):
        self.path = path

    def all(self):
        with open(self.path, encoding="utf-8", errors="replace") as stream:
            return parse(stream.read())

    def alarms(self):
        """The traps that tell a transition of an alarm."""
        return [trap for trap in self.all() if "gmNotifySequence" in trap.values]

    def mark(self):
        """To be given to since(): what was received before does not count."""
        return len(self.alarms())

    def since(self, mark, name="", guest=""):
        return [trap for trap in self.alarms()[mark:]
                if trap.name.startswith(name)
                and (not guest or trap.text("gmNotifyGuestName") == guest)]

    def wait(self, mark, name, seconds, guest=""):
        """The first trap of that name, and the time at which it was seen here."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.since(mark, name, guest)
            if found:
                return found[0], time.time()
            time.sleep(0.02)
        seen = [trap.name for trap in self.since(mark)]
        raise AssertionError(f"no {name} trap within {seconds} s; since then: {seen}")

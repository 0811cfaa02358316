# SPDX-License-Identifier: Apache-2.0
"""Managers of others read our MIBs and find the same: pysnmp (MIBs by pysmi) beside net-snmp's tools, libsmi's
names beside net-snmp's; and what cannot be answered in one packet harms nobody."""

import json
import pathlib
import re
import subprocess
import unittest

from rig import MIBS, ROOT, Rig, wait_until

DRIVER = DAEMON = CTL = None
MANAGER = pathlib.Path(__file__).with_name("manager.py")
VM_MIB = ".1.3.6.1.2.1.236"
LONG_TEXT = ROOT + ".1.8.1.2.1"  # gmAlarmEntity
MODULES = ("GUESTMON-MIB", "VM-MIB", "ALARM-MIB", "ITU-ALARM-MIB")
# Ages, times until now: another at each question.
CHANGING = re.compile(r"Age$|gmAgentTime$|UpTime$|LastChange$")
LINE = re.compile(r"^(\.[\d.]+) = (?:([\w-]+): ?)?(.*)$")


def parse(text):
    """Identifier to value, octets in hexadecimal, of -On -Ox -Oe -Ot."""
    found, last = {}, None
    for line in text.splitlines():
        match = LINE.match(line)
        if not match:
            found[last] += line.replace(" ", "").lower()
            continue
        last, kind, value = match.groups()
        if kind == "Hex-STRING" or value == '""':
            found[last] = value.strip('"').replace(" ", "").lower()
        else:
            found[last] = value if kind == "OID" else int(value.split()[0])
    return found


class Managers(unittest.TestCase):
    longMessage = True

    @classmethod
    def setUpClass(cls):
        cls.rig = Rig()
        cls.addClassCleanup(cls.rig.close)
        cls.rig.start_snmpd()
        # No other snapshot meanwhile.
        cls.driver = cls.rig.spawn("driver.log", DRIVER, cls.rig.socket, 3, 2, 600_000_000, stdin=subprocess.PIPE)
        wait_until("the driver is served", cls.rig.served)
        (cls.rig.folder / "pysnmp").mkdir()

    def manager(self, how, start):
        done = self.rig.run("/usr/bin/python3", MANAGER, MIBS, self.rig.folder / "pysnmp", *self.rig.agent.split(":"),
                            "guestmon", how, start, check=False)
        if done.returncode == 77:
            self.skipTest("pysnmp or pysmi is not installed")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def compare(self, how, start, least):
        walked = self.manager(how, start)
        self.assertGreater(len(walked), least)
        self.assertEqual([one for one in walked if one["fault"]], [], "values that the MIB does not allow")
        names = self.rig.run("snmpbulkwalk", "-m", "GUESTMON-MIB:VM-MIB", "-OSq", self.rig.agent, start).stdout
        self.assertEqual([one["name"] for one in walked],
                         re.findall(r"^([\w-]+::\w+)\.", names, re.MULTILINE), "names")
        values = parse(self.rig.run("snmpbulkwalk", "-m", "", "-Onxet", self.rig.agent, start).stdout)
        self.assertEqual([one["oid"] for one in walked], list(values), "identifiers")
        self.assertEqual([one for one in walked if not CHANGING.search(one["name"]) and
                          one["value"] != values[one["oid"]]], [], "values")

    def test_getbulk(self):
        self.compare("bulk", ROOT, 500)

    def test_getnext(self):
        self.compare("next", VM_MIB, 100)

    def test_libsmi_and_net_snmp_agree_on_names(self):
        for module in MODULES:
            path = f"{MIBS}:{MIBS}/compat"
            dump = self.rig.run("smidump", "-f", "identifiers", module, env={"SMIPATH": path}).stdout
            wanted = dict(re.findall(rf"^{module}\s+([\w-]+)\s+(?:\w+\s+)?([\d.]+)\s*$", dump, re.MULTILINE))
            self.assertGreater(len(wanted), 20, f"{module}: {dump[:200]}")
            told = self.rig.run("snmptranslate", "-m", module, "-On", *[f"{module}::{name}" for name in wanted]).stdout
            self.assertEqual(told.split(), ["." + oid for oid in wanted.values()], module)

    def test_too_long_for_a_packet(self):
        """A thousand long values in one GET: refused, and the session with the master stays."""
        answer = self.manager("many", LONG_TEXT)
        self.assertEqual((answer["error"], answer["status"]), ("", "tooBig"))
        self.assertTrue(self.rig.served())
        log = (self.rig.folder / "driver.log").read_text("ascii")
        self.assertEqual(set(re.findall(r"connects=(\d+)", log)), {"1"})

# SPDX-License-Identifier: Apache-2.0
"""Packs that ask: the exporter's module and its rules, the check, what Zabbix and LibreNMS would read."""

import json
import re
import shutil
import socket
import unittest
import urllib.request

import yaml
from rig import NMS, ROOT, Rig, free_port, wait_until

DRIVER = DAEMON = CTL = None
SAMPLE = re.compile(r"^(gm\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def oids(value):
    """All identifiers below our root in a tree of YAML."""
    if isinstance(value, dict):
        return {oid for inner in value.values() for oid in oids(inner)}
    if isinstance(value, list):
        return {oid for inner in value for oid in oids(inner)}
    return set(re.findall(r"\.?(1\.3\.6\.1\.4\.1\.8072\.9999\.9999\.7666\.[\d.]+\d)", str(value)))


class Packs(unittest.TestCase):
    longMessage = True

    @classmethod
    def setUpClass(cls):
        cls.rig = Rig()
        cls.addClassCleanup(cls.rig.close)
        cls.rig.start_snmpd()
        cls.rig.start_driver(DRIVER)
        tree = cls.rig.run("snmpbulkwalk", "-Onq", cls.rig.agent, ROOT).stdout
        cls.tree = re.findall(r"^\.([\d.]+) ", tree, re.MULTILINE)

    def scrape(self):
        port = free_port(socket.SOCK_STREAM)
        exporter = self.rig.spawn("exporter.log", "prometheus-snmp-exporter", f"--config.file={NMS}/prometheus/snmp.yml",
                                  f"--web.listen-address=127.0.0.1:{port}")
        self.addCleanup(self.rig.end, exporter)

        def answer():
            try:
                url = f"http://127.0.0.1:{port}/snmp?module=guestmon&target={self.rig.agent}"
                with urllib.request.urlopen(url, timeout=20) as reply:
                    return reply.read().decode()
            except OSError:
                return None
        text = wait_until("the exporter answers", answer)
        return {(name, tuple(sorted(LABEL.findall(labels)))): float(value) for name, labels, value in SAMPLE.findall(text)}

    def test_exporter(self):
        """Names, labels and values are those of the guests; what is not known is absent."""
        samples = self.scrape()
        guest = {"guest_index": "3", "guest": "instance-00000003", "display_name": "web-3", "project": "shop"}
        expected = {
            ("gmAgentBoots", ()): 7,
            ("gmGuestMemoryUsed", tuple(sorted(guest.items()))): 3e9 + 3,
            ("gmGuestState", tuple(sorted(guest.items()))): 2,
            ("gmInterfaceSpeed", tuple(sorted({**guest, "port": "2", "device": "tap3-2"}.items()))): 10e9,
            ("gmBurstPeak", tuple(sorted({**guest, "port": "2", "device": "tap3-2", "direction": "tx"}.items()))): 9.5e9,
            ("gmLeakTimeToExhaustion", tuple(sorted(guest.items()))): 3600,
        }
        for key, value in expected.items():
            with self.subTest(sample=key):
                self.assertEqual(samples.get(key), value)
        alarms = [dict(labels) for name, labels in samples if name == "gmAlarmSeverity"]
        self.assertEqual({alarm["detector"] for alarm in alarms}, {"leak", "burst"})
        self.assertFalse([key for key in samples if key[0] == "gmGuestMemoryResident"])
        wanted = set(re.findall(r"\bgm[A-Z]\w+", (NMS / "prometheus/rules.yml").read_text("utf-8")))
        wanted |= set(re.findall(r"\bgm[A-Z]\w+", json.dumps(json.loads((NMS / "grafana/guestmon.json").read_text("utf-8")))))
        exported = set(re.findall(r"name: (gm\w+)", (NMS / "prometheus/snmp.yml").read_text("utf-8")))
        self.assertFalse(wanted - exported - {"gmAlarmText", "gmAlarmTable"})

    def test_rules(self):
        """What each rule does and does not do is told in rules-test.yml."""
        if not shutil.which("promtool"):
            self.skipTest("promtool is not installed: package prometheus")
        self.rig.run("promtool", "check", "rules", NMS / "prometheus/rules.yml")
        self.rig.run("promtool", "test", "rules", "rules-test.yml", cwd=NMS / "prometheus")

    def test_zabbix(self):
        """Keys are one of a kind, and the agent has every object that is read."""
        export = yaml.safe_load((NMS / "zabbix/guestmon.yaml").read_text("utf-8"))["zabbix_export"]
        template, = export["templates"]
        items = template["items"] + [item for rule in template["discovery_rules"] for item in rule["item_prototypes"]]
        keys = [item["key"] for item in items + template["discovery_rules"]]
        self.assertEqual(len(keys), len(set(keys)))
        self.assertFalse([key for key in keys if not re.fullmatch(r"[0-9A-Za-z._-]+(\[[^\]]*\])?", key.replace("[{#SNMPINDEX}]", ""))])
        identities = re.findall(r'uuid: "([0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15})"', (NMS / "zabbix/guestmon.yaml").read_text("utf-8"))
        self.assertEqual(len(identities), len(set(identities)))
        self.assertEqual(len(identities), (NMS / "zabbix/guestmon.yaml").read_text("utf-8").count("uuid:"))
        maps = {valuemap["name"] for valuemap in template["valuemaps"]}
        self.assertFalse({item["valuemap"]["name"] for item in items if "valuemap" in item} - maps)
        for rule in template["discovery_rules"]:
            for oid in oids(rule["snmp_oid"]):
                self.assertTrue(self.present(oid), f"{rule['name']}: {oid}")

    def test_librenms(self):
        for name in ("os_detection", "os_discovery"):
            tree = yaml.safe_load((NMS / f"librenms/{name}/guestmon.yaml").read_text("utf-8"))
            self.assertTrue(oids(tree))
            for oid in oids(tree):
                self.assertTrue(self.present(oid), oid)

    def test_librenms_record(self):
        """The recorded walk is in order and what this agent tells; `record` is how it was made."""
        shipped = (NMS / "librenms/guestmon.snmprec").read_text("utf-8").splitlines()
        fresh = self.rig.run(NMS / "librenms/record", self.rig.agent, "guestmon").stdout.splitlines()
        known = {line.rpartition("|")[0] for line in fresh}
        places = [[int(part) for part in line.partition("|")[0].split(".")] for line in shipped]
        self.assertEqual(places, sorted(places))
        self.assertGreater(len(places), 400)
        self.assertFalse([line for line in shipped if line.rpartition("|")[0] not in known])
        texts = [line for line in shipped if "|4x|" in line and ".7666.1.1.5.0" not in line]  # but the time
        self.assertFalse(set(texts) - set(fresh))

    def present(self, oid):
        return any(known == oid or known.startswith(oid + ".") for known in self.tree) or oid in self.absent()

    @staticmethod
    def absent():
        """What the made-up guests have not."""
        root = ROOT[1:]
        return {f"{root}.1.3.1.14", f"{root}.1.4.1.16"}

    def check(self, *arguments):
        return self.rig.run(NMS / "nagios/check_guestmon", "--credentials", self.rig.credentials, "-t", "2",
                            "-H", self.rig.agent, *arguments, check=False)

    def test_check(self):
        done = self.check("--age", "4000000000")
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("compute-1: 3 guests, 3 alarms", done.stdout)
        self.assertIn("major: transition 1 of web-1", done.stdout)
        self.assertIn("source libvirt-slow is not connected", done.stdout)
        self.assertRegex(done.stdout, r"\| alarms_critical=0 alarms_major=3 alarms_minor=0 alarms_warning=0 snapshot_age=\d+ms;;4000000000 guests=3\n")

    def test_check_tells_what_is_wrong(self):
        old = self.check()
        self.assertEqual(old.returncode, 2)
        self.assertIn("s old", old.stdout)
        silent = self.rig.run(NMS / "nagios/check_guestmon", "--credentials", self.rig.credentials, "-t", "1", "-H",
                              f"127.0.0.1:{free_port()}", check=False)
        self.assertEqual(silent.returncode, 2)
        self.assertIn("Timeout", silent.stdout)
        usage = self.rig.run(NMS / "nagios/check_guestmon", check=False)
        self.assertEqual(usage.returncode, 3)
        missing = self.rig.run(NMS / "nagios/check_guestmon", "--credentials", "/nonexistent/file", "-H", self.rig.agent, check=False)
        self.assertEqual(missing.returncode, 3)
        self.assertRegex(missing.stdout, "^GUESTMON UNKNOWN - .*/nonexistent/file")

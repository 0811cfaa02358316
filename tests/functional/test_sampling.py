# SPDX-License-Identifier: Apache-2.0
"""Sampling for a minute on a quiet node: the cadence that the daemon says it reached is the one that is
in Redis."""

import time

from gmtest.case import SMALL, GuestmonTest, Session

MINUTE = 60
MISSED = 0.01  # the part of ticks that may be missed
PREFIX = "guestmon:{lab}:"


def stream(lab, entity, metric, since_ms, until_ms):
    """The times, in ms, of the entries of an entity's stream that carry the metric."""
    reply = lab.redis("XRANGE", PREFIX + entity, since_ms, f"({until_ms}-0")
    return [int(key.partition("-")[0]) for key, fields in reply if metric in fields[::2]]


class Sampling(GuestmonTest):

    @classmethod
    def setUpClass(cls):
        """One minute for all tests of this class."""
        Session.daemon.settle()
        cls.before = Session.lab.snmp.walk("gmSourceTable")
        cls.since = int(time.time() * 1000)
        time.sleep(MINUTE)
        cls.until = int(time.time() * 1000)
        cls.after = Session.lab.snmp.walk("gmSourceTable")
        time.sleep(1)

    def sources(self):
        """{name: {column: increase}} over the minute."""
        found = {}
        for name, value in self.after.items():
            column, _, index = name.partition(".")
            if column == "gmSourceName":
                found[value] = {
                    key: int(self.after[f"{key}.{index}"]) - int(self.before[f"{key}.{index}"])
                    for key in ("gmSourceTicks", "gmSourceMissed", "gmSourceFailures")}
                found[value]["interval"] = int(self.after[f"gmSourceInterval.{index}"].split()[0])
        return found

    def test_every_source_keeps_its_cadence(self):
        sources = self.sources()
        self.assertEqual(set(sources), {"libvirt", "libvirt-slow", "tap", "host"})
        for name, source in sources.items():
            with self.subTest(source=name):
                due = (self.until - self.since) * 1000 / source["interval"]
                self.assertEqual(source["gmSourceFailures"], 0)
                self.assertLessEqual(source["gmSourceMissed"], MISSED * due)
                self.assert_near(source["gmSourceTicks"], due, 0.02, "ticks")

    def check_stream(self, entity, metric, per_second):
        times = stream(self.lab, entity, metric, self.since, self.until)
        due = (self.until - self.since) / 1000 * per_second
        self.assertGreaterEqual(len(times), (1 - MISSED) * due, f"entries of {entity}")
        self.assertLessEqual(len(times), 1.02 * due, f"entries of {entity}")
        self.assertEqual(times, sorted(set(times)), f"{entity}: a time is there twice")

    def test_interface_at_ten_a_second_in_redis(self):
        self.check_stream(f"if:gmtap{SMALL}", "net.rx.bytes", 10)

    def test_node_at_ten_a_second_in_redis(self):
        self.check_stream("node", "cpu.time", 10)

    def test_resident_memory_at_ten_a_second_in_redis(self):
        self.check_stream(f"guest:{self.lab.uuid(SMALL)}", "memory.resident", 10)

    def test_balloon_readings_are_not_repeated(self):
        """The balloon tells once a second: ten readings a second of it would be nine lies."""
        times = stream(self.lab, f"guest:{self.lab.uuid(SMALL)}", "memory.used", self.since,
                       self.until)
        self.assertGreaterEqual(len(times), 0.9 * MINUTE)
        self.assertLessEqual(len(times), 1.05 * MINUTE)

    def test_identity_in_redis(self):
        entity = f"guest:{self.lab.uuid(SMALL)}"
        self.assertIn(entity, self.lab.redis("SMEMBERS", PREFIX + "entities"))
        info = self.lab.redis("HGETALL", f"{PREFIX}{entity}:info")
        self.assertIn("web-1", info.values())
        self.assertIn("tenant-a", info.values())

# SPDX-License-Identifier: Apache-2.0
"""Guests through the snmpd inside of them: memory ten times a second, the largest processes, and the name of
the one that leaks."""

import time

from gmtest.case import LARGE, SMALL, GuestmonTest, Session
from gmtest.wait import wait_until

PREFIX = "guestmon:{lab}:"
SECONDS = 20
RATE_KIB = 1024
TOLD = 150


class GuestSnmp(GuestmonTest):

    @classmethod
    def setUpClass(cls):
        """The same daemon, told whom to ask."""
        lab, daemon = Session.lab, Session.daemon
        cls.before = daemon.config.read_text(encoding="utf-8")
        targets, credentials = lab.state / "etc/snmp-targets", lab.state / "etc/snmp-credentials"
        targets.write_text(f"web-{SMALL} nova lab 100ms project=tenant-a within=10.77.0.0/24\n"
                           f"{lab.uuid(LARGE)} 10.77.0.{10 + LARGE} lab 1s\n", encoding="utf-8")
        credentials.touch(0o600)
        credentials.write_text("lab v2c public write=secret\n", encoding="utf-8")
        cls.settings = {"snmp_guests__enabled": "yes", "snmp_guests__targets": targets,
                        "snmp_guests__credentials": credentials,
                        "snmp_guests__tune_caches": "yes", "snmp_guests__process_interval": "2s"}
        daemon.configure(**cls.settings)
        daemon.ctl("reload")

    @classmethod
    def tearDownClass(cls):
        Session.daemon.config.write_text(cls.before, encoding="utf-8")
        Session.daemon.ctl("reload")

    def tearDown(self):
        self.lab.guest_quiet(SMALL)

    def times_of(self, entity, metric, since):
        """The times, in seconds, of the entries of an entity's stream that carry the metric."""
        reply = self.lab.redis("XRANGE", PREFIX + entity, int(since * 1000), "+")
        return [int(key.partition("-")[0]) / 1000 for key, fields in reply if metric in fields[::2]]

    def processes(self, number):
        """The commands of a guest's processes that are followed."""
        prefix = f"process:{self.lab.uuid(number)}:"
        members = self.lab.redis("SMEMBERS", PREFIX + "entities")
        return {name.removeprefix(prefix).partition("/")[2] for name in members
                if name.startswith(prefix)}

    def is_up(self, number):
        entity = f"guest:{self.lab.uuid(number)}"
        return self.times_of(entity, "snmp.up", time.time() - 3)

    def is_named(self):
        """Whether an alarm of the small guest says that it is the process `leak`."""
        return any(self.lab.uuid(SMALL) in alarm["entity"] and
                   any(name.endswith("/leak") for name in alarm["evidence"].get("contributors", []))
                   for alarm in self.daemon.ctl_json("alarms")["alarms"])

    def test_memory_is_sampled_ten_times_a_second(self):
        for number in (SMALL, LARGE):
            wait_until("snmpd answers", lambda guest=number: self.is_up(guest), 20)
        time.sleep(3)
        since = time.time()
        time.sleep(SECONDS)
        times = self.times_of(f"guest:{self.lab.uuid(SMALL)}", "memory.used", since)
        gaps = sorted(b - a for a, b in zip(times, times[1:]))
        print(f"    {len(times)} samples in {SECONDS} s, 99th gap "
              f"{gaps[int(len(gaps) * .99)] * 1000:.0f} ms")
        self.assertGreaterEqual(len(times), 0.8 * 10 * SECONDS)
        self.assertLessEqual(len(times), 1.1 * 10 * SECONDS)
        # The balloon tells as often as its slower snmpd is asked: one of them is taken, not both.
        slow = self.times_of(f"guest:{self.lab.uuid(LARGE)}", "memory.used", since)
        self.assertGreaterEqual(len(slow), 0.8 * SECONDS)
        self.assertLessEqual(len(slow), 1.3 * SECONDS)

    def requests(self, seconds):
        """What is sent to the guests' snmpd in so many seconds: time, address, octets, id."""
        lines = self.lab.exec("tshark", "-n", "-q", "-i", "gmlab0", "-f", "udp dst port 161", "-a",
                              f"duration:{seconds}", "-T", "fields", "-e", "frame.time_epoch", "-e",
                              "ip.dst", "-e", "udp.length", "-e",
                              "snmp.request_id").stdout.splitlines()
        fields = [line.split("\t") for line in lines]
        return [(float(field[0]), field[1], int(field[2]), field[3]) for field in fields]

    def test_one_packet_per_guest_and_tick(self):
        """As tshark sees them: never two in a tick, each with another id than the one before it."""
        self.daemon.configure(**{**self.settings, "snmp_guests__process_interval": "0"})
        self.daemon.ctl("reload")
        try:
            for number in (SMALL, LARGE):
                wait_until("snmpd answers", lambda guest=number: self.is_up(guest), 20)
            time.sleep(3)
            packets = self.requests(SECONDS)
        finally:
            self.daemon.configure(**self.settings)
            self.daemon.ctl("reload")
        for number, interval in ((SMALL, 0.1), (LARGE, 1)):
            mine = [packet for packet in packets if packet[1] == f"10.77.0.{10 + number}"]
            # Drawn by lot: one of before may come again, but not at once.
            self.assertEqual([a for a, b in zip(mine, mine[1:]) if a[3] == b[3]], [])
            self.assertGreater(len({packet[3] for packet in mine}), 0.9 * len(mine))
            ticks = (mine[-1][0] - mine[0][0]) / interval + 1
            print(f"    web-{number}: {len(mine)} packets in {ticks:.1f} ticks, "
                  f"at most {max(packet[2] for packet in mine)} octets")
            self.assertLessEqual(len(mine), ticks + 0.5)
            self.assertGreaterEqual(len(mine), 0.4 * ticks)  # none while an answer is awaited
            self.assertLessEqual(max(packet[2] for packet in mine), 1472 + 8)

    def test_silent_snmpd_is_told_and_harms_nobody(self):
        wait_until("snmpd answers", lambda: self.is_up(LARGE), 20)
        self.lab.guest(LARGE, "killall -STOP snmpd")
        try:
            time.sleep(8)
            status = {row["name"]: row for row in self.daemon.ctl_json("status")["sources"]}
            self.assertIn("1 of 2 guests do not answer", status["snmp"]["error"])
            since = time.time()
            time.sleep(SECONDS / 2)
            times = self.times_of(f"guest:{self.lab.uuid(SMALL)}", "memory.used", since)
            self.assertGreaterEqual(len(times), 0.8 * 10 * SECONDS / 2)
        finally:
            self.lab.guest(LARGE, "killall -CONT snmpd")
        wait_until("snmpd answers again",
                   lambda: self.times_of(f"guest:{self.lab.uuid(LARGE)}", "snmp.latency",
                                         time.time() - 3), 60)

    def test_leak_names_its_process(self):
        mark = self.traps.mark()
        self.lab.guest_background(SMALL, f"leak {RATE_KIB} 150")
        wait_until("the process is followed", lambda: "leak" in self.processes(SMALL), 45)
        self.traps.wait(mark, "guestmonLeakRaise", TOLD, guest=f"web-{SMALL}")
        wait_until("the alarm names the process", self.is_named, 30)
        self.lab.guest(SMALL, "killall leak")
        wait_until("the process is gone", lambda: "leak" not in self.processes(SMALL), 45)

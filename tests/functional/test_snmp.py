# SPDX-License-Identifier: Apache-2.0
"""The MIB through a real snmpd: the stock tools agree with each other, names translate, and what they
show is what the guests are."""

import struct

from gmtest.case import LARGE, MEMORY, SMALL, GuestmonTest
from gmtest.wait import wait_until

# What does not change from one question to the next.
STEADY = ("gmGuestUUID", "gmGuestName", "gmGuestDisplayName", "gmGuestProject", "gmGuestFlavor",
          "gmGuestMemoryMaximum", "gmInterfaceDevice", "gmInterfaceMac", "gmSourceName")


class Agent(GuestmonTest):

    def test_guests_are_what_they_are(self):
        for number in (SMALL, LARGE):
            index = self.guest_index(number)
            row = {name: self.snmp.one(f"{name}.{index}")
                   for name in ("gmGuestName", "gmGuestDisplayName", "gmGuestProject",
                                "gmGuestFlavor")}
            self.assertEqual(row, {"gmGuestName": f"instance-{number:08x}",
                                   "gmGuestDisplayName": f"web-{number}",
                                   "gmGuestProject": "tenant-a", "gmGuestFlavor": "m1.tiny"})
            self.assertEqual(self.snmp.number(f"gmGuestMemoryMaximum.{index}"),
                             MEMORY[number] << 20)

    def test_memory_is_the_guests_own(self):
        index = self.guest_index(SMALL)
        fields = self.lab.guest(SMALL, "free -k").splitlines()[1].split()
        total, available = int(fields[1]) * 1024, int(fields[-1]) * 1024
        self.assertEqual(self.snmp.number(f"gmGuestMemoryTotal.{index}"), total)
        used = self.snmp.number(f"gmGuestMemoryUsed.{index}")
        self.assertLess(abs(used - (total - available)), 4 << 20)

    def test_tools_agree(self):
        for name in STEADY:
            with self.subTest(object=name):
                walked = self.snmp.walk(name)
                self.assertTrue(walked)
                self.assertEqual(self.snmp.bulkwalk(name), walked)
                self.assertEqual(self.snmp.get(*walked), walked)

    def test_table_has_the_walks_rows(self):
        rows = self.snmp.table("gmSourceTable")
        self.assertEqual(sorted(row["gmSourceName"].strip('"') for row in rows),
                         sorted(self.snmp.walk("gmSourceName").values()))

    def test_tables_of_judgements(self):
        """Who has been judged has a row, each direction of a port one; what never happened has none."""
        self.daemon.settle()
        for number in (SMALL, LARGE):
            index = self.guest_index(number)
            for direction in ("rx", "tx"):
                self.assertEqual(self.snmp.one(f"gmBurstState.{index}.1.{direction}"), "none")
            for part in ("rxOctets", "txOctets", "rxPackets", "txPackets"):
                self.assertIsNotNone(self.snmp.one(f"gmBurstTotalBursts.{index}.1.{part}"))
        self.assertIsNotNone(self.snmp.one("gmContentionMost.0"))
        self.assertEqual(len(self.snmp.walk("gmGuestUUID")), 2)

    def test_window_in_one_value(self):
        """Decoded as the MIB's description tells: the last sample is what the counter's object shows."""
        row = f"{self.guest_index(SMALL)}.1"
        wait_until("the window is full",
                   lambda: self.snmp.number(f"gmWindowCount.{row}.rxOctets") == 100, 15)
        names = [f"gmWindow{column}.{row}.rxOctets" for column in ("Values", "Span", "Count")]
        values, span, count, octets = self.snmp.get(
            *names, f"gmInterfaceRxOctets.{row}").values()
        samples = list(struct.iter_unpack(">IQ", bytes.fromhex(values)))
        self.assertEqual(len(samples), int(count))
        self.assertEqual(samples[0][0], 0)
        self.assertEqual(samples[-1][0], int(span))
        self.assertEqual(samples[-1][1], int(octets))
        self.assertEqual(samples, sorted(samples))
        steps = sorted(after[0] - before[0] for before, after in zip(samples, samples[1:]))
        self.assert_near(steps[len(steps) // 2], 100000, 0.1, "the usual step")

    def test_walk_is_in_order_and_named(self):
        lines = self.lab.exec("snmpbulkwalk", "-v2c", "-c", "public", "-On", "-Cr50",
                              self.snmp.AGENT, "GUESTMON-MIB::guestmonMIB").stdout.splitlines()
        numbers = [[int(part) for part in line.split(" = ")[0].strip(".").split(".")]
                   for line in lines if line.startswith(".1.3.6.")]
        self.assertGreater(len(numbers), 150)
        self.assertEqual(numbers, sorted(numbers))
        named = self.snmp.walk("guestmonMIB")
        self.assertFalse([name for name in named if name.startswith((".", "guestmon"))])

    def test_wide_counters(self):
        answer = self.snmp.run("snmpwalk", "GUESTMON-MIB::gmInterfaceRxOctets",
                               options=("-v2c", "-c", "public"))
        self.assertIn("Counter64", answer)

    def test_command_agrees(self):
        guests = self.daemon.ctl("guests").stdout
        for number in (SMALL, LARGE):
            self.assertIn(f"web-{number}", guests)
        self.assertIn(self.lab.uuid(SMALL), str(self.daemon.ctl_json("guests")))
        for command in ("status", "alarms", "windows"):
            with self.subTest(command=command):
                arguments = ["web-1"] if command == "windows" else []
                self.assertTrue(self.daemon.ctl(command, *arguments).stdout)
                self.assertTrue(self.daemon.ctl_json(command, *arguments))

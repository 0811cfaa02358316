# SPDX-License-Identifier: Apache-2.0
"""Leaks in real guests, and what only looks like one."""

import time

from gmtest.case import LARGE, SMALL, GuestmonTest
from gmtest.wait import hold, wait_until

RATE_KIB = 1024
TOLD = 130  # seconds; the leak goes on for longer
QUIET = 40  # seconds for which a false alarm is waited for


class Leak(GuestmonTest):

    def tearDown(self):
        for number in (SMALL, LARGE):
            self.lab.guest_quiet(number)

    def available(self, number):
        """Bytes that the guest's own kernel says can still be had."""
        return int(self.lab.guest(number, "grep MemAvailable /proc/meminfo").split()[1]) * 1024

    def readings(self, number, seconds):
        """How many readings of its memory there are from the last seconds."""
        since = int((time.time() - seconds) * 1000)
        reply = self.lab.redis("XRANGE", f"guestmon:{{lab}}:guest:{self.lab.uuid(number)}", since, "+")
        return sum("memory.used" in fields[::2] for _, fields in reply)

    def test_leak_is_told_with_its_numbers_and_cleared(self):
        mark = self.traps.mark()
        started = time.time()
        self.lab.guest_background(SMALL, f"leak {RATE_KIB} 150")
        raised, _ = self.traps.wait(mark, "guestmonLeakRaise", TOLD, guest=f"web-{SMALL}")
        available = self.available(SMALL)

        self.assertEqual(raised.text("gmNotifyGuestUUID").lower(), self.lab.uuid(SMALL))
        self.assertEqual(raised.text("gmNotifyProject"), "tenant-a")
        self.assertEqual(raised.text("gmNotifyDetector"), "leak")
        self.assertIn(raised.label("gmNotifySeverity"), ("warning", "minor", "major", "critical"))
        self.assert_near(raised.number("gmNotifyLeakSlope"), RATE_KIB * 1024, 0.2, "slope")
        self.assert_near(raised.number("gmNotifyLeakTimeToExhaustion"),
                         available / (RATE_KIB * 1024), 0.25, "time to exhaustion")
        print(f"    leak told after {time.time() - started:.1f} s, "
              f"slope {raised.number('gmNotifyLeakSlope'):.0f} B/s")

        self.assertGreater(self.readings(SMALL, 5), 20, "a suspected guest is read more often")
        index = self.guest_index(SMALL)
        self.assertEqual(self.snmp.one(f"gmLeakState.{index}"), "leaking")
        self.assertEqual(self.snmp.number(f"gmLeakAlarmId.{index}"), raised.alarm)

        self.lab.guest(SMALL, "killall leak")
        cleared, _ = self.traps.wait(mark, "guestmonLeakClear", 60, guest=f"web-{SMALL}")
        self.assertEqual(cleared.alarm, raised.alarm)
        self.assertEqual(cleared.label("gmNotifySeverity"), "cleared")
        self.assertGreater(cleared.sequence, raised.sequence)
        wait_until("no active alarm", lambda: not self.snmp.walk("gmAlarmGuestName"), 5)
        self.assertEqual(len(self.traps.since(mark, "guestmonLeakRaise")), 1)

    def stays_silent(self, command):
        """No leak trap of the large guest while `command` runs in it."""
        mark = self.traps.mark()
        before = self.available(LARGE)
        self.lab.guest_background(LARGE, command)
        hold(f"no leak trap: {command}",
             lambda: not self.traps.since(mark, "guestmonLeak", guest=f"web-{LARGE}"), QUIET)
        return before - self.available(LARGE)

    def test_bulk_allocation_is_silent(self):
        taken = self.stays_silent("hog 200")
        self.assert_near(taken, 200 << 20, 0.1, "memory that the guest really took")

    def test_sawtooth_is_silent(self):
        self.stays_silent("sawtooth 60 8")

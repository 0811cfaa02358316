# SPDX-License-Identifier: Apache-2.0
"""Analysers outside the daemon: both methods of contrib/analysers/sklearn-leak find the leak of a real
guest in its window in Redis, and what they find is told like any other alarm."""

import time

from gmtest.case import LARGE, SMALL, GuestmonTest
from gmtest.lab import REPO
from gmtest.wait import wait_until

ANALYSER = REPO / "contrib/analysers/sklearn-leak"
RATE_KIB = 2048
TOLD = 120  # seconds


class External(GuestmonTest):

    def start(self, name, *options):
        self.lab.call("spawn", name, ANALYSER, "--socket", self.lab.state / "run/redis.sock", "--node",
                      "lab", "--name", name, "--interval", 2, "--verbose", *options)
        self.addCleanup(self.lab.call, "stop", name)

    def tearDown(self):
        for number in (SMALL, LARGE):
            self.lab.guest_quiet(number)

    def raised(self, mark, name):
        return [trap for trap in self.traps.since(mark, "guestmonAlarmRaise", guest=f"web-{LARGE}")
                if trap.text("gmNotifyDetector") == name]

    def test_both_methods_find_a_leak(self):
        self.start("classic", "--method", "linear")
        self.start("better", "--method", "robust", "--window-min", 20)
        mark = self.traps.mark()
        started = time.monotonic()
        self.lab.guest_background(LARGE, f"leak {RATE_KIB} 350")
        for name in ("classic", "better"):
            trap = wait_until(f"{name} raises an alarm", lambda: self.raised(mark, name), TOLD)[0]
            print(f"    {name}: trap after {time.monotonic() - started:.1f} s: "
                  f"{trap.text('gmNotifyText')}")
            self.assertEqual(trap.text("gmNotifyGuestUUID").lower(), self.lab.uuid(LARGE))
            self.assertEqual(trap.text("gmNotifyProject"), "tenant-a")
            self.assertIn(f"found by {name} (external)", trap.text("gmNotifyText"))
            self.assertEqual(self.snmp.one(f"gmAlarmDetector.{trap.alarm}"), name)
            alarm, = [alarm for alarm in self.daemon.ctl_json("alarms")["alarms"]
                      if alarm["detector"] == name]
            self.assertEqual(alarm["id"], trap.alarm)
            # A line through a window that began before the leak is too flat at first.
            wait_until(f"{name} knows the slope", lambda: self.slope_is_near(name), 60)
            self.assertTrue(alarm["evidence"]["origin"].startswith("external "))

        self.check_pictures()
        self.lab.guest(LARGE, "killall leak")
        for name in ("classic", "better"):
            wait_until(f"{name} ends its alarm", lambda: self.cleared(mark, name), 60)
            self.assertEqual(len(self.raised(mark, name)), 1)
        wait_until("no active alarm", lambda: not self.snmp.walk("gmAlarmGuestName"), 90)

    def slope_is_near(self, name):
        return any(abs(alarm["evidence"]["slope_bytes_per_s"] - RATE_KIB * 1024) <= 0.2 * RATE_KIB * 1024
                   for alarm in self.daemon.ctl_json("alarms")["alarms"] if alarm["detector"] == name)

    def check_pictures(self):
        """Both show the growth and where the alarms were raised."""
        path = self.lab.state / "log/leak.svg"
        text = self.daemon.ctl("windows", f"web-{LARGE}", "memory.used", "--plot", "--svg", path).stdout
        picture = path.read_text("utf-8")
        for name in ("classic", "better"):
            self.assertRegex(text, rf"\d\d:\d\d:\d\d . \w+ {name}: ")
            self.assertRegex(picture, rf">{name} (warning|minor|major|critical)</text>")

    def cleared(self, mark, name):
        return [trap for trap in self.traps.since(mark, "guestmonAlarmClear", guest=f"web-{LARGE}")
                if trap.text("gmNotifyDetector") == name]

# SPDX-License-Identifier: Apache-2.0
"""The ground that the other tests stand on: guests do what they are told, the tools' accounts are true,
and a lab whose owner dies leaves nothing."""

import json
import pathlib
import signal
import subprocess
import time
import unittest

from gmtest.case import SMALL, Session
from gmtest.lab import Lab
from gmtest.wait import wait_until


class Ground(unittest.TestCase):

    def setUp(self):
        self.lab = Session.lab

    def test_guest_commands_tell_output_and_status(self):
        done = self.lab.call("guest-run", SMALL, "echo \"it's $((6 * 7))\"; exit 3", check=False)
        self.assertEqual((done.stdout.strip(), done.returncode), ("it's 42", 3))

    def tap_octets(self):
        links = json.loads(self.lab.exec("ip", "-j", "-s", "link", "show", f"gmtap{SMALL}").stdout)
        return links[0]["stats64"]["tx"]["bytes"]

    def test_burst_is_what_the_tap_counts(self):
        before = self.tap_octets()
        truth = self.lab.burst(SMALL, 50, 60)
        wait_until("the guest has taken it", lambda: self.tap_octets() - before >= truth["bytes"], 2)
        self.assertLess(self.tap_octets() - before, truth["bytes"] + 2000)
        self.assertLess(abs(truth["bps"] / 60e6 - 1), 0.1)

    def unused(self):
        return int(self.lab.guest(SMALL, "grep MemFree /proc/meminfo").split()[1])

    def test_leak_is_as_fast_as_asked(self):
        self.lab.guest_background(SMALL, "leak 2048 30")
        try:
            time.sleep(1)
            before, started = self.unused(), time.monotonic()
            time.sleep(4)
            rate = (before - self.unused()) / (time.monotonic() - started)
        finally:
            self.lab.guest(SMALL, "killall leak")
        self.assertLess(abs(rate / 2048 - 1), 0.15)

    def test_nothing_shows_outside(self):
        links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
        self.assertNotIn("gmlab0", links)
        self.assertNotIn("gmtap", links)
        self.assertNotIn(str(self.lab.state), pathlib.Path("/proc/self/mounts").read_text("utf-8"))

    def test_lab_ends_with_its_owner(self):
        with subprocess.Popen(["sleep", "300"]) as owner:
            second = Lab(self.lab.state / "second")
            try:
                second.call("up", "--owner", owner.pid)
                self.assertIn("redis", second.call("status").stdout)
                pids = processes_below(first_process(second))
                self.assertGreater(len(pids), 4)
            finally:
                owner.send_signal(signal.SIGKILL)
            wait_until("every process of it is gone",
                       lambda: not [pid for pid in pids if pathlib.Path(f"/proc/{pid}").exists()], 10)
            self.assertNotEqual(second.call("status", check=False).returncode, 0)


def first_process(lab):
    return int((lab.state / "run/space").read_text("ascii").split()[0])


def processes_below(pid):
    """All processes of the process namespace that `pid` is the first of."""
    namespace = pathlib.Path(f"/proc/{pid}/ns/pid").readlink()
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/ns/pid"):
        try:
            if path.readlink() == namespace:
                found.append(int(path.parts[2]))
        except OSError:
            pass  # ended meanwhile
    return found

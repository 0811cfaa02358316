# SPDX-License-Identifier: Apache-2.0
"""The base of all functional tests: one lab with two guests and one daemon for all of them."""

import unittest

from .lab import Daemon, Lab
from .wait import wait_until

SMALL, LARGE = 1, 2  # guests web-1 and web-2
MEMORY = {SMALL: 256, LARGE: 512}  # MiB
DISKS = {LARGE: [64]}  # MiB; the others have none
LINK_BPS = 100e6  # the rate that the ports are configured to


class Session:
    """What `run` sets up before the tests and takes down after them."""

    lab: Lab
    daemon: Daemon

    @classmethod
    def open(cls, state, daemon, ctl):
        cls.lab = Lab(state)
        cls.lab.up()
        for number, mib in MEMORY.items():
            cls.lab.guest_start(number, mib, *DISKS.get(number, []))
        cls.daemon = Daemon(cls.lab, daemon, ctl)
        cls.daemon.configure(burst__port_rate=f"{LINK_BPS / 1e6:.0f}M")
        cls.daemon.start()
        wait_until("the guests are known", lambda: cls.daemon.knows(len(MEMORY)), 20)

    @classmethod
    def close(cls):
        cls.lab.down()


class GuestmonTest(unittest.TestCase):
    """Gives the tests the session under short names."""

    longMessage = True

    def setUp(self):
        self.lab, self.daemon = Session.lab, Session.daemon
        self.traps, self.snmp = self.lab.traps, self.lab.snmp
        if not self.daemon.alive():
            last = self.daemon.last_words()
            self.daemon.start()  # for the tests after this one
            self.fail(f"guestmond had ended:\n{last}")
        wait_until("no alarm of an earlier test is active",
                   lambda: not self.snmp.walk("gmAlarmGuestName"), 60)

    def assert_near(self, measured, truth, part, what):
        """Within `part` of the truth."""
        self.assertTrue(abs(measured - truth) <= part * abs(truth),
                        f"{what}: {measured:g}, truth {truth:g}, allowed {100 * part:g} %")

    def guest_index(self, number):
        """The row of a guest in gmGuestTable."""
        for name, value in self.snmp.walk("gmGuestUUID").items():
            if value.lower() == self.lab.uuid(number):
                return name.partition(".")[2]
        self.fail(f"guest {number} is not in gmGuestTable")

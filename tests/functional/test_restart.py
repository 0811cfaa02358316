# SPDX-License-Identifier: Apache-2.0
"""What must survive: the daemon's own death, and that of each of the three that it talks to."""

import time

from gmtest.case import LARGE, SMALL, GuestmonTest
from gmtest.wait import hold, wait_until

FRESH = 3  # a guest whose memory no earlier test has moved
BACK = 30  # seconds within which everything is served again
PREFIX = "guestmon:{lab}:"


class Restart(GuestmonTest):

    def tearDown(self):
        for number in (SMALL, LARGE):
            self.lab.guest_quiet(number)

    def newest_entry(self, entity):
        """Age in seconds of the newest entry of a stream; large when there is none."""
        reply = self.lab.redis("XREVRANGE", PREFIX + entity, "+", "-", "COUNT", "1")
        if not isinstance(reply, list) or not reply:
            return 1e9
        return time.time() - int(reply[0][0].partition("-")[0]) / 1000

    def memory_age(self, number):
        """Age in ms of the guest's memory in the MIB; large when it is not served."""
        value = self.snmp.one(f"gmGuestMemoryAge.{self.guest_index(number)}")
        return int(value.split()[0]) if value else 1e9

    def assert_sequences_whole(self, traps):
        """Every transition arrived, once, in order."""
        sequences = [trap.sequence for trap in traps]
        self.assertEqual(sequences, list(range(sequences[0], sequences[0] + len(sequences))))

    def test_daemon_killed_with_an_alarm_active(self):
        self.lab.guest_start(FRESH, 512)
        self.addCleanup(self.lab.call, "guest-stop", FRESH)
        self.daemon.settle()
        mark = self.traps.mark()
        self.lab.guest_background(FRESH, "leak 4096 400")
        raised, _ = self.traps.wait(mark, "guestmonLeakRaise", 130, guest=f"web-{FRESH}")
        indexes = self.snmp.walk("gmGuestUUID")
        boots = self.snmp.number("gmAgentBoots.0")
        since = int((time.time() - 10) * 1000)

        self.daemon.kill()
        self.daemon.start()

        self.assertEqual(self.snmp.number("gmAgentBoots.0"), boots + 1)
        alarms = self.snmp.walk("gmAlarmGuestName")
        self.assertEqual(alarms, {f"gmAlarmGuestName.{raised.alarm}": f"web-{FRESH}"})
        wait_until("the guests have the indexes that they had",
                   lambda: self.snmp.walk("gmGuestUUID") == indexes, 10)
        kept = self.daemon.ctl_json("windows", f"web-{FRESH}", "memory.used")
        self.assertTrue(any(since / 1000 <= moment <= since / 1000 + 9 for moment in numbers(kept)),
                        "nothing from before the kill in the window")
        hold("no second raise", lambda: len(self.traps.since(
            mark, "guestmonLeakRaise", guest=f"web-{FRESH}")) == 1, 10)

        self.lab.guest(FRESH, "killall leak")
        cleared, _ = self.traps.wait(mark, "guestmonLeakClear", 60, guest=f"web-{FRESH}")
        self.assertEqual(cleared.alarm, raised.alarm)
        self.assert_sequences_whole(self.traps.since(mark))

    def test_snmpd_killed(self):
        mark = self.traps.mark()
        self.lab.call("kill", "snmpd")
        self.lab.burst(SMALL, 50, 60)
        time.sleep(2)
        started = time.time()
        self.lab.call("start", "snmpd")
        wait_until("the MIB is served again", self.daemon.serves, BACK)
        print(f"    MIB served {time.time() - started:.1f} s after snmpd's return")
        self.traps.wait(mark, "guestmonBurstRaise", BACK, guest=f"web-{SMALL}")
        self.traps.wait(mark, "guestmonBurstClear", BACK, guest=f"web-{SMALL}")
        self.assert_sequences_whole(self.traps.since(mark))

    def test_redis_killed(self):
        entity = f"if:gmtap{SMALL}"
        self.lab.call("kill", "redis")
        killed = time.time()
        wait_until("the MIB says that the store is away",
                   lambda: self.snmp.one("gmAgentStoreConnected.0") == "false", 10)
        mark = self.traps.mark()
        self.lab.burst(SMALL, 50, 60)
        self.traps.wait(mark, "guestmonBurstRaise", 5, guest=f"web-{SMALL}")
        self.lab.call("start", "redis")
        wait_until("the streams grow again", lambda: self.newest_entry(entity) < 2, BACK)
        wait_until("the gap is filled", lambda: self.filled(entity, killed), BACK)
        self.traps.wait(mark, "guestmonBurstClear", 20, guest=f"web-{SMALL}")

    def filled(self, entity, killed):
        """No hole of half a second in the stream since two seconds before the kill."""
        reply = self.lab.redis("XRANGE", PREFIX + entity, int((killed - 2) * 1000), "+")
        times = [int(key.partition("-")[0]) / 1000 for key, _ in reply]
        return (times and times[0] < killed - 1.5
                and max(b - a for a, b in zip(times, times[1:])) < 0.5)

    def test_libvirtd_killed(self):
        mark = self.traps.mark()
        self.lab.call("kill", "libvirtd")
        self.lab.burst(SMALL, 50, 60)
        self.traps.wait(mark, "guestmonBurstRaise", 5, guest=f"web-{SMALL}")
        self.lab.call("start", "libvirtd")
        wait_until("memory of the guests is fresh again",
                   lambda: max(self.memory_age(SMALL), self.memory_age(LARGE)) < 3000, BACK)
        self.traps.wait(mark, "guestmonBurstClear", 20, guest=f"web-{SMALL}")
        self.assertFalse(self.traps.since(mark, "guestmonLeak"))
        self.assert_sequences_whole(self.traps.since(mark))


def numbers(value):
    """All numbers within a JSON value."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield float(value)
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from numbers(item)

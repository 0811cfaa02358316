# SPDX-License-Identifier: Apache-2.0
"""SET through a real snmpd: off unless allowed, all or nothing, told and kept."""

import json
import signal
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from rig import ROOT, Rig, wait_until

DRIVER = DAEMON = CTL = None
ACK, COMMENT, TEXT = ROOT + ".1.8.1.30", ROOT + ".1.8.1.24", ROOT + ".1.8.1.14"
PAUSE = ROOT + ".1.31.1.16.115.110.109.112"  # of the output snmp
GERMAN = "schaut sich’s an"


class Set(unittest.TestCase):
    longMessage = True

    def setUp(self):
        self.rig = Rig()
        self.addCleanup(self.rig.close)

    def start(self, writable="yes"):
        self.rig.start_snmptrapd()
        self.rig.start_snmpd("rwcommunity guestmon 127.0.0.1")
        self.daemon = self.rig.start_daemon(DAEMON, snmp=f"{{agentx-socket: {self.rig.socket}, writable: {writable}}}")
        wait_until("the alarm is in the MIB", lambda: self.rig.get(ROOT + ".1.8.1.9.1"), 30)

    def set(self, *words):
        return self.rig.set(*words)

    def alarm(self):
        alarm, = self.rig.alarms(CTL)
        return alarm

    def test_off_unless_allowed(self):
        self.start(writable="no")
        self.assertEqual(self.set(ACK + ".1", "i", "2"), "notWritable")
        self.assertFalse(self.alarm().get("acknowledged_at"))

    def test_errors(self):
        """RFC 3416, section 4.2.5; and nothing of a request that has one comes true."""
        self.start()
        cases = [((ACK + ".1", "s", "yes"), "wrongType"), ((ACK + ".1", "i", "3"), "wrongValue"),
                 ((ACK + ".1", "i", "0"), "wrongValue"), ((COMMENT + ".1", "i", "1"), "wrongType"),
                 ((COMMENT + ".1", "s", ""), "wrongLength"), ((COMMENT + ".1", "s", "x" * 256), "wrongLength"),
                 ((COMMENT + ".1", "x", "FF00"), "wrongValue"), ((ACK + ".999", "i", "2"), "noCreation"),
                 ((ACK + ".1.1", "i", "2"), "noCreation"), ((TEXT + ".1", "s", "x"), "notWritable"),
                 ((PAUSE + ".1", "i", "2"), "noCreation"), ((PAUSE, "i", "7"), "wrongValue")]
        for words, error in cases:
            with self.subTest(words=words):
                self.assertEqual(self.set(*words), error)
                self.assertEqual(self.set(ACK + ".1", "i", "2", COMMENT + ".1", "s", "never", *words), error)
        time.sleep(1)
        self.assertFalse(self.alarm().get("acknowledged_at"))
        self.assertFalse(self.alarm().get("comments"))
        self.assertIn(self.set(ACK + ".1", "i", "2", "1.3.6.1.2.1.1.3.0", "t", "1"), ("notWritable", "noAccess"))
        time.sleep(0.5)
        self.assertFalse(self.alarm().get("acknowledged_at"))

    def test_acknowledgement_is_told_and_kept(self):
        self.start()
        self.assertEqual(self.set(ACK + ".1", "i", "2", COMMENT + ".1", "s", GERMAN), "")
        wait_until("it shows", lambda: self.rig.get(ACK + ".1") == "acknowledged")
        wait_until("it is told", lambda: "gmNotifyAcknowledgedBy.0 = STRING: snmp" in self.rig.trap_log())
        wait_until("the comment is told", lambda: "gmNotifyNews.0 = INTEGER: commented(4)" in self.rig.trap_log())
        alarm = self.alarm()
        self.assertEqual((alarm["acknowledged_by"], alarm["comment"], alarm["comments"]), ("snmp", GERMAN, 1))
        log = (self.rig.folder / "guestmond.log").read_text("utf-8")
        self.assertIn("mib: a manager has acknowledged alarm 1", log)
        self.assertIn("mib: a manager has commented alarm 1", log)
        self.rig.end(self.daemon, signal.SIGKILL)
        self.rig.spawn("guestmond.log", DAEMON, "-f", "-c", self.rig.folder / "guestmon.yaml")
        wait_until("it is kept", lambda: self.rig.get(ACK + ".1") == "acknowledged", 30)
        self.assertEqual(self.set(ACK + ".1", "i", "1"), "")
        wait_until("it is taken back", lambda: self.rig.get(ACK + ".1") == "unacknowledged")

    def test_notifications_wait_while_paused(self):
        self.start()
        wait_until("the raise arrives", lambda: "guestmonThresholdRaise" in self.rig.trap_log())
        self.assertEqual(self.set(PAUSE, "i", "2"), "")
        wait_until("it shows", lambda: self.rig.get(PAUSE) == "paused")
        self.assertEqual(self.set(COMMENT + ".1", "s", "in silence"), "")
        time.sleep(1.5)
        self.assertNotIn("in silence", self.rig.trap_log())
        self.assertEqual(self.set(PAUSE, "i", "1"), "")
        wait_until("what waited arrives", lambda: "in silence" in self.rig.trap_log())

    def test_managers_at_once(self):
        self.start()
        with ThreadPoolExecutor(8) as pool:
            errors = list(pool.map(lambda number: self.set(COMMENT + ".1", "s", f"comment {number}", ACK + ".1", "i", "2"), range(24)))
        self.assertEqual(errors, [""] * 24)
        wait_until("all are there", lambda: self.alarm()["comments"] == 24)
        texts = {row["comment"] for row in json.loads(self.rig.ctl(CTL, "--json", "comments", "1").stdout)["comments"]}
        self.assertEqual(texts, {f"comment {number}" for number in range(24)})

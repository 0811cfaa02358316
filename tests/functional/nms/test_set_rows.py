# SPDX-License-Identifier: Apache-2.0
"""SET of rows through a real snmpd: thresholds that managers make, all or nothing, told and kept."""

import signal
import sqlite3
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from rig import ROOT, Rig, wait_until

DRIVER = DAEMON = CTL = STUBBORN = None
OTHER = ".1.3.6.1.4.1.8072.9999.9999.7667.1.0"
COLUMNS = {name: number for number, name in enumerate(
    ("metric", "function", "window", "percentile", "direction", "rising", "falling", "severity", "warning-max",
     "warning-min", "failure-max", "failure-min", "hysteresis", "invert", "persist", "hits", "duration", "missing",
     "kinds", "guest", "uuid", "project", "flavor", "enabled", "owner", "alarms", "changed", "storage", "status"), 2)}
ACTIVE, NOT_IN_SERVICE, NOT_READY, CREATE_AND_GO, CREATE_AND_WAIT, DESTROY = "123456"
VOLATILE, KEPT = "23"


def cell(name, column):
    """The object of a row; a number that is no column's stands for itself."""
    index = ".".join(str(octet) for octet in (len(name), *name.encode()))
    return f"{ROOT}.1.40.1.{COLUMNS.get(column, column)}.{index}"


class SetRows(unittest.TestCase):
    longMessage = True

    def setUp(self):
        self.rig = Rig()
        self.addCleanup(self.rig.close)

    def start(self, writable="yes", **more):
        self.rig.start_snmptrapd()
        self.snmpd = self.rig.start_snmpd("rwcommunity guestmon 127.0.0.1")
        self.daemon = self.rig.start_daemon(
            DAEMON, snmp=f"{{agentx-socket: {self.rig.socket}, writable: {writable}}}", **more)
        wait_until("the policy's row is in the MIB", lambda: self.value("any-load", "status") == "1", 30)

    def again(self, number=signal.SIGKILL):
        self.rig.end(self.daemon, number)
        self.daemon = self.rig.spawn("guestmond.log", DAEMON, "-f", "-c", self.rig.folder / "guestmon.yaml")

    def set(self, *words):
        return self.rig.set(*words)

    def row(self, name, *columns):
        """set() of some columns of a row: ("rising", "s", "0") …"""
        return self.set(*(word for column, kind, value in columns for word in (cell(name, column), kind, value)))

    def make(self, name, *more, status=CREATE_AND_GO, rising="0"):
        return self.row(name, ("metric", "s", "load.1"), ("kinds", "x", "80"), ("rising", "s", rising),
                        ("status", "i", status), *more)

    def value(self, name, column):
        done = self.rig.run("snmpget", "-t", "1", "-r", "0", "-Oqv", self.rig.agent, cell(name, column), check=False,
                            env={"MIBS": ""})
        return None if done.returncode or done.stdout.startswith("No ") else done.stdout.strip().strip('"')

    def alarms(self, rule):
        return [alarm for alarm in self.rig.alarms(CTL) if alarm.get("rule") == rule]

    def log(self):
        return (self.rig.folder / "guestmond.log").read_text("utf-8")

    def test_off_unless_allowed(self):
        self.start(writable="no")
        self.assertEqual(self.make("mine"), "notWritable")
        self.assertIsNone(self.value("mine", "status"))
        self.assertEqual(self.value("any-load", "failure-min"), "1000")
        self.assertEqual(self.value("any-load", "storage"), "5")

    def test_a_row_raises_and_its_end_clears(self):
        self.start()
        self.assertEqual(self.make("mine", ("severity", "i", "4"), ("owner", "s", "ops ☎")), "")
        self.assertEqual(self.value("mine", "status"), ACTIVE, "it shows at once")
        alarm, = wait_until("the alarm is raised", lambda: self.alarms("mine"))
        self.assertEqual((alarm["severity"], alarm["detector"], alarm["metric"]), ("major", "threshold", "load.1"))
        wait_until("it counts", lambda: self.value("mine", "alarms") == "1")
        self.assertEqual(self.row("mine", ("owner", "s", "ops 2")), "")
        wait_until("it is in use", lambda: '"ops 2"' in self.log())
        time.sleep(1)
        self.assertEqual(self.value("mine", "alarms"), "1", "still the one")
        self.assertEqual(self.row("mine", ("rising", "s", "1G")), "", "active rows can be changed")
        wait_until("the new limit clears it", lambda: not self.alarms("mine"))
        self.assertEqual(self.row("mine", ("direction", "i", "2"), ("falling", "s", "1M"), ("rising", "s", "2M")), "")
        wait_until("below the limit it is raised", lambda: self.alarms("mine"))
        self.assertEqual(self.row("mine", ("metric", "s", "load.5")), "")
        wait_until("another metric is another alarm", lambda: [alarm["metric"] for alarm in self.alarms("mine")] == ["load.5"])
        self.assertEqual(self.row("mine", ("status", "i", NOT_IN_SERVICE)), "")
        wait_until("out of service it is cleared", lambda: not self.alarms("mine"))
        self.assertEqual(self.row("mine", ("status", "i", ACTIVE)), "")
        wait_until("back in service", lambda: self.alarms("mine"))
        self.assertEqual(self.row("mine", ("status", "i", DESTROY)), "")
        self.assertIsNone(self.value("mine", "status"))
        wait_until("destroyed it is cleared", lambda: not self.alarms("mine"))
        wait_until("the clear says why", lambda: "gmNotifyNews.0 = INTEGER: disabled(9)" in self.rig.trap_log())
        self.assertTrue(self.alarms("any-load"), "the others stay")
        log = self.log()
        self.assertIn('mib: a manager has set threshold mine: metric "load.1", rising 0, severity major, '
                      'of every node, owner "ops ☎"', log)
        self.assertIn("mib: a manager has destroyed threshold mine", log)

    def test_errors(self):
        """RFC 3416, section 4.2.5, and RFC 2579, RowStatus; nothing of a request that has one comes true."""
        self.start()
        self.assertEqual(self.make("mine", status=CREATE_AND_WAIT), "")
        before = [self.value("mine", column) for column in COLUMNS]
        cases = [
            (cell("mine", "metric"), "i", "1", "wrongType"), (cell("mine", "metric"), "s", "no.such", "wrongValue"),
            (cell("mine", "metric"), "s", "x" * 48, "wrongLength"), (cell("mine", "rising"), "s", "much", "wrongValue"),
            (cell("mine", "rising"), "s", "nan", "wrongValue"), (cell("mine", "rising"), "i", "1", "wrongType"),
            (cell("mine", "rising"), "s", "1" * 32, "wrongLength"), (cell("mine", "percentile"), "s", "101", "wrongValue"),
            (cell("mine", "percentile"), "s", "", "wrongValue"), (cell("mine", "hits"), "i", "1", "wrongType"),
            (cell("mine", "hits"), "u", "0", "wrongValue"), (cell("mine", "hits"), "u", "4294967295", "wrongValue"),
            (cell("mine", "window"), "u", "9", "wrongValue"), (cell("mine", "function"), "i", "7", "wrongValue"),
            (cell("mine", "severity"), "i", "1", "wrongValue"), (cell("mine", "enabled"), "i", "3", "wrongValue"),
            (cell("mine", "kinds"), "x", "01", "wrongValue"), (cell("mine", "kinds"), "x", "8000", "wrongLength"),
            (cell("mine", "guest"), "x", "FF", "wrongValue"), (cell("mine", "guest"), "s", "x" * 256, "wrongLength"),
            (cell("mine", "owner"), "x", "6100", "wrongValue"), (cell("mine", "storage"), "i", "5", "wrongValue"),
            (cell("mine", "storage"), "i", "4", "wrongValue"), (cell("mine", "status"), "i", NOT_READY, "wrongValue"),
            (cell("mine", "status"), "i", "7", "wrongValue"), (cell("mine", "status"), "u", "1", "wrongType"),
            (cell("mine", "alarms"), "u", "1", "notWritable"), (cell("mine", 99), "i", "1", "notWritable"),
            (cell("mine", 1), "s", "x", "notWritable"), (cell("mine", "status"), "i", CREATE_AND_GO, "inconsistentValue"),
            (cell("other", "rising"), "s", "1", "inconsistentName"), (cell("other", "status"), "i", ACTIVE, "inconsistentValue"),
            (cell("other", "status"), "i", CREATE_AND_GO, "inconsistentValue"),
            (cell("any-load", "rising"), "s", "1", "notWritable"), (cell("any-load", "status"), "i", DESTROY, "notWritable"),
            (cell("a b", "status"), "i", CREATE_AND_WAIT, "noCreation"), (cell("", "status"), "i", DESTROY, "noCreation"),
            (cell("\0", "status"), "i", CREATE_AND_WAIT, "noCreation"),
            (cell("mine\0", "status"), "i", ACTIVE, "noCreation"), (cell("a\0b", "status"), "i", CREATE_AND_WAIT, "noCreation"),
            (cell("x" * 48, "status"), "i", CREATE_AND_WAIT, "noCreation"),
            (cell("mine", "status") + ".1", "i", ACTIVE, "noCreation")]
        for *words, error in cases:
            with self.subTest(words=words):
                self.assertEqual(self.set(*words), error)
                self.assertEqual(self.set(cell("mine", "duration"), "u", "7000", *words), error)
        time.sleep(1)  # what is refused is told once a second
        contradictions = [(("falling", "s", "5"),), (("warning-max", "s", "5"),), (("kinds", "x", "10"),),
                          (("rising", "s", ""),), (("metric", "s", ""),), (("direction", "i", "2"),)]
        for columns in contradictions:
            with self.subTest(columns=columns):
                self.assertEqual(self.row("mine", *columns, ("status", "i", ACTIVE)), "inconsistentValue")
        self.assertEqual([self.value("mine", column) for column in COLUMNS], before)
        self.assertIn('mib: threshold "mine" of a manager is refused: falling: ', self.log())
        self.assertFalse(self.alarms("mine"))

    def test_step_by_step(self):
        """createAndWait, then a column at a time: what is missing shows as notReady."""
        self.start()
        self.assertEqual(self.row("slow", ("status", "i", CREATE_AND_WAIT)), "")
        self.assertEqual(self.value("slow", "status"), NOT_READY)
        self.assertEqual(self.row("slow", ("status", "i", ACTIVE)), "inconsistentValue")
        self.assertEqual(self.row("slow", ("metric", "s", "load.1")), "")
        self.assertEqual(self.row("slow", ("failure-max", "s", "-1")), "")
        self.assertEqual(self.value("slow", "status"), NOT_IN_SERVICE)
        self.assertEqual(self.row("slow", ("status", "i", ACTIVE), ("storage", "i", VOLATILE)), "")
        self.assertEqual(wait_until("raised", lambda: self.alarms("slow"))[0]["severity"], "critical")
        self.assertEqual(self.row("slow", ("enabled", "i", "2")), "")
        wait_until("disabled it is cleared", lambda: not self.alarms("slow"))
        self.assertEqual(self.row("never", ("status", "i", DESTROY)), "", "RFC 2579 lets one destroy what is not there")

    def test_kept_over_restarts(self):
        """kill -9; what is volatile goes, what is damaged is told and takes nothing else."""
        self.start()
        self.assertEqual(self.make("kept", ("guest", "s", "web-*,!web-9"), rising="1Gi"), "")
        self.assertEqual(self.make("gone", ("storage", "i", VOLATILE)), "")
        self.assertEqual(self.make("raised"), "")
        self.assertEqual(self.make("broken"), "")
        self.assertEqual(self.row("half", ("metric", "s", "load.1"), ("status", "i", CREATE_AND_WAIT)), "")
        first, = wait_until("raised", lambda: self.alarms("raised"))
        self.rig.end(self.daemon, signal.SIGKILL)
        with sqlite3.connect(self.rig.folder / "gm/state.db") as database:
            database.execute("UPDATE registrations SET record = replace(record, '\"rising\":\"0\"', '\"rising\":\"much\"')"
                             " WHERE kind = 'threshold' AND id = 'broken'")
        database.close()
        self.daemon = self.rig.spawn("guestmond.log", DAEMON, "-f", "-c", self.rig.folder / "guestmon.yaml")
        wait_until("it is back", lambda: self.value("kept", "status") == ACTIVE, 30)
        self.assertEqual([self.value("kept", column) for column in ("rising", "guest", "storage", "metric")],
                         ["1073741824", "web-*,!web-9", KEPT, "load.1"])
        self.assertEqual([self.value(name, "status") for name in ("gone", "raised", "broken", "half")],
                         [None, ACTIVE, None, NOT_READY])
        self.assertIn('threshold "broken" of a manager cannot be used: rising: "much" is not understood', self.log())
        again, = wait_until("its alarm is there", lambda: self.alarms("raised"))
        self.assertEqual(again["id"], first["id"], "and was not raised twice")
        self.assertEqual(self.row("broken", ("status", "i", DESTROY)), "", "what cannot be used can go")
        wait_until("it is gone", lambda: "mib: a manager has destroyed threshold broken" in self.log())
        with sqlite3.connect(self.rig.folder / "gm/state.db") as database:
            names = [name for name, in database.execute("SELECT id FROM registrations WHERE kind = 'threshold'")]
        database.close()
        self.assertEqual(sorted(names), ["half", "kept", "raised"])
        # The master goes and comes back.
        self.rig.end(self.snmpd, signal.SIGKILL)
        self.rig.start_snmpd("rwcommunity guestmon 127.0.0.1")
        wait_until("served again", lambda: self.value("kept", "status") == ACTIVE, 30)
        self.assertEqual(self.row("raised", ("status", "i", DESTROY)), "")
        wait_until("cleared", lambda: not self.alarms("raised"))

    def test_undone_when_another_subagent_fails(self):
        """Ours has agreed and committed; the other's commit fails after that, and nothing of ours has come true."""
        self.start()
        self.assertEqual(self.make("mine", rising="1G"), "")
        other = self.rig.spawn("stubborn.log", STUBBORN, self.rig.socket)
        said = lambda: (self.rig.folder / "stubborn.log").read_text("ascii", "replace")
        wait_until("the other subagent is served", lambda: self.rig.get(OTHER))
        for first in (True, False):
            ours = (cell("mine", "rising"), "s", "0", cell("new", "status"), "i", CREATE_AND_WAIT)
            others = (OTHER, "i", "-1")
            self.assertEqual(self.set(*ours, *others) if first else self.set(*others, *ours), "commitFailed")
            self.assertEqual(self.value("mine", "rising"), "1000000000")
            self.assertIsNone(self.value("new", "status"))
        time.sleep(1.5)
        self.assertFalse(self.alarms("mine"))
        self.assertEqual(self.value("mine", "rising"), "1000000000")
        self.assertIn("failed", said())
        self.assertEqual(self.set(*ours, OTHER, "i", "5"), "", "with its consent both come true")
        self.assertEqual((self.value("mine", "rising"), self.rig.get(OTHER)), ("0", "5"))
        wait_until("raised", lambda: self.alarms("mine"))
        self.rig.end(other)

    def test_managers_at_once(self):
        """Of two that make a row of one name one is refused; rows of different names all come; there is a bound."""
        self.start()
        with ThreadPoolExecutor(8) as pool:
            errors = list(pool.map(lambda number: self.make("one", ("owner", "s", f"manager {number}"), rising="1G"), range(8)))
        self.assertEqual(sorted(errors), [""] + ["inconsistentValue"] * 7)
        self.assertEqual(self.value("one", "owner"), f"manager {errors.index('')}")
        with ThreadPoolExecutor(8) as pool:
            errors = list(pool.map(lambda number: self.make(f"row-{number}", rising="1G"), range(70)))
        self.assertEqual([errors.count(error) for error in ("", "resourceUnavailable")], [63, 7])
        self.assertEqual(self.row("one", ("status", "i", DESTROY)), "")
        self.assertEqual(self.make("last", rising="1G"), "")
        # In one request: the parts come true one after the other.
        ends = (cell("last", "status"), "i", DESTROY)
        makes = (cell("swap", "metric"), "s", "load.1", cell("swap", "rising"), "s", "1G", cell("swap", "status"), "i", CREATE_AND_GO)
        self.assertEqual(self.set(*makes, *ends), "resourceUnavailable")
        self.assertEqual(self.set(*ends, *makes), "")
        self.assertEqual((self.value("last", "status"), self.value("swap", "status")), (None, ACTIVE))
        # What a file's hides is there all the same.
        self.rig.write_policy("thresholds: [{name: any-load, metric: load.1, failure-min: 1000},"
                              " {name: swap, metric: load.1, failure-max: 100000}]\n")
        self.daemon.send_signal(signal.SIGHUP)
        wait_until("the file's is shown", lambda: self.value("swap", "storage") == "5")
        self.assertEqual(self.make("beyond", rising="1G"), "resourceUnavailable")
        self.assertNotIn("came too late", self.log())

    def test_a_file_goes_first(self):
        """A policy file that gets a rule of a manager's name: the file's is judged until it is gone."""
        self.start()
        self.assertEqual(self.make("mine"), "")
        wait_until("raised", lambda: self.alarms("mine"))
        self.rig.write_policy("thresholds:\n  - {name: any-load, metric: load.1, failure-min: 1000}\n"
                              "  - {name: mine, metric: load.1, failure-max: 100000}\n")
        self.daemon.send_signal(signal.SIGHUP)
        wait_until("the file's is shown", lambda: self.value("mine", "storage") == "5")
        wait_until("and judged", lambda: not self.alarms("mine"))
        self.assertIn("threshold mine of a manager is left out: a policy file has one of that name", self.log())
        for number in range(3):
            self.assertEqual(self.make(f"other-{number}", rising="1G"), "")
        time.sleep(1.5)
        self.assertEqual(self.log().count("threshold mine of a manager is left out"), 1, "told once, not with each change")
        self.rig.write_policy("thresholds:\n  - {name: any-load, metric: load.1, failure-min: 1000}\n")
        self.daemon.send_signal(signal.SIGHUP)
        wait_until("the manager's is back", lambda: self.value("mine", "storage") == KEPT and self.alarms("mine"))

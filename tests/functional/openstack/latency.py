# SPDX-License-Identifier: Apache-2.0
"""By hand (`run ... latency`): how long an alarm takes from its finding to who is told, by stage, as one table: by a
real snmpd to snmptrapd, by webhook, by Aodh's API. Alarms come and go one by one, first ones that Aodh does not know;
then many at once, without Aodh, whose requests queue. Found, journalled and sent are the daemon's times (of the
journal and of the messages), received that of the consumer: when snmptrapd has printed, when the receiver has read,
and Aodh's state_timestamp. GM_LATENCY: how many alarms, GM_LATENCY_STORM: how many at once."""

import datetime
import importlib.util
import os
import random
import re
import sqlite3
import sys
import threading
import time

from gmtest.wait import wait_until
from rig import HERE, PATIENCE, WAIT, OpenStackTest

ALARMS = int(os.environ.get("GM_LATENCY", "40"))
STORM = int(os.environ.get("GM_LATENCY_STORM", "200"))
MARK = re.compile(r"found \S+, sent (\S+)Z\nguestmon: \S+/(\d+)@\d+$")
TRAP = re.compile(r"gmNotifySequence\.0 = \S+ (\d+)")
STAGES = ("found → journalled", "journalled → sent", "sent → received", "found → received")


def load(folder, name):
    """A module of the tests beside these, which has a namesake here."""
    spec = importlib.util.spec_from_file_location(f"{folder}_{name}", os.path.join(HERE, "..", folder, name + ".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def seconds(text):
    when = datetime.datetime.fromisoformat(text.rstrip("Z"))
    return when.replace(tzinfo=datetime.timezone.utc).timestamp()


class Traps:
    """Sequence number → when snmptrapd has printed it."""

    def __init__(self, path):
        self.path, self.seen, self.going = path, {}, True
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        rest = ""
        with open(self.path, encoding="utf-8", errors="replace") as log:
            while self.going:
                text = log.read()
                now = time.time()
                lines = (rest + text).split("\n")
                rest = lines.pop()
                for number in TRAP.findall("\n".join(lines)):
                    self.seen.setdefault(int(number), now)
                time.sleep(0.002)

    def end(self):
        self.going = False
        self.thread.join()


class Latency(OpenStackTest):
    def setUp(self):
        super().setUp()
        self.forget_alarms()
        self.snmp = load("nms", "rig").Rig()
        self.addCleanup(self.snmp.close)
        self.snmp.start_snmptrapd()
        self.snmp.start_snmpd()
        self.traps = Traps(self.snmp.folder / "traps.log")
        self.addCleanup(self.traps.end)
        self.hook = load("outputs", "receiver").Receiver()
        self.addCleanup(self.hook.down)
        self.aodh_sets, self.fresh = {}, set()

    # -- the alarms

    def idle(self):
        def told():
            rows = self.node.ask("outputs")["outputs"]
            return all(row["backlog"] == 0 for row in rows)
        wait_until("all is told", told, 4 * WAIT, 0.05)

    def steps(self, sets):
        for names in sets:
            self.node.raise_(*names)
            wait_until("they are active", lambda names=names: len(
                self.node.ask("alarms")["alarms"]) == len(names), WAIT, 0.02)
            self.idle()
            time.sleep(random.uniform(0, 0.1))  # not in step with the daemon's timers

    def note_aodh(self, fresh=False):
        """The newest change of each alarm as Aodh shows it: sequence → sent, set."""
        for alarm in self.aodh_alarms().values():
            sent, sequence = MARK.search(alarm["description"]).groups()
            self.aodh_sets[int(sequence)] = seconds(sent), seconds(alarm["state_timestamp"])
            if fresh:
                self.fresh.add(int(sequence))

    def one_by_one(self, names):
        for known in range(2):
            self.steps(names[:count + 1] for count in range(len(names)))
            self.note_aodh(fresh=known == 0)
            self.steps(names[count + 1:] for count in range(len(names)))
            self.note_aodh()

    def await_traps(self):
        """Those of a storm that overran the receiver's socket do not come: UDP."""
        seen = -1
        while seen < len(self.traps.seen) < len(self.journal()):
            seen = len(self.traps.seen)
            time.sleep(3)

    # -- the table

    def journal(self):
        """sequence → found, journalled; raises and clears."""
        database = sqlite3.connect(self.node.path("state/state.db"))
        try:
            rows = database.execute("SELECT sequence, time, journalled FROM journal WHERE kind <> 1").fetchall()
        finally:
            database.close()
        return {sequence: (found / 1e9, journalled / 1e9) for sequence, found, journalled in rows}

    def hooks(self):
        return {request.json["sequence"]: (seconds(request.json["times"]["sent"]), request.received)
                for request in self.hook.arrived()}

    @staticmethod
    def row(what, values):
        values = sorted(values)
        p50, p99 = (values[min(len(values) - 1, len(values) * part // 100)] for part in (50, 99))
        return f"  {what:<32}{1e3 * p50:9.1f}{1e3 * p99:9.1f}{1e3 * values[-1]:9.1f}"

    def tell(self, title, journal, told):
        """`told`: sequence → sent (None: not known), received."""
        ways = [(*journal[sequence], *told[sequence]) for sequence in sorted(told) if sequence in journal]
        self.assertTrue(ways, title)
        title = f"{title}, {len(ways)} of {len(journal)}"
        print(f"{title:<40}p50      p99      max   ms")
        stages = [(0, 1), (1, 2), (2, 3), (0, 3)] if ways[0][2] else [(0, 1), (1, 3), (0, 3)]
        names = STAGES if ways[0][2] else (STAGES[0], "journalled → received", STAGES[3])
        for name, (begin, end) in zip(names, stages):
            print(self.row(name, [way[end] - way[begin] for way in ways]))

    def test_table(self):
        self.node.snmp = f"{{agentx-socket: {self.snmp.socket}}}"
        self.node.output("cloud", "type: aodh\nchanges: false\n" + self.credential() + PATIENCE)
        self.node.output("hook", f"type: webhook\nformat: json\nurl: {self.hook.url()}\n")
        self.node.start()
        wait_until("the agent is served", self.snmp.served, WAIT)
        self.steps([["warm"], []])
        time.sleep(3)  # what Aodh holds is compared with what is active, once after the start
        first = max(self.journal())
        self.one_by_one([f"n{number}" for number in range(ALARMS)])
        calm = {sequence: times for sequence, times in self.journal().items() if sequence > first}
        os.remove(self.node.path("outputs.d/cloud.yaml"))
        self.steps([[f"s{number}" for number in range(STORM)], []])
        self.await_traps()
        storm = {sequence: times for sequence, times in self.journal().items() if sequence > max(calm)}
        traps = {sequence: (None, when) for sequence, when in self.traps.seen.items()}
        self.aodh_sets = {sequence: times for sequence, times in self.aodh_sets.items() if sequence > first}
        print(f"\nload {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
        self.tell("SNMP trap", calm, traps)
        self.tell("webhook", calm, self.hooks())
        self.tell("Aodh, alarm not known", calm, {s: t for s, t in self.aodh_sets.items() if s in self.fresh})
        self.tell("Aodh, alarm known", calm, {s: t for s, t in self.aodh_sets.items() if s not in self.fresh})
        self.tell("SNMP trap, many at once", storm, traps)
        self.tell("webhook, many at once", storm, self.hooks())
        sys.stdout.flush()
        self.assertEqual(len(calm), 4 * ALARMS, "each came and went twice")

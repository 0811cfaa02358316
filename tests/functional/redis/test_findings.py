# SPDX-License-Identifier: Apache-2.0
"""Findings of other programs: they become alarms, once, whatever dies in between; what is wrong is kept
with the reason; silence ends them."""

import json
import random
import signal
import subprocess
import time

from rig import PASSWORD, PREFIX, RigTest, wait_until

FINDINGS = PREFIX + "findings"
LEAK = {"entity": "node", "detector": "forest", "metric": "memory.used"}


class Findings(RigTest):

    def tearDown(self):
        for alarm in self.rig.alarms():
            self.rig.find(entity=alarm["entity"], detector=alarm["detector"],
                          metric=alarm["metric"], state="ok")
        self.wait_alarms(0)

    def since(self, mark):
        return self.rig.transitions()[mark:]

    def test_finding_becomes_an_alarm_and_ends(self):
        mark = len(self.rig.transitions())
        key = self.rig.find(**LEAK, state="active", severity="major", slope_bytes_per_s="4194304",
                            time_to_exhaustion_s="90.5", contributors="memory.used,swap.used")
        alarm, = self.wait_alarms(1)
        self.assertEqual((alarm["detector"], alarm["metric"], alarm["severity"], alarm["entity"]),
                         ("forest", "memory.used", "major", "node"))
        self.assertEqual(alarm["evidence"], {
            "slope_bytes_per_s": 4194304, "time_to_exhaustion_s": 90.5,
            "contributors": ["memory.used", "swap.used"], "origin": f"external {key}"})
        self.assertIn("found by forest (external)", alarm["text"])
        self.assertIn("forest (external)", self.rig.ctl("alarms").stdout)
        self.rig.find(**LEAK, state="active", severity="critical")
        wait_until("the severity is changed", lambda: self.rig.alarms()[0]["severity"] == "critical")
        self.rig.find(**LEAK, state="ok")
        self.wait_alarms(0)
        self.assertEqual(self.since(mark), [(state, "forest", "memory.used")
                                            for state in ("raise", "change", "clear")])

    def test_rejected_with_the_reason(self):
        before = self.rig.status()
        self.rig.find(**LEAK, state="up")
        self.rig.find(**{**LEAK, "entity": "guest:11111111-2222-3333-4444-555555555555"},
                      state="active")
        self.rig.find(**{**LEAK, "detector": "leak"}, state="active")
        self.rig.find(**LEAK, state="active", time=str(time.time() - 3600))
        self.rig.find(**LEAK, state="active", surprise="\x1b[2J")
        wait_until("five are rejected",
                   lambda: self.rig.status()["rejected"] == before["rejected"] + 5)
        reasons = [entry["reason"] for entry in self.rig.rejected()[-5:]]
        for reason, word in zip(reasons, ("state:", "no such entity", "detector of the daemon",
                                          "back", "unknown field")):
            self.assertIn(word, reason)
        self.assertEqual(self.rig.rejected()[-5]["entity"], "node")
        self.assertEqual(self.rig.alarms(), [])
        self.assertNotIn("\x1b", self.rig.log.read_text("utf-8"))

    def test_flood_is_limited(self):
        before = self.rig.status()
        line = "XADD " + FINDINGS + " * " + " ".join(
            f"{name} {value}" for name, value in {**LEAK, "detector": "flood", "state": "active"}.items())
        subprocess.run(["redis-cli", "-s", str(self.rig.redis_socket), "--no-auth-warning", "--user",
                        "guestmon-analyser", "--pass", PASSWORD["guestmon-analyser"]],
                       input=(line + "\n") * 2000, text=True, check=True, capture_output=True)
        wait_until("all are read", lambda: self.read_since(before) >= 2000, 20)
        status = self.rig.status()
        # 50 a second over ten seconds: 500 at once, and what the reading took
        self.assertGreaterEqual(status["accepted"] - before["accepted"], 500)
        self.assertLess(status["accepted"] - before["accepted"], 1000)
        self.assertLess(len(self.rig.rejected()), 1200)
        self.assertEqual(len(self.wait_alarms(1)), 1)
        time.sleep(1)

    def read_since(self, before):
        status = self.rig.status()
        return status["accepted"] + status["rejected"] - before["accepted"] - before["rejected"]

    def test_silence_ends_it(self):
        self.rig.find(**LEAK, state="active", ttl="2")
        started = time.monotonic()
        self.wait_alarms(1)
        self.wait_alarms(0, 10)
        self.assertGreater(time.monotonic() - started, 2)

    def test_killed_daemon_tells_nothing_twice(self):
        """Entries that were told and not acknowledged are delivered again after the restart."""
        mark = len(self.rig.transitions())
        self.rig.find(**LEAK, state="active")
        self.wait_alarms(1)
        self.rig.end(self.rig.daemon, signal.SIGKILL)
        self.rig.cli("XGROUP", "SETID", FINDINGS, "guestmond", "0")  # as if none had been delivered
        self.rig.start_daemon()
        wait_until("they are delivered again", lambda: self.rig.status()["repeated"] > 0)
        time.sleep(1)
        self.assertEqual(len(self.rig.alarms()), 1)
        self.assertEqual(self.since(mark), [("raise", "forest", "memory.used")])
        time.sleep(21)  # the alarms that nobody stands for are looked for after 20 s
        self.assertEqual(len(self.rig.alarms()), 1)
        self.rig.find(**LEAK, state="ok")
        self.wait_alarms(0)
        self.assertEqual([item[0] for item in self.since(mark)], ["raise", "clear"])

    def test_killed_at_random_moments(self):
        """Every finding is one raise, wherever the kill struck: before it was read, journalled or
        acknowledged."""
        mark, chance = len(self.rig.transitions()), random.Random(7)
        metrics = sorted(json.loads(self.rig.ctl("windows", "node", "--json").stdout)
                         ["entities"]["node"])[:10]
        findings = [(f"a{turn}", metric) for turn in range(6) for metric in metrics]
        for turn in range(6):
            for detector, metric in findings[turn * 10:turn * 10 + 10]:
                self.rig.find(entity="node", detector=detector, metric=metric, state="active")
            time.sleep(chance.random() * 0.05)
            self.rig.end(self.rig.daemon, signal.SIGKILL)
            self.rig.start_daemon()
        self.wait_alarms(len(findings))
        raised = [item[1:] for item in self.since(mark)]
        self.assertEqual(sorted(raised), sorted(findings))

    def test_written_while_the_daemon_was_down(self):
        self.rig.end(self.rig.daemon)
        self.rig.find(**LEAK, state="active")
        self.rig.start_daemon()
        self.wait_alarms(1)

    def test_redis_killed_and_empty(self):
        self.rig.find(**LEAK, state="active")
        self.wait_alarms(1)
        self.rig.end(self.rig.redis, signal.SIGKILL)
        wait_until("it is away", lambda: not self.rig.reads_findings())
        self.assertEqual(len(self.rig.alarms()), 1)
        self.rig.start_redis()
        wait_until("findings are read again", self.rig.reads_findings)
        self.rig.find(**LEAK, state="ok")
        self.wait_alarms(0)

    def test_analyser_in_c(self):
        """It says active while the newest value is above its limit."""
        used = self.newest("node", "memory.used")
        for limit, count in ((used // 2, 1), (used * 2, 0)):
            done = subprocess.run(
                [self.rig.analyser, "-s", self.rig.redis_socket, "-n", "node1", "-u",
                 "guestmon-analyser", "-1", "node", "memory.used", str(limit)],
                env={"GUESTMON_PASSWORD": PASSWORD["guestmon-analyser"]}, text=True,
                capture_output=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            alarms = self.wait_alarms(count)
            if count:
                self.assertEqual(alarms[0]["detector"], "c-example")
                self.assertEqual(alarms[0]["evidence"]["limit"], limit)

    def newest(self, entity, metric):
        for _, fields in self.rig.cli_json("XREVRANGE", PREFIX + entity, "+", "-", "COUNT", 50):
            if metric in fields:
                return int(fields[fields.index(metric) + 1])
        self.fail(f"no {metric} in {entity}")

# SPDX-License-Identifier: Apache-2.0
"""guestmonctl windows over more than the daemon's memory holds: ten minutes that lie in Redis, half of them
as measured and half as means per second, from a run before the daemon's start; what is said when Redis is
hung, of another kind, or gone."""

import json
import re
import signal
import subprocess
import time
import unittest
import xml.etree.ElementTree as ElementTree

from rig import PREFIX, Rig, RigTest, wait_until

NODE_KEY = PREFIX + "node"
COARSE, FINE = 600, 300  # seconds ago: where each stream begins
GROWTH = 1_000_000  # bytes per second, of memory.used


class History(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.rig = Rig(RigTest.rig.daemon_path, RigTest.rig.ctl_path)
        cls.addClassCleanup(cls.end_rig)
        cls.rig.start_redis()
        cls.begin = int(time.time()) - COARSE
        cls.fill()
        cls.rig.start_daemon()
        wait_until("the node's window grows", lambda: len(cls.series("memory.used", None)) > 20)

    @classmethod
    def end_rig(cls):
        assert cls.rig.close() == 0

    @classmethod
    def fill(cls):
        lines = [f"SET {PREFIX}schema 1", f"SADD {PREFIX}entities node"]
        for second in range(COARSE - FINE + 5):  # the last five are in both streams
            mean = 4e9 + second * GROWTH
            lines.append(f"XADD {NODE_KEY}:1s {(cls.begin + second) * 1000}-900 "
                         f"memory.used {mean:.0f} memory.used.min {mean - 7:.0f} "
                         f"memory.used.max {mean + 7:.0f} "
                         f"cpu.time {(second + 1) * 10**9} cpu.time.min 5 cpu.time.max 2000000000")
        for tenth in range((COARSE - FINE) * 10, (COARSE - 5) * 10, 5):
            lines.append(f"XADD {NODE_KEY} {cls.begin * 1000 + tenth * 100}-0 "
                         f"memory.used {4e9 + tenth * GROWTH / 10:.0f} cpu.time {tenth * 10**8}")
        done = subprocess.run(["redis-cli", "-s", str(cls.rig.redis_socket)], text=True, check=True,
                              input="\n".join(lines) + "\n", capture_output=True)
        assert "ERR" not in done.stdout, done.stdout

    @classmethod
    def windows(cls, *options, quiet=True):
        done = cls.rig.ctl("windows", "node", *options)
        assert not quiet or done.stderr == "", done.stderr
        return done

    @classmethod
    def reply(cls, *options, quiet=True):
        return json.loads(cls.windows(*options, "--json", quiet=quiet).stdout)

    @classmethod
    def series(cls, metric, since="10m"):
        options = ("--since", since) if since else ()
        return cls.reply(metric, *options)["entities"]["node"][metric]

    def test_the_older_comes_from_redis(self):
        reply = self.reply("memory.used", "cpu.time", "--since", "10m")
        self.assertEqual(reply["source"], "redis")
        self.assertNotIn("note", reply)
        for metric in ("memory.used", "cpu.time"):
            series = reply["entities"]["node"][metric]
            times = [item[0] for item in series]
            self.assertEqual(times, sorted(set(times)))
            coarse = [item for item in series if len(item) == 4]
            fine = [item for item in series if len(item) == 2]
            self.assertLess(max(item[0] for item in coarse), min(item[0] for item in fine))
            self.assertAlmostEqual(max(item[0] for item in coarse), self.begin + COARSE - FINE, delta=1.2)
            self.assertGreater(len(coarse), 250)
            self.assertGreater(len(fine), (FINE - 5) * 2)
            # ten minutes, less what went by since
            self.assertGreater(times[-1] - times[0], 595)
        moment, mean, least, most = reply["entities"]["node"]["memory.used"][10]
        self.assertEqual(mean, 4e9 + int(moment - self.begin) * GROWTH)
        self.assertEqual((least, most), (mean - 7, mean + 7))

    def test_a_short_range_is_in_memory(self):
        self.assertEqual(self.reply("memory.used")["source"], "rings")
        self.assertEqual(self.reply("memory.used", "--since", "2s")["source"], "rings")

    def test_csv_is_what_replay_reads(self):
        recording = self.windows("memory.used", "--since", "10m", "--csv").stdout
        rows = recording.splitlines()
        self.assertEqual(rows[0], "time,memory.used")
        self.assertGreater(len(rows), 850)
        done = subprocess.run([self.rig.ctl_path, "replay", "--detector", "leak", "-"],
                              input=recording, text=True, capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_drawn(self):
        text = self.windows("memory.used", "--since", "10m", "--plot").stdout
        clocks = re.findall(r"\b\d\d:\d\d:\d\d\b|\b\d\d:\d\d\b", text)
        self.assertGreaterEqual(len(clocks), 2, text)
        path = self.rig.directory / "ten.svg"
        self.windows("memory.used", "--since", "10m", "--svg", path)
        root = ElementTree.parse(path).getroot()
        line = next(p for p in root.iter() if p.get("class") == "line")
        self.assertGreater(len(line.get("d")), 2000)

    def test_one_entity_of_several(self):
        entities = [name for name, metrics in self.reply()["entities"].items() if metrics]
        self.assertEqual(entities[0], "node")
        others = entities[1:]
        if not others:
            self.skipTest("this host has no devices")
        done = self.windows("--csv", quiet=False)
        self.assertIn("printed node;", done.stderr)
        self.assertIn(others[0], done.stderr)
        done = self.windows("--csv", "--entity", others[0])
        self.assertNotIn("memory.used", done.stdout.splitlines()[0].split(","))
        self.assertEqual(list(self.reply("--entity", others[0])["entities"]), [others[0]])
        self.assertEqual(self.reply("--entity", "if:nothing")["entities"], {})

    def test_redis_hangs_and_others_are_answered(self):
        self.rig.redis.send_signal(signal.SIGSTOP)
        self.addCleanup(self.come_back)
        began = time.monotonic()
        slow = subprocess.Popen([self.rig.ctl_path, "-s", self.rig.control, "windows", "node",
                                 "memory.used", "--since", "10m", "--json"],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.rig.ctl("guests")
        self.assertLess(time.monotonic() - began, 1.5)
        out, told = slow.communicate(timeout=10)
        self.assertLess(time.monotonic() - began, 3.5)
        reply = json.loads(out)
        self.assertEqual(reply["source"], "rings")
        self.assertRegex(told, "no answer in time: from the daemon's memory alone|connection")
        self.assertGreater(len(reply["entities"]["node"]["memory.used"]), 20)

    def come_back(self):
        self.rig.redis.send_signal(signal.SIGCONT)
        wait_until("Redis is used again", lambda: self.reply(
            "memory.used", "--since", "10m", quiet=False)["source"] == "redis", 15)

    def test_zz_redis_is_killed(self):
        self.rig.end(self.rig.redis, signal.SIGKILL)
        wait_until("it is away", lambda: not self.rig.reads_findings())
        done = self.windows("memory.used", "--since", "10m", "--json", quiet=False)
        reply = json.loads(done.stdout)
        self.assertEqual(reply["source"], "rings")
        self.assertIn("from the daemon's memory alone", done.stderr)
        self.assertGreater(len(reply["entities"]["node"]["memory.used"]), 20)
        text = self.windows("memory.used", "--since", "10m", "--plot", quiet=False).stdout
        self.assertIn("memory.used of node", text)

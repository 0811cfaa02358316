# SPDX-License-Identifier: Apache-2.0
"""guestmonctl windows: any live window can be replayed, drawn in the terminal and as a picture, with the
alarms of that time; from the rings, with or without Redis; whatever the names in it are."""

import json
import os
import shutil
import socket
import subprocess
import threading
import unicodedata
import xml.etree.ElementTree as ElementTree

from rig import RigTest, wait_until

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</title><script>alert(1)</script>&\"'\x1b[2J\n\u202e\x01"


class Windows(RigTest):

    def ctl(self, *arguments, columns=100, locale="C.UTF-8", control=None, check=True):
        done = subprocess.run(
            [self.rig.ctl_path, "-s", control or self.rig.control, "windows", *map(str, arguments)],
            env={"PATH": os.environ["PATH"], "COLUMNS": str(columns), "LC_ALL": locale, "TZ": "UTC"},
            capture_output=True, check=False)
        if check:
            self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done

    def picture(self, *arguments, control=None):
        path = self.rig.directory / "picture.svg"
        self.ctl(*arguments, "--svg", path, control=control)
        if shutil.which("rsvg-convert"):
            subprocess.run(["rsvg-convert", path, "-o", path.with_suffix(".png")], check=True)
        return ElementTree.parse(path).getroot()

    def test_any_window_can_be_replayed(self):
        for patterns in ((), ("memory.*",), ("cpu.time", "load.1")):
            recording = self.ctl("node", *patterns, "--csv", "--entity", "node").stdout.decode()
            head, *rows = recording.splitlines()
            self.assertGreater(len(rows), 10)
            self.assertEqual(head.split(",")[0], "time")
            if patterns == ("cpu.time", "load.1"):
                self.assertEqual(set(head.split(",")[1:]), {"cpu.time", "load.1"})
            for detector in ("leak", "burst"):
                done = subprocess.run([self.rig.ctl_path, "replay", "--detector", detector, "-"],
                                      input=recording, text=True, capture_output=True, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_every_entity_can_be_replayed(self):
        """Its disks and devices, too: one entity is one recording."""
        windows = json.loads(self.ctl("node", "--json").stdout)["entities"]
        self.assertIn("node", windows)
        for series in windows["node"].values():
            times = [moment for moment, _ in series]
            self.assertEqual(times, sorted(times))

    def test_since_limits(self):
        wait_until("the window is long enough", lambda: self.length("load.1") > 8, 15)
        self.assertLess(self.length("load.1", "--since", "3s"), 3.5)

    def length(self, metric, *options):
        series = json.loads(self.ctl("node", metric, "--json", *options).stdout)
        times = [moment for moment, _ in series["entities"]["node"][metric]]
        return times[-1] - times[0]

    def test_plot(self):
        finding = {"entity": "node", "detector": "forest", "metric": "memory.used"}
        self.rig.find(**finding, state="active", severity="critical")
        self.wait_alarms(1)
        self.rig.find(**finding, state="ok")
        self.wait_alarms(0)
        for columns in (40, 100, 250):
            text = self.ctl("node", "memory.used", "--plot", columns=columns).stdout.decode()
            lines = text.splitlines()
            drawn = [line for line in lines if "┤" in line or "│" in line or "└" in line]
            self.assertEqual(len(drawn), 11)
            self.assertEqual({len(line) for line in drawn}, {columns})
            self.assertTrue(any("\u2800" < letter <= "\u28ff" for letter in text))
            self.assertIn("iB └", text)
            self.assertIn("▲ critical forest:", text)
            self.assertIn("▼ cleared forest:", text)
            self.assertNotIn("\x1b", text)  # colours are for terminals
        plain = self.ctl("node", "memory.used", "--plot", locale="C").stdout
        self.assertTrue(plain.isascii())
        self.assertIn(b"^ critical forest:", plain)
        self.assertIn(b"*", plain)

    def test_svg(self):
        finding = {"entity": "node", "detector": "forest", "metric": "load.1"}
        self.rig.find(**finding, state="active", severity="minor")
        self.wait_alarms(1)
        self.rig.find(**finding, state="ok")
        self.wait_alarms(0)
        root = self.picture("node", "load.1", "memory.used")
        self.assertEqual(root.get("role"), "img")
        self.assertIn("node", root.find(SVG + "title").text)
        self.assertIn("load.1", root.find(SVG + "desc").text)
        marks = [group for group in root.iter(SVG + "g") if (group.get("class") or "").startswith("mark")]
        classes = {group.get("class") for group in marks}
        self.assertLessEqual({"mark minor", "mark cleared", "mark minor other"}, classes)
        self.assertTrue(all(group.find(SVG + "title").text for group in marks))
        self.assertEqual(len([p for p in root.iter(SVG + "path") if p.get("class") == "line"]), 2)
        self.assertNotIn("href", (self.rig.directory / "picture.svg").read_text("utf-8"))

    def test_refusals(self):
        for arguments, status, word in (
                ((), 2, b"needs a guest"),
                (("node", "--plot", "--csv"), 2, b"exclude"),
                (("node", "--since", "yesterday"), 2, b"since"),
                (("node", "--svg", "/nonexistent/a.svg"), 1, b"No such file"),
                (("node", "no.such.metric", "--plot"), 1, b"no metric that matches no.such.metric"),
                (("nobody",), 1, b"no guest")):
            done = self.ctl(*arguments, check=False)
            with self.subTest(arguments=arguments):
                self.assertEqual(done.returncode, status)
                self.assertIn(word, done.stderr)
                self.assertEqual(done.stdout, b"")

    def test_without_redis(self):
        self.rig.end(self.rig.redis)
        self.addCleanup(wait_until, "findings are read again", self.rig.reads_findings, 15)
        self.addCleanup(self.rig.start_redis)
        wait_until("it is away", lambda: not self.rig.reads_findings())
        self.assertIn("┤", self.ctl("node", "load.1", "--plot", "--since", "2s").stdout.decode())

    # ---- a daemon that says what a hostile guest would have it say ----

    def answers(self, listener):
        now = 1_700_000_000
        series = [[now + i / 10, (i * 7919 % 100) * 1e6] for i in range(600)]
        alarm = {"id": 1, "entity": HOSTILE, "severity": HOSTILE, "detector": HOSTILE,
                 "metric": HOSTILE, "text": HOSTILE, "guest_name": HOSTILE}
        log = [{"sequence": i, "state": "raise" if i % 2 else "clear", "time": now + i / 4,
                "alarm": alarm} for i in range(250)]
        windows = {HOSTILE: {HOSTILE: series, "memory.used": series,
                             "odd": [[1, None], ["x", 2], [], 7, [now, 1e308], [now + 1, -1e308]],
                             "net.rx.bytes": [[now, 5], [now, 6], [now + 1, 3], [now + 2, 9]]}}
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                command = json.loads(stream.readline())["command"]
                reply = {"ok": True, "entities": windows} if command == "windows" else {
                    "ok": True, "alarms": [], "log": log}
                stream.write(json.dumps(reply).encode() + b"\n")
                stream.flush()

    def test_hostile_names(self):
        control = self.rig.directory / "hostile.sock"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(control))
        listener.listen()
        self.addCleanup(listener.close)
        threading.Thread(target=self.answers, args=(listener,), daemon=True).start()
        root = self.picture(HOSTILE.replace("\x01", ""), control=control)
        self.assertEqual([item for item in root.iter() if item.tag == SVG + "script"], [])
        self.assertIn("<script>", root.find(SVG + "title").text)  # as text
        for form in ("--plot", "--csv"):
            text = self.ctl("x", form, control=control).stdout.decode()
            if form == "--plot":
                odd = {letter for letter in text if unicodedata.category(letter) in ("Cc", "Cf")}
                self.assertEqual(odd, {"\n"})

# SPDX-License-Identifier: Apache-2.0
"""guestmon-redis(7): its examples run as they are printed, its lists are those of the source."""

import importlib.util
import re
import shutil
import subprocess
import sys

from rig import PASSWORD, PREFIX, REPO, RigTest

MANUAL = REPO / "contrib/man/guestmon-redis.7"
DISPLAY = re.compile(r'^\.\\" (shell|python) ([^\n]+)\n\.Bd [^\n]*\n(.*?)^\.Ed$', re.MULTILINE | re.DOTALL)
ESCAPES = {r"\-": "-", r"\e": "\\", r"\&": "", r"\(aq": "'", r"\(dq": '"'}


def plain(text):
    return re.sub(r"\\\(..|\\.", lambda match: ESCAPES[match.group(0)], text)


def python():
    """An interpreter that has python3-redis: Debian's, where another comes first."""
    return sys.executable if importlib.util.find_spec("redis") else "/usr/bin/python3"


class Manual(RigTest):

    @classmethod
    def setUpClass(cls):
        cls.text = MANUAL.read_text("utf-8")
        for user, name in (("guestmon-reader", "reader"), ("guestmon-analyser", "analyser")):
            (cls.rig.directory / f"{name}.password").write_text(PASSWORD[user] + "\n", "utf-8")
        cls.rig.cli("HSET", PREFIX + "guest:UUID:info", "name", "web-1")
        cls.rig.find(entity="node")  # so that something is rejected

    def local(self, example):
        """As a reader of the manual would change it for a server elsewhere."""
        return (example.replace("/run/redis/redis-server.sock", str(self.rig.redis_socket))
                .replace("/etc/guestmon", str(self.rig.directory)))

    def test_examples_run(self):
        examples = DISPLAY.findall(self.text)
        self.assertGreaterEqual(len(examples), 9)
        for language, expected, display in examples:
            code = self.local(plain(display))
            command = ["sh", "-euc", code] if language == "shell" else [python(), "-c", code]
            with self.subTest(example=code):
                done = subprocess.run(command, text=True, capture_output=True, check=False, timeout=60)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertRegex(done.stdout, re.compile(expected, re.MULTILINE))
        self.wait_alarms(0)
        alarm = ("raise", "by-hand", "memory.used")
        self.assertIn(alarm, self.rig.transitions())

    def test_every_example_is_run(self):
        """No display of the section escapes for want of its comment."""
        section = self.text[self.text.index(".Sh EXAMPLES"):]
        self.assertEqual(section.count("\n.Bd "), len(DISPLAY.findall(self.text)))

    def test_lists_are_those_of_the_source(self):
        evidence = re.findall(r'^GM_EVIDENCE\(\w+, "(\w+)"',
                              (REPO / "src/model/evidence.def").read_text("utf-8"), re.MULTILINE)
        listed = re.search(r"^any of these.*?^\.El", self.text, re.MULTILINE | re.DOTALL).group(0)
        self.assertEqual(re.findall(r"\b[a-z]+(?:_[a-z]+)*\b", re.sub(r"^any.*\n|^\.El", "", listed,
                                                                     flags=re.MULTILINE)), evidence)
        identity = set(re.findall(r'info_(?:text|number|uuid)\(\w+, "(\w+)"',
                                  (REPO / "src/store/redis/encode.c").read_text("utf-8")))
        section = re.search(r"^\.Ss Identity.*?^\.Sh", self.text, re.MULTILINE | re.DOTALL).group(0)
        for name in identity:
            self.assertRegex(section, rf"\b{name}\b")
        fields = re.findall(r'\{"(\w+)", (?:true|false), read_',
                            (REPO / "src/analysis/external_parse.c").read_text("utf-8"))
        self.assertGreater(len(fields), 8)
        for name in fields:
            self.assertIn(f".It Cm {name}\n", self.text)

    def test_mandoc_finds_nothing(self):
        if not shutil.which("mandoc"):
            self.skipTest("mandoc is not installed")
        done = subprocess.run(["mandoc", "-Tlint", "-W", "warning", MANUAL], text=True,
                              capture_output=True, check=False)
        self.assertEqual(done.stdout + done.stderr, "")

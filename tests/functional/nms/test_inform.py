# SPDX-License-Identifier: Apache-2.0
"""The output snmp-inform against a real snmptrapd that is away, killed, hung, and wrong: every transition
arrives, in order; what comes twice has the same sequence number."""

import json
import os
import re
import signal
import socket
import unittest

from rig import POLICY, Rig, free_port, wait_until

DRIVER = DAEMON = CTL = None
SEQUENCE = re.compile(r"GUESTMON-MIB::gmNotifySequence\.0 = Counter64: (\d+)")
SECRETS = {"auth": "a-secret-word", "priv": "p-secret-word", "community": "c-secret-word"}


class Inform(unittest.TestCase):
    longMessage = True

    def setUp(self):
        self.rig = Rig()
        self.addCleanup(self.rig.close)
        self.port = free_port()
        self.outputs = self.rig.folder / "outputs.d"
        self.outputs.mkdir()
        for name, secret in SECRETS.items():
            self.secret(name, secret)

    def secret(self, name, text):
        path = self.rig.folder / name
        path.write_text(text + "\n", "ascii")
        path.chmod(0o600)

    def start(self, **options):
        self.rig.start_snmpd()
        self.write(**options)
        self.rig.start_daemon(DAEMON, policy="", outputs=f"{{directory: {self.outputs}}}")
        wait_until("the daemon answers", lambda: self.rig.ctl(CTL, "status", check=False).returncode == 0)

    def write(self, **options):
        values = {"type": "snmp-inform", "receiver": f"127.0.0.1:{self.port}", "timeout": "1s", "retry-min": "100ms",
                  "retry-max": "500ms", **{key.replace("_", "-"): value for key, value in options.items()}}
        (self.outputs / "nms.yaml").write_text("".join(f"{key}: {value}\n" for key, value in values.items()), "utf-8")

    def receiver(self, *lines):
        (self.rig.folder / "inform.conf").write_text("\n".join(lines) + "\n", "ascii")
        log = self.rig.folder / "informs.log"
        before = log.read_text("utf-8", "replace").count("NET-SNMP version 5") if log.exists() else 0
        process = self.rig.spawn("informs.log", "snmptrapd", "-f", "-C", "-c", self.rig.folder / "inform.conf", "-Lo",
                                 "-F", "inform\\t%v\\n", f"udp:127.0.0.1:{self.port}")
        wait_until("the receiver listens", lambda: self.log().count("NET-SNMP version 5") > before)
        return process

    def log(self):
        return (self.rig.folder / "informs.log").read_text("utf-8", "replace")

    def sequences(self):
        return [int(number) for number in SEQUENCE.findall(self.log())] if (self.rig.folder / "informs.log").exists() else []

    def toggle(self, times=1):
        """Raises and clears in turn."""
        for _ in range(times):
            on = not self.rig.alarms(CTL)
            self.rig.write_policy(POLICY if on else "")
            self.rig.ctl(CTL, "reload")
            wait_until("the alarm follows", lambda on=on: bool(self.rig.alarms(CTL)) == on)

    def output(self):
        rows = json.loads(self.rig.ctl(CTL, "--json", "outputs").stdout)["outputs"]
        return next((row for row in rows if row["name"] == "nms"), {"error": "", "backlog": None, "in_flight": 0})

    def arrived(self, last, exactly=True):
        wait_until(f"all up to {last} arrive", lambda: last in self.sequences(), 60)
        seen = self.sequences()
        once = list(dict.fromkeys(seen))
        self.assertEqual(once, list(range(1, last + 1)))
        if exactly:
            self.assertEqual(seen, once)
        wait_until("the position follows", lambda: self.output()["backlog"] == 0)

    def test_acknowledged_once_and_in_order(self):
        """Away at the start, killed, hung: nothing is missing; only what was not acknowledged comes twice."""
        self.start(community_file=self.rig.folder / "community")
        conf = f"authCommunity log {SECRETS['community']}"
        self.toggle(3)
        wait_until("it is known to be away", lambda: self.output()["error"])
        receiver = self.receiver(conf)
        self.arrived(3)
        self.toggle(2)
        self.arrived(5)
        self.rig.end(receiver, signal.SIGKILL)
        self.toggle(3)
        receiver = self.receiver(conf)
        self.arrived(8)
        receiver.send_signal(signal.SIGSTOP)
        self.toggle(2)
        wait_until("it hangs", lambda: "acknowledge" in self.output()["error"])
        self.assertEqual(self.output()["error"], "the receiver does not acknowledge")
        receiver.send_signal(signal.SIGCONT)
        self.arrived(10, exactly=False)
        text = self.log()
        self.assertRegex(text, r"sysUpTime|mib-2\.1\.3\.0")
        for name in ("gmNotifyAlarmId", "gmNotifyTime", "gmNotifySeverity", "gmNotifyText", "gmNotifyRule"):
            self.assertIn(f"GUESTMON-MIB::{name}.0 = ", text)
        self.assertNotIn(SECRETS["community"], (self.rig.folder / "guestmond.log").read_text("utf-8"))

    def test_daemon_killed(self):
        """kill -9 of the daemon while the receiver is away: what waited is told after the start."""
        self.start(community_file=self.rig.folder / "community")
        self.toggle(2)
        daemon = next(process for process in self.rig.processes if process.args[0] == DAEMON)
        self.rig.end(daemon, signal.SIGKILL)
        self.receiver(f"authCommunity log {SECRETS['community']}")
        self.rig.spawn("guestmond.log", DAEMON, "-f", "-c", self.rig.folder / "guestmon.yaml")
        self.arrived(2)

    def test_version_3(self):
        """A password that is wrong is told and mended by a reload; the receiver starts anew, and with another engine."""
        user = f"createUser nms SHA {SECRETS['auth']} AES {SECRETS['priv']}\nauthUser log nms priv"
        self.secret("auth", "another-word")
        options = {"version": "3", "user": "nms", "auth_protocol": "SHA", "auth_file": self.rig.folder / "auth",
                   "priv_file": self.rig.folder / "priv"}
        self.start(**options)
        receiver = self.receiver(user, "engineID first")
        self.toggle(2)
        wait_until("the reason is told", lambda: "uthentication" in self.output()["error"])
        self.assertEqual(self.sequences(), [])
        self.secret("auth", SECRETS["auth"])
        self.write(**options, refusals=19)  # a file that has not changed would go on undisturbed
        self.rig.ctl(CTL, "reload")
        self.arrived(2)
        self.rig.end(receiver)
        receiver = self.receiver(user, "engineID first")  # its engine has started once more
        self.toggle(2)
        self.arrived(4)
        self.rig.end(receiver)
        self.receiver(user, "engineID second")
        self.toggle(2)
        self.arrived(6)
        log = (self.rig.folder / "guestmond.log").read_text("utf-8")
        self.assertFalse([secret for secret in [*SECRETS.values(), "another-word"] if secret in log])

    def test_silent_receiver_harms_nobody(self):
        """While a v3 receiver does not answer its engine's question, the MIB is served and traps arrive."""
        self.rig.start_snmptrapd()
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        silent.bind(("127.0.0.1", self.port))
        self.start(version="3", user="nms", auth_file=self.rig.folder / "auth", priv_file=self.rig.folder / "priv",
                   timeout="20s")
        wait_until("the MIB is served", self.rig.served)
        self.toggle()
        wait_until("the trap arrives", lambda: "guestmonThresholdRaise" in self.rig.trap_log(), 10)
        self.assertTrue(self.rig.served())
        wait_until("an inform is on its way", lambda: self.output()["in_flight"] == 1)

    def test_mistakes_are_told(self):
        self.rig.start_snmpd()
        cases = [({"receiver": "localhost:162"}, "receiver: needs ADDRESS:PORT"),
                 ({"receiver": "192.0.2.1"}, "receiver: needs ADDRESS:PORT"), ({}, "community-file: is needed"),
                 ({"community_file": "/nonexistent/file"}, "/nonexistent/file: No such file"),
                 ({"version": "3"}, "user: version 3 needs one"), ({"version": "3", "user": "x"}, "auth-file: is needed"),
                 ({"version": "1"}, "version")]
        os.chmod(self.rig.folder / "priv", 0o644)
        cases.append(({"version": "3", "user": "x", "auth_file": self.rig.folder / "auth",
                       "priv_file": self.rig.folder / "priv"}, "chmod 600"))
        self.write(community_file=self.rig.folder / "community")
        self.rig.start_daemon(DAEMON, policy="", outputs=f"{{directory: {self.outputs}}}")
        wait_until("the daemon answers", lambda: self.rig.ctl(CTL, "status", check=False).returncode == 0)
        for options, message in cases:
            with self.subTest(options=options):
                self.write(**options)
                done = self.rig.ctl(CTL, "reload", check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(message, done.stderr)
                self.assertIn("nms.yaml", done.stderr)

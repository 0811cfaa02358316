# SPDX-License-Identifier: Apache-2.0
"""Syslog over every transport, held against RFC 5424 to the letter and given to a real rsyslogd; the journal's native
protocol; a program that fails before it works."""

import json
import re
import shutil
import socket
import subprocess
import unittest

from rig import NODE, die_with_parent, free_port, wait_until
from syslog5424 import Datagrams, Stream, journal_fields
from test_webhook import HOSTILE, WebhookCase

SAID = HOSTILE.replace("{{", "{").replace("}}", "}").replace("{entity}", "node")
RSYSLOG = """
module(load="imtcp")
module(load="imudp")
module(load="imuxsock" SysSock.Use="off")
input(type="imtcp" port="{tcp}" address="127.0.0.1")
input(type="imudp" port="{udp}" address="127.0.0.1")
input(type="imuxsock" Socket="{at}/rsyslog.sock" UseSpecialParser="off" ParseHostname="on")
template(name="t" type="string" string="%inputname% %syslogseverity-text% %hostname% %app-name% %msgid% %structured-data%\\n")
action(type="omfile" file="{at}/rsyslog.out" template="t")
"""


class Syslog(WebhookCase):
    def configure(self, **outputs):
        for name, options in outputs.items():
            self.rig.output(name, **{"type": "syslog", "timeout": "2s", **options})

    def check_messages(self, collector, count):
        wait_until(f"{count} messages", lambda: len(collector.all()) >= count)
        messages = collector.parsed()
        self.assertEqual(len(messages), count)
        own = [next(params for name, params in message["sd"].items() if name.startswith("guestmon@"))
               for message in messages]
        self.assertEqual([params["key"] for params in own], [f"{NODE}/{n + 1}" for n in range(count)])
        self.assertEqual([message["sd"]["meta"]["sequenceId"] for message in messages],
                         [str(n + 1) for n in range(count)])
        for message, params in zip(messages, own):
            self.assertEqual((message["host"], message["app"], message["id"]),
                             (NODE, "guestmond", params["state"].upper()))
            self.assertEqual(message["sd"]["alarm"]["probableCause"], "thresholdCrossed")
            cleared = params["state"] == "clear"
            self.assertEqual(message["sd"]["alarm"]["perceivedSeverity"] == "cleared", cleared)
            self.assertEqual(int(message["pri"]) >> 3, 3)
        said = [message["text"] for message, params in zip(messages, own)
                if (params.get("rule"), params["state"]) == ("said", "raise")]
        self.assertEqual(len(said), 1)
        self.assertIn("\U0001f411", said[0])

    def test_every_transport_and_a_receiver_that_restarts(self):
        ports = {name: free_port() for name in ("octets", "lines")}
        udp_port = free_port(socket.SOCK_DGRAM)
        local_path = str(self.rig.at / "log.sock")
        self.configure(local={"transport": "local", "socket": local_path},
                       udp={"transport": "udp", "address": "127.0.0.1", "port": udp_port},
                       octets={"transport": "tcp", "address": "localhost", "port": ports["octets"]},
                       lines={"transport": "tcp", "address": "127.0.0.1", "port": ports["lines"],
                              "framing": "lines"},
                       journal={"type": "journald", "socket": self.rig.at / "journal.sock"})
        self.rig.start()
        self.rig.alarms(["one"], HOSTILE)
        names = ("local", "udp", "octets", "lines", "journal")
        for name in names:
            self.assertEqual(self.rig.failing(name)["delivered"], 0)  # nobody is there yet
        receivers = {"local": Datagrams(local_path), "udp": Datagrams(udp_port),
                     "octets": Stream(ports["octets"], True), "lines": Stream(ports["lines"], False),
                     "journal": Datagrams(str(self.rig.at / "journal.sock"))}
        for name in names:
            self.rig.idle(name)
        receivers["octets"].close()  # away between two messages
        self.rig.alarms([])
        self.rig.failing("octets")
        again = Stream(ports["octets"], True)
        again.messages = receivers["octets"].messages
        receivers["octets"] = again
        for receiver in receivers.values():
            self.addCleanup(receiver.close)
        for name in names:
            self.rig.idle(name)
        for name in names[:-1]:
            with self.subTest(name):
                self.check_messages(receivers[name], 4)
        fields = [journal_fields(data) for data in receivers["journal"].all()]
        self.assertEqual([entry["GUESTMON_KEY"] for entry in fields], [f"{NODE}/{n}" for n in range(1, 5)])
        self.assertIn(SAID, [entry["MESSAGE"] for entry in fields])
        self.assertEqual({entry["PRIORITY"] for entry in fields}, {"1", "3", "5"})

    @unittest.skipUnless(shutil.which("rsyslogd"), "rsyslogd is not installed")
    def test_rsyslogd(self):
        ports = {"tcp": free_port(), "udp": free_port(socket.SOCK_DGRAM)}
        (self.rig.at / "rsyslog.conf").write_text(RSYSLOG.format(at=self.rig.at, **ports), "utf-8")
        with open(self.rig.at / "rsyslog.log", "ab") as log:
            process = subprocess.Popen(["rsyslogd", "-n", "-f", self.rig.at / "rsyslog.conf", "-i",
                                        self.rig.at / "rsyslog.pid"], stdout=log, stderr=log,
                                       preexec_fn=die_with_parent)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.configure(local={"transport": "local", "socket": self.rig.at / "rsyslog.sock"},
                       udp={"transport": "udp", "address": "127.0.0.1", "port": ports["udp"]},
                       tcp={"transport": "tcp", "address": "127.0.0.1", "port": ports["tcp"]})
        wait_until("rsyslogd listens", (self.rig.at / "rsyslog.sock").exists)
        self.rig.start()
        self.rig.alarms(["one"])
        self.rig.alarms([])
        out = self.rig.at / "rsyslog.out"
        wait_until("rsyslogd has written six lines", lambda: out.exists() and out.read_text().count("\n") == 6)
        lines = [re.match(r"(\S+) (\w+) (\S+) (\S+) (\w+) (\[.*)", line).groups()
                 for line in out.read_text("utf-8").splitlines()]
        self.assertEqual(sorted(line[:5] for line in lines),
                         sorted((source, severity, NODE, "guestmond", state)
                                for source in ("imtcp", "imudp", "imuxsock")
                                for severity, state in (("alert", "RAISE"), ("notice", "CLEAR"))))
        for line in lines:
            self.assertIn('[alarm resource="node" probableCause="thresholdCrossed"', line[5])


PROGRAM = r"""#!/bin/sh
read -r line
printf '%s\n' "$line" >>{at}/seen
read -r status <{at}/status
exit "$status"
"""


class Program(WebhookCase):
    def test_it_is_run_again_until_it_takes_the_alarm(self):
        script = self.rig.at / "program"
        script.write_text(PROGRAM.format(at=self.rig.at), "utf-8")
        script.chmod(0o700)
        status = self.rig.at / "status"
        status.write_text("75\n", "ascii")
        self.rig.output("run", type="program", program=script)
        self.rig.start()
        self.rig.alarms(["one"], HOSTILE)
        self.assertIn("status 75", self.rig.failing("run")["error"])
        status.write_text("2\n", "ascii")
        wait_until("a refusal is shown", lambda: "status 2" in self.rig.row("run")["error"])
        status.write_text("0\n", "ascii")
        self.rig.idle("run")
        self.rig.alarms([])
        self.rig.idle("run")
        messages = [json.loads(line) for line in (self.rig.at / "seen").read_text("utf-8").splitlines()]
        states = {}
        for message in messages:
            told = states.setdefault(message["rule"], [])
            if message["state"] not in told:
                told.append(message["state"])
        self.assertEqual(states, {"one": ["raise", "clear"], "said": ["raise", "clear"]})
        self.assertGreater(len(messages), 5)
        self.assertIn(SAID, {message["text"] for message in messages})

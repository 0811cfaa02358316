# SPDX-License-Identifier: Apache-2.0
"""A redis-server with the shipped access list and guestmond on it: the node alone, no guests, no SNMP, no
privileges. Everything is in one directory, on unix sockets."""

import ctypes
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

REPO = pathlib.Path(__file__).resolve().parents[3]
NODE = "node1"
PREFIX = f"guestmon:{{{NODE}}}:"
PASSWORD = {"guestmond": "d-secret", "guestmon-analyser": "a-secret", "guestmon-reader": "r-secret"}


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def wait_until(what, condition, seconds=10.0):
    """The first true value of condition(); AssertionError with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


class Rig:
    def __init__(self, daemon, ctl):
        self.daemon_path, self.ctl_path = daemon, ctl
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="gm-redis-"))
        self.redis_socket = self.directory / "redis.sock"
        self.control = self.directory / "control.sock"
        self.log = self.directory / "guestmond.log"
        self.redis = self.daemon = None
        (self.directory / "password").write_text(PASSWORD["guestmond"] + "\n", encoding="utf-8")
        (self.directory / "state").mkdir(mode=0o700)
        self.configure()

    def configure(self, **external):
        """Settings of the section `external`."""
        lines = "".join(f"  {key.replace('_', '-')}: {value}\n" for key, value in external.items())
        (self.directory / "guestmon.yaml").write_text(
            f"node:\n  name: {NODE}\nlog:\n  level: info\n"
            f"state:\n  directory: {self.directory}/state\n"
            f"control:\n  socket: {self.control}\n"
            "libvirt:\n  enabled: no\ntap:\n  enabled: no\nsnmp:\n  enabled: no\n"
            f"redis:\n  enabled: yes\n  socket: {self.redis_socket}\n"
            f"  username: guestmond\n  password-file: {self.directory}/password\n"
            "  seconds-kept: 10m\n"
            "alarm:\n  hold: 1s\n" + ("external:\n" + lines if lines else ""), encoding="utf-8")

    def start_redis(self):
        """Passwords are set in a copy of the shipped list, as the manual tells to."""
        lines = []
        for line in (REPO / "contrib/redis/guestmon.acl").read_text("utf-8").splitlines():
            user = line.split()[1]
            lines.append(f"{line} >{PASSWORD[user]}")
        (self.directory / "users.acl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        with open(self.directory / "redis.log", "ab") as log:
            self.redis = subprocess.Popen(
                ["redis-server", "--port", "0", "--unixsocket", str(self.redis_socket),
                 "--dir", str(self.directory), "--save", "", "--maxmemory", "64mb",
                 "--aclfile", str(self.directory / "users.acl")],
                stdout=log, stderr=log, preexec_fn=_die_with_parent)
        wait_until("redis-server answers", lambda: self.cli("PING", check=False) == "PONG")

    def start_daemon(self):
        with open(self.log, "ab") as log:
            self.daemon = subprocess.Popen(
                [self.daemon_path, "-f", "-c", str(self.directory / "guestmon.yaml")],
                stdout=log, stderr=log, preexec_fn=_die_with_parent)
        wait_until("the daemon reads findings", self.reads_findings, 15)
        wait_until("the node is in Redis",
                   lambda: "node" in self.cli("SMEMBERS", PREFIX + "entities").split(), 15)

    def reads_findings(self):
        done = subprocess.run([self.ctl_path, "-s", self.control, "--json", "status"], text=True,
                              capture_output=True, check=False)
        return done.returncode == 0 and json.loads(done.stdout)["external"]["reading"]

    @staticmethod
    def end(process, number=signal.SIGTERM):
        if process and process.poll() is None:
            process.send_signal(number)
            return process.wait(20)
        return process.returncode if process else 0

    def close(self):
        status = self.end(self.daemon)
        self.end(self.redis)
        if status == 0:
            shutil.rmtree(self.directory)
        return status

    def open(self):
        self.start_redis()
        self.start_daemon()
        wait_until("the node has ten entries", lambda: int(self.cli("XLEN", PREFIX + "node")) > 10)
        # What the daemon's user was refused; the tests of the list then ask for what is not allowed.
        self.denied = [entry for entry in self.cli_json("ACL", "LOG")]
        return self

    # ---- clients ----

    def run_cli(self, *command, user=None, json_output=False):
        line = ["redis-cli", "-s", str(self.redis_socket), "--no-auth-warning"]
        if user:
            line += ["--user", user, "--pass", PASSWORD[user]]
        if json_output:
            line.append("--json")
        return subprocess.run(line + [str(word) for word in command], text=True,
                              capture_output=True, check=False)

    def cli(self, *command, user=None, check=True):
        done = self.run_cli(*command, user=user)
        if check and done.returncode != 0:
            raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    def cli_json(self, *command):
        return json.loads(self.run_cli(*command, json_output=True).stdout)

    def find(self, user="guestmon-analyser", **fields):
        """Writes a finding; returns its id."""
        words = [word for pair in fields.items() for word in pair]
        return self.cli("XADD", PREFIX + "findings", "*", *words, user=user)

    def ctl(self, *arguments, check=True):
        done = subprocess.run([self.ctl_path, "-s", self.control, *map(str, arguments)], text=True,
                              capture_output=True, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"guestmonctl {arguments}: {done.stdout}{done.stderr}")
        return done

    def status(self):
        return json.loads(self.ctl("--json", "status").stdout)["external"]

    def alarms(self):
        return json.loads(self.ctl("--json", "alarms").stdout)["alarms"]

    def transitions(self):
        log = json.loads(self.ctl("--json", "alarms", "--log").stdout)["log"]
        return [(item["state"], item["alarm"]["detector"], item["alarm"]["metric"]) for item in log]

    def rejected(self):
        """The reasons in the dead-letter stream."""
        entries = self.cli_json("XRANGE", PREFIX + "findings:rejected", "-", "+")
        return [dict(zip(fields[::2], fields[1::2])) for _, fields in entries]


class RigTest(unittest.TestCase):
    """Gives the tests the one rig that `run` has made."""

    longMessage = True
    rig: Rig

    def wait_alarms(self, count, seconds=10):
        return wait_until(f"{count} alarms are active", lambda: self.alarms_if(count), seconds)

    def alarms_if(self, count):
        alarms = self.rig.alarms()
        return (alarms or True) if len(alarms) == count else None

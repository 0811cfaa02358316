# SPDX-License-Identifier: Apache-2.0
"""The lab (tests/support) as an object, and guestmond as one of its services."""

import json
import os
import pathlib
import subprocess
import time

from .snmp import Snmp
from .traps import TrapLog
from .wait import wait_until

REPO = pathlib.Path(__file__).resolve().parents[3]
SCRIPT = REPO / "tests/support/lab"


class Lab:
    """Starts on up(), ends with this process at the latest."""

    def __init__(self, state):
        self.state = pathlib.Path(state)
        self.traps = TrapLog(self.state / "log/traps.log")
        self.snmp = Snmp(self)

    def call(self, command, *arguments, check=True, timeout=300):
        done = subprocess.run([SCRIPT, command, self.state, *map(str, arguments)], text=True,
                              errors="replace", capture_output=True, check=False, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"lab {command} {arguments}: {done.stdout}{done.stderr}")
        return done

    def up(self):
        self.call("down")
        self.call("image")
        self.call("up", "--owner", os.getpid())

    def down(self):
        self.call("down")

    def exec(self, *command, check=True, timeout=120):
        return self.call("exec", *command, check=check, timeout=timeout)

    def guest_start(self, number, mib, *disk_mib):
        self.call("guest-start", number, mib, *disk_mib)

    def guest(self, number, command):
        """Output of a shell command inside the guest."""
        return self.call("guest-run", number, command).stdout

    def guest_background(self, number, command):
        self.guest(number, f"setsid {command} >/dev/null 2>&1 &")

    def guest_quiet(self, number):
        """Ends whatever of the tools runs in the guest."""
        self.guest(number, "killall leak hog sawtooth burst 2>/dev/null; true")

    def burst(self, number, milliseconds, mbit):
        """Sends it and returns the truth: start, duration_s, bytes, bps."""
        return json.loads(self.call("burst", number, milliseconds, mbit).stdout)

    def redis(self, *command):
        """The reply of redis-cli as JSON. Needs redis-cli 7."""
        out = self.exec("redis-cli", "--json", "-s", self.state / "run/redis.sock", *command).stdout
        return json.loads(out)

    def virsh(self, *command):
        return self.exec("virsh", "-q", *command).stdout

    @staticmethod
    def uuid(number):
        return f"6c766d67-1f00-4000-8a10-1{number:011x}"


class Daemon:
    """guestmond in the lab: one configuration, one log."""

    NAME = "guestmond"

    def __init__(self, lab, daemon, ctl):
        self.lab, self.daemon, self.ctl_path = lab, daemon, ctl
        self.config = lab.state / "etc/guestmon.yaml"
        self.socket = lab.state / "run/guestmon.sock"
        self.log = lab.state / f"log/{self.NAME}.log"

    def configure(self, **settings):
        """Settings as section__key_word=value."""
        pairs = [f"{key.replace('__', '.').replace('_', '-')}={value}"
                 for key, value in settings.items()]
        self.config.write_text(self.lab.call("config", *pairs).stdout, encoding="utf-8")

    def start(self):
        self.lab.call("spawn", self.NAME, self.daemon, "-f", "-c", self.config)
        try:
            wait_until("guestmond serves its MIB", self.serves, 20)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.last_words()}") from None

    def last_words(self, lines=30):
        """The end of its log."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])

    def serves(self):
        return self.lab.snmp.one("gmAgentStarted.0") is not None

    def stop(self):
        self.lab.call("stop", self.NAME)

    def kill(self):
        self.lab.call("kill", self.NAME)

    def alive(self):
        return self.lab.call("alive", self.NAME, check=False).returncode == 0

    def ctl(self, *arguments, check=True):
        return self.lab.exec(self.ctl_path, "-s", self.socket, *arguments, check=check)

    def ctl_json(self, *arguments):
        return json.loads(self.ctl("--json", *arguments).stdout)

    def knows(self, count):
        """Whether so many guests are in the MIB with values from inside them."""
        return len(self.lab.snmp.walk("gmGuestMemoryUsed")) >= count

    def settle(self, seconds=3):
        """Lets it learn what quiet is."""
        time.sleep(seconds)

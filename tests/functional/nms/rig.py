# SPDX-License-Identifier: Apache-2.0
"""snmpd, snmptrapd and an agent behind them, all private: one directory, ports of the loopback that were
free a moment ago. The agent is mib_driver (made-up guests) or guestmond itself, watching the node."""

import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

REPO = pathlib.Path(__file__).resolve().parents[3]
NMS = REPO / "contrib/nms"
MIBS = REPO / "mibs"
ROOT = ".1.3.6.1.4.1.8072.9999.9999.7666"
POLICY = """thresholds:
  - {name: any-load, metric: load.1, failure-min: 1000}
"""


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def wait_until(what, condition, seconds=20.0):
    """The first true value of condition(); AssertionError with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def free_port(kind=socket.SOCK_DGRAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Rig:
    """What a test starts, it ends with close() at the latest."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gm-nms-"))
        self.port, self.trap_port = free_port(), free_port()
        self.agent = f"127.0.0.1:{self.port}"
        self.socket, self.control = self.folder / "master", self.folder / "control.sock"
        self.processes = []
        (self.folder / "snmp").mkdir()
        self.credentials = self.folder / "snmp/snmp.conf"
        self.credentials.write_text("defVersion 2c\ndefCommunity guestmon\n", "ascii")
        self.environment = {
            **os.environ, "SNMP_PERSISTENT_DIR": str(self.folder / "state"), "SNMPCONFPATH": str(self.folder / "snmp"),
            "MIBDIRS": f"{MIBS}:{MIBS}/compat", "MIBS": "GUESTMON-MIB", "LC_ALL": "C.UTF-8",
            "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}

    def spawn(self, log, *command, **options):
        with open(self.folder / log, "ab") as stream:
            process = subprocess.Popen([str(word) for word in command], env=self.environment, stdout=stream,
                                       stderr=stream, preexec_fn=_die_with_parent,
                                       **{"stdin": subprocess.DEVNULL, **options})
        self.processes.append(process)
        return process

    @staticmethod
    def end(process, number=signal.SIGTERM):
        if process.poll() is None:
            process.send_signal(number)
        return process.wait(20)

    def close(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait(20)
        if not os.environ.get("GM_TEST_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *command, check=True, **options):
        done = subprocess.run([str(word) for word in command], env={**self.environment, **options.pop("env", {})},
                              capture_output=True, text=True, errors="replace", check=False, timeout=120, **options)
        if check and done.returncode != 0:
            raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
        return done

    # ---- the parts ----

    def start_snmpd(self, *lines):
        if not lines:
            lines = ("rocommunity guestmon 127.0.0.1", "sysDescr A compute node")
        text = [f"agentAddress udp:{self.agent}", "master agentx", f"agentXSocket {self.socket}",
                f"trap2sink udp:127.0.0.1:{self.trap_port} public", *lines]
        (self.folder / "agent.conf").write_text("\n".join(text) + "\n", "ascii")
        process = self.spawn("snmpd.log", "snmpd", "-f", "-LE", "4", "-C", "-c", self.folder / "agent.conf")
        wait_until("snmpd is the master agent", self.socket.exists)
        return process

    def start_snmptrapd(self, *lines):
        (self.folder / "trapd.conf").write_text("\n".join(["authCommunity log,execute public", *lines]) + "\n", "utf-8")
        before = self.trap_log().count("NET-SNMP version")
        process = self.spawn("traps.log", "snmptrapd", "-f", "-C", "-c", self.folder / "trapd.conf", "-Lo",
                             "-F", "trap\\t%v\\n", f"udp:127.0.0.1:{self.trap_port}")
        wait_until("snmptrapd listens", lambda: self.trap_log().count("NET-SNMP version") > before)
        return process

    def trap_log(self):
        path = self.folder / "traps.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def start_driver(self, driver, guests=3):
        self.driver = self.spawn("driver.log", driver, self.socket, guests, 2, stdin=subprocess.PIPE)
        wait_until("the driver is served", self.served)

    def say(self, line):
        self.driver.stdin.write((line + "\n").encode())
        self.driver.stdin.flush()

    def start_daemon(self, daemon, policy=POLICY, user=None, **sections):
        """`sections` are further lines of the configuration, by their section; `user`: a number, not root."""
        (self.folder / "policy.d").mkdir(exist_ok=True)
        self.write_policy(policy)
        config = {"libvirt": "{enabled: no}", "tap": "{enabled: no}", "redis": "{enabled: no}",
                  "host": "{interval: 100ms}", "alarm": "{hold: 0s}", "state": f"{{directory: {self.folder}/gm}}",
                  "snmp": f"{{agentx-socket: {self.socket}}}", "control": f"{{socket: {self.control}}}",
                  "policy": f"{{directory: {self.folder}/policy.d}}", **sections}
        path = self.folder / "guestmon.yaml"
        path.write_text("".join(f"{key}: {value}\n" for key, value in config.items()), "utf-8")
        options = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        return self.spawn("guestmond.log", daemon, "-f", "-c", path, **options)

    def write_policy(self, text):
        (self.folder / "policy.d/a.yaml").write_text(text, "utf-8")

    # ---- what is to be seen ----

    def get(self, name):
        done = self.run("snmpget", "-t", "1", "-r", "0", "-Oqv", self.agent, name, check=False)
        return None if done.returncode or done.stdout.startswith("No ") else done.stdout.strip().strip('"')

    def set(self, *words):
        """"" or the name of the error."""
        done = self.run("snmpset", "-t", "5", "-r", "0", self.agent, *words, check=False,
                            env={"MIBS": ""})  # without the MIB, whose ranges snmpset would check itself
        if done.returncode == 0:
            return ""
        reason = [line for line in done.stderr.splitlines() if line.startswith("Reason: ")]
        return reason[0].split()[1] if reason else done.stderr

    def served(self):
        return self.get(ROOT + ".1.1.4.0")

    def ctl(self, ctl, *words, check=True):
        return self.run(ctl, "-s", self.control, *words, check=check)

    def alarms(self, ctl):
        done = self.ctl(ctl, "--json", "alarms", check=False)
        return [] if done.returncode else json.loads(done.stdout)["alarms"]

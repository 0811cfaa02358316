# SPDX-License-Identifier: Apache-2.0
"""The services, proxies in front of them, and guestmond watching the node it runs on, whose alarms are
made by threshold rules that always or never hold: what is tested is their way out."""

import json
import os
import shutil
import subprocess
import sys
import time
import unittest
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "support", "services"), os.path.join(HERE, "..")]

import compute  # noqa: E402
import recovery  # noqa: E402
import stack  # noqa: E402
from gmtest import memory  # noqa: E402
from gmtest.wait import wait_until  # noqa: E402
from proxy import Proxy  # noqa: E402
from stack import call  # noqa: E402

NODE = "compute-7"
PASSWORD = "agentpw"
CONFIG = """
node: {{name: {node}}}
log: {{level: debug}}
libvirt: {libvirt}
tap: {tap}
redis: {{enabled: false}}
snmp: {snmp}
host: {{interval: 100ms}}
alarm: {{hold: 0s, raise-limit: 0}}
state: {{directory: {place}/state}}
control: {{socket: {place}/control.sock}}
policy: {{directory: {place}/policy.d}}
outputs: {{directory: {place}/outputs.d}}
"""
# Short pauses, so that what is tried again is tried within the test's patience.
PATIENCE = "timeout: 5s\nretry-min: 100ms\nretry-max: 1s\n"
WAIT = 60
# A pair of devices; the other end is in a network of its own, and takes everything.
PORT, PEER, OWN, NEIGHBOUR = "gmos0", "gmos1", "10.99.0.1/24", "10.99.0.2"
SERVICES = "GM_OPENSTACK_SERVICES"  # a state directory of services that run already, which are left running


class Daemon:
    """One guestmond with a directory of its own."""

    def __init__(self, place, program, ctl):
        self.place, self.program, self.ctl = place, program, ctl
        self.process, self.environment = None, {}
        self.libvirt = self.tap = self.snmp = "{enabled: false}"
        self.statuses = []
        for folder in ("policy.d", "outputs.d"):
            os.makedirs(os.path.join(place, folder))
        self.rules({})

    def path(self, *parts):
        return os.path.join(self.place, *parts)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def output(self, name, text):
        self.write(f"outputs.d/{name}.yaml", text)

    def rules(self, rules):
        """name → severity: exactly these alarms hold from now on."""
        lines = [f"  - {{name: {name}, metric: load.1, {severity}: 1e6}}" for name, severity in rules.items()]
        self.write("policy.d/rules.yaml", "thresholds:\n" + "\n".join(lines) + "\n" if lines else "")

    def raise_(self, *names):
        self.rules({name: "failure-min" for name in names})
        if self.process:
            self.ask("reload")

    @staticmethod
    def guest(number):
        return str(uuid.UUID(int=number + 1))

    def guests(self, count):
        """There are so many of libvirt's test driver, g0 and so on, at the next start."""
        domains = "".join(f"<domain type='test'><name>g{number}</name><uuid>{self.guest(number)}</uuid>"
                          "<memory>65536</memory><os><type>hvm</type></os></domain>" for number in range(count))
        self.libvirt = "{uri: 'test://" + self.write("node.xml", f"<node>{domains}</node>") + "'}"

    def rss(self):
        """Bytes of its resident memory."""
        return memory.resident(self.process.pid)

    def growth(self, allowed):
        return memory.growth(self.program, allowed)

    def start(self):
        self.write("guestmon.yaml", CONFIG.format(place=self.place, node=NODE, libvirt=self.libvirt, tap=self.tap,
                                                  snmp=self.snmp))
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "-f", "-c", self.path("guestmon.yaml")], stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, **self.environment})
        wait_until("the daemon answers", lambda: self.run("status").returncode == 0, WAIT)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self):
        if self.process:
            self.process.terminate()
            self.statuses.append(self.process.wait(timeout=WAIT))
            self.process = None

    def run(self, *words):
        return subprocess.run([self.ctl, "--socket", self.path("control.sock"), *words],
                              capture_output=True, text=True, timeout=WAIT, check=False)

    def ask(self, *words):
        reply = self.run("--json", *words)
        if reply.returncode != 0:
            raise AssertionError(f"{words}: {reply.stderr}{reply.stdout}")
        return json.loads(reply.stdout) if reply.stdout.strip() else None

    def row(self, output):
        """What is told of an output."""
        return next(row for row in self.ask("outputs")["outputs"] if row["name"] == output)

    def log(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as file:
            return file.read()


class Rig:
    """What all tests share."""

    def __init__(self, state, daemon, ctl):
        self.state, self.daemon, self.ctl = state, daemon, ctl
        self.attached = os.environ.get(SERVICES)
        self.stack = stack.Stack(self.attached or os.path.join(state, "services"),
                                 workers=int(os.environ.get("GM_AODH_WORKERS", "1")))
        self.proxies, self.token = {}, None
        self.count = 0

    def open(self, parts):
        for words in ("link set lo up", f"link add {PORT} type veth peer name {PEER}", f"link set {PORT} up",
                      f"link set {PEER} up", f"address add {OWN} dev {PORT}",
                      f"neighbour add {NEIGHBOUR} dev {PORT} lladdr 02:00:00:00:00:01"):
            subprocess.run(["ip", *words.split()], check=True)
        if self.attached:
            self.stack.attach()
        else:
            os.makedirs(self.stack.state)
            began = time.monotonic()
            self.stack.up(parts)
            print(f"services are up after {time.monotonic() - began:.1f} s", flush=True)
        for name in ("keystone", "aodh", "gnocchi"):
            self.proxies[name] = Proxy(stack.PROXIES[name], stack.PORTS[name])

    def close(self):
        for proxy in self.proxies.values():
            proxy.close()
        if self.attached:
            subprocess.run(["ip", "link", "delete", PORT], check=True)
        else:
            compute.stop(self.stack)
            recovery.stop(self.stack)
            self.stack.down()

    def new_daemon(self):
        self.count += 1
        place = os.path.join(self.state, f"daemon-{self.count}")
        os.makedirs(place)
        return Daemon(place, self.daemon, self.ctl)


class OpenStackTest(unittest.TestCase):
    rig: Rig
    longMessage = True

    def setUp(self):
        self.facts, self.proxies = self.rig.stack.facts, self.rig.proxies
        for proxy in self.proxies.values():
            proxy.mend()
            proxy.requests.clear()
        self.node = self.rig.new_daemon()
        self.addCleanup(self.end)

    def end(self):
        self.node.stop()
        self.assertEqual(set(self.node.statuses), {0}, self.node.log()[-4000:])

    def credential(self):
        """Options: an application credential, by way of the proxies that the interface internal is."""
        secret = self.node.write("secret", self.facts["CREDENTIAL_SECRET"] + "\n", 0o600)
        return (f"auth-url: http://127.0.0.1:{stack.PROXIES['keystone']}/v3\n"
                f"application-credential: {self.facts['CREDENTIAL_ID']}\nsecret-file: {secret}\n"
                f"region: RegionOne\ninterface: internal\n")

    # -- Aodh as its users see it

    def token(self):
        """Of the agent's user; a minute old at most."""
        if not self.rig.token or time.monotonic() - self.rig.token[1] > 60:
            self.rig.token = self.rig.stack.token("agent", PASSWORD, "telco"), time.monotonic()
        return self.rig.token[0]

    def aodh(self, method, path, body=None, token=None):
        code, _, answer = call(method, stack.url("aodh") + path, body, token or self.token())
        self.assertLess(code, 300, f"{method} {path}: {answer}")
        return answer

    def aodh_alarms(self, token=None):
        """Ours, by the last part of their names, which is the rule's."""
        return {alarm["name"].split("/")[-1]: alarm for alarm in self.aodh("GET", "/v2/alarms", token=token)
                if alarm["name"].startswith(f"guestmon/{NODE}/")}

    def states(self):
        return {name: alarm["state"] for name, alarm in self.aodh_alarms().items()}

    def history(self, alarm, token=None):
        """The states that it went through, the oldest first."""
        rows = self.aodh("GET", f"/v2/alarms/{alarm['alarm_id']}/history", token=token)
        rows = sorted((row for row in rows if row["type"] == "state transition"),
                      key=lambda row: row["timestamp"])
        return [json.loads(row["detail"])["state"] for row in rows]

    def forget_alarms(self):
        token = self.token()
        for alarm in self.aodh("GET", "/v2/alarms", token=token):
            self.aodh("DELETE", f"/v2/alarms/{alarm['alarm_id']}", token=token)

    def await_states(self, expected, seconds=WAIT):
        try:
            wait_until("states", lambda: self.states() == expected, seconds, 0.2)
        except AssertionError:
            self.fail(f"Aodh shows {self.states()}, expected {expected}; outputs: "
                      f"{self.node.run('outputs').stdout}\n{self.node.log()[-2000:]}")


def remove(state):
    shutil.rmtree(state, ignore_errors=True)

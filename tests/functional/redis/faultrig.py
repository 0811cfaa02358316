# SPDX-License-Identifier: Apache-2.0
"""The rig with all that an alarm needs to leave the node: a private snmpd and snmptrapd, and a pair of
network devices that the daemon watches. In a network of its own (see `run`), so that ports and devices
are nobody else's."""

import json
import math
import os
import re
import signal
import socket
import subprocess
import time

from rig import PASSWORD, PREFIX, Rig, _die_with_parent, wait_until

TOOLS = ("snmpd", "snmptrapd", "ip")
AGENT, TRAPS = "udp:127.0.0.1:16531", "tcp:127.0.0.1:16532"
PORT, PEER = "gm-t0", "gm-t1"
NEIGHBOUR = "10.219.7.2"  # of PORT; nobody is there
SEQUENCE = re.compile(r"\.8072\.9999\.9999\.7666\.1\.10\.2\.0 = (\d+)")
INTERVAL = 0.1  # of the node's samples, s
POLICY = """thresholds:
  - {name: busy-port, match: {entity: interface}, metric: net.tx.bytes, failure-max: 100000}
"""


class FaultRig(Rig):
    def __init__(self, daemon, ctl):
        self.snmpd = self.trapd = None
        os.environ.setdefault("ASAN_OPTIONS", "quarantine_size_mb=4")  # memory is looked at
        super().__init__(daemon, ctl)
        (self.directory / "policy.d").mkdir()
        (self.directory / "policy.d/port.yaml").write_text(POLICY, encoding="utf-8")
        self.traps_log = self.directory / "traps"

    def configure(self, **external):
        super().configure(**external)
        path = self.directory / "guestmon.yaml"
        text = path.read_text("utf-8")
        text = text.replace("tap:\n  enabled: no\n", f"tap:\n  devices: '{PORT},{PEER}'\n")
        text = text.replace("snmp:\n  enabled: no\n",
                            f"snmp:\n  agentx-socket: {self.directory}/master\n")
        text += f"policy:\n  directory: {self.directory}/policy.d\n"
        path.write_text(text, encoding="utf-8")

    # ---- what surrounds the daemon ----

    @staticmethod
    def make_devices():
        for words in ("link set lo up", f"link add {PORT} type veth peer name {PEER}",
                      f"addr add 10.219.7.1/24 dev {PORT}", f"link set {PORT} up",
                      f"link set {PEER} up",
                      f"neigh add {NEIGHBOUR} lladdr 02:00:00:00:00:02 dev {PORT}"):
            subprocess.run(["ip", *words.split()], check=True)

    def spawn(self, log, *command):
        environment = {**os.environ, "SNMP_PERSISTENT_DIR": f"{self.directory}/snmp", "MIBS": "",
                       "SNMPCONFPATH": str(self.directory), "LC_ALL": "C.UTF-8"}
        with open(self.directory / log, "ab") as stream:
            return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                                    stdout=stream, stderr=stream, preexec_fn=_die_with_parent)

    def start_snmp(self):
        (self.directory / "agent.conf").write_text(
            f"agentAddress {AGENT}\nrocommunity public\nmaster agentx\n"
            f"agentXSocket {self.directory}/master\ntrap2sink {TRAPS} public\n",
            encoding="ascii")
        (self.directory / "trapd.conf").write_text("disableAuthorization yes\n", encoding="ascii")
        self.trapd = self.spawn("traps", "snmptrapd", "-f", "-C", "-c", self.directory / "trapd.conf",
                                "-Lo", "-OnQ", "-F", "trap\t%v\n", TRAPS)
        wait_until("snmptrapd listens", lambda: self.listens(TRAPS))
        self.snmpd = self.spawn("agent", "snmpd", "-f", "-LE", "3", "-C", "-c",
                                self.directory / "agent.conf")
        wait_until("snmpd is the master agent", (self.directory / "master").exists)

    @staticmethod
    def listens(address):
        _, host, port = address.split(":")
        try:
            socket.create_connection((host, int(port)), 1).close()
        except OSError:
            return False
        return True

    def open(self):
        self.make_devices()
        self.start_snmp()
        self.start_redis()
        self.start_daemon()
        wait_until("the agent is connected", lambda: self.full_status()["snmp"]["connected"], 15)
        return self

    def close(self):
        self.end(self.daemon)
        self.end(self.snmpd)
        self.end(self.trapd)
        return super().close()

    # ---- Redis in bad days ----

    def set_password(self, password):
        """Of the daemon's user, whose connections are cut; None: the one that it knows."""
        password = password or PASSWORD["guestmond"]
        self.cli("ACL", "SETUSER", "guestmond", "resetpass", ">" + password)
        self.cli("CLIENT", "KILL", "USER", "guestmond", check=False)

    def kill_redis(self, keep_dump):
        self.end(self.redis, signal.SIGKILL)
        if not keep_dump:
            (self.directory / "dump.rdb").unlink(missing_ok=True)

    def stop_redis(self, stopped):
        self.redis.send_signal(signal.SIGSTOP if stopped else signal.SIGCONT)

    # ---- what is to be seen ----

    def full_status(self):
        return json.loads(self.ctl("--json", "status").stdout)

    def connected(self):
        return self.full_status()["store"]["connected"]

    def traffic(self, seconds):
        """Much more than the policy allows."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                for _ in range(20):
                    sender.sendto(b"x" * 1000, (NEIGHBOUR, 9))
                time.sleep(0.02)

    def told(self):
        """The sequence numbers that snmptrapd has received, in the order of their coming."""
        return [int(number) for number in SEQUENCE.findall(self.traps_log.read_text("utf-8", "replace"))]

    def alarm_log(self):
        return json.loads(self.ctl("--json", "alarms", "--log").stdout)["log"]

    def store_lines(self):
        """What the daemon has said of the state of its store."""
        lines = self.log.read_text("utf-8", "replace").splitlines()
        return [line for line in lines if "store redis: " in line or "emptied" in line]

    def rings(self):
        """{entity: {time in ms: {metric: value}}}, from the daemon's memory; of whom there is any sample yet."""
        windows = json.loads(self.ctl("windows", "node", "--json").stdout)["entities"]
        rings = {}
        for entity, series in windows.items():
            frames = rings.setdefault(entity, {})
            for metric, samples in series.items():
                for moment, value in samples:
                    frames.setdefault(moment * 1e3, {})[metric] = value
        return {entity: frames for entity, frames in rings.items() if frames}

    def stream(self, entity, since_ms):
        """[(time in ms, {field: value})] in Redis, in the order of the stream."""
        entries = self.cli_json("XRANGE", PREFIX + entity, since_ms, "+")
        frames = []
        for identity, words in entries:
            fields = dict(zip(words[::2], words[1::2]))
            own = fields.pop("@", None)
            frames.append((int(own or identity.partition("-")[0]), fields))
        return frames

    def compare(self):
        """(entries compared, what is wrong) of the rings and the streams: each sample is to be there once."""
        rings, compared, wrong = self.rings(), 0, []
        time.sleep(0.3)  # what is the newest in a ring is on its way
        for entity, frames in rings.items():
            times = sorted(frames)
            entries = {}
            for moment, fields in self.stream(entity, int(times[0]) - 1):
                entries.setdefault(moment, []).append(fields)
            for moment in times:
                compared += 1
                found = pick(entries, moment)
                if not found:
                    wrong.append(f"lost: {entity} {moment:.3f}")
                elif differences(frames[moment], found):
                    wrong.append(f"differs: {entity} {moment:.3f} {differences(frames[moment], found)}")
            wrong += [f"doubled: {entity} {moment}" for moment, rest in entries.items()
                      for _ in rest if times[0] < moment < times[-1]]
        return compared, wrong


def pick(entries, moment):
    """Takes the entry of that time out of `entries`. The ring's ns have been through a float."""
    for candidate in (int(moment + 2e-3), int(moment - 2e-3)):
        if entries.get(candidate):
            return entries[candidate].pop()
    return None


def differences(frame, fields):
    """[(metric, in the ring, in Redis)]"""
    return [(name, frame.get(name), fields.get(name)) for name in frame.keys() | fields.keys()
            if name not in frame or name not in fields or not same(frame[name], fields[name])]


def same(value, text):
    """Counters are exact; of other numbers guestmonctl tells sixteen digits."""
    return int(text) == value if isinstance(value, int) and text.isdigit() else (
        math.isclose(float(text), value, rel_tol=1e-14))

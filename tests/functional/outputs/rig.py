# SPDX-License-Identifier: Apache-2.0
"""guestmond on the node alone, with outputs, in one directory: no guests, no SNMP, no privileges. Alarms come from
thresholds that hold always and go when they are taken out of their file."""

import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time

from gmtest import memory

NODE = "node1"

CONFIG = """
node: {{name: {node}}}
log: {{level: info{log}}}
libvirt: {libvirt}
tap: {{enabled: false}}
redis: {{enabled: false}}
snmp: {{enabled: false}}
host: {{interval: 100ms}}
alarm: {{hold: 0s, raise-limit: 0}}
state: {{directory: {at}/state}}
control: {{socket: {at}/control.sock}}
policy: {{directory: {at}/policy.d}}
outputs: {{directory: {at}/outputs.d}}
"""


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def wait_until(what, condition, seconds=30.0, step=0.03):
    """The first true value of condition(); AssertionError with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(step)


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Rig:
    def __init__(self, daemon, ctl):
        self.daemon_path, self.ctl_path = daemon, ctl
        self.at = pathlib.Path(tempfile.mkdtemp(prefix="gm-outputs-"))
        self.config = self.at / "guestmon.yaml"
        self.log = self.at / "guestmond.log"
        self.process, self.libvirt, self.log_options = None, "{enabled: false}", ""
        for name in ("state", "policy.d", "outputs.d"):
            (self.at / name).mkdir(mode=0o700)
        self.seen_arguments = ""
        self.prefix = []  # a command that ends by executing its arguments

    # ---- files ----

    def secret(self, name, text):
        path = self.at / name
        path.write_text(text, "utf-8")
        path.chmod(0o600)
        return path

    def output(self, name, **options):
        """Writes an output's file; keys with _ for -. Short pauses, so that tests are short."""
        options = {"retry_min": "50ms", "retry_max": "200ms", "refusals": 100000, **options}
        lines = [f"{key.replace('_', '-')}: {json.dumps(str(value))}\n" for key, value in options.items()]
        (self.at / f"outputs.d/{name}.yaml").write_text("".join(lines), "utf-8")

    def remove_output(self, name):
        (self.at / f"outputs.d/{name}.yaml").unlink()

    def set_alarms(self, names, message=None):
        """Makes these alarms active and no others."""
        lines = "".join(f"  - {{name: {name}, metric: load.1, failure-min: 1000000}}\n" for name in names)
        text = f"thresholds:\n{lines}" if lines else ""
        if message:
            text += ("policies:\n  - name: said\n    match: {entity: node}\n    interval: 100ms\n"
                     "    condition: memory.total > 0\n    severity: minor\n"
                     f"    message: {json.dumps(message, ensure_ascii=False)}\n")
        (self.at / "policy.d/a.tmp").write_text(text, "utf-8")
        (self.at / "policy.d/a.tmp").rename(self.at / "policy.d/a.yaml")

    def alarms(self, names, message=None):
        """The same, and waits until they are."""
        self.set_alarms(names, message)
        self.ctl("reload")
        rules = {*names, "said"} if message else set(names)
        wait_until(f"the alarms are {sorted(rules)}", lambda: self.active() == rules)

    def active(self):
        return {alarm["rule"] for alarm in json.loads(self.ctl("--json", "alarms").stdout)["alarms"]}

    # ---- the daemon ----

    def start(self):
        self.config.write_text(CONFIG.format(at=self.at, node=NODE, libvirt=self.libvirt, log=self.log_options), "utf-8")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([*self.prefix, self.daemon_path, "-f", "-c", str(self.config)], cwd=self.at,
                                            stdout=log, stderr=log, preexec_fn=die_with_parent)
        wait_until("the daemon answers", lambda: self.ctl("status", check=False).returncode == 0)
        for name in ("cmdline", "environ"):
            try:
                self.seen_arguments += pathlib.Path(f"/proc/{self.process.pid}/{name}").read_text("latin-1")
            except PermissionError:  # that of a process that leaves no core dump is root's
                pass

    def kill(self):
        self.process.kill()
        self.process.wait(20)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            return self.process.wait(30)
        return self.process.returncode if self.process else 0

    def close(self, keep=False):
        status = self.stop()
        if not keep:
            shutil.rmtree(self.at)
        return status

    def ctl(self, *words, check=True):
        done = subprocess.run([self.ctl_path, "-s", str(self.at / "control.sock"), *map(str, words)],
                              text=True, capture_output=True, check=False, timeout=60)
        if check and done.returncode != 0:
            raise AssertionError(f"guestmonctl {words}: {done.stdout}{done.stderr}")
        return done

    def row(self, name):
        """The output's row of `guestmonctl outputs`; empty while there is none."""
        rows = json.loads(self.ctl("--json", "outputs").stdout)["outputs"]
        return next((row for row in rows if row["name"] == name), {})

    def failing(self, name):
        """The row once it shows an error."""
        return wait_until(f"output {name} fails", lambda: (row := self.row(name)).get("error") and row)

    def idle(self, name, seconds=30.0):
        """Waits until the output has told all."""
        wait_until(f"output {name} has no backlog", lambda: self.row(name).get("backlog") == 0, seconds)

    def rss(self):
        """Bytes of the daemon's resident memory."""
        return memory.resident(self.process.pid)

    def growth(self, allowed):
        return memory.growth(self.daemon_path, allowed)

    def sanitized(self):
        return memory.is_sanitized(self.daemon_path)

    def journal(self):
        """[(sequence, kind, alarm id)] of the state directory; only while the daemon is stopped."""
        database = sqlite3.connect(self.at / "state/state.db")
        try:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            rows = database.execute("SELECT sequence, record FROM journal ORDER BY sequence").fetchall()
        finally:
            database.close()
        return [(sequence, json.loads(record)) for sequence, record in rows]

    def log_text(self):
        return self.log.read_text("utf-8", "replace")


def environment_number(name, default):
    return int(os.environ.get(name, default))

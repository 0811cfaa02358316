# SPDX-License-Identifier: Apache-2.0
"""guestmond with its HTTP server on two guests of libvirt's own test driver, which runs inside of the daemon:
no libvirtd, no privileges. Alarms are policies that hold at once. All is on loopback and in one directory."""

import base64
import ctypes
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

import jsonschema

REPO = pathlib.Path(__file__).resolve().parents[3]
WEB = "11111111-2222-4333-8444-555555555501"
DB = "11111111-2222-4333-8444-555555555502"
SECRETS = {"nfvo": "w-secret-of-nfvo", "look": "r-secret-of-look"}
SCHEMA = json.loads((REPO / "tests/data/sol003/fault.json").read_text("utf-8"))
SANITIZER = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "WARNING: ThreadSanitizer")

DOMAIN = """
<domain type='test'><name>{name}</name><uuid>{uuid}</uuid>
<metadata><nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'>
<nova:name>{name}.example</nova:name>
<nova:owner><nova:user uuid='0a'>o</nova:user><nova:project uuid='{project}'>{project}</nova:project></nova:owner>
</nova:instance></metadata>
<memory unit='MiB'>512</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>"""


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


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


def valid(kind, body):
    """`body`, once it is what the specification's table says of `kind`."""
    jsonschema.validate(body, {**SCHEMA, "$ref": f"#/$defs/{kind}"},
                        format_checker=jsonschema.FormatChecker())
    return body


class Answer:
    def __init__(self, response):
        self.status, self.headers = response.status, response.headers
        self.text = response.read().decode("utf-8")

    def json(self):
        return json.loads(self.text)


class Rig:
    def __init__(self, daemon, ctl):
        self.daemon_path, self.ctl_path = daemon, ctl
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="gm-api-"))
        self.control, self.log = self.directory / "control.sock", self.directory / "guestmond.log"
        self.port = free_port()
        self.daemon = self.tls = None
        for name in ("state", "policy.d", "outputs.d"):
            (self.directory / name).mkdir(mode=0o700)
        (self.directory / "node.xml").write_text(
            "<node>" + DOMAIN.format(name="web", uuid=WEB, project="tenant-a") +
            DOMAIN.format(name="db", uuid=DB, project="tenant-b") + "</node>", encoding="utf-8")
        self.write_users(SECRETS)
        self.configure()

    def write_users(self, secrets):
        users = self.directory / "users.new"
        users.touch(mode=0o600)
        users.write_text("# who\n" + "".join(f"{name} {'write' if name == 'nfvo' else 'read'} {secret}\n"
                                             for name, secret in secrets.items()), encoding="utf-8")
        users.rename(self.directory / "users")

    def configure(self, extra="", **api):
        """Settings of the section `api`, and further sections as text."""
        settings = {"enabled": "yes", "port": self.port, "users": self.directory / "users", "timeout": "2s", **api}
        lines = "".join(f"  {key.replace('_', '-')}: {value}\n" for key, value in settings.items())
        (self.directory / "guestmon.yaml").write_text(
            f"node:\n  name: node1\nstate:\n  directory: {self.directory}/state\n"
            f"control:\n  socket: {self.control}\n"
            f"libvirt:\n  slow-interval: 100ms\n  uri: test://{self.directory}/node.xml\n"
            "tap:\n  enabled: no\nsnmp:\n  enabled: no\nredis:\n  enabled: no\n"
            f"policy:\n  directory: {self.directory}/policy.d\noutputs:\n  directory: {self.directory}/outputs.d\n"
            f"alarm:\n  hold: 0s\n  raise-limit: 0\n"
            "server-notifier:\n  enabled: yes\n  callbacks: http://127.0.0.1:*\n"
            f"api:\n{lines}{extra}", encoding="utf-8")

    # ---- the daemon ----

    def start(self):
        with open(self.log, "ab") as log:
            self.daemon = subprocess.Popen([self.daemon_path, "-f", "-c", self.directory / "guestmon.yaml"],
                                           stderr=log, preexec_fn=die_with_parent)
        wait_until("the daemon knows its guests", self.ready)

    def ready(self):
        if self.daemon.poll() is not None:
            raise AssertionError(f"guestmond ended with {self.daemon.returncode}: {self.log.read_text('utf-8')}")
        reply = self.ask("--json", "guests")
        return reply.returncode == 0 and len(json.loads(reply.stdout)["guests"]) == 2

    def kill(self):
        self.daemon.kill()
        self.daemon.wait()

    def stop(self):
        """The status that it ends with."""
        if self.daemon and self.daemon.poll() is None:
            self.daemon.terminate()
            return self.daemon.wait(30)
        return self.daemon.returncode if self.daemon else 0

    def close(self):
        status = self.stop()
        log = self.log.read_text("utf-8", "replace") if self.log.exists() else ""
        for line in log.splitlines():
            if any(word in line for word in SANITIZER):
                raise AssertionError(line)
        for secret in SECRETS.values():
            if secret in log:
                raise AssertionError("a secret is in the log")
        shutil.rmtree(self.directory, ignore_errors=True)
        return status

    def ask(self, *words):
        return subprocess.run([self.ctl_path, "--socket", self.control, *words], capture_output=True, text=True,
                              timeout=20, check=False)

    # ---- alarms ----

    def vnfs(self, text):
        """What guests are, as the section `vnfs` of a policy file; "": nothing is known."""
        (self.directory / "policy.d/vnfs.yaml").write_text(text, encoding="utf-8")
        reply = self.ask("reload")
        if reply.returncode != 0:
            raise AssertionError(reply.stderr)

    def policies(self, **severities):
        """From now on these hold, a name and a severity each, for the guest `web` alone."""
        rules = "".join(f"  - name: {name}\n    match: {{entity: guest, uuid: {WEB}}}\n"
                        f"    condition: cpu.time > 0\n    interval: 100ms\n    severity: {severity}\n"
                        f"    message: \"{name} holds\"\n" for name, severity in severities.items())
        (self.directory / "policy.d/a.yaml").write_text("policies:\n" + rules if rules else "", encoding="utf-8")
        reply = self.ask("reload")
        if reply.returncode != 0:
            raise AssertionError(reply.stderr)
        wait_until("the alarms are those of the policies",
                   lambda: sorted(alarm["rule"] for alarm in self.alarms()
                                  if alarm["detector"] == "policy") == sorted(severities))

    def alarms(self):
        return json.loads(self.ask("--json", "alarms").stdout)["alarms"]

    # ---- requests ----

    def connect(self):
        if self.tls:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def call(self, method, path, body=None, user="nfvo", **headers):
        """The answer; `body` goes as JSON unless it is bytes."""
        connection = self.connect()
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        if user:
            pair = f"{user}:{SECRETS[user]}".encode()
            sent["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body, sent)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, kind=None):
        answer = self.call("GET", path)
        if answer.status != 200:
            raise AssertionError(f"{path}: {answer.status} {answer.text}")
        return valid(kind, answer.json()) if kind else answer.json()


class RigTest(unittest.TestCase):
    rig = None
    maxDiff = None

    def problem(self, answer, status, says=""):
        self.assertEqual(answer.status, status, answer.text)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        self.assertIn(says, valid("ProblemDetails", answer.json())["detail"])


def make_certificate(directory):
    """A certificate for 127.0.0.1 and its key; the context of who trusts it."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-days", "2", "-subj", "/CN=guestmon", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", directory / "key.pem", "-out", directory / "certificate.pem"],
                   check=True, capture_output=True)
    os.chmod(directory / "key.pem", 0o600)
    return ssl.create_default_context(cafile=directory / "certificate.pem")

# SPDX-License-Identifier: Apache-2.0
"""What tests of outputs that act have in common: a guest of libvirt's test driver, hard faults of it and of the node,
an administrator who acts, and the journal of actions."""

import functools

import recovery
import stack
from rig import WAIT, OpenStackTest, wait_until

DOMAIN = """<node><domain type='test'><name>web</name><uuid>{guest}</uuid><memory unit='MiB'>512</memory>
<vcpu>1</vcpu><os><type>hvm</type></os></domain></node>"""
RULES = {"hard-hang": ("guest", "cpu.time > 0"), "hard-crash": ("guest", "cpu.time > 0"),
         "node-dead": ("node", "load.1 >= 0"), "node-gone": ("node", "load.1 >= 0")}
DONE = ("accepted", "refused", "unsure", "dry-run")


class ActionTest(OpenStackTest):
    guest = "11111111-2222-4333-8444-555555555501"  # whom alarms are about

    def setUp(self):
        super().setUp()
        self.watch(self.guest)
        self.passwords = {user: self.node.write(user, f"{user}pw\n", 0o600) for user in ("healer", "agent")}

    def watch(self, guest):
        """That guest is on the node at the next start."""
        self.node.libvirt = "{slow-interval: 100ms, uri: 'test://" + \
            self.node.write("node.xml", DOMAIN.format(guest=guest)) + "'}"

    def action(self, name, kind, user="healer", project="service", **options):
        settings = {"type": kind, "auth-url": stack.url("keystone") + "/v3", "user": user, "project": project,
                    "password-file": self.passwords[user], "dry-run": "no", "limit": 9, "timeout": "30s",
                    "max-age": "5m", "retry-min": "100ms", "retry-max": "1s",
                    **{key.replace("_", "-"): value for key, value in options.items()}}
        self.node.output(name, "".join(f"{key}: {value}\n" for key, value in settings.items()))

    def raise_rules(self, *names):
        self.node.write("policy.d/hard.yaml", "policies:\n" + "".join(
            f"  - {{name: {name}, match: {{entity: {RULES[name][0]}}}, condition: {RULES[name][1]}, "
            f"interval: 100ms, severity: critical, message: {name} holds}}\n" for name in names))
        self.node.ask("reload")

    def actions(self, output):
        return self.node.ask("actions", output)["actions"]

    def journal(self, output):
        return [(row["state"], row["answer"]) for row in self.actions(output)]

    def settled(self, output, count=1):
        """The journal once so many of its actions have ended."""
        wait_until(f"{output} has done it", lambda: len([state for state, _ in self.journal(output)
                                                         if state in DONE]) >= count, WAIT)
        return self.journal(output)

    @functools.cached_property
    def token_of_healer(self):
        return self.rig.stack.token("healer", "healerpw", "service")

    def ask(self, service, path):
        status, _, answer = stack.call("GET", stack.url(service) + path, token=self.token_of_healer)
        self.assertEqual(status, 200, answer)
        return answer

    @classmethod
    def start_services(cls):
        if not cls.rig.attached:
            recovery.start(cls.rig.stack)

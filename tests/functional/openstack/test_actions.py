# SPDX-License-Identifier: Apache-2.0
"""Outputs that act, against the real services: Masakari's notifications, Mistral's workflows."""

import json
import unittest
import urllib.request

import recovery
import stack
from rig import NODE, WAIT, OpenStackTest, wait_until

GUEST = "11111111-2222-4333-8444-555555555501"
DOMAIN = f"""<node><domain type='test'><name>web</name><uuid>{GUEST}</uuid><memory unit='MiB'>512</memory>
<vcpu>1</vcpu><os><type>hvm</type></os></domain></node>"""
RULES = {"hard-hang": ("guest", "cpu.time > 0"), "node-dead": ("node", "load.1 >= 0")}
WORKFLOW = """---
version: '2.0'
heal:
  input: [alarm, ticket]
  output: {who: <% $.alarm.guest.uuid %>, why: <% $.alarm.rule %>, ticket: <% $.ticket %>}
  tasks: {one: {action: std.noop}}
"""


class Actions(OpenStackTest):
    @classmethod
    def setUpClass(cls):
        missing = recovery.missing()
        if missing:
            raise unittest.SkipTest("not installed: " + ", ".join(missing))
        if not cls.rig.attached:
            recovery.start(cls.rig.stack)
            recovery.add_host(cls.rig.stack, NODE)

    def setUp(self):
        super().setUp()
        self.token_of_healer = self.rig.stack.token("healer", "healerpw", "service")
        self.node.libvirt = "{slow-interval: 100ms, uri: 'test://" + self.node.write("node.xml", DOMAIN) + "'}"
        self.password = self.node.write("healer", "healerpw\n", 0o600)

    def action(self, name, kind, **options):
        settings = {"type": kind, "auth-url": stack.url("keystone") + "/v3", "user": "healer", "project": "service",
                    "password-file": self.password, "dry-run": "no", "limit": 9, "timeout": "30s", "max-age": "5m",
                    "retry-min": "100ms", "retry-max": "1s",
                    **{key.replace("_", "-"): value for key, value in options.items()}}
        self.node.output(name, "".join(f"{key}: {value}\n" for key, value in settings.items()))

    def raise_rules(self, *names):
        self.node.write("policy.d/hard.yaml", "policies:\n" + "".join(
            f"  - {{name: {name}, match: {{entity: {RULES[name][0]}}}, condition: {RULES[name][1]}, "
            f"interval: 100ms, severity: critical, message: {name} holds}}\n" for name in names))
        self.node.ask("reload")

    def journal(self, output):
        return [(row["state"], row["answer"]) for row in self.node.ask("actions", output)["actions"]]

    def settled(self, output):
        wait_until(f"{output} has done it", lambda: [state for state, _ in self.journal(output)
                                                     if state in ("accepted", "refused")], WAIT)
        return self.journal(output)

    def ask(self, service, path):
        status, _, answer = stack.call("GET", stack.url(service) + path, token=self.token_of_healer)
        self.assertEqual(status, 200, answer)
        return answer

    def test_masakari(self):
        self.action("guests", "masakari", rules="hard-*")
        self.action("again", "masakari", rules="hard-*")
        self.action("node", "masakari", rules="node-*", notify="compute-host")
        self.action("stranger", "masakari", rules="hard-*", host="nobody")
        self.action("dry", "masakari", rules="hard-*", dry_run="yes")
        self.node.start()
        self.raise_rules("hard-hang", "node-dead")
        both = [self.settled(name)[0] for name in ("guests", "again")]
        self.assertEqual([state for state, _ in both], ["accepted"] * 2)
        self.assertEqual(self.settled("stranger"), [("refused", "400: Host with name nobody could not be found.")])
        self.settled("node")
        self.assertEqual([state for state, _ in self.journal("dry")], ["dry-run"])
        kept = {row["type"]: row for row in self.ask("masakari", "/v1/notifications")["notifications"]}
        self.assertEqual(set(kept), {"VM", "COMPUTE_HOST"})
        self.assertEqual(kept["VM"]["payload"], {"event": "LIFECYCLE", "instance_uuid": GUEST,
                                                 "vir_domain_event": "STOPPED_FAILED"})
        self.assertEqual(kept["COMPUTE_HOST"]["payload"], {"event": "STOPPED", "host_status": "NORMAL",
                                                           "cluster_status": "OFFLINE"})
        # Two told the same while the first is new: the second is known by its repetition. Later it would not be.
        texts = sorted(text for _, text in both)
        self.assertEqual(texts[0], "202: " + kept["VM"]["notification_uuid"])
        self.assertEqual(texts[1], f"409: Notification received from host {NODE} of type VM is duplicate.")

    def test_mistral(self):
        request = urllib.request.Request(stack.url("mistral") + "/v2/workflows", WORKFLOW.encode(), {
            "X-Auth-Token": self.token_of_healer, "Content-Type": "text/plain"})
        with urllib.request.urlopen(request, timeout=WAIT) as answer:
            self.assertEqual(answer.status, 201)
        self.action("heal", "mistral", workflow="heal", rules="hard-*", inputs="'{\"ticket\": \"T-1\"}'")
        self.action("none", "mistral", workflow="nothing", rules="hard-*")
        self.action("other", "mistral", workflow="heal", input="wrong", rules="hard-*")
        self.node.start()
        self.raise_rules("hard-hang")
        state, text = self.settled("heal")[0]
        self.assertEqual((state, text[:5]), ("accepted", "201: "))
        path = "/v2/executions/" + text[5:]
        wait_until("the workflow has ended", lambda: self.ask("mistral", path)["state"] == "SUCCESS", WAIT)
        execution = self.ask("mistral", path)
        self.assertEqual(json.loads(execution["output"]), {"who": GUEST, "why": "hard-hang", "ticket": "T-1"})
        self.assertRegex(execution["description"], f"^guestmon {NODE}/[0-9]+: ")
        self.assertRegex(self.settled("none")[0][1], "^404: Workflow not found .*nothing")
        self.assertRegex(self.settled("other")[0][1], "^400: Invalid input .*missing=.*alarm")

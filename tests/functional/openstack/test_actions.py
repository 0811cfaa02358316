# SPDX-License-Identifier: Apache-2.0
"""Outputs that act, against the real services: what Masakari's API makes of notifications, Mistral's workflows."""

import json
import unittest
import urllib.request

import recovery
import stack
from acting import ActionTest
from rig import NODE, WAIT, wait_until

WORKFLOW = """---
version: '2.0'
heal:
  input: [alarm, ticket]
  output: {who: <% $.alarm.guest.uuid %>, why: <% $.alarm.rule %>, ticket: <% $.ticket %>}
  tasks: {one: {action: std.noop}}
"""


class Actions(ActionTest):
    @classmethod
    def setUpClass(cls):
        missing = recovery.missing()
        if missing:
            raise unittest.SkipTest("not installed: " + ", ".join(missing))
        cls.start_services()
        recovery.add_host(cls.rig.stack, NODE)
        cls.addClassCleanup(recovery.forget_hosts, cls.rig.stack)

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
        self.assertEqual(kept["VM"]["payload"], {"event": "LIFECYCLE", "instance_uuid": self.guest,
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
        self.assertEqual(json.loads(execution["output"]), {"who": self.guest, "why": "hard-hang", "ticket": "T-1"})
        self.assertRegex(execution["description"], f"^guestmon {NODE}/[0-9]+: ")
        self.assertRegex(self.settled("none")[0][1], "^404: Workflow not found .*nothing")
        self.assertRegex(self.settled("other")[0][1], "^400: Invalid input .*missing=.*alarm")

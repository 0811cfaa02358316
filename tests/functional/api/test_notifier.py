# SPDX-License-Identifier: Apache-2.0
"""Tacker's Server Notifier: what Tacker registers, the one call that a fault makes, and the fence behind it.
Requests and the call are those of Tacker's own driver and of its Fault Notification Interface."""

import re
import time

from consumer import Consumer
from rig import DB, WEB, RigTest, wait_until

TENANT = "tenant-a"


class Notifier(RigTest):
    def setUp(self):
        self.rig.policies()
        self.tacker = Consumer().start()
        self.made = []
        self.addCleanup(self.end)

    def end(self):
        self.rig.policies()
        for path in self.made:
            self.rig.call("DELETE", path)
        self.tacker.stop()

    def register(self, server=WEB, tenant=TENANT):
        action = self.tacker.url(f"/server_notification/vnf_instances/vnf-1/servers/{server}/notify")
        path = f"/v2/{tenant}/servers/{server}/alarms"
        answer = self.rig.call("POST", path, {"fault_action": action, "fault_id": "1234"})
        self.assertEqual(answer.status, 200, answer.text)
        self.made.append(f"{path}/{answer.json()['alarm_id']}")
        return answer.json()["alarm_id"]

    def calls(self):
        with self.tacker.lock:
            return [(path, body["notification"]) for path, body, status in self.tacker.calls if status == 204]

    def settled(self):
        """Lets pass what would be told."""
        time.sleep(1)
        return self.calls()

    def test_a_fault_calls_once_until_it_is_registered_anew(self):
        alarm_id = self.register()
        self.rig.policies(one="minor")
        self.assertEqual(self.settled(), [], "it is no fault")
        self.rig.policies(one="minor", two="critical")
        path, told = wait_until("the call", self.calls)[0]
        self.assertEqual(path, f"/server_notification/vnf_instances/vnf-1/servers/{WEB}/notify")
        self.assertEqual(told, {"host_id": "node1", "alarm_id": alarm_id, "fault_id": "1234", "fault_type": "20",
                                "fault_option": {"message": "two holds"}})
        self.rig.policies(three="critical")
        self.assertEqual(len(self.settled()), 1, "healing is under way")
        self.rig.kill()
        self.rig.start()
        self.rig.policies(three="critical", four="critical")
        self.assertEqual(len(self.settled()), 1, "it remembers over a restart")
        self.assertEqual(self.rig.call("DELETE", self.made[0]).status, 204)
        self.problem(self.rig.call("DELETE", self.made[0]), 404)
        self.register()
        self.rig.policies(five="critical")
        wait_until("a call for the new one", lambda: len(self.calls()) == 2)

    def alarm(self):
        return next(alarm for alarm in self.rig.alarms() if alarm["detector"] == "policy")

    def test_what_is_done_with_an_alarm_is_no_fault(self):
        self.rig.policies(one="critical")
        alarm = self.alarm()
        self.register()
        for words in (["comment", str(alarm["id"]), "seen"], ["ack", str(alarm["id"])], ["unack", str(alarm["id"])],
                      ["maintenance", "add", "web.example", "--for", "1h"]):
            reply = self.rig.ask(*words)
            self.assertEqual(reply.returncode, 0, reply.stderr)
        self.addCleanup(self.rig.ask, "maintenance", "remove", re.search(r"\d+", reply.stdout)[0])
        wait_until("it is suppressed", lambda: self.alarm().get("suppressed"))
        time.sleep(1.5)
        self.assertEqual(self.calls(), [])

    def test_over_before_tacker_is_back(self):
        self.register()
        self.tacker.stop()
        self.rig.policies(two="critical")
        wait_until("it was tried", lambda: " of server " in self.rig.log.read_text("utf-8"))
        self.rig.policies()
        self.tacker.start()
        wait_until("it is given up", lambda: "no fault any more" in self.rig.log.read_text("utf-8"), 40)
        self.assertEqual(self.settled(), [])

    def test_each_call_has_a_connection_of_its_own(self):
        """On one that is kept, libcurl sends a call again that was cut off."""
        self.register()
        self.register()
        self.rig.policies(one="critical")
        wait_until("both", lambda: len(self.calls()) == 2)
        self.assertEqual(len(set(self.tacker.ports)), 2)

    def test_tacker_is_away(self):
        self.register()
        self.tacker.stop()
        self.rig.policies(one="critical")
        wait_until("it was tried", lambda: "tacker/" in self.rig.log.read_text("utf-8"))
        self.tacker.start()
        self.tacker.answers = [503]
        wait_until("the call", self.calls, 40)
        self.assertEqual(len(self.settled()), 1)

    def test_of_others(self):
        self.register(server=DB, tenant="tenant-b")
        self.register(tenant="tenant-b")
        self.rig.policies(one="critical")
        self.assertEqual(self.settled(), [])
        self.assertIn("of another tenant", self.rig.log.read_text("utf-8"))

    def test_what_is_refused(self):
        path = f"/v2/{TENANT}/servers/{WEB}/alarms"
        good = {"fault_action": self.tacker.url(), "fault_id": "1"}
        for body, status, says in [({**good, "fault_action": "http://192.0.2.1/x"}, 403, "callbacks"),
                                   ({**good, "fault_action": "x"}, 400, "fault_action"),
                                   ({**good, "fault_id": ""}, 400, "fault_id"),
                                   ({**good, "fault_id": 7}, 400, "fault_id"), ({}, 400, "fault_action"),
                                   (b"x", 400, "not JSON")]:
            self.problem(self.rig.call("POST", path, body), status, says)
        self.problem(self.rig.call("POST", f"/v2/{TENANT}/servers/web/alarms", good), 400, "UUID")
        self.problem(self.rig.call("POST", path, good, user="look"), 403)
        self.problem(self.rig.call("POST", path, good, user=None), 401)
        self.problem(self.rig.call("GET", path), 405)

# SPDX-License-Identifier: Apache-2.0
"""/vnffm/v1/alarms: what is active, as SOL 003's tables say, whole and filtered."""

import json
import urllib.parse

from rig import WEB, RigTest, valid, wait_until

PATH = "/vnffm/v1/alarms"


class Alarms(RigTest):
    def setUp(self):
        self.rig.policies(small="minor", large="critical")
        self.addCleanup(self.rig.policies)
        wait_until("both are shown", lambda: len(self.rig.get(PATH)) == 2)

    def select(self, text):
        alarms = self.rig.get(PATH + "?filter=" + urllib.parse.quote(text), "Alarms")
        return sorted(alarm["faultType"].split()[-1] for alarm in alarms)

    def test_versions(self):
        for path in ("/vnffm/api_versions", "/vnffm/v1/api_versions"):
            self.assertEqual(self.rig.get(path, "ApiVersionInformation")["apiVersions"][0]["version"], "1.3.0")
        answer = self.rig.call("GET", PATH, Version="1.1.0")
        self.assertEqual((answer.status, answer.headers["Version"]), (200, "1.3.0"))
        self.problem(self.rig.call("GET", PATH, Version="2.0.0"), 406)

    def test_each_is_what_the_tables_say(self):
        alarms = {alarm["faultType"]: alarm for alarm in self.rig.get(PATH, "Alarms")}
        alarm = alarms["policy cpu.time large"]
        self.assertEqual(alarm["managedObjectId"], WEB)
        self.assertEqual(alarm["rootCauseFaultyResource"]["faultyResource"]["resourceId"], WEB)
        self.assertEqual((alarm["perceivedSeverity"], alarm["ackState"], alarm["eventType"], alarm["probableCause"]),
                         ("CRITICAL", "UNACKNOWLEDGED", "QOS_ALARM", "thresholdCrossed"))
        self.assertIn("large holds", alarm["faultDetails"])
        self.assertIn("guest=web.example", alarm["faultDetails"])
        own = urllib.parse.urlsplit(alarm["_links"]["self"]["href"]).path
        answer = self.rig.call("GET", own)
        shown = answer.json()
        for one in (shown, alarm):
            one.pop("faultDetails")  # evidence is kept up to date
        self.assertEqual((answer.status, shown), (200, alarm))
        self.assertRegex(answer.headers["ETag"], r'^"[0-9a-f-]+"$')
        self.assertEqual(answer.headers["Version"], "1.3.0")

    def test_filters(self):
        self.assertEqual(self.select("(eq,perceivedSeverity,CRITICAL)"), ["large"])
        self.assertEqual(self.select("(in,perceivedSeverity,CRITICAL,MINOR)"), ["large", "small"])
        self.assertEqual(self.select(f"(eq,managedObjectId,{WEB});(neq,perceivedSeverity,CRITICAL)"), ["small"])
        self.assertEqual(self.select("(eq,rootCauseFaultyResource/faultyResourceType,NETWORK)"), [])
        self.assertEqual(self.select("(cont,faultDetails,'small holds')"), ["small"])
        self.assertEqual(self.select("(eq,eventType,QOS_ALARM);(cont,probableCause,threshold)"), ["large", "small"])

    def test_one_that_was_cleared_is_known_a_while(self):
        alarm = next(one for one in self.rig.get(PATH) if one["faultType"].endswith("small"))
        self.rig.policies(large="critical")
        wait_until("it is not listed", lambda: len(self.rig.get(PATH)) == 1)
        gone = self.rig.get(f"{PATH}/{alarm['id']}", "Alarm")
        self.assertEqual(gone["perceivedSeverity"], "CLEARED")
        self.assertGreater(gone["alarmClearedTime"], gone["alarmRaisedTime"])

    def test_escalated(self):
        alarm = next(one for one in self.rig.get(PATH) if one["faultType"].endswith("small"))
        own = f"{PATH}/{alarm['id']}"
        wanted = {"proposedPerceivedSeverity": "CRITICAL"}
        for body in ({}, {"proposedPerceivedSeverity": "HIGH"}, {**wanted, "more": 1}, []):
            self.problem(self.rig.call("POST", own + "/escalate", body), 400)
        self.problem(self.rig.call("POST", f"{PATH}/999999/escalate", wanted), 404)
        self.problem(self.rig.call("POST", own + "/escalate", wanted, user="look"), 403)
        answer = self.rig.call("POST", own + "/escalate", wanted)
        self.assertEqual((answer.status, answer.text), (204, ""))
        said = [(row["author"], row["comment"]) for row in
                json.loads(self.rig.ask("--json", "comments", alarm["id"]).stdout)["comments"]]
        self.assertEqual(said, [("nfvo", "escalated: CRITICAL is proposed")])
        self.assertEqual(self.rig.get(own, "Alarm")["perceivedSeverity"], "MINOR")

    def test_the_cause_is_on_the_node(self):
        node = self.rig.directory / "policy.d/node.yaml"
        self.addCleanup(node.unlink)
        node.write_text("policies:\n  - {name: busy, match: {entity: node}, interval: 100ms, severity: major, "
                        "condition: load.1 >= 0, message: busy holds}\n", "utf-8")
        self.rig.ask("reload")
        shown = wait_until("the cause is shown", lambda: [one for one in self.rig.get(PATH, "Alarms")
                                                          if one["isRootCause"]])
        cause, effects = shown[0], {one["id"] for one in self.rig.get(PATH) if not one["isRootCause"]}
        self.assertEqual(cause["faultType"], "policy load.1 busy")
        self.assertEqual((cause["managedObjectId"], set(cause["correlatedAlarmIds"])), (WEB, effects))
        self.assertEqual(len(effects), 2)
        self.assertEqual(self.rig.get(f"{PATH}/{cause['id']}", "Alarm")["isRootCause"], True)
        for one in self.rig.get(PATH):
            if one["id"] in effects:
                self.assertEqual(one["correlatedAlarmIds"], [cause["id"]])

    def test_acknowledged(self):
        self.rig.policies(small="minor")
        alarm, = wait_until("it is there", lambda: self.rig.get(PATH))
        own = f"{PATH}/{alarm['id']}"
        seen = self.rig.call("GET", own).headers["ETag"]
        self.problem(self.rig.call("PATCH", own, {"ackState": "ACKNOWLEDGED"}, If_Match='"1-2-3-4"'), 412)
        self.problem(self.rig.call("PATCH", own, {"ackState": "ACKNOWLEDGED"}, user="look"), 403)
        for body in ({}, {"ackState": "MAYBE"}, {"ackState": 1}, {"ackState": "ACKNOWLEDGED", "id": "2"}, []):
            self.problem(self.rig.call("PATCH", own, body), 400)
        answer = self.rig.call("PATCH", own, {"ackState": "ACKNOWLEDGED"}, If_Match=seen,
                               Content_Type="application/merge-patch+json")
        self.assertEqual((answer.status, valid("AlarmModifications", answer.json())),
                         (200, {"ackState": "ACKNOWLEDGED"}), answer.text)
        wait_until("it is shown", lambda: self.rig.get(own, "Alarm")["ackState"] == "ACKNOWLEDGED")
        self.problem(self.rig.call("PATCH", own, {"ackState": "ACKNOWLEDGED"}), 409)
        self.assertIn("nfvo", self.rig.ask("--json", "alarms").stdout)
        self.assertEqual(self.select("(eq,ackState,ACKNOWLEDGED)"), ["small"])
        self.assertEqual(self.rig.call("PATCH", own, {"ackState": "UNACKNOWLEDGED"}).status, 200)
        wait_until("it is taken back", lambda: self.rig.get(own, "Alarm")["ackState"] == "UNACKNOWLEDGED")
        self.problem(self.rig.call("PATCH", PATH + "/99999", {"ackState": "ACKNOWLEDGED"}), 404)

    def test_there_is_no_such_alarm(self):
        for name in ("0", "99999", "x", "1x", "01"):
            self.problem(self.rig.call("GET", f"{PATH}/{name}"), 404)
        valid("ProblemDetails", self.rig.call("DELETE", PATH).json())

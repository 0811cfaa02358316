# SPDX-License-Identifier: Apache-2.0
"""Alarms in Aodh: each change arrives once, also when the daemon is killed. What is broken on the other side is
test_storm.py."""

import datetime
import os
import random
import time

import proxy
import stack
from gmtest.wait import wait_until
from rig import PASSWORD, PATIENCE, WAIT, OpenStackTest

ALARMS = int(os.environ.get("GM_OPENSTACK_ALARMS", "2"))  # of each kill; 40, and 250 at most, in the long version
KILLS = int(os.environ.get("GM_OPENSTACK_KILLS", "2"))  # 50 in the long version
PATIENT = PATIENCE.replace("timeout: 5s", "timeout: 60s")  # where nothing may be tried in vain on a busy machine
PATIENCE_OF_ALL = WAIT + 5 * ALARMS  # Aodh answers one request at a time


def names(prefix, count=None):
    return [f"{prefix}-{number}" for number in range(ALARMS if count is None else count)]


class Aodh(OpenStackTest):
    def setUp(self):
        super().setUp()
        self.forget_alarms()

    def begin(self, options="", credential=None, patience=PATIENCE):
        self.node.output("cloud", "type: aodh\ndetectors: '*, !self'\n" + (credential or self.credential()) + patience +
                         options)
        self.node.start()

    def aodh_requests(self, method=None):
        return [request for request in self.proxies["aodh"].requests
                if method is None or request["method"] == method]

    def row(self):
        return self.node.row("cloud")

    # -- the ordinary way

    def test_raise_change_clear(self):
        self.begin("alarm-actions: http://127.0.0.1:1/a, http://127.0.0.1:1/b\n")
        self.node.raise_("plain")
        self.await_states({"plain": "alarm"})
        wait_until("its mark is there", lambda: "\nguestmon: " in
                   self.aodh_alarms()["plain"]["description"], WAIT)
        alarm = self.aodh_alarms()["plain"]
        self.assertEqual((alarm["type"], alarm["severity"], alarm["project_id"]),
                         ("event", "critical", self.facts["PROJECT_ID"]))
        self.assertEqual(alarm["alarm_actions"], ["http://127.0.0.1:1/a", "http://127.0.0.1:1/b"])
        self.assertRegex(alarm["description"], r"(?s)load\.1.*\nvalue \S+, limit 1000000\n"
                         r"found \S+Z, sent \S+Z\nguestmon: compute-7/1@\d+$")
        self.node.rules({"plain": "warning-min"})
        self.node.ask("reload")
        wait_until("the severity follows", lambda: self.aodh_alarms()["plain"]["severity"] == "low", WAIT)
        self.assertEqual(self.states(), {"plain": "alarm"})
        self.node.raise_()
        self.await_states({"plain": "ok"})
        self.assertEqual(self.history(alarm), ["alarm", "ok"])
        self.assertEqual(self.aodh_alarms()["plain"]["alarm_actions"], alarm["alarm_actions"])
        wait_until("all is told", lambda: self.row()["backlog"] == 0, WAIT)
        before = self.row()["delivered"]
        self.node.ask("outputs", "replay", self.row()["name"], "1")
        wait_until("all is told anew", lambda: self.row()["backlog"] == 0 and self.row()["delivered"] > before, WAIT)
        self.assertEqual(self.history(alarm), ["alarm", "ok"], "what is over is not raised again")

    def test_an_alarm_is_looked_up_once(self):
        """What Aodh has said is believed until there is a doubt, or somebody has taken the alarm away."""
        def asked():
            return len([request for request in self.aodh_requests("GET") if "value=guestmon" in request["path"]])

        def idle():
            wait_until("all is told", lambda: self.row()["backlog"] == 0, WAIT)

        self.begin(patience=PATIENT)
        first = None
        for _ in range(3):
            self.node.raise_("again")
            self.await_states({"again": "alarm"})
            idle()
            if first is None:
                first = asked()
                alarm = self.aodh_alarms()["again"]
                self.aodh("PUT", f"/v2/alarms/{alarm['alarm_id']}", {**alarm, "alarm_actions": ["http://127.0.0.1:1/own"]})
            self.node.raise_()
            self.await_states({"again": "ok"})
            idle()
        self.assertLessEqual(asked(), first + self.row()["retried"], "after a failure, once more")
        alarm = self.aodh_alarms()["again"]
        self.assertEqual(self.history(alarm), ["alarm", "ok"] * 3)
        self.assertEqual(alarm["alarm_actions"], ["http://127.0.0.1:1/own"], "what others change stays")
        before = asked()
        # Where nothing of an answer comes on a connection that was used before, the library asks again by itself.
        self.proxies["aodh"].inject(proxy.half(), lambda handler: handler.path.endswith("/state"), 1)
        self.node.raise_("again")
        self.await_states({"again": "alarm"})
        wait_until("half an answer was lost: a doubt", lambda: asked() > before, WAIT)
        idle()
        self.assertEqual(self.history(alarm), ["alarm", "ok"] * 3 + ["alarm"])
        before = asked()
        self.aodh("DELETE", f"/v2/alarms/{alarm['alarm_id']}")
        self.node.rules({"again": "warning-min"})
        self.node.ask("reload")
        self.await_states({"again": "alarm"})
        wait_until("it was taken away", lambda: asked() > before, WAIT)

    def test_password_and_a_catalog_of_two_interfaces(self):
        secret = self.node.write("password", PASSWORD + "\n", 0o600)
        before = len(self.aodh_requests())
        self.begin(credential=f"auth-url: {stack.url('keystone')}\nuser: agent\nproject: telco\n"
                   f"password-file: {secret}\n")
        self.node.raise_("password")
        self.await_states({"password": "alarm"})
        self.assertEqual(len(self.aodh_requests()), before, "interface public does not use the proxy")

    def test_clouds_yaml_and_environment(self):
        clouds = self.node.write("clouds.yaml", f"""
defaults: &defaults
  region_name: RegionOne
  interface: internal
clouds:
  other: {{auth: {{auth_url: "http://127.0.0.1:1"}}}}
  here:
    <<: *defaults
    auth:
      auth_url: {stack.url('keystone')}/v3/
      username: agent
      project_name: telco
      user_domain_id: default
      project_domain_name: Default
""", 0o600)
        self.node.write("secure.yaml", f"clouds: {{here: {{auth: {{password: {PASSWORD}}}}}}}\n", 0o600)
        self.begin(credential=f"cloud: here\nclouds-file: {clouds}\n")
        self.node.raise_("file")
        self.await_states({"file": "alarm"})
        self.node.stop()
        os.remove(self.node.path("outputs.d/cloud.yaml"))
        self.node.environment = {"OS_AUTH_URL": stack.url("keystone") + "/v3", "OS_USERNAME": "agent",
                                 "OS_PASSWORD": PASSWORD, "OS_PROJECT_NAME": "telco",
                                 "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_ID": "default"}
        self.begin(credential="severity: indeterminate\n")
        self.node.raise_("file", "environment")
        self.await_states({"file": "alarm", "environment": "alarm"})
        self.assertEqual(self.history(self.aodh_alarms()["file"]), ["alarm"])

    # -- tokens

    def test_keystone_away_at_the_start(self):
        """There is no token at all while alarms come."""
        front = self.proxies["keystone"]
        front.inject(proxy.status(503))
        self.begin()
        self.node.raise_(*names("away"))
        wait_until("it has asked for a token, and again", lambda: front.hit >= 2, WAIT)
        front.mend()
        self.await_states({name: "alarm" for name in names("away")})
        for name, alarm in self.aodh_alarms().items():
            self.assertEqual(self.history(alarm), ["alarm"], name)

    def test_revoked_token(self):
        self.begin(patience=PATIENT)
        self.node.raise_("before")
        self.await_states({"before": "alarm"})
        time.sleep(10.5)  # a younger token is not fetched anew
        token = [request["token"] for request in self.aodh_requests()][-1]
        code, _, _ = stack.call("DELETE", stack.url("keystone") + "/v3/auth/tokens", token=self.rig.stack.token(),
                                headers={"X-Subject-Token": token})
        self.assertEqual(code, 204)
        asked = len(self.proxies["keystone"].requests)
        self.node.raise_("before", "after")
        self.await_states({"before": "alarm", "after": "alarm"})
        self.assertEqual(len(self.proxies["keystone"].requests) - asked, 1, "one authentication, no loop")
        self.assertEqual(self.row()["retried"], 0, "the outbox did not notice")

    def test_token_is_renewed_ahead(self):
        """A token of six seconds is exchanged after three, before anything asks for it."""
        def shorten(answer):
            issued = datetime.datetime.fromisoformat(answer["token"]["issued_at"].rstrip("Z"))
            answer["token"]["expires_at"] = (issued + datetime.timedelta(seconds=6)).isoformat() + "Z"
            return answer

        front = self.proxies["keystone"]
        front.inject(proxy.rewrite(shorten))
        self.begin(patience=PATIENT)
        first = wait_until("it has begun", lambda: self.aodh_requests("GET"), WAIT)[-1]["token"]
        wait_until("two more tokens", lambda: front.hit >= 3, WAIT)
        self.node.raise_("renewed")
        self.await_states({"renewed": "alarm"})
        self.assertNotEqual(self.aodh_requests()[-1]["token"], first)
        self.assertEqual(self.row()["retried"], 0)

    # -- the daemon killed

    def test_killed_with_alarms_pending(self):
        """kill -9 at random moments while alarms come and go: each change is in the history once."""
        lot = random.Random(int(os.environ.get("GM_SEED", "1")))
        self.begin()
        told = {}
        for cycle in range(KILLS):
            wanted = names(f"kill{cycle}")
            self.node.raise_(*wanted)
            time.sleep(lot.random())
            self.node.kill()
            self.node.start()
            told.update({name: "alarm" for name in wanted})
            self.await_states(told, PATIENCE_OF_ALL)
            self.node.raise_()
            time.sleep(lot.random())
            self.node.kill()
            self.node.start()
            told.update({name: "ok" for name in wanted})
            self.await_states(told, PATIENCE_OF_ALL)
        for name, alarm in self.aodh_alarms().items():
            self.assertEqual(self.history(alarm), ["alarm", "ok"], name)
        self.assertEqual(self.row()["overflowed"] + self.row()["expired"], 0)

    # -- the start

    def test_reconciliation(self):
        """What somebody changed while the daemon was away is made right."""
        self.begin()
        self.node.raise_("kept", "reset", "ended", "deleted")
        self.await_states({name: "alarm" for name in ("kept", "reset", "ended", "deleted")})
        wait_until("all is told", lambda: self.row()["backlog"] == 0, WAIT)
        self.node.stop()
        alarms, token = self.aodh_alarms(), self.token()
        self.aodh("PUT", f"/v2/alarms/{alarms['reset']['alarm_id']}/state", "ok", token)
        self.aodh("DELETE", f"/v2/alarms/{alarms['deleted']['alarm_id']}", token=token)
        self.node.rules({**{name: "failure-min" for name in ("kept", "reset", "deleted")},
                         "ended": "failure-max"})  # never holds, and ends the alarm at once
        self.node.start()
        self.await_states({"kept": "alarm", "reset": "alarm", "ended": "ok", "deleted": "alarm"})
        self.assertEqual(self.history(alarms["kept"]), ["alarm"])
        self.assertEqual(self.history(alarms["reset"]), ["alarm", "ok", "alarm"])
        self.assertEqual(self.history(alarms["ended"]), ["alarm", "ok"])

    # -- guests

    def test_a_guest_of_a_tenant_comes_and_goes(self):
        """With an administrator's role the alarm is the tenant's; it goes with the guest."""
        password = self.node.write("password", "adminpw\n", 0o600)
        guest = "5f0d8a3e-0000-4000-8000-0000000000a1"
        metadata = (f'<metadata><n:instance xmlns:n="http://openstack.org/xmlns/libvirt/nova/1.1"><n:name>db-1</n:name>'
                    f'<n:owner><n:project uuid="{self.facts["TENANT_ID"]}">tenant</n:project></n:owner></n:instance></metadata>')

        def inventory(*domains):
            self.node.write("node.xml", "<node>" + "".join(
                f"<domain type='test'><name>instance-{number}</name><uuid>{uuid}</uuid>{metadata}<memory>65536</memory>"
                "<os><type>hvm</type></os></domain>" for number, uuid in enumerate(domains)) + "</node>")

        inventory(guest, guest[:-1] + "2")
        self.node.libvirt = f"{{uri: 'test://{self.node.path('node.xml')}'}}"
        admin = self.rig.stack.token()
        self.node.write("policy.d/guest.yaml", "thresholds:\n  - {name: state, metric: guest.state, failure-min: 1e6}\n")
        front = self.proxies["aodh"]  # a token that is not believed for once says nothing about the role
        front.inject(proxy.status(401, b'{"error": {"code": 401, "title": "Unauthorized"}}',
                                  WWW_Authenticate="Keystone uri=http://127.0.0.1/"), times=1)
        self.begin("remove-after: 1s\nguests: db-*\n",
                   credential=f"auth-url: {stack.url('keystone')}\nuser: admin\nproject: admin\n"
                   f"interface: internal\npassword-file: {password}\n")

        def alarms():
            rows = self.aodh("GET", "/v2/alarms?q.field=all_projects&q.op=eq&q.value=true", token=admin)
            return {row["name"].split("/")[2]: row for row in rows}
        wait_until("both are told", lambda: [row["state"] for row in alarms().values()] == ["alarm"] * 2, WAIT)
        self.assertEqual(front.hit, 1)
        row = alarms()["guest:" + guest]
        self.assertEqual(row["project_id"], self.facts["TENANT_ID"])
        self.assertIn("guest db-1, project tenant", row["description"])
        self.node.stop()
        inventory(guest[:-1] + "2")
        self.node.start()
        wait_until("the alarm of the guest that is gone is removed",
                   lambda: list(alarms()) == ["guest:" + guest[:-1] + "2"], 3 * WAIT, 0.5)
        self.assertEqual(self.history(alarms()["guest:" + guest[:-1] + "2"], admin), ["alarm"])
        os.remove(self.node.path("policy.d/guest.yaml"))
        self.node.ask("reload")
        wait_until("the other one is cleared", lambda: [row["state"] for row in alarms().values()] == ["ok"], WAIT)
        for row in alarms().values():
            self.aodh("DELETE", f"/v2/alarms/{row['alarm_id']}", token=admin)

    # -- secrets

    def test_secrets_are_nowhere(self):
        self.begin()
        self.node.raise_("secret")
        self.await_states({"secret": "alarm"})
        self.proxies["keystone"].inject(proxy.status(500, self.facts["CREDENTIAL_SECRET"].encode()))
        token = [request["token"] for request in self.aodh_requests()][-1]
        secrets = [token, self.facts["CREDENTIAL_SECRET"], PASSWORD]
        process = f"/proc/{self.node.process.pid}/cmdline"
        with open(process, encoding="utf-8") as file:
            texts = {"cmdline": file.read()}
        for words in (("status",), ("outputs",), ("alarms",), ("alarms", "--log"), ("check",)):
            reply = self.node.run("--json", *words)
            texts[" ".join(words)] = reply.stdout + reply.stderr
        texts["log"] = self.node.log()
        with open(self.node.path("state/state.db"), "rb") as file:
            texts["state"] = file.read().decode("latin-1")
        for where, text in texts.items():
            for secret in secrets:
                self.assertNotIn(secret, text, where)

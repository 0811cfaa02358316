# SPDX-License-Identifier: Apache-2.0
"""By the message bus: an alarm's actions run, which setting its state by the API does not do."""

import signal
import time

import proxy
import stack
from gmtest.wait import wait_until
from rig import PATIENCE, WAIT, OpenStackTest

HOOK = 28990


class Bus(OpenStackTest):
    def setUp(self):
        super().setUp()
        self.forget_alarms()
        self.hook = proxy.Receiver(HOOK)
        self.addCleanup(self.hook.close)

    def begin(self, url=f"amqp://guest:guest@127.0.0.1:{stack.PORTS['rabbit']}/%2f", options=""):
        place = self.node.write("bus", url + "\n", 0o600)
        self.node.output("cloud", "type: aodh\n" + self.credential() + PATIENCE + f"bus-url-file: {place}\n"
                         f"alarm-actions: http://127.0.0.1:{HOOK}/fired\n" + options)
        self.node.start()

    def fired(self, name):
        return [row for row in self.hook.got if row["body"]["alarm_name"].endswith("/" + name)]

    def test_the_webhook_fires(self):
        self.begin()
        self.node.raise_("hook")
        row = wait_until("the webhook", lambda: self.fired("hook"), WAIT)[0]
        self.assertEqual((row["path"], row["body"]["previous"], row["body"]["current"], row["body"]["severity"]),
                         ("/fired", "ok", "alarm", "critical"))
        event = row["body"]["reason_data"]["event"]
        self.assertEqual(event["event_type"], "guestmon.alarm")
        self.await_states({"hook": "alarm"})
        self.node.raise_()
        self.await_states({"hook": "ok"})
        self.node.rules({"hook": "warning-min"})
        self.node.ask("reload")
        wait_until("the webhook again", lambda: len(self.fired("hook")) == 2, WAIT)
        self.assertEqual(self.fired("hook")[1]["body"]["severity"], "low", "the severity is there before")
        self.await_states({"hook": "alarm"})
        wait_until("all is told", lambda: self.node.ask("outputs")["outputs"][0]["backlog"] == 0, WAIT)
        self.assertEqual(self.history(self.aodh_alarms()["hook"]), ["alarm", "ok", "alarm"])
        self.assertEqual(len(self.fired("hook")), 2)
        self.assertNotIn("guest:guest", self.node.log() + self.node.run("outputs").stdout)

    def test_without_a_bus_the_state_arrives(self):
        """Nobody answers there; and a listener that hangs."""
        self.begin(url="amqp://guest:guest@127.0.0.1:1/")
        self.node.raise_("nobody")
        self.await_states({"nobody": "alarm"})
        self.assertIn("alarms are raised by the API, their actions do not run", self.node.log())
        self.node.stop()
        self.rig.stack.kill("aodh-listener", signal.SIGSTOP)
        try:
            self.begin()
            self.node.raise_("nobody", "hung")
            self.await_states({"nobody": "alarm", "hung": "alarm"})
        finally:
            self.rig.stack.kill("aodh-listener", signal.SIGCONT)
        self.assertIn("aodh-listener has not raised", self.node.log())
        time.sleep(1)
        self.assertEqual(self.history(self.aodh_alarms()["hung"]), ["alarm"], "what comes late changes nothing")

    def test_the_daemon_is_killed_between(self):
        self.begin()
        self.node.raise_("cut")
        wait_until("the alarm is made", lambda: "cut" in self.aodh_alarms(), WAIT)
        self.node.kill()
        self.node.start()
        self.await_states({"cut": "alarm"})
        wait_until("the webhook", lambda: self.fired("cut"), WAIT)
        wait_until("all is told", lambda: self.node.ask("outputs")["outputs"][0]["backlog"] == 0, WAIT)
        self.assertEqual(self.history(self.aodh_alarms()["cut"]), ["alarm"])
        self.assertEqual(len(self.fired("cut")), 1)

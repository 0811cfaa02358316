# SPDX-License-Identifier: Apache-2.0
"""By the message bus: an alarm's actions run, which setting its state by the API does not do."""

import signal
import socket
import threading
import time

import proxy
import stack
from gmtest.wait import wait_until
from rig import PATIENCE, WAIT, OpenStackTest

HOOK = 28990
TALKER = 28991


class Talker:
    """In front of the broker: once it has been given a message it keeps the broker's word to itself, and goes on
    talking about something else."""

    PUBLISH, SCRAP = b"\x00\x3c\x00\x28", b"\x03\x00\x01\x00\x00\x00\x01x\xce"

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", TALKER))
        self.met = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            broker = socket.create_connection(("127.0.0.1", stack.PORTS["rabbit"]))
            talks = threading.Event()
            threading.Thread(target=self.there, args=(client, broker, talks), daemon=True).start()
            threading.Thread(target=self.back, args=(client, broker, talks), daemon=True).start()

    def there(self, client, broker, talks):
        while data := client.recv(65536):
            if self.PUBLISH in data:
                self.met += 1
                talks.set()
            else:
                broker.sendall(data)
        broker.close()

    def back(self, client, broker, talks):
        broker.settimeout(0.1)
        try:
            while True:
                if talks.is_set():
                    time.sleep(0.5)
                    client.sendall(self.SCRAP)
                    continue
                try:
                    data = broker.recv(65536)
                except TimeoutError:
                    continue
                if not data:
                    break
                client.sendall(data)
        except OSError:
            pass
        client.close()

    def close(self):
        self.listener.close()


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
        wait_until("all is told", lambda: self.node.row("cloud")["backlog"] == 0, WAIT)
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

    def test_a_broker_that_talks_and_confirms_nothing(self):
        talker = Talker()
        self.addCleanup(talker.close)
        self.begin(url=f"amqp://guest:guest@127.0.0.1:{TALKER}/%2f")
        self.node.raise_("talk")
        self.await_states({"talk": "alarm"})
        self.assertGreater(talker.met, 0)
        self.assertIn("it does not confirm in time", self.node.log())

    def test_the_daemon_is_killed_between(self):
        self.begin()
        self.node.raise_("cut")
        wait_until("the alarm is made", lambda: "cut" in self.aodh_alarms(), WAIT)
        self.node.kill()
        self.node.start()
        self.await_states({"cut": "alarm"})
        wait_until("the webhook", lambda: self.fired("cut"), WAIT)
        wait_until("all is told", lambda: self.node.row("cloud")["backlog"] == 0, WAIT)
        self.assertEqual(self.history(self.aodh_alarms()["cut"]), ["alarm"])
        self.assertEqual(len(self.fired("cut")), 1)

# SPDX-License-Identifier: Apache-2.0
"""Prometheus' Alertmanager itself, as Debian ships it: receives, groups, resolves, and is told again what it forgot."""

import json
import shutil
import subprocess
import unittest
import urllib.request

from receiver import Receiver
from rig import NODE, die_with_parent, free_port, wait_until
from test_webhook import WebhookCase

CONFIG = """
route: {{receiver: hook, group_by: [node, alertname], group_wait: 500ms, group_interval: 500ms, repeat_interval: 1h}}
receivers:
  - {{name: hook, webhook_configs: [{{url: '{url}', send_resolved: true}}]}}
"""


@unittest.skipUnless(shutil.which("prometheus-alertmanager"), "prometheus-alertmanager is not installed")
class Alertmanager(WebhookCase):
    def setUp(self):
        super().setUp()
        self.hook = self.receiver  # what Alertmanager tells
        self.port, self.process = free_port(), None
        (self.rig.at / "alertmanager.yml").write_text(CONFIG.format(url=self.hook.url("/am")), "utf-8")
        self.start_alertmanager()

    def start_alertmanager(self):
        storage = self.rig.at / "alertmanager"
        shutil.rmtree(storage, ignore_errors=True)
        with open(self.rig.at / "alertmanager.log", "ab") as log:
            self.process = subprocess.Popen(
                ["prometheus-alertmanager", f"--config.file={self.rig.at}/alertmanager.yml",
                 f"--storage.path={storage}", f"--web.listen-address=127.0.0.1:{self.port}",
                 "--cluster.listen-address="], stdout=log, stderr=log, preexec_fn=die_with_parent)
        wait_until("Alertmanager is ready", self.ready)

    def end(self):
        self.process.kill()
        self.process.wait(20)
        super().end()

    def ask(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.read()

    def ready(self):
        try:
            return self.ask("/-/ready")
        except OSError:
            return False

    def alerts(self):
        """The active alerts by rule."""
        return {alert["labels"]["rule"]: alert for alert in json.loads(self.ask("/api/v2/alerts"))}

    def told(self):
        """The last body of Alertmanager's about our group."""
        bodies = self.hook.all()
        return bodies[-1].json if bodies else {}

    def statuses(self):
        return {alert["labels"]["rule"]: alert["status"] for alert in self.told().get("alerts", [])}

    def test_it_receives_groups_resolves_and_remembers(self):
        like = Receiver()  # the same alarms as Alertmanager would send them
        self.addCleanup(like.down)
        self.rig.output("am", type="webhook", format="alertmanager", repeat="1s",
                        url=f"http://127.0.0.1:{self.port}/api/v2/alerts", generator_url="http://nms.example/")
        self.rig.output("like", type="webhook", format="alertmanager-webhook", url=like.url())
        self.rig.start()
        self.rig.alarms(["one", "two"])
        wait_until("both are active", lambda: set(self.alerts()) == {"one", "two"})
        alert = self.alerts()["one"]
        self.assertEqual({name: alert["labels"][name] for name in ("alertname", "node", "severity", "metric")},
                         {"alertname": "GuestmonThreshold", "node": NODE, "severity": "critical",
                          "metric": "load.1"})
        self.assertEqual(alert["generatorURL"], "http://nms.example/")
        wait_until("they are told as one group", lambda: self.statuses() == {"one": "firing", "two": "firing"})
        self.assertEqual(self.told()["groupLabels"], {"alertname": "GuestmonThreshold", "node": NODE})
        self.rig.idle("like")
        prints = {alert["labels"]["rule"]: alert["fingerprint"]
                  for request in like.arrived() for alert in request.json["alerts"]}
        self.assertEqual(prints, {rule: alert["fingerprint"] for rule, alert in self.alerts().items()})

        before = alert["endsAt"]  # four times `repeat` from the last repeat on
        wait_until("the alert is told again", lambda: self.alerts()["one"]["endsAt"] > before)
        self.process.kill()
        self.process.wait(20)
        self.start_alertmanager()  # has forgotten all
        wait_until("it learns them again", lambda: set(self.alerts()) == {"one", "two"})

        self.rig.alarms(["two"])
        wait_until("one is resolved", lambda: set(self.alerts()) == {"two"})
        wait_until("that is told", lambda: self.statuses().get("one") == "resolved")
        self.rig.alarms([])
        wait_until("all is resolved", lambda: self.alerts() == {})
        wait_until("that is told, too", lambda: self.statuses().get("two") == "resolved")

        self.rig.alarms(["three"])  # the daemon restarts: what is active is repeated all the same
        wait_until("it is active", lambda: set(self.alerts()) == {"three"})
        self.rig.kill()
        self.process.kill()
        self.process.wait(20)
        self.start_alertmanager()
        self.rig.start()
        wait_until("it is active again", lambda: set(self.alerts()) == {"three"})
        self.rig.ctl("outputs", "pause", "am")
        wait_until("the pause is seen", lambda: self.rig.row("am")["state"] == "paused")
        wait_until("nothing is repeated, so that it ends", lambda: self.alerts() == {})
        self.rig.ctl("outputs", "resume", "am")
        wait_until("it is active again", lambda: set(self.alerts()) == {"three"})
        self.rig.alarms([])
        wait_until("and resolved", lambda: self.alerts() == {})

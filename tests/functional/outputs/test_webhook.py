# SPDX-License-Identifier: Apache-2.0
"""A webhook whose receiver misbehaves in every way: each alarm arrives all the same, in order, with the same key and a
right signature; nothing secret is told to anybody else."""

import json
import pathlib
import subprocess
import unittest

import certificates
import jsonschema
from latency import Table
from receiver import FAULTS, Receiver, server_context, signature_is_right
from rig import NODE, Rig, wait_until

VES = json.loads((pathlib.Path(__file__).resolve().parents[2] / "data/ves/fault.json").read_text("utf-8"))
TOKEN, KEY, PATH = "t0ken-that-nobody-may-see", "k3y-of-the-signature", "/services/T0/s3cret-path"
HOSTILE = 'a "quote", a \\ backslash, {{braces}}, <tag>&amp; \u202e\u00e9\U0001f411 on {entity}'


class WebhookCase(unittest.TestCase):
    daemon = ctl = None
    longMessage = True

    def setUp(self):
        self.rig = Rig(self.daemon, self.ctl)
        self.receiver = Receiver()
        self.addCleanup(self.receiver.down)
        self.addCleanup(self.end)

    def end(self):
        status = self.rig.close()
        self.assertEqual(status, 0, "the daemon's status")

    def check_order(self, receiver, alarms):
        """Per alarm raise, …, clear in order, as first arrivals; all keys of the journal are there."""
        seen, last = {}, {}
        for request in receiver.arrived():
            message = request.json
            if request.key in seen:
                self.assertEqual(seen[request.key], (message["sequence"], message["state"], message["alarm"]))
                continue
            self.assertEqual(request.key, f"{NODE}/{message['sequence']}")
            self.assertEqual(message["key"], request.key)
            seen[request.key] = (message["sequence"], message["state"], message["alarm"])
            self.assertGreater(message["sequence"], last.get(message["alarm"], 0), "order within an alarm")
            last[message["alarm"]] = message["sequence"]
        self.assertEqual(len(last), alarms)
        states = {}
        for sequence, state, alarm in sorted(seen.values()):
            states.setdefault(alarm, []).append(state)
        for alarm, told in states.items():
            self.assertEqual((told[0], told[-1], told.count("raise"), told.count("clear")),
                             ("raise", "clear", 1, 1), f"alarm {alarm}: {told}")
        return seen


class Faults(WebhookCase):
    def configure(self):
        self.rig.output("hook", type="webhook", format="json", url_file=self.rig.secret("url", self.receiver.url(PATH)),
                        headers_file=self.rig.secret("headers", f"Authorization: Bearer {TOKEN}\nX-Tenant: blue\n"),
                        hmac_file=self.rig.secret("key", KEY + "\n"), timeout="1s")

    def live_through(self, mode):
        """An alarm is raised while the receiver misbehaves, and cleared after that."""
        self.receiver.mode = mode
        before = len(self.receiver.arrived())
        attempts = 3 if mode in FAULTS and mode != "429" else 1
        self.rig.alarms([f"of-{mode}"])
        wait_until(f"attempts in vain: {mode}", lambda: len(self.receiver.all(mode)) >= attempts)
        if mode not in ("garbage",):
            row = self.rig.failing("hook")
            self.assertNotIn(TOKEN, str(row))
            self.assertNotIn(PATH, str(row))
            self.assertGreater(row["retried"], 0)
            self.assertEqual(len(self.receiver.arrived()), before)
        self.receiver.mode = "ok"
        self.receiver.released.set()
        wait_until(f"it arrives after {mode}", lambda: len(self.receiver.arrived()) > before)
        self.receiver.released.clear()
        self.rig.alarms([])
        self.rig.idle("hook")

    def test_a_receiver_in_bad_days(self):
        other = Receiver()
        self.addCleanup(other.down)
        self.receiver.elsewhere = other.url("/elsewhere")
        self.configure()
        self.rig.start()
        self.rig.alarms(["first"], HOSTILE)
        wait_until("the first alarms arrive", lambda: len(self.receiver.arrived()) == 2)
        modes = [*FAULTS, "hung", "half", "huge", "garbage", "redirect", "echo"]
        memory = None
        for mode in modes:
            with self.subTest(mode):
                self.live_through(mode)
                memory = memory or self.rig.rss()  # once what the daemon keeps is there
                self.assertLess(self.rig.rss() - memory, self.rig.growth(16 << 20), "memory stays bounded")
        self.assertLess(self.receiver.huge_bytes, 60 << 20, "most of the 100 MB were never taken")
        self.assertEqual(other.all(), [], "no redirect is followed")

        self.receiver.down()  # killed, and restarted
        self.rig.alarms(["of-killed"])
        self.rig.failing("hook")
        self.receiver.up()
        self.rig.alarms([])
        self.rig.idle("hook")
        self.check_order(self.receiver, len(modes) + 3)
        self.check_requests()
        self.check_secrets()

    def check_requests(self):
        for request in self.receiver.all():
            self.assertTrue(signature_is_right(request, KEY), "the signature")
            self.assertEqual(request.headers["Authorization"], f"Bearer {TOKEN}")
            self.assertEqual(request.headers["X-Tenant"], "blue")
            self.assertEqual(request.headers["Content-Type"], "application/json")
            self.assertEqual(request.path, PATH)
        said = next(request.json for request in self.receiver.arrived() if request.json["rule"] == "said")
        self.assertIn(HOSTILE.replace("{{", "{").replace("}}", "}").replace("{entity}", "node"), said["text"])

    def check_secrets(self):
        """Not in the log, the arguments and environment, ps, nor in what the daemon answers."""
        places = {
            "log": self.rig.log_text(), "arguments": self.rig.seen_arguments,
            "ps": subprocess.run(["ps", "-eww", "-o", "args"], text=True, capture_output=True, check=True).stdout,
        }
        for words in (["outputs"], ["--json", "outputs"], ["--json", "status"], ["check"], ["--json", "alarms", "--log"]):
            done = self.rig.ctl(*words)
            places[" ".join(words)] = done.stdout + done.stderr
        (self.rig.at / "headers").chmod(0o644)
        for path, line in (("headers", None), ("key", "\n"), ("url", f"ftp://x/{TOKEN}"), ("headers", TOKEN)):
            if line:
                self.rig.secret(path, line)
            done = self.rig.ctl("check", check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("outputs.d/hook.yaml", done.stdout + done.stderr)
            places[f"refusal of {path}"] = done.stdout + done.stderr
            self.configure()
        for place, text in places.items():
            for secret in (TOKEN, KEY, PATH, "s3cret-path"):
                self.assertNotIn(secret, text, f"a secret in {place}")


class Rotation(WebhookCase):
    def test_a_reload_takes_a_changed_secret(self):
        """The file's name stays, its contents do not; an output whose files are as before goes on undisturbed."""
        self.rig.output("hook", type="webhook", url=self.receiver.url(PATH),
                        headers_file=self.rig.secret("headers", "Authorization: Bearer old\n"))
        self.rig.start()
        self.rig.alarms(["one"])
        self.rig.idle("hook")
        self.rig.ctl("reload")
        self.assertEqual(self.rig.row("hook")["delivered"], 1, "it is the same as before")
        self.rig.secret("headers", "Authorization: Bearer new\n")
        self.rig.ctl("reload")
        self.rig.alarms(["one", "two"])
        self.rig.idle("hook")
        self.assertEqual([request.headers["Authorization"] for request in self.receiver.arrived()],
                         ["Bearer old", "Bearer new"])


class Tls(WebhookCase):
    def configure(self, name, receiver, **more):
        self.rig.output(name, type="webhook", format="cloudevents", url=receiver.url(scheme="https"),
                        ca_file=self.authority / "ca.pem", timeout="2s", **more)

    def test_certificates(self):
        self.authority = certificates.make(self.rig.at / "authority")
        expired = Receiver(context=server_context(self.authority, "expired"))
        strict = Receiver(context=server_context(self.authority, "server", self.authority / "ca.pem"))
        for receiver in (expired, strict):
            self.addCleanup(receiver.down)
        self.configure("expired", expired)
        self.configure("anonymous", strict)
        self.configure("known", strict, certificate=self.authority / "client.pem",
                       key=self.authority / "client.key")
        self.rig.output("unknown-authority", type="webhook", url=strict.url(scheme="https"))
        self.rig.start()
        self.rig.alarms(["one"])
        self.rig.idle("known")
        for name in ("expired", "anonymous", "unknown-authority"):
            row = self.rig.failing(name)
            self.assertEqual((row["delivered"], row["backlog"]), (0, 1), row)
        self.assertEqual(len(strict.all()), 1)
        self.assertEqual(expired.all(), [], "nothing is sent to a server that is not who it should be")
        event = strict.all()[0].json
        self.assertEqual((event["specversion"], event["id"], event["type"]),
                         ("1.0", f"{NODE}/1", "guestmon.alarm.raise"))

        expired.context = server_context(self.authority, "server")  # renewed
        self.rig.idle("expired")
        self.configure("anonymous", strict, certificate=self.authority / "client.pem",
                       key=self.authority / "client.key")
        self.rig.alarms([])
        for name in ("expired", "anonymous", "known"):
            self.rig.idle(name)
        self.assertEqual([request.json["type"] for request in expired.all()],
                         ["guestmon.alarm.raise", "guestmon.alarm.clear"])


class Forms(WebhookCase):
    def test_template_ves_and_latency(self):
        """Each form at a receiver of its own; the times of an alarm's way as a table."""
        (self.rig.at / "form").write_text("alarm={alarm}&text={text}&state={state}", "utf-8")
        forms = {"template": {"format": "template", "template": self.rig.at / "form", "escape": "url",
                              "content_type": "application/x-www-form-urlencoded", "method": "PUT"},
                 "ves": {"format": "ves"}, "hook4": {"format": "alertmanager-webhook"},
                 "plain": {"format": "json"}}
        receivers = {name: Receiver() for name in forms}
        for name, options in forms.items():
            self.addCleanup(receivers[name].down)
            self.rig.output(name, type="webhook", url=receivers[name].url(), **options)
        proxy = Receiver()
        self.addCleanup(proxy.down)
        self.rig.output("far", type="webhook", url="http://alarms.invalid/hook", proxy=proxy.url(""))
        self.rig.start()
        self.rig.alarms(["one"], HOSTILE)
        names = [f"n{number}" for number in range(12)]
        for count in range(len(names)):
            self.rig.alarms(["one", *names[:count + 1]], HOSTILE)
        self.rig.alarms([])
        for name in [*forms, "far"]:
            self.rig.idle(name)
        self.assertEqual({request.path for request in proxy.arrived()}, {"http://alarms.invalid/hook"})
        self.check_order(receivers["plain"], len(names) + 2)
        request = receivers["template"].arrived()[0]
        self.assertEqual(request.headers["Content-Type"], "application/x-www-form-urlencoded")
        self.assertRegex(request.body.decode("ascii"), r"^alarm=\d+&text=[A-Za-z0-9%._~-]+&state=raise$")
        for request in receivers["ves"].arrived():
            jsonschema.validate(request.json, VES)
        event = receivers["ves"].arrived()[-1].json["event"]
        self.assertEqual((event["commonEventHeader"]["domain"], event["faultFields"]["eventSeverity"]),
                         ("fault", "NORMAL"))
        self.assertEqual(receivers["hook4"].arrived()[-1].json["status"], "resolved")
        table = Table(receivers["plain"].arrived())
        print(table.text("webhook"))
        table.check(self)


class Password(WebhookCase):
    def test_one_in_the_url_is_not_repeated(self):
        """By nobody, though the receiver does."""
        self.receiver.mode = "echo"
        self.rig.output("hook", type="webhook", format="json",
                        url=self.receiver.url().replace("http://", "http://them:their-password@"))
        self.rig.start()
        self.rig.alarms(["one"])
        self.assertEqual(self.rig.failing("hook")["error"], "the answer is 403")
        self.assertNotIn("dGhlbTp0aGVpci1wYXNzd29yZA==", self.rig.log_text())


class Restart(WebhookCase):
    """Alerts that a daemon before this one began: each severity is one of its own, and has to end."""

    def become(self, severity):
        (self.rig.at / "policy.d/a.yaml").write_text(
            "policies:\n  - {name: grows, match: {entity: node}, interval: 100ms, condition: memory.total > 0, "
            f"severity: {severity}}}\n" if severity else "", "utf-8")
        self.rig.ctl("reload")

    def firing(self):
        """The severities of the alerts that began and have not ended."""
        begun = {}
        for request in self.receiver.arrived():
            for alert in request.json["alerts"]:
                begun[alert["labels"]["severity"]] = alert["status"]
        return {severity for severity, status in begun.items() if status == "firing"}

    def restart(self):
        self.rig.idle("hook")
        self.assertEqual(self.rig.stop(), 0)
        self.rig.start()

    def live_through(self, **options):
        self.rig.output("hook", type="webhook", format="alertmanager-webhook", url=self.receiver.url(), **options)
        self.rig.start()
        self.become("warning")
        wait_until("it is raised", lambda: self.firing() == {"warning"})
        self.restart()
        self.become("critical")

    def test_it_changes_after_a_restart(self):
        self.live_through()
        wait_until("one ends, the other begins", lambda: self.firing() == {"critical"})
        self.restart()
        # A daemon that has just begun waits 20 s for whom an alarm is about, and looks at the next ten.
        self.become("")
        wait_until("all have ended", lambda: not self.firing(), 60)

    def test_without_changes(self):
        self.live_through(changes="false")
        wait_until("it is worse", lambda: [alarm["severity"] for alarm in
                                           json.loads(self.rig.ctl("--json", "alarms").stdout)["alarms"]] == ["critical"])
        self.become("")
        wait_until("all have ended", lambda: self.receiver.arrived() and not self.firing())

    def test_it_grows_worse_without_changes(self):
        self.rig.output("hook", type="webhook", format="alertmanager-webhook", url=self.receiver.url(), changes="false",
                        severity="critical")
        self.rig.start()
        self.become("warning")
        wait_until("it is raised", lambda: self.rig.active() == {"grows"})
        self.become("critical")
        wait_until("it is told", lambda: self.firing() == {"critical"})
        self.become("")
        wait_until("it has ended", lambda: not self.firing())

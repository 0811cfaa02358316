# SPDX-License-Identifier: Apache-2.0
"""The output type nova-action: dry-run, limits, and Nova's own words. Keystone and Nova are played by one server on
loopback, with the paths, bodies and status codes of their API references."""

import http.server
import json
import threading
import time

from rig import DB, WEB, RigTest, free_port, wait_until

PASSWORD = "password-of-guestmon"


def stamp(ahead):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() + ahead))


class Cloud:
    """Identity v3 and Compute v2.1, as much as is asked of them."""

    def __init__(self):
        self.port, self.actions, self.answers, self.tokens = free_port(), [], [], 0
        self.echo = self.locked = False  # answers repeat the secrets; nobody gets a token
        self.fault = None  # the body of answers that are errors
        self.hold = threading.Event()  # cleared: no answer is given
        self.hold.set()
        cloud = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self, status, body=None, **headers):
                text = json.dumps(body).encode() if body is not None else b""
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(text)))
                try:
                    self.end_headers()
                    self.wfile.write(text)
                except OSError:
                    pass  # the client was killed meanwhile

            def do_PUT(self):
                self.do_POST()

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path == "/v3/auth/tokens":
                    self.give_token(body)
                elif self.headers.get("X-Auth-Token") != f"token-{cloud.tokens}":
                    self.answer(401, {"error": {"code": 401}})
                else:
                    status = cloud.answers.pop(0) if cloud.answers else 202
                    cloud.actions.append((self.path, body, status))
                    cloud.hold.wait()
                    body = {"faultstring": self.headers["X-Auth-Token"]} if cloud.echo else cloud.fault
                    self.answer(status, body if status >= 300 or cloud.echo else None)

            def give_token(self, body):
                user = body["auth"]["identity"]["password"]["user"]
                if (user["name"], user["password"]) != ("guestmon", PASSWORD) or cloud.locked:
                    self.answer(401, {"error": user["password"] if cloud.echo else {"code": 401}})
                    return
                cloud.tokens += 1
                endpoint = {"interface": "public", "region": "R", "region_id": "R", "id": "e",
                            "url": f"http://127.0.0.1:{cloud.port}/v2.1"}
                self.answer(201, {"token": {"issued_at": stamp(0), "expires_at": stamp(3600), "methods": ["password"],
                                            "catalog": [{"type": "compute", "name": "nova", "id": "s",
                                                         "endpoints": [endpoint]}]}},
                            X_Subject_Token=f"token-{cloud.tokens}")

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Action(RigTest):
    def setUp(self):
        self.rig.policies()
        self.cloud = Cloud()
        # The limits are those of an output of that name, whatever became of it meanwhile.
        self.name = self._testMethodName.replace("_", "-")[:40]
        self.file = self.rig.directory / f"outputs.d/{self.name}.yaml"
        self.secret = self.rig.directory / "nova-password"
        self.secret.touch(mode=0o600)
        self.secret.write_text(PASSWORD + "\n", encoding="utf-8")
        self.begin = self.rig.log.stat().st_size
        self.known = len(self.actions())
        self.addCleanup(self.end)

    def end(self):
        self.file.unlink(missing_ok=True)
        self.rig.policies()
        self.cloud.stop()

    def output(self, **options):
        settings = {"type": "nova-action", "severity": "major", "retry-min": "100ms",
                    "auth-url": f"http://127.0.0.1:{self.cloud.port}/v3", "user": "guestmon", "project": "service",
                    "password-file": self.secret, **options}
        self.file.write_text("".join(f"{key.replace('_', '-')}: {value}\n" for key, value in settings.items()),
                             encoding="utf-8")
        reply = self.rig.ask("reload")
        self.assertEqual(reply.returncode, 0, reply.stderr)

    def actions(self):
        return json.loads(self.rig.ask("--json", "actions").stdout)["actions"]

    def journal(self):
        """What this test has added to it."""
        return self.actions()[self.known:]

    def log(self):
        text = self.rig.log.read_bytes()[self.begin:].decode("utf-8", "replace")
        self.assertNotIn(PASSWORD, text)
        self.assertNotIn("token-1", text)
        return text

    def test_dry_run_is_the_default(self):
        self.output()
        self.rig.policies(one="minor")
        self.rig.policies(one="minor", two="critical")
        wait_until("it is said", lambda: f"live-migrate of {WEB} for alarm" in self.log())
        self.assertEqual([row["state"] for row in self.journal()], ["dry-run"])
        time.sleep(0.5)
        self.assertEqual((self.cloud.actions, self.cloud.tokens), ([], 0))
        self.assertEqual(self.log().count("dry-run, it would be done"), 1)
        self.assertEqual([(row["rule"], row["target"], row["name"]) for row in self.journal()],
                         [("two", WEB, "web.example")])

    def test_once_per_guest_and_within_the_limit(self):
        self.output(dry_run="no", limit=5)
        self.rig.policies(one="critical")
        wait_until("the action", lambda: self.cloud.actions)
        self.rig.policies(one="critical", two="critical")
        wait_until("it is said", lambda: "again-after is not over" in self.log())
        self.assertEqual([(row["rule"], row["state"]) for row in self.journal()],
                         [("one", "accepted"), ("two", "withheld")])
        self.assertEqual(self.cloud.actions, [(f"/v2.1/servers/{WEB}/action", {"os-migrateLive": {
            "host": None, "block_migration": False, "disk_over_commit": False}}, 202)])
        self.assertIn("accepted", self.log())
        self.assertNotIn(DB, self.log())

    def test_nova_has_trouble(self):
        self.cloud.answers = [503, 409]
        self.output(dry_run="no", action="set-error")
        self.rig.policies(one="critical")
        wait_until("it was taken", lambda: [row["state"] for row in self.journal()] == ["accepted"], 40)
        self.assertEqual((self.journal()[0]["attempts"], self.journal()[0]["answer"]), (3, "202"))
        self.assertEqual([(body, status) for _, body, status in self.cloud.actions],
                         [({"os-resetState": {"state": "error"}}, status) for status in (503, 409, 202)])

    def test_a_guest_that_is_being_moved(self):
        """The words of Nova 26, for a live migration and a resize: it is not moved once more."""
        self.output(dry_run="no", limit=5)
        states = ("migrating", "resize_migrated")
        for number, state in enumerate(states, 1):
            text = f"Cannot 'os-migrateLive' instance {WEB} while it is in task_state {state}"
            self.cloud.fault, self.cloud.answers = {"conflictingRequest": {"code": 409, "message": text}}, [409]
            self.rig.policies(**{f"rule{one}": "critical" for one in range(number)})
            wait_until("it was refused", lambda text=text: self.journal() and self.journal()[-1]["answer"] == f"409: {text}")
        time.sleep(0.5)  # some of its pauses
        self.assertEqual([(row["state"], row["attempts"]) for row in self.journal()], [("refused", 1)] * 2)
        self.assertEqual(len(self.cloud.actions), 2)

    def test_a_guest_that_is_being_rebuilt(self):
        """It stays here, and is moved once that is done."""
        self.cloud.fault = {"conflictingRequest": {"code": 409, "message": f"Cannot 'os-migrateLive' instance {WEB} while "
                                                   "it is in task_state rebuild_spawning"}}
        self.cloud.answers = [409, 409]
        self.output(dry_run="no")
        self.rig.policies(one="critical")
        wait_until("it was taken", lambda: [row["state"] for row in self.journal()] == ["accepted"], 40)
        self.assertEqual((self.journal()[0]["attempts"], self.journal()[0]["answer"]), (3, "202"))
        self.assertEqual([status for _, _, status in self.cloud.actions], [409, 409, 202])

    def outputs(self):
        text = self.rig.ask("--json", "outputs").stdout
        self.assertNotIn(PASSWORD, text)
        self.assertNotIn("token-1", text)
        return text

    def test_answers_that_repeat_secrets(self):
        self.cloud.echo, self.cloud.answers = True, [503] * 1000
        self.output(dry_run="no", action="set-error")
        self.rig.policies(one="critical")
        wait_until("Nova has refused", lambda: "the answer is 503" in self.outputs())
        self.assertEqual(self.journal()[0]["answer"], "the answer is 503")
        self.assertIn("the answer is 503", self.log())
        self.cloud.locked = True
        self.output(dry_run="no", action="set-error", max_age="2m")  # another session, without a token
        wait_until("Keystone has refused", lambda: "no token of Keystone: the answer is 401" in self.outputs())
        self.log()

    def test_nothing_for_what_is_old(self):
        self.cloud.answers = [503] * 100
        self.output(dry_run="no", max_age="5s")
        self.rig.policies(one="critical")
        wait_until("it is given up", lambda: "the alarm is older than max-age" in self.log(), 40)
        self.assertEqual([(row["state"], row["answer"]) for row in self.journal()],
                         [("withheld", "the alarm is older than max-age; last: the answer is 503")])
        tried = len(self.cloud.actions)
        time.sleep(1)
        self.assertEqual(len(self.cloud.actions), tried)

    def test_a_restart_forgets_no_limit(self):
        self.output(dry_run="no", limit=5, again_after="1h")
        self.rig.policies(one="critical")
        wait_until("the action", lambda: [row["state"] for row in self.journal()] == ["accepted"])
        self.rig.kill()
        self.rig.start()
        self.rig.policies(one="critical", two="critical")
        wait_until("it is withheld", lambda: len(self.journal()) == 2)
        self.assertEqual(self.journal()[1]["answer"], "again-after is not over")
        self.assertEqual(len(self.cloud.actions), 1)

    def test_killed_before_the_answer(self):
        """Whether Nova has it is not known: it is not done again."""
        self.cloud.hold.clear()
        self.addCleanup(self.cloud.hold.set)
        self.output(dry_run="no", limit=5, again_after="1s")
        self.rig.policies(one="critical")
        wait_until("it is on its way", lambda: self.cloud.actions)
        self.assertEqual([row["state"] for row in self.journal()], ["sent"])
        self.rig.kill()
        self.rig.start()
        wait_until("it is told again", lambda: self.settled())
        self.assertEqual([(row["state"], row["attempts"]) for row in self.journal()], [("unsure", 1)])
        self.assertEqual(len(self.cloud.actions), 1)

    def settled(self):
        outputs = json.loads(self.rig.ask("--json", "outputs").stdout)["outputs"]
        return [row for row in outputs if row["name"] == self.name and row["backlog"] == 0]

    def test_the_hint_is_for_faults_of_the_node(self):
        with self.assertRaisesRegex(AssertionError, "rules: name the policies"):
            self.output(action="evacuate-hint", dry_run="no")
        self.output(action="evacuate-hint", dry_run="no", rules="dimm-*")
        self.rig.policies(**{"dimm-web": "critical"})
        self.addCleanup((self.rig.directory / "policy.d/node.yaml").unlink)
        (self.rig.directory / "policy.d/node.yaml").write_text("policies:\n" + "".join(
            f"  - {{name: {name}, match: {{entity: node}}, interval: 100ms, severity: critical, "
            f"condition: {condition}, message: {name} holds}}\n"
            for name, condition in (("dimm-3", "load.1 >= 0"), ("other", "load.1 >= 0"))), "utf-8")
        self.rig.ask("reload")
        wait_until("the hint", lambda: [row["state"] for row in self.journal()] == ["accepted"])
        wait_until("the other holds", lambda: "other" in [alarm["rule"] for alarm in self.rig.alarms()])
        self.assertEqual(len(self.journal()), 1)
        path, body, _ = self.cloud.actions[0]
        self.assertEqual((path, body["host"], body["binary"]),
                         ("/v2.1/os-services/disable-log-reason", "node1", "nova-compute"))
        self.assertRegex(body["disabled_reason"], "^guestmon node1/[0-9]+: .*dimm-3 holds")

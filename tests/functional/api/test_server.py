# SPDX-License-Identifier: Apache-2.0
"""The server itself: who may ask, and what becomes of requests that mean harm."""

import base64
import errno
import json
import socket
import time

from rig import SECRETS, RigTest, wait_until


class Users(RigTest):
    def test_nobody_is_told_nothing(self):
        for path in ("/v1/status", "/vnffm/v1/alarms", "/vnffm/api_versions", "/no/such/path"):
            answer = self.rig.call("GET", path, user=None)
            self.problem(answer, 401)
            self.assertTrue(answer.headers["WWW-Authenticate"].startswith("Basic realm="))
        for method, path in (("GET", "/vnffm/v1/alarms"), ("DELETE", "/v1/status"), ("PATCH", "/vnffm/v1/alarms")):
            answer = self.rig.call(method, path, user=None)
            self.problem(answer, 401)
            self.assertFalse({"Allow", "Version"} & set(answer.headers), answer.headers)

    def test_wrong_secrets(self):
        pair = base64.b64encode(b"nfvo:" + SECRETS["look"].encode()).decode()
        for header in ("Basic " + pair, "Basic !!!", "Bearer nothing-of-it", "Bearer", "x" * 5000):
            self.problem(self.rig.call("GET", "/v1/status", user=None, Authorization=header), 401)

    def test_a_token_is_as_good_as_a_password(self):
        answer = self.rig.call("GET", "/v1/status", user=None, Authorization="Bearer " + SECRETS["look"])
        self.assertEqual((answer.status, answer.json()["node"]), (200, "node1"))

    def test_users_change_while_it_runs(self):
        self.rig.write_users({**SECRETS, "new": "secret-of-the-new"})
        self.addCleanup(self.rig.write_users, SECRETS)
        wait_until("the new user is let in",
                   lambda: self.rig.call("GET", "/v1/status", user=None,
                                         Authorization="Bearer secret-of-the-new").status == 200)

    def test_what_guestmonctl_shows(self):
        self.assertEqual(self.rig.get("/v1/status")["guests"], 2)
        self.assertEqual(sorted(guest["name"] for guest in self.rig.get("/v1/guests")["guests"]), ["db", "web"])
        self.assertEqual(self.rig.get("/v1/alarms")["alarms"], [])


class Harm(RigTest):
    def tearDown(self):
        self.assertEqual(self.rig.get("/v1/status")["node"], "node1")

    def raw(self, data):
        """What comes back for these bytes."""
        with socket.create_connection(("127.0.0.1", self.rig.port), timeout=20) as one:
            got = b""
            try:
                one.sendall(data)
                one.shutdown(socket.SHUT_WR)
                while piece := one.recv(65536):
                    got += piece
            except OSError as error:  # it may hang up before all is said
                if error.errno not in (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN):
                    raise
            return got

    def test_paths_and_methods(self):
        for path in ("/", "//", "/v1/status/", "/v1/../v1/status", "/vnffm/v1/alarms/%00", "/vnffm/v1/alarms/a%2Fb",
                     "/vnffm/v1/alarms/..%2f..%2fetc%2fpasswd", "/vnffm/v1/alarms/" + "9" * 200,
                     "/vnffm/v1/alarms/4294967297", "/vnffm/v1/alarms/-1"):
            self.problem(self.rig.call("GET", path), 404)
        answer = self.rig.call("PUT", "/v1/status", {})
        self.problem(answer, 405)
        self.assertEqual(answer.headers["Allow"], "GET")

    def test_what_is_no_http(self):
        for data in (b"\x00" * 1000, b"\xff" * 1000, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 1000,
                     b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 300):
            self.assertNotIn(b" 200 ", self.raw(data)[:20])

    def test_long_heads(self):
        line = b"GET /v1/status HTTP/1.1\r\nHost: a\r\n"
        for head in (line + b"X: " + b"a" * 100000 + b"\r\n\r\n", b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
                     line + b"X: a\r\n" * 20000 + b"\r\n"):
            self.assertNotIn(b" 200 ", self.raw(head)[:20])

    def test_filters_that_are_none(self):
        for text in ("x", "(", "(eq)", "(eq,a)", "%00", "(eq,a,%ff)", "(eq,a," + "b" * 3000 + ")", "(((((((((((((((("):
            self.problem(self.rig.call("GET", "/vnffm/v1/alarms?filter=" + text), 400, "filter:")

    def test_slow_ones_are_cut_and_hinder_nobody(self):
        crowd = [socket.create_connection(("127.0.0.1", self.rig.port), timeout=20) for _ in range(30)]
        begun = time.monotonic()
        open_ones = set(crowd)
        while open_ones:
            self.assertLess(time.monotonic() - begun, 60)
            for one in list(open_ones):
                try:
                    one.send(b"G")
                except OSError:
                    open_ones.discard(one)
            answer = self.rig.call("GET", "/v1/status")
            self.assertEqual(answer.status, 200)
            time.sleep(0.3)
        self.assertGreater(time.monotonic() - begun, 1)
        for one in crowd:
            one.close()

    def test_the_time_counts_from_the_request(self):
        """A connection that was idle has all of its time for the next request."""
        with socket.create_connection(("127.0.0.1", self.rig.port), timeout=20) as one:
            time.sleep(1.5)  # of 2 s
            one.sendall(b"GET /v1/status HTTP/1.1\r\n")
            time.sleep(1.2)
            one.sendall(b"Host: x\r\n\r\n")
            self.assertIn(b" 401 ", one.recv(65536))

    def test_one_address_cannot_have_all(self):
        """The limit is 32 for an address; another (127.0.0.2) is served while one has more than that open."""
        crowd = [socket.create_connection(("127.0.0.1", self.rig.port), timeout=20) for _ in range(64)]
        try:
            cut = sum(self.is_cut(one) for one in crowd)
            self.assertGreaterEqual(cut, 64 - 32)
            with socket.create_connection(("127.0.0.1", self.rig.port), 20, ("127.0.0.2", 0)) as other:
                other.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertIn(b" 401 ", other.recv(65536))
        finally:
            for one in crowd:
                one.close()
        wait_until("there is room again", self.served)

    @staticmethod
    def is_cut(one):
        one.settimeout(0.05)
        try:
            return one.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    def test_more_connections_than_there_is_room_for(self):
        crowd = [socket.create_connection(("127.0.0.1", self.rig.port), timeout=20) for _ in range(100)]
        for one in crowd:
            one.close()
        wait_until("there is room again", self.served)

    def served(self):
        try:
            return self.rig.call("GET", "/v1/status").status == 200
        except OSError:
            return False


class Start(RigTest):
    def check(self, says, **api):
        self.rig.configure(**api)
        self.addCleanup(self.rig.configure)
        reply = self.rig.ask("check")
        self.assertNotEqual(reply.returncode, 0)
        self.assertIn(says, reply.stdout + reply.stderr)

    def test_options_that_are_wrong(self):
        self.check("api.address", address="localhost")
        self.check("api.key", certificate="/etc/one.pem")
        self.check("api.certificate", key="/etc/one.pem")
        self.check("api.url", url="ftp://here")
        self.check("api.port", port=0)

    def test_status_is_json_as_guestmonctl_prints_it(self):
        printed = json.loads(self.rig.ask("--json", "guests").stdout)["guests"]
        self.assertEqual([guest["uuid"] for guest in printed],
                         [guest["uuid"] for guest in self.rig.get("/v1/guests")["guests"]])

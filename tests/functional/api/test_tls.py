# SPDX-License-Identifier: Apache-2.0
"""TLS, and a start that fails: with a daemon of its own."""

import http.client
import pathlib

from rig import Rig, RigTest, make_certificate


class Tls(RigTest):
    def setUp(self):
        shared = RigTest.rig
        self.own = Rig(shared.daemon_path, shared.ctl_path)
        self.addCleanup(self.close)
        self.trust = make_certificate(self.own.directory)

    def close(self):
        self.assertIn(self.own.close(), (0, 1))

    def configure(self, certificate="certificate.pem", key="key.pem", **api):
        here = pathlib.Path(self.own.directory)
        self.own.configure(certificate=here / certificate, key=here / key, **api)

    def test_https(self):
        self.configure()
        self.own.start()
        with self.assertRaises((http.client.HTTPException, OSError)):
            self.own.call("GET", "/v1/status")
        self.own.tls = self.trust
        self.assertEqual(self.own.get("/v1/status")["node"], "node1")
        self.assertTrue(self.own.get("/vnffm/api_versions")["uriPrefix"].startswith("https://127.0.0.1:"))

    def refused(self, *says):
        with self.assertRaises(AssertionError) as caught:
            self.own.start()
        for text in says:
            self.assertIn(text, str(caught.exception))

    def test_a_start_that_fails_says_why(self):
        self.configure(key="certificate.pem")
        self.refused("cannot start: api: ")
        self.configure(key="nothing.pem")
        self.refused("cannot start: api: ", "nothing.pem: No such file")
        (self.own.directory / "users").chmod(0o644)
        self.configure()
        self.refused("cannot start: api: ", "chmod 600")
        (self.own.directory / "users").chmod(0o600)
        self.own.configure(port=RigTest.rig.port)
        self.refused("cannot start: api: ", f"port {RigTest.rig.port}")

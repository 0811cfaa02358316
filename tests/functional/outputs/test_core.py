# SPDX-License-Identifier: Apache-2.0
"""The daemon knows secrets. However it dies, it leaves no core dump that holds one, unless its operator wants it to."""

import os
import pathlib
import resource
import signal

from rig import wait_until
from test_webhook import WebhookCase

TOKEN, KEY = "t0ken-in-no-core-dump", "k3y-in-no-core-dump"
DEATHS = (signal.SIGABRT, signal.SIGSEGV)
PATTERN = pathlib.Path("/proc/sys/kernel/core_pattern")


class Core(WebhookCase):
    def setUp(self):
        super().setUp()
        soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
        if hard == 0:
            self.skipTest("no process here may leave a core dump")
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))  # the daemon inherits it
        self.addCleanup(resource.setrlimit, resource.RLIMIT_CORE, (soft, hard))
        if self.rig.sanitized():
            os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":disable_coredump=0:handle_abort=0:handle_segv=0"

    def end(self):
        self.rig.close()  # that it did not end well is known

    def die(self, number):
        """True where the kernel says that there is a dump."""
        self.rig.start()
        self.rig.alarms(["one"])
        wait_until("the secrets are in use", lambda: self.receiver.arrived())
        self.assertIn(TOKEN, self.receiver.arrived()[-1].headers["Authorization"])
        process = self.rig.process
        os.kill(process.pid, number)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = -os.WTERMSIG(status)
        self.assertEqual(os.WTERMSIG(status), number)
        return os.WCOREDUMP(status)

    def dumps(self):
        return [path for path in self.rig.at.iterdir() if path.is_file() and path.read_bytes()[:4] == b"\x7fELF"]

    def configure(self):
        self.rig.output("hook", type="webhook", format="json", url=self.receiver.url(),
                        headers_file=self.rig.secret("headers", f"Authorization: Bearer {TOKEN}\n"),
                        hmac_file=self.rig.secret("key", KEY + "\n"))

    def test_no_dump(self):
        self.configure()
        for number in DEATHS:
            self.assertFalse(self.die(number), number)
        self.assertEqual(self.dumps(), [])

    def test_a_dump_that_is_wanted(self):
        """It holds secrets: the test before this one would find them."""
        self.configure()
        self.rig.log_options = ", core-dumps: true"
        if not self.die(signal.SIGABRT):
            self.skipTest("no core dump can be written here: " + PATTERN.read_text("utf-8"))
        if "/" in PATTERN.read_text("utf-8") or "|" in PATTERN.read_text("utf-8"):
            self.skipTest("core dumps go elsewhere")
        self.assertIn(TOKEN.encode(), self.dumps()[0].read_bytes())

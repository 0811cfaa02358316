# SPDX-License-Identifier: Apache-2.0
"""A name server that does not answer holds up a request, and nothing else: the daemon is in a network namespace of
its own, with a resolv.conf that names one that only listens."""

import os
import subprocess
import time

from rig import wait_until
from test_webhook import WebhookCase

GAP = 0.5  # seconds; glibc asks for 10
SILENT = """
import ctypes, signal, socket
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
open({ready!r}, "w").close()
signal.pause()
"""
ALONE = ["unshare", "--net", "--mount"] + ([] if os.getuid() == 0 else ["--map-root-user"])
SCRIPT = """ip link set lo up && mount --bind "$1" /etc/resolv.conf || exit 1
python3 -c "$2" & while [ ! -e "$3" ]; do sleep 0.05; done
shift 3 && exec "$@" """


class Resolver(WebhookCase):
    def setUp(self):
        super().setUp()
        if subprocess.run([*ALONE, "true"], check=False, capture_output=True).returncode != 0:
            self.skipTest("there can be no namespace here")
        conf, ready = self.rig.at / "resolv.conf", self.rig.at / "ready"
        conf.write_text("nameserver 127.0.0.1\n", "ascii")
        self.rig.prefix = [*ALONE, "sh", "-c", SCRIPT, "sh", str(conf), SILENT.format(ready=str(ready)), str(ready)]

    def gap(self, words):
        """Seconds that main let a question wait."""
        begun = time.monotonic()
        self.rig.ctl(*words)
        return time.monotonic() - begun

    def test_main_goes_on(self):
        for number in range(3):
            self.rig.output(f"hook{number}", type="webhook", format="json", timeout=f"{1 + number / 2}s",
                            url=f"http://nowhere{number}.example/")
        self.rig.start()
        self.rig.alarms(["one"])
        end, gaps = time.monotonic() + 8, []
        while time.monotonic() < end:
            gaps.append(self.gap(["status"]))
            time.sleep(0.02)
        for number in range(3):
            self.assertIn("timed out", self.rig.failing(f"hook{number}")["error"])
        self.rig.remove_output("hook0")  # while it is asked for
        gaps.append(self.gap(["reload"]))
        wait_until("it is gone", lambda: not self.rig.row("hook0"))
        print(f"longest gap of {len(gaps)}: {max(gaps):.3f} s", end=" ", flush=True)
        self.assertLess(max(gaps), GAP)
        begun = time.monotonic()
        self.assertEqual(self.rig.stop(), 0)
        self.assertLess(time.monotonic() - begun, 2)

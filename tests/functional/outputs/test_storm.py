# SPDX-License-Identifier: Apache-2.0
"""Many alarms of guests at once, raised and cleared while a webhook's receiver is broken in one way after the other, and
while nobody listens at all: each arrives, in order, under one key, and memory stays bounded. GM_STORM=1000 is the
long form: every fault; GM_OUTAGE is how many seconds nobody listens (180)."""

import json
import os
import time
import uuid

import certificates
from receiver import FAULTS, Receiver, server_context
from rig import environment_number, wait_until
from test_webhook import WebhookCase

RULES = 10
SHORT = ["429", "hung"]
UNAVAILABLE = 60  # seconds, after which the daemon has an alarm about an output


class Guests(WebhookCase):
    """Guests of libvirt's test driver; `rules` of thresholds always hold for each, or none do."""

    def guests(self, count):
        domains = "".join(
            f"<domain type='test'><name>g{number}</name><uuid>{uuid.UUID(int=number + 1)}</uuid><memory>65536</memory>"
            "<os><type>hvm</type></os></domain>" for number in range(count))
        (self.rig.at / "node.xml").write_text(f"<node>{domains}</node>", "ascii")
        self.rig.libvirt = f"{{uri: 'test://{self.rig.at}/node.xml'}}"
        self.count = count

    def rules(self, prefix, holds=True):
        lines = "".join(f"  - {{name: {prefix}{number}, metric: guest.state, failure-min: 1000000}}\n"
                        for number in range(RULES if holds else 0))
        (self.rig.at / "policy.d/a.yaml").write_text(f"thresholds:\n{lines}" if lines else "", "ascii")
        self.rig.ctl("reload")
        wanted = self.count * RULES if holds else 0
        wait_until(f"{wanted} alarms are active", lambda: self.journalled(wanted), 120, 0.2)

    def journalled(self, active):
        """Of the rules' alarms: where nobody listens for long the daemon has one about that."""
        alarms = json.loads(self.rig.ctl("--json", "alarms").stdout)["alarms"]
        return sum(alarm["detector"] == "threshold" for alarm in alarms) == active

    def check_all(self, receiver, told, own=False):
        """Every transition of the journal arrived, in order, but the daemon's `own`; how many came twice."""
        self.assertEqual(self.rig.stop(), 0)
        journal = self.rig.journal()
        first = journal[0][0]  # of a long one the beginning is no longer kept
        sequences = [sequence for sequence, _ in journal]
        self.assertTrue(sequences == list(range(first, first + len(journal))), "the journal has holes")
        seen = self.check_order(receiver, told // 2)
        self.assertEqual(len(seen), told)
        foreign = {sequence for sequence, record in journal if record["detector"] == "self"}
        self.assertTrue(own or not foreign, "an alarm of the daemon's own")
        arrived = {sequence for sequence, _, _ in seen.values() if sequence >= first}
        self.assertTrue(arrived == set(sequences) - foreign, "all of the rules' arrives, and nothing else")
        return len(receiver.arrived()) - len(seen)


class Storm(Guests):
    ALARMS = environment_number("GM_STORM", 20)
    LONG = "GM_STORM" in os.environ

    def under(self, mode):
        """All are raised while the receiver misbehaves, some time passes, and then all are cleared."""
        self.receiver.mode = mode
        self.rules(f"f{mode}-")
        wait_until(f"{mode} is met", lambda: self.receiver.all(mode), 60)
        if self.LONG:
            time.sleep(2)
        self.receiver.mode = "ok"
        self.receiver.released.set()
        self.rules("", False)
        self.rig.idle("hook", 600)
        self.receiver.released.clear()

    def away(self):
        """The receiver is killed and comes back."""
        self.receiver.down()
        self.rules("away-")
        self.rig.failing("hook")
        self.receiver.up()
        self.rules("", False)
        self.rig.idle("hook", 600)

    def expired(self, authority):
        """The certificate has expired, and is renewed."""
        self.receiver.down()
        self.receiver.context = server_context(authority, "expired")
        self.receiver.up()
        self.rules("expired-")
        self.assertIn("certificate", self.rig.failing("hook")["error"])
        self.receiver.context = server_context(authority, "server")
        self.rules("", False)
        self.rig.idle("hook", 600)

    def check_waits(self):
        """What is answered by a 429 with Retry-After: 1 does not come again before, by the receiver's own clock."""
        last, waited = {}, 0
        for request in self.receiver.all():
            if request.key in last:
                waited += 1
                self.assertGreater(request.received - last[request.key], 0.999, "came before its time")
            last.pop(request.key, None)
            if request.mode == "429":
                last[request.key] = request.received
        self.assertGreater(waited, 0)

    def test_each_fault(self):
        authority = certificates.make(self.rig.at / "authority")
        elsewhere = Receiver()
        self.addCleanup(elsewhere.down)
        self.receiver.down()
        self.receiver = Receiver(context=server_context(authority, "server"))
        self.receiver.elsewhere = elsewhere.url("/elsewhere")
        self.guests(-(-self.ALARMS // RULES))
        self.rig.output("hook", type="webhook", format="json", url=self.receiver.url(scheme="https"), timeout="2s",
                        ca_file=authority / "ca.pem", guests="g*")
        self.rig.start()
        modes = [*FAULTS, "hung", "half", "huge", "garbage", "redirect"] if self.LONG else SHORT
        least = most = self.rig.rss()
        for mode in modes:
            self.under(mode)
            most = max(most, self.rig.rss())
        self.away()
        self.expired(authority)
        most = max(most, self.rig.rss())
        told = 2 * self.count * RULES * (len(modes) + 2)
        twice = self.check_all(self.receiver, told)
        print(f"→ {len(modes) + 2} faults, {told} transitions, {twice} told twice, "
              f"{len(self.receiver.all()) - len(self.receiver.arrived())} attempts in vain, "
              f"{least >> 20} to {most >> 20} MiB", end=" ", flush=True)
        self.assertEqual(elsewhere.all(), [], "no redirect is followed")
        self.check_waits()
        self.assertLess(most - least, self.rig.growth(64 << 20))


class Outage(Guests):
    SECONDS = environment_number("GM_OUTAGE", 3)

    def test_nobody_listens(self):
        self.guests(2)
        self.rig.output("hook", type="webhook", format="json", url=self.receiver.url(), guests="g*")
        self.rig.start()
        self.receiver.down()
        began, told, memory = time.monotonic(), 0, None
        while told < 300 or time.monotonic() - began < self.SECONDS:
            self.rules("out-")
            self.rules("", False)
            told += 2 * self.count * RULES
            if told >= 300:  # the window is full
                memory = memory or self.rig.rss()
        row = self.rig.failing("hook")
        self.assertGreaterEqual(row["backlog"], told)
        self.assertEqual(self.receiver.all(), [])
        growth = self.rig.rss() - memory
        self.receiver.up()
        self.rig.idle("hook", 900)
        twice = self.check_all(self.receiver, told, own=self.SECONDS >= UNAVAILABLE)
        print(f"→ {time.monotonic() - began:.0f} s, {told} transitions, {twice} told twice, "
              f"memory grew by {growth >> 10} KiB", end=" ", flush=True)
        self.assertLess(growth, self.rig.growth(12 << 20))

# SPDX-License-Identifier: Apache-2.0
"""Derived measures in Gnocchi: a peak that the mean of a second hides, an archive policy and resources
made on demand, and an outage that is filled in afterwards."""

import json
import os
import socket
import time

import proxy
import stack
from gmtest.wait import wait_until
from rig import NEIGHBOUR, NODE, PATIENCE, PORT, WAIT, OpenStackTest

LONG = "GM_OPENSTACK_ALARMS" in os.environ
AWAY = 60 if LONG else 6  # seconds
BURST = 250_000  # bytes, at once
GNOCCHI = stack.url("gnocchi")


class Gnocchi(OpenStackTest):
    def begin(self, policy, options=""):
        self.policy = policy
        self.node.tap = f"{{devices: {PORT}}}"
        self.node.output("metrics", "type: gnocchi\n" + self.credential() + options +
                         f"archive-policy: {policy}\ntimeout: 5s\n")
        self.node.start()

    def make_policy(self, name):
        """As an administrator does where the agent's role may not."""
        code, _, answer = stack.call("POST", GNOCCHI + "/v1/archive_policy", {
            "name": name, "aggregation_methods": ["mean", "max", "count"], "back_window": 10,
            "definition": [{"granularity": "1s", "timespan": "1h"}, {"granularity": "1m", "timespan": "1d"}]},
            self.rig.stack.token())
        self.assertIn(code, (201, 409), answer)

    def measures(self, metric, aggregation, granularity=1):
        code, _, rows = stack.call(
            "GET", f"{GNOCCHI}/v1/resource/generic/{NODE}/metric/{metric}/measures?refresh=true"
            f"&aggregation={aggregation}&granularity={granularity}", token=self.token())
        return {when: value for when, _, value in rows} if code == 200 else {}

    def burst(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(BURST // 1000):
                sender.sendto(b"x" * 958, (NEIGHBOUR, 9))  # a frame of 1000 octets

    def test_a_peak_that_the_mean_hides(self):
        self.make_policy("plain")
        self.begin("plain")
        wait_until("measures arrive", lambda: self.measures("memory.used", "mean"), WAIT, 0.5)
        self.burst()
        wait_until("the burst arrives", lambda: max(
            self.measures(f"net.{PORT}.tx.peak", "max", 60).values(), default=0) > 0, WAIT, 0.5)
        peak = max(self.measures(f"net.{PORT}.tx.peak", "max", 60).values())
        rate = max(self.measures(f"net.{PORT}.tx.rate", "max", 1).values())
        mean = max(self.measures(f"net.{PORT}.tx.rate", "mean", 60).values())
        # All within one or two samples of 100 ms; the mean of a second is several times less, of a minute more.
        self.assertGreater(peak, 3 * rate)
        self.assertGreater(peak, 3 * mean)
        self.assertLess(peak, 1.2 * BURST * 8 / 0.05)

    def test_a_policy_that_may_not_be_made(self):
        missing = f"missing-{time.time_ns()}"
        self.begin(missing)
        wait_until("it is told", lambda: "the archive policy is missing, and the role may not make it" in
                   self.node.log(), WAIT)
        self.make_policy(missing)
        wait_until("it goes on", lambda: self.measures("memory.used", "max"), WAIT, 0.5)

    def test_a_resource_that_is_there_but_unknown(self):
        """The batch is sent again after pauses that grow, and arrives when Gnocchi has come to itself."""
        self.make_policy("unknown")
        self.begin("unknown")
        wait_until("measures arrive", lambda: self.measures("cpu.used", "count"), WAIT, 0.5)
        front = self.proxies["gnocchi"]
        front.inject(proxy.status(400, json.dumps({"code": 400, "description": {
            "cause": "Unknown resources", "detail": [{"original_resource_id": NODE, "resource_id": "x"}]}}).encode()),
            lambda handler: "/batch/" in handler.path)
        wait_until("it is met", lambda: front.hit > 0, WAIT)
        time.sleep(3)
        self.assertLessEqual(front.hit, 4, "no pause between the attempts")
        front.mend()
        wait_until("it works again", lambda: "works again" in self.node.log(), WAIT)

    def test_an_outage_is_filled_in(self):
        self.make_policy("outage")
        self.begin("outage")
        wait_until("measures arrive", lambda: self.measures("cpu.used", "count"), WAIT, 0.5)
        front = self.proxies["gnocchi"]
        faults = (proxy.half(), proxy.huge(4 << 20), proxy.status(503), proxy.garbage(b"{}"), proxy.hang())
        for fault in faults if LONG else faults[:2]:  # the pauses between attempts double
            front.inject(fault)
            wait_until(f"{fault.name} is met", lambda: front.hit > 0, WAIT)
            front.mend()
        front.inject(proxy.status(429, Retry_After="1"))
        began = time.time()
        time.sleep(AWAY)
        front.mend()
        wait_until("it works again", lambda: "works again" in self.node.log(), WAIT)

        def filled():
            """Seconds of the outage that have a measure."""
            seconds = {int(time.mktime(time.strptime(when[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone)
                       for when in self.measures("cpu.used", "count")}
            return len([second for second in seconds if began <= second <= began + AWAY])
        wait_until("the outage is filled in", lambda: filled() >= AWAY - 2, WAIT, 0.5)

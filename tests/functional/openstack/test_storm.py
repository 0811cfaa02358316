# SPDX-License-Identifier: Apache-2.0
"""Alarms of guests in Aodh, raised and cleared while Aodh and Keystone are broken in one way after the other: each
change arrives once, in order. One fault, one round: all alarms are raised in one, and cleared in the next.
GM_AODH_STORM=1000 is the long form, whose rounds are all of the same alarms; with GM_AODH_PASSES=2 each fault
meets both a raise and a clear: a pass has an even number of rounds, and one without a fault is between two.
There, the daemon is killed 50 times; GM_SEED draws the moments."""

import json
import os
import random
import re
import signal
import time

import proxy
import stack
from gmtest.wait import wait_until
from rig import NODE, PATIENCE, WAIT, OpenStackTest

ALARMS = int(os.environ.get("GM_AODH_STORM", "2"))
LONG = "GM_AODH_STORM" in os.environ
PASSES = int(os.environ.get("GM_AODH_PASSES", "1"))
RULES = min(10, ALARMS)  # of each guest
PATIENCE_OF_ALL = 2 * WAIT + 2 * ALARMS  # seconds of a round: Aodh answers one request at a time
KILLS, KILLED_ROUNDS, KILL_GAP = (50, 5, 8) if LONG else (4, 2, 0.4)  # the last in seconds, at most
ELSEWHERE, TLS = 28999, 28443
TOKEN, BEYOND = 12, 25  # seconds: how long a token is good, and when no cache believes it any more
MARK = re.compile(r"guestmon: [^/]+/(\d+)@(\d+)$")

# The odd ones meet a raise in the first pass: what makes an alarm twice is among them.
AODH = {
    "lost": proxy.lose(), "401": proxy.status(401), "half": proxy.half(), "403": proxy.status(403),
    "hang": proxy.hang(), "404": proxy.status(404), "409": proxy.status(409), "413": proxy.status(413),
    "429": proxy.status(429, Retry_After="1"), "500": proxy.status(500), "object": proxy.garbage(b"{}"),
    "503": proxy.status(503), "text": proxy.garbage(b"[{\"alarm_id\": 1}]"), "huge": proxy.huge(),
    "redirect": proxy.redirect(f"http://127.0.0.1:{ELSEWHERE}")}
KEYSTONE = {
    "half": proxy.half(), "401": proxy.status(401), "redirect": AODH["redirect"]}
KEYSTONE_LONG = {
    **KEYSTONE, "403": proxy.status(403), "404": proxy.status(404), "409": proxy.status(409), "413": proxy.status(413),
    "429": AODH["429"], "500": proxy.status(500), "503": proxy.status(503), "json": proxy.garbage(b"{\"token\": {}}"),
    "text": proxy.garbage(b"<html>"), "huge": proxy.huge(), "hang": proxy.hang(), "lost": proxy.lose()}


class Storm(OpenStackTest):
    def setUp(self):
        super().setUp()
        self.forget_alarms()
        self.guests = -(-ALARMS // RULES)
        self.node.guests(self.guests)
        self.expected = {}  # alarm → what its history has to be
        self.raised, self.rounds, self.vain = None, 0, 0
        self.met = {}  # fault → what it met: raised, cleared
        self.sizes, self.began = [], time.monotonic()
        self.elsewhere = proxy.Receiver(ELSEWHERE)
        self.addCleanup(self.elsewhere.close)

    def begin(self):
        self.output()
        self.node.start()
        wait_until("it has begun", lambda: self.proxies["aodh"].requests, WAIT)
        self.sizes.append(self.node.rss())

    def output(self, options="", keystone=None):
        credential = self.credential()
        if keystone:
            credential = credential.replace(f"http://127.0.0.1:{stack.PROXIES['keystone']}", keystone)
        # The pauses are short: as many more refusals are as long as the usual ones.
        self.node.output("cloud", "type: aodh\nguests: g*\nrefusals: 1000\n" + credential + PATIENCE + options)

    def row(self):
        return self.node.row("cloud")

    # -- Aodh's view

    def shown(self):
        """(guest, rule) → the alarm, of the guests' alarms."""
        names = {tuple(alarm["name"].split("/")[2::3]): alarm for alarm in self.aodh("GET", "/v2/alarms")}
        return {key: alarm for key, alarm in names.items() if key[0].startswith("guest:")}

    def told(self):
        """The marks that were written, in the order in which they were: (alarm's id, sequence)."""
        marks = []
        for request in self.proxies["aodh"].requests:
            alarm = request["path"].rpartition("/")[2]
            if request["method"] == "PUT" and alarm != "state":
                marks.append((alarm, int(MARK.search(json.loads(request["body"])["description"])[1])))
        return marks

    # -- one round

    def change(self, name):
        """All alarms are raised, or, where they are, cleared."""
        if self.raised:
            prefix, self.raised = self.raised, None
        else:
            prefix = self.raised = "storm" if LONG else name
        names = [f"{prefix}-{number}" for number in range(RULES)]
        for guest in range(self.guests):
            for rule in names:
                self.expected.setdefault(("guest:" + self.node.guest(guest), rule), []).append(
                    "alarm" if self.raised else "ok")
        self.node.write("policy.d/rules.yaml", "thresholds:\n" + "".join(
            f"  - {{name: {rule}, metric: guest.state, failure-min: 1000000}}\n" for rule in names)
            if self.raised else "")
        self.node.ask("reload")
        wanted = len(names) * self.guests if self.raised else 0
        wait_until(f"{name}: {wanted} alarms are active", lambda: wanted == sum(
            alarm["detector"] == "threshold" for alarm in self.node.ask("alarms")["alarms"]), 3 * WAIT, 1 if LONG else 0.2)

    def round(self, name, inject, met, mend):
        """All change while the fault is there; when it is over, all have arrived, whatever was tried in vain."""
        began, before = time.monotonic(), self.row()
        inject()
        try:
            self.change(name)
            self.met.setdefault(name, set()).add("raised" if self.raised else "cleared")
            wait_until(f"{name} is met", met or (lambda: self.row()["retried"] > before["retried"]), WAIT)
            if LONG:
                time.sleep(2)
        finally:
            mend()
        self.arrive(name)
        after = self.row()  # a reload that changes the output counts anew
        vain = after["retried"] - (before["retried"] if after["retried"] >= before["retried"] else 0)
        self.vain += vain
        print(f"→ {name}: {'raised' if self.raised else 'cleared'} in {time.monotonic() - began:.0f} s, "
              f"{vain} attempts in vain, {self.sizes[-1] >> 20} MiB", flush=True)

    def arrive(self, name):
        """All is told, and so Aodh shows it."""
        wait_until(f"{name}: all is told", lambda: self.row()["backlog"] == 0, PATIENCE_OF_ALL, 0.5)
        wrong = {key: alarm["state"] for key, alarm in self.shown().items() if alarm["state"] != self.expected[key][-1]}
        self.assertEqual(wrong, {}, name)
        self.rounds += 1
        self.sizes.append(self.node.rss())

    def passes(self):
        """Before each pass but the first one a round of no fault, so that each fault meets the other change."""
        for number in range(PASSES):
            if number > 0:
                self.round(f"none-{number}", lambda: None, lambda: True, lambda: None)
            yield number

    def behind(self, service, name, fault):
        front = self.proxies[service]
        met = None if fault.name == "hang" else lambda: front.hit >= (2 if service == "aodh" else 1)
        self.round(name, lambda: front.inject(fault), met, front.mend)

    def check(self):
        """Every history is exactly what happened here; every mark was of one alarm, and they came in order."""
        self.assertEqual(self.row()["overflowed"] + self.row()["expired"] + self.row()["refused"], 0)
        alarms = self.shown()
        self.assertEqual(set(alarms), set(self.expected))
        self.assertEqual(len(self.aodh("GET", "/v2/alarms")), len(alarms), "none was made twice")
        for key, alarm in alarms.items():
            self.assertEqual(self.history(alarm), self.expected[key], key)
        owner, last = {}, {}
        told = self.told()
        for alarm, sequence in told:
            self.assertEqual(owner.setdefault(sequence, alarm), alarm, "a sequence number of two alarms")
            self.assertGreaterEqual(sequence, last.get(alarm, 0), "an older one after a newer one")
            last[alarm] = sequence
        if PASSES > 1:
            self.assertEqual([name for name, changes in self.met.items()
                              if len(changes) < 2 and not name.startswith("none-")], [], "met no raise, or no clear")
        self.assertEqual(self.elsewhere.got, [], "a redirect took something to another host")
        changes = sum(len(states) for states in self.expected.values())
        self.assertEqual(len(owner), changes, "each change has its own number, and none was left out")
        self.assertLess(max(self.sizes) - self.sizes[0], self.node.growth(64 << 20))
        print(f"→ {self.rounds} rounds of {RULES * self.guests} alarms, {changes} changes, each once in Aodh's history; "
              f"{len(told)} descriptions, "
              f"{len(self.proxies['aodh'].requests)} requests, "
              f"{self.vain} attempts in vain, {time.monotonic() - self.began:.0f} s, "
              f"{min(self.sizes) >> 20} to {max(self.sizes) >> 20} MiB", end=" ", flush=True)

    # -- the faults

    def test_aodh(self):
        self.begin()
        services = self.rig.stack
        for _ in self.passes():
            for name, fault in AODH.items():
                self.behind("aodh", "aodh-" + name, fault)
            self.round("aodh-stopped", lambda: services.kill("aodh", signal.SIGSTOP), None,
                       lambda: services.kill("aodh", signal.SIGCONT))
            self.round("aodh-killed", lambda: services.stop("aodh"), None, services.start_aodh)
            self.round("aodh-expired-certificate", *self.expired_certificate("aodh"))
        self.check()
        front = self.proxies["aodh"]
        huge = sum(request["fault"] == AODH["huge"].name for request in front.requests)
        self.assertLess(front.written, huge * (16 << 20), "100 MB were read")

    def test_killed(self):
        """The daemon, at random moments while all of them are on their way."""
        lot = random.Random(int(os.environ.get("GM_SEED", "1")))
        self.begin()
        for number in range(KILLED_ROUNDS):
            began = time.monotonic()
            self.change(f"killed-{number}")
            for _ in range(KILLS // KILLED_ROUNDS):
                time.sleep(lot.random() * KILL_GAP)
                self.node.kill()
                self.node.start()
            left = self.row()["backlog"]
            self.arrive(f"killed-{number}")
            print(f"→ killed {KILLS // KILLED_ROUNDS} times: {'raised' if self.raised else 'cleared'} in "
                  f"{time.monotonic() - began:.0f} s, {left} of them after the last", flush=True)
        self.check()

    def expired_certificate(self, service):
        """The steps of a round in which the service is reached by TLS whose certificate has expired."""
        certificate = self.node.path("expired.pem")
        proxy.write_certificate(certificate, -2, -1)
        front = proxy.Proxy(TLS, stack.PORTS[service], certificate)
        self.addCleanup(front.close)
        address = f"https://127.0.0.1:{TLS}"

        def begin():
            self.output(f"ca-file: {certificate}\n" + (f"endpoint: {address}\n" if service == "aodh" else ""),
                        address if service == "keystone" else None)

        def end():
            self.assertEqual(front.requests, [], "nothing was said to it")
            front.close()
            self.output()
            self.node.ask("reload")

        return begin, lambda: "certificate" in self.row()["error"], end

    def test_keystone(self):
        """No token is to be had while alarms come, and the one that there was has been revoked."""
        self.begin()
        services = self.rig.stack
        for _ in self.passes():
            for name, fault in (KEYSTONE_LONG if LONG else KEYSTONE).items():
                self.revoke()
                self.behind("keystone", "keystone-" + name, fault)
            self.revoke()
            self.round("keystone-stopped", lambda: services.kill("keystone", signal.SIGSTOP), None,
                       lambda: services.kill("keystone", signal.SIGCONT))
            if LONG:
                self.revoke()
                self.round("keystone-killed", lambda: services.stop("keystone"), None, services.start_keystone)
                self.round("keystone-expired-certificate", *self.expired_certificate("keystone"))
                self.round("token-revoked", self.revoke, lambda: True, lambda: None)
                self.round("token-expired", self.let_expire, lambda: True, self.proxies["keystone"].mend)
        self.check()

    def revoke(self):
        """The token that the daemon has; one that is not old is believed for a while, by both."""
        time.sleep(10.5)
        token = [request["token"] for request in self.proxies["aodh"].requests if request["token"]][-1]
        code, _, answer = stack.call("DELETE", stack.url("keystone") + "/v3/auth/tokens", token=self.rig.stack.token(),
                                     headers={"X-Subject-Token": token})
        self.assertIn(code, (204, 404), answer)

    def let_expire(self):
        """It holds a token that is worth nothing any more, and that it has been told is good for an hour."""
        def lengthen(answer):
            answer["token"]["expires_at"] = answer["token"]["expires_at"].replace(
                answer["token"]["expires_at"][:4], str(int(answer["token"]["expires_at"][:4]) + 1), 1)
            return answer

        services, front = self.rig.stack, self.proxies["keystone"]
        services.token_seconds, usual = TOKEN, services.token_seconds
        services.stop("keystone")
        services.start_keystone()
        front.inject(proxy.rewrite(lengthen))
        self.output("remove-after: 9m\n")  # another output, with a token of its own
        self.node.ask("reload")
        wait_until("it has a token", lambda: front.hit > 0, WAIT)
        services.token_seconds = usual
        services.stop("keystone")
        services.start_keystone()
        self.rig.token = None
        time.sleep(BEYOND)

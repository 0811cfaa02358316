# SPDX-License-Identifier: Apache-2.0
"""A guest with an alarm is migrated between two nodes, each with a libvirtd and a guestmond of its own: given up
half way; to the other node; back, and away again as one that the first node keeps defined. GM_MIGRATION=long also
waits until the target judges it."""

import os
import subprocess
import time

from gmtest.case import GuestmonTest, Session
from gmtest.lab import SCRIPT, Daemon, Lab
from gmtest.wait import hold, wait_until

LONG = os.environ.get("GM_MIGRATION") == "long"
MOVER = 3
NAME = f"web-{MOVER}"
DOMAIN = f"instance-{MOVER:08x}"
SETTLING = 30  # seconds after its arrival for which the target raises nothing
RULE = f"thresholds:\n  - {{name: full, match: {{name: {NAME}, entity: guest}}, metric: memory.used, failure-max: 1M}}\n"


class Node:
    """A lab and the daemon in it."""

    def __init__(self, lab, daemon):
        self.lab, self.daemon = lab, daemon

    def policies(self, text=RULE):
        directory = self.lab.state / "policy.d"
        directory.mkdir(exist_ok=True)
        (directory / "mover.yaml").write_text(text, encoding="utf-8")
        return str(directory)

    def guests(self):
        return {guest["display_name"]: guest for guest in self.daemon.ctl_json("guests")["guests"]}

    def state(self):
        """The guest's virDomainState as guestmon has it; None: no such guest."""
        guest = self.guests().get(NAME)
        return guest and int(guest["metrics"].get("guest.state", {}).get("value", -1))

    def alarms(self):
        return [alarm for alarm in self.daemon.ctl_json("alarms")["alarms"] if alarm["guest_name"] == NAME]

    def log(self):
        """The transitions of the guest's alarms: (rule or metric, what was told, the transition)."""
        return [(line["alarm"]["rule"] or line["alarm"]["metric"],
                 line["alarm"].get("news", line["state"]), line)
                for line in self.daemon.ctl_json("alarms", "--log")["log"]
                if line["alarm"]["guest_name"] == NAME]

    def told(self):
        return [entry[:2] for entry in self.log()]

    def waiting(self):
        return self.daemon.ctl_json("status")["conditions_waiting"]

    def said(self, words):
        """How often the daemon has written it of the guest."""
        return self.daemon.log.read_text("utf-8", "replace").count(f'guest "{NAME}" ({Lab.uuid(MOVER)}): {words}')


class Migration(GuestmonTest):

    @classmethod
    def setUpClass(cls):
        lab = Lab(Session.lab.state / "far")
        cls.addClassCleanup(lab.down)
        lab.state.mkdir(exist_ok=True)
        if not (lab.state / "image").exists():
            (lab.state / "image").symlink_to(Session.lab.state / "image")
        lab.up()
        lab.call("guest-expect", MOVER)
        daemon = Daemon(lab, Session.daemon.daemon, Session.daemon.ctl_path)
        cls.here, cls.there = Node(Session.lab, Session.daemon), Node(lab, daemon)
        daemon.configure(node__name="far", policy__directory=cls.there.policies())
        daemon.start()
        cls.addClassCleanup(daemon.stop)
        Session.daemon.configure(burst__port_rate="100M", policy__directory=cls.here.policies())
        Session.daemon.ctl("reload")
        cls.addClassCleanup(cls.restore)
        Session.lab.guest_start(MOVER, 128)
        cls.addClassCleanup(Session.lab.exec, "virsh", "-q", "destroy", DOMAIN, check=False)

    @classmethod
    def restore(cls):
        Session.daemon.configure(burst__port_rate="100M")
        Session.daemon.ctl("reload")

    def setUp(self):
        self.addCleanup(self.show_logs)
        self.mark()

    def mark(self):
        """What was told before does not count."""
        self.before = len(self.here.told()), len(self.there.told())

    def has_alarm(self):
        wait_until("the guest's alarm is raised here, and told of",
                   lambda: self.here.alarms() and not self.here.alarms()[0].get("suppressed"), 30)
        self.assertEqual(self.there.alarms(), [])
        self.mark()

    def show_logs(self):
        """What there is to see when it has failed."""
        if not self._outcome.success:
            print(self.here.told(), self.there.told(), self.there.daemon.log.read_text("utf-8", "replace")[-3000:])

    def migrate(self, source, target, *options):
        done = source.lab.call("guest-migrate", MOVER, target.lab.state, *options)
        self.assertEqual(done.returncode, 0, done.stderr)

    def news(self, node):
        """What was told there since the test began."""
        return node.told()[self.before[node is self.there]:]

    def cleared_as_migrated(self, node, begun):
        """Its alarm is ended there, by nothing but the migration, and by the time at which it happened."""
        wait_until("the source does not know it any more", lambda: node.state() is None, 30)
        wait_until("its alarm is over", lambda: not node.alarms(), 10)
        self.assertEqual(self.news(node), [("full", "suppressed"), ("full", "clear")])
        silent, clear = (line for _, _, line in node.log()[-2:])
        self.assertIn("[its guest has migrated]", clear["alarm"]["text"])
        self.assertLessEqual(begun, silent["time"])
        self.assertLessEqual(silent["time"], clear["time"])
        self.assertLessEqual(clear["time"], time.time())

    def arrives_clean(self, node, begun):
        """It runs there, nothing is told of it, its past is not its own, its port is counted from here on."""
        wait_until("it runs there", lambda: node.state() == 1, 30)
        wait_until("its condition is seen and waits", lambda: node.waiting() == 1, 20)
        device = f"/sys/class/net/gmtap{MOVER}/statistics/"
        node.lab.burst(MOVER, 50, 60)
        sent = int(node.lab.exec("cat", device + "tx_bytes").stdout)
        self.assertGreater(sent, 50000)
        wait_until("the tap is counted", lambda: (self.received(node) or 0) >= sent, 10)
        hold("nothing is raised while it settles",
             lambda: not self.news(node) or time.time() >= begun + SETTLING, 3)
        windows = node.daemon.ctl_json("windows", NAME, "--since", "1m")["entities"]
        used = windows[f"guest:{Lab.uuid(MOVER)}"]["memory.used"]
        self.assertEqual([point for point in used if point[0] < begun - 1], [], "from before it was here")
        octets = [point[1] for point in windows[f"if:gmtap{MOVER}"]["net.rx.bytes"] if point[0] >= begun]
        self.assertEqual(octets, sorted(octets), "the counter never went back")
        self.assertLess(octets[-1], 1.1 * sent)
        self.assertLessEqual(self.peak(node), 1.2 * 8 * sent / 0.1, "what was sent came within a tenth of a second")

    def peak(self, node):
        """The most that its port received within a tenth of a second of the last minute, bit/s."""
        return max(int(value.split()[0]) for name, value in node.lab.snmp.walk("gmInterfaceRxPeakMinute").items()
                   if name.partition(".")[2].startswith(f"{node.guests()[NAME]['index']}."))

    def received(self, node):
        """Octets that the guest received, by the interface table; a neighbour's question may come between."""
        rows = node.lab.snmp.table("gmInterfaceTable")
        return next((int(row["gmInterfaceRxOctets"]) for row in rows if f"gmtap{MOVER}" in row.values()), None)

    def drop_rule(self):
        """It holds all the time, and would be told as soon as the guest has settled."""
        for node in (self.here, self.there):
            node.policies("")
            node.daemon.ctl("reload")
            wait_until("no alarm of the rule is active, and none waits",
                       lambda node=node: not node.alarms() and node.waiting() == 0, 20)

    def no_fault(self, *nodes):
        for node in nodes:
            self.assertFalse([entry for entry in node.told() if entry[0] != "full"])
            for words in ("crashed", "monitor broken"):
                self.assertEqual(node.said(words), 0, words)

    def test_1_given_up(self):
        """What libvirt says nothing of: the migration is aborted while the guest runs."""
        self.has_alarm()
        command = [SCRIPT, "guest-migrate", self.here.lab.state, str(MOVER), self.there.lab.state,
                   "--bandwidth", "2"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as migration:
            try:
                wait_until("its alarm is silent", lambda: self.news(self.here) == [("full", "suppressed")], 30)
                wait_until("the target has it, paused", lambda: self.there.state() == 3, 30)
                hold("nothing is told", lambda: not self.news(self.there), 2)
                self.assertIsNone(migration.poll(), "it still migrates")
            finally:
                self.here.lab.virsh("domjobabort", DOMAIN)
            _, errors = migration.communicate(timeout=60)
        self.assertIn("cancel", errors)
        wait_until("its alarm is released",
                   lambda: self.news(self.here) == [("full", "suppressed"), ("full", "released")], 30)
        wait_until("it is gone at the target", lambda: self.there.state() is None, 30)
        self.assertEqual(self.here.said("stayed"), 1)
        self.assertEqual(self.here.state(), 1)
        hold("nothing is raised for what never arrived", lambda: not self.news(self.there), 2)
        self.no_fault(self.here, self.there)

    def test_2_there(self):
        self.has_alarm()
        begun = time.time()
        self.migrate(self.here, self.there)
        self.cleared_as_migrated(self.here, begun)
        self.arrives_clean(self.there, begun)
        self.no_fault(self.here, self.there)
        if LONG:
            wait_until("the target judges it", lambda: self.news(self.there) == [("full", "raise")], SETTLING + 10)
            self.assertGreater(self.there.log()[-1][2]["time"], begun + SETTLING)

    def test_3_back_and_away_again(self):
        """As a guest that libvirt keeps defined: the source still lists it, shut off, when it has gone."""
        self.migrate(self.there, self.here, "--persistent")
        wait_until("it runs here", lambda: self.here.state() == 1, 30)
        wait_until("it is gone there", lambda: self.there.state() is None, 30)
        self.assertEqual(self.here.lab.virsh("domstate", DOMAIN).strip(), "running")
        wait_until("its port is counted anew", lambda: self.received(self.here) is not None, 10)
        self.assertLess(self.peak(self.here), 1e6)
        wait_until("an alarm that was raised there is over", lambda: not self.there.alarms(), 10)
        self.drop_rule()
        self.mark()
        self.migrate(self.here, self.there)
        self.addCleanup(self.here.lab.virsh, "undefine", DOMAIN)
        wait_until("it runs there", lambda: self.there.state() == 1, 30)
        wait_until("it is gone here", lambda: self.here.state() is None, 30)
        self.assertEqual(self.here.lab.virsh("domstate", DOMAIN).strip(), "shut off")
        hold("nothing is raised", lambda: not self.news(self.here) + self.news(self.there), 3)
        self.no_fault(self.here, self.there)

# SPDX-License-Identifier: Apache-2.0
"""nova-action and masakari against a real Nova with two hosts, and Masakari's real engine: what became of a guest is
asked of Nova, which keeps a list of all that was done to it."""

import signal
import time
import unittest

import compute
import proxy
import recovery
import stack
from acting import ActionTest
from rig import NODE, WAIT, wait_until

OTHER = next(host for host in compute.HOSTS if host != NODE)
SEGMENT = {"name": "rack", "recovery_method": "auto", "service_type": "compute"}


class NovaTest(ActionTest):
    @classmethod
    def setUpClass(cls):
        missing = recovery.missing() + compute.missing()
        if missing:
            raise unittest.SkipTest("not installed: " + ", ".join(missing))
        cls.start_services()
        if not cls.rig.attached and not cls.rig.stack.pid("nova"):
            began = time.monotonic()
            stack.at_once([[lambda: compute.start(cls.rig.stack)], [lambda: recovery.start_engine(cls.rig.stack)]])
            print(f"Nova is up after {time.monotonic() - began:.1f} s", flush=True)

    # -- Nova as its users see it

    def nova(self, method, path, body=None, token=None):
        return compute.ask(self.rig.stack, method, path, body, token)

    def make(self, token=None, **more):
        """A server on this node; of whom the token is, wherever Nova puts it."""
        answer = self.nova("POST", "/servers", {"server": {
            "name": "web", "flavorRef": compute.FLAVOR, "networks": "none",
            **({} if token else {"availability_zone": "nova:" + NODE}), **more,
            "block_device_mapping_v2": [{"boot_index": 0, "source_type": "blank", "destination_type": "local"}]}}, token)
        self.guest = answer["server"]["id"]
        self.watch(self.guest)
        self.addCleanup(self.nova, "DELETE", "/servers/" + self.guest)
        wait_until("the server has been made", lambda: self.server()[0] != "BUILD", WAIT)
        self.assertIn(self.server(), [("ACTIVE", host) for host in (compute.HOSTS if token else (NODE,))],
                      self.nova("GET", "/servers/" + self.guest))

    def server(self):
        """(status, host)"""
        server = self.nova("GET", "/servers/" + self.guest)["server"]
        return server["status"], server["OS-EXT-SRV-ATTR:host"]

    def await_server(self, *expected):
        wait_until(f"the server is {expected}", lambda: self.server() == expected, WAIT)

    def done(self):
        """What was done to it, as Nova tells."""
        rows = self.nova("GET", f"/servers/{self.guest}/os-instance-actions")["instanceActions"]
        return [row["action"] for row in reversed(rows)][1:]

    def await_migrations(self, *expected):
        wait_until(f"the migrations are {expected}", lambda: self.migrations() == list(expected), WAIT)

    def migrations(self):
        rows = self.nova("GET", "/os-migrations?instance_uuid=" + self.guest)["migrations"]
        return [(row["migration_type"], row["source_compute"], row["dest_compute"], row["status"]) for row in rows]


class Nova(NovaTest):
    def test_a_dry_run_asks_nothing(self):
        self.make()
        for action in ("live-migrate", "set-error", "set-active", "evacuate-hint"):
            self.action(action, "nova-action", action=action, rules="hard-*,node-*", dry_run="yes")
        self.node.start()
        self.raise_rules("hard-hang", "node-dead")
        for action in ("live-migrate", "set-error", "set-active", "evacuate-hint"):
            self.assertEqual(self.settled(action), [("dry-run", "")])
        time.sleep(1)
        self.assertEqual((self.server(), self.done(), self.migrations()), (("ACTIVE", NODE), [], []))
        self.assertEqual(compute.service(self.rig.stack, NODE)["status"], "enabled")

    def test_live_migration(self):
        self.make()
        self.action("move", "nova-action", again_after="1s")
        self.node.start()
        self.raise_rules("hard-hang")
        self.assertEqual(self.settled("move"), [("accepted", "202")])
        self.await_server("ACTIVE", OTHER)
        self.await_migrations(("live-migration", NODE, OTHER, "completed"))
        self.assertEqual(self.done(), ["live-migration"])

    def test_states(self):
        self.make()
        self.action("bad", "nova-action", action="set-error", rules="hard-hang")
        self.action("good", "nova-action", action="set-active", rules="hard-crash")
        self.node.start()
        self.raise_rules("hard-hang")
        self.assertEqual(self.settled("bad"), [("accepted", "202")])
        self.assertEqual(self.server(), ("ERROR", NODE))
        self.raise_rules("hard-hang", "hard-crash")
        self.assertEqual(self.settled("good"), [("accepted", "202")])
        self.assertEqual(self.server(), ("ACTIVE", NODE))

    def test_a_guest_that_nova_does_not_know(self):
        self.action("move", "nova-action")
        self.node.start()
        self.raise_rules("hard-hang")
        state, text = self.settled("move")[0]
        self.assertEqual(state, "refused")
        self.assertRegex(text, "^404: Instance .* could not be found")

    def test_one_who_may_not(self):
        """The owner, who is no administrator."""
        self.make(self.token())
        where = self.server()
        self.action("move", "nova-action", user="agent", project="telco", max_age="10s")
        self.action("state", "nova-action", user="agent", project="telco", max_age="10s", action="set-error")
        self.node.start()
        self.raise_rules("hard-hang")
        for name, what in (("move", "os-migrate-server:migrate_live"), ("state", "os-admin-actions:reset_state")):
            wait_until("it is given up", lambda name=name: self.journal(name)[:1] and self.journal(name)[0][0] == "withheld",
                       WAIT)
            self.assertEqual(self.journal(name)[0][1], "the alarm is older than max-age; last: 403: Policy doesn't allow "
                             f"os_compute_api:{what} to be performed.")
        self.assertEqual((self.server(), self.done()), (where, []))

    def test_no_other_host(self):
        self.make()
        compute.service(self.rig.stack, OTHER, status="disabled")
        self.addCleanup(compute.service, self.rig.stack, OTHER, status="enabled")
        self.action("move", "nova-action", refusals=1)
        self.node.start()
        self.raise_rules("hard-hang")
        self.assertEqual(self.settled("move"), [("refused", "400: No valid host was found. There are not enough hosts "
                                                            "available.")])
        self.assertEqual((self.server(), self.done()), (("ACTIVE", NODE), ["live-migration"]))

    def test_a_guest_that_is_off(self):
        self.make()
        self.nova("POST", f"/servers/{self.guest}/action", {"os-stop": None})
        self.await_server("SHUTOFF", NODE)
        self.action("move", "nova-action")
        self.node.start()
        self.raise_rules("hard-hang")
        self.assertEqual(self.settled("move"), [("refused", f"409: Cannot 'os-migrateLive' instance {self.guest} while "
                                                            "it is in vm_state stopped")])
        self.assertEqual((self.server(), self.done()), (("SHUTOFF", NODE), ["stop"]))

    def freeze(self):
        """The other host answers nobody until it is thawed."""
        self.rig.stack.kill(OTHER, signal.SIGSTOP)
        self.addCleanup(self.thaw)

    def thaw(self):
        self.rig.stack.kill(OTHER, signal.SIGCONT)

    def test_a_guest_that_is_on_its_way(self):
        """Someone else migrates it; the destination takes its time."""
        self.make()
        self.freeze()
        self.nova("POST", f"/servers/{self.guest}/action", {"os-migrateLive": {"host": None, "block_migration": "auto"}})
        self.await_server("MIGRATING", NODE)
        self.action("move", "nova-action")
        self.node.start()
        self.raise_rules("hard-hang")
        self.assertEqual(self.settled("move"), [("refused", f"409: Cannot 'os-migrateLive' instance {self.guest} while "
                                                            "it is in task_state migrating")])
        self.thaw()
        self.await_server("ACTIVE", OTHER)
        time.sleep(2)  # two of its pauses at most
        self.assertEqual((self.server(), self.done()), (("ACTIVE", OTHER), ["live-migration"]))

    def test_nova_takes_its_time(self):
        """It answers when the destination has agreed: later than it is waited for."""
        self.make()
        self.freeze()
        self.action("move", "nova-action", timeout="1s", again_after="1s")
        self.node.start()
        self.raise_rules("hard-hang")
        self.assertEqual(self.settled("move")[0][0], "unsure")
        self.await_server("MIGRATING", NODE)
        self.thaw()
        self.await_server("ACTIVE", OTHER)
        time.sleep(1)
        self.assertEqual((self.server(), self.done(), len(self.actions("move"))), (("ACTIVE", OTHER), ["live-migration"], 1))

    def test_killed_before_the_answer(self):
        self.make()
        nova = proxy.Proxy(stack.PROXIES["nova"], stack.PORTS["nova"])
        self.addCleanup(nova.close)
        nova.inject(proxy.hold())
        self.addCleanup(nova.mend)
        self.action("move", "nova-action", interface="internal", block_migration="yes", again_after="1s")
        self.node.start()
        self.raise_rules("hard-hang")
        self.await_server("ACTIVE", OTHER)
        self.assertEqual(self.journal("move"), [("sent", "")])
        self.node.kill()
        nova.mend()
        self.node.start()
        self.assertEqual(self.settled("move"), [("unsure", "the output ended before the answer came")])
        time.sleep(1)
        self.assertEqual((len(nova.requests), self.server(), self.done()), (1, ("ACTIVE", OTHER), ["live-migration"]))

    def test_the_hint(self):
        self.make()
        self.action("hint", "nova-action", action="evacuate-hint", rules="node-*")
        self.action("stranger", "nova-action", action="evacuate-hint", rules="node-*", host="nobody")
        self.addCleanup(compute.service, self.rig.stack, NODE, status="enabled")
        self.node.start()
        self.raise_rules("node-dead")
        self.assertEqual(self.settled("hint"), [("accepted", "200")])
        service = compute.service(self.rig.stack, NODE)
        self.assertEqual((service["status"], service["state"]), ("disabled", "up"))
        self.assertRegex(service["disabled_reason"], f"^guestmon {NODE}/[0-9]+: .*node-dead holds")
        self.assertEqual(self.settled("stranger"), [("refused", "404: Host 'nobody' is not mapped to any cell")])
        status, answer = self.nova("POST", f"/servers/{self.guest}/action", {"evacuate": {}})  # the node lives
        self.assertEqual((status, self.server(), self.done()), (400, ("ACTIVE", NODE), []), answer)


class Recovery(NovaTest):
    """Masakari's engine does what it was told of."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        segment = cls.tell("POST", "/segments", {"segment": SEGMENT})["segment"]["uuid"]
        cls.addClassCleanup(recovery.forget_hosts, cls.rig.stack)
        for host in compute.HOSTS:  # Masakari asks Nova whether there is such a host
            cls.tell("POST", f"/segments/{segment}/hosts", {"host": {
                "name": host, "type": "COMPUTE", "control_attributes": "none"}})

    @classmethod
    def tell(cls, method, path, body):
        token = cls.rig.stack.token("healer", "healerpw", "service")
        status, _, answer = stack.call(method, stack.url("masakari") + "/v1" + path, body, token)
        if status >= 300:
            raise AssertionError(f"{path}: {status} {answer}")
        return answer

    def notified(self, output, seconds=WAIT):
        """The status in which the notification ends that the output's one action made."""
        state, text = self.settled(output)[0]
        self.assertEqual((state, text[:5]), ("accepted", "202: "))

        def status():
            found = self.ask("masakari", "/v1/notifications/" + text[5:])["notification"]["status"]
            return found if found not in ("new", "running") else None
        return wait_until("the engine has ended", status, seconds)

    def test_a_guest(self):
        self.make(metadata={"HA_Enabled": "True"})
        self.action("tell", "masakari", rules="hard-*")
        self.node.start()
        self.raise_rules("hard-hang")
        self.assertEqual(self.notified("tell"), "finished")
        self.assertEqual((self.server(), self.done()), (("ACTIVE", NODE), ["stop", "start"]))

    def test_a_guest_that_is_not_to_be_recovered(self):
        """Nobody said in its metadata that it is, which Masakari wants unless it is told otherwise."""
        self.make()
        self.action("tell", "masakari", rules="hard-*")
        self.node.start()
        self.raise_rules("hard-hang")
        self.assertEqual(self.notified("tell"), "finished")
        self.assertEqual((self.server(), self.done()), (("ACTIVE", NODE), []))

    def test_the_node(self):
        """Fenced, as it has to be. The last test of all by its name, because the node stays dead."""
        self.make()
        compute.fence(self.rig.stack, NODE)
        self.action("tell", "masakari", rules="node-dead", notify="compute-host")
        self.action("again", "masakari", rules="node-gone", notify="compute-host")
        self.node.start()
        self.raise_rules("node-dead")
        self.assertEqual(self.notified("tell"), "finished")
        self.assertEqual((self.server(), self.done()), (("ACTIVE", OTHER), ["lock", "evacuate", "unlock"]))
        self.await_migrations(("evacuation", NODE, OTHER, "done"))
        self.assertEqual(compute.service(self.rig.stack, NODE)["status"], "disabled")
        self.raise_rules("node-dead", "node-gone")
        self.assertEqual(self.settled("again"), [("refused", f"409: Notification received from host {NODE} of type "
                                                  "'COMPUTE_HOST' is ignored as the host is already under maintenance.")])

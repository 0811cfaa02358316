# SPDX-License-Identifier: Apache-2.0
"""guestmonctl check against a real snmpd, with each thing broken in turn: what is wrong is what it says, and
nothing else; then test notifications and heartbeats at a real snmptrapd."""

import json
import os
import signal
import time
import unittest

from rig import ROOT, Rig, free_port, wait_until

DRIVER = DAEMON = CTL = None
# Mode and owner of the socket's directory and the socket, for a daemon that is not root.
STEPS = ["daemon", "configuration", "socket", "registration", "output", "view", "notification"]


class Check(unittest.TestCase):
    longMessage = True

    def setUp(self):
        self.rig = Rig()
        self.addCleanup(self.rig.close)

    def start(self, *lines, **sections):
        self.rig.start_snmptrapd()
        self.snmpd = self.rig.start_snmpd(*lines)
        self.daemon = self.rig.start_daemon(DAEMON, **sections)
        wait_until("the session is there", lambda: self.connected(), 30)

    def connected(self):
        done = self.rig.ctl(CTL, "--json", "status", check=False)
        snmp = done.returncode == 0 and json.loads(done.stdout)["snmp"]
        return snmp and snmp["connected"] and not snmp["error"]

    def check(self, *arguments, credentials=None):
        """({step: (state, text and how to mend it)}, exit status)"""
        done = self.rig.ctl(CTL, "check", "--json", "--agent", self.rig.agent, "--credentials",
                            credentials or self.rig.credentials, *arguments, check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        steps = json.loads(done.stdout)["steps"]
        self.last = {step["step"]: (step["state"], step["text"] + " " + step.get("mend", "")) for step in steps}
        self.assertEqual(done.returncode, int(any(step["state"] == "wrong" for step in steps)), done.stdout)
        return self.last

    def assert_wrong(self, step, *parts):
        """That step and no other is wrong, and what is said of it has the parts."""
        wrong = [name for name, (state, _) in self.last.items() if state == "wrong"]
        self.assertEqual(wrong, [step], self.last)
        for part in parts:
            self.assertIn(part, self.last[step][1])

    def write(self, name, text):
        path = self.rig.folder / name
        path.write_text(text, "utf-8")
        return path

    def test_all_is_well(self):
        self.start()
        steps = self.check()
        self.assertEqual({name: state for name, (state, _) in steps.items()}, dict.fromkeys(STEPS, "ok"))
        wait_until("the test arrives", lambda: "GUESTMON-MIB::guestmonTest\t" in self.rig.trap_log())
        self.check("--no-notification")
        self.assertEqual(self.last["notification"][0], "not tried")
        text = self.rig.ctl(CTL, "check").stdout
        self.assertIn("\n-      view ", text)
        self.assertFalse([line for line in text.splitlines() if line.startswith("WRONG")])
        left = [name for name in os.listdir("/tmp") if name.startswith("guestmonctl-")
                and os.stat("/tmp/" + name).st_ctime > time.time() - 5 and not os.listdir("/tmp/" + name)]
        self.assertFalse(left)

    def test_views_and_credentials(self):
        """snmpd as Debian ships it hides the subtree; communities and users that it does not know."""
        self.start("view sysonly included .1.3.6.1.2.1.1", "rocommunity guestmon 127.0.0.1 -V sysonly",
                   "rocommunity wide 127.0.0.1", "createUser nms SHA a-secret-word AES p-secret-word",
                   "rouser nms authPriv", "createUser narrow SHA a-secret-word", "rouser narrow auth -V sysonly")
        self.check()
        self.assert_wrong("view", "does not show", f"view NAME included {ROOT}")
        self.check(credentials=self.write("wide", "defVersion 2c\ndefCommunity wide\n"))
        self.assertEqual(self.last["view"][0], "ok")
        self.check("--no-notification", credentials=self.write("unknown", "defVersion 2c\ndefCommunity nobody\n"))
        self.assert_wrong("view", "Timeout", "rocommunity")
        user = "defVersion 3\ndefSecurityName {}\ndefSecurityLevel authPriv\ndefAuthType SHA\ndefAuthPassphrase {}\n" \
               "defPrivType AES\ndefPrivPassphrase p-secret-word\n"
        self.check("--no-notification", credentials=self.write("v3", user.format("nms", "a-secret-word")))
        self.assertEqual(self.last["view"][0], "ok")
        self.check("--no-notification", credentials=self.write("v3", user.format("nms", "another-word")))
        self.assert_wrong("view", "Authentication failure")
        self.check("--no-notification", credentials=self.write("v3", user.format("nobody", "a-secret-word")))
        self.assert_wrong("view", "Unknown user name", "createUser")
        self.check("--no-notification", credentials=self.write("v3", user.format("narrow", "a-secret-word")))
        self.assertEqual(self.last["view"][0], "wrong")
        self.check("--no-notification", credentials=self.rig.folder / "absent")
        self.assert_wrong("view", "absent: No such file")
        self.assertNotIn("secret", str(self.last))

    def test_alarms_are_told(self):
        """A test gets through while the output is paused: alarms do not. And what the list of outputs says."""
        self.start(policy="")
        self.rig.ctl(CTL, "outputs", "pause", "snmp")
        wait_until("it is shown", lambda: self.output()["state"] == "paused")
        self.check()
        self.assert_wrong("output", "output snmp is paused", "guestmonctl outputs resume snmp")
        self.rig.ctl(CTL, "outputs", "resume", "snmp")
        wait_until("it is shown", lambda: self.output()["state"] == "working")
        self.check("--no-notification")
        self.assertEqual(self.last["output"][0], "ok")
        self.rig.end(self.snmpd, signal.SIGKILL)
        wait_until("the output waits", lambda: self.output()["state"] == "waiting")
        self.assertIn("master agent", self.output()["error"])
        self.start_snmpd_again()
        wait_until("it works again", lambda: self.output()["state"] == "working", 30)
        self.assertFalse(self.output().get("error"))

    def start_snmpd_again(self):
        self.rig.socket.unlink()
        self.snmpd = self.rig.start_snmpd()

    def output(self):
        rows = json.loads(self.rig.ctl(CTL, "--json", "outputs").stdout)["outputs"]
        return next(row for row in rows if row["name"] == "snmp")

    def test_another_agent(self):
        """An snmpd that is not there, and one that is somebody else's."""
        self.start()
        self.check("--agent", f"127.0.0.1:{free_port()}", "--no-notification")
        self.assert_wrong("view", "Timeout", "agentAddress")
        other = Rig()
        self.addCleanup(other.close)
        other.start_snmpd()
        other.start_driver(DRIVER)
        self.check("--agent", other.agent, "--no-notification")
        self.assert_wrong("view", "another guestmond", "compute-1")

    def test_master_agents_socket(self):
        """Not there, left behind, not listening; then a snmpd that hangs, and one where somebody else is registered."""
        self.start()
        self.rig.end(self.snmpd, signal.SIGKILL)
        wait_until("the loss is noticed", lambda: not self.connected())
        self.check()
        self.assert_wrong("socket", "nobody listens", "snmpd")
        self.assertNotIn("view", self.last)
        self.rig.socket.unlink()
        self.check()
        self.assert_wrong("socket", "is not there", "master agentx")
        self.snmpd = self.rig.start_snmpd()
        wait_until("the session is back", self.connected, 30)
        self.snmpd.send_signal(signal.SIGSTOP)
        self.check("--credentials", self.rig.credentials)
        self.snmpd.send_signal(signal.SIGCONT)
        self.assertEqual(self.last["view"][0], "wrong")
        self.assertEqual(self.last["notification"][0], "wrong")
        self.assertIn("hang", self.last["notification"][1])

    def test_second_subagent(self):
        self.rig.start_snmpd()
        self.rig.start_driver(DRIVER)
        self.rig.start_daemon(DAEMON)
        wait_until("the refusal is known", lambda: "another subagent" in self.rig.ctl(CTL, "--json", "status", check=False).stdout, 30)
        self.check()
        self.assert_wrong("registration", "another subagent", "second guestmond")

    def test_permission(self):
        """agentXPerms that leave the daemon's user out."""
        if os.geteuid() != 0:
            self.skipTest("only root can become somebody else")
        self.rig.start_snmpd()
        os.chmod(self.rig.folder, 0o755)
        (self.rig.folder / "gm").mkdir(mode=0o700)
        os.chmod(self.rig.socket, 0o600)
        for path in (self.rig.folder, self.rig.folder / "gm"):
            os.chown(path, 65534, 65534)
        self.rig.start_daemon(DAEMON, user=65534)
        wait_until("the daemon answers", lambda: self.rig.ctl(CTL, "status", check=False).returncode == 0)
        self.check()
        self.assert_wrong("socket", "not open to the daemon's user", "agentXPerms")
        os.chmod(self.rig.socket.parent, 0o700)
        os.chown(self.rig.socket.parent, 0, 0)
        self.check()
        self.assertIn(f"may not pass {self.rig.socket.parent} (", self.last["socket"][1])  # nor the configuration

    def test_daemon_and_configuration(self):
        self.start()
        self.rig.write_policy("thresholds: [{name: x}]\n")
        self.check("--no-notification")
        self.assert_wrong("configuration", "policy.d/a.yaml", "reload")
        self.rig.write_policy("")
        self.rig.end(self.daemon)
        self.check()
        self.assert_wrong("daemon", "systemctl status guestmon")
        self.assertEqual(list(self.last), ["daemon"])

    def test_heartbeat(self):
        """One after another, with the newest sequence number; none of them is an alarm's."""
        self.start(snmp=f"{{agentx-socket: {self.rig.socket}, heartbeat: 1s}}", policy="")

        def beats():
            return self.rig.trap_log().count("GUESTMON-MIB::guestmonHeartbeat\t")
        wait_until("three beats", lambda: beats() >= 3)
        self.assertNotIn("gmNotifySequence", self.rig.trap_log())
        self.snmpd.send_signal(signal.SIGSTOP)
        time.sleep(2)
        self.snmpd.send_signal(signal.SIGCONT)
        before = beats()
        time.sleep(0.2)
        self.assertLessEqual(beats() - before, 3)  # what did not happen while the master hung is not made up for
        wait_until("they go on", lambda: beats() >= before + 3)

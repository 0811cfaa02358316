# SPDX-License-Identifier: Apache-2.0
"""Informs of version 3 from the snmpd inside of a guest: each is answered, and becomes one event, over a restart of
the daemon, too; somebody else's are refused."""

import re

from gmtest.case import SMALL, GuestmonTest, Session
from gmtest.wait import wait_until

GUEST, NODE = f"10.77.0.{10 + SMALL}", "10.77.0.1"
AUTHENTICATION, PRIVACY = "authentic-1", "private-12"
OPTIONS = ("-v3 -u monitor -l authPriv -a SHA-256 -A {a} -x AES -X {x}".format(
    a=AUTHENTICATION, x=PRIVACY))
COLD_START, AUTHENTICATION_FAILURE = "1.3.6.1.6.3.1.1.5.1", "1.3.6.1.6.3.1.1.5.5"
SNMPD = ("killall snmpd; sleep 1; snmpd -Lf /dev/null -C -c {files} -p /run/snmpd.pid")
USUAL, WITH_INFORMS = "/etc/snmp/snmpd.conf", "/etc/snmp/snmpd.conf,/tmp/informs.conf"


class GuestInform(GuestmonTest):

    @classmethod
    def setUpClass(cls):
        lab, daemon = Session.lab, Session.daemon
        cls.before = daemon.config.read_text(encoding="utf-8")
        targets, credentials = lab.state / "etc/snmp-targets", lab.state / "etc/snmp-credentials"
        targets.write_text(f"web-{SMALL} {GUEST} inform 1s\n", encoding="utf-8")
        credentials.touch(0o600)
        credentials.write_text(f"inform v3 monitor SHA-256 {AUTHENTICATION} AES {PRIVACY}\n",
                               encoding="utf-8")
        daemon.configure(snmp_guests__enabled="yes", snmp_guests__targets=targets,
                         snmp_guests__credentials=credentials,
                         snmp_guests__listen=f"{NODE}:162")
        daemon.ctl("reload")
        lines = [f"createUser monitor SHA-256 {AUTHENTICATION} AES {PRIVACY}",
                 "rouser monitor priv", "authtrapenable 1", f"trapsess -Ci {OPTIONS} {NODE}:162"]
        lab.guest(SMALL, "printf '%s\\n' " + " ".join(f"'{line}'" for line in lines) +
                  " > /tmp/informs.conf")

    @classmethod
    def tearDownClass(cls):
        Session.lab.guest(SMALL, SNMPD.format(files=USUAL))
        Session.daemon.config.write_text(cls.before, encoding="utf-8")
        Session.daemon.ctl("reload")

    def told(self, name):
        """How often the log has a notification of the guest's."""
        text = self.daemon.log.read_text("utf-8", "replace")
        return len(re.findall(rf'guest "web-{SMALL}" .*: .* "{re.escape(name)}"$', text,
                              re.MULTILINE))

    def provoke(self):
        """Has the guest's snmpd tell of a wrong community, after the pause of its other events."""
        before = self.told(AUTHENTICATION_FAILURE)
        self.lab.exec("snmpget", "-v2c", "-c", "wrong", "-r0", "-t1", GUEST, "1.3.6.1.2.1.1.3.0",
                      check=False)
        wait_until("the inform is taken",
                   lambda: self.told(AUTHENTICATION_FAILURE) == before + 1, 30)

    def test_informs_are_taken_once(self):
        before = self.told(COLD_START)
        self.lab.guest(SMALL, SNMPD.format(files=WITH_INFORMS))
        wait_until("coldStart is taken", lambda: self.told(COLD_START) == before + 1, 30)
        self.provoke()
        self.daemon.kill()  # its engine has started once more: the guest has to ask for its clock
        self.daemon.start()
        wait_until("the guest is known", lambda: self.daemon.knows(2), 30)
        self.provoke()
        # Nothing of it was sent again, for all was answered.
        self.assertEqual(self.told(COLD_START), before + 1)

    def test_another_host_is_refused(self):
        """The right words from the node's own address, which is no guest's."""
        before = self.told("1.3.6.1.6.3.1.1.5.3")
        sent = self.lab.exec("snmpinform", "-r1", "-t1", *OPTIONS.split(), f"{NODE}:162", "7",
                             "1.3.6.1.6.3.1.1.5.3", check=False)
        self.assertNotEqual(sent.returncode, 0)
        self.assertEqual(self.told("1.3.6.1.6.3.1.1.5.3"), before)

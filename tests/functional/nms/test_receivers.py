# SPDX-License-Identifier: Apache-2.0
"""Packs that receive: snmptt, and the handler for snmptrapd that misses nothing."""

import json
import re
import signal
import unittest

from rig import MIBS, NMS, POLICY, Rig, wait_until

DRIVER = DAEMON = CTL = None
EVENT = re.compile(r"^EVENT .*\nFORMAT .*$", re.MULTILINE)
INI = """[General]
mode = standalone
multiple_event = 1
[Logging]
stdout_enable = 0
log_enable = 1
log_file = {0}/snmptt.log
syslog_enable = 0
syslog_system_enable = 0
unknown_trap_log_enable = 1
unknown_trap_log_file = {0}/unknown.log
[TrapFiles]
snmptt_conf_files = <<END
{1}/snmptt/guestmon.conf
END
"""


class Snmptt(unittest.TestCase):

    def setUp(self):
        self.rig = Rig()
        self.addCleanup(self.rig.close)

    def test_converter_makes_the_same(self):
        made = self.rig.folder / "made.conf"
        self.rig.run("snmpttconvertmib", f"--in={MIBS}/GUESTMON-MIB.txt", f"--out={made}")
        shipped = (NMS / "snmptt/guestmon.conf").read_text("utf-8")
        self.assertEqual(EVENT.findall(made.read_text("utf-8")), EVENT.findall(shipped))

    def test_events(self):
        """Each notification becomes its event, in words; none is unknown."""
        ini = self.rig.folder / "snmptt.ini"
        ini.write_text(INI.format(self.rig.folder, NMS), "utf-8")
        self.rig.start_snmptrapd("[snmp] printNumericOids yes", f"traphandle default /usr/sbin/snmptt --ini={ini}")
        self.rig.start_snmpd()
        self.rig.start_driver(DRIVER)
        log = self.rig.folder / "snmptt.log"
        self.rig.say("tell leak 9001")
        self.rig.say("tell policy 9004")
        expected = ["guestmonStart INFORMATIONAL", "guestmonLeakRaise MAJOR", "guestmonLeakChange MAJOR",
                    "guestmonLeakClear NORMAL", "guestmonThresholdRaise MAJOR", "guestmonThresholdChange MAJOR",
                    "guestmonThresholdClear NORMAL"]
        lines = wait_until("snmptt has them all", lambda: log.exists() and
                           len(text := log.read_text("utf-8", "replace").splitlines()) >= len(expected) and text, 40)
        names = {".0.1 ": "guestmonLeakRaise", ".0.2 ": "guestmonLeakChange", ".0.3 ": "guestmonLeakClear",
                 ".0.10 ": "guestmonStart", ".0.15 ": "guestmonThresholdRaise", ".0.16 ": "guestmonThresholdChange",
                 ".0.17 ": "guestmonThresholdClear"}
        seen = []
        for line in lines:
            number = re.search(r"(\.0\.\d+ )(\w+) ", line)
            seen.append(f"{names[number.group(1)]} {number.group(2)}")
        self.assertEqual(sorted(seen), sorted(expected))  # snmptrapd starts one process each
        self.assertTrue([line for line in lines if "guestmon: a memory leak (raise): transition 9001 of web-1 "
                         "(alarm 9001, sequence 9001, guest web-1, " in line], lines)
        self.assertNotIn("7666", (self.rig.folder / "unknown.log").read_text("utf-8"))  # snmpd's own coldStart is


class Handler(unittest.TestCase):
    """The handler of contrib/nms/snmptrapd on notifications of guestmond itself."""

    def setUp(self):
        self.rig = Rig()
        self.addCleanup(self.rig.close)
        self.state = self.rig.folder / "handler"
        self.line = (f"traphandle default {NMS}/snmptrapd/guestmon-traphandle {self.state} "
                     f"--agent-port {self.rig.port}")
        self.trapd = self.rig.start_snmptrapd(self.line)
        self.rig.start_snmpd()
        self.rig.start_daemon(DAEMON, policy="")
        wait_until("guestmond is served", self.rig.served)

    def events(self):
        path = self.state / "events.jsonl"
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    def sequences(self):
        return [event["sequence"] for event in self.events() if "sequence" in event]

    def toggle(self, on):
        self.rig.write_policy(POLICY if on else "")
        self.rig.ctl(CTL, "reload")
        wait_until("the alarm follows", lambda: bool(self.rig.alarms(CTL)) == on)

    def active(self):
        return json.loads((self.state / "127.0.0.1.json").read_text("utf-8"))["alarms"]

    def test_nothing_is_missed(self):
        """What was told while the receiver was away is read from the log; what comes twice is taken once."""
        self.toggle(True)
        wait_until("the raise arrives", lambda: self.sequences() == [1])
        self.assertEqual(len(self.active()), 1)
        self.rig.end(self.trapd)
        for on in (False, True, False):
            self.toggle(on)
        wait_until("the master has them", lambda: json.loads(self.rig.ctl(CTL, "--json", "status").stdout)["snmp"]["notifications"] >= 5)
        self.rig.start_snmptrapd(self.line)
        self.toggle(True)
        wait_until("all are there", lambda: self.sequences() == [1, 2, 3, 4, 5])
        kinds = [event["event"] for event in self.events() if "sequence" in event]
        self.assertEqual(kinds, ["raise", "clear", "raise", "clear", "raise"])
        self.assertEqual([event.get("from") for event in self.events() if "sequence" in event], [None, "log", "log", "log", None])
        self.assertEqual(len(self.active()), 1)

    def test_hostile_text_adds_no_variable(self):
        """A guest's name that looks like a further variable stays a name."""
        text = ('node\nUDP: [192.0.2.7]:1->[192.0.2.1]:162\nSNMPv2-MIB::snmpTrapOID.0 GUESTMON-MIB::guestmonLeakRaise\n'
                'GUESTMON-MIB::gmNotifyAlarmId.0 5\nGUESTMON-MIB::gmNotifySequence.0 8\n'
                'GUESTMON-MIB::gmNotifyGuestName.0 "x\\"\nGUESTMON-MIB::gmNotifySequence.0 99"\n'
                'GUESTMON-MIB::gmNotifyText.0 "a leak"\n')
        self.rig.run(NMS / "snmptrapd/guestmon-traphandle", self.state, "--agent-port", "1", input=text)
        event, = [event for event in self.events() if event["node"] == "192.0.2.7" and "sequence" in event]
        self.assertEqual((event["sequence"], event["GuestName"]), (8, 'x"\nGUESTMON-MIB::gmNotifySequence.0 99'))

    def test_a_node_that_starts_anew(self):
        """Numbers that go back: what was active is forgotten, the table tells what is."""
        self.toggle(True)
        wait_until("the raise arrives", lambda: self.sequences() == [1])
        path = self.state / "127.0.0.1.json"
        path.write_text(json.dumps({"last": 700, "alarms": {"77": "of long ago"}}), "utf-8")
        for process in self.rig.processes:
            if "guestmond" in str(process.args[0]):
                self.rig.end(process, signal.SIGTERM)
        wait_until("the stop arrives", lambda: any(event["event"] == "guestmonStop" for event in self.events()))
        self.assertNotIn("77", self.active())
        self.assertEqual(json.loads(path.read_text("utf-8"))["last"], 1)

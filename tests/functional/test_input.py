# SPDX-License-Identifier: Apache-2.0
"""What strangers and mistakes bring: hostile names in a domain, a second copy, a configuration that
cannot be, things that are not there."""

import json
from xml.sax.saxutils import escape

from gmtest.case import SMALL, GuestmonTest
from gmtest.wait import wait_until

NOVA = "http://openstack.org/xmlns/libvirt/nova/1.1"
HOSTILE = {
    "quotes": 'a"b\'c`d$(e);f|g&h<i>\\j%s%n',
    "lines": "first\nsecond\r\n= STRING: third\tfourth",
    "utf8": "Gäste-機械-\U0001f40b-\u202eright\u200b",
    "long": "x" * 10240,
}


def domain(number, name):
    """A guest without a system inside, never started running: its names are what it is for."""
    text = escape(name, {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
    return f"""<domain type='qemu'>
  <name>hostile-{number}</name>
  <uuid>6c766d67-bad0-4000-8a10-1{number:011x}</uuid>
  <metadata><nova:instance xmlns:nova="{NOVA}">
    <nova:name>{text}</nova:name>
    <nova:owner><nova:project uuid="{'f' * 4000}">{text}</nova:project></nova:owner>
  </nova:instance></metadata>
  <memory unit='MiB'>16</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/><memballoon model='none'/></devices>
</domain>"""


class HostileNames(GuestmonTest):

    def setUp(self):
        super().setUp()
        self.domains = []
        for number, name in enumerate(HOSTILE.values(), 1):
            path = self.lab.state / f"guests/hostile-{number}.xml"
            path.write_text(domain(number, name), encoding="utf-8")
            self.lab.virsh("create", "--paused", path)
            self.domains.append(f"hostile-{number}")

    def tearDown(self):
        for name in self.domains:
            self.lab.virsh("destroy", name)

    def test_hostile_names_are_carried_and_harm_nobody(self):
        uuids = [f"6c766d67-bad0-4000-8a10-1{number:011x}" for number in range(1, 5)]
        wait_until("all guests are in the MIB",
                   lambda: set(uuids) <= {uuid.lower() for uuid in
                                          self.snmp.walk("gmGuestUUID").values()}, 15)
        shown = {guest["uuid"]: guest for guest in guests_in(self.daemon.ctl_json("guests"))}
        self.assertIn(HOSTILE["quotes"], str_values(shown[uuids[0]]))
        self.assertIn(HOSTILE["utf8"], str_values(shown[uuids[2]]))
        longest = max(len(value.encode()) for value in str_values(shown[uuids[3]]))
        self.assertLess(longest, 256)
        self.check_text()
        index = self.guest_index(SMALL)
        self.assertEqual(self.snmp.one(f"gmGuestDisplayName.{index}"), f"web-{SMALL}")

    def check_text(self):
        """No name may make lines or control characters of its own on the terminal or in the log."""
        for text in (self.daemon.ctl("guests").stdout, self.daemon.log.read_text("utf-8")):
            for line in text.splitlines():
                self.assertFalse(line.startswith(("second", "= STRING: third")), line)
            self.assertNotIn("\r", text)


def guests_in(value):
    """The objects that have a member "uuid", wherever they are in a JSON value."""
    if isinstance(value, dict):
        if "uuid" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from guests_in(item)


def str_values(value):
    return [item for item in value.values() if isinstance(item, str)]


class WrongStarts(GuestmonTest):
    """Each ends at once, with a sentence that says what to mend, and leaves the running one alone."""

    def start_with(self, *expected, **settings):
        path = self.lab.state / "etc/wrong.yaml"
        pairs = [f"{key.replace('__', '.').replace('_', '-')}={value}"
                 for key, value in settings.items()]
        path.write_text(self.lab.call("config", *pairs).stdout, encoding="utf-8")
        self.refused(path, *expected)

    def refused(self, path, *expected):
        done = self.lab.exec("timeout", "10", self.daemon.daemon, "-f", "-c", path, check=False)
        said = done.stdout + done.stderr
        self.assertNotIn(done.returncode, (0, 124, 139), said)
        for word in expected:
            self.assertIn(word, said)
        self.assertTrue(self.daemon.alive())
        self.assertTrue(self.daemon.serves())

    def test_second_copy(self):
        self.start_with(str(self.lab.state / "guestmon"))

    def test_control_socket_in_use(self):
        other = self.lab.state / "other"
        other.mkdir(exist_ok=True)
        self.start_with(str(self.daemon.socket), state__directory=other)

    def test_unknown_key(self):
        self.start_with("wrong.yaml", "log", "colour", log__colour="red")

    def test_out_of_range(self):
        self.start_with("wrong.yaml", "libvirt.interval", libvirt__interval="1us")

    def test_broken_yaml(self):
        path = self.lab.state / "etc/broken.yaml"
        path.write_text("node:\n  name: [\n", encoding="utf-8")
        self.refused(path, "broken.yaml:2")

    def test_missing_file(self):
        self.refused(self.lab.state / "etc/missing.yaml", "missing.yaml")


class WrongNeighbours(GuestmonTest):
    """A daemon whose Redis, master agent and libvirtd are something else, or nothing: it samples what it
    can and says of each what is wrong. It is a second one, beside the session's."""

    NAME = "lonely"

    def setUp(self):
        super().setUp()
        self.other = self.lab.state / "lonely"
        self.other.mkdir(exist_ok=True)
        self.file = self.other / "file"
        self.file.write_text("not a socket\n", encoding="utf-8")
        self.socket = self.other / "control.sock"

    def tearDown(self):
        for name in (self.NAME, "listener"):
            self.lab.call("kill", name, check=False)

    def start(self, **settings):
        path = self.other / "guestmon.yaml"
        settings = {"state__directory": self.other / "state", "control__socket": self.socket,
                    "snmp__agentx_socket": self.file, "libvirt__uri": "qemu+unix:///system?socket=/nowhere",
                    **settings}
        pairs = [f"{key.replace('__', '.').replace('_', '-')}={value}" for key, value in settings.items()]
        path.write_text(self.lab.call("config", *pairs).stdout, encoding="utf-8")
        self.lab.call("spawn", self.NAME, self.daemon.daemon, "-f", "-c", path)
        wait_until("the control socket answers", lambda: self.status() is not None, 20)

    def status(self):
        done = self.lab.exec(self.daemon.ctl_path, "-s", self.socket, "--json", "status", check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def sources(self):
        return {source["name"]: source for source in self.status()["sources"]}

    def connected(self, name):
        return self.sources().get(name, {}).get("connected", False)

    def samples(self):
        wait_until("the other sources are connected",
                   lambda: self.connected("tap") and self.connected("host"), 10)
        wait_until("libvirt says what is wrong",
                   lambda: "/nowhere" in self.sources().get("libvirt", {}).get("error", ""), 10)
        self.assertFalse(self.connected("libvirt"))
        before = self.status()["samples"]
        wait_until("samples come in", lambda: self.status()["samples"] > before + 100, 5)

    def test_files_in_the_place_of_sockets(self):
        self.start(redis__socket=self.file)
        wait_until("the store says what is wrong",
                   lambda: str(self.file) in self.status()["store"]["state"], 10)
        self.assertFalse(self.status()["store"]["connected"])
        self.assertFalse(self.status()["snmp"]["connected"])
        self.assertTrue(self.status()["snmp"]["error"])
        self.samples()

    def test_a_port_that_somebody_else_has(self):
        """Something listens and takes the connection, but never says a word of Redis."""
        self.lab.call("spawn", "listener", "python3", "-c", LISTENER)
        self.start(redis__socket="", redis__host="127.0.0.1", redis__port=6399)
        wait_until("the store says that nobody answers",
                   lambda: not self.status()["store"]["connected"]
                   and "answer" in self.status()["store"]["state"], 20)
        self.samples()


LISTENER = """
import socket, time
server = socket.create_server(("127.0.0.1", 6399))
held = []
while True:
    held.append(server.accept())
"""

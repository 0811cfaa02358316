# SPDX-License-Identifier: Apache-2.0
"""What happens to one guest, or to libvirtd, is nothing to the others: their cadence before and during.
GM_CHAOS=long makes it last: a minute each, fifty guests for five minutes."""

import contextlib
import os
import pathlib
import signal
import time

from gmtest.case import LARGE, SMALL, GuestmonTest, Session
from gmtest.memory import growth
from gmtest.wait import wait_until

LONG = os.environ.get("GM_CHAOS") == "long"
HOLD = 60 if LONG else 12       # seconds for which something is stopped
CROWD = 50 if LONG else 4       # guests that are there at a time while guests come and go
CROWD_TIME = 300 if LONG else 12
CONNECTIONS = 9  # descriptors of the three workers of the slow lane that were not needed before, at most
PLUGGED = 4                     # the guest that is plugged into and rebooted
PREFIX = "guestmon:{lab}:"
BACK = 40                       # seconds within which all is as before
SLACK = {"tenth": 0.25, "second": 1.5}  # seconds that the longest gap may grow by on a busy machine


def p99(gaps):
    return sorted(gaps)[int(0.99 * (len(gaps) - 1))]


def parent_outside(pid):
    """The nsenter by which a service of the lab was started, or None: it stops when its child does, and
    would stay so."""
    for status in pathlib.Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            lines = dict(line.split(":", 1) for line in status.read_text("utf-8").splitlines())
            ids = lines["NSpid"].split()
            parent = pathlib.Path(f"/proc/{lines['PPid'].strip()}")
            if (len(ids) > 1 and ids[-1] == pid
                    and str(Session.lab.state) in (parent / "cmdline").read_text("utf-8")
                    and (parent / "comm").read_text("utf-8").strip() == "nsenter"):
                return int(parent.name)
    return None


class Chaos(GuestmonTest):

    @classmethod
    def setUpClass(cls):
        """What the cadence is while nothing happens. What lasts long is judged by longer streams than the
        usual 3600 entries, which are some three minutes of a guest: the whole of it must still be in
        Redis at the end."""
        if LONG:
            Session.daemon.stop()
            Session.daemon.configure(burst__port_rate="100M", redis__samples="60000")
            Session.daemon.start()
            wait_until("the guests are known", lambda: Session.daemon.knows(2), 60)
        Session.daemon.settle()
        begin = time.time()
        time.sleep(HOLD / 2 if LONG else 8)
        calm = (begin, time.time())
        # Now: by the end of a test they may be out of Redis.
        cls.calm = {watched[:2]: cls.gaps(*watched[:2], calm) for watched in cls.watched()}

    @classmethod
    def watched(cls):
        """What has a cadence: entity, metric, the cadence, and whether libvirt tells it."""
        other = f"guest:{Session.lab.uuid(LARGE)}"
        return [("node", "cpu.time", "tenth", False),
                (f"if:gmtap{LARGE}", "net.rx.bytes", "tenth", False),
                (other, "memory.resident", "tenth", False),
                (other, "guest.state", "tenth", True),
                (other, "memory.used", "second", True),
                (other, "cpu.time", "second", True)]

    @classmethod
    def gaps(cls, entity, metric, span):
        """Seconds between the samples of a metric in Redis."""
        since, until = span
        reply = Session.lab.redis("XRANGE", PREFIX + entity, int(since * 1000), int(until * 1000))
        times = [int(key.partition("-")[0]) / 1000 for key, fields in reply
                 if metric in fields[::2]]
        times = [since] + times + [until]
        return [b - a for a, b in zip(times, times[1:])]

    def keeps_cadence(self, entity, metric, cadence, during):
        """The p99 gap grew by no more than what a busy machine explains."""
        calm = self.calm[entity, metric]
        self.assertGreater(len(calm), 3, f"{entity} {metric}: no cadence while it was calm")
        before, now = p99(calm), p99(self.gaps(entity, metric, during))
        print(f"    {entity.partition(':')[0]} {metric}: p99 gap {1000 * before:.0f} ms before, "
              f"{1000 * now:.0f} ms during")
        self.assertLessEqual(now, 2 * before + SLACK[cadence], f"{entity} {metric}")

    def others_keep_cadence(self, during, libvirt=True):
        for entity, metric, cadence, by_libvirt in self.watched():
            if libvirt or not by_libvirt:
                self.keeps_cadence(entity, metric, cadence, during)

    def sources(self):
        return {source["name"]: source for source in self.daemon.ctl_json("status")["sources"]}

    def qemu(self, number):
        return self.lab.exec("cat", f"/run/libvirt/qemu/instance-{number:08x}.pid").stdout.strip()

    @contextlib.contextmanager
    def stopped(self, pid):
        parent = parent_outside(pid)
        self.lab.exec("kill", "-STOP", pid)
        try:
            yield
        finally:
            self.lab.exec("kill", "-CONT", pid)
            with contextlib.suppress(ProcessLookupError):
                if parent:
                    os.kill(parent, signal.SIGCONT)

    def memory_is_fresh(self, number):
        """Whether a balloon reading of the last seconds is in Redis."""
        now = time.time()
        return len(self.gaps(f"guest:{self.lab.uuid(number)}", "memory.used",
                             (now - 4, now + 10))) > 1

    def test_1_qemu_stopped(self):
        mark = self.traps.mark()
        begin = time.time()
        with self.stopped(self.qemu(SMALL)):
            time.sleep(HOLD)
            during = (begin, time.time())
            complaint = self.sources()["libvirt-slow"]["error"]
        self.assertIn(f"instance-{SMALL:08x}", complaint)
        self.assertNotIn(f"instance-{LARGE:08x}", complaint)
        self.others_keep_cadence(during)
        wait_until("its monitor is heard again", lambda: self.memory_is_fresh(SMALL), BACK)
        wait_until("nobody is complained of",
                   lambda: self.sources()["libvirt-slow"]["error"] == "", BACK)
        self.assertFalse(self.traps.since(mark, "guestmonLeak"))

    def test_2_libvirtd_stopped(self):
        pid = (self.lab.state / "run/libvirtd.pid").read_text(encoding="ascii").strip()
        begin = time.time()
        with self.stopped(pid):
            while time.time() < begin + HOLD:
                asked = time.time()
                self.assertIsNotNone(self.snmp.one("gmAgentStarted.0"))
                self.assertLess(time.time() - asked, 5, "an answer of the subagent")
                time.sleep(1)
            during = (begin, time.time())
        self.others_keep_cadence(during, libvirt=False)
        wait_until("libvirt's sources are back", lambda: all(
            self.sources()[name]["connected"] for name in ("libvirt", "libvirt-slow")), BACK)
        wait_until("memory of the guests is fresh again",
                   lambda: self.memory_is_fresh(SMALL) and self.memory_is_fresh(LARGE), BACK)

    def threads(self):
        pid = (self.lab.state / "run/guestmond.pid").read_text(encoding="ascii").strip()
        return len(self.lab.exec("ls", f"/proc/{pid}/task").stdout.split())

    def reload_with(self, line):
        """Reloads with a line more in the section of libvirt; seconds that the answer took."""
        path = self.daemon.config
        text = path.read_text("utf-8")
        self.assertIn("libvirt:\n", text)
        path.write_text(text.replace("libvirt:\n", f"libvirt:\n  {line}\n", 1), "utf-8")
        begin = time.time()
        try:
            self.daemon.ctl("reload")
        finally:
            path.write_text(text, "utf-8")
        return time.time() - begin

    def test_2_reload_while_libvirtd_is_stopped(self):
        """Lanes that hang are left behind: the loop goes on, and nothing of theirs stays."""
        threads = self.threads()
        pid = (self.lab.state / "run/libvirtd.pid").read_text(encoding="ascii").strip()
        begin = time.time()
        with self.stopped(pid):
            time.sleep(1.5)  # all of them hang
            took = self.reload_with("fresh-time: 31s")
            hanging = self.threads()
            while time.time() < begin + 6:
                asked = time.time()
                self.daemon.ctl("status")
                self.assertLess(time.time() - asked, 3, "the loop")
            during = (begin, time.time())
        print(f"    reloaded in {1000 * took:.0f} ms; threads {threads} to {hanging}")
        self.assertLess(took, 3)
        self.others_keep_cadence(during, libvirt=False)
        wait_until("libvirt's sources are back", lambda: all(
            self.sources()[name]["connected"] for name in ("libvirt", "libvirt-slow")), BACK)
        wait_until("no thread is left", lambda: self.threads() <= threads, BACK)
        self.reload_with("# as it was")
        wait_until("memory of the guests is fresh again",
                   lambda: self.memory_is_fresh(SMALL) and self.memory_is_fresh(LARGE), BACK)

    def footprint(self):
        """Open descriptors and resident bytes of the daemon, and rows of the guest table."""
        pid = (self.lab.state / "run/guestmond.pid").read_text(encoding="ascii").strip()
        descriptors = self.lab.exec("sh", "-c", f"ls /proc/{pid}/fd | wc -l").stdout
        pages = self.lab.exec("cat", f"/proc/{pid}/statm").stdout.split()[1]
        return int(descriptors), int(pages) * 4096, len(self.snmp.walk("gmGuestUUID"))

    def light_guest(self, number):
        """A domain without a system in it, that never runs."""
        path = pathlib.Path(self.lab.state) / f"guests/light-{number}.xml"
        path.write_text(f"""<domain type='qemu'><name>light-{number}</name>
            <uuid>11187700-0000-4000-8000-1{number:011x}</uuid>
            <memory unit='MiB'>16</memory><vcpu>1</vcpu><os><type arch='x86_64'>hvm</type></os>
            <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
            <interface type='bridge'><source bridge='gmlab0'/><target dev='gmlight{number}'/>
            </interface><memballoon model='virtio'/></devices></domain>""", encoding="ascii")
        return path

    def come_and_go(self, seconds):
        """Guests started and destroyed, CROWD at a time; how many there were."""
        paths = [self.light_guest(number) for number in range(CROWD)]
        begin, rounds = time.time(), 0
        while rounds == 0 or time.time() < begin + seconds:
            for path in paths:
                self.virsh_quick("create", "--paused", path)
            for number in range(CROWD):
                self.virsh_quick("destroy", f"light-{number}")
            rounds += 1
        return rounds * CROWD

    def virsh_quick(self, *command):
        self.lab.exec("virsh", "-q", *command, timeout=180)

    def test_3_guests_come_and_go(self):
        def gone():
            return self.footprint()[2] == rows

        rows = self.footprint()[2]
        self.come_and_go(0)  # what is made once and kept
        wait_until("the guests of the first round are gone", gone, BACK)
        before = self.footprint()
        begin = time.time()
        count = self.come_and_go(CROWD_TIME)
        during = (begin, time.time())
        self.others_keep_cadence(during)
        wait_until("all of them are gone", gone, BACK)
        wait_until("no descriptor is left", lambda: self.footprint()[0] <= before[0] + CONNECTIONS, BACK)
        after = self.footprint()
        print(f"    {count} guests: descriptors {before[0]} to {after[0]}, "
              f"resident {before[1] >> 20} to {after[1] >> 20} MiB")
        self.assertLess(after[1] - before[1],
                        growth(self.daemon.daemon, (16 << 20) + before[1] // 4), "memory")

    def log_has(self, text, since):
        return text in self.daemon.log.read_text("utf-8", "replace")[since:]

    def interfaces(self):
        return set(self.snmp.walk("gmInterfaceDevice").values())

    def faults(self):
        """What libvirt has told of guests and is still so."""
        return {alarm["metric"]: alarm for alarm in self.daemon.ctl_json("alarms")["alarms"]
                if alarm["detector"] == "event"}

    def disk_is_full(self, domain):
        """A disk that is larger than the file system it is on: the guest stops, an alarm says so
        until it is resumed."""
        folder = pathlib.Path(self.lab.state) / "guests/full"
        self.lab.exec("mkdir", "-p", folder)
        self.lab.exec("mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "full", folder)
        self.lab.exec("truncate", "-s", "8M", folder / "disk")
        path = pathlib.Path(self.lab.state) / "guests/full.xml"
        path.write_text(f"""<disk type='file' device='disk'>
            <driver name='qemu' type='raw' error_policy='stop'/>
            <source file='{folder}/disk'/><target dev='vdb' bus='virtio'/></disk>""", "ascii")
        self.virsh_quick("attach-device", domain, path, "--live")
        self.lab.guest_background(PLUGGED, "sh -c 'while ! [ -b /dev/vda ]; do sleep 1; done; "
                                           "dd if=/dev/zero of=/dev/vda bs=64k count=64'")
        wait_until("the fault is an alarm", lambda: "guestDiskError" in self.faults(), 3 * BACK)
        fault = self.faults()["guestDiskError"]
        print(f"    {fault['text']}")
        self.assertIn("enospc", fault["text"])
        self.assertEqual(fault["severity"], "major")
        self.assertEqual(self.lab.virsh("domstate", domain).strip(), "paused")
        self.lab.exec("mount", "-o", "remount,size=16m", folder)
        self.virsh_quick("resume", domain)
        wait_until("it is over", lambda: not self.faults(), BACK)

    def test_4_hotplug_and_reboot(self):
        mark = self.traps.mark()
        since = len(self.daemon.log.read_text("utf-8", "replace"))
        os.environ["LAB_HOTPLUG"] = "yes"
        self.addCleanup(os.environ.pop, "LAB_HOTPLUG")
        self.lab.guest_start(PLUGGED, 128)
        self.addCleanup(self.lab.call, "guest-stop", PLUGGED, check=False)
        domain = f"instance-{PLUGGED:08x}"
        wait_until("its port is known", lambda: f"gmtap{PLUGGED}" in self.interfaces(), BACK)
        self.virsh_quick("attach-interface", domain, "bridge", "gmlab0", "--target", "gmplug",
                         "--model", "virtio", "--mac", "52:54:00:77:01:04", "--live")
        wait_until("the plugged port is the guest's", lambda: "gmplug" in self.interfaces(), BACK)
        wait_until("the event is told", lambda: self.log_has("device added", since), BACK)
        self.virsh_quick("detach-interface", domain, "bridge", "--mac", "52:54:00:77:01:04",
                         "--live")
        wait_until("it is gone again", lambda: "gmplug" not in self.interfaces(), BACK)
        wait_until("that event, too", lambda: self.log_has("device removed", since), BACK)
        self.disk_is_full(domain)
        index = self.guest_index(PLUGGED)
        self.virsh_quick("reset", domain)
        wait_until("the reboot is told", lambda: self.log_has("rebooted", since), BACK)
        self.assertEqual(self.guest_index(PLUGGED), index)
        self.assertFalse(self.traps.since(mark, "guestmonLeak"))
        self.assertIn(f"gmtap{LARGE}", self.interfaces())
        self.lab.exec("kill", "-KILL", self.qemu(PLUGGED))
        wait_until("its death is told", lambda: "guestCrashed" in self.daemon.ctl(
            "--json", "alarms", "--log").stdout, BACK)
        wait_until("it is gone", lambda: f"gmtap{PLUGGED}" not in self.interfaces(), BACK)
        self.assertIn(f"web-{PLUGGED}", self.snmp.walk("gmAlarmGuestName").values())
        self.lab.guest_start(PLUGGED, 128)
        wait_until("it runs: that is over", lambda: not self.snmp.walk("gmAlarmGuestName"), BACK)

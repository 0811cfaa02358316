# SPDX-License-Identifier: Apache-2.0
"""VM-MIB, and the devices of GUESTMON-MIB, through a real snmpd: what they say is what virsh says."""

import re
import time

from gmtest.case import DISKS, LARGE, LINK_BPS, MEMORY, SMALL, GuestmonTest
from gmtest.wait import wait_until

FIRST_CPU = 196608  # hrDeviceIndex of the node's first CPU


class Machines(GuestmonTest):
    """What virsh says of the guests."""

    def virsh(self, command, number):
        return self.lab.virsh(command, f"instance-{number:08x}")

    def stats(self, number):
        pairs = (line.strip().split("=", 1)
                 for line in self.virsh("domstats", number).splitlines() if "=" in line)
        return {name: value.strip("'") for name, value in pairs}


class VirtualMachines(Machines):

    def vm(self, *names):
        return self.snmp.get(*[f"VM-MIB::{name}" for name in names])

    def one(self, name):
        return next(iter(self.vm(name).values()), None)

    def number(self, name):
        value = self.one(name)
        self.assertIsNotNone(value, f"{name} is absent")
        return int(value.split()[0])

    def dominfo(self, number):
        pairs = (line.split(":", 1) for line in self.virsh("dominfo", number).splitlines()
                 if ":" in line)
        return {name.strip(): value.strip() for name, value in pairs}

    def test_hypervisor(self):
        version = self.lab.virsh("version")
        name, number = re.search(r"Running hypervisor: (\S+) (\S+)", version).groups()
        self.assertEqual(self.one("vmHvSoftware.0"), name)
        self.assertEqual(self.one("vmHvVersion.0"), number)
        self.assertEqual(self.number("vmNumber.0"), 2)
        with open("/proc/uptime", encoding="ascii") as file:
            up = float(file.read().split()[0])
        ticks = self.lab.exec("snmpget", "-v2c", "-c", "public", "-OQvt", self.snmp.AGENT,
                              "VM-MIB::vmHvUpTime.0").stdout
        self.assertLess(abs(int(ticks) / 100 - up), 60)

    def test_machines_are_what_virsh_says(self):
        for number in (SMALL, LARGE):
            index, info = self.guest_index(number), self.dominfo(number)
            row = {name.partition(".")[0]: value for name, value in self.vm(
                *[f"vm{column}.{index}" for column in (
                    "Name", "AdminState", "OperState", "AutoStart", "Persistent", "CurCpuNumber",
                    "MaxCpuNumber", "MinMem", "MemUnit")]).items()}
            self.assertEqual(row, {
                "vmName": info["Name"], "vmAdminState": "running", "vmOperState": info["State"],
                "vmAutoStart": {"disable": "disabled", "enable": "enabled"}[info["Autostart"]],
                "vmPersistent": {"yes": "persistent", "no": "transient"}[info["Persistent"]],
                "vmCurCpuNumber": info["CPU(s)"], "vmMaxCpuNumber": info["CPU(s)"],
                "vmMinMem": "-1", "vmMemUnit": "1024"})
            self.assertEqual(self.number(f"vmMaxMem.{index}"), int(info["Max memory"].split()[0]))
            self.assertEqual(self.number(f"vmCurMem.{index}"), int(info["Used memory"].split()[0]))
            self.assertEqual(self.number(f"vmMaxMem.{index}"), MEMORY[number] << 10)
            uuid = self.one(f"vmUUID.{index}").lower()
            self.assertEqual(uuid, self.lab.uuid(number))

    def test_times_lie_between_two_answers_of_virsh(self):
        index = self.guest_index(SMALL)
        names = [f"vmCpuTime.{index}", f"vmCpuCoreTime.{index}.1"]
        before = self.stats(SMALL)
        time.sleep(3)  # the slow lane has its second
        seen = [int(value.split()[0]) for value in self.vm(*names).values()]
        time.sleep(1)
        after = self.stats(SMALL)
        for value, name in zip(seen, ("cpu.time", "vcpu.0.time")):
            self.assertTrue(int(before[name]) // 1000 <= value <= int(after[name]) // 1000,
                            f"{name}: {before[name]} {value} {after[name]}")

    def test_uptime_is_the_process_age(self):
        index = self.guest_index(LARGE)
        ages = self.lab.exec("ps", "-eo", "etimes=,args=").stdout
        age = next(int(line.split()[0]) for line in ages.splitlines()
                   if "qemu-system" in line and self.lab.uuid(LARGE) in line)
        ticks = self.lab.exec("snmpget", "-v2c", "-c", "public", "-OQvt", self.snmp.AGENT,
                              f"VM-MIB::vmUpTime.{index}").stdout
        self.assertLess(abs(int(ticks) / 100 - age), 5)

    def test_affinity_is_vcpupin(self):
        index = self.guest_index(SMALL)

        def walked():
            rows = self.snmp.walk(f"VM-MIB::vmCpuAffinity.{index}.1")
            return {int(name.rpartition(".")[2]) - FIRST_CPU: value for name, value in rows.items()}

        def told():
            text = self.virsh("vcpupin", SMALL).split()[-1]
            cpus = set()
            for part in text.split(","):
                first, _, last = part.partition("-")
                cpus |= set(range(int(first), int(last or first) + 1))
            return cpus
        wait_until("the affinity is shown", walked, 30)
        rows = walked()
        self.assertEqual({cpu for cpu, value in rows.items() if value == "enable"}, told())
        self.assertEqual(sorted(rows), list(range(len(rows))))
        self.lab.exec("virsh", "-q", "vcpupin", f"instance-{SMALL:08x}", "0", "0")
        try:
            wait_until("another affinity is shown", lambda: {
                cpu for cpu, value in walked().items() if value == "enable"} == {0}, 40)
            self.assertEqual(told(), {0})
        finally:
            self.lab.exec("virsh", "-q", "vcpupin", f"instance-{SMALL:08x}", "0",
                          f"0-{len(rows) - 1}")

    def test_networks(self):
        index = self.guest_index(SMALL)
        listed = self.virsh("domiflist", SMALL).split()
        device, model, mac = listed[0], listed[3], listed[4]
        link = self.lab.exec("ip", "-o", "link", "show", device).stdout
        row = {name.partition(".")[0]: value for name, value in self.vm(
            *[f"vmNetwork{column}.{index}.1" for column in ("IfIndex", "Parent", "Model",
                                                            "PhysAddress")]).items()}
        self.assertEqual(row["vmNetworkIfIndex"], link.split(":")[0])
        self.assertEqual(row["vmNetworkModel"], model)
        self.assertEqual([int(part, 16) for part in row["vmNetworkPhysAddress"].split(":")],
                         [int(part, 16) for part in mac.split(":")])
        bridge = re.search(r"master (\S+)", link)
        parent = self.lab.exec("ip", "-o", "link", "show", bridge.group(1)).stdout.split(":")[0] \
            if bridge else "0"
        self.assertEqual(row["vmNetworkParent"], parent)

    def test_disks(self):
        """A row for each of virsh's; its figures are domstats'."""
        for number in (SMALL, LARGE):
            index, stats = self.guest_index(number), self.stats(number)
            rows = self.snmp.walk(f"VM-MIB::vmStorageResourceID.{index}")
            self.assertEqual(len(rows), int(stats.get("block.count", 0)))
            self.assertEqual(len(rows), len(DISKS.get(number, [])))
            for place in range(len(rows)):
                self.assertEqual(self.one(f"vmStorageResourceID.{index}.{place + 1}"),
                                 stats.get(f"block.{place}.path", ""))
                unit = self.number(f"vmStorageSizeUnit.{index}.{place + 1}")
                self.assertEqual(self.number(f"vmStorageDefinedSize.{index}.{place + 1}") * unit,
                                 int(stats[f"block.{place}.capacity"]))

    def test_walk_is_whole(self):
        """Every table, in order, every name translated."""
        lines = self.lab.exec("snmpbulkwalk", "-v2c", "-c", "public", "-OQ", self.snmp.AGENT,
                              "VM-MIB::vmMIB").stdout.splitlines()
        self.assertTrue(all(line.startswith("VM-MIB::vm") for line in lines), lines[:3])
        for name in ("vmHvSoftware", "vmTableLastChange", "vmName", "vmCpuCoreTime", "vmCpuAffinity",
                     "vmNetworkIfIndex", "vmPerVMNotificationsEnabled"):
            self.assertTrue(any(f"::{name}." in line for line in lines), name)


class Devices(Machines):
    """gmDiskTable, gmVcpuTable and the peaks of gmInterfaceTable."""

    # Column: the name in domstats, and how many of its units one of the column's is.
    DISK = {"ReadOctets": ("rd.bytes", 1), "ReadRequests": ("rd.reqs", 1), "ReadTime": ("rd.times", 1000),
            "WrittenOctets": ("wr.bytes", 1), "WriteRequests": ("wr.reqs", 1), "WriteTime": ("wr.times", 1000),
            "FlushRequests": ("fl.reqs", 1), "FlushTime": ("fl.times", 1000), "Capacity": ("capacity", 1),
            "Allocation": ("allocation", 1), "Physical": ("physical", 1)}
    VCPU = {"Time": "time", "Wait": "wait", "Steal": "delay"}

    def row(self, table, index, columns):
        names = [f"{table}{column}.{index}" for column in columns]
        return {name.partition(".")[0].removeprefix(table): value
                for name, value in self.snmp.get(*names).items()}

    def numbers(self, table, index, columns):
        return {name: int(value.split()[0]) for name, value in self.row(table, index, columns).items()}

    def test_disks_are_domstats(self):
        index = f"{self.guest_index(LARGE)}.1"
        self.assertEqual(len(self.snmp.walk("gmDiskTarget")), 1)
        self.assertEqual(self.snmp.one(f"gmDiskTarget.{index}"), "vda")
        # A latency is what came between two readings: one by this daemon, before there is anything.
        wait_until("it was read before", lambda: next(
            source["ticks"] for source in self.daemon.ctl_json("status")["sources"]
            if source["name"] == "libvirt-slow") >= 2, 20)
        before = self.snmp.number(f"gmDiskWrittenOctets.{index}")
        self.lab.guest(LARGE, "dd if=/dev/zero of=/dev/vda bs=256k count=24 conv=fsync 2>/dev/null; "
                              "echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/vda of=/dev/null bs=64k count=64 2>/dev/null")

        def told():
            stats = self.stats(LARGE)
            return {name: int(stats[f"block.0.{theirs}"]) // unit
                    for name, (theirs, unit) in self.DISK.items()}
        wait_until("all of it is shown", lambda: self.numbers("gmDisk", index, self.DISK) == told(), 20)
        self.assertGreaterEqual(self.snmp.number(f"gmDiskWrittenOctets.{index}") - before, 6 << 20)
        self.assertGreaterEqual(told()["ReadOctets"], 4 << 20)
        self.assertGreater(told()["FlushRequests"], 0)

        # A latency is of the requests that there were: it ages while there are none; the counters do not.
        ages = ("Age", "SizeAge", "ReadLatency", "ReadLatencyAge", "WriteLatency", "WriteLatencyAge")
        first = self.numbers("gmDisk", index, ages)
        self.assertGreater(first["WriteLatency"], 0)
        time.sleep(3)
        second = self.numbers("gmDisk", index, ages)
        self.assertEqual(second["ReadLatency"], first["ReadLatency"])
        self.assertGreaterEqual(second["ReadLatencyAge"], first["ReadLatencyAge"] + 2500)
        self.assertLess(second["Age"], second["WriteLatencyAge"])
        self.assertEqual(self.row("gmDisk", index, ("ReadRate", "WriteRate", "Errors", "LastError")),
                         {"ReadRate": "0", "WriteRate": "0", "Errors": "0"})

    def test_vcpus_are_domstats(self):
        self.assertEqual(len(self.snmp.walk("gmVcpuTime")), len(MEMORY))
        index = f"{self.guest_index(SMALL)}.1"
        before = self.stats(SMALL)
        wait_until("the vCPU is told again", lambda: self.lab.guest(SMALL, "true") or self.numbers(
            "gmVcpu", index, self.VCPU)["Time"] > int(before["vcpu.0.time"]) // 1000, 30)
        seen = self.numbers("gmVcpu", index, self.VCPU)
        time.sleep(1)
        after = self.stats(SMALL)
        self.assertEqual(set(seen), {name for name, theirs in self.VCPU.items()
                                     if f"vcpu.0.{theirs}" in after})
        for name, value in seen.items():
            low, high = (int(stats[f"vcpu.0.{self.VCPU[name]}"]) // 1000 for stats in (before, after))
            self.assertTrue(low <= value <= high, f"{name}: {low} {value} {high}")
        self.assertIn("State", self.row("gmVcpu", index, ["State"]))
        self.assertLess(self.snmp.number(f"gmVcpuAge.{index}"), 15000)

    def test_peaks_of_the_last_minute(self):
        """Half a second of traffic, too little for an alarm: gone from the rates at once, a minute's peak long after."""
        index = f"{self.guest_index(SMALL)}.1"
        columns = ("RxPeak", "RxPeakMinute", "RxPeakMinuteAge", "RxFinePeakMinute", "RxFinePeakMinuteAge",
                   "TxPeakMinute", "TxFinePeakMinute")
        truth = self.lab.burst(SMALL, 500, 5)
        time.sleep(4)
        row = self.numbers("gmInterface", index, columns)
        since = (time.time() - truth["start"]) * 1000
        self.assertEqual(set(row), set(columns))
        # A sender that was held up catches up: at most the whole of it is in one bin.
        whole = truth["bytes"] * 8 / 0.095
        self.assertTrue(truth["bps"] / 2 <= row["RxPeakMinute"] <= whole * 1.1, f"{row} {truth}")
        self.assertGreaterEqual(row["RxFinePeakMinute"], row["RxPeakMinute"] * 0.9)
        self.assertTrue(2000 <= row["RxPeakMinuteAge"] <= since, f"{row} {since}")
        self.assertTrue(2000 <= row["RxFinePeakMinuteAge"] <= since, f"{row} {since}")
        self.assertLess(row["RxPeak"], row["RxPeakMinute"] / 2)


class Changes(GuestmonTest):
    """Notifications when a machine is paused and goes on; off unless the configuration asks for them."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self.restart)

    def restart(self, **settings):
        self.daemon.stop()
        self.daemon.configure(burst__port_rate=f"{LINK_BPS / 1e6:.0f}M", **settings)
        self.daemon.start()
        wait_until("the guests are known", lambda: self.daemon.knows(len(MEMORY)), 30)

    def told(self, since):
        """Name, state before, and which machine, of VM-MIB's notifications, and the bulk ones' names."""
        traps = [trap for trap in self.traps.all()[since:] if trap.name.startswith("vm")]
        return ([(trap.name, trap.label("vmOperState"), trap.text("vmName"))
                 for trap in traps if "vmOperState" in trap.values],
                [trap.name for trap in traps if "vmAffectedVMs" in trap.values])

    def test_paused_and_running(self):
        name = f"instance-{SMALL:08x}"
        since = len(self.traps.all())
        self.restart(snmp__vm_notifications="yes", snmp__vm_bulk_notifications="yes")
        time.sleep(1)  # a change is told of whom an earlier picture showed otherwise
        self.assertEqual(self.told(since), ([], []), "guests that ran before the daemon")
        self.lab.exec("virsh", "-q", "suspend", name)
        try:
            wait_until("the pause is told", lambda: self.told(since)[1] == ["vmBulkPaused"], 15)
        finally:
            self.lab.exec("virsh", "-q", "resume", name)
        wait_until("so is its end",
                   lambda: self.told(since)[1] == ["vmBulkPaused", "vmBulkRunning"], 15)
        self.assertEqual(self.told(since)[0], [("vmPaused", "running", name),
                                               ("vmRunning", "paused", name)])

# SPDX-License-Identifier: Apache-2.0
"""A site that has collectd: what its snmp plugin reads of VM-MIB through snmpd is what its virt plugin reads
of libvirt, and what virsh says."""

import re
import shutil

from gmtest.case import LARGE, SMALL, GuestmonTest
from gmtest.wait import wait_until

CONFIGURATION = """FQDNLookup false
Hostname lab
Interval 1
BaseDir "{folder}"
PIDFile "{folder}/pid"
LoadPlugin csv
LoadPlugin virt
LoadPlugin snmp
<Plugin csv>
  DataDir "{folder}"
  StoreRates false
</Plugin>
<Plugin virt>
  Connection "qemu:///system"
  HostnameFormat name
</Plugin>
<Plugin snmp>
  <Data "memory">
    Type "memory"
    Table true
    TypeInstanceOID ".1.3.6.1.2.1.236.1.4.1.2"
    Values ".1.3.6.1.2.1.236.1.4.1.13"
    Scale 1024
  </Data>
  <Data "cpu">
    Type "virt_cpu_total"
    Table true
    TypeInstanceOID ".1.3.6.1.2.1.236.1.4.1.2"
    Values ".1.3.6.1.2.1.236.1.4.1.17"
  </Data>
  <Host "lab">
    Address "{agent}"
    Version 2
    Community "public"
    Collect "memory" "cpu"
  </Host>
</Plugin>
"""


class Collectd(GuestmonTest):

    def setUp(self):
        super().setUp()
        self.program = shutil.which("collectd", path="/usr/sbin:/usr/bin")
        if not self.program:
            self.skipTest("collectd is not installed")
        self.folder = self.lab.state / "collectd"
        self.folder.mkdir(exist_ok=True)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        path = self.folder / "collectd.conf"
        path.write_text(CONFIGURATION.format(folder=self.folder, agent=self.snmp.AGENT), "ascii")
        self.lab.call("spawn", "collectd", self.program, "-f", "-C", path)
        self.addCleanup(self.lab.call, "stop", "collectd")

    def series(self, pattern):
        """Times and values, in order, of the files whose names begin so."""
        lines = [line for path in sorted(self.folder.glob(pattern + "-[0-9]*"))
                 for line in path.read_text("ascii").splitlines() if line[:1].isdigit()]
        return [tuple(map(float, line.split(",")[:2])) for line in lines]

    def between(self, name):
        """What snmp read of a guest's CPU, between what virt read well before and well after it."""
        known = self.series(f"{name}/virt/virt_cpu_total")
        for moment, value in self.series(f"lab/snmp/virt_cpu_total-{name}"):
            before = [cpu for time, cpu in known if time < moment - 3]
            after = [cpu for time, cpu in known if time > moment + 1.5]
            if before and after:
                yield before[-1] // 1000, value, after[0] // 1000 + 1

    def test_snmp_and_virt_tell_the_same(self):
        for number in (SMALL, LARGE):
            name = f"instance-{number:08x}"
            wait_until(f"both know {name}", lambda: list(self.between(name)), 60)
            info = self.lab.virsh("dominfo", name)
            kib = int(re.search(r"Used memory:\s+(\d+) KiB", info).group(1))
            for series in (f"lab/snmp/memory-{name}", f"{name}/virt/memory-total"):
                self.assertEqual({value for _, value in self.series(series)}, {kib * 1024}, series)
            for before, value, after in self.between(name):
                self.assertTrue(before <= value <= after, f"{name}: {before} µs, {value} µs, {after} µs")

# SPDX-License-Identifier: Apache-2.0
"""Guests by the hundred in a lab: a quarter paused machines (monitor, balloon, taps), else containers with
an snmpd each; and libvirt's test driver where the number alone matters."""

INVENTORY = """<domain type='test'><name>inventory-{number}</name>
<uuid>6c766d67-1f00-4000-8a40-1{number:011x}</uuid><memory unit='MiB'>16</memory><vcpu>1</vcpu>
<metadata><nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'>
<nova:name>stock-{number}</nova:name><nova:owner><nova:project uuid='p{project}'>tenant-{project}</nova:project>
</nova:owner></nova:instance></metadata><os><type>hvm</type></os></domain>"""


class Crowd:
    def __init__(self, lab):
        self.lab = lab
        self.machines = self.containers = 0

    def grow(self, machines, containers):
        """To so many of each, at least."""
        if machines > self.machines:
            self.lab.call("crowd", "machine", self.machines, machines - 1, timeout=600)
            self.machines = machines
        if containers > self.containers:
            self.lab.call("crowd", "container", self.containers, containers - 1, timeout=600)
            self.containers = containers

    def grow_to(self, guests):
        machines = (guests + 3) // 4
        self.grow(machines, guests - machines)

    @property
    def guests(self):
        return self.machines + self.containers

    def inventory_uri(self, count):
        path = self.lab.state / f"guests/inventory-{count}.xml"
        path.write_text("<node>" + "".join(INVENTORY.format(number=number, project=number % 20)
                                           for number in range(count)) + "</node>", "ascii")
        return f"test://{path}"

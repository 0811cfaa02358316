# SPDX-License-Identifier: Apache-2.0
"""collectd (Debian's collectd-core 5.12) on the lab's guests: virt, interface and memory at 0.1 s into the
lab's Redis (by TCP: it has nothing else), as its users run it."""

import time

from gmtest.wait import wait_until
from meter import DAEMON_CPU, set_values, stored_values

SERVICES = ["collectd", "redis", "libvirtd"]
CONFIG = """Hostname "lab"
FQDNLookup false
BaseDir "{state}/collectd"
PIDFile "{state}/run/collectd.self"
TypesDB "/usr/share/collectd/types.db"
PluginDir "/usr/lib/collectd"
Interval 0.1
CollectInternalStats false
LoadPlugin logfile
<Plugin logfile>
  LogLevel info
  File "{state}/log/collectd-plugins.log"
</Plugin>
LoadPlugin virt
<Plugin virt>
  Connection "qemu:///system"
  RefreshInterval 60
  HostnameFormat uuid
  InterfaceFormat name
</Plugin>
LoadPlugin interface
LoadPlugin memory
LoadPlugin write_redis
<Plugin write_redis>
  <Node "lab">
    Host "127.0.0.1"
    Port "6379"
    Timeout 1000
  </Node>
</Plugin>
"""


class Collectd:
    def __init__(self, lab, meter):
        self.lab, self.meter = lab, meter

    def start(self):
        config = self.lab.state / "etc/collectd.conf"
        (self.lab.state / "collectd").mkdir(exist_ok=True)
        config.write_text(CONFIG.format(state=self.lab.state), "ascii")
        self.lab.call("spawn", "collectd", "collectd", "-f", "-C", config)
        self.meter.pin(["collectd"], DAEMON_CPU)

    def run(self, seconds, redis):
        """Prints its line; CPU seconds of it and Redis per 1,000 values stored."""
        self.start()
        wait_until("collectd stores", redis.dbsize, 30)
        time.sleep(seconds / 2)
        begin = self.meter.read(SERVICES)
        time.sleep(seconds)
        end = self.meter.read(SERVICES)
        memory = self.meter.resident("collectd")
        time.sleep(1)
        count = stored_values(redis, "collectd/*", b"zset", set_values)
        values = count(begin["time"], end["time"])
        newest = max(redis.zrange(key, -1, -1, withscores=True)[0][1]
                     for key in redis.scan_iter("collectd/*", count=1000)
                     if redis.type(key) == b"zset")
        age = time.time() - newest
        self.lab.call("stop", "collectd")
        spent = sum(end[name] - begin[name] for name in ("collectd", "redis"))
        share = {name: self.meter.share(begin, end, name) for name in SERVICES}
        print(f"collectd {share['collectd']:.1f} % of a core, {memory / 2 ** 20:.1f} MiB, redis "
              f"{share['redis']:.1f} %, libvirtd {share['libvirtd']:.1f} %, "
              f"{1e3 * values / (end['time'] - begin['time']):.0f} values/s, newest {age:.1f} s old",
              flush=True)
        return 1e3 * spent / max(values, 1)

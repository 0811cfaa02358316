# SPDX-License-Identifier: Apache-2.0
"""What a run has cost: CPU and memory of services in the lab, values stored in Redis, ticks of sources."""

import os
import time

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
DAEMON_CPU, REST_CPU = 0, 1  # the agent and Redis on one core, all else on the other


def stream_values(redis, key, begin, end):
    """Values of a stream's entries between two times in ms: a field each, all metrics of a tick."""
    return sum(len(fields) for _, fields in redis.xrange(key, int(begin), int(end)))


def set_values(redis, key, begin, end):
    """The same of collectd's sorted set: members are TIME:VALUE[:VALUE], scores seconds."""
    return sum(member.count(b":")
               for member in redis.zrangebyscore(key, begin / 1e3, end / 1e3))


def stored_values(redis, pattern, kind, count):
    """A function of two times in ms: how many values lie between them under all keys of the pattern."""
    keys = [key for key in redis.scan_iter(pattern, count=1000) if redis.type(key) == kind]
    return lambda begin, end: sum(count(redis, key, begin, end) for key in keys)


def rates(redis, pattern, metric, begin, end):
    """How often a second each stream of that pattern has the metric between two times in ms, ascending."""
    seconds = (end - begin) / 1e3
    return sorted(sum(metric in fields for _, fields in redis.xrange(key, int(begin), int(end))) / seconds
                  for key in redis.scan_iter(pattern, count=1000) if redis.type(key) == b"stream")


def missed_part(before, after, name=""):
    """Percent of the ticks that sources whose name begins so have missed."""
    old = {source["name"]: source for source in before}
    ticks = missed = 0
    for source in after:
        if source["name"].startswith(name) and source["name"] in old:
            ticks += source["ticks"] - old[source["name"]]["ticks"]
            missed += source["missed"] - old[source["name"]]["missed"]
    return 100 * missed / max(ticks + missed, 1)


class Meter:
    """Seconds of CPU that services in the lab use between two readings."""

    def __init__(self, lab):
        self.lab = lab

    def pid(self, service):
        return (self.lab.state / f"run/{service}.pid").read_text("ascii").strip()

    def pin(self, services, cpu):
        for service in services:
            self.lab.exec("taskset", "-a", "-c", "-p", str(cpu), self.pid(service))

    def cpu(self, service):
        stat = self.lab.exec("cat", f"/proc/{self.pid(service)}/stat").stdout
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def resident(self, service):
        return int(self.lab.exec("cat", f"/proc/{self.pid(service)}/statm").stdout.split()[1]) * PAGE

    def read(self, services):
        return {"time": time.time() * 1e3, **{service: self.cpu(service) for service in services}}

    @staticmethod
    def share(before, after, service):
        """Percent of a core."""
        return 1e5 * (after[service] - before[service]) / (after["time"] - before["time"])

# SPDX-License-Identifier: Apache-2.0
"""Two hundred snmpd of version 3 are found while others are asked ten times a second: how regular those
requests are before and meanwhile, seen on the wire."""

import time

from gmtest.wait import wait_until

ASKED, FOUND = 100, 200
CONFIG = """agentaddress udp:{address}:161
rocommunity public
createUser mon SHA-256 authpass1234 AES privpass1234
rouser mon priv
"""
UUID = "6c766d67-1f00-4000-8a5{kind}-1{number:011x}"


def address(number):
    return f"127.2.{number // 250}.{number % 250 + 1}"


def gaps(packets, version):
    """Seconds between the requests to one target, of all targets; `packets`: time, target, version."""
    last, found = {}, []
    for when, target, spoken in packets:
        if spoken == version:
            if target in last:
                found.append(when - last[target])
            last[target] = when
    return sorted(found)


def percentile(values, part):
    return values[int(part * (len(values) - 1))]


class Discovery:
    def __init__(self, lab, daemon):
        self.lab, self.daemon = lab, daemon
        self.targets = lab.state / "etc/snmp-targets"

    def start_agents(self):
        for number in range(FOUND):
            folder = self.lab.state / f"snmp/{number}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "snmpd.conf").write_text(CONFIG.format(address=address(number)), "ascii")
        self.lab.exec("sh", "-c", 'for n in $(seq 0 "$0"); do SNMP_PERSISTENT_DIR="$1/$n" snmpd '
                      '-Lf /dev/null -C -c "$1/$n/snmpd.conf" -p "$1/$n/pid"; done',
                      str(FOUND - 1), self.lab.state / "snmp")

    def write(self, found):
        lines = [f"{UUID.format(kind=2, number=number)} {address(number)} plain 100ms\n"
                 for number in range(ASKED)]
        lines += [f"{UUID.format(kind=3, number=number)} {address(number)} secret 1s\n"
                  for number in range(found)]
        self.targets.write_text("".join(lines), "ascii")

    def settings(self):
        credentials = self.lab.state / "etc/snmp-credentials"
        credentials.touch(0o600)
        credentials.write_text("plain v2c public\n"
                               "secret v3 mon SHA-256 authpass1234 AES privpass1234\n", "ascii")
        return {"snmp_guests__enabled": "yes", "snmp_guests__targets": self.targets,
                "snmp_guests__credentials": credentials, "snmp_guests__process_interval": "0"}

    def answering(self):
        return next(source["entities"] for source in self.daemon.ctl_json("status")["sources"]
                    if source["name"] == "snmp")

    def capture(self, seconds):
        """Starts it; all requests of so many seconds are in the file when `tshark` has ended."""
        path = self.lab.state / "log/discovery.pcap"
        path.unlink(missing_ok=True)
        self.lab.call("spawn", "tshark", "tshark", "-q", "-n", "-i", "lo", "-f",
                      "udp dst port 161", "-a", f"duration:{seconds:.0f}", "-w", path)
        wait_until("packets are captured", lambda: path.exists() and path.stat().st_size, 60)
        return path

    def requests(self, path):
        """Time, target and version (as SNMP counts: 1 is v2c) of each."""
        lines = self.lab.exec("tshark", "-n", "-r", path, "-T", "fields", "-e",
                              "frame.time_epoch", "-e", "ip.dst", "-e", "snmp.version", "-e",
                              "snmp.msgVersion").stdout.splitlines()
        fields = [line.split("\t") for line in lines]
        return [(float(field[0]), field[1], field[2] or field[3]) for field in fields
                if len(field) == 4]

    def measure(self, seconds):
        wait_until("all are asked", lambda: self.answering() >= ASKED, 60)
        time.sleep(2)
        path = self.capture(2 * seconds)
        time.sleep(seconds)
        self.write(FOUND)
        mark = time.time()
        wait_until("all are found", lambda: self.answering() >= ASKED + FOUND, 60)
        took = time.time() - mark
        wait_until("tshark has ended", lambda: self.lab.call(
            "alive", "tshark", check=False).returncode, 60)
        packets = self.requests(path)
        for label, part in (("before", [packet for packet in packets if packet[0] < mark]),
                            ("while they are found",
                             [packet for packet in packets if packet[0] >= mark])):
            seen = gaps(part, "1")
            print(f"{label:24}{len(seen):7} gaps of {ASKED} targets at 10 Hz: median "
                  f"{1e3 * percentile(seen, .5):6.1f} ms, p99 {1e3 * percentile(seen, .99):6.1f} ms"
                  f", longest {1e3 * seen[-1]:6.1f} ms", flush=True)
        found = [packet for packet in packets if packet[2] == "3"]
        print(f"{'version 3':24}{len(found):7} requests to {len({p[1] for p in found})} agents with "
              f"engines of their own; all {FOUND} found after {took:.1f} s", flush=True)

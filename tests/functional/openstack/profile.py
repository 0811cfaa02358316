# SPDX-License-Identifier: Apache-2.0
"""By hand (`run ... profile`): how long an alarm takes from its finding to Aodh, by stage, as a table. The times
are the message's own (found, sent) and Aodh's (state set). GM_OPENSTACK_ALARMS: how many, one by one."""

import datetime
import os
import re

from gmtest.wait import wait_until
from rig import PATIENCE, WAIT, OpenStackTest

ALARMS = int(os.environ.get("GM_OPENSTACK_ALARMS", "100"))
TIMES = re.compile(r"found (\S+)Z, sent (\S+)Z")


def seconds(text):
    return datetime.datetime.fromisoformat(text).timestamp()


class Profile(OpenStackTest):
    def test_from_finding_to_aodh(self):
        self.forget_alarms()
        self.node.output("cloud", "type: aodh\n" + self.credential() + PATIENCE)
        self.node.start()
        self.node.raise_("first")
        self.await_states({"first": "alarm"})
        stages = {"found to sent": [], "sent to set": [], "found to set": []}
        for number in range(ALARMS):
            name = f"p{number}"
            self.node.raise_(name)
            alarm = wait_until(name, lambda name=name: (lambda alarms: alarms.get(name) if "\nguestmon: " in alarms.get(
                name, {"description": ""})["description"] else None)(self.aodh_alarms()), WAIT, 0.2)
            found, sent = (seconds(text) for text in TIMES.search(alarm["description"]).groups())
            arrived = seconds(alarm["state_timestamp"])
            for stage, took in zip(stages, (sent - found, arrived - sent, arrived - found)):
                stages[stage].append(took)
        print(f"\n{ALARMS} alarms, ms     median      p99      max")
        for stage, rows in stages.items():
            rows.sort()
            print(f"{stage:20}{1e3 * rows[len(rows) // 2]:8.0f} {1e3 * rows[len(rows) * 99 // 100]:8.0f} "
                  f"{1e3 * rows[-1]:8.0f}")

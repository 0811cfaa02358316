# SPDX-License-Identifier: Apache-2.0
"""The daemon killed with -9 at random moments while alarms come and go and the receiver is away now and then:
everything that is in the journal has arrived, in order, under one key. GM_KILLS=50 GM_ALARMS=1000 is the long form."""

import random
import time

from rig import NODE, environment_number, wait_until
from test_webhook import WebhookCase


class Kill(WebhookCase):
    KILLS = environment_number("GM_KILLS", 4)
    ALARMS = environment_number("GM_ALARMS", 40)
    SEED = environment_number("GM_SEED", 0) or int(time.time())
    MODES = ("ok", "ok", "ok", "503", "429", "half", "404")

    def storm(self, names):
        """Lets a window move over the names: each comes and goes; asks for nothing that a dead daemon can't give."""
        window = max(1, len(names) // 4)
        for end in range(0, len(names) + window + 1, max(1, window // 2)):
            self.rig.set_alarms(names[max(0, end - window):end])
            self.rig.ctl("reload", check=False)
            time.sleep(0.15)

    def test_nothing_is_lost(self):
        chance = random.Random(self.SEED)
        print(f"GM_SEED={self.SEED}, {self.KILLS} kills, {self.ALARMS} alarms", end=" ", flush=True)
        self.rig.output("hook", type="webhook", format="json", url=self.receiver.url(), timeout="1s")
        self.rig.start()
        peak = 0
        names = [f"n{number}" for number in range(self.ALARMS)]
        share = -(-len(names) // self.KILLS)
        for start in range(0, len(names), share):
            self.receiver.mode = chance.choice(self.MODES)
            self.storm(names[start:start + share])
            time.sleep(chance.uniform(0, 0.3))
            peak = max(peak, self.rig.rss())
            self.rig.kill()
            self.rig.start()
        self.receiver.mode = "ok"
        self.rig.alarms([])
        self.rig.idle("hook")
        wait_until("the last of them is in", lambda: self.rig.row("hook")["in_flight"] == 0)
        self.assertEqual(self.rig.stop(), 0)
        self.check(peak)

    def check(self, peak):
        journal = self.rig.journal()
        self.assertEqual([sequence for sequence, _ in journal], list(range(1, len(journal) + 1)), "no holes")
        missing = {f"{NODE}/{n}" for n, _ in journal} - {request.key for request in self.receiver.arrived()}
        self.assertEqual(missing, set(), f"of {len(journal)}; the log:\n{self.rig.log_text()[-6000:]}")
        alarms = {record["id"] for _, record in journal}
        seen = self.check_order(self.receiver, len(alarms))
        self.assertEqual(set(seen), {f"{NODE}/{sequence}" for sequence, _ in journal}, "all of the journal arrives")
        raised = {record["rule"] for _, record in journal}
        doubled = len(self.receiver.arrived()) - len(seen)
        print(f"→ {len(journal)} transitions of {len(raised)} rules, {doubled} told twice, "
              f"{len(self.receiver.all()) - len(self.receiver.arrived())} attempts in vain, "
              f"{peak >> 20} MiB at most", end=" ")
        self.assertGreater(len(raised), self.ALARMS // 3, "the storm was one")

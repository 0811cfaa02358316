# SPDX-License-Identifier: Apache-2.0
"""The template in a real Zabbix: imported by its API, its items found and polled from a real agent by zabbix_server.
Takes a minute or more of PostgreSQL and PHP: only where GM_ZABBIX is set."""

import os
import time
import unittest

import zabbix
from rig import NMS, Rig, wait_until

DRIVER = DAEMON = CTL = None
RULES = {"templates": {"createMissing": True, "updateExisting": True}, "items": {"createMissing": True, "updateExisting": True},
         "discoveryRules": {"createMissing": True, "updateExisting": True}, "triggers": {"createMissing": True, "updateExisting": True},
         "valueMaps": {"createMissing": True, "updateExisting": True}, "groups": {"createMissing": True}}


@unittest.skipUnless(os.environ.get("GM_ZABBIX"), "GM_ZABBIX is not set")
class Zabbix(unittest.TestCase):
    longMessage = True

    def test_template(self):
        if zabbix.missing():
            self.skipTest("not there: " + ", ".join(zabbix.missing()))
        rig = Rig()
        self.addCleanup(rig.close)
        rig.start_snmpd()
        rig.start_driver(DRIVER)
        began = time.monotonic()
        server = zabbix.Zabbix(rig.folder)
        self.addCleanup(server.close)
        server.start_database()
        server.start_frontend()
        text = (NMS / "zabbix/guestmon.yaml").read_text("utf-8")
        for _ in range(2):  # over itself, too
            self.assertTrue(server.call("configuration.import", format="yaml", source=text, rules=RULES))
        template, = server.call("template.get", selectItems=["key_"], selectDiscoveries=["itemid", "name"],
                                filter={"host": ["guestmon by SNMP"]})
        group, = server.call("hostgroup.get", filter={"name": ["Templates/Virtualization"]})
        host, = server.call("host.create", host="compute-1", groups=[{"groupid": group["groupid"]}],
                            templates=[{"templateid": template["templateid"]}],
                            interfaces=[{"type": 2, "main": 1, "useip": 1, "ip": "127.0.0.1", "dns": "", "port": str(rig.port),
                                         "details": {"version": 2, "bulk": 1, "community": "guestmon"}}])["hostids"]
        # Not in the half hour that a new host would wait for the first discovery.
        server.sql("UPDATE items SET delay = '5s' WHERE delay NOT IN ('0', '') AND templateid IS NOT NULL;")
        server.start_server()
        print(f"imported and running after {time.monotonic() - began:.0f} s", flush=True)

        def items():
            return server.call("item.get", hostids=[host], output=["key_", "lastvalue", "lastclock", "state", "error"])

        def told():
            return {item["key_"]: item["lastvalue"] for item in items() if int(item["lastclock"])}
        for kind in ("gmGuestMemoryUsed", "gmGuestState", "gmBurstState"):
            wait_until(f"{kind} of a guest is found and has a value",
                       lambda kind=kind: any(f"guestmon.{kind}[" in key for key in told()), 120)
        wait_until("the agent's own have values", lambda: "guestmon.gmAgentBoots" in told(), 120)
        values, every = told(), items()
        absent = sorted({item["key_"].partition("[")[0] for item in every if item["state"] != "0"})
        print(f"{len(template['discoveries'])} rules, {len(every)} items ({len(template['items'])} of the node), {len(values)} "
              f"with a value, after {time.monotonic() - began:.0f} s; what this agent has not: {', '.join(absent)}", flush=True)
        for item in every:
            if item["state"] != "0":
                self.assertIn("No Such Instance", item["error"], item["key_"])
        for rule in server.call("discoveryrule.get", hostids=[host], output=["key_", "state", "error"]):
            self.assertEqual((rule["state"], rule["error"]), ("0", ""), rule["key_"])
        self.assertEqual(values["guestmon.gmAgentBoots"], rig.get(".1.3.6.1.4.1.8072.9999.9999.7666.1.1.4.0"))

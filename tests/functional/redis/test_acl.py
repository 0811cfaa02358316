# SPDX-License-Identifier: Apache-2.0
"""What each user of the shipped access list may and may not, at a real redis-server."""

from rig import PREFIX, RigTest

FINDINGS = PREFIX + "findings"
READS = [
    ("GET", PREFIX + "schema"),
    ("SMEMBERS", PREFIX + "entities"),
    ("HGETALL", PREFIX + "node:info"),
    ("TYPE", PREFIX + "node"),
    ("XLEN", PREFIX + "node"),
    ("XRANGE", PREFIX + "node", "-", "+", "COUNT", 1),
    ("XREVRANGE", PREFIX + "node", "+", "-", "COUNT", 1),
    ("XREAD", "COUNT", 1, "STREAMS", PREFIX + "node", 0),
    ("XINFO", "STREAM", PREFIX + "node"),
    ("XRANGE", FINDINGS, "-", "+"),
    ("XRANGE", FINDINGS + ":rejected", "-", "+"),
    ("PING",),
    ("CLIENT", "SETNAME", "me"),
]
NOBODYS = [
    ("KEYS", "*"), ("FLUSHALL",), ("FLUSHDB",), ("CONFIG", "SET", "maxmemory", 0),
    ("ACL", "LIST"), ("SHUTDOWN",), ("CLIENT", "KILL", "TYPE", "normal"),
    ("CLIENT", "PAUSE", 1), ("CLIENT", "LIST"), ("EVAL", "return 1", 0), ("MONITOR",),
    ("FUNCTION", "LIST"), ("SUBSCRIBE", "x"), ("REPLICAOF", "NO", "ONE"), ("SAVE",),
    ("GET", "other"), ("SET", "other", 1), ("XADD", "other", "*", "a", "b"),
    ("GET", "guestmon:{" + "x" + "}"),
]
WRITES = [
    ("SET", PREFIX + "schema", 2),
    ("DEL", PREFIX + "node"),
    ("SADD", PREFIX + "entities", "x"),
    ("HSET", PREFIX + "node:info", "a", "b"),
    ("EXPIRE", PREFIX + "node", 1),
    ("XADD", PREFIX + "node", "*", "a", "b"),
    ("XADD", FINDINGS + ":rejected", "*", "a", "b"),
    ("XTRIM", FINDINGS, "MAXLEN", 0),
    ("XDEL", FINDINGS, "1-1"),
    ("XGROUP", "DESTROY", FINDINGS, "guestmond"),
    ("XREADGROUP", "GROUP", "guestmond", "x", "STREAMS", FINDINGS, ">"),
    ("XACK", FINDINGS, "guestmond", "1-1"),
    ("RENAME", PREFIX + "node", PREFIX + "n"),
]
OWN = [("XADD", FINDINGS, "*", "a", "b"),
       ("XADD", FINDINGS, "MAXLEN", "~", 10000, "*", "a", "b")]


class Users(RigTest):

    def may(self, user, command):
        out = self.rig.run_cli(*command, user=user)
        text = out.stdout + out.stderr
        self.assertNotIn("WRONGPASS", text)
        return not text.startswith(("NOPERM", "(error) NOPERM"))

    def check(self, user, allowed, refused):
        for command in refused:
            with self.subTest(user=user, refused=command):
                self.assertFalse(self.may(user, command))
        for command in allowed:
            with self.subTest(user=user, allowed=command):
                self.assertTrue(self.may(user, command))

    def test_reader(self):
        self.check("guestmon-reader", READS, NOBODYS + WRITES + OWN + [("SCAN", 0)])

    def test_analyser(self):
        self.check("guestmon-analyser", READS + OWN, NOBODYS + WRITES + [("SCAN", 0)])

    def test_daemon(self):
        self.check("guestmond", [("CONFIG", "GET", "maxmemory"), ("INFO",), ("XLEN", FINDINGS)],
                   NOBODYS)

    def test_daemon_has_all_that_it_needs(self):
        """It runs on this server as that user: nothing that it asked for was refused."""
        self.assertNotIn("NOPERM", self.rig.log.read_text("utf-8"))
        self.assertEqual(self.rig.denied, [])

    def test_nobody_without_password(self):
        out = self.rig.run_cli("AUTH", "guestmond", "").stdout
        self.assertIn("WRONGPASS", out)

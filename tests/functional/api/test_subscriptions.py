# SPDX-License-Identifier: Apache-2.0
"""/vnffm/v1/subscriptions: made, shown, told, ended; subscribers that are away, refuse, ask for credentials; a
daemon that is killed."""

import base64
import contextlib
import sqlite3
import urllib.parse

from consumer import Consumer
from rig import DB, SECRETS, WEB, RigTest, valid, wait_until

PATH = "/vnffm/v1/subscriptions"


VNFS = (f"vnfs:\n  - {{match: {{uuid: {DB}}}, vnfd-id: bank-1, provider: Acme, product: Bank}}\n"
        "  - {match: {name: web.*}, vnfd-id: shop-1, provider: Acme, product: Shop, software-version: \"2.1\","
        " vnfd-version: \"7\"}\n"
        "  - {match: {name: \"*\"}, vnfd-id: bank-1}\n")


def product(provider, **of):
    """A filter by product: product, version, vnfds."""
    versions = [{"vnfSoftwareVersion": of["version"], "vnfdVersions": of.get("vnfds", [])}] if "version" in of else []
    products = [{"vnfProductName": of["product"], "versions": versions}] if "product" in of else []
    return {"vnfInstanceSubscriptionFilter": {
        "vnfProductsFromProviders": [{"vnfProvider": provider, "vnfProducts": products}]}}


class SubscriptionTest(RigTest):
    def setUp(self):
        self.rig.policies()
        self.addCleanup(self.end)
        self.consumers = []

    def end(self):
        self.rig.policies()
        for one in self.rig.get(PATH):
            self.rig.call("DELETE", f"{PATH}/{one['id']}")
        for consumer in self.consumers:
            consumer.stop()

    def consumer(self, **settings):
        self.consumers.append(Consumer(**settings).start())
        return self.consumers[-1]

    def subscribe(self, consumer, **more):
        answer = self.rig.call("POST", PATH, {"callbackUri": consumer.url(), **more})
        self.assertEqual(answer.status, 201, answer.text)
        shown = valid("FmSubscription", answer.json())
        self.assertEqual(urllib.parse.urlsplit(answer.headers["Location"]).path, f"{PATH}/{shown['id']}")
        self.assertNotIn("authentication", shown)
        return shown


class Subscriptions(SubscriptionTest):
    def test_made_shown_and_ended(self):
        consumer = self.consumer()
        shown = self.subscribe(consumer, filter={"perceivedSeverities": ["CRITICAL"]})
        self.assertEqual(consumer.tests, 1)
        self.assertEqual(shown["filter"], {"perceivedSeverities": ["CRITICAL"]})
        self.assertEqual(self.rig.get(PATH, "FmSubscriptions"), [shown])
        self.assertEqual(self.rig.get(f"{PATH}/{shown['id']}"), shown)
        again = self.rig.call("POST", PATH, {"callbackUri": consumer.url(), "filter": shown["filter"]})
        self.assertEqual((again.status, again.headers["Location"]), (303, shown["_links"]["self"]["href"]))
        self.problem(self.rig.call("DELETE", f"{PATH}/{shown['id']}", user="look"), 403)
        self.assertIn("vnffm/" + shown["id"], self.rig.ask("outputs").stdout)
        self.assertEqual(self.rig.call("DELETE", f"{PATH}/{shown['id']}").status, 204)
        self.problem(self.rig.call("DELETE", f"{PATH}/{shown['id']}"), 404)
        self.problem(self.rig.call("GET", f"{PATH}/{shown['id']}"), 404)
        self.assertNotIn(shown["id"], self.rig.ask("outputs").stdout)

    def test_what_is_told(self):
        consumer = self.consumer()
        shown = self.subscribe(consumer)
        self.rig.policies(one="minor")
        self.rig.policies()
        self.assertEqual(consumer.wait(2), [("MINOR", "one"), ("CLEARED", "one")])
        raised, cleared = consumer.notifications
        self.assertEqual((raised["alarm"]["managedObjectId"], raised["subscriptionId"]), (WEB, shown["id"]))
        self.assertEqual(cleared["alarmId"], raised["alarm"]["id"])
        self.assertNotEqual(cleared["id"], raised["id"])

    def test_filters(self):
        everything = self.consumer()
        self.subscribe(everything)
        cases = [({"perceivedSeverities": ["CRITICAL"]}, [("CRITICAL", "large"), ("CLEARED", "large")]),
                 ({"notificationTypes": ["AlarmClearedNotification"]}, None),
                 ({"eventTypes": ["QOS_ALARM"], "probableCauses": ["thresholdCrossed"]}, "all"),
                 ({"faultyResourceTypes": ["NETWORK"]}, []),
                 ({"vnfInstanceSubscriptionFilter": {"vnfInstanceIds": [DB]}}, []),
                 ({"vnfInstanceSubscriptionFilter": {"vnfInstanceIds": [WEB]}}, "all"),
                 ({"vnfInstanceSubscriptionFilter": {"vnfInstanceNames": ["web.example"]}}, "all"),
                 ({"vnfInstanceSubscriptionFilter": {"vnfInstanceNames": ["web.example"], "vnfInstanceIds": [DB]}}, []),
                 ({"vnfInstanceSubscriptionFilter": {"vnfdIds": ["shop-1"]}}, "all"),
                 ({"vnfInstanceSubscriptionFilter": {"vnfdIds": ["bank-1"]}}, []),
                 (product("Acme"), "all"),
                 (product("Acme", product="Shop", version="2.1", vnfds=["6", "7"]), "all"),
                 (product("Acme", product="Shop", version="2.1", vnfds=["6"]), []),
                 (product("Acme", product="Shop", version="2.0"), []),
                 (product("Acme", product="Bank"), []),
                 (product("Bank of Acme"), [])]
        self.rig.vnfs(VNFS)
        self.addCleanup(self.rig.vnfs, "")
        consumers = [self.consumer() for _ in cases]
        for consumer, (selection, _) in zip(consumers, cases):
            self.subscribe(consumer, filter=selection)
        self.rig.policies(small="minor", large="critical")
        self.rig.policies()
        told = everything.wait(4)
        for consumer, (selection, expected) in zip(consumers, cases):
            with self.subTest(selection):
                if expected is None:
                    consumer.wait(2)
                    self.assertEqual({one["notificationType"] for one in consumer.notifications},
                                     {"AlarmClearedNotification"})
                elif expected == "all":
                    self.assertEqual(consumer.wait(4), told)
                elif not expected:
                    self.assertEqual(consumer.story(), [])
                else:
                    wait_until("both", lambda c=consumer, e=expected: [o for o in c.story() if o in e] == e)

    def test_what_is_refused(self):
        consumer = self.consumer()
        for request, status, says in [
                ({}, 422, "callbackUri"),
                ([], 422, "callbackUri"),
                ({"callbackUri": 1}, 422, "callbackUri"),
                ({"callbackUri": "file:///etc/passwd"}, 422, "callbackUri"),
                ({"callbackUri": "http://"}, 422, "callbackUri"),
                ({"callbackUri": "http://a/\r\nX: y"}, 422, "callbackUri"),
                ({"callbackUri": "http://a/" + "b" * 2000}, 422, "callbackUri"),
                ({"callbackUri": consumer.url(), "authentication": {"authType": ["TLS_CERT"]}}, 422, "authentication"),
                ({"callbackUri": consumer.url(), "authentication": {"authType": ["BASIC"]}}, 422, "authentication"),
                ({"callbackUri": consumer.url(), "filter": {"eventTypes": "QOS_ALARM"}}, 422, "eventTypes"),
                ({"callbackUri": consumer.url(), "filter": {"eventTypes": [1]}}, 422, "eventTypes"),
                ({"callbackUri": consumer.url(), "filter": {"vnfInstanceSubscriptionFilter": {"vnfdIds": "x"}}},
                 422, "vnfdIds"),
                ({"callbackUri": consumer.url(), "filter": {"vnfInstanceSubscriptionFilter": {
                    "vnfProductsFromProviders": [{"vnfProducts": []}]}}}, 422, "vnfProvider"),
                ({"callbackUri": consumer.url(), "filter": {"vnfInstanceSubscriptionFilter": {
                    "vnfdIds": ["x" * 40000]}}}, 422, "larger than"),
                (b"{", 400, "not JSON"), (b"", 400, "not JSON"), (b"[" * 60000, 400, "not JSON"),
                (b'{"callbackUri": "' + b"x" * 70000 + b'"}', 413, "bytes")]:
            with self.subTest(str(request)[:80]):
                self.problem(self.rig.call("POST", PATH, request), status, says)
        self.problem(self.rig.call("POST", PATH, b"a=b", Content_Type="text/plain"), 415)
        self.problem(self.rig.call("POST", PATH, {"callbackUri": consumer.url()}, user="look"), 403)
        self.assertEqual(self.rig.get(PATH), [])

    def test_an_endpoint_that_is_not_there(self):
        consumer = self.consumer(user=("them", "their-password"))
        self.problem(self.rig.call("POST", PATH, {"callbackUri": consumer.url()}), 422, "answered 401")
        consumer.stop()
        self.problem(self.rig.call("POST", PATH, {"callbackUri": consumer.url()}), 422, "test of callbackUri")
        self.assertEqual(self.rig.get(PATH), [])


class Credentials(SubscriptionTest):
    def told(self, consumer, authentication):
        self.subscribe(consumer, authentication=authentication)
        self.rig.policies(one="major")
        self.assertEqual(consumer.wait(1), [("MAJOR", "one")])

    def test_basic(self):
        consumer = self.consumer(user=("them", "their:password"))
        self.told(consumer, {"authType": ["BASIC"], "paramsBasic": {"userName": "them", "password": "their:password"}})
        self.silent("their:password")
        for file in (self.rig.directory / "state").glob("state.db*"):  # they are kept there
            self.assertEqual(file.stat().st_mode & 0o077, 0, file)

    def test_oauth(self):
        consumer = self.consumer(client=("id", "client-password"))
        self.told(consumer, {"authType": ["OAUTH2_CLIENT_CREDENTIALS"], "paramsOauth2ClientCredentials": {
            "clientId": "id", "clientPassword": "client-password", "tokenEndpoint": consumer.url("/token")}})
        with consumer.lock:
            consumer.tokens.append("another")  # what we have was revoked
        self.rig.policies()
        self.assertEqual(consumer.wait(2), [("MAJOR", "one"), ("CLEARED", "one")])
        self.silent("client-password", "token-1", "token-2")

    def test_a_token_endpoint_is_a_callback_as_well(self):
        """What the daemon would be made to connect to is held against api.callbacks, whatever it is for."""
        self.rig.stop()
        self.rig.configure(callbacks='"http://127.0.0.1:*,!*/secret/*"')
        self.addCleanup(self.rig.start)
        self.addCleanup(self.rig.configure)
        self.addCleanup(self.rig.stop)
        self.rig.start()
        consumer = self.consumer()
        for uri, endpoint, says in ((consumer.url(), consumer.url("/secret/token"), "tokenEndpoint is not among"),
                                    (consumer.url(), "http://169.254.169.254/latest", "tokenEndpoint is not among"),
                                    (consumer.url("/secret/x"), consumer.url("/token"), "callbackUri is not among")):
            self.problem(self.rig.call("POST", PATH, {"callbackUri": uri, "authentication": {
                "authType": ["OAUTH2_CLIENT_CREDENTIALS"], "paramsOauth2ClientCredentials": {
                    "clientId": "id", "clientPassword": "client-password", "tokenEndpoint": endpoint}}}), 403, says)
        self.assertEqual(self.rig.get(PATH), [])

    def test_an_answer_that_repeats_the_credentials(self):
        consumer = self.consumer(user=("them", "their:password"))
        self.subscribe(consumer, authentication={
            "authType": ["BASIC"], "paramsBasic": {"userName": "them", "password": "their:password"}})
        consumer.echo, consumer.user = True, ("them", "another")
        self.rig.policies(one="major")
        wait_until("it is refused", lambda: "the answer is 401" in self.rig.log.read_text("utf-8"))
        self.silent("their:password", base64.b64encode(b"them:their:password").decode())

    def silent(self, *secrets):
        """Nothing that people or programs are shown has a secret in it."""
        shown = [self.rig.log.read_text("utf-8", "replace"), self.rig.ask("--json", "outputs").stdout,
                 self.rig.call("GET", PATH).text, self.rig.call("GET", "/v1/outputs").text]
        for text in shown:
            for secret in (*secrets, *SECRETS.values()):
                self.assertNotIn(secret, text)


class Trouble(SubscriptionTest):
    def raise_and_clear(self, *names):
        for name in names:
            self.rig.policies(**{name: "major"})
            self.rig.policies()

    def expected(self, *names):
        return [told for name in names for told in (("MAJOR", name), ("CLEARED", name))]

    def test_a_subscriber_that_is_away_gets_all_in_order(self):
        consumer = self.consumer()
        self.subscribe(consumer)
        consumer.stop()
        self.raise_and_clear("a", "b", "c")
        self.assertEqual(consumer.story(), [])
        consumer.start()
        self.assertEqual(consumer.wait(6), self.expected("a", "b", "c"))

    def test_answers_that_mean_later(self):
        consumer = self.consumer()
        self.subscribe(consumer)
        consumer.answers = [503, 429]
        self.raise_and_clear("a", "b")
        self.assertEqual(consumer.wait(4), self.expected("a", "b"))
        first = [body["id"] for _, body, _ in consumer.calls[:3]]
        self.assertEqual(len(set(first)), 1, "a repeated notification keeps its id")

    def test_a_gap_is_told(self):
        consumer = self.consumer()
        self.subscribe(consumer)
        consumer.stop()
        self.raise_and_clear("a", "b", "c")
        self.rig.kill()
        with contextlib.closing(sqlite3.connect(self.rig.directory / "state/state.db")) as state, state:
            lost = state.execute("DELETE FROM journal WHERE record LIKE '%\"rule\":\"b\"%'").rowcount
        self.assertEqual(lost, 2)
        consumer.start()
        self.rig.start()
        self.assertEqual(consumer.wait(5), [*self.expected("a"), ("REBUILT", ""), *self.expected("c")])

    def test_a_gap_before_the_first_is_told(self):
        consumer = self.consumer()
        self.subscribe(consumer)
        consumer.stop()
        self.raise_and_clear("lost", "kept")
        self.rig.kill()
        with contextlib.closing(sqlite3.connect(self.rig.directory / "state/state.db")) as state, state:
            lost = state.execute("DELETE FROM journal WHERE record LIKE '%\"rule\":\"lost\"%'").rowcount
        self.assertEqual(lost, 2)
        consumer.start()
        self.rig.start()
        self.assertEqual(consumer.wait(3), [("REBUILT", ""), *self.expected("kept")])

    def test_a_start_without_the_server(self):
        """Who has subscribed hears of what was meanwhile once it is there again."""
        consumer = self.consumer()
        shown = self.subscribe(consumer)
        self.rig.policies(a="minor")
        self.assertEqual(consumer.wait(1), [("MINOR", "a")])
        self.rig.stop()
        self.rig.configure(enabled="no")
        config = self.rig.directory / "guestmon.yaml"  # the notifier needs the server
        config.write_text(config.read_text("utf-8").replace("server-notifier:\n  enabled: yes",
                                                            "server-notifier:\n  enabled: no"), encoding="utf-8")
        self.rig.start()
        self.rig.policies()
        self.rig.stop()
        self.rig.configure()
        self.rig.start()
        self.assertEqual(self.rig.get(PATH), [shown])
        wait_until("the end of it", lambda: ("CLEARED", "a") in consumer.story())
        self.assertEqual(set(consumer.story()), {("MINOR", "a"), ("CLEARED", "a")})  # at least once each

    def test_what_guests_are_is_changed(self):
        """Whoever selects by it is told so, once, without an alarm; nobody else, and not by another reload."""
        self.rig.vnfs(VNFS)
        self.addCleanup(self.rig.vnfs, "")
        others, consumer = self.consumer(), self.consumer()
        self.subscribe(others)
        self.subscribe(consumer, filter={"vnfInstanceSubscriptionFilter": {"vnfdIds": ["shop-1"]}})
        self.raise_and_clear("a")
        self.assertEqual(consumer.wait(2), self.expected("a"))
        consumer.answers = [503]
        self.rig.vnfs(VNFS.replace("shop-1", "shop-2"))
        self.assertEqual(consumer.wait(3), [*self.expected("a"), ("REBUILT", "")])
        self.rig.vnfs(VNFS)
        self.assertEqual(consumer.wait(4), [*self.expected("a"), *2 * [("REBUILT", "")]])
        self.raise_and_clear("b")
        self.assertEqual(consumer.wait(6), [*self.expected("a"), *2 * [("REBUILT", "")], *self.expected("b")])
        self.assertEqual(others.wait(4), self.expected("a", "b"))

    def test_one_that_is_no_longer_allowed(self):
        consumer = self.consumer()
        shown = self.subscribe(consumer)
        self.rig.stop()
        self.rig.configure(callbacks='"http://192.0.2.1/*"')
        self.rig.start()
        self.assertEqual(self.rig.get(PATH), [shown])
        self.raise_and_clear("a")
        wait_until("it says so", lambda: "callbackUri is not among those" in self.rig.ask("outputs").stdout)
        self.assertIn(f"subscription {shown['id']} is told nothing", self.rig.log.read_text("utf-8", "replace"))
        self.assertEqual(consumer.story(), [])
        self.rig.stop()
        self.rig.configure()
        self.rig.start()
        self.assertEqual(consumer.wait(2), self.expected("a"))

    def test_the_daemon_is_killed(self):
        consumer = self.consumer()
        shown = self.subscribe(consumer)
        self.raise_and_clear("a")
        consumer.wait(2)
        consumer.stop()
        self.raise_and_clear("b")
        self.rig.kill()
        consumer.start()
        self.rig.start()
        self.assertEqual(self.rig.get(PATH), [shown])
        self.raise_and_clear("c")
        wait_until("all of it", lambda: ("CLEARED", "c") in consumer.story(), 60)
        told = []
        for one in consumer.story():
            if one not in told:  # at least once; what was sent right before the end may come again
                told.append(one)
        self.assertEqual([one for one in told if one[1] in "abc"], self.expected("a", "b", "c"))

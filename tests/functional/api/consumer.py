# SPDX-License-Identifier: Apache-2.0
"""A subscriber: an HTTP server on loopback that keeps what it is sent, answers as it is told to, and asks for
credentials where it has some. Every body is held against its schema."""

import base64
import http.server
import json
import threading
import urllib.parse

from rig import free_port, valid, wait_until


class Consumer:
    """`user` (name, password): wanted by Basic. `clients`: the same for tokens of /token (OAuth 2.0)."""

    def __init__(self, user=None, client=None):
        self.user, self.client = user, client
        self.port, self.lock = free_port(), threading.Lock()
        self.notifications, self.calls, self.tests, self.tokens, self.wrong = [], [], 0, [], []
        self.ports = []  # of who has posted, one for each body
        self.echo = False  # a refusal repeats the credentials
        self.answers = []  # status codes for the next notifications; then 204
        self.server = None

    def url(self, path="/notify"):
        return f"http://127.0.0.1:{self.port}{path}"

    def start(self):
        consumer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self, status, body=b""):
                if consumer.server is None:  # stopped, but for connections that were kept
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                with consumer.lock:
                    consumer.tests += 1
                self.answer(consumer.judge(self.headers))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if consumer.server is None:
                    self.close_connection = True
                    return
                consumer.ports.append(self.client_address[1])
                self.answer(*consumer.take(self.path, self.headers, body))

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
        self.server = None

    def judge(self, headers):
        sent = headers.get("Authorization", "")
        if self.user:
            return 204 if sent == "Basic " + base64.b64encode(":".join(self.user).encode()).decode() else 401
        if self.client:
            return 204 if self.tokens and sent == "Bearer " + self.tokens[-1] else 401
        return 204

    def give_token(self, headers, body):
        wanted = "Basic " + base64.b64encode(":".join(self.client).encode()).decode()
        if headers.get("Authorization") != wanted or urllib.parse.parse_qs(body.decode()) != {
                "grant_type": ["client_credentials"]}:
            return 401, b"{}"
        self.tokens.append(f"token-{len(self.tokens) + 1}")
        return 200, json.dumps({"access_token": self.tokens[-1], "token_type": "bearer", "expires_in": 3600}).encode()

    def take(self, path, headers, body):
        with self.lock:
            if path == "/token":
                return self.give_token(headers, body)
            if self.judge(headers) != 204:
                return 401, headers.get("Authorization", "").encode() if self.echo else b""
            status = self.answers.pop(0) if self.answers else 204
            self.keep(path, json.loads(body), status)
            return status, b""

    def keep(self, path, body, status):
        self.calls.append((path, body, status))
        if "notificationType" not in body:
            return
        try:
            valid(body["notificationType"], body)
        except Exception as error:  # told by the test, not by this thread
            self.wrong.append(error)
        if status == 204:
            self.notifications.append(body)

    def story(self):
        """(what, which) of all that has arrived, in its order."""
        with self.lock:
            if self.wrong:
                raise self.wrong[0]
            names, told = {}, []
            for one in self.notifications:
                kind = one["notificationType"]
                if kind == "AlarmNotification":
                    alarm = one["alarm"]
                    names[alarm["id"]] = alarm["faultType"].split()[-1]
                    told.append((alarm["perceivedSeverity"], names[alarm["id"]]))
                elif kind == "AlarmClearedNotification":
                    told.append(("CLEARED", names.get(one["alarmId"], one["alarmId"])))
                else:
                    told.append(("REBUILT", ""))
            return told

    def wait(self, count, seconds=40):
        wait_until(f"{count} notifications, of {self.story()}", lambda: len(self.story()) >= count, seconds)
        return self.story()

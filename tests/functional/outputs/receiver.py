# SPDX-License-Identifier: Apache-2.0
"""A receiver of webhooks that writes down all it gets, and behaves as badly as it is told to."""

import hashlib
import hmac
import http.server
import json
import socket
import ssl
import threading
import time

FAULTS = {
    "401": (401, {}), "403": (403, {}), "404": (404, {}), "409": (409, {}), "413": (413, {}),
    "429": (429, {"Retry-After": "1"}), "500": (500, {}), "503": (503, {}),
}


class Request:
    """What came, and when."""

    def __init__(self, path, headers, body, mode):
        self.received, self.path, self.headers, self.body, self.mode = time.time(), path, headers, body, mode
        self.key = headers.get("Idempotency-Key", "").strip('"')

    @property
    def json(self):
        return json.loads(self.body)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Server"
    disable_nagle_algorithm = True  # else the end of each answer waits for the beginning to be acknowledged

    def log_message(self, *_):
        pass

    def do_POST(self):  # pylint: disable=invalid-name
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        mode = receiver.mode
        receiver.take(Request(self.path, dict(self.headers), body, mode))
        if mode == "ok":
            self.answer(200, b"{}")
        elif mode == "garbage":
            self.answer(200, b"\x00{no json \xff")
        elif mode == "echo":
            self.answer(403, str(self.headers).encode())
        elif mode == "redirect":
            self.answer(307, b"", {"Location": receiver.elsewhere})
        elif mode == "half":
            self.half()
        elif mode == "huge":
            self.huge()
        elif mode == "hung":
            receiver.released.wait(60)
            self.close_connection = True
        else:
            status, headers = FAULTS[mode]
            self.answer(status, b"no \"thank\" you\n", headers)

    do_PUT = do_POST

    def answer(self, status, body, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def half(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"{")
        self.close_connection = True

    def huge(self):
        self.send_response(200)
        self.send_header("Content-Length", str(100 << 20))
        self.end_headers()
        piece = b"x" * 65536
        try:
            for _ in range((100 << 20) // len(piece)):
                self.wfile.write(piece)
                self.server.receiver.huge_bytes += len(piece)
        except OSError:
            pass
        self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address, receiver):
        self.receiver = receiver
        self.connections = []
        super().__init__(address, Handler)

    def get_request(self):
        """TLS is negotiated in the connection's own thread."""
        connection, address = super().get_request()
        if self.receiver.context:
            connection = self.receiver.context.wrap_socket(connection, server_side=True,
                                                           do_handshake_on_connect=False)
        self.connections.append(connection)
        return connection, address

    def handle_error(self, request, client_address):
        self.receiver.errors += 1


class Receiver:
    def __init__(self, port=0, context=None):
        self.port, self.context = port, context
        self.mode, self.elsewhere = "ok", ""
        self.requests, self.lock = [], threading.Lock()
        self.released = threading.Event()
        self.huge_bytes = self.errors = 0
        self.server = None
        self.up()

    def up(self):
        self.server = Server(("127.0.0.1", self.port), self)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def down(self):
        """As if it was killed: all its sockets are closed."""
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        for connection in self.server.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()
        self.released.clear()

    def take(self, request):
        with self.lock:
            self.requests.append(request)

    def all(self, mode=None):
        with self.lock:
            return [request for request in self.requests if mode is None or request.mode == mode]

    def arrived(self):
        """The requests that were answered well."""
        return [request for request in self.all() if request.mode in ("ok", "garbage")]

    def url(self, path="/hook", scheme="http"):
        return f"{scheme}://127.0.0.1:{self.port}{path}"


def signature_is_right(request, key, header="X-Guestmon-Signature"):
    digest = hmac.new(key.encode(), request.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(request.headers.get(header, ""), f"sha256={digest}")


def server_context(directory, name, client_ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / f"{name}.pem", directory / f"{name}.key")
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context

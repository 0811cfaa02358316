# SPDX-License-Identifier: Apache-2.0
"""A proxy in front of one real service that can be told to misbehave. What it passes on it passes on
unchanged; each fault is what a client sees when a service, a balancer or a network is broken."""

import datetime
import http.client
import http.server
import ipaddress
import json
import ssl
import threading
import time


class Fault:
    """One kind of misbehaviour; `answer` gets the handler and does all of it."""

    def __init__(self, name, answer):
        self.name, self.answer = name, answer


def status(code, body=b'{"error_message": "injected"}', **headers):
    def answer(handler):
        handler.reply(code, body, {"Content-Type": "application/json", **headers})
    return Fault(f"status {code}", answer)


def garbage(body):
    def answer(handler):
        handler.reply(201 if handler.command == "POST" else 200, body, {
            "Content-Type": "application/json", "X-Subject-Token": "not-a-real-token"})
    return Fault(f"garbage {body[:16]!r}", answer)


def half():
    """The beginning of the true answer, then the connection ends."""
    def answer(handler):
        code, headers, body = handler.forward()
        handler.send_response_only(code)
        for name, value in headers:
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body) + 10))
        handler.end_headers()
        handler.wfile.write(body[:len(body) // 2])
    return Fault("half an answer", answer)


def lose():
    """The service does what it is asked, and the client never hears of it."""
    return Fault("lost answer", lambda handler: handler.forward())


def huge(size=100 << 20):
    def answer(handler):
        handler.send_response_only(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(size))
        handler.end_headers()
        block = b"[" + b" " * 65535
        try:
            for _ in range(size // len(block)):
                handler.wfile.write(block)
                handler.proxy.written += len(block)
        except OSError:
            pass  # the client has had enough
    return Fault("100 MB", answer)


def rewrite(change):
    """The true answer with its JSON changed."""
    def answer(handler):
        code, headers, body = handler.forward()
        handler.reply(code, json.dumps(change(json.loads(body))).encode(), dict(headers))
    return Fault("rewritten", answer)


def hang():
    def answer(handler):
        while handler.proxy.fault is not None and handler.proxy.fault.name == "hang":
            time.sleep(0.05)
    return Fault("hang", answer)


def hold():
    """The service does what it is asked, and its answer waits until mend()."""
    def answer(handler):
        code, headers, body = handler.forward()
        while handler.proxy.fault is not None and handler.proxy.fault.name == "hold":
            time.sleep(0.05)
        handler.reply(code, body, dict(headers))
    return Fault("hold", answer)


def redirect(target):
    def answer(handler):
        handler.reply(302, b"", {"Location": target + handler.path})
    return Fault("redirect", answer)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: "Proxy"

    def setup(self):
        super().setup()
        self.proxy = self.server.proxy

    def reply(self, code, body, headers):
        self.send_response_only(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def forward(self):
        upstream = http.client.HTTPConnection("127.0.0.1", self.proxy.upstream, timeout=60)
        try:
            upstream.request(self.command, self.path, self.body or None,
                             {name: value for name, value in self.headers.items()
                              if name.lower() not in ("connection", "host")})
            answer = upstream.getresponse()
            kept = [(name, value) for name, value in answer.getheaders()
                    if name.lower() not in ("connection", "content-length", "transfer-encoding")]
            return answer.status, kept, answer.read()
        finally:
            upstream.close()

    def serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        fault = self.proxy.take_fault(self)
        self.proxy.note(self, fault)
        try:
            if fault:
                self.close_connection = True
                fault.answer(self)
                return
            code, headers, body = self.forward()
        except OSError:  # the service is away: so is the proxy
            self.close_connection = True
            return
        self.send_response_only(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = serve

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass  # clients that hang up are what this is for


class Proxy:
    def __init__(self, port, upstream, certificate=None, host="127.0.0.1"):
        self.port, self.upstream = port, upstream
        self.fault, self.match, self.left = None, None, None
        self.requests, self.hit, self.written = [], 0, 0
        self.lock = threading.Lock()
        self.server = Server((host, port), Handler)
        self.server.proxy = self
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.1},
                         daemon=True).start()

    def inject(self, fault, match=lambda handler: True, times=None):
        """From now on, for `times` requests (None: all) that `match`."""
        with self.lock:
            self.fault, self.match, self.left, self.hit = fault, match, times, 0

    def mend(self):
        self.inject(None)

    def take_fault(self, handler):
        with self.lock:
            if not self.fault or not self.match(handler) or self.left == 0:
                return None
            if self.left is not None:
                self.left -= 1
            self.hit += 1
            return self.fault

    def note(self, handler, fault):
        with self.lock:
            self.requests.append({"time": time.time(), "method": handler.command, "path": handler.path,
                                  "token": handler.headers.get("X-Auth-Token"),
                                  "body": handler.body.decode(errors="replace"),
                                  "fault": fault.name if fault else None})

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Receiver:
    """Where webhooks arrive, and where nothing may arrive."""

    def __init__(self, port, host="127.0.0.1"):
        self.got = got = []

        class Taker(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                try:
                    body = json.loads(body)
                except ValueError:
                    pass
                got.append({"time": time.time(), "path": self.path, "headers": dict(self.headers),
                            "body": body})
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_PUT = do_DELETE = do_POST

            def log_message(self, *_):
                pass

        self.server = Server((host, port), Taker)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.1},
                         daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def write_certificate(path, begin, end):
    """Key and self-signed certificate of 127.0.0.1, good from `begin` to `end`, in days from now."""
    from cryptography import x509  # comes with Keystone
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.utcnow()
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(now + datetime.timedelta(days=begin))
                   .not_valid_after(now + datetime.timedelta(days=end))
                   .add_extension(x509.SubjectAlternativeName(
                       [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
                   .add_extension(x509.BasicConstraints(True, None), True)
                   .sign(key, hashes.SHA256()))
    with open(path, "wb") as file:
        file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                     serialization.NoEncryption()))
        file.write(certificate.public_bytes(serialization.Encoding.PEM))

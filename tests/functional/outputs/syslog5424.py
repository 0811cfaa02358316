# SPDX-License-Identifier: Apache-2.0
"""A strict reader of RFC 5424 messages, from the ABNF of its section 6, and receivers of every transport."""

import re
import socket
import threading
import time

_HEADER = re.compile(
    rb"<(?P<pri>0|[1-9]\d{0,2})>1 "
    rb"(?P<time>\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?"
    rb"(Z|[+-]([01]\d|2[0-3]):[0-5]\d)) "
    rb"(?P<host>[!-~]{1,255}) (?P<app>[!-~]{1,48}) (?P<proc>[!-~]{1,128}) (?P<id>[!-~]{1,32}) ")
_NAME = rb"[!#-<>-\\^-~]{1,32}"  # PRINTUSASCII but = SP ] "
_ELEMENT = re.compile(rb"\[(?P<id>" + _NAME + rb")(?P<params>( " + _NAME +
                      rb'="([^"\\\]]|\\.)*")*)\]')
_PARAM = re.compile(rb" (" + _NAME + rb')="((?:[^"\\\]]|\\.)*)"')
_REGISTERED = {b"timeQuality", b"origin", b"meta", b"alarm"}


def parse(data):
    """{"pri", "time", "host", "app", "proc", "id", "sd": {id: {name: value}}, "text"}; ValueError when it is none."""
    head = _HEADER.match(data)
    if not head or int(head["pri"]) > 191:
        raise ValueError(f"no header: {data!r}")
    message = {name: head[name].decode("ascii") for name in ("pri", "time", "host", "app", "proc", "id")}
    at, elements = head.end(), {}
    while (found := _ELEMENT.match(data, at)):
        name = found["id"]
        if b"@" not in name and name not in _REGISTERED:
            raise ValueError(f"{name!r} is not registered")
        if b"@" in name and not re.fullmatch(rb"[^@]+@[0-9]+(\.[0-9]+)*", name):
            raise ValueError(f"{name!r} names no enterprise")
        if name.decode() in elements:
            raise ValueError(f"{name!r} comes twice")
        params = {key.decode(): re.sub(rb'\\(["\\\]])', rb"\1", value).decode("utf-8")
                  for key, value in _PARAM.findall(found["params"])}
        elements[name.decode()] = params
        at = found.end()
    if not elements:
        raise ValueError(f"no structured data at {data[at:at + 40]!r}")
    if at < len(data) and data[at:at + 1] != b" ":
        raise ValueError(f"structured data goes on: {data[at:at + 40]!r}")
    text = data[at + 1:]
    if text.startswith(b"\xef\xbb\xbf"):
        text = text[3:].decode("utf-8")
    else:
        text = text.decode("ascii")  # without the mark it is taken for that here
    return {**message, "sd": elements, "text": text}


class Collector:
    """Keeps what arrives: (time, bytes)."""

    def __init__(self):
        self.messages, self.lock, self.open = [], threading.Lock(), True

    def take(self, data):
        with self.lock:
            self.messages.append((time.time(), data))

    def all(self):
        with self.lock:
            return [data for _, data in self.messages]

    def parsed(self):
        return [parse(data) for data in self.all()]


class Datagrams(Collector):
    """A local datagram socket (address: a path), or UDP (address: a port)."""

    def __init__(self, address):
        super().__init__()
        local = isinstance(address, str)
        self.socket = socket.socket(socket.AF_UNIX if local else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(address if local else ("127.0.0.1", address))
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                data = self.socket.recv(1 << 16)
            except OSError:
                return
            if not self.open:
                return
            self.take(data)

    def close(self):
        self.open = False
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


class Stream(Collector):
    """TCP; `octets`: RFC 6587 3.4.1, else lines (3.4.2)."""

    def __init__(self, port, octets):
        super().__init__()
        self.octets, self.connections = octets, []
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.read, args=(connection,), daemon=True).start()

    def read(self, connection):
        with connection.makefile("rb") as stream:
            try:
                while (frame := self.frame(stream)):
                    self.take(frame)
            except (OSError, ValueError):
                pass

    def frame(self, stream):
        if not self.octets:
            return stream.readline().rstrip(b"\n")
        digits = b""
        while (digit := stream.read(1)) not in (b" ", b""):
            digits += digit
        if not re.fullmatch(rb"[1-9]\d*", digits):
            return None
        data = stream.read(int(digits))
        return data if len(data) == int(digits) else None

    def close(self):
        for one in [self.listener, *self.connections]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()


def journal_fields(data):
    """{field: value} of an entry in systemd's native protocol."""
    fields, at = {}, 0
    while at < len(data):
        end = data.index(b"\n", at)
        line = data[at:end]
        at = end + 1
        name, equals, value = line.partition(b"=")
        if not equals:
            length = int.from_bytes(data[at:at + 8], "little")
            value = data[at + 8:at + 8 + length]
            at += 8 + length + 1
        fields[name.decode("ascii")] = value.decode("utf-8")
    return fields

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""guest_run.py SOCKET COMMAND: runs a shell command in a test guest over its second serial port
(guest/init tells the protocol), prints its output and ends with its status. One at a time per guest:
qemu serves one client of the socket and lets the next one wait."""

import base64
import os
import socket
import sys
import time

DEADLINE_S = 60


def run(path, command):
    """Returns (output bytes, exit status); TimeoutError when the guest does not answer."""
    request = f"{os.getpid()}.{time.monotonic_ns()}".encode()
    deadline = time.monotonic() + DEADLINE_S
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        channel.settimeout(DEADLINE_S)
        channel.connect(path)
        channel.sendall(request + b" " + base64.b64encode(command.encode()) + b"\n")
        answer = b""
        end = b"\nEND " + request + b" "
        while True:
            channel.settimeout(max(0.01, deadline - time.monotonic()))
            answer += channel.recv(65536)
            head, found, tail = answer.partition(end)
            if found and b"\n" in tail:
                output = head.partition(b"BEGIN " + request + b"\n")[2]
                return output, int(tail.split(b"\n")[0])


def main():
    if len(sys.argv) != 3:
        print("usage: guest_run.py SOCKET COMMAND", file=sys.stderr)
        return 2
    try:
        output, status = run(sys.argv[1], sys.argv[2])
    except OSError as error:
        print(f"guest_run: {sys.argv[1]}: {error}", file=sys.stderr)
        return 125
    sys.stdout.buffer.write(output)
    return status


if __name__ == "__main__":
    sys.exit(main())

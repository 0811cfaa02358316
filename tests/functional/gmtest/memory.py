# SPDX-License-Identifier: Apache-2.0
"""What memory a program may take: one built with AddressSanitizer keeps up to 256 MB of what it has freed."""

import pathlib

QUARANTINE = 256 << 20


def is_sanitized(program):
    return b"libasan" in pathlib.Path(program).read_bytes()


def growth(program, allowed):
    """Bytes that its resident memory may grow by, where it may by so many."""
    return allowed + QUARANTINE if is_sanitized(program) else allowed


def resident(pid):
    """Bytes of a process."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024

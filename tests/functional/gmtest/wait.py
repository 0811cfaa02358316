# SPDX-License-Identifier: Apache-2.0
"""Waiting with a deadline: the only way in which the tests wait for something to happen."""

import time


def wait_until(what, condition, seconds, step=0.05):
    """Returns the first true value of condition(); AssertionError with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(step)


def hold(what, condition, seconds, step=0.2):
    """condition() stays true for `seconds`; AssertionError with `what` as soon as it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not condition():
            raise AssertionError(f"not for {seconds} s: {what}")
        time.sleep(step)

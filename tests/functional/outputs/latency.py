# SPDX-License-Identifier: Apache-2.0
"""The stages of an alarm's way as a table, from the times that the messages carry."""

from datetime import datetime, timezone


def seconds(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp()


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(part * len(values)))]


class Table:
    STAGES = ("found → journalled", "journalled → sent", "sent → received", "found → received")

    def __init__(self, requests):
        self.rows = []
        for request in requests:
            times = request.json["times"]
            found, journalled, sent = (seconds(times[name]) for name in ("found", "journalled", "sent"))
            self.rows.append((journalled - found, sent - journalled, request.received - sent,
                              request.received - found))

    def text(self, what):
        lines = [f"{what}: {len(self.rows)} messages, ms", f"{'stage':<20} {'p50':>8} {'p99':>8} {'max':>8}"]
        for name, values in zip(self.STAGES, zip(*self.rows)):
            shown = [1e3 * value for value in (percentile(values, .5), percentile(values, .99), max(values))]
            lines.append(f"{name:<20} " + " ".join(f"{value:8.1f}" for value in shown))
        return "\n".join(lines)

    def check(self, case):
        """Each stage follows the one before; the clocks are one, times are whole milliseconds."""
        case.assertTrue(self.rows)
        for row in self.rows:
            for value in row:
                case.assertGreater(value, -0.05)

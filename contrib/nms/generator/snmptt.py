# SPDX-License-Identifier: Apache-2.0
"""snmptt's configuration, as snmpttconvertmib makes it of the comments beside each notification."""

import re
import textwrap


def _format(comments):
    """TYPE and SUMMARY, each %s replaced by the variable that ARGUMENTS names: with { 15 } by $16."""
    places = iter(re.findall(r"\d+", comments["ARGUMENTS"]))
    summary = re.sub(r"%s", lambda _: f"${int(next(places)) + 1}", comments["SUMMARY"])
    return f"{comments['TYPE']}: {summary}"


def configuration(module):
    out = [f"# SPDX-License-Identifier: Apache-2.0\n# The notifications of GUESTMON-MIB for snmptt(1), "
           "made from the MIB by contrib/nms/generate."]
    for name, notification in module.notifications.items():
        comments = notification.comments
        variables = "\n".join(f"  {number}: {item}" for number, item in
                              enumerate(notification.objects, 1))
        text = textwrap.fill(" ".join(notification.description.split()), 90)
        out.append(f'EVENT {name} {"." + notification.oid} "Status Events" {comments["SEVERITY"]}\n'
                   f"FORMAT {_format(comments)}\nSDESC\n{text}\nVariables:\n{variables}\nEDESC")
    return "\n\n".join(out) + "\n"

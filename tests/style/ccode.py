# SPDX-License-Identifier: Apache-2.0
"""What the style checks share: finding C files, and looking at code without its comments.

Not a parser. Called by the checks in this folder, each of which prints "file:line: what is wrong"
for every breach and exits 1 when there was any."""
import os
import re
import sys

TOKEN = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def files(roots, endings=(".c", ".h")):
    """Paths under `roots` with one of the endings, sorted; tests/data holds bad code on purpose."""
    found = []
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders[:] = [f for f in folders if not (f == "data" and "tests" in folder.split("/"))]
            found += [os.path.join(folder, n) for n in names if n.endswith(endings)]
    return sorted(found)


def read(path):
    with open(path, encoding="utf-8") as stream:
        return stream.read()


def bare(text):
    """The text with comments and literals blanked; line numbers stay."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return TOKEN.sub(blank, text)


def table(path):
    """Lines of a data file: words before a '#', empty lines left out."""
    rows = (line.split("#")[0].split() for line in read(path).splitlines())
    return [row for row in rows if row]


def finish(breaches, checked):
    """Ends the check. Having looked at nothing is a failure: such a check could never fail."""
    for breach in breaches:
        print(breach)
    if not checked:
        print("nothing was checked")
    sys.exit(1 if breaches or not checked else 0)

# SPDX-License-Identifier: ISC
"""include/motet/calls.def and errors.def as data: numbers, and the errors that each may return."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_ENTRY = re.compile(r"^(CALL|OPERATION)\((.*?)\)\n(?=CALL|OBJECT|OPERATION|\n)", re.M | re.S)


def _entries():
    text = (ROOT / "include/motet/calls.def").read_text(encoding="utf-8")
    for match in _ENTRY.finditer(text):
        names = [part.strip() for part in match[2].split(",")]
        strings = re.findall(r'"((?:[^"\\]|\\.)*)"', match[2])
        if match[1] == "CALL":
            yield "call", names[0], strings[1]
        else:
            yield "operation", f"{names[0]}.{names[1]}", strings[2]


_ERRORS = set(re.findall(r"^ERROR\((\w+)", (ROOT / "include/motet/errors.def").read_text(
    encoding="utf-8"), re.M))
CALLS = [name for kind, name, _ in _entries() if kind == "call"]
OPERATIONS = [name for kind, name, _ in _entries() if kind == "operation"]
# (call or operation, error): all that is documented. What calls.def says in words (send_wait: those
# of send and of wait; invoke: the operation's) has its pairs there.
DOCUMENTED = {(name, error) for _, name, errors in _entries()
              for error in re.findall(r"\b[A-Z_]{3,}\b", errors) if error in _ERRORS}

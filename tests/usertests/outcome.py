# SPDX-License-Identifier: ISC
"""usertests' names, and what a run said about each: for both suites and for run.py."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("MOTET_BUILD", ROOT / "build"))
PROGRAM = BUILD / "usertests/sim"
BUNDLE = BUILD / "images/usertests.bundle"
ELF = BUILD / "images/usertests.elf"
LIMIT = 600  # seconds: a run takes a few; a test that hangs is cut off by the image itself

_LINE = re.compile(r"^usertest (\w+): (ok|skipped|FAILED)(?:: (.*))?$", re.M)
LAST = re.compile(r"^usertests: (\d+) passed, (\d+) failed, (\d+) skipped$", re.M)
EVERY_ERROR = "every_documented_error"  # not a test, but a line for each that is missing


def listed():
    """{name: why it runs in QEMU only, or None}; empty when the program wasn't built."""
    if not PROGRAM.exists():
        return {}
    text = subprocess.run([PROGRAM, "--list"], check=True, capture_output=True, text=True).stdout
    lines = (line.split(": ", 1) for line in text.splitlines())
    return {name: rest[0] if rest else None for name, *rest in lines}


def results(text):
    """{name: (ok, skipped or FAILED, why)} of a whole run's output."""
    found = {}
    for name, result, why in _LINE.findall(text.replace("\r", "")):
        if name in found:  # several missing errors
            why = f"{found[name][1]}; {why}"
        found[name] = (result, why)
    return found


def run_simulator(settings=""):
    """What the simulator printed, and its exit status."""
    done = subprocess.run([PROGRAM, BUNDLE, settings], stdout=subprocess.PIPE, check=False,
                          stderr=subprocess.STDOUT, text=True, timeout=LIMIT)
    return done.stdout, done.returncode

# SPDX-License-Identifier: ISC
"""What sending costs inside Motet: runs the images of bench/ipc/ and reads what they print.

Under -icount the guest's clock counts instructions: each image runs twice, and both must print the
same. Without it the clock is the host's, and every figure has the range of all runs."""

import re
import statistics
from dataclasses import dataclass

from kernel import ICOUNT, guest_output
from lib_qemu import BenchError

APART = ("isolated", "fused")  # images ipc-...
LIMIT = 600  # seconds for one run of an image
ROOT_BATCH_TICKS = re.compile(r"^ipcroot: (\w+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)\r?$", re.M)
CASE = re.compile(r"^(?:\w+: )+ipc (\w+) (\w+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)\r?$", re.M)
KERNEL = re.compile(r"^kbench: (\w+) (\d+) (\d+) (\d+) (\d+)\r?$", re.M)
FREQUENCY = re.compile(r"TSC (\d+) MHz")


@dataclass(frozen=True)
class Case:
    """One thing that is measured, in one place."""

    where: str  # isolated, fused, a mechanism of the host
    pattern: str  # stream: one answer per batch; echo: one per message; ping: it comes back
    mode: str  # enum transfer_mode of bench/ipc/transfer.h
    batch: int
    payload: int  # bytes

    def messages(self):
        """Per batch, both ways; the one answer of a stream is part of its messages' price."""
        return self.batch if self.pattern == "stream" else 2 * self.batch

    def name(self):
        return f"{self.where}_{self.pattern}_{self.mode}{self.payload or ''}_batch{self.batch}"


@dataclass(frozen=True)
class Value:
    """What one batch costs, in the unit of its table."""

    median: float
    least: float
    most: float
    n: int

    def per(self, units, minus=0.0):
        return Value(*((x - minus) / units for x in (self.median, self.least, self.most)), self.n)

    def figure(self, name, unit):
        return {"name": name, "unit": unit, "median": round(self.median, 3),
                "min": round(self.least, 3), "max": round(self.most, 3), "n": self.n}


def merged(values):
    """One Value of several runs': the range of all, the median of the medians."""
    return Value(statistics.median(v.median for v in values), min(v.least for v in values),
                 max(v.most for v in values), sum(v.n for v in values))


def cases(text, where, scale=1.0):
    """The cases that source (bench/ipc/servers/source) printed: {Case: Value of one batch}."""
    found = {}
    for pattern, mode, *numbers in CASE.findall(text):
        batch, payload, median, least, most, n, rounds = map(int, numbers)
        found[Case(where, pattern, mode, batch, payload)] = Value(
            *(x * scale / rounds for x in (median, least, most)), n)
    return found


def root_figures(text, scale=1.0):
    """{(what, batch): Value of one batch} of bench/ipc/root."""
    return {(what, int(batch)): Value(*(int(x) * scale / int(rounds)
                                        for x in (median, least, most)), int(n))
            for what, batch, median, least, most, n, rounds in ROOT_BATCH_TICKS.findall(text)}


def kernel_figures(text, scale=1.0):
    return {name: Value(*(int(x) * scale for x in (median, least, most)), int(n))
            for name, median, least, most, n in KERNEL.findall(text)}


def checked(image, text, end):
    """The text, if the image has said nothing of an error."""
    if re.search(r"^bench: |ipc error: ", text, re.M) or end not in text:
        raise BenchError(f"{image}: {text[-2000:]}")
    return text


def boot(image, end, *options, append=""):
    words = ["-append", append] if append else []
    text = guest_output(image, *options, *words, end=end.encode(), error=b"ipc error: ",
                        seconds=LIMIT)
    return checked(image, text, end)


def figures_only(text):
    return [line for line in text.splitlines() if re.match(r"(ipcroot|kbench|(\w+: )+ipc)\b", line)]


def repeated(image, end, append=""):
    """What the image prints under -icount, twice the same."""
    first, second = (boot(image, end, *ICOUNT, append=append) for _ in range(2))
    if figures_only(first) != figures_only(second):
        differing = [pair for pair in zip(figures_only(first), figures_only(second))
                     if pair[0] != pair[1]]
        raise BenchError(f"{image}: two runs under -icount differ: {differing[:3]}")
    return first


@dataclass
class Measured:
    """All of one mode: of instructions, or of nanoseconds."""

    unit: str
    cases: dict
    root: dict
    kernel: dict


def instructions(images, append):
    """IMAGES is a folder. A Measured in instructions."""
    found = {}
    for where in APART:
        found |= cases(repeated(images / f"ipc-{where}.elf", "ipc done", append), where)
    return Measured("instructions", found,
                    root_figures(repeated(images / "ipc-root.elf", "ipcroot: done")),
                    kernel_figures(repeated(images / "kbench.elf", "kbench: done")))


def nanoseconds(images, append, runs):
    """The same by the clock on the wall, RUNS times."""
    def all_runs(image, end, parse, append=""):
        parsed = []
        for _ in range(runs):
            text = boot(image, end, append=append)
            parsed.append(parse(text, 1e3 / int(FREQUENCY.search(text)[1])))
        return {key: merged([one[key] for one in parsed]) for key in parsed[0]}

    found = {}
    for where in APART:
        found |= all_runs(images / f"ipc-{where}.elf", "ipc done",
                          lambda text, scale, where=where: cases(text, where, scale), append)
    return Measured("ns", found,
                    all_runs(images / "ipc-root.elf", "ipcroot: done", root_figures),
                    all_runs(images / "kbench.elf", "kbench: done", kernel_figures))

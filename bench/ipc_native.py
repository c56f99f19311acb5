# SPDX-License-Identifier: ISC
"""The same servers and channels as two processes of the host, beside what a Linux program would use
there: build/bench/ipc-native. All kinds take turns, so that whatever else the host does hits all."""

from ipc_guest import cases, merged
from lib_qemu import BenchError, run

LIMIT = 300  # seconds for one kind
CPUS = ("one", "two")
# Polling on the one processor that the other needs measures the scheduler; a fused domain has one.
LEFT_OUT = {("spin", "one"), ("fused", "two")}


def kinds(program):
    """[(motet or linux, name)]"""
    return [tuple(line.split()) for line in run(program).splitlines()]


def where(kind, cpus):
    return f"native_{kind}_{cpus}"


def measure(program, samples, rounds, runs, is_short):
    """({Case: Value of one batch, nanoseconds}, names of what this kernel hasn't got)."""
    taken, missing = {}, set()
    todo = [(kind, cpus) for _, kind in kinds(program) for cpus in CPUS
            if (kind, cpus) not in LEFT_OUT]
    for _ in range(runs):
        for kind, cpus in todo:
            text = run(program, kind, cpus, samples, rounds, *["short"] * is_short, seconds=LIMIT)
            if text.endswith("ipc not available\n"):
                missing.add(kind)
                continue
            if not text.endswith("ipc done\n"):
                raise BenchError(f"ipc-native {kind} {cpus}: {text[-500:]}")
            for case, value in cases(text, where(kind, cpus)).items():
                taken.setdefault(case, []).append(value)
    return {case: merged(values) for case, values in taken.items()}, sorted(missing)

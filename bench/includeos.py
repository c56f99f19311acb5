# SPDX-License-Identifier: ISC
"""The experiment with which IncludeOS was introduced (Bratterud et al., 2015): 1000 DNS queries, one
at a time, to a responder in the unikernel and in a Linux guest, and what QEMU spends on them; STREAM's
triad in both.

    make bench ONLY=includeos

The responder is dnsd's answering code in all but one guest: in Motet's image, and as the only
process of Linux with the same zone database; beside them the bare responder of bench/linux. In each
round each guest is booted anew and asked, in turn. CPU time is that of QEMU's threads, split into
the one that executes the guest's code and all others, which move its packets. Means with 95 %
confidence intervals (bootstrap percentiles); ratios are of one round's pair."""

import argparse
import json
import random
import re
import signal
import sys
import time
from pathlib import Path

import lib_qemu
from lib_qemu import BenchError, Client, Guest, Qemu

ROUNDS = 15
QUERIES = 1000
WARM_UP = 100
START_LIMIT = 30  # seconds
TRIAD_LIMIT = 60
TRIAD_ROUNDS = 10
RESAMPLES = 4000
RUN_LIMIT = 1800
LINUX = lib_qemu.BUILD / "linux"
PARTS = ("vcpu", "rest", "all")


def mean(values):
    return sum(values) / len(values)


def interval(values, chance):
    """Between which the mean lies, with 95 %."""
    means = sorted(mean(chance.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return means[RESAMPLES * 25 // 1000], means[RESAMPLES * 975 // 1000 - 1]


def figure(name, unit, values, chance):
    low, high = interval(values, chance)
    return {"name": name, "unit": unit, "mean": round(mean(values), 4), "low": round(low, 4),
            "high": round(high, 4), "n": len(values), "values": [round(one, 4) for one in values]}


def print_table(figures):
    print(f"{'figure':<36}{'mean':>10}  {'95 % interval':<22}{'n':>4}  unit")
    for one in figures:
        between = f"{one['low']:.4g} to {one['high']:.4g}"
        print(f"{one['name']:<36}{one['mean']:>10.4g}  {between:<22}{one['n']:>4}  {one['unit']}")


def build_linux():
    sources = [*(lib_qemu.ROOT / "bench/linux").iterdir(), *(lib_qemu.ROOT / "servers/dnsd").glob("*.[ch]"),
               lib_qemu.ROOT / "bench/triad/triad.h"]
    if not lib_qemu.is_newer(LINUX / "initramfs-triad.gz", *sources):
        lib_qemu.run(lib_qemu.ROOT / "bench/linux/build.sh", seconds=600)


def linux(name, archive):
    return Guest(name, LINUX / "vmlinuz", LINUX / archive, lib_qemu.LINUX_APPEND, memory=128)


def queries_sample(guest, options):
    """Milliseconds of (the guest's thread, all others, both) for the queries of one boot."""
    with Qemu(guest, options.network, options=lib_qemu.DEBUG_THREADS) as qemu:
        with Client(qemu, options.query) as client:
            lib_qemu.wait_ready(client, qemu, START_LIMIT)
            client.ask(WARM_UP)
            client.drain()
            before = qemu.cpu_split()
            client.ask(QUERIES)
            client.drain()  # waits, so that what follows the last answer is counted
            after = qemu.cpu_split()
    inside, outside = ((late - early) * 1e3 for early, late in zip(before, after))
    if inside <= 0:
        raise BenchError("no thread of QEMU's is called after its CPU: no debug-threads?")
    return inside, outside, inside + outside


def measure_queries(options, chance):
    guests = {"motet": options.guest, "linux_dnsd": linux("linux_dnsd", "initramfs-dnsd.gz"),
              "linux_bare": linux("linux_bare", "initramfs.gz")}
    taken = {name: [] for name in guests}
    for number in range(options.rounds):
        for name, guest in guests.items():
            taken[name].append(queries_sample(guest, options))
        print(f"\rround {number + 1} of {options.rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for name, samples in taken.items():
        for part, values in zip(PARTS, zip(*samples)):
            yield figure(f"cpu_{QUERIES}_{name}_{part}", "ms", values, chance)
    for other in ("linux_dnsd", "linux_bare"):
        for at, part in enumerate(PARTS):
            ratios = [ours[at] / theirs[at] for ours, theirs in zip(taken["motet"], taken[other])]
            yield figure(f"ratio_motet_{other}_{part}", "x", ratios, chance)


class NoNetwork:
    """For guests that only compute."""

    name, address = "none", None

    @staticmethod
    def options():
        return ["-netdev", "user,id=n0,restrict=on"]


def triad_sample(guest):
    """Megabytes per second, as the guest prints them."""
    with Qemu(guest, NoNetwork()) as qemu:
        limit = time.monotonic() + TRIAD_LIMIT
        while time.monotonic() < limit and qemu.running:
            if found := re.search(r"triad: (\d+) MB/s", qemu.said()):
                if int(found[1]) == 0:
                    raise qemu.failure("the triad's sums were wrong")
                return int(found[1])
            time.sleep(0.05)
        raise qemu.failure("no triad")


def measure_triad(options, chance):
    guests = {"motet": Guest("triad", options.triad), "linux": linux("linux_triad", "initramfs-triad.gz")}
    taken = {name: [] for name in guests}
    for _ in range(options.triad_rounds):
        for name, guest in guests.items():
            taken[name].append(triad_sample(guest))
    for name, values in taken.items():
        yield figure(f"triad_{name}", "MB/s", values, chance)
    yield figure("ratio_triad_motet_linux", "x",
                 [ours / theirs for ours, theirs in zip(taken["motet"], taken["linux"])], chance)


def stop(number, _):
    raise SystemExit(f"bench/includeos.py: stopped by {signal.Signals(number).name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", type=Path, required=True, help="the DNS image")
    parser.add_argument("--triad", type=Path, required=True, help="the image that measures the triad")
    parser.add_argument("--out", type=Path, required=True, help="the result file (JSON)")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--triad-rounds", type=int, default=TRIAD_ROUNDS)
    parser.add_argument("--net", choices=("auto", "user", "tap"), default="auto")
    parser.add_argument("--query", default="www.example.org", help="a name with an address")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, stop)
    signal.alarm(RUN_LIMIT)
    try:
        build_linux()  # before the network of our own is entered: packages come from outside
        options.guest = Guest("motet", options.image)
        options.network = lib_qemu.open_network(options.net)
        print(f"{options.image}, software emulation, {options.network.name} network", flush=True)
        chance = random.Random(1)
        figures = [*measure_queries(options, chance), *measure_triad(options, chance)]
    except (BenchError, OSError) as error:
        raise SystemExit(f"bench/includeos.py: {error}") from error
    print_table(figures)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

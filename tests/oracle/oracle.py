# SPDX-License-Identifier: ISC
"""Compares dnsd with NSD and Knot on random zones: `make oracle` (docs/oracle.md).

    oracle.py [--seed N] [--zones N | --minutes N]      many groups of zones
    oracle.py --seed N --group M [--query HEX]          one of them again, or one query

Prints each unexplained difference with the smallest zones that show it, the query, the three
answers, and the command that repeats it. Fails if there was one.
"""

import argparse
import collections
import signal
import sys
import tempfile
import time
from pathlib import Path

import judge
import queries
import servers
import shrink
import wire
import zones

GROUPS = 40  # served at a time: few enough to start soon, many enough that starting costs little
SHOWN = 5  # differences shrunk and printed for one batch: more are probably the same
ASKED_AGAIN = 200  # queries asked without a limit of size at a time


class Difference:
    """What nothing explains."""

    def __init__(self, group, kind, query, answers, left):
        self.group, self.kind, self.query, self.answers, self.left = group, kind, query, answers, left


class Tally:
    """What was compared, and how it came out."""

    def __init__(self):
        self.groups = self.zones = self.records = self.signed = 0
        self.queries = collections.Counter()  # by class
        self.rules = collections.Counter()
        self.identical = 0
        self.differences = []

    def add_groups(self, groups):
        for group in groups:
            self.groups += 1
            self.zones += len(group.zones)
            self.records += sum(len(zone.records) for zone in group.zones)
            self.signed += sum(bool(zone.signing) for zone in group.zones)

    def text(self):
        asked = sum(self.queries.values())
        lines = [f"{self.groups} groups, {self.zones} zones ({self.signed} signed), {self.records} records,"
                 f" {asked} queries", f"  {self.identical} answered with the same octets by all three"]
        lines += [f"  {count:9} {name}" for name, count in sorted(self.rules.items())]
        lines.append(f"{len(self.differences)} unexplained differences")
        return "\n".join(lines)


def compare(groups, asked, running, tally):
    """Asks the three servers all of ASKED, (group, class, query), and judges the answers."""
    world = judge.World(groups)
    again = []

    def note(group, kind, query, answers, used, left):
        tally.rules.update(used)
        if left:
            tally.differences.append(Difference(group, kind, query, answers, left))

    answers = running.ask(query for _, _, query in asked)
    for (group, kind, query), (_, three) in zip(asked, answers):
        tally.queries[kind] += 1
        if three[0] is not None and three[0] == three[1] == three[2]:
            tally.identical += 1
            continue
        used, left, case = judge.judge(query, three, world)
        if left == ["silence"]:  # or an answer was lost on its way: alone that doesn't happen
            (_, three), = running.ask([query])
            used, left, case = judge.judge(query, three, world)
        if used is None:
            again.append((group, kind, query, case))
        else:
            note(group, kind, query, three, used, left)
    for at in range(0, len(again), ASKED_AGAIN):
        part = again[at:at + ASKED_AGAIN]
        for (group, kind, query, case), three in zip(part, running.ask_whole(q for _, _, q, _ in part)):
            used, left, _ = judge.judge_whole(case, three)
            note(group, kind, query, three, used, left)


def run(groups, build, tally, chosen=None):
    """One start of the servers: all queries for GROUPS, or only CHOSEN for each."""
    with tempfile.TemporaryDirectory(prefix="motet-zones-") as folder:
        keys = zones.Keys(folder)
        for group in groups:
            zones.write(group, folder, keys)
        tally.add_groups(groups)
        origins = [origin for group in groups for origin in group.origins()]
        with servers.Servers(folder, origins, build) as running:
            asked = [(group, kind, query) for group in groups
                     for kind, query in (chosen or queries.make(group))]
            compare(groups, asked, running, tally)


def unexplained(group, query, build):
    """The difference that QUERY shows on GROUP alone, or None. Zones that a server refuses show
    none."""
    tally = Tally()
    try:
        run([group], build, tally, [("again", query)])
    except (servers.Failure, zones.SigningFailed):
        return None
    return tally.differences[0] if tally.differences else None


def report(difference, build, shrinking=True):
    """Prints a difference, made as small as it gets."""
    group = difference.group
    if shrinking:
        difference = shrink.shrink(difference, lambda smaller, query: unexplained(smaller, query, build))
    print(f"\n==== {difference.kind}: {', '.join(difference.left)}")
    for zone in difference.group.zones:
        signing = f", signed: {' '.join(zone.signing)}" if zone.signing else ""
        print(f"zone {servers.origin_text(zone.origin)}{signing}")
        print("".join(f"    {line}\n" for line in zone.text().splitlines()), end="")
    print(f"query {judge.Asked(difference.query).text()}")
    for name, answer in zip(("motet", "nsd", "knot"), difference.answers):
        print(f"{name}:")
        try:
            print("  no answer" if answer is None else wire.Answer(answer).text())
        except wire.Broken as problem:
            print(f"  {problem}: {answer.hex()}")
    print(f"again: tests/oracle/oracle.py --seed {group.seed} --group {group.number} "
          f"--query {difference.query.hex()}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=servers.BUILD)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--zones", type=int, default=200, help="groups of zones")
    parser.add_argument("--minutes", type=float, help="as many groups as go into that")
    parser.add_argument("--group", type=int, help="only this one of the seed's")
    parser.add_argument("--query", type=bytes.fromhex, help="only this query, in hexadecimal")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    missing = servers.missing()
    if missing:
        sys.exit(f"missing: {', '.join(missing)}; run 'make setup'")

    tally, start, number = Tally(), time.monotonic(), options.group or 0
    end = number + (1 if options.group is not None else options.zones)
    while True:
        if options.minutes and options.group is None:
            if time.monotonic() - start > options.minutes * 60:
                break
        elif number >= end:
            break
        count = GROUPS if options.minutes and options.group is None else min(GROUPS, end - number)
        before = len(tally.differences)
        chosen = [("chosen", options.query)] if options.query else None
        run([zones.generate(options.seed, number + one) for one in range(count)], options.build, tally,
            chosen)
        for difference in tally.differences[before:before + SHOWN]:
            report(difference, options.build)
        number += count
        print(f"{tally.groups} groups, {sum(tally.queries.values())} queries,"
              f" {len(tally.differences)} unexplained, {time.monotonic() - start:.0f} s", flush=True)
    print(tally.text())
    sys.exit(1 if tally.differences or not tally.queries else 0)


if __name__ == "__main__":
    main()

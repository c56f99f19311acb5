# SPDX-License-Identifier: ISC
"""Measures what swaps cost: `make bench ONLY=swap`. dnsperf asks at half the rate that the image
manages, without a retry, while the host swaps one server after the other; then each of them is killed.
Figures: queries lost, the blackout that the image reports for each swap, the state's size, and how long
the service is away after a crash (bench/restart.py). Prints a table and writes the figures as JSON."""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lib_qemu import (BenchError, Client, Guest, Qemu, control_channel, dnsperf, figure, open_network,
                      print_table, wait_ready, write_results)
from restart import LIMIT, READY_SECONDS, pause

NAME = "www.example.org"
SERVERS = ("netd", "virtio_drv", "dnsd")
FASTEST_SECONDS = 3  # dnsperf, for the image's maximum
BEFORE_SECONDS = 1  # of load, before the first swap
OUTSTANDING = 200  # queries at most: fewer than the image has buffers, or dnsperf's own bursts get lost
QUERY_SECONDS = 5  # dnsperf's timeout: a query not answered by then is lost


class Asker:
    """dnsperf in the background at a steady rate; afterwards `lost` and `sent`."""

    def __init__(self, address, rate):
        self._queries = tempfile.NamedTemporaryFile("w", prefix="motet-bench-")
        self._queries.write(f"{NAME} A\n")
        self._queries.flush()
        self._command = ["dnsperf", "-s", address[0], "-p", str(address[1]), "-d",
                         self._queries.name, "-q", str(OUTSTANDING), "-c", "1", "-T", "1", "-t",
                         str(QUERY_SECONDS), "-Q", str(rate), "-l", "100000"]
        self.sent = self.lost = 0

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, text=True,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        time.sleep(BEFORE_SECONDS)
        return self

    def __exit__(self, *_):
        self._process.send_signal(2)  # as Ctrl-C: it waits for what is under way, and reports
        try:
            printed, _ = self._process.communicate(timeout=LIMIT + QUERY_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        finally:
            self._queries.close()
        for name in ("sent", "lost"):
            found = re.search(rf"Queries {name}:\s+([0-9]+)", printed)
            if not found:
                raise BenchError(f"dnsperf said nothing of queries {name}:\n{printed}")
            setattr(self, name, int(found[1]))


def measure(options):
    network = open_network(options.network)
    with tempfile.TemporaryDirectory(prefix="motet-bench-") as folder:
        path = os.path.join(folder, "control")

        def motet(*words):
            return subprocess.run([options.motet, *words, "--socket", path], check=True,
                                  capture_output=True, text=True, timeout=LIMIT).stdout

        guest = Guest("motet", kernel=options.image)
        with Qemu(guest, network, options=control_channel(path)) as qemu, Client(qemu, NAME) as client:
            wait_ready(client, qemu, READY_SECONDS)
            fastest = statistics.median(
                dnsperf(network.address, NAME, FASTEST_SECONDS)[0] for _ in range(3))
            figures = [figure("qps_q64", "queries/s", [fastest]),
                       figure("qps_offered", "queries/s", [fastest / 2])]
            figures += swaps(options, network.address, int(fastest / 2), motet)
            figures += crashes(options, network.address, motet)
    return figures


def swaps(options, address, rate, motet):
    blackouts = {server: [] for server in SERVERS}
    states = {server: [] for server in SERVERS}
    queued = []
    with Asker(address, rate) as asker:
        for n in range(options.swaps):
            server = SERVERS[n % len(SERVERS)]
            new = options.programs / f"{server}.elf"
            words = [str(new)] if n < options.files else []
            told = json.loads(motet("swap", server, *words, "--commit", "--json"))
            blackouts[server].append(told["blackout_ns"] / 1e6)
            states[server].append(told["state_bytes"])
            queued.append(told["queued"])
            if sys.stderr.isatty():
                print(f"\r{n + 1} of {options.swaps} swaps", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    every = [one for values in blackouts.values() for one in values]
    return ([figure("swaps", "swaps", [options.swaps]), figure("queries", "queries", [asker.sent]),
             figure("lost", "queries", [asker.lost]), figure("blackout", "ms", every),
             figure("queued", "messages", queued)]
            + [figure(f"blackout_{server}", "ms", values) for server, values in blackouts.items()]
            + [figure(f"state_{server}", "bytes", values) for server, values in states.items()])


def crashes(options, address, motet):
    return [figure("crash_to_service", "ms",
                   [1000 * crash(address, motet) for _ in range(options.runs)])]


def crash(address, motet):
    motet("restart", "netd")  # a restart on purpose isn't counted: the next crash is the first in a row
    return pause(address, lambda: motet("kill", "netd"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("image", "motet", "programs", "out"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    parser.add_argument("--runs", default=5, type=int, help="crashes (%(default)s)")
    parser.add_argument("--swaps", default=1000, type=int, help="(%(default)s)")
    parser.add_argument("--files", default=9, type=int,
                        help="of them, with a program sent from the host (%(default)s)")
    parser.add_argument("--network", default="auto", choices=("auto", "tap", "user"))
    options = parser.parse_args()
    try:
        figures = measure(options)
    except subprocess.CalledProcessError as error:
        print(f"bench/swap.py: {' '.join(map(str, error.cmd))}: {error.stdout}{error.stderr}",
              file=sys.stderr)
        return 1
    except (BenchError, subprocess.SubprocessError, OSError) as error:
        print(f"bench/swap.py: {error}", file=sys.stderr)
        return 1
    print_table(figures)
    write_results(figures, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: ISC
"""Measures how long the service is away when a server dies: `make bench ONLY=restart`. One query
after the other, about every half millisecond, while the host kills a server; the figure is the
longest pause between two answers around the death, from outside, queries that got lost included.
Prints a table and writes the same figures as JSON."""

import argparse
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from lib_load import IDS, question
from lib_qemu import (BenchError, Client, Guest, Qemu, UserNetwork, control_channel, figure,
                      print_table, wait_ready, write_results)

NAME = "www.example.org"
READY_SECONDS = 30
STEP = 0.0005  # seconds between two queries
BEFORE, AFTER = 0.2, 1.0  # seconds of queries around a death
LIMIT = 20  # seconds for what takes well below one
STEADY = 10.5  # seconds: then a restart isn't "in a row" any more, and comes at once


def pause(address, act):
    """Seconds of the longest pause between two answers, while act() runs in between."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.connect(address)
        link.setblocking(False)
        worker = threading.Thread(target=act)
        begin = last = time.monotonic()
        number, longest, started = 0, 0.0, False
        while time.monotonic() < begin + BEFORE + AFTER or worker.is_alive():
            if not started and time.monotonic() > begin + BEFORE:
                worker.start()
                started = True
            try:
                link.send(question(number := (number + 1) % IDS, NAME))
            except (BlockingIOError, ConnectionRefusedError):
                pass
            if not select.select([link], [], [], STEP)[0]:
                if time.monotonic() > last + LIMIT:
                    raise BenchError(f"no answer for {LIMIT} s after a death")
                continue
            try:
                while True:
                    if struct.unpack(">2H", link.recv(4096)[:4])[1] & 0x800f != 0x8000:
                        raise BenchError("a wrong answer")
                    now = time.monotonic()
                    longest, last = max(longest, now - last), now
            except (BlockingIOError, ConnectionRefusedError):
                pass
        return longest


def measure(options):
    server = {"dnsd": [], "netd": [], "virtio_drv": []}
    alone = []
    network = UserNetwork()
    with tempfile.TemporaryDirectory(prefix="motet-bench-") as folder:
        path = os.path.join(folder, "control")
        guest = Guest("motet", kernel=options.image)
        with Qemu(guest, network, options=control_channel(path)) as qemu, Client(qemu, NAME) as client:
            wait_ready(client, qemu, READY_SECONDS)

            def kill(name):
                subprocess.run([options.motet, "kill", name, "--socket", path], check=True,
                               capture_output=True, timeout=LIMIT)

            for _ in range(options.runs):
                for name, values in server.items():
                    values.append(1000 * pause(network.address, lambda name=name: kill(name)))
                    alone.append(1000 * pause(network.address, lambda: None))
                time.sleep(STEADY)
    return ([figure(f"crash_to_service_{name}", "ms", values) for name, values in server.items()]
            + [figure("pause_without_crash", "ms", alone)])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("image", "motet", "out"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    parser.add_argument("--runs", default=5, type=int)
    options = parser.parse_args()
    try:
        figures = measure(options)
    except (BenchError, subprocess.SubprocessError, OSError) as error:
        print(f"bench/restart.py: {error}", file=sys.stderr)
        return 1
    print_table(figures)
    write_results(figures, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: ISC
"""What network drivers execute per packet (`make bench ONLY=driver`), and how long drivers are.

The image driver-wire has two drivers whose cards are on one wire, and a client of both: what it has
one of them send, the other one receives, in batches. bench/plugin counts guest instructions under
-icount. The image runs twice for each direction, with few batches and with many; the difference is
that of the batches alone. Prints tables and writes the figures as JSON."""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from ipc_profile import Profile
from kernel import ICOUNT
from lib_qemu import ROOT, BenchError, print_table, write_results

DRIVERS = ("virtio_drv", "e1000_drv")  # in the order of the client's ports
QEMU = ["qemu-system-x86_64", "-cpu", "max", "-m", "64", "-display", "none", "-nodefaults", "-vga", "none",
        "-no-reboot", "-serial", "stdio", "-netdev", "hubport,id=n0,hubid=0", "-netdev",
        "hubport,id=n1,hubid=0", "-device", "virtio-net-pci,netdev=n0", "-device", "e1000,netdev=n1"]
SECONDS = 120
QUIET = 0.05  # seconds without an instruction: all have gone to sleep
BATCH = 32
FEW, MANY = 20, 120  # batches
BUSIEST = 12  # functions of a driver that --functions prints


class Wire:
    """The image, counted."""

    def __init__(self, image, kernel):
        self._image, self._kernel = image, kernel
        drawn = json.loads(image.with_suffix(".map.json").read_text(encoding="utf-8"))
        self._domains = [(domain["name"], ROOT / domain["elf"]) for domain in drawn["domains"]]

    def run(self, sender, batches, batch):
        """A Reading of a whole run."""
        words = f"packets.from={sender} packets.batches={batches} packets.batch={batch}"
        with Profile(self._domains, self._kernel) as profile:
            command = [*QEMU, *ICOUNT, *profile.options(), "-kernel", str(self._image), "-append", words]
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT) as qemu:
                try:
                    self._wait(qemu, f"packets: done: {batches} batches of {batch} frames".encode())
                    return self._settled(profile)
                finally:
                    qemu.kill()

    def _wait(self, qemu, end):
        limit, text = time.monotonic() + SECONDS, b""
        os.set_blocking(qemu.stdout.fileno(), False)
        while end not in text:
            text += qemu.stdout.read() or b""
            if time.monotonic() > limit or qemu.poll() is not None or b"packets: error: " in text:
                raise BenchError(f"{self._image}: never printed {end!r}; it printed:\n"
                                 f"{text.decode(errors='replace')}")
            time.sleep(QUIET)

    @staticmethod
    def _settled(profile):
        before = profile.read()
        while True:
            time.sleep(QUIET)
            now = profile.read()
            if now.instructions() == before.instructions():
                return now
            before = now

    def batches(self, sender, few, many, batch):
        """The Reading of MANY - FEW batches."""
        return self.run(sender, many, batch) - self.run(sender, few, batch)


def of_domain(reading, domain):
    return sum(counts[0] for (place, _, _), counts in reading.functions.items() if place == domain)


def packet_figures(wire, options):
    """Instructions of each driver per packet of each direction, kernel entries per batch of all three
    domains; and the busiest functions as lines of text."""
    figures, functions = [], []
    packets = (options.many - options.few) * options.batch

    def add(name, unit, value):
        figures.append({"name": name, "unit": unit, "median": value, "min": value, "max": value, "n": 1})

    for sender, name in enumerate(DRIVERS):
        reading = wire.batches(sender, options.few, options.many, options.batch)
        for driver, what in ((name, "tx"), (DRIVERS[1 - sender], "rx")):
            add(f"{driver}_{what}_instructions", "instructions/packet",
                round(of_domain(reading, driver) / packets, 1))
            lines = [line for line in reading.busiest(packets, 0.5) if line[2] == driver][:BUSIEST]
            functions += [f"{driver} {what}: {line[0]:7.1f} in {line[1]:5.2f} calls: {line[4]} ({line[3]})"
                          for line in lines]
        add(f"{name}_to_{DRIVERS[1 - sender]}_entries", "kernel entries/batch",
            round(reading.entries / (options.many - options.few), 1))
    return figures, functions


def code_lines(path):
    """Lines of clang-formatted C that hold more than a comment."""
    text = re.sub(r"/\*.*?\*/", lambda match: "\n" * match[0].count("\n"), path.read_text(), flags=re.S)
    return sum(bool(re.sub(r"//.*", "", line).strip()) for line in text.splitlines())


def line_figures():
    figures = []
    folders = [*(ROOT / "servers").glob("*_drv"), ROOT / "servers/virtio_rng", ROOT / "servers/virtio_blk",
               ROOT / "servers/virtio_con", ROOT / "libos/driver", ROOT / "libos/virtio"]
    for folder in sorted(folders):
        parts = {"": [path for path in folder.glob("*.[ch]") if path.name != "swap.c"],
                 "_swap": list(folder.glob("swap.c"))}
        for part, paths in parts.items():
            if paths:
                lines = sum(map(code_lines, paths))
                name = f"{folder.relative_to(ROOT).as_posix().replace('/', '_')}{part}_lines"
                figures.append({"name": name.removeprefix("servers_"), "unit": "lines", "median": lines,
                                "min": lines, "max": lines, "n": 1})
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--image", type=Path, required=True, help="driver-wire.elf")
    parser.add_argument("--kernel", type=Path, required=True, help="the kernel with symbols")
    parser.add_argument("--out", type=Path, required=True, help="JSON")
    parser.add_argument("--batch", type=int, default=BATCH, help="frames in a batch, 1 to 32")
    parser.add_argument("--few", type=int, default=FEW, help="batches of the shorter run")
    parser.add_argument("--many", type=int, default=MANY, help="batches of the longer one")
    parser.add_argument("--functions", action="store_true", help="print where the instructions go")
    options = parser.parse_args()
    if not 1 <= options.batch <= BATCH or not 1 <= options.few < options.many:
        parser.error("a batch has 1 to 32 frames, and --many is more than --few")
    try:
        packets, functions = packet_figures(Wire(options.image, options.kernel), options)
    except BenchError as error:
        sys.exit(f"bench: {error}")
    figures = packets + line_figures()
    print_table(figures)
    if options.functions:
        print("\n".join(functions))
    write_results(figures, options.out)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: ISC
"""The kernel's figures (`make bench ONLY=kernel`), in guest instructions.

The image kbench (bench/kernel/) measures itself under -icount, where the clock counts
instructions, and prints its medians. The longest kernel entry is counted from outside, by
bench/plugin/entry.c, over the images given: each runs until its last line or until it is quiet.
"""

import argparse
import os
import re
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lib_qemu import BenchError, build_plugin, print_table, run, write_results

SECONDS = 120
QEMU = ["qemu-system-x86_64", "-cpu", "max", "-m", "64", "-display", "none", "-nodefaults",
        "-vga", "none", "-no-reboot", "-serial", "stdio",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=0x4",
        "-netdev", "user,id=n0,ipv6=off", "-device", "virtio-net-pci,netdev=n0"]
ICOUNT = ["-icount", "shift=0,sleep=off"]
IOMMU = ["-machine", "q35", "-device", "intel-iommu"]  # for the longest entry: there is more to do
LINE = re.compile(r"^kbench: (\w+) (\d+) (\d+) (\d+) (\d+)\r?$", re.M)
EXPECTED = 8


def guest_output(image, *options, end, error=None, seconds=SECONDS):
    """What the guest printed, up to the line that holds END. Ends early when it prints ERROR."""
    with subprocess.Popen(
            [*QEMU, *options, "-kernel", str(image)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as qemu:
        limit, text = time.monotonic() + seconds, b""
        os.set_blocking(qemu.stdout.fileno(), False)
        try:
            while time.monotonic() < limit and qemu.poll() is None and end not in text:
                if error and error in text:
                    break
                text += qemu.stdout.read() or b""
                time.sleep(0.05)
            text += qemu.stdout.read() or b""
        finally:
            qemu.kill()
    if end not in text:
        raise BenchError(f"{image}: never printed {end!r}; it printed:\n{text.decode(errors='replace')}")
    return text.decode(errors="replace")


def calls(image):
    text = guest_output(image, *ICOUNT, end=b"kbench: done")
    found = [{"name": name, "unit": "instructions", "median": int(median), "min": int(least),
              "max": int(most), "n": int(n)} for name, median, least, most, n in LINE.findall(text)]
    if len(found) != EXPECTED:
        raise BenchError(f"{image}: {len(found)} figures, not {EXPECTED}:\n{text}")
    return found


def text_bytes(kernel):
    for line in run("size", "-A", kernel).splitlines():
        words = line.split()
        if words and words[0] == ".text":
            return int(words[1])
    raise BenchError(f"{kernel}: no .text")


def longest_entry(plugin, image, end):
    """(instructions, entries, address of the last block) of the longest entry of one run."""
    with tempfile.TemporaryDirectory(prefix="motet-bench-") as folder:
        out = Path(folder, "out")
        guest_output(image, *ICOUNT, *IOMMU, "-plugin", f"{plugin},out={out}", end=end)
        return struct.unpack("=3Q", out.read_bytes())


def longest(images):
    plugin, found = build_plugin("entry"), []
    for image, end in images:
        length, entries, last = longest_entry(plugin, image, end.encode())
        print(f"{Path(image).stem}: longest of {entries:,} entries {length:,} instructions, "
              f"its last block at 0x{last:x}")
        found.append(length)
    return found


def single(name, unit, values):
    return {"name": name, "unit": unit, "median": max(values), "min": min(values),
            "max": max(values), "n": len(values)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", required=True, help="kbench's ELF")
    parser.add_argument("--kernel", required=True, help="the kernel's ELF, with its sections")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--entry", action="append", default=[], metavar="IMAGE=TEXT",
                        help="count entries of this image too, until it prints TEXT")
    options = parser.parse_args()
    images = [(options.image, "kbench: done")] + [one.split("=", 1) for one in options.entry]
    try:
        figures = calls(options.image)
        figures.append(single("text_bytes", "bytes", [text_bytes(options.kernel)]))
        figures.append(single("longest_entry", "instructions", longest(images)))
    except BenchError as error:
        sys.exit(f"bench: {error}")
    print_table(figures)
    write_results(figures, options.out)


if __name__ == "__main__":
    main()

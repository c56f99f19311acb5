# SPDX-License-Identifier: ISC
"""Runs the image of usertests in QEMU and prints what it says: `make usertests [ONLY=name]`. Exit
status: 0 when all passed."""

import argparse
import subprocess
import sys

from outcome import ELF, LAST, LIMIT

QEMU = ["qemu-system-x86_64", "-machine", "q35", "-device", "intel-iommu", "-cpu", "max", "-m", "64", "-display", "none", "-nodefaults",
        "-vga", "none", "-no-reboot", "-serial", "stdio",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=0x4"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", default=ELF)
    parser.add_argument("--only", default="", help="a part of the tests' names")
    options = parser.parse_args()
    settings = f"usertests.only={options.only}" if options.only else ""
    last = None
    with subprocess.Popen([*QEMU, "-kernel", str(options.image), "-append", settings], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as qemu:
        for line in qemu.stdout:
            print(line.rstrip(), flush=True)
            last = LAST.match(line.rstrip()) or last
        qemu.wait(LIMIT)
    sys.exit(0 if last and int(last[1]) and not int(last[2]) else 1)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: ISC
"""Flips bits of a running server, in QEMU: `make faults`. Which server, where, which bit, and at which
of its functions is drawn from a seed; QEMU's gdbstub does it while the processor is in that server.
Meanwhile a client asks. After each fault the image must answer again; docs/faults.md has the classes.
Prints a table, and writes what happened to each fault as JSON."""

import argparse
import json
import random
import re
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "system"))

# pylint: disable=wrong-import-position
from gdbstub import REGISTERS, Stub
from machine import BUILD, LIMIT, kernel
from managed import MANAGED, TOOL, Managed
from network import UserNetwork

TARGETS = ("netd", "dnsd", "virtio_drv")
KINDS = ("register", "private", "stack", "code")
START = 0x400000  # libos/start.h: the start page
NAME_OFFSET, PRIVATE_OFFSET = 40, 8  # of its fields
CODE_NEAR, STACK_NEAR = 64, 512  # bytes
HIT_SECONDS = 1.0  # to a breakpoint; then another place is drawn
STEPS_MAX = 40  # instructions behind the beginning of a function
SETTLE = 0.15  # seconds that a fault has to show itself, while the image answers
BACK = 8.0  # seconds to an answer, before somebody has to help
ASK_EVERY = 0.002
SILENT, NO_EFFECT, RECOVERED, HELPED, DEAD, OTHERS, KERNEL = (
    "wrong, not noticed", "no effect", "recovered", "restarted by hand", "given up", "others failed",
    "kernel failed")


def question(number):
    name = b"\3www\7example\3org\0"
    return struct.pack(">6H", number, 0, 1, 0, 0, 0) + name + struct.pack(">2H", 1, 1)


class Asker(threading.Thread):
    """Asks all the time; knows when the last right answer came."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.answered = self.wrong = 0
        self.last = 0.0
        self._link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._link.connect(address)
        self._link.setblocking(False)
        self._ended = threading.Event()

    def stop(self):
        self._ended.set()
        self.join()
        self._link.close()

    def run(self):
        number = 0
        while not self._ended.is_set():
            number = (number + 1) & 0xffff
            try:
                self._link.send(question(number))
            except OSError:
                pass
            if select.select([self._link], [], [], ASK_EVERY)[0]:
                self._take()

    def _take(self):
        try:
            while packet := self._link.recv(4096):
                if packet[-4:] == bytes((192, 0, 2, 80)) or b"\xc0\x00\x02\x50" in packet:
                    self.answered += 1
                    self.last = time.monotonic()
                else:
                    self.wrong += 1
        except OSError:
            pass

    def wait(self, seconds):
        """Until a right answer comes from now on."""
        begin = time.monotonic()
        while time.monotonic() < begin + seconds:
            if self.last > begin:
                return True
            time.sleep(0.005)
        return False


def functions(name):
    """Address and size of the functions of a server's program."""
    elf = BUILD / f"images/dns-managed/{name}.elf"
    printed = subprocess.run(["nm", "-S", "--defined-only", elf], check=True, capture_output=True,
                             text=True, timeout=LIMIT).stdout
    return [(int(words[0], 16), int(words[1], 16), words[3])
            for line in printed.splitlines()
            if len(words := line.split()) == 4 and words[2] in "tT" and int(words[1], 16) > 8]


class Bench:
    """One machine, as long as it is good."""

    def __init__(self, iommu):
        self.folder = tempfile.TemporaryDirectory(prefix="motet-faults-")
        path = f"{self.folder.name}/gdb"
        options = ["-chardev", f"socket,id=gdb0,path={path},server=on,wait=off", "-gdb",
                   "chardev:gdb0"]
        more = {}
        if iommu:
            options += ["-device", "intel-iommu"]
            obeys = ",disable-legacy=on,iommu_platform=on"
            more = {"machine": "q35", "device": "virtio-net-pci" + obeys,
                    "serial": "virtio-serial-pci" + obeys}
        self.machine = Managed(kernel(MANAGED), [UserNetwork()], options=options, **more)
        self.machine.__enter__()
        self.asker = None
        try:
            self.machine.ready()
            self.stub = Stub(path, LIMIT)
            self.stub.go()
            self.asker = Asker(self.machine.address)
            self.asker.start()
            if not self.asker.wait(LIMIT):
                raise AssertionError("the image doesn't answer")
        except BaseException:
            self.close()
            raise

    def close(self):
        if self.asker:
            self.asker.stop()
        self.machine.__exit__(None, None, None)
        self.folder.cleanup()

    def motet(self, *words):
        done = subprocess.run([TOOL, *words, "--socket", self.machine.socket, "--timeout", "3000"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=LIMIT, check=False)
        return done.returncode == 0


def runs_in(stub, name):
    """Whether the processor is in that server's code now: registers, or None."""
    registers, user = stub.registers()
    if not user:
        return None
    there = stub.read(START + NAME_OFFSET, 16)
    return registers if there and there.split(b"\0")[0].decode(errors="replace") == name else None


def reach(stub, rng, name, places):
    """Stops in a function of the server, some instructions behind its beginning. None: it isn't
    called now."""
    address, _, function = rng.choice(places)
    stub.breakpoint(address)
    end = time.monotonic() + HIT_SECONDS
    registers = None
    while not registers and time.monotonic() < end:
        if not stub.run(HIT_SECONDS):
            break
        registers = runs_in(stub, name)
    stub.breakpoint_remove(address)
    if not registers:
        return None, function
    for _ in range(rng.randrange(STEPS_MAX)):
        stub.step()
    return runs_in(stub, name) or registers, function


def flip(stub, rng, kind, registers, places):
    """Says what was flipped."""
    if kind == "register":
        name, bit = rng.choice(REGISTERS), rng.randrange(64)
        stub.register_set(name, registers[name] ^ 1 << bit)
        return f"{name} bit {bit}"
    if kind == "private":
        base, size = struct.unpack("<2Q", stub.read(START + PRIVATE_OFFSET, 16))
    elif kind == "stack":
        base, size = registers["rsp"], STACK_NEAR
    elif rng.random() < 0.5:
        base, size = registers["rip"], CODE_NEAR
    else:
        base, size, _ = rng.choice(places)
    at, bit = base + rng.randrange(size), rng.randrange(8)
    byte = stub.read(at, 1)
    if byte is None:
        return None
    stub.write(at, bytes((byte[0] ^ 1 << bit,)))
    return f"0x{at:x} bit {bit}"


def events(text):
    return re.findall(r"^init: (\w+) stopped(?!: killed by the host)", text, re.MULTILINE)


def judge(bench, name, before):
    """What became of the fault; and whether the machine is still good."""
    machine = bench.machine
    back = bench.asker.wait(BACK)
    time.sleep(SETTLE)
    back = back and bench.asker.wait(BACK)
    said = machine.text[before:]
    stopped = events(said)
    if not machine.running or re.search(r"^kernel: (?!motet)", said, re.MULTILINE):
        return KERNEL, False
    others = [one for one in stopped if one != name]
    if others:
        return OTHERS, False
    if back:
        return (RECOVERED if stopped else NO_EFFECT), True
    if bench.motet("restart", name) and bench.asker.wait(BACK):
        return (HELPED if stopped else SILENT), True
    return DEAD, False


def inject(bench, seed, targets):
    """One fault. None: its place wasn't reached."""
    rng = random.Random(seed)
    name, kind = rng.choice(targets), rng.choice(KINDS)
    places = PLACES[name]
    before = len(bench.machine.text)
    bench.stub.stop()
    for _ in range(20):
        registers, function = reach(bench.stub, rng, name, places)
        if registers:
            break
    what = flip(bench.stub, rng, kind, registers, places) if registers else None
    bench.stub.go()
    if not what:
        return None, True
    outcome, good = judge(bench, name, before)
    said = [line for line in bench.machine.text[before:].splitlines() if " stopped" in line and "killed by the host" not in line]
    fault = {"seed": seed, "server": name, "kind": kind, "in": function, "what": what,
             "outcome": outcome, "said": said[:4]}
    if outcome == NO_EFFECT or outcome == RECOVERED:
        # What is still wrong with it, and wasn't noticed, isn't the next fault's doing.
        good = bench.motet("restart", name) and bench.asker.wait(BACK)
    return fault, good


PLACES = {}


def faults(options):
    found, machines, bench = [], 0, None
    seed = options.seed
    try:
        while len(found) < options.faults:
            if not bench:
                bench = Bench(options.iommu)
                machines += 1
            fault, good = inject(bench, seed, options.targets)
            seed += 1
            if fault:
                found.append(fault)
                if sys.stderr.isatty():
                    print(f"\r{len(found)} of {options.faults}", end="", file=sys.stderr)
            if not good:
                bench.close()
                bench = None
    finally:
        if bench:
            bench.close()
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return found, machines


def report(found, machines):
    outcomes = [NO_EFFECT, RECOVERED, SILENT, HELPED, DEAD, OTHERS, KERNEL]
    print(f"{'server':<12}{'bits of':<10}" + "".join(f"{one:>20}" for one in outcomes))
    counts = Counter((one["server"], one["kind"], one["outcome"]) for one in found)
    for server in TARGETS:
        for kind in KINDS:
            row = [counts[server, kind, one] for one in outcomes]
            if any(row):
                print(f"{server:<12}{kind:<10}" + "".join(f"{one:>20}" for one in row))
    all_of = Counter(one["outcome"] for one in found)
    print(f"{'all':<22}" + "".join(f"{all_of[one]:>20}" for one in outcomes))
    crashed = sum(all_of[one] for one in (RECOVERED, HELPED, DEAD))
    share = 100 * all_of[RECOVERED] / crashed if crashed else 100
    print(f"\n{len(found)} faults on {machines} machines; of {crashed} crashes {share:.1f} % recovered "
          "by themselves")
    for one in found:
        if one["outcome"] in (SILENT, HELPED, DEAD, OTHERS, KERNEL):
            print(f"  --seed {one['seed']} --faults 1: {one['outcome']}: {one['server']}, "
                  f"{one['kind']} {one['what']} in {one['in']}: {'; '.join(one['said'])}")
    return all_of


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", default=1000, type=int, help="(%(default)s)")
    parser.add_argument("--seed", default=1, type=int, help="of the first (%(default)s)")
    parser.add_argument("--targets", default=TARGETS, nargs="+", choices=TARGETS)
    parser.add_argument("--no-iommu", dest="iommu", action="store_false")
    parser.add_argument("--out", type=Path, default=BUILD / "faults/qemu.json")
    options = parser.parse_args()
    for name in options.targets:
        PLACES[name] = functions(name)
    found, machines = faults(options)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    all_of = report(found, machines)
    return 1 if all_of[KERNEL] or all_of[OTHERS] else 0


if __name__ == "__main__":
    sys.exit(main())

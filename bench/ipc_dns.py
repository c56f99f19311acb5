# SPDX-License-Identifier: ISC
"""What a DNS query costs in the three partitions of the same servers: every server in a domain of
its own, driver and network stack together, all in one.

Instructions, kernel entries, switches of the address space and bytes copied are counted under
-icount by the plugins of bench/plugin: of one query alone, which finds all asleep, and of bursts of
64, which are waiting when the guest goes on. Microseconds and queries per second are the clock's on
the wall, without plugins, the images taking turns."""

import json
import socket
import statistics
import struct
import time
from pathlib import Path

import lib_qemu  # before dnspython: it keeps bench/dns.py from hiding it

import dns.message

from ipc_guest import Value
from ipc_profile import Profile
from lib_qemu import BenchError, Client, Guest, Qemu

PARTITIONS = ("isolated", "paired", "fused")
ICOUNT = ["-icount", "shift=0,sleep=off"]
READY = 60  # seconds, with plugins that look at every store
WARM_UP = 50
QUIET = 0.004  # seconds without an instruction: all have gone to sleep
SETTLE_LIMIT = 5
BURST = 64
BURST_LIMIT = 10  # seconds for all answers of one
SEQUENTIAL = 500
DNSPERF_SECONDS = 2
COPIERS = ("memcpy", "memmove", "channel_put", "channels_drain", "direct_put")


class Monitor:
    """QEMU's monitor (QMP) on a Unix socket: stops the guest and lets it go on."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(READY)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("r")
        self._file.readline()  # the greeting
        self.command("qmp_capabilities")

    def command(self, name):
        self._socket.sendall(json.dumps({"execute": name}).encode() + b"\n")
        while True:
            answer = json.loads(self._file.readline())
            if "error" in answer:
                raise BenchError(f"QEMU refuses {name}: {answer['error']}")
            if "return" in answer:
                return

    def close(self):
        self._file.close()
        self._socket.close()


def settled(profile):
    """A reading of a moment when nothing runs."""
    limit = time.monotonic() + SETTLE_LIMIT
    before = profile.read()
    while time.monotonic() < limit:
        time.sleep(QUIET)
        now = profile.read()
        if now.instructions() == before.instructions():
            return now
        before = now
    raise BenchError("the guest doesn't come to rest")


def burst(address, name, identifier):
    """A socket with BURST queries sent; their IDs begin with IDENTIFIER."""
    rest = dns.message.make_query(name, "A").to_wire()[2:]
    asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asking.connect(address)
    for i in range(BURST):
        asking.send(struct.pack("!H", (identifier + i) & 0xFFFF) + rest)
    return asking


def gather(asking, identifier):
    """Waits for all answers to a burst."""
    missing = {(identifier + i) & 0xFFFF for i in range(BURST)}
    asking.settimeout(BURST_LIMIT)
    while missing:
        try:
            packet = asking.recv(4096)
        except TimeoutError as error:
            raise BenchError(f"{len(missing)} of a burst of {BURST} weren't answered") from error
        if packet[2] & 0x80 and not packet[3] & 0x0F and packet[6:8] > b"\0\0":
            missing.discard(int.from_bytes(packet[:2], "big"))


def copied(reading):
    """Bytes: what string moves wrote in domains, and all that functions which only copy wrote; their
    few bytes of indices are in it."""
    return sum(counts[2] if name in COPIERS else counts[3]
               for (place, _, name), counts in reading.functions.items() if place != "kernel")


class Samples:
    """Readings, each of `units` queries."""

    def __init__(self, readings, units):
        self.readings, self.units = readings, units

    def value(self, of):
        numbers = [of(reading) / self.units for reading in self.readings]
        return Value(statistics.median(numbers), min(numbers), max(numbers), len(numbers))

    def table(self):
        """{what: Value per query}; "part NAME" are the instructions of each part."""
        found = {
            "instructions": self.value(lambda r: r.instructions()),
            "entries": self.value(lambda r: r.entries),
            "switches": self.value(lambda r: r.switches),
            "copied": self.value(copied),
        }
        for part in self.readings[0].parts():
            found[f"part {part}"] = self.value(lambda r, part=part: r.parts().get(part, 0))
        return found

    def busiest(self):
        """The functions of all samples together, per query."""
        total = self.readings[0]
        for one in self.readings[1:]:
            total = total - (one - one - one)
        return total.busiest(self.units * len(self.readings))


def count_alone(client, profile, samples):
    readings = []
    for _ in range(samples):
        before = settled(profile)
        client.ask(1)
        readings.append(settled(profile) - before)
    return Samples(readings, 1)


def count_bursts(qemu, monitor, profile, samples, name):
    readings = []
    for i in range(samples + 1):  # the first is to warm up
        before = settled(profile)
        monitor.command("stop")
        asking = burst(qemu.address, name, i * BURST)
        monitor.command("cont")
        with asking:
            gather(asking, i * BURST)
        readings.append(settled(profile) - before)
    return Samples(readings[1:], BURST)


class Image:
    """One partition: its ELF file and its domains."""

    def __init__(self, partition, elf):
        self.partition, self.elf = partition, Path(elf)
        domains = json.loads(self.elf.with_suffix(".map.json").read_text(encoding="utf-8"))
        self.domains = [(d["name"], lib_qemu.ROOT / d["elf"]) for d in domains["domains"]]
        self.guest = Guest(partition, self.elf)


def count(image, kernel, network, samples, name, folder):
    """(alone, bursts) as Samples, under -icount."""
    with Profile(image.domains, kernel) as profile:
        path = Path(folder, f"{image.partition}.monitor")
        more = [*ICOUNT, *profile.options(), "-qmp", f"unix:{path},server=on,wait=off"]
        with Qemu(image.guest, network, options=more) as qemu, Client(qemu, name) as client:
            lib_qemu.wait_ready(client, qemu, READY)
            client.ask(WARM_UP)
            monitor = Monitor(path)
            try:
                return (count_alone(client, profile, samples),
                        count_bursts(qemu, monitor, profile, samples, name))
            finally:
                monitor.close()


def time_once(image, network, name):
    """Microseconds per query, one after the other, and queries per second of 64 outstanding."""
    with Qemu(image.guest, network) as qemu, Client(qemu, name) as client:
        lib_qemu.wait_ready(client, qemu, READY)
        client.ask(WARM_UP)
        began = time.monotonic()
        client.ask(SEQUENTIAL)
        microseconds = (time.monotonic() - began) * 1e6 / SEQUENTIAL
        rate, _, _ = lib_qemu.dnsperf(qemu.address, name, DNSPERF_SECONDS, BURST)
    return microseconds, rate


def time_all(images, network, name, runs):
    """{partition: (microseconds, queries per second)} as Values; the images take turns."""
    taken = {image.partition: [] for image in images}
    for _ in range(runs):
        for image in images:
            taken[image.partition].append(time_once(image, network, name))
    return {partition: tuple(Value(statistics.median(numbers), min(numbers), max(numbers), runs)
                             for numbers in zip(*pairs))
            for partition, pairs in taken.items()}

# SPDX-License-Identifier: ISC
"""Starts guests in QEMU and measures them from outside: used by the benchmarks in this folder.

A guest answers DNS on 10.0.2.15, behind QEMU's user network or behind a tap in a network
namespace of this process's own. Every wait has a limit; whatever is started here ends with this
process, whichever way that ends. Only QEMU's software emulation is used: the figures are about
it. Anything that keeps a figure from being measured is raised as BenchError.
"""

import ctypes
import json
import os
import re
import select
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

# This folder goes last in the search, or dns.py in it would hide dnspython.
sys.path.sort(key=lambda path: Path(path).resolve() == Path(__file__).resolve().parent)

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"

GUEST_ADDRESS = "10.0.2.15"
HOST_ADDRESS = "10.0.2.2"
GUEST_MAC = "52:54:00:12:34:56"  # QEMU's own default
DNS_PORT = 53

RETRY_SECONDS = 0.005  # between two queries to a guest that isn't up yet: the resolution
ANSWER_SECONDS = 1.0  # a query to a guest that is up is repeated after this
ANSWER_ATTEMPTS = 3
QUIET_SECONDS = 0.05  # nothing arrived for this long: the guest has answered everything
STOP_SECONDS = 5.0

CLONE_NEWNET = 0x40000000  # linux/sched.h
PR_SET_PDEATHSIG = 1  # linux/prctl.h

_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class BenchError(Exception):
    """A figure can't be measured; the text says why."""


def figure(name, unit, values):
    """One line of a result file."""
    return {
        "name": name,
        "unit": unit,
        "median": round(statistics.median(values), 6),
        "min": round(min(values), 6),
        "max": round(max(values), 6),
        "n": len(values),
    }


def print_table(figures):
    print(f"{'figure':<36}{'median':>13}{'min':>13}{'max':>13}{'n':>4}  unit")
    for one in figures:
        numbers = [one[key] for key in ("median", "min", "max")]
        shown = "".join(f"{x:>13,.0f}" if x >= 1000 else f"{x:>13.4g}" for x in numbers)
        print(f"{one['name']:<36}{shown}{one['n']:>4}  {one['unit']}")


def write_results(figures, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def run(*command, seconds=60):
    """Runs a host command and returns what it printed."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds,
            preexec_fn=_die_with_parent,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        raise BenchError(f"{command[0]}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def is_newer(product, *sources):
    """True when PRODUCT is there and no source is newer."""
    if not product.exists():
        return False
    return product.stat().st_mtime >= max(path.stat().st_mtime for path in sources)


# Networks


class UserNetwork:
    """QEMU's user network, with a port of 127.0.0.1 forwarded to the guest. Needs no rights."""

    name = "user"

    def __init__(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = probe.getsockname()

    def options(self):
        forward = f"hostfwd=udp:127.0.0.1:{self.address[1]}-:{DNS_PORT}"
        return ["-netdev", f"user,id=n0,ipv6=off,{forward}"]


class TapNetwork:
    """A tap in a network namespace that this process moves into for good."""

    name = "tap"
    address = (GUEST_ADDRESS, DNS_PORT)

    def __init__(self):
        if _libc.unshare(CLONE_NEWNET) != 0:
            raise BenchError(f"no network namespace: {os.strerror(ctypes.get_errno())}")
        ipv6 = Path("/proc/sys/net/ipv6/conf/default/disable_ipv6")
        if ipv6.exists():
            ipv6.write_text("1")  # or the host's own packets would wake an idle guest
        run("ip", "tuntap", "add", "tap0", "mode", "tap")
        run("ip", "address", "add", f"{HOST_ADDRESS}/24", "dev", "tap0")
        run("ip", "link", "set", "tap0", "up")
        # The host repeats ARP requests once a second only: too coarse for a first answer.
        run("ip", "neighbour", "add", GUEST_ADDRESS, "lladdr", GUEST_MAC, "dev", "tap0",
            "nud", "permanent")

    def options(self):
        return ["-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no"]


def tap_is_possible():
    return os.geteuid() == 0 and os.access("/dev/net/tun", os.W_OK) and bool(shutil.which("ip"))


def open_network(kind):
    """KIND is user, tap, or auto: tap where that's possible."""
    if kind == "tap" or (kind == "auto" and tap_is_possible()):
        return TapNetwork()
    return UserNetwork()


# Guests


@dataclass(frozen=True)
class Guest:
    """What QEMU boots."""

    name: str
    kernel: Path
    initrd: Path | None = None
    append: str = ""
    memory: int = 64  # MB

    def options(self):
        words = ["-kernel", str(self.kernel)]
        if self.initrd:
            words += ["-initrd", str(self.initrd)]
        if self.append:
            words += ["-append", self.append]
        return words


# Without nokaslr each boot has another speed under QEMU, and on average a lower one.
LINUX_APPEND = "console=ttyS0 quiet panic=-1 nokaslr"

# QEMU's options for the machine and its network card.
PC = ("-machine", "pc", "-device", "virtio-net-pci,netdev=n0,mac=" + GUEST_MAC)
MICROVM = ("-machine", "microvm,acpi=off", "-global", "virtio-mmio.force-legacy=false",
           "-device", "virtio-net-device,netdev=n0,mac=" + GUEST_MAC)


DEBUG_THREADS = ("-name", "bench,debug-threads=on")  # threads say what they do


def control_channel(path):
    """QEMU's options for a control channel (docs/control.md) whose socket is at PATH."""
    return ("-chardev", f"socket,id=control,path={path},server=on,wait=off",
            "-device", "virtio-serial-pci", "-device", "virtconsole,chardev=control")


class Qemu:
    """One running QEMU: `with Qemu(guest, network) as qemu:`."""

    def __init__(self, guest, network, memory=None, options=(), machine=PC):
        self.guest = guest
        self._machine = machine
        self.address = network.address
        self.memory = memory or guest.memory
        self._options = [*network.options(), *options]
        self._process = None
        self._folder = None
        self.started = None  # time.monotonic() just before QEMU's start

    def _command(self):
        return [
            "qemu-system-x86_64", *self._machine, "-cpu", "max", "-accel", "tcg",
            "-m", str(self.memory), *self.guest.options(),
            "-display", "none", "-monitor", "none", "-no-reboot",
            "-serial", f"file:{self._folder.name}/serial",
            *self._options,
        ]

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="motet-bench-")
        try:
            with open(f"{self._folder.name}/errors", "w", encoding="utf-8") as errors:
                self.started = time.monotonic()
                self._process = subprocess.Popen(
                    self._command(), stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                    preexec_fn=_die_with_parent,
                )
        except OSError as error:
            self._folder.cleanup()
            raise BenchError(f"can't start QEMU: {error}") from error
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait(STOP_SECONDS)
        self._folder.cleanup()

    @property
    def running(self):
        return self._process.poll() is None

    def cpu_seconds(self):
        """CPU time of all QEMU's threads so far. Exact while they sleep."""
        total = 0
        for path in Path(f"/proc/{self._process.pid}/task").glob("*/schedstat"):
            try:
                total += int(path.read_text().split()[0])
            except (FileNotFoundError, ProcessLookupError):
                pass  # a worker thread that has just ended
        return total / 1e9

    def cpu_split(self):
        """CPU seconds so far of the thread that runs the guest's code, and of all others: the
        network's, the main loop's. Needs DEBUG_THREADS among the options."""
        inside = outside = 0
        for path in Path(f"/proc/{self._process.pid}/task").iterdir():
            try:
                spent = int((path / "schedstat").read_text().split()[0])
                if (path / "comm").read_text().startswith("CPU "):
                    inside += spent
                else:
                    outside += spent
            except (FileNotFoundError, ProcessLookupError):
                pass  # a worker thread that has just ended
        return inside / 1e9, outside / 1e9

    def said(self):
        """What the guest has printed on its serial line."""
        path = Path(self._folder.name, "serial")
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def failure(self, what):
        """A BenchError with what QEMU and the guest said last."""
        said = ""
        for name in ("errors", "serial"):
            path = Path(self._folder.name, name)
            if path.exists():
                said += path.read_text(encoding="utf-8", errors="replace")
        last = "".join(f"\n    {line}" for line in said.splitlines()[-12:])
        return BenchError(f"{self.guest.name} with {self.memory} MB: {what}{last}")


# Clients


def is_correct(question, packet):
    """True when PACKET answers QUESTION with authority and at least one address."""
    try:
        answer = dns.message.from_wire(packet)
    except dns.exception.DNSException:
        return False
    if not question.is_response(answer) or answer.rcode() != dns.rcode.NOERROR:
        return False
    name = question.question[0].name
    found = answer.get_rrset(answer.answer, name, dns.rdataclass.IN, dns.rdatatype.A)
    return bool(answer.flags & dns.flags.AA) and found is not None


class Client:
    """Asks one question again and again, one query outstanding, with a new ID each time."""

    def __init__(self, qemu, name):
        self._qemu = qemu
        self._question = dns.message.make_query(name, "A")
        self._rest = self._question.to_wire()[2:]
        self._id = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(qemu.address)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def _send(self):
        self._id = (self._id + 1) & 0xFFFF
        try:
            self._socket.send(struct.pack("!H", self._id) + self._rest)
        except OSError:
            pass  # QEMU doesn't listen yet, or the tap isn't up: as good as lost

    def _receive(self, seconds):
        """The next packet, or None when none came in time."""
        if not select.select([self._socket], [], [], seconds)[0]:
            return None
        try:
            return self._socket.recv(4096)
        except ConnectionRefusedError:
            return None

    def wait_first(self, limit):
        """Seconds from QEMU's start to the first correct answer; None after LIMIT seconds."""
        while time.monotonic() < self._qemu.started + limit and self._qemu.running:
            self._send()
            again = time.monotonic() + RETRY_SECONDS
            while (left := again - time.monotonic()) > 0:
                packet = self._receive(left)
                if packet is None:
                    continue
                self._question.id = int.from_bytes(packet[:2], "big")  # any query's answer will do
                if is_correct(self._question, packet):
                    return time.monotonic() - self._qemu.started
        return None

    def drain(self):
        """Takes the late answers to the queries of wait_first. False if they don't end."""
        limit = time.monotonic() + 10
        while self._receive(QUIET_SECONDS) is not None:
            if time.monotonic() > limit:
                return False
        return True

    def _answered(self):
        deadline = time.monotonic() + ANSWER_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            packet = self._receive(left)
            # ID, then QR and RCODE 0, then at least one answer.
            if (packet and len(packet) > 12 and int.from_bytes(packet[:2], "big") == self._id
                    and packet[2] & 0x80 and not packet[3] & 0x0F and packet[6:8] > b"\0\0"):
                return True
        return False

    def ask(self, count):
        """COUNT queries, each sent when the one before it was answered."""
        for _ in range(count):
            for _ in range(ANSWER_ATTEMPTS):
                self._send()
                if self._answered():
                    break
            else:
                raise self._qemu.failure("stopped answering")


def wait_ready(client, qemu, limit):
    """Like Client.wait_first, but failing, and leaving the guest quiet."""
    first = client.wait_first(limit)
    if first is None:
        state = "no correct answer" if qemu.running else "QEMU ended"
        raise qemu.failure(f"{state} within {limit} s")
    if not client.drain():
        raise qemu.failure("doesn't stop answering")
    return first


def cpu_of_queries(client, qemu, count):
    """CPU seconds that QEMU spends on COUNT sequential queries: the median of three times."""
    spent = []
    for _ in range(3):
        before = qemu.cpu_seconds()
        client.ask(count)
        client.drain()  # waits, so that what follows the last answer is counted
        spent.append(qemu.cpu_seconds() - before)
    return statistics.median(spent)


def dnsperf(address, name, seconds, outstanding=64):
    """Good answers per second, the 99th percentile of their latency in seconds, queries lost."""
    if outstanding < 16:
        raise BenchError("dnsperf stalls by itself below 16 outstanding queries")
    with tempfile.NamedTemporaryFile("w", prefix="motet-bench-") as queries:
        queries.write(f"{name} A\n")
        queries.flush()
        printed = run("dnsperf", "-v", "-s", address[0], "-p", address[1], "-d", queries.name,
                      "-q", outstanding, "-c", 1, "-T", 1, "-l", seconds, seconds=seconds + 30)
    duration = re.search(r"Run time \(s\):\s+([0-9.]+)", printed)
    latencies = [float(one) for one in re.findall(r"^> NOERROR \S+ A ([0-9.]+)$", printed, re.M)]
    if not duration or len(latencies) < 100:
        raise BenchError("dnsperf got next to no good answers")
    lost = int(re.search(r"Queries lost:\s+([0-9]+)", printed)[1])
    return len(latencies) / float(duration[1]), statistics.quantiles(latencies, n=100)[98], lost


# Instruction counts


PLUGIN_FLAGS = ("-std=c17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC",
                "-shared", "-fvisibility=hidden")


def build_plugin(name, *more):
    """Builds bench/plugin/NAME.c, with the files MORE of that folder, when one is newer than the
    product, which is returned."""
    folder = ROOT / "bench/plugin"
    sources = [folder / one for one in (f"{name}.c", *more)]
    product = BUILD / f"{name}.so"
    if not is_newer(product, *sources, *folder.glob("*.h")):
        product.parent.mkdir(parents=True, exist_ok=True)
        run(os.environ.get("CC", "gcc"), *PLUGIN_FLAGS, "-o", product, *sources)
    return product


def executable_segments(elf):
    """(address, offset, size) of each executable segment in the ELF64 file ELF."""
    data = Path(elf).read_bytes()
    if data[:5] != b"\x7fELF\x02":
        raise BenchError(f"{elf}: not an ELF64 file")
    table, = struct.unpack_from("<Q", data, 32)
    entry_size, entries = struct.unpack_from("<HH", data, 54)
    found = []
    for entry in range(entries):
        kind, flags, offset, address, _, size = struct.unpack_from(
            "<IIQQQQ", data, table + entry * entry_size)
        if kind == 1 and flags & 1 and size:  # PT_LOAD, PF_X
            found.append((address, offset, size))
    return found


PLACES = ("kernel", "other", "shared")  # enum place of bench/plugin/domains.h, then the domains


def domain_lines(domains):
    """The file of domains for the plugins: DOMAINS is a list of (name, ELF file)."""
    return "".join(
        f"{name} {address:x} {offset:x} {size:x} {Path(elf).resolve()}\n"
        for name, elf in domains for address, offset, size in executable_segments(elf))


class InstructionCounter:
    """The plugin's counters. DOMAINS is a list of (name, ELF file)."""

    FIXED = PLACES

    def __init__(self, domains):
        self._plugin = build_plugin("count", "domains.c")
        self._folder = tempfile.TemporaryDirectory(prefix="motet-bench-")
        self._counts = Path(self._folder.name, "counts")
        self._domains = Path(self._folder.name, "domains")
        self.names = [*self.FIXED, *dict.fromkeys(name for name, _ in domains)]
        self._domains.write_text(domain_lines(domains))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    def options(self):
        """What QEMU has to be started with; one QEMU at a time."""
        return ["-plugin", f"{self._plugin},domains={self._domains},counts={self._counts}"]

    def read(self):
        """Instructions executed so far, by name."""
        data = self._counts.read_bytes()[:8 * len(self.names)]
        return dict(zip(self.names, struct.unpack(f"={len(self.names)}Q", data)))

    def settle(self, seconds, limit):
        """Waits until nothing was executed for SECONDS. False when LIMIT seconds pass first."""
        deadline = time.monotonic() + limit
        before = self.read()
        while time.monotonic() < deadline:
            time.sleep(seconds)
            now = self.read()
            if now == before:
                return True
            before = now
        return False


def difference(before, after):
    return {name: after[name] - before[name] for name in after}

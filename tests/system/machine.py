# SPDX-License-Identifier: ISC
"""Starts an image in QEMU and talks to its console: used by all tests of this folder.

    with Machine(kernel(DNS_ELF), [UserNetwork()]) as machine:
        machine.ready()

Every wait has a limit, and fails with what the console said last. What is started here ends with
the `with`, and with this process, whichever way that ends.
"""

import ctypes
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("MOTET_BUILD", ROOT / "build"))
DNS_ELF = BUILD / "images/dns.elf"
# The same servers, in three domains, in two, in one: what users see of them is the same.
PARTITIONS = {name: BUILD / f"images/dns-{name}.elf" for name in ("isolated", "paired", "fused")}
DNS_IMG = BUILD / "images/dns.img"
DNS_UEFI_IMG = BUILD / "images/dns-uefi.img"
DNS_ISO = BUILD / "images/dns.iso"
OVMF = os.environ.get("OVMF", "/usr/share/ovmf/OVMF.fd")
UEFI = ["-bios", OVMF]
QEMU = os.environ.get("QEMU", "qemu-system-x86_64")

LIMIT = 30  # seconds: for what takes well below one, on a machine that does other things too
UEFI_LIMIT = 120  # seconds: the firmware alone takes three on an idle machine
BUILD_LIMIT = 180  # seconds: for a whole image
PR_SET_PDEATHSIG = 1  # linux/prctl.h

_libc = ctypes.CDLL(None)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def kernel(path):
    """QEMU's options to boot an ELF file by itself."""
    return ["-kernel", str(path)]


def devices(image):
    """QEMU's options for the devices that an image drives, as its manifest says ("# QEMU: ...")."""
    for folder in ("images", "tests/images"):
        manifest = ROOT / folder / f"{image}.conf"
        if manifest.exists():
            said = re.findall(r"^# QEMU: *(.*)$", manifest.read_text(encoding="utf-8"), re.MULTILINE)
            return " ".join(said).split()
    raise FileNotFoundError(f"{image}.conf")


# virtio over MMIO, no PCI, no ACPI: the devices are named on the kernel's command line.
MICROVM = {"machine": "microvm,acpi=off", "device": "virtio-net-device"}
MODERN_MMIO = ["-global", "virtio-mmio.force-legacy=false"]


def disk(path, kind):
    """QEMU's options to boot a disk image: kind is ide, virtio, ahci, cd, or a USB controller's
    name. Never writes to it."""
    drive = f"file={path},format=raw,snapshot=on"
    if kind == "cd":
        return ["-cdrom", str(path)]
    if "usb" in kind or "xhci" in kind:
        return ["-device", kind, "-drive", f"{drive},if=none,id=disk0",
                "-device", "usb-storage,drive=disk0"]
    if kind == "ahci":
        return ["-drive", f"{drive},if=none,id=disk0", "-device", "ahci,id=ahci0",
                "-device", "ide-hd,drive=disk0,bus=ahci0.0"]
    return ["-drive", f"{drive},if={kind}"]


class Machine:
    """One running QEMU."""

    used = []  # by the current test, for its report: see conftest.py
    _numbers = itertools.count(1)

    def __init__(self, boot, networks=(), *, machine="pc", cpu="max", memory=64, settings=None,
                 device="virtio-net-pci", options=()):
        self._networks = list(networks)
        self._words = [
            QEMU, "-machine", machine, "-cpu", cpu, "-accel", "tcg", "-m", str(memory), *boot,
            "-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
        ]
        if not self._networks:
            self._words += ["-nic", "none"]
        for number, network in enumerate(self._networks):
            self._words += ["-netdev", network.netdev(f"n{number}"),
                            "-device", f"{device},netdev=n{number},id=card{number},"
                                       f"mac=52:54:00:12:34:{0x56 + number:02x}"]
        for key, value in (settings or {}).items():
            text = value.replace(",", ",,")
            self._words += ["-fw_cfg", f"name=opt/motet/{key},string={text}"]
        self._words += options
        self._text = ""
        self._changed = threading.Condition()
        self._folder = self._process = self._reader = self._monitor = None
        self.log = None  # where the console's text is kept

    def __enter__(self):
        if not shutil.which(QEMU):
            raise RuntimeError(f"no {QEMU}: run 'make setup'")
        logs = BUILD / "tests/serial"
        logs.mkdir(parents=True, exist_ok=True)
        suite = Path(os.environ.get("PYTEST_CURRENT_TEST", "other").split("::")[0]).stem
        self.log = logs / f"{suite}-{next(self._numbers)}.log"
        self._folder = tempfile.TemporaryDirectory(prefix="motet-test-")
        words = [*self._words, "-qmp", f"unix:{self._folder.name}/qmp,server=on,wait=off"]
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            preexec_fn=_die_with_parent)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        Machine.used.append(self)
        return self

    def __exit__(self, *_):
        if self._monitor:
            self._monitor.close()
        self._process.kill()
        self._process.wait(LIMIT)
        self._reader.join(LIMIT)
        self._process.stdin.close()
        self._process.stdout.close()
        self._folder.cleanup()
        for network in self._networks:
            network.close()

    def _read(self):
        with open(self.log, "wb") as log:
            while data := os.read(self._process.stdout.fileno(), 4096):
                log.write(data)
                log.flush()
                with self._changed:
                    self._text += data.decode(errors="replace").replace("\r", "")
                    self._changed.notify_all()

    # The console

    @property
    def text(self):
        """All that the console said so far (and QEMU, if it complained)."""
        with self._changed:
            return self._text

    @property
    def address(self):
        """Where the first network card's port 53 is, seen from here."""
        return self._networks[0].address

    @property
    def running(self):
        return self._process.poll() is None

    def fail(self, what):
        last = "".join(f"\n    {line}" for line in self.text.splitlines()[-15:])
        raise AssertionError(f"{what}; the console ends with:{last or ' nothing'}")

    def expect(self, pattern, after=0, seconds=LIMIT):
        """Waits until the console's whole lines behind position AFTER match. Returns the match."""
        wanted = re.compile(pattern, re.MULTILINE)
        deadline = time.monotonic() + seconds
        with self._changed:
            while not (match := wanted.search(self._text[after:self._text.rfind("\n") + 1])):
                left = deadline - time.monotonic()
                if left <= 0 or not self._reader.is_alive():
                    break
                self._changed.wait(min(left, 0.2))
        if not match:
            self.fail(f"no '{pattern}' within {seconds} s" if self.running
                      else f"QEMU ended without '{pattern}'")
        return match

    def ready(self):
        """Waits until the name server serves and, with a network card, its first link is up."""
        self.expect(r"^dnsd: serving .*$")
        if self._networks:
            self.expect(r"^netd: net0: .* mac .*$")
        return self

    def type(self, keys):
        self._process.stdin.write(keys.encode())
        self._process.stdin.flush()

    def counters(self):
        """The counters as the console prints them; those at zero are missing."""
        start = len(self.text)
        self.type("s")
        match = self.expect(r"^init: counters:\n((?:.*\n)*?)init: end of counters$", start)
        values = {}
        for line in match[1].splitlines():
            if counter := re.fullmatch(r"  (\w+(?:\.\w+)+) (\d+)", line):  # logs may come in between
                values[counter[1]] = int(counter[2])
        return values

    def expect_counter(self, name, least, seconds=LIMIT):
        """Waits until a counter reaches LEAST."""
        deadline = time.monotonic() + seconds
        while (value := self.counters().get(name, 0)) < least:
            if time.monotonic() > deadline:
                self.fail(f"{name} is {value}, not {least}, after {seconds} s")
            time.sleep(0.2)

    def wait_end(self, seconds=LIMIT):
        """Waits until QEMU ends by itself and returns its exit status."""
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.fail(f"QEMU still runs after {seconds} s")
        self._reader.join(LIMIT)
        return status

    # QEMU's monitor

    def monitor(self, command, **arguments):
        """A QMP command (see QEMU's documentation); returns its result."""
        if not self._monitor:
            self._monitor = socket.socket(socket.AF_UNIX)
            self._monitor.settimeout(LIMIT)
            self._monitor.connect(f"{self._folder.name}/qmp")
            self._lines = self._monitor.makefile("r", encoding="utf-8")
            self._lines.readline()  # QEMU's greeting
            self.monitor("qmp_capabilities")
        request = json.dumps({"execute": command, "arguments": arguments})
        self._monitor.sendall(request.encode() + b"\n")
        while True:
            answer = json.loads(self._lines.readline())
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']['desc']}")


def bench_module(name):
    """A module of bench/. That folder goes last, or its dns.py would hide dnspython."""
    folder = str(ROOT / "bench")
    if folder not in sys.path:
        sys.path.append(folder)
    return __import__(name)


def build_image(folder, zones):
    """Has the Makefile build the DNS image with the zones of the folder ZONES, all in FOLDER."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    product = f"{folder}/images/dns.elf"
    done = subprocess.run(
        ["make", "-s", "-j2", f"B={folder}", f"ZONES={zones}", product], cwd=ROOT, env=clean,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BUILD_LIMIT)
    if done.returncode != 0:
        raise RuntimeError(f"make {product} failed:\n{done.stdout}{done.stderr}")
    return Path(ROOT, product)

# SPDX-License-Identifier: ISC
"""images/time.conf: what time it is, over UDP, from the clock of a PC; and a control channel over its second
serial port (servers/uart_drv)."""

import calendar
import json
import os
import select
import signal
import socket
import struct
import subprocess
import tempfile
import time

import pytest

from machine import BUILD, LIMIT, ROOT, Machine, kernel
from managed import motet
from network import UserNetwork, free_port

IMAGE = kernel(BUILD / "images/time.elf")
PORT = 123
BASE = calendar.timegm((2031, 3, 4, 5, 6, 7))
EPOCH = 2208988800  # from 1900 to 1970, seconds
REQUEST = struct.pack("!BBBb11I", 0o43, 0, 6, 0, *[0] * 9, 0xABCDEF01, 0x23456789)  # version 4, client


class Serial(Machine):
    """A machine whose second serial port is a control socket."""

    def __init__(self, boot, networks=(), **more):
        self.place = tempfile.TemporaryDirectory(prefix="motet-control-")
        self.socket = f"{self.place.name}/control"
        more["options"] = [*more.get("options", ()),
                           "-chardev", f"socket,id=control,path={self.socket},server=on,wait=off",
                           "-serial", "chardev:control"]
        super().__init__(boot, networks, **more)

    def __exit__(self, *details):
        super().__exit__(*details)
        self.place.cleanup()

    def motet(self, *words, status=0):
        return motet(*words, "--socket", self.socket, "--timeout", str(LIMIT * 1000), status=status)


@pytest.fixture
def link():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.settimeout(LIMIT)
        yield found


def ready(machine):
    machine.expect(r"^netd: net0: .* mac .*$")
    machine.expect(r"^timed: serving the time on UDP port 123$")
    return machine


class Answer:
    def __init__(self, data):
        assert len(data) == 48
        (self.flags, self.stratum, self.poll, self.precision, self.delay, dispersion, self.reference,
         *stamps) = struct.unpack("!BBBbII4s8I", data)
        self.dispersion = dispersion / 65536
        self.originate = tuple(stamps[2:4])
        self.receive, self.transmit = (stamps[n] - EPOCH + stamps[n + 1] / 2**32 for n in (4, 6))


def ask(link, machine, request=REQUEST):
    link.sendto(request, machine.address)
    return Answer(link.recv(2048))


def test_it_tells_the_time(link):
    with Serial(IMAGE, [UserNetwork(port=PORT)],
                options=["-rtc", "base=2031-03-04T05:06:07,clock=vm"]) as machine:
        ready(machine)
        width = int(machine.expect(r"^timed: the clock is known to (\d+) ms$")[1])
        assert width < 500
        first, asked = ask(link, machine), time.monotonic()
        assert (first.flags, first.stratum, first.poll, first.reference) == (0o44, 1, 6, b"LOCL")
        assert first.originate == (0xABCDEF01, 0x23456789)
        assert BASE <= first.transmit <= BASE + LIMIT and first.receive <= first.transmit
        assert first.dispersion <= 0.3
        time.sleep(1.5)
        second, passed = ask(link, machine), time.monotonic() - asked
        assert abs(second.transmit - first.transmit - passed) < 0.5


def test_what_is_no_request_gets_no_answer(link):
    with Serial(IMAGE, [UserNetwork(port=PORT)]) as machine:
        ready(machine)
        wrong = [b"", b"x", REQUEST[:47], bytes(48), b"\x24" + REQUEST[1:], b"\x03" + REQUEST[1:], b"\x2b" + REQUEST[1:]]
        for request in wrong:
            link.sendto(request, machine.address)
        assert ask(link, machine, REQUEST + bytes(20)).flags == 0o44  # a MAC behind it is nobody's business
        assert ask(link, machine, b"\x1b" + REQUEST[1:]).flags == 0o34  # version 3
        assert not select.select([link], [], [], 0.3)[0]
        assert machine.counters()["timed.no_request"] == len(wrong)


def test_without_a_clock_it_says_so(link):
    network = UserNetwork(port=PORT)
    with Machine(IMAGE, [network], machine="microvm,acpi=off,rtc=off", device="virtio-net-device",
                 options=["-global", "virtio-mmio.force-legacy=false"]) as machine:
        ready(machine)
        machine.expect(r"^cmos_drv: device isa 0x70 .* not used: nobody answers")
        machine.expect(r"^uart_drv: device isa 0x2f8 .* not used: nobody answers")
        answer = ask(link, machine)
        assert (answer.flags, answer.stratum, answer.reference) == (0o344, 0, b"INIT")


def test_it_outlives_the_clocks_driver(link):
    with Serial(IMAGE, [UserNetwork(port=PORT)]) as machine:
        ready(machine)
        machine.expect(r"^timed: the clock is known to ")
        assert machine.motet("kill", "cmos_drv") == "cmos_drv: killed\n"
        assert ask(link, machine).flags == 0o44
        machine.expect(r"^init: cmos_drv: restart 1, ")
        assert abs(ask(link, machine).transmit - time.time()) < 5


# The control channel


def domains(machine):
    return {domain["domain"]: domain for domain in json.loads(machine.motet("ps", "--json"))["domains"]}


@pytest.mark.parametrize("kind", ["pc", "q35"])
def test_the_control_channel_over_a_serial_port(kind):
    with Serial(IMAGE, [UserNetwork(port=PORT)], machine=kind) as machine:
        machine.expect(r"^uart_drv: ready: device isa 0x2f8 \(41d0:0501\), pin$")
        for _ in range(20):
            assert {"cmos_drv", "timed", "uart_drv", "control"} <= set(domains(machine))
        assert "uart_drv: ready: device isa 0x2f8" in machine.motet("log")
        counters = machine.counters()
        assert counters["uart_drv.rx_bytes"] >= 20 * 20 and counters["uart_drv.tx_bytes"] > 20 * 200
        assert not [name for name in counters if name.startswith("uart_drv.rx_over")]


def test_the_channel_works_again_after_its_driver_was_killed():
    with Serial(IMAGE, [UserNetwork(port=PORT)]) as machine:
        machine.expect(r"^uart_drv: ready: ")
        for life in (1, 2):
            start = len(machine.text)
            assert machine.motet("kill", "uart_drv") == "uart_drv: killed\n"  # by its next life
            machine.expect(rf"^init: uart_drv: restart {life}, ", start)
            machine.expect(r"^uart_drv: ready: ", start)
            assert domains(machine)["uart_drv"]["restarts"] == life


def test_make_run_has_the_channel_on_the_serial_port(tmp_path):
    """As tools/run-image boots it: the socket is where `motet` looks."""
    place = tmp_path / "control"
    words = ["tools/run-image", "--image", BUILD / "images/time.elf", "--service", "123", "--port", str(free_port()),
             "--control", place]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          start_new_session=True) as run:
        try:
            for line in run.stdout:
                if "uart_drv: ready" in line:
                    break
            assert "uart_drv" in motet("ps", "--socket", str(place), "--timeout", str(LIMIT * 1000))
        finally:
            os.killpg(run.pid, signal.SIGKILL)

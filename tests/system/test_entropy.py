# SPDX-License-Identifier: ISC
"""The entropy class in QEMU: its drivers keep the protocol (tests/servers/entropy_check), on all kinds of
buses, after they were killed, and with a slow device; images/entropy.conf serves random bytes over UDP."""

import select
import socket

import pytest

from machine import BUILD, LIMIT, MICROVM, MODERN_MMIO, Machine, devices, kernel
from managed import Managed
from network import UserNetwork

CHECK = kernel(BUILD / "images/entropy_check.elf")
SERVICE = kernel(BUILD / "images/entropy.elf")
PORT = 4949
CONFORMS = r"^entropy_check: conforms: 143 requests, 4820 bytes$"
CONTAINED = "disable-legacy=on,iommu_platform=on"


@pytest.mark.parametrize("machine, options", [
    ("pc", ["-device", "virtio-rng-pci"]),
    ("pc", ["-device", "virtio-rng-pci,disable-legacy=on"]),
    ("pc", ["-device", "virtio-rng-pci,vectors=0"]),
    ("pc", ["-device", "virtio-rng-pci,event_idx=off"]),
    ("pc", ["-device", "virtio-rng-pci,max-bytes=512,period=20"]),
    ("pc", ["-device", "virtio-rng-pci,packed=on"]),
    ("pc", ["-device", "virtio-rng-pci,packed=on,event_idx=off"]),
    ("q35", ["-device", "intel-iommu", "-device", f"virtio-rng-pci,packed=on,{CONTAINED}"]),
    ("q35", ["-device", "intel-iommu", "-device", f"virtio-rng-pci,{CONTAINED}"]),
    (MICROVM["machine"], [*MODERN_MMIO, "-device", "virtio-rng-device"]),
    (MICROVM["machine"], [*MODERN_MMIO, "-device", "virtio-rng-device,packed=on"]),
], ids=["transitional", "modern", "pin", "flags", "slow", "packed", "packed-flags", "packed-iommu",
        "iommu", "microvm", "packed-microvm"])
def test_virtio_rng_conforms(machine, options):
    with Machine(CHECK, machine=machine, options=options) as running:
        running.expect(r"^virtio_rng: ready: device ")
        assert ("virtio_rng: queue 0 is packed" in running.text) == ("packed=on" in options[-1])
        running.expect(CONFORMS)
        counters = running.counters()
        assert counters["virtio_rng.served_bytes"] == 4820
        assert counters["virtio_rng.bad_message"] == 3
        if "period" in options[-1]:
            assert counters["virtio_rng.interrupts"] > 1


def test_without_a_device_the_client_is_told():
    with Machine(CHECK) as running:
        running.expect(r"^virtio_rng: no device: the machine has no source of entropy \(QEMU: -device .*\)$")
        running.expect(r"^entropy_check: told: request 4 of 1 bytes: BAD_STATE$")


def test_a_killed_driver_begins_anew():
    with Managed(CHECK, options=devices("entropy_check")) as running:
        start = 0
        for life in range(1, 4):
            running.expect(CONFORMS, start)
            start = len(running.text)
            assert running.motet("kill", "virtio_rng") == "virtio_rng: killed\n"
            running.expect(rf"^init: virtio_rng: restart {life}, ", start)
            running.expect(r"^virtio_rng: ready: device ", start)
        running.expect(CONFORMS, start)


# The service


def ask(link, address, length):
    link.sendto(bytes(length), address)
    return link.recv(2048)


@pytest.fixture(params=["pc", "iommu"])
def service(request):
    network = UserNetwork(port=PORT)
    words = {
        "pc": {"options": devices("entropy")},
        "iommu": {"machine": "q35", "device": f"virtio-net-pci,{CONTAINED}",
                  "options": ["-device", "intel-iommu", "-device", f"virtio-rng-pci,{CONTAINED}"]},
    }[request.param]
    with Machine(SERVICE, [network], **words) as machine:
        machine.expect(r"^netd: net0: .* mac .*$")
        machine.expect(r"^entropyd: serving random bytes on UDP port 4949$")
        yield machine


def test_as_many_bytes_as_were_asked(service):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(LIMIT)
        answers = [ask(link, service.address, length) for length in range(1, 41)]
        assert [len(answer) for answer in answers] == list(range(1, 41))
        long = [ask(link, service.address, 40) for _ in range(100)]
        assert len(set(long)) == 100
        ones = sum(byte.bit_count() for answer in long for byte in answer)
        assert abs(2 * ones - 32000) < 5 * 32000 ** 0.5 * 2  # far beyond chance


def test_other_lengths_get_no_answer(service):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(LIMIT)
        for length in (0, 41, 1400):
            link.sendto(bytes(length), service.address)
        assert len(ask(link, service.address, 8)) == 8
        assert not select.select([link], [], [], 0.5)[0]
    assert service.counters()["entropyd.wrong_length"] == 3


def test_a_burst_is_answered(service):
    """More at once than there are buffers for questions: what gets an answer gets one, and none later."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(LIMIT)
        answers = []
        for _ in range(5):
            for _ in range(300):
                link.sendto(bytes(40), service.address)
            answers.append(link.recv(2048))
            while select.select([link], [], [], 1)[0]:
                answers.append(link.recv(2048))
            assert len(set(answers)) == len(answers)
        assert len(ask(link, service.address, 5)) == 5


def test_without_a_source_there_is_no_answer():
    with Machine(SERVICE, [UserNetwork(port=PORT)]) as machine:
        machine.expect(r"^entropyd: serving")
        machine.expect(r"^netd: net0: .* mac .*$")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.sendto(bytes(8), machine.address)
            machine.expect_counter("entropyd.no_bytes", 1)
            assert not select.select([link], [], [], 0.2)[0]

# SPDX-License-Identifier: ISC
"""images/dns-e1000.conf: the name server behind an Intel card answers as it does behind a virtio one, with
and without an IOMMU, under load, and after the driver was stopped by its own device."""

import select
import socket
import subprocess

import pytest

from client import ask, query
from machine import BUILD, LIMIT, Machine, kernel
from managed import Managed
from network import NO_TAP, TapNetwork, UserNetwork
from test_restart import Load

DNS = kernel(BUILD / "images/dns-e1000.elf")
IOMMU = {"machine": "q35", "options": ["-device", "intel-iommu"]}


def machine(*networks, **more):
    return Machine(DNS, networks or [UserNetwork()], **{"device": "e1000", **more})


def answers(running):
    answer = ask(running, "www.example.org", "A")
    return [str(item) for item in answer.answer[0]] == ["192.0.2.80"]


@pytest.mark.parametrize("more", [{}, {"machine": "q35"}, IOMMU, {"device": "e1000-82545em"}],
                         ids=["pc", "q35", "iommu", "82545em"])
def test_dns_behind_it(more):
    with machine(**more) as running:
        running.ready()
        running.expect(r"^e1000_drv: ready: device 0000:00:\d\d\.0 \(8086:100[ef]\), pin$")
        running.expect(r"^netd: net0: .* mac 52:54:00:12:34:56 mtu 1500$")
        assert all(answers(running) for _ in range(200))
        counters = running.counters()
        assert counters["e1000_drv.rx_frames"] >= 200 and counters["e1000_drv.tx_frames"] >= 200
        assert "e1000_drv.devices_broken" not in counters
        assert "stopped" not in running.text


@pytest.mark.parametrize("more", [{}, IOMMU], ids=["pc", "iommu"])
def test_many_at_once(more):
    """Windows of 50 queries: some may be lost, what comes is right, and it goes on afterwards."""
    wire = query("www.example.org").to_wire()
    with machine(**more) as running:
        running.ready()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.connect(running.address)
            came = 0
            for number in range(100):
                for _ in range(50):
                    link.send(number.to_bytes(2, "big") + wire[2:])
                for _ in range(50):
                    if not select.select([link], [], [], 0.5)[0]:
                        break
                    assert b"\xc0\x00\x02\x50" in link.recv(4096)
                    came += 1
        assert came > 2500
        assert answers(running)


def test_the_link_goes_and_comes():
    with machine() as running:
        running.ready()
        assert answers(running)
        start = len(running.text)
        running.monitor("set_link", name="card0", up=False)
        running.expect(r"^netd: net0: link down$", start)
        running.monitor("set_link", name="card0", up=True)
        running.expect(r"^netd: net0: 10\.0\.2\.15/24 ", start)
        assert answers(running)


def test_without_a_card_it_says_so():
    with Machine(DNS) as running:
        running.expect(r"^e1000_drv: no device: the machine has no network card of this kind \(QEMU: -device e1000\)$")
        running.expect(r"^dnsd: serving ")


@pytest.mark.skipif(NO_TAP is not None, reason=str(NO_TAP))
@pytest.mark.parametrize("size", [0, 100, 1400, 1472])
def test_echoes_of_all_sizes(size):
    """The longest is a full frame."""
    network = TapNetwork()
    with machine(network) as running:
        running.ready()
        done = subprocess.run(["ping", "-c", "5", "-i", "0.2", "-W", "5", "-s", str(size), network.guest],
                              capture_output=True, text=True, timeout=LIMIT)
        assert done.returncode == 0 and " 0% packet loss" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("more", [{}, IOMMU], ids=["pc", "iommu"])
def test_each_is_killed_and_the_service_comes_back(more):
    """Under load, the driver and its client in turn, several times."""
    serial = "virtio-serial-pci" + (",disable-legacy=on,iommu_platform=on" if more else "")
    with Managed(kernel(BUILD / "images/e1000_managed.elf"), [UserNetwork()], device="e1000", serial=serial,
                 **more) as running:
        running.ready()
        with Load(running) as load:
            for life in range(1, 4):
                for name in ("e1000_drv", "netd", "dnsd"):
                    start = len(running.text)
                    assert running.motet("kill", name) == f"{name}: killed\n"
                    running.expect(rf"^init: {name}: restart {life}, ", start)
                    load.more()
        assert not load.wrong
        assert "e1000_drv.devices_broken" not in running.counters()

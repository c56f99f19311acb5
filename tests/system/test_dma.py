# SPDX-License-Identifier: ISC
"""DMA of QEMU's `edu`: with an IOMMU it reaches what the manifest grants, and is stopped and named where it
is pointed elsewhere; without one it reaches all (docs/iommu.md). And network cards, virtio and not, that are
pointed elsewhere in the midst of their work."""

import re
import socket
import struct
import sys

import pytest

from client import ask, query
from machine import BUILD, LIMIT, ROOT, Machine, kernel
from network import UserNetwork

sys.path.append(str(ROOT / "tests/faults"))

from gdbstub import Stub

TARGET = 0x800000  # physical; in nobody's pool
IOMMU = ["-device", "intel-iommu"]
CARD = "virtio-net-pci,disable-legacy=on,iommu_platform=on"


def machine(image, *options, **more):
    """A q35 with an `edu` device beside the network card."""
    return Machine(kernel(BUILD / f"images/{image}.elf"), [UserNetwork()], machine="q35", device=CARD,
                   settings={"wild.target": str(TARGET)} if image != "dns" else None,
                   options=[*options, "-device", "edu"], **more)


def memory_at(running, address):
    """64 bytes of the machine's memory, as QEMU prints them."""
    text = running.monitor("human-monitor-command", **{"command-line": f"xp /8xg {address:#x}"})
    return re.findall(r"0x[0-9a-f]{16}(?!:)", text)


def answers(running):
    running.ready()
    return str(ask(running, "www.example.org", "A").answer[0][0]) == "192.0.2.80"


def test_a_device_pointed_at_foreign_memory_is_stopped_and_named():
    with machine("wild", *IOMMU) as running:
        assert answers(running)
        before = memory_at(running, TARGET)
        running.expect(r"^wild: own memory: reached$")
        assert running.expect(r"^init: (0000:\S+) of wild stopped: DMA writing address 0x800000 "
                              r"\(not in its DMA space, reason \d+\)$")
        running.expect(r"^wild: then: the device is silent$")
        assert memory_at(running, TARGET) == before
        assert running.text.count("of wild stopped: DMA") == 1
        assert answers(running)


def test_without_an_iommu_it_reaches_all_and_the_log_says_so():
    with machine("wild") as running:
        assert answers(running)
        running.expect(r"^wild: then: the device works$")
        assert set(memory_at(running, TARGET)) == {"0x" + "5a" * 8}
        assert "init: DMA isn't contained: no IOMMU" in running.text


def test_a_claim_can_refuse_to_be_uncontained():
    with machine("contained") as running:
        assert answers(running)
        running.expect(r"^init: \S+: not given to wild, whose manifest wants its DMA contained$")
        running.expect(r"^wild: no device$")
    with machine("contained", *IOMMU) as running:
        running.expect(r"^wild: own memory: reached$")


def test_a_driver_that_may_begin_anew_does_with_its_device():
    """And the device is a bus master again, as contained as before."""
    with Machine(kernel(BUILD / "images/wild_again.elf"), machine="q35", settings={"wild.target": str(TARGET)},
                 options=[*IOMMU, "-device", "edu"]) as running:
        running.expect(r"^wild: own memory: reached$")
        before = memory_at(running, TARGET)
        running.expect(r"^init: (0000:\S+) of wild stopped: DMA writing address 0x800000 ")
        running.expect(r"^init: wild stopped: its device reached for what it may not$")
        start = len(running.text[:running.text.index("its device reached")])
        running.expect(r"^init: wild: restart 1, 1 in a row$", start)
        running.expect(r"^wild: own memory: reached$", start)
        assert memory_at(running, TARGET) == before
        assert running.text.count("of wild stopped: DMA") == 1


# Network cards: their drivers' receive rings, in memory, are changed from outside.

ENTRIES, ENTRY_BYTES = 128, 16  # of virtio_drv's descriptors and e1000_drv's; the address comes first


def virtio_ring(running):
    path = running.monitor("x-query-virtio")[0]["path"]
    return running.monitor("x-query-virtio-queue-status", path=path, queue=0)["vring-desc"]


def e1000_ring(running):
    """Registers RDBAL and RDBAH (8254x manual, 13.4.25), in BAR 0."""
    pci = running.monitor("human-monitor-command", **{"command-line": "info pci"})
    bar = re.search(r"PCI device 8086:100e.*?BAR0: 32 bit memory at (0x[0-9a-f]+)", pci, re.S)[1]
    text = running.monitor("human-monitor-command", **{"command-line": f"xp /1xg {int(bar, 16) + 0x2800:#x}"})
    return int(text.split(":")[1], 16)


def point_elsewhere(path, ring):
    """While the machine stands still."""
    stub = Stub(path, LIMIT)
    assert stub.ask("Qqemu.PhyMemMode:1") == "OK"
    for i in range(ENTRIES):
        stub.write(ring + i * ENTRY_BYTES, struct.pack("<Q", TARGET))
    assert stub.ask("D") == "OK"
    stub.close()


@pytest.mark.parametrize("image, device, ring, driver", [
    ("dns_restart", CARD, virtio_ring, "virtio_drv"),
    ("dns-e1000", "e1000", e1000_ring, "e1000_drv"),
], ids=["virtio-net", "e1000"])
def test_a_network_card_pointed_elsewhere_is_stopped_and_begins_anew(tmp_path, image, device, ring, driver):
    path = str(tmp_path / "gdb")
    with Machine(kernel(BUILD / f"images/{image}.elf"), [UserNetwork()], machine="q35", device=device,
                 options=[*IOMMU, "-gdb", f"unix:{path},server=on,wait=off"]) as running:
        assert answers(running)
        before = memory_at(running, TARGET)
        point_elsewhere(path, ring(running))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.sendto(query("www.example.org").to_wire(), running.address)
        running.expect(rf"^init: (0000:\S+) of {driver} stopped: DMA writing address 0x800000 "
                       r"\(not in its DMA space, reason \d+\)$")
        running.expect(rf"^init: {driver} stopped: its device reached for what it may not$")
        start = len(running.text[:running.text.index("its device reached")])
        running.expect(rf"^init: {driver}: restart 1, 1 in a row$", start)
        running.expect(rf"^{driver}: ready: device ", start)
        running.expect(r"^netd: net0: ", start)
        assert memory_at(running, TARGET) == before
        assert all(answers(running) for _ in range(10))

# SPDX-License-Identifier: ISC
"""DMA of a device that isn't virtio, QEMU's `edu`: with an IOMMU it reaches what the manifest grants, and is
stopped and named where it is pointed elsewhere; without one it reaches all (docs/iommu.md)."""

import re

from client import ask
from machine import BUILD, Machine, kernel
from network import UserNetwork

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

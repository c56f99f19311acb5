# SPDX-License-Identifier: ISC
"""The IOMMU: the DNS image works behind VT-d, and a driver that points its devices at memory that
isn't its own is stopped there and named in the log, while everything else goes on."""

import pytest

from client import ask
from machine import BUILD, DNS_ELF, PARTITIONS, Machine, kernel
from network import UserNetwork

CONTAINED = "virtio-net-pci,disable-legacy=on,iommu_platform=on"
RNG = "virtio-rng-pci,disable-legacy=on"
FOREIGN = 0x100000  # where tests/servers/stray points its devices


def with_iommu(image, *options, device=CONTAINED, unit="intel-iommu"):
    return Machine(kernel(image), [UserNetwork()], machine="q35", device=device,
                   options=["-device", unit, *options])


def answers(machine):
    answer = ask(machine, "www.example.org", "A")
    return [str(item) for item in answer.answer[0]] == ["192.0.2.80"]


def memory(machine):
    return machine.monitor("human-monitor-command", **{"command-line": f"xp /16gx {FOREIGN:#x}"})


@pytest.mark.parametrize("unit", ["intel-iommu", "intel-iommu,aw-bits=48",
                                  "intel-iommu,caching-mode=on", "intel-iommu,intremap=on"])
@pytest.mark.parametrize("name", PARTITIONS)
def test_dns_behind_vtd(unit, name):
    with with_iommu(PARTITIONS[name], unit=unit) as machine:
        machine.ready()
        machine.expect(r"^init: DMA is contained by VT-d; interrupts aren't: .*$")
        assert all(answers(machine) for _ in range(100))
        assert "isn't contained" not in machine.text and "stopped" not in machine.text


def test_without_an_iommu_it_is_said():
    with Machine(kernel(DNS_ELF), [UserNetwork()]) as machine:
        machine.ready()
        machine.expect(r"^init: DMA isn't contained: no IOMMU .*$")


def test_a_device_that_bypasses_the_iommu_is_named():
    with with_iommu(DNS_ELF, device="virtio-net-pci") as machine:
        machine.ready()
        machine.expect(r"^init: 0000:00:0\d\.0 of virtio_drv: its DMA isn't contained$")
        assert answers(machine)


@pytest.mark.parametrize("iommu", [True, False])
def test_who_wants_containment_gets_no_device_without(iommu):
    image = BUILD / "images/stray.elf"
    machine = (with_iommu(image, "-device", RNG) if iommu else
               Machine(kernel(image), [UserNetwork()], options=["-device", RNG]))
    with machine:
        machine.ready()
        machine.expect(r"^init: 0000:\S+: not given to stray, whose manifest wants its DMA contained$")
        assert "was pointed at" not in machine.text
        assert answers(machine)


def test_a_stray_driver_is_stopped_at_the_iommu():
    rng = f"{RNG},iommu_platform=on"
    with with_iommu(DNS_ELF) as machine:  # the kernel's text is the same in both images
        machine.ready()
        before = memory(machine)
    with with_iommu(BUILD / "images/stray.elf", "-device", rng, "-device", rng) as machine:
        machine.ready()
        machine.expect(r"^init: 0000:00:0\d\.0 of stray stopped: DMA writing address 0x100000 "
                       r"\(not in its DMA space, reason \d+\)$")
        machine.expect(r"^init: 0000:00:0\d\.0 of stray stopped: DMA reading address 0x100000 "
                       r"\(not in its DMA space, reason \d+\)$")
        machine.expect(r"^stray: goes on$")
        assert all(answers(machine) for _ in range(100))
        assert memory(machine) == before
        assert len(before.splitlines()) >= 8

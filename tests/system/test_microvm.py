# SPDX-License-Identifier: ISC
"""QEMU's microvm: virtio over MMIO, no PCI. Devices that are named on the command line, named wrongly,
and that share a page of registers with another domain's."""

import re

import pytest

from machine import DNS_ELF, DNS_IMG, MICROVM, MODERN_MMIO, Machine, kernel
from network import UserNetwork
from test_boot import check_processors, check_service


def microvm(*options, networks=1, image=DNS_ELF, **more):
    return Machine([*kernel(image), *MODERN_MMIO, *options],
                   [UserNetwork() for _ in range(networks)], **{**MICROVM, **more})


def test_microvm(partition):
    with microvm(image=partition) as machine:
        machine.ready()
        assert re.search(r"^virtio_drv: net0: virtio-net mmio 0x\w+ mac 52:54:00:12:34:56 ",
                         machine.text, re.MULTILINE)
        for _ in range(300):  # more than either queue has slots
            check_service(machine)


@pytest.mark.parametrize("cpu", ["qemu64", "max"])
@pytest.mark.parametrize("memory", [4, 64, 4096])
def test_memory(memory, cpu):
    with microvm(memory=memory, cpu=cpu) as machine:
        machine.ready()
        check_service(machine)


def test_hears_of_its_link():
    with microvm() as machine:
        machine.ready()
        for up in (False, True):
            start = len(machine.text)
            machine.monitor("set_link", name="card0", up=up)
            machine.expect(rf"^virtio_drv: net0: link {'up' if up else 'down'}$", start)
        check_service(machine)


def test_with_several_cards():
    """All on one page of registers, each with a pin of its own."""
    with microvm(networks=4) as machine:
        machine.ready()
        for number in range(4):
            machine.expect(rf"^virtio_drv: net{number}: virtio-net mmio 0x")
        check_service(machine)


def test_does_not_give_another_device_away():
    """Whoever can touch the card's page could touch the disk's registers too."""
    with microvm("-drive", f"file={DNS_IMG},format=raw,if=none,id=d,snapshot=on",
                 "-device", "virtio-blk-device,drive=d") as machine:
        machine.expect(r"^init: mmio 0x\w+: not used: mmio 0x\w+ \(virtio type 2\) lies on the same "
                       r"page and isn't virtio_drv's$")
        machine.expect(r"^virtio_drv: no device: the machine has no network card ")
        assert "virtio_drv: net0: " not in machine.text


def test_with_the_legacy_interface_says_what_to_do():
    with Machine(kernel(DNS_ELF), [UserNetwork()], **MICROVM) as machine:
        machine.expect(r"^virtio_drv: device mmio 0x\w+ \(0000:0001\) not used: it has only the legacy "
                       r"interface \(QEMU: -global virtio-mmio.force-legacy=false\)$")


def test_with_acpi_says_what_to_do():
    """Its devices are in ACPI's tables only, which nothing here reads."""
    with microvm(machine="microvm") as machine:
        machine.expect(r"^init: no PCI, and no virtio_mmio.device on the command line: no devices "
                       r"\(QEMU: -machine microvm,acpi=off\)$")


@pytest.mark.parametrize("word, complaint", [
    ("512@0xfeb00e00:99", "its line isn't from 1 to 23"),
    ("512@0xfeb00f00:5", "its registers cross the end of a page"),
    ("512", "it isn't SIZE@ADDRESS:LINE"),
    ("4K@0xfeb00000:5", "it overlaps another one"),
])
def test_with_a_bad_word(word, complaint):
    """The good one stays as it is."""
    with microvm("-append", f"virtio_mmio.device=512@0xfeb00e00:12 virtio_mmio.device={word}",
                 machine="microvm,acpi=off,auto-kernel-cmdline=off") as machine:
        machine.ready()
        assert f'init: "virtio_mmio.device={word}": {complaint}: it isn\'t used\n' in machine.text
        check_service(machine)


@pytest.mark.parametrize("address", [
    "0x100000",    # memory, the kernel's
    "0x1000000",   # memory, free
    "0xfec00000",  # the I/O APIC
    "0xfee00000",  # the local APIC
    "0xfeb00000",  # an empty slot
    "0xfea00000",  # nothing
    "0x7fffffffffff0000",
])
def test_with_a_word_that_points_elsewhere(address):
    """No domain gets what isn't a virtio device; the good one stays as it is."""
    with microvm("-append", "virtio_mmio.device=512@0xfeb00e00:12 "
                            f"virtio_mmio.device=512@{address}:5",
                 machine="microvm,acpi=off,auto-kernel-cmdline=off") as machine:
        machine.ready()
        assert f"init: mmio {address}: no virtio device there\n" in machine.text
        check_service(machine)


@pytest.mark.parametrize("processors", [1, 2, 4])
def test_several_processors(processors):
    with microvm("-smp", str(processors)) as machine:
        machine.ready()
        check_processors(machine, processors)

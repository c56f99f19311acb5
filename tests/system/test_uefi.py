# SPDX-License-Identifier: ISC
"""The media for UEFI boot under OVMF: as CD, stick and disk, with its memory map in many pieces."""

import re

import pytest

from machine import DNS_ISO, DNS_UEFI_IMG, UEFI, UEFI_LIMIT, Machine, disk
from network import UserNetwork
from test_boot import check_processors, check_service

UEFI_PRODUCTS = {
    "cd-q35": (disk(DNS_ISO, "cd"), "q35"),
    "cd-as-usb3-stick-q35": (disk(DNS_ISO, "qemu-xhci"), "q35"),
    "disk-ide-pc": (disk(DNS_UEFI_IMG, "ide"), "pc"),
    "disk-virtio-q35": (disk(DNS_UEFI_IMG, "virtio"), "q35"),
    "disk-usb3-q35": (disk(DNS_UEFI_IMG, "qemu-xhci"), "q35"),
}


@pytest.mark.parametrize("product", UEFI_PRODUCTS)
def test_boots(product):
    boot, kind = UEFI_PRODUCTS[product]
    with Machine([*UEFI, *boot], [UserNetwork()], machine=kind, memory=128) as machine:
        machine.expect(r"^dnsd: serving .*$", seconds=UEFI_LIMIT)
        machine.ready()
        check_service(machine)
        assert re.search(r"^kernel: motet \S+, Multiboot2, ", machine.text, re.MULTILINE)
        assert "isn't used" not in machine.text  # of its memory, in many pieces


@pytest.mark.parametrize("memory", [64, 6144])
def test_with_other_memory(memory):
    """The firmware's tables lie elsewhere each time."""
    with Machine([*UEFI, *disk(DNS_ISO, "cd")], [UserNetwork()], machine="q35",
                 memory=memory) as machine:
        machine.expect(r"^dnsd: serving .*$", seconds=UEFI_LIMIT)
        machine.ready()
        check_service(machine)
        usable = int(re.search(r"^init: image dns, (\d+) KiB", machine.text, re.MULTILINE)[1])
        assert usable > memory * 1024 * 0.8


def test_with_several_processors():
    """The firmware has started the others, and parked them before it handed over."""
    with Machine([*UEFI, *disk(DNS_ISO, "cd")], [UserNetwork()], machine="q35", memory=128,
                 options=["-smp", "4"]) as machine:
        machine.expect(r"^dnsd: serving .*$", seconds=UEFI_LIMIT)
        machine.ready()
        check_processors(machine, 4)

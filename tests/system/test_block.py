# SPDX-License-Identifier: ISC
"""The block class in QEMU: its driver keeps the protocol (tests/servers/block_check) on all kinds of buses,
after it or its client was killed, and the disk has afterwards what it should."""

import pytest

from machine import BUILD, MICROVM, MODERN_MMIO, Machine, kernel
from managed import Managed

CHECK = kernel(BUILD / "images/block_check.elf")
BLOCKS = 2048
CONTAINED = "disable-legacy=on,iommu_platform=on"


def content(change):
    return b"".join(bytes(((block * 7 + i) & 0xff) ^ change for i in range(512)) for block in range(BLOCKS))


@pytest.fixture(name="disk")
def make_disk(tmp_path):
    path = tmp_path / "disk"
    path.write_bytes(content(0))
    return path


def options(disk, device, more=""):
    return ["-drive", f"file={disk},format=raw,if=none,id=d0{more}", "-device", f"{device},drive=d0"]


def conforms(running, start=0):
    running.expect(rf"^virtio_blk: {BLOCKS} blocks$", start)
    running.expect(rf"^block_check: conforms: {BLOCKS} blocks$", start)


@pytest.mark.parametrize("machine, device, before", [
    ("pc", "virtio-blk-pci", []),
    ("pc", "virtio-blk-pci,disable-legacy=on", []),
    ("pc", "virtio-blk-pci,vectors=0", []),
    ("pc", "virtio-blk-pci,event_idx=off", []),
    ("pc", "virtio-blk-pci,packed=on", []),
    ("pc", "virtio-blk-pci,packed=on,event_idx=off", []),
    ("q35", f"virtio-blk-pci,packed=on,{CONTAINED}", ["-device", "intel-iommu"]),
    ("q35", f"virtio-blk-pci,{CONTAINED}", ["-device", "intel-iommu"]),
    (MICROVM["machine"], "virtio-blk-device", MODERN_MMIO),
    (MICROVM["machine"], "virtio-blk-device,packed=on", MODERN_MMIO),
], ids=["transitional", "modern", "pin", "flags", "packed", "packed-flags", "packed-iommu", "iommu",
        "microvm", "packed-microvm"])
def test_virtio_blk_conforms(disk, machine, device, before):
    with Machine(CHECK, machine=machine, options=[*before, *options(disk, device)]) as running:
        conforms(running)
        assert ("virtio_blk: queue 0 is packed" in running.text) == ("packed=on" in device)
        counters = running.counters()
        assert counters["virtio_blk.reads"] == 2 * BLOCKS // 8
        assert counters["virtio_blk.writes"] == BLOCKS // 8
        assert counters["virtio_blk.flushes"] == counters["virtio_blk.refused"] == 1
        assert disk.read_bytes() == content(0xff)


def test_a_read_only_disk(disk):
    with Machine(CHECK, options=options(disk, "virtio-blk-pci", ",readonly=on")) as running:
        running.expect(rf"^virtio_blk: {BLOCKS} blocks, read-only$")
        running.expect(r"^block_check: doesn't conform: block \d+: NO_RIGHT$")
    assert disk.read_bytes() == content(0)


def test_without_a_disk_the_client_is_told():
    with Machine(CHECK) as running:
        running.expect(r"^virtio_blk: no device: the machine has no disk ")
        running.expect(r"^block_check: told: no disk: BAD_STATE$")


@pytest.mark.parametrize("victim", ["virtio_blk", "block_check"])
def test_whoever_is_killed_begins_anew(disk, victim):
    """A slow disk: each is killed while requests are under way, and the disk is right in the end."""
    slow = ",throttling.iops-total=200"
    with Managed(CHECK, options=options(disk, "virtio-blk-pci", slow)) as running:
        running.expect(r"^virtio_blk: ready: ")
        for life in range(1, 4):
            start = len(running.text)
            running.expect_counter("virtio_blk.reads", 20)
            assert running.motet("kill", victim) == f"{victim}: killed\n"
            running.expect(rf"^init: {victim}: restart {life}, ", start)
        running.expect(rf"^block_check: conforms: {BLOCKS} blocks$", start)
        assert disk.read_bytes() == content(0xff)

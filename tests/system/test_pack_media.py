# SPDX-License-Identifier: ISC
"""boot/pack-uefi and boot/pack-iso with the kernel of a few lines that test_pack_disk.py has: what
they make boots by BIOS and UEFI, settings arrive, results repeat, misuse is named."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from machine import UEFI
from test_pack_disk import ROOT, boot, kernel

SETTINGS = "net0.ip=10.0.2.15/24 log=1"
TOOLS = {"uefi": (ROOT / "boot/pack-uefi", "disk.img"), "iso": (ROOT / "boot/pack-iso", "cd.iso")}
PARTITIONS = 446  # where a disk's table of four is
STICK = ["-device", "qemu-xhci", "-drive", "if=none,id=d,format=raw,file={}",
         "-device", "usb-storage,drive=d"]
WAYS = {
    "uefi-by-bios": ("uefi", ["-machine", "pc", "-drive", "if=ide,format=raw,file={}"]),
    "uefi-by-uefi": ("uefi", ["-machine", "q35", *UEFI, "-m", "128", "-drive",
                              "if=virtio,format=raw,file={}"]),
    "iso-by-bios": ("iso", ["-machine", "pc", "-cdrom", "{}"]),
    "iso-by-uefi": ("iso", ["-machine", "q35", *UEFI, "-m", "128", "-cdrom", "{}"]),
    "iso-on-a-stick-by-bios": ("iso", ["-machine", "q35", *STICK]),
    "iso-on-a-stick-by-uefi": ("iso", ["-machine", "q35", *UEFI, "-m", "128", *STICK]),
}


def pack(which, *arguments, **more):
    return subprocess.run([TOOLS[which][0], *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60, **more)


def make(folder, which, elf, *options):
    product = folder / TOOLS[which][1]
    done = pack(which, *options, product, elf)
    assert done.returncode == 0, done.stderr
    return product


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("media")
    elf = kernel(folder)
    return {which: make(folder, which, elf, "--settings", SETTINGS) for which in TOOLS}


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """With more than a BIOS's GRUB can hold, and more than fits clusters of one sector."""
    folder = tmp_path_factory.mktemp("large-media")
    (folder / "noise").write_bytes(os.urandom(3_000_000))
    elf = kernel(folder, '.incbin "noise"\n')
    return {which: make(folder, which, elf) for which in TOOLS}


@pytest.mark.parametrize("way", WAYS)
def test_boots(small, way):
    which, options = WAYS[way]
    assert f"booted: {SETTINGS}" in boot(small[which], options)


@pytest.mark.parametrize("way", WAYS)
def test_boots_a_large_kernel(large, way):
    which, options = WAYS[way]
    assert "booted: " in boot(large[which], options)


def test_partition_table(small):
    """One entry, of UEFI's type, that covers the file system up to the padding."""
    content = small["uefi"].read_bytes()
    entry = content[PARTITIONS:PARTITIONS + 16]
    assert entry[0] == 0 and entry[4] == 0xEF
    first, count = (int.from_bytes(entry[at:at + 4], "little") for at in (8, 12))
    assert first * 512 == 1 << 20
    assert content[first * 512 + 510:first * 512 + 512] == b"\x55\xaa"
    assert content[(first + count) * 512:].strip(b"\0") == b""
    assert content[PARTITIONS + 16:PARTITIONS + 64] == bytes(48)
    assert len(content) % (1 << 20) == 0 and (first + count) * 512 <= len(content)


@pytest.mark.parametrize("which", TOOLS)
def test_sizes(small, which):
    sizes = json.loads(Path(f"{small[which]}.json").read_text())
    assert sizes["bytes"] == small[which].stat().st_size <= 3 << 20
    assert 100_000 < sizes["efi"] < 400_000  # the kernel is nearly nothing, so this is GRUB's part


@pytest.mark.parametrize("which", TOOLS)
def test_output_is_reproducible(small, tmp_path, which):
    elf = small[which].parent / "kernel.elf"
    again = make(tmp_path, which, elf, "--settings", SETTINGS)
    assert again.read_bytes() == small[which].read_bytes()


@pytest.mark.parametrize("which", TOOLS)
@pytest.mark.parametrize("settings", ["a=$root", "a=1;reboot", "a=|"])
def test_settings_that_grub_would_read_otherwise_are_refused(small, tmp_path, which, settings):
    done = pack(which, "--settings", settings, tmp_path / "x", small[which].parent / "kernel.elf")
    assert done.returncode == 1 and " — " in done.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("which", TOOLS)
@pytest.mark.parametrize("arguments, message", [
    ([], "wrong arguments"),
    (["x"], "wrong arguments"),
    (["x", "missing.elf"], "missing.elf can't be read"),
    (["x", "text.elf"], "is no ELF file"),
])
def test_misuse(tmp_path, which, arguments, message):
    (tmp_path / "text.elf").write_text("hello\n")
    done = pack(which, *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert f"pack-{which}: error: " in done.stderr and message in done.stderr
    assert " — " in done.stderr and not (tmp_path / "x").exists()


@pytest.mark.parametrize("which", TOOLS)
@pytest.mark.parametrize("variable, package", [("GRUB_DIR", "grub-pc-bin"),
                                               ("GRUB_EFI_DIR", "grub-efi-amd64-bin")])
def test_missing_modules(small, tmp_path, which, variable, package):
    done = pack(which, tmp_path / "x", small[which].parent / "kernel.elf",
                env={**os.environ, variable: str(tmp_path)})
    assert done.returncode == 1 and f"install {package}" in done.stderr
    assert not (tmp_path / "x").exists()

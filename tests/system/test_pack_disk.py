# SPDX-License-Identifier: ISC
"""boot/pack-disk with a kernel of a few lines: the disk boots from IDE, AHCI and virtio-blk, and the
settings arrive on the kernel's command line."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACK_DISK = ROOT / "boot/pack-disk"
QEMU = os.environ.get("QEMU", "qemu-system-x86_64")
SEABIOS_LEAST = 516096  # a smaller disk isn't taken from virtio-blk and AHCI

# Prints a greeting and its command line on the serial port, then ends QEMU.
KERNEL = """
    .section .multiboot2, "a"
    .balign 8
header:
    .long 0xe85250d6, 0, header_end - header, -(0xe85250d6 + (header_end - header))
    .word 0, 0
    .long 8
header_end:
    .text
    .code32
    .globl _start
_start:
    mov $greeting, %esi
    call print
    add $8, %ebx
tag:
    cmpl $0, (%ebx)
    je done
    cmpl $1, (%ebx)
    je command_line
    mov 4(%ebx), %eax
    add $7, %eax
    and $-8, %eax
    add %eax, %ebx
    jmp tag
command_line:
    lea 8(%ebx), %esi
    call print
done:
    mov $0x501, %dx
    mov $1, %al
    out %al, %dx
    hlt
print:
    mov $0x3f8, %dx
next:
    lodsb
    test %al, %al
    jz printed
    out %al, %dx
    jmp next
printed:
    ret
    .section .rodata
greeting: .asciz "booted: "
"""
SCRIPT = """
ENTRY(_start)
SECTIONS { . = 0x200000; .all : { *(.multiboot2) *(.text) *(.rodata) } }
"""

DISKS = {
    "ide": ["-machine", "pc", "-drive", "if=ide,format=raw,file={}"],
    "ahci": ["-machine", "q35", "-device", "ide-hd,drive=d,bus=ide.0", "-drive",
             "if=none,id=d,format=raw,file={}"],
    "virtio-pc": ["-machine", "pc", "-drive", "if=virtio,format=raw,file={}"],
    "virtio-q35": ["-machine", "q35", "-drive", "if=virtio,format=raw,file={}"],
}


def pack(*arguments, **more):
    return subprocess.run([PACK_DISK, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=60, **more)


def kernel(folder, extra=""):
    (folder / "kernel.S").write_text(KERNEL + extra)
    (folder / "kernel.ld").write_text(SCRIPT)
    subprocess.run(["as", "--64", "-o", folder / "kernel.o", folder / "kernel.S"], check=True,
                   cwd=folder)
    subprocess.run(["ld", "-n", "-static", "-T", folder / "kernel.ld", "-o", folder / "kernel.elf",
                    folder / "kernel.o"], check=True)
    return folder / "kernel.elf"


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    done = pack("--settings", "net0.ip=10.0.2.15/24 log=1", folder / "disk.img", kernel(folder))
    assert done.returncode == 0, done.stderr
    return folder / "disk.img"


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """With more than GRUB's core can hold."""
    folder = tmp_path_factory.mktemp("large")
    (folder / "noise").write_bytes(os.urandom(700_000))
    done = pack(folder / "disk.img", kernel(folder, '.incbin "noise"\n'))
    assert done.returncode == 0, done.stderr
    return folder / "disk.img"


def boot(disk, options):
    if not shutil.which(QEMU):
        pytest.fail(f"no {QEMU}: run make setup")
    options = [option.format(disk) for option in options]
    done = subprocess.run([QEMU, "-m", "16", "-display", "none", "-monitor", "none", "-serial",
                           "stdio", "-no-reboot", "-snapshot", "-device", "isa-debug-exit",
                           *options],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60)
    return done.stdout.decode(errors="replace")


@pytest.mark.parametrize("disk", DISKS)
def test_boots(small, disk):
    assert "booted: net0.ip=10.0.2.15/24 log=1" in boot(small, DISKS[disk])


@pytest.mark.parametrize("disk", ["ide", "ahci", "virtio-pc"])
def test_boots_with_a_kernel_outside_the_core(large, disk):
    assert "booted: " in boot(large, DISKS[disk])


@pytest.mark.parametrize("which", ["small", "large"])
def test_sizes(which, request):
    disk = request.getfixturevalue(which)
    sizes = json.loads(Path(f"{disk}.json").read_text())
    content = disk.read_bytes()
    assert sizes["bytes"] == len(content) >= SEABIOS_LEAST
    assert len(content) % (1 << 20) == 0
    assert content[sizes["unpadded"]:].strip(b"\0") == b""
    assert content[:sizes["unpadded"]][-512:].strip(b"\0") != b""


def test_grub_alone_stays_small(small):
    """The kernel is nearly nothing, so this is GRUB's part of the disk."""
    assert json.loads(Path(f"{small}.json").read_text())["unpadded"] < 145_000


def test_output_is_reproducible(small, tmp_path):
    done = pack("--settings", "net0.ip=10.0.2.15/24 log=1", tmp_path / "again.img",
                small.parent / "kernel.elf")
    assert done.returncode == 0
    assert (tmp_path / "again.img").read_bytes() == small.read_bytes()


@pytest.mark.parametrize("settings", ["a=$root", "a=1;reboot", "a=1\nreboot", "a='x'", "a=|", "a=&"])
def test_settings_that_grub_would_read_otherwise_are_refused(small, tmp_path, settings):
    done = pack("--settings", settings, tmp_path / "x.img", small.parent / "kernel.elf")
    assert done.returncode == 1 and " — " in done.stderr
    assert not (tmp_path / "x.img").exists()


def test_entry_by_physical_address_is_refused(small, tmp_path):
    """GRUB wouldn't find it: "entry point isn't in a segment"."""
    subprocess.run(["objcopy", "--change-section-vma", ".all+0x10000000",
                    "--set-start=0x200020", small.parent / "kernel.elf", tmp_path / "moved.elf"],
                   check=True)
    done = pack(tmp_path / "x.img", tmp_path / "moved.elf")
    assert done.returncode == 1 and "entry 0x200020 is in no section — " in done.stderr


def test_kernel_without_multiboot2_is_refused(small, tmp_path):
    content = (small.parent / "kernel.elf").read_bytes()
    (tmp_path / "other.elf").write_bytes(content.replace(b"\xd6\x50\x52\xe8", b"\xd7\x50\x52\xe8"))
    done = pack(tmp_path / "x.img", tmp_path / "other.elf")
    assert done.returncode == 1 and "no Multiboot2 header" in done.stderr


@pytest.mark.parametrize("arguments, message", [
    ([], "wrong arguments"),
    (["x.img"], "wrong arguments"),
    (["x.img", "missing.elf"], "missing.elf can't be read"),
    (["x.img", "text.elf"], "is no ELF file"),
])
def test_misuse(tmp_path, arguments, message):
    (tmp_path / "text.elf").write_text("hello\n")
    done = pack(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert f"pack-disk: error: " in done.stderr and message in done.stderr and " — " in done.stderr
    assert not (tmp_path / "x.img").exists()


def test_missing_modules(small, tmp_path):
    done = pack(tmp_path / "x.img", small.parent / "kernel.elf",
                env={**os.environ, "GRUB_DIR": str(tmp_path)})
    assert done.returncode == 1 and "install grub-pc-bin" in done.stderr


def test_unwritable_place(small):
    done = pack("/nonexistent/x.img", small.parent / "kernel.elf")
    assert done.returncode != 0

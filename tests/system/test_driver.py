# SPDX-License-Identifier: ISC
"""Drivers: what the library refuses when it is compiled, and what tools/motet new driver makes."""

import re
import subprocess
import time

import pytest

from machine import LIMIT, ROOT
from scratch import LONGEST, MOTET

# Compilation

REGISTERS = """
#include "libos/driver/registers.h"
#define DEV_REGISTERS(R) \\
    R(dev, told, 0x00, 32, ro) \\
    R(dev, bell, 0x04, 32, wo) \\
    R(dev, small, 0x08, 8, rw) \\
    {more}
REGISTERS(dev, DEV_REGISTERS, 0x10)
REGISTERS(other, OTHER, 0x10)
void use(struct dev_registers *dev, struct other_registers *other);
void use(struct dev_registers *dev, struct other_registers *other)
{{
    (void)dev, (void)other;
    {use}
}}
"""


def compile_registers(tmp_path, more, use):
    source = tmp_path / "registers.c"
    source.write_text("#define OTHER(R) R(other, x, 0x00, 32, rw)\n" + REGISTERS.format(more=more, use=use),
                      encoding="utf-8")
    return subprocess.run(
        ["gcc", "-std=c17", "-Wall", "-Wextra", "-Werror", "-I.", "-Iinclude", "-fsyntax-only", source],
        cwd=ROOT, capture_output=True, text=True, timeout=LIMIT)


@pytest.mark.parametrize("more, use", [
    ("", ""),
    ("R(dev, more, 0x0c, 32, rw)", "dev_write_more(dev, dev_read_told(dev)); dev_write_bell(dev, 1);"),
    ("R(dev, half, 0x0a, 16, rw) R(dev, byte, 0x09, 8, ro)", "dev_write_half(dev, dev_read_byte(dev));"),
])
def test_registers_that_are_right_are_compiled(tmp_path, more, use):
    done = compile_registers(tmp_path, more, use)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("more, use, complaint", [
    ("R(dev, more, 0x0d, 16, rw)", "", "dev.more: misaligned"),
    ("R(dev, more, 0x0e, 32, rw)", "", "dev.more: misaligned"),
    ("R(dev, more, 0x10, 32, rw)", "", "dev.more: outside the block"),
    ("R(dev, more, 0x0c, 64, rw)", "", "dev.more: outside the block"),
    ("R(dev, more, 0x02, 16, rw)", "", " case value"),
    ("R(dev, more, 0x08, 32, rw)", "", " case value"),
    ("R(dev, more, 0x0c, 24, rw)", "", "registers_read_24"),
    ("R(dev, more, 0x0c, 32, re)", "", "registers.c:8:"),
    ("", "dev_write_told(dev, 1);", "dev_write_told"),
    ("", "dev_read_bell(dev);", "dev_read_bell"),
    ("", "dev_read_told(other);", "incompatible pointer type"),
    ("", "dev_read_missing(dev);", "dev_read_missing"),
], ids=lambda value: value or "-")
def test_registers_that_are_wrong_are_not(tmp_path, more, use, complaint):
    done = compile_registers(tmp_path, more, use)
    assert done.returncode != 0 and complaint in done.stderr, done.stderr


# New drivers


ALONE = "1 domain, 0 connections, 1 pool"


@pytest.mark.parametrize("words, passed, composed", [
    (["mine"], 7, ALONE),
    (["dice", "--class", "rng"], 38, ALONE),
    (["entropic", "--class=rng", "--pci", "1234:11E8"], 7, ALONE),
    (["platter", "--class", "block"], 50, ALONE),
    (["drum", "--class", "block", "--pci", "1234:11e8"], 7, ALONE),
    (["watch", "--class", "clock"], 18, ALONE),
    (["sundial", "--class", "clock", "--pci", "1234:11e8"], 7, ALONE),
    (["talker", "--class", "console", "--pci", "1234:11e8"], 7, "2 domains, 1 connection, 1 pool"),
    (["card", "--class", "net", "--pci", "8086:100e"], 7, "2 domains, 1 connection, 3 pools"),
    (["new_card", "--class", "net", "--pci", "abcd:0123"], 6, "2 domains, 1 connection, 3 pools"),
    (["unknown", "--pci", "abcd:0123"], 6, ALONE),
    ([LONGEST], 7, ALONE),
], ids=lambda value: value[0] if isinstance(value, list) else "")
def test_a_new_driver_boots_and_passes_its_tests(tree, words, passed, composed):
    name = words[0]
    _, paths = tree.new("driver", *words)
    for path in paths:
        assert "@" not in (tree.root / path).read_text().replace("@pytest", "")
    tests = tree.run(MOTET, "test", name)
    assert re.search(rf"\n{passed} passed, 0 failed\n$", tests.stdout), tests.stdout
    checked = tree.run(MOTET, "check", name)
    assert f"images/{name}.conf: good: {composed}" in checked.stdout, checked.stdout


def test_its_tests_can_fail(tree):
    assert tree.run(MOTET, "new", "driver", "wrong").returncode == 0
    registers = tree.root / "servers/wrong/registers.h"
    registers.write_text(registers.read_text().replace("first, 0x00", "first, 0x04").replace(", 0x04)", ", 0x08)"))
    tests = tree.run(MOTET, "test", "wrong")
    assert tests.returncode != 0
    assert "unit/wrong_server.test_it_finds_its_device" in tests.stdout


def test_the_first_boot_is_soon(tree):
    """One command more and it runs. No limit here but that of the builds; the report says how long."""
    begin = time.monotonic()
    assert tree.run(MOTET, "new", "driver", "quick").returncode == 0
    with subprocess.Popen(["make", "run", "IMAGE=quick", "PORT=0"], cwd=tree.root, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        assert "port '0' isn't a number" in run.stdout.read()  # built, and then refused
    assert (tree.root / "build/images/quick.elf").exists()
    print(f"{time.monotonic() - begin:.1f} s from nothing to an image")


@pytest.mark.parametrize("words, complaint", [
    (["Toy"], '"Toy" is no name — lowercase letters, digits and _'),
    (["source"], 'there is a server "source" already, bench/ipc/servers/source'),
    (["netd"], 'there is a server "netd" already, servers/netd — choose another name'),
    (["sock"], "there is ipc/proto/sock.h already"),
    (["one", "two"], "two: one word too many"),
    (["toy", "--pci"], "--pci needs a value"),
    (["toy", "--pci", "8086"], "--pci 8086: not VENDOR:DEVICE, such as 8086:100e"),
    (["toy", "--pci", "8086:100g"], "--pci 8086:100g: not VENDOR:DEVICE"),
    (["toy", "--class", "sound"], "--class sound: no such class — own, rng, block, net, console or clock"),
    (["toy", "--class", "net"], "--class net: which device? — add --pci VENDOR:DEVICE"),
    (["toy", "--class", "net", "--pci", "1234:11e8"],
     "--class net: 1234:11e8 is no network card — QEMU calls it edu"),
    (["toy", "--nonsense"], "--nonsense: no such option"),
])
def test_refused_words_change_nothing(tree, words, complaint):
    tree.refuses_new("driver", words, complaint)

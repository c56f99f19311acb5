# SPDX-License-Identifier: ISC
"""Assertions on three levels, each where it belongs: what a release build contains, by its symbols
and sizes; a debug build serves as well; what is said of the whole system is in no kernel."""

import subprocess

import pytest

from client import ask, section
from machine import BUILD, DNS_ELF, Machine, kernel
from network import UserNetwork

DEAR = {"cap_check", "port_check", "thread_check", "deadline_check"}
WHOLE = {"check_all", "check_changed", "check_space_entries", "check_translations"}
RELEASE = BUILD / "kernel.elf"
DEBUG = BUILD / "debug/kernel.elf"


def symbols(path):
    listed = subprocess.run(["nm", path], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1] for line in listed.splitlines()}


def text_bytes(path):
    table = subprocess.run(["size", path], check=True, capture_output=True, text=True).stdout
    return int(table.splitlines()[1].split()[0])


def test_release_has_cheap_ones_only():
    assert b"assertion failed" in RELEASE.read_bytes()
    assert not symbols(RELEASE) & (DEAR | WHOLE)


def test_debug_has_dear_ones_too():
    assert DEAR <= symbols(DEBUG)
    assert not symbols(DEBUG) & WHOLE
    assert text_bytes(DEBUG) > text_bytes(RELEASE)


@pytest.mark.parametrize("variant", ["fast", "checked", "asan"])
def test_simulator_has_what_is_said_of_the_whole_system(variant):
    assert WHOLE <= symbols(BUILD / f"sim/{variant}/sim")


def test_debug_image_serves():
    image = BUILD / "debug" / DNS_ELF.relative_to(BUILD)
    with Machine(kernel(image), [UserNetwork()]) as machine:
        machine.ready()
        for _ in range(50):
            answer = ask(machine, "www.example.org")
            assert section(answer.answer) == ["www.example.org. 3600 A 192.0.2.80"]

# SPDX-License-Identifier: ISC
"""Machines at the edges: much memory and memory out of the direct map's reach, devices above 4 GiB,
behind bridges, with shared pins; and what init makes of odd settings."""

import re
import time

import pytest

from client import ask, section
from machine import BUILD, DNS_ELF, MICROVM, MODERN_MMIO, Machine, kernel
from network import UserNetwork


def check_service(machine):
    answer = ask(machine, "www.example.org")
    assert section(answer.answer) == ["www.example.org. 3600 A 192.0.2.80"]


def unreserved(size, share="off"):
    """Memory that the host needn't have."""
    return ["-object", f"memory-backend-ram,id=m,size={size},reserve=off,share={share}"]


@pytest.mark.parametrize("cpu", ["max", "qemu64"])  # with pages of 1 GiB and without
@pytest.mark.parametrize("kind", ["pc", "q35"])
@pytest.mark.parametrize("memory", ["3G", "8G"])
def test_memory_around_and_above_4_gib(memory, kind, cpu):
    with Machine(kernel(DNS_ELF), [UserNetwork()], machine=kind, cpu=cpu,
                 memory=memory) as machine:
        machine.ready()
        check_service(machine)


@pytest.mark.parametrize("cpu", ["max", "qemu64"])
@pytest.mark.parametrize("kind", ["pc", "q35", "microvm"])
def test_64_gib(kind, cpu):
    settings, boot = {"machine": kind}, kernel(DNS_ELF)
    if kind == "microvm":
        settings, boot = dict(MICROVM), [*boot, *MODERN_MMIO]
    settings["machine"] += ",memory-backend=m"
    with Machine(boot, [UserNetwork()], cpu=cpu, memory="64G", options=unreserved("64G"),
                 **settings) as machine:
        machine.ready()
        usable = int(re.search(r"^init: image dns, (\d+) KiB", machine.text, re.MULTILINE)[1])
        assert usable > 63 << 20
        check_service(machine)


@pytest.mark.parametrize("low", ["16M", "512M"])
@pytest.mark.parametrize("kind", ["pc", "q35"])
def test_hole_in_memory(kind, low):
    """A little memory in front of the hole for devices, the rest behind it."""
    with Machine(kernel(DNS_ELF), [UserNetwork()], machine=f"{kind},max-ram-below-4g={low}",
                 memory="1G") as machine:
        machine.ready()
        usable = int(re.search(r"^init: image dns, (\d+) KiB", machine.text, re.MULTILINE)[1])
        assert usable > 1000 << 10
        check_service(machine)


@pytest.mark.parametrize("options, reference", [
    ("pit=on", "8254"),
    ("pit=off", "HPET"),
    ("pit=on,hpet=off", "8254"),
])
def test_clock_reference(options, reference):
    with Machine(kernel(DNS_ELF), [UserNetwork()], machine=f"q35,{options}") as machine:
        machine.ready()
        assert re.search(rf"^kernel: motet \S+, PVH, TSC [1-9]\d\d+ MHz by {reference}, ", machine.text,
                         re.MULTILINE)
        check_service(machine)


def test_no_clock_reference():
    with Machine(kernel(DNS_ELF), machine="q35,pit=off,hpet=off") as machine:
        assert machine.wait_end() == 255
        assert ("kernel: panic: no timer to measure the clock with: neither an 8254 nor an HPET counts\n"
                in machine.text)


def test_memory_out_of_reach():
    """What the direct map doesn't reach is left alone, and said."""
    with Machine(kernel(DNS_ELF), [UserNetwork()], machine="q35,memory-backend=m", memory="600G",
                 options=unreserved("600G")) as machine:
        machine.ready()
        assert "kernel: memory from 512 GiB on isn't used\n" in machine.text
        usable = int(re.search(r"^init: image dns, (\d+) KiB", machine.text, re.MULTILINE)[1])
        assert 500 << 20 < usable < 512 << 20
        check_service(machine)


def test_card_above_4_gib():
    """A BAR too large for the hole below 4 GiB makes the firmware place all 64-bit ones above."""
    with Machine(kernel(DNS_ELF), [UserNetwork()], machine="q35", memory="2G",
                 options=[*unreserved("4G", "on"), "-device", "ivshmem-plain,memdev=m"]) as machine:
        machine.ready()
        check_service(machine)


def test_cards_behind_bridges_are_found_once():
    bridges = ["-device", "pci-bridge,id=one,chassis_nr=1,addr=9",
               "-device", "pci-bridge,id=two,chassis_nr=2,bus=one,addr=1"]
    with Machine([*kernel(DNS_ELF), *bridges], [UserNetwork()],
                 device="virtio-net-pci,bus=two,addr=3") as machine:
        machine.ready()
        check_service(machine)
        assert len(re.findall(r"^virtio_drv: net\d: virtio-net ", machine.text, re.MULTILINE)) == 1


def test_function_that_is_not_the_first():
    other = ["-device", "virtio-rng-pci,addr=6.0,multifunction=on"]
    with Machine([*kernel(DNS_ELF), *other], [UserNetwork()],
                 device="virtio-net-pci,addr=6.5") as machine:
        machine.ready()
        assert re.search(r"^virtio_drv: net0: virtio-net 0000:00:06\.5 ", machine.text, re.MULTILINE)
        check_service(machine)


def test_more_cards_than_claimed():
    with Machine(kernel(DNS_ELF), [UserNetwork() for _ in range(5)]) as machine:
        machine.ready()
        assert len(re.findall(r"^virtio_drv: net\d: virtio-net ", machine.text, re.MULTILINE)) == 4
        assert len(re.findall(r"^init: 0000:\S+: left alone, virtio_drv has as many devices",
                              machine.text, re.MULTILINE)) >= 1
        check_service(machine)


def test_two_cards_share_a_pin(partition):
    """Slots 4 and 8 of the first bus are wired to the same input of the interrupt controller."""
    second = ["-netdev", "user,id=second",
              "-device", "virtio-net-pci,netdev=second,vectors=0,addr=8"]
    with Machine(kernel(partition), [UserNetwork()], device="virtio-net-pci,vectors=0,addr=4",
                 options=second) as machine:
        machine.ready()
        machine.expect(r"^netd: net1: ")
        for _ in range(50):
            check_service(machine)


def test_setting_with_a_nul(tmp_path, partition):
    """What lies behind a NUL doesn't become a setting of its own."""
    path = tmp_path / "setting"
    path.write_bytes(b"10.0.2.15/24\0net0.gw=10.0.2.99\0\n")
    with Machine(kernel(partition), [UserNetwork()],
                 options=["-fw_cfg", f"name=opt/motet/net0.ip,file={path}"]) as machine:
        machine.ready()
        assert "netd: net0: 10.0.2.15/24 gateway " in machine.text
        assert "10.0.2.99" not in machine.text
        assert "unknown setting" not in machine.text


def test_a_domain_that_keeps_init_busy():
    """Its lines are printed for a part of the time only, its false reports once at most."""
    with Machine(kernel(BUILD / "images/flood.elf"), [UserNetwork()]) as machine:
        machine.ready()
        time.sleep(2)  # a second's worth of printing is used up by then
        took = []
        for _ in range(100):
            start = time.monotonic()
            check_service(machine)
            took.append(time.monotonic() - start)
        assert sorted(took)[50] < 0.03, sorted(took)
        assert "init: flood stopped: " not in machine.text
        assert machine.text.count("init: flood stopped by itself: ") == 1
        assert machine.counters()["dnsd.noerror"] >= 100


def test_a_budget_leaves_time_to_less_important_domains():
    """Both never stop; the more important one may run for a fiftieth of the time."""
    with Machine(kernel(BUILD / "images/budget.elf")) as machine:
        machine.expect("init: image budget")
        for _ in range(20):
            time.sleep(0.3)
            counters = machine.counters()
            if counters.get("modest.turns", 0) > 10 * counters.get("greedy.turns", 0) > 0:
                break
        assert counters["modest.turns"] > 10 * counters["greedy.turns"] > 0

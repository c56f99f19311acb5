# SPDX-License-Identifier: ISC
"""The clock class in QEMU: its drivers keep the protocol (tests/servers/clock_check), after they were killed
too; legacy devices: what a domain reaches of them (tests/servers/port_thief)."""

import calendar

import pytest

from machine import BUILD, LIMIT, MICROVM, MODERN_MMIO, Machine, devices, kernel
from managed import Managed

CHECK = kernel(BUILD / "images/clock_check.elf")
THIEF = kernel(BUILD / "images/port_thief.elf")
CONFORMS = r"^clock_check: conforms: 25 answers, (\d+) seconds since 1970, to (\d+) ns$"
# base, and what that is since 1970
TIMES = [("2031-03-04T05:06:07", (2031, 3, 4, 5, 6, 7)), ("1999-12-31T23:59:58", (1999, 12, 31, 23, 59, 58)),
         ("2000-02-28T23:59:59", (2000, 2, 28, 23, 59, 59)), ("2099-12-31T23:59:59", (2099, 12, 31, 23, 59, 59))]
PORT_WIDTHS = 8 + 7 + 5  # of eight ports: bytes, pairs, and fours


def seconds(moment):
    return calendar.timegm(moment)


@pytest.mark.parametrize("base, moment", TIMES, ids=[base for base, _ in TIMES])
def test_the_clock_of_a_pc_conforms(base, moment):
    with Machine(CHECK, options=["-rtc", f"base={base},clock=vm"]) as running:
        running.expect(r"^cmos_drv: ready: device isa 0x70 \(41d0:0b00\), no interrupts$")
        told, precision = map(int, running.expect(CONFORMS).groups())
        assert seconds(moment) + 2 <= told <= seconds(moment) + LIMIT
        assert 1_000_000_000 <= precision < 2_000_000_000
        counters = running.counters()
        assert counters["cmos_drv.served"] == 25 and counters["cmos_drv.bad_message"] == 3


@pytest.mark.parametrize("rtc, said", [("on", r"ready: device isa 0x70 \(41d0:0b00\), no interrupts"), (
    "off", r"device isa 0x70 \(41d0:0b00\) not used: nobody answers at its ports \(QEMU: -machine .*\)")])
def test_a_machine_may_have_none(rtc, said):
    with Machine(CHECK, machine=f"{MICROVM['machine']},rtc={rtc}", options=MODERN_MMIO) as running:
        running.expect(rf"^cmos_drv: {said}$")
        if rtc == "on":
            running.expect(CONFORMS)
        else:
            running.expect(r"^clock_check: told: answer 0: BAD_STATE$")
            assert running.counters()["cmos_drv.down"] == 1


def test_legacy_devices_need_no_other_bus():
    with Machine(CHECK, machine="microvm,acpi=on,rtc=on", options=["-nodefaults"]) as running:
        running.expect(r"^init: no PCI, and no virtio_mmio.device on the command line: no devices but legacy ones ")
        running.expect(CONFORMS)


def test_a_killed_driver_begins_anew():
    with Managed(CHECK, options=devices("clock_check")) as running:
        start = 0
        for life in range(1, 3):
            running.expect(CONFORMS, start)
            start = len(running.text)
            assert running.motet("kill", "cmos_drv") == "cmos_drv: killed\n"
            running.expect(rf"^init: cmos_drv: restart {life}, ", start)
            running.expect(r"^cmos_drv: ready: device ", start)
        running.expect(CONFORMS, start)


@pytest.mark.parametrize("machine, holds", [
    (["-serial", "stdio", "-serial", "null"], "5a"), (["-serial", "stdio"], "ff")], ids=["com2", "none"])
def test_a_domain_reaches_the_ports_that_it_was_granted(machine, holds):
    with Machine(THIEF, options=machine[2:]) as running:
        running.expect(r"^port_thief: ports 0x2f8, 8 of them, 1 vectors$")
        granted, refused = running.expect(
            r"^port_thief: granted (\d+), refused (\d+), "
            rf"its own holds 0x{holds}, beside it is 0xffffffff$").groups()
        assert int(granted) == PORT_WIDTHS
        # In, and out where that is refused, by widths 0 to 5; derive; 63 slots and one number more.
        assert int(refused) == 2 * (6 * 0x10000 - PORT_WIDTHS) + 0x10000 + 64
        assert "ACCEPTED" not in running.text and "REFUSED" not in running.text
        running.expect(CONFORMS)  # nobody else noticed

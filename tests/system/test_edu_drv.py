# SPDX-License-Identifier: ISC
"""images/edu.conf: QEMU's `edu` device, which has MSI and no MSI-X, computes, and copies in and out, with and
without an IOMMU; and what a driver says that lacks a device or a right."""

import pytest

from machine import BUILD, Machine, devices, kernel

EDU = kernel(BUILD / "images/edu.elf")


@pytest.mark.parametrize("options", [
    {}, {"machine": "q35"},
    {"machine": "q35", "options": ["-device", "intel-iommu,intremap=off"]},
    {"machine": "q35", "options": ["-device", "intel-iommu,intremap=on"]},
], ids=["pc", "q35", "iommu", "intremap"])
def test_it_computes_and_copies(options):
    options = {**options, "options": [*options.get("options", []), *devices("edu")]}
    with Machine(EDU, **options) as machine:
        machine.expect(r"^edu_drv: ready: device 0000:00:\d\d\.0 \(1234:11e8\), MSI$")
        machine.expect(r"^edu_demo: 10! is 3628800$")
        machine.expect(r'^edu_demo: stored "there and back"$')
        machine.expect(r'^edu_demo: fetched "there and back"$')
        counters = machine.counters()
        assert counters["edu_drv.interrupts"] >= 3 and counters["edu_drv.served"] == 3


def test_without_a_device_the_client_is_told():
    with Machine(EDU) as machine:
        machine.expect(r"^edu_drv: no device: the machine has no edu \(QEMU: -device edu\)$")
        machine.expect(r"^edu_demo: request 1: BAD_STATE$")

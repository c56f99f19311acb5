# SPDX-License-Identifier: ISC
"""Every product boots to the same service in every way it is meant to, on every machine, with every
kind of virtio-net card, on old and new processors, and with little and much memory."""

import re
import subprocess

import pytest

from client import ask, rcode, section
from machine import (DNS_ELF, DNS_IMG, DNS_ISO, DNS_UEFI_IMG, LIMIT, MICROVM, MODERN_MMIO, UEFI,
                     UEFI_LIMIT, Machine, disk, kernel)
from network import UserNetwork

PRODUCTS = {
    "elf-pc": (kernel(DNS_ELF), "pc"),
    "elf-q35": (kernel(DNS_ELF), "q35"),
    "disk-ide-pc": (disk(DNS_IMG, "ide"), "pc"),
    "disk-ahci-pc": (disk(DNS_IMG, "ahci"), "pc"),
    "disk-ahci-q35": (disk(DNS_IMG, "ide"), "q35"),  # q35's own controller is AHCI
    "disk-virtio-pc": (disk(DNS_IMG, "virtio"), "pc"),
    "disk-virtio-q35": (disk(DNS_IMG, "virtio"), "q35"),
    "disk-usb2-pc": (disk(DNS_IMG, "usb-ehci"), "pc"),
    "disk-usb3-q35": (disk(DNS_IMG, "qemu-xhci"), "q35"),
    "uefi-disk-by-bios-pc": (disk(DNS_UEFI_IMG, "ide"), "pc"),
    "uefi-disk-by-bios-usb3-q35": (disk(DNS_UEFI_IMG, "qemu-xhci"), "q35"),
    "cd-pc": (disk(DNS_ISO, "cd"), "pc"),
    "cd-q35": (disk(DNS_ISO, "cd"), "q35"),
    "cd-as-ide-disk-pc": (disk(DNS_ISO, "ide"), "pc"),
    "cd-as-usb2-stick-pc": (disk(DNS_ISO, "usb-ehci"), "pc"),
    "cd-as-usb3-stick-q35": (disk(DNS_ISO, "qemu-xhci"), "q35"),
}

UEFI_PRODUCTS = {
    "cd-pc": (disk(DNS_ISO, "cd"), "pc"),
    "cd-q35": (disk(DNS_ISO, "cd"), "q35"),
    "cd-as-usb3-stick-q35": (disk(DNS_ISO, "qemu-xhci"), "q35"),
    "disk-ide-pc": (disk(DNS_UEFI_IMG, "ide"), "pc"),
    "disk-ahci-q35": (disk(DNS_UEFI_IMG, "ide"), "q35"),
    "disk-virtio-q35": (disk(DNS_UEFI_IMG, "virtio"), "q35"),
    "disk-usb3-q35": (disk(DNS_UEFI_IMG, "qemu-xhci"), "q35"),
}

# From the oldest with a 64-bit mode to all that QEMU can emulate.
PROCESSORS = ["max", "qemu64", "kvm64", "Nehalem-v1", "Haswell-v1", "Skylake-Client-v1",
              "Icelake-Server-v1", "Opteron_G1-v1", "EPYC-v1", "EPYC-Milan-v1"]

CARDS = {
    "modern": "virtio-net-pci,disable-legacy=on,disable-modern=off",
    "transitional": "virtio-net-pci,disable-legacy=off,disable-modern=off",
    "legacy-id-only-modern-bar": "virtio-net-pci-transitional",
    "no-mergeable-buffers": "virtio-net-pci,mrg_rxbuf=off",
    "no-event-index": "virtio-net-pci,event_idx=off",
    "no-checksum-offload": "virtio-net-pci,csum=off,guest_csum=off",
    "no-indirect": "virtio-net-pci,indirect_desc=off",
    "small-queues": "virtio-net-pci,rx_queue_size=256,tx_queue_size=256",
    "large-queues": "virtio-net-pci,rx_queue_size=1024",
    "no-status": "virtio-net-pci,status=off",
    "packed-offered": "virtio-net-pci,packed=on",
    "multiqueue-offered": "virtio-net-pci,mq=on,vectors=6",
    "one-vector": "virtio-net-pci,vectors=1",
    "two-vectors": "virtio-net-pci,vectors=2",
    "pin": "virtio-net-pci,vectors=0",
}


def check_service(machine):
    answer = ask(machine, "www.example.org")
    assert section(answer.answer) == ["www.example.org. 3600 A 192.0.2.80"]
    assert rcode(ask(machine, "nowhere.example.org")) == "NXDOMAIN"


@pytest.mark.parametrize("product", PRODUCTS)
def test_boots(product):
    boot, kind = PRODUCTS[product]
    with Machine(boot, [UserNetwork()], machine=kind) as machine:
        machine.ready()
        check_service(machine)
        loader = "PVH" if product.startswith("elf") else "Multiboot2"
        assert re.search(rf"^kernel: motet \S+, {loader}, TSC \d+ MHz by 8254, xAPIC, one-shot timer$",
                         machine.text, re.MULTILINE)
        assert re.search(r"^init: image dns, \d+ KiB of memory$", machine.text, re.MULTILINE)
        assert re.search(r"^virtio_drv: net0: virtio-net ", machine.text, re.MULTILINE)
        assert "netd: net0: 10.0.2.15/24 gateway 10.0.2.2 " in machine.text


@pytest.mark.parametrize("product", UEFI_PRODUCTS)
def test_boots_by_uefi(product):
    boot, kind = UEFI_PRODUCTS[product]
    with Machine([*UEFI, *boot], [UserNetwork()], machine=kind, memory=128) as machine:
        machine.expect(r"^dnsd: serving .*$", seconds=UEFI_LIMIT)
        machine.ready()
        check_service(machine)
        assert re.search(r"^kernel: motet \S+, Multiboot2, ", machine.text, re.MULTILINE)
        assert "isn't used" not in machine.text  # of its memory, in many pieces


@pytest.mark.parametrize("memory", [64, 3072, 6144])
def test_uefi_with_other_memory(memory):
    """The firmware's tables lie elsewhere each time."""
    with Machine([*UEFI, *disk(DNS_ISO, "cd")], [UserNetwork()], machine="q35",
                 memory=memory) as machine:
        machine.expect(r"^dnsd: serving .*$", seconds=UEFI_LIMIT)
        machine.ready()
        check_service(machine)
        usable = int(re.search(r"^init: image dns, (\d+) KiB", machine.text, re.MULTILINE)[1])
        assert usable > memory * 1024 * 0.8


def microvm(*options, networks=1, **more):
    return Machine([*kernel(DNS_ELF), *MODERN_MMIO, *options],
                   [UserNetwork() for _ in range(networks)], **{**MICROVM, **more})


def test_microvm():
    with microvm() as machine:
        machine.ready()
        assert re.search(r"^virtio_drv: net0: virtio-net mmio 0x\w+ mac 52:54:00:12:34:56 ",
                         machine.text, re.MULTILINE)
        for _ in range(300):  # more than either queue has slots
            check_service(machine)


@pytest.mark.parametrize("cpu", ["qemu64", "max"])
@pytest.mark.parametrize("memory", [4, 64, 4096])
def test_microvm_memory(memory, cpu):
    with microvm(memory=memory, cpu=cpu) as machine:
        machine.ready()
        check_service(machine)


def test_microvm_hears_of_its_link():
    with microvm() as machine:
        machine.ready()
        for up in (False, True):
            start = len(machine.text)
            machine.monitor("set_link", name="card0", up=up)
            machine.expect(rf"^virtio_drv: net0: link {'up' if up else 'down'}$", start)
        check_service(machine)


def test_microvm_with_several_cards():
    """All on one page of registers, each with a pin of its own."""
    with microvm(networks=4) as machine:
        machine.ready()
        for number in range(4):
            machine.expect(rf"^virtio_drv: net{number}: virtio-net mmio 0x")
        check_service(machine)


def test_microvm_does_not_give_another_device_away():
    """Whoever can touch the card's page could touch the disk's registers too."""
    with microvm("-drive", f"file={DNS_IMG},format=raw,if=none,id=d,snapshot=on",
                 "-device", "virtio-blk-device,drive=d") as machine:
        machine.expect(r"^init: mmio 0x\w+: not used: mmio 0x\w+ \(virtio type 2\) lies on the same "
                       r"page and isn't virtio_drv's$")
        machine.expect(r"^virtio_drv: no network card: ")
        assert "virtio_drv: net0: " not in machine.text


def test_microvm_with_the_legacy_interface_says_what_to_do():
    with Machine(kernel(DNS_ELF), [UserNetwork()], **MICROVM) as machine:
        machine.expect(r"^virtio_drv: device mmio 0x\w+ \(0000:0001\) not used: it has only the legacy "
                       r"interface \(QEMU: -global virtio-mmio.force-legacy=false\)$")


def test_microvm_with_acpi_says_what_to_do():
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
def test_microvm_with_a_bad_word(word, complaint):
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
def test_microvm_with_a_word_that_points_elsewhere(address):
    """No domain gets what isn't a virtio device; the good one stays as it is."""
    with microvm("-append", "virtio_mmio.device=512@0xfeb00e00:12 "
                            f"virtio_mmio.device=512@{address}:5",
                 machine="microvm,acpi=off,auto-kernel-cmdline=off") as machine:
        machine.ready()
        assert f"init: mmio {address}: no virtio device there\n" in machine.text
        check_service(machine)


def test_pin_on_q35():
    with Machine(kernel(DNS_ELF), [UserNetwork()], machine="q35",
                 device="virtio-net-pci,vectors=0") as machine:
        machine.ready()
        for _ in range(50):  # masked and acknowledged each time
            check_service(machine)


@pytest.mark.parametrize("card", CARDS)
def test_card(card):
    with Machine(kernel(DNS_ELF), [UserNetwork()], device=CARDS[card]) as machine:
        machine.ready()
        for _ in range(300):  # more than either queue has slots
            check_service(machine)


@pytest.mark.parametrize("cpu", PROCESSORS)
def test_cpu(cpu):
    with Machine(kernel(DNS_ELF), [UserNetwork()], cpu=cpu) as machine:
        machine.ready()
        check_service(machine)


@pytest.mark.parametrize("memory", [2, 4, 8, 16, 128, 2048, 4096])
def test_memory(memory):
    with Machine(kernel(DNS_ELF), [UserNetwork()], memory=memory) as machine:
        machine.ready()
        check_service(machine)


@pytest.mark.parametrize("machine_kind", ["pc", "q35"])
def test_card_behind_a_bridge_or_alone(machine_kind):
    """A card on the last slot of the first bus, or on q35 behind a PCI Express root port."""
    if machine_kind == "pc":
        options, device = [], "virtio-net-pci,addr=0x1f"
    else:
        options = ["-device", "pcie-root-port,id=port0,chassis=1,slot=1"]
        device = "virtio-net-pci,bus=port0"
    with Machine([*kernel(DNS_ELF), *options], [UserNetwork()], machine=machine_kind,
                 device=device) as machine:
        machine.ready()
        check_service(machine)


def test_other_devices_are_left_alone():
    options = ["-device", "e1000", "-device", "virtio-rng-pci", "-device", "virtio-balloon-pci",
               "-device", "qemu-xhci"]
    with Machine(kernel(DNS_ELF), [UserNetwork()], options=options) as machine:
        machine.ready()
        check_service(machine)


@pytest.mark.parametrize("processors", [1, 2, 4])
@pytest.mark.parametrize("product", ["elf-pc", "elf-q35", "disk-ide-pc", "microvm", "uefi"])
def test_several_processors(product, processors):
    """One is used, the others stay where the firmware left them, and init says so."""
    settings, memory = {}, 64
    if product == "microvm":
        boot, settings = [*kernel(DNS_ELF), *MODERN_MMIO], MICROVM
    elif product == "uefi":
        boot, settings, memory = [*UEFI, *disk(DNS_ISO, "cd")], {"machine": "q35"}, 128
    else:
        boot, kind = PRODUCTS[product]
        settings = {"machine": kind}
    with Machine(boot, [UserNetwork()], options=["-smp", str(processors)], memory=memory,
                 **settings) as machine:
        machine.expect(r"^dnsd: serving .*$", seconds=UEFI_LIMIT)
        machine.ready()
        check_service(machine)
        said = f"init: the machine has {processors} processors, one of them is used\n"
        assert (said in machine.text) == (processors > 1)


def test_dig():
    with Machine(kernel(DNS_ELF), [UserNetwork()]) as machine:
        machine.ready()
        host, port = machine.address
        printed = subprocess.run(
            ["dig", f"@{host}", "-p", str(port), "www.example.org", "A", "+tries=1"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT).stdout
    assert "status: NOERROR" in printed
    assert re.search(r"^www\.example\.org\.\s+3600\s+IN\s+A\s+192\.0\.2\.80$", printed, re.M)
    assert re.search(r"flags: qr aa rd;", printed)
    assert "WARNING: recursion requested but not available" in printed
    assert "Warning: Message" not in printed  # nothing malformed


def test_console_keys(dns_image):
    check_service(dns_image)
    start = len(dns_image.text)
    dns_image.type("d")
    match = dns_image.expect(r"^init: domains:\n((?:  \w+: \w+, .*\n){3})", start)
    assert re.findall(r"^  (\w+)", match[1], re.MULTILINE) == ["virtio_drv", "netd", "dnsd"]
    start = len(dns_image.text)
    dns_image.type("?")
    dns_image.expect(r"^init: s: counters, d: domains$", start)


def test_all_domains_wait_when_there_is_nothing_to_do(dns_image):
    for _ in range(20):
        start = len(dns_image.text)
        dns_image.type("d")
        match = dns_image.expect(r"^init: domains:\n((?:  \w+: \w+, .*\n){3})", start)
        if set(re.findall(r": (\w+),", match[1])) == {"waiting"}:
            return
    dns_image.fail("some domain is never at rest")


def test_counters_count_queries(dns_image):
    before = dns_image.counters()
    for _ in range(7):
        check_service(dns_image)
    after = dns_image.counters()

    def rise(name):
        return after[name] - before.get(name, 0)

    assert rise("dnsd.noerror") == 7
    assert rise("dnsd.nxdomain") == 7
    assert rise("netd.udp_received") == 14
    assert rise("netd.udp_sent") == 14


def test_card_without_an_address():
    """The second card has none: it stays down, the first serves."""
    with Machine(kernel(DNS_ELF), [UserNetwork(), UserNetwork()]) as machine:
        machine.ready()
        machine.expect(r"^netd: net1: no address, stays down: set net1\.ip$")
        check_service(machine)

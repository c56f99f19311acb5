# SPDX-License-Identifier: ISC
"""Every product boots to the same service by a BIOS or by itself, on both machines with PCI, with
every kind of virtio-net card, on old and new processors, and with little and much memory. (By UEFI:
test_uefi.py; without PCI: test_microvm.py.)"""

import re
import subprocess

import pytest

from client import ask, rcode, section
from machine import DNS_ELF, DNS_IMG, DNS_ISO, DNS_UEFI_IMG, LIMIT, PARTITIONS, Machine, disk, kernel
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


def check_processors(machine, processors):
    """One is used, the others stay where the firmware left them, and init says so."""
    check_service(machine)
    said = f"init: the machine has {processors} processors, one of them is used\n"
    assert (said in machine.text) == (processors > 1)


@pytest.mark.parametrize("processors", [1, 2, 4])
@pytest.mark.parametrize("product", ["elf-pc", "elf-q35", "disk-ide-pc"])
def test_several_processors(product, processors):
    boot, kind = PRODUCTS[product]
    with Machine(boot, [UserNetwork()], machine=kind,
                 options=["-smp", str(processors)]) as machine:
        machine.ready()
        check_processors(machine, processors)


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


# The domains of each image, as the console names them.
DOMAINS = {"isolated": ["virtio_drv", "netd", "dnsd"], "paired": ["net", "dnsd"], "fused": ["dns"]}


def test_console_keys(dns_image, partition):
    check_service(dns_image)
    start = len(dns_image.text)
    dns_image.type("d")
    domains = next(DOMAINS[name] for name, path in PARTITIONS.items() if path == partition)
    match = dns_image.expect(r"^init: domains:\n((?:  \w+: \w+, .*\n){%d})" % len(domains), start)
    assert re.findall(r"^  (\w+)", match[1], re.MULTILINE) == domains
    start = len(dns_image.text)
    dns_image.type("?")
    dns_image.expect(r"^init: s: counters, d: domains, t: trace, T: all of it, o: trace on or off$", start)


def test_all_domains_wait_when_there_is_nothing_to_do(dns_image):
    for _ in range(20):
        start = len(dns_image.text)
        dns_image.type("d")
        match = dns_image.expect(r"^init: domains:\n((?:  \w+: \w+, .*\n)+)", start)
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


def test_card_without_an_address(partition):
    """The second card has none: it stays down, the first serves."""
    with Machine(kernel(partition), [UserNetwork(), UserNetwork()]) as machine:
        machine.ready()
        machine.expect(r"^netd: net1: no address, stays down: set net1\.ip$")
        check_service(machine)

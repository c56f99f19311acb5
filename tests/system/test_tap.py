# SPDX-License-Identifier: ISC
"""The DNS image beside a host's own network stack, over a tap: ping, fragments and checksum offload
as Linux does them, and which address an answer leaves from."""

import re
import socket
import subprocess

import pytest

from client import ANSWER_LIMIT, ask, exchange, query, section, wait_answers
from machine import LIMIT, Machine, kernel
from network import GUEST_ADDRESS, GUEST_MAC, TapNetwork, ip
from test_wire import SILENCE, large_query


@pytest.fixture(scope="module")
def machine(tap, partition):
    with Machine(kernel(partition), [TapNetwork()]) as one:
        yield one.ready()


def ping(*words):
    done = subprocess.run(
        ["ping", "-n", "-q", "-c", "3", "-i", "0.2", "-W", str(ANSWER_LIMIT), *words,
         GUEST_ADDRESS],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT * 3)
    return done.stdout + done.stderr


@pytest.mark.parametrize("size", [0, 56, 1400, 1471, 1472, 1473, 2952, 2953, 4000, 8000, 20000])
def test_ping(machine, size):
    """From 1473 bytes on, request and reply are fragmented."""
    printed = ping("-s", str(size), *(["-M", "do"] if size <= 1472 else []))
    assert " 3 received, 0% packet loss" in printed, printed


def test_ping_beyond_the_limits(machine):
    """More fragments than a datagram may have (docs/netd.md): no reply, and the service stays."""
    assert " 0 received" in ping("-s", "60000", "-W", "1")
    assert " 3 received" in ping()


@pytest.mark.parametrize("size", [512, 1232, 1471, 1472, 1473, 1480, 1481, 1800, 2000])
def test_large_query(machine, size):
    """Beyond 1472 bytes the host sends it in fragments."""
    assert exchange(machine.address, large_query(size))[3] & 15 == 0


def test_port_unreachable(machine):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(ANSWER_LIMIT)
        link.connect((GUEST_ADDRESS, 54))
        link.send(b"anybody there?")
        with pytest.raises(ConnectionRefusedError):
            link.recv(100)


def test_checksum_offload(machine):
    """A tap's card offers it, so that everything else in this file goes through it."""
    assert re.search(r"^virtio_drv: net0: .* features.* csum guest_csum", machine.text, re.M)


def test_without_checksum_offload(tap, partition):
    """The host checks what the image computed."""
    card = "virtio-net-pci,csum=off,guest_csum=off"
    with Machine(kernel(partition), [TapNetwork()], device=card) as machine:
        machine.ready()
        for length in range(1, 20):
            assert ask(machine, "x" * length + ".example.org").authority
        assert exchange(machine.address, large_query(1800))[3] & 15 == 0


def test_link_goes_and_returns(machine):
    after = len(machine.text)
    machine.monitor("set_link", name="card0", up=False)
    machine.expect(r"^netd: net0: link down$", after)
    machine.monitor("set_link", name="card0", up=True)
    machine.expect(rf"^netd: net0: {GUEST_ADDRESS}/24 ", after)
    wait_answers(machine)
    assert " 3 received" in ping()


@pytest.fixture(scope="module")
def two_cards(machine, partition):
    """Two cards with a network each; after the tests that have one card on the same network."""
    networks = [TapNetwork("10.0.4.15", "10.0.4.2"), TapNetwork("10.0.3.15", "10.0.3.2")]
    settings = {"net0.ip": "10.0.4.15/24", "net1.ip": "10.0.3.15/24", "net1.gw": "10.0.3.2"}
    with Machine(kernel(partition), networks, settings=settings) as one:
        one.ready()
        one.expect(r"^netd: net1: 10\.0\.3\.15/24 gateway 10\.0\.3\.2 mac 52:54:00:12:34:57")
        yield one, networks


def test_two_cards(two_cards):
    """Each answers; exchange() checks that the answer comes from the address asked."""
    for network in two_cards[1]:
        for _ in range(100):
            assert section(ask(network, "mail.example.org").answer)


def test_second_address_through_the_first_card(two_cards):
    """An address belongs to its card: not answered elsewhere, but counted."""
    machine, networks = two_cards
    before = machine.counters().get("netd.ip_others", 0)
    ip("route", "replace", "10.0.3.15/32", "dev", networks[0].name)
    ip("neighbour", "replace", "10.0.3.15", "lladdr", GUEST_MAC, "dev", networks[0].name,
       "nud", "permanent")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.settimeout(SILENCE)
            link.sendto(query("www.example.org").to_wire(), networks[1].address)
            with pytest.raises(TimeoutError):
                link.recvfrom(65535)
    finally:
        ip("route", "delete", "10.0.3.15/32", "dev", networks[0].name)
    machine.expect_counter("netd.ip_others", before + 1)
    assert ask(networks[1], "www.example.org").answer
